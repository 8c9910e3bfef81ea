package committer

import (
	"encoding/binary"

	"github.com/rowdelta/rowdelta/iceberg"
)

// keys finds the numbers of rows by their keys. It is not changed after it was made, and
// find may be called by several goroutines, each with a scratch of its own.
type keys struct {
	ints  map[int64]int  // where the key is one whole number that is never null
	bytes map[string]int // otherwise
}

// keysOf returns the keys of rows that consist of the key's columns, one vector each.
func keysOf(columns []iceberg.Vector, n int) *keys {
	k := new(keys)
	if isWhole(columns) {
		k.ints = make(map[int64]int, n)
		for i, w := range columns[0].Ints {
			k.ints[w] = i
		}
		return k
	}
	k.bytes = make(map[string]int, n)
	var scratch []byte
	for i := range n {
		scratch = appendKey(scratch[:0], columns, i)
		k.bytes[string(scratch)] = i
	}
	return k
}

// isWhole reports whether the key is one whole number, of which none is null.
func isWhole(columns []iceberg.Vector) bool {
	if len(columns) != 1 || columns[0].Ints == nil {
		return false
	}
	for _, null := range columns[0].Null {
		if null {
			return false
		}
	}
	return true
}

// find returns the number of the key that the i-th row of other columns has.
func (k *keys) find(columns []iceberg.Vector, i int, scratch *[]byte) (int, bool) {
	if k.ints != nil {
		if columns[0].Null[i] {
			return 0, false
		}
		n, ok := k.ints[columns[0].Ints[i]]
		return n, ok
	}
	*scratch = appendKey((*scratch)[:0], columns, i)
	n, ok := k.bytes[string(*scratch)]
	return n, ok
}

// appendKey appends the i-th key such that different keys never look alike.
func appendKey(dst []byte, columns []iceberg.Vector, i int) []byte {
	for c := range columns {
		v := &columns[c]
		if v.Null[i] {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		switch {
		case v.Ends != nil:
			b := v.Value(i)
			dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
		case v.Decimals != nil:
			dst = binary.BigEndian.AppendUint64(dst, uint64(v.Decimals[i].Hi))
			dst = binary.BigEndian.AppendUint64(dst, v.Decimals[i].Lo)
		default:
			dst = binary.BigEndian.AppendUint64(dst, uint64(v.Ints[i]))
		}
	}
	return dst
}

// keyColumns returns the columns of the delta's key, in the key's order.
func keyColumns(s *iceberg.Schema, rows *iceberg.Rows) []iceberg.Vector {
	out := make([]iceberg.Vector, len(s.Key))
	for i, name := range s.Key {
		out[i] = rows.Columns[s.Index(name)]
	}
	return out
}
