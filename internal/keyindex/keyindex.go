// Package keyindex numbers keys.
package keyindex

import "hash/maphash"

var seed = maphash.MakeSeed()

// An Index numbers different keys in the order in which they come, from 0 on. It
// keeps their bytes in one piece: a map would allocate each of them. The zero Index
// is ready to use.
type Index struct {
	slots []int32 // number + 1, 0 for none; at most half full
	ends  []int   // of the keys in bytes
	bytes []byte
}

// New returns an Index with room for so many keys.
func New(keys int) *Index {
	size := 16
	for size < 2*keys {
		size *= 2
	}
	return &Index{slots: make([]int32, size), ends: make([]int, 0, keys), bytes: make([]byte, 0, 32*keys)}
}

// Add returns the number of key and whether it is new. It does not keep key.
func (x *Index) Add(key []byte) (n int, isNew bool) {
	if len(x.slots) == 0 {
		x.slots = make([]int32, 16)
	}
	mask := uint64(len(x.slots) - 1)
	at := maphash.Bytes(seed, key) & mask
	for ; x.slots[at] != 0; at = (at + 1) & mask {
		n := int(x.slots[at] - 1)
		if string(x.Key(n)) == string(key) {
			return n, false
		}
	}
	if 2*len(x.ends) >= len(x.slots) {
		x.grow()
		return x.Add(key)
	}
	x.bytes = append(x.bytes, key...)
	x.ends = append(x.ends, len(x.bytes))
	x.slots[at] = int32(len(x.ends))
	return len(x.ends) - 1, true
}

func (x *Index) grow() {
	x.slots = make([]int32, 2*len(x.slots))
	mask := uint64(len(x.slots) - 1)
	for n := range x.ends {
		at := maphash.Bytes(seed, x.Key(n)) & mask
		for x.slots[at] != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = int32(n + 1)
	}
}

// Len returns how many keys there are.
func (x *Index) Len() int { return len(x.ends) }

// Key returns the key of a number. It is valid until the next Add and must not be
// changed.
func (x *Index) Key(n int) []byte {
	start := 0
	if n > 0 {
		start = x.ends[n-1]
	}
	return x.bytes[start:x.ends[n]:x.ends[n]]
}

// AppendKeys appends all keys in the order of their numbers, each as by Key.
func (x *Index) AppendKeys(dst [][]byte) [][]byte {
	for n := range x.ends {
		dst = append(dst, x.Key(n))
	}
	return dst
}
