package committer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	ice "github.com/apache/iceberg-go"

	"github.com/rowdelta/rowdelta/iceberg"
)

// excludes reports whether no row of a file has one of the keys, by the file's bounds.
func (s *search) excludes(f ice.DataFile) bool {
	lower, upper, nulls := f.LowerBoundValues(), f.UpperBoundValues(), f.NullValueCounts()
	for i := range s.spans {
		id := s.fields[i].ID
		count, known := nulls[id]
		if known && count == f.Count() && !s.spans[i].null {
			return true
		}
		low, ok := lower[id]
		high, alsoOK := upper[id]
		if ok && alsoOK && s.spans[i].excludes(low, high, known && count == 0) {
			return true
		}
	}
	return false
}

// excludesGroup is excludes for a row group. Parquet writes bounds as Iceberg does,
// except for decimals that are whole numbers to it.
func (s *search) excludesGroup(group *metadata.RowGroupMetaData, columns []int) bool {
	for i, n := range columns {
		chunk, err := group.ColumnChunk(n)
		if err != nil {
			continue
		}
		stats, err := chunk.Statistics()
		if err != nil || stats == nil || !stats.HasMinMax() {
			continue
		}
		low, high := stats.EncodeMin(), stats.EncodeMax()
		if s.spans[i].decimals != nil && (stats.Type() == parquet.Types.Int32 || stats.Type() == parquet.Types.Int64) {
			slices.Reverse(low)
			slices.Reverse(high)
		}
		if s.spans[i].excludes(low, high, stats.HasNullCount() && stats.NullCount() == 0) {
			return true
		}
	}
	return false
}

// A span is the values that one column of the keys has, sorted. Types of which no order
// is certain have none: writers differ in that of UUIDs.
type span struct {
	null     bool // among them
	ints     []int64
	decimals []iceberg.Decimal
	bytes    [][]byte
}

func spanOf(t ice.Type, v *iceberg.Vector) span {
	s := span{null: slices.Contains(v.Null, true)}
	switch t.(type) {
	case ice.Int32Type, ice.Int64Type, ice.DateType, ice.TimeType,
		ice.TimestampType, ice.TimestampTzType, ice.TimestampNsType, ice.TimestampTzNsType:
		s.ints = sorted(v, func(i int) int64 { return v.Ints[i] }, cmp.Compare)
	case ice.DecimalType:
		s.decimals = sorted(v, func(i int) iceberg.Decimal { return v.Decimals[i] }, compareDecimals)
	case ice.StringType, ice.BinaryType:
		s.bytes = sorted(v, v.Value, bytes.Compare)
	}
	return s
}

func sorted[T any](v *iceberg.Vector, value func(int) T, compare func(a, b T) int) []T {
	out := make([]T, 0, len(v.Null))
	for i, null := range v.Null {
		if !null {
			out = append(out, value(i))
		}
	}
	slices.SortFunc(out, compare)
	return out
}

// excludes reports whether a column with bounds has no value of the span. The bounds say
// nothing of null, of which the column may be known to have none.
func (s *span) excludes(lower, upper []byte, full bool) bool {
	if s.null && !full {
		return false
	}
	switch {
	case s.ints != nil:
		low, ok := wholeOf(lower)
		high, alsoOK := wholeOf(upper)
		return ok && alsoOK && !meets(s.ints, low, high, cmp.Compare)
	case s.decimals != nil:
		low, ok := decimalOf(lower)
		high, alsoOK := decimalOf(upper)
		return ok && alsoOK && !meets(s.decimals, low, high, compareDecimals)
	case s.bytes != nil:
		return !meets(s.bytes, lower, upper, bytes.Compare)
	}
	return false
}

// meets reports whether one of sorted values is between two others.
func meets[T any](sorted []T, lower, upper T, compare func(a, b T) int) bool {
	i, _ := slices.BinarySearchFunc(sorted, lower, compare)
	return i < len(sorted) && compare(sorted[i], upper) <= 0
}

// wholeOf returns a bound of a column of whole numbers, which may have been narrower
// when it was written.
func wholeOf(b []byte) (int64, bool) {
	switch len(b) {
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// decimalOf returns a bound of a column of decimals: big-endian, in two's complement, of
// as many bytes as it takes.
func decimalOf(b []byte) (iceberg.Decimal, bool) {
	if len(b) == 0 || len(b) > 16 {
		return iceberg.Decimal{}, false
	}
	wide := [16]byte{}
	if b[0] >= 0x80 {
		wide = [16]byte(bytes.Repeat([]byte{0xff}, 16))
	}
	copy(wide[16-len(b):], b)
	return iceberg.Decimal{Hi: int64(binary.BigEndian.Uint64(wide[:8])), Lo: binary.BigEndian.Uint64(wide[8:])}, true
}

func compareDecimals(a, b iceberg.Decimal) int {
	return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo))
}
