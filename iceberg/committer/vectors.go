package committer

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// recordOf makes an Arrow record of vectors, one for each of the fields. It shares
// their memory as far as the layout is the same.
func recordOf(fields []ice.NestedField, vectors []*iceberg.Vector, n int) (arrow.RecordBatch, error) {
	s, err := table.SchemaToArrowSchema(ice.NewSchema(0, fields...), nil, true, false)
	if err != nil {
		return nil, err
	}
	columns := make([]arrow.Array, len(fields))
	for i, v := range vectors {
		if columns[i], err = arrayOf(s.Field(i).Type, v, n); err != nil {
			return nil, fmt.Errorf("column %q: %w", fields[i].Name, err)
		}
	}
	return array.NewRecordBatch(s, columns, int64(n)), nil
}

// arrayOf makes an Arrow array of a vector.
func arrayOf(t arrow.DataType, v *iceberg.Vector, n int) (arrow.Array, error) {
	valid, nulls := bitmap(v.Null)
	data := func(buffers ...*memory.Buffer) arrow.Array {
		return array.MakeFromData(array.NewData(t, n, append([]*memory.Buffer{valid}, buffers...), nil, nulls, 0))
	}
	switch t := t.(type) {
	case *arrow.BooleanType:
		bits := make([]byte, bitutil.BytesForBits(int64(n)))
		for i, w := range v.Ints {
			if w != 0 {
				bitutil.SetBit(bits, i)
			}
		}
		return data(memory.NewBufferBytes(bits)), nil
	case *arrow.Int32Type, *arrow.Date32Type:
		narrow := make([]int32, n)
		for i, w := range v.Ints {
			narrow[i] = int32(w)
		}
		return data(memory.NewBufferBytes(arrow.GetBytes(narrow))), nil
	case *arrow.Int64Type, *arrow.Time64Type, *arrow.TimestampType:
		return data(memory.NewBufferBytes(arrow.GetBytes(v.Ints))), nil
	case *arrow.Float32Type:
		narrow := make([]float32, n)
		for i, f := range v.Floats {
			narrow[i] = float32(f)
		}
		return data(memory.NewBufferBytes(arrow.GetBytes(narrow))), nil
	case *arrow.Float64Type:
		return data(memory.NewBufferBytes(arrow.GetBytes(v.Floats))), nil
	case *arrow.Decimal128Type:
		decimals := make([]decimal128.Num, n)
		for i, d := range v.Decimals {
			decimals[i] = decimal128.New(d.Hi, d.Lo)
		}
		return data(memory.NewBufferBytes(arrow.GetBytes(decimals))), nil
	case *arrow.StringType, *arrow.BinaryType:
		return data(memory.NewBufferBytes(arrow.GetBytes(v.Ends)), memory.NewBufferBytes(v.Bytes)), nil
	case *arrow.FixedSizeBinaryType:
		return data(memory.NewBufferBytes(padded(v, n, t.ByteWidth))), nil
	case arrow.ExtensionType:
		storage, err := arrayOf(t.StorageType(), v, n)
		if err != nil {
			return nil, err
		}
		defer storage.Release()
		return array.NewExtensionArrayWithStorage(t, storage), nil
	}
	return nil, fmt.Errorf("no way into %v", t)
}

// bitmap returns which values there are, as Arrow has it, and how many there are not.
func bitmap(null []bool) (*memory.Buffer, int) {
	if !slices.Contains(null, true) {
		return nil, 0
	}
	bits, nulls := make([]byte, bitutil.BytesForBits(int64(len(null)))), 0
	for i, is := range null {
		if is {
			nulls++
		} else {
			bitutil.SetBit(bits, i)
		}
	}
	return memory.NewBufferBytes(bits), nulls
}

// padded returns values of one width, of which nulls have it too.
func padded(v *iceberg.Vector, n, width int) []byte {
	if len(v.Bytes) == n*width {
		return v.Bytes
	}
	out := make([]byte, n*width)
	for i := range n {
		copy(out[i*width:(i+1)*width], v.Value(i))
	}
	return out
}

// appendArray appends an Arrow array to a vector.
func appendArray(v *iceberg.Vector, a arrow.Array) error {
	for i := range a.Len() {
		v.Null = append(v.Null, a.IsNull(i))
	}
	switch a := a.(type) {
	case *array.Boolean:
		for i := range a.Len() {
			w := int64(0)
			if a.IsValid(i) && a.Value(i) {
				w = 1
			}
			v.Ints = append(v.Ints, w)
		}
	case *array.Int32:
		v.Ints = appendWhole(v.Ints, a, a.Int32Values())
	case *array.Date32:
		v.Ints = appendWhole(v.Ints, a, a.Date32Values())
	case *array.Int64:
		v.Ints = appendWhole(v.Ints, a, a.Int64Values())
	case *array.Time64:
		v.Ints = appendWhole(v.Ints, a, a.Time64Values())
	case *array.Timestamp:
		v.Ints = appendWhole(v.Ints, a, a.TimestampValues())
	case *array.Float32:
		v.Floats = appendReal(v.Floats, a, a.Float32Values())
	case *array.Float64:
		v.Floats = appendReal(v.Floats, a, a.Float64Values())
	case *array.Decimal128:
		for i := range a.Len() {
			var d iceberg.Decimal
			if a.IsValid(i) {
				d = iceberg.Decimal{Hi: a.Value(i).HighBits(), Lo: a.Value(i).LowBits()}
			}
			v.Decimals = append(v.Decimals, d)
		}
	case *array.String:
		appendBytes(v, a, a.Value)
	case *array.LargeString:
		appendBytes(v, a, a.Value)
	case *array.Binary:
		appendBytes(v, a, a.Value)
	case *array.LargeBinary:
		appendBytes(v, a, a.Value)
	case *array.FixedSizeBinary:
		appendBytes(v, a, a.Value)
	case *extensions.UUIDArray:
		v.Null = v.Null[:len(v.Null)-a.Len()]
		return appendArray(v, a.Storage())
	default:
		return fmt.Errorf("no way out of %v", a.DataType())
	}
	return nil
}

func appendWhole[T ~int32 | ~int64](dst []int64, a arrow.Array, values []T) []int64 {
	for i, w := range values {
		if a.IsNull(i) {
			w = 0
		}
		dst = append(dst, int64(w))
	}
	return dst
}

func appendReal[T ~float32 | ~float64](dst []float64, a arrow.Array, values []T) []float64 {
	for i, f := range values {
		if a.IsNull(i) {
			f = 0
		}
		dst = append(dst, float64(f))
	}
	return dst
}

func appendBytes[T string | []byte](v *iceberg.Vector, a arrow.Array, value func(i int) T) {
	if v.Ends == nil {
		v.Ends = append(v.Ends, 0)
	}
	for i := range a.Len() {
		if a.IsValid(i) {
			v.Bytes = append(v.Bytes, value(i)...)
		}
		v.Ends = append(v.Ends, int32(len(v.Bytes)))
	}
}
