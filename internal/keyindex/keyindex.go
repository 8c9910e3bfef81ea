// Package keyindex numbers keys.
package keyindex

import "hash/maphash"

var seed = maphash.MakeSeed()

// An Index numbers different keys in the order in which they come, from 0 on. It
// keeps their bytes in one piece: a map would allocate each of them. The zero Index
// is ready to use.
//
// Looking for a key that is new reads but one byte at a place that nothing foretells,
// most often, and all those bytes are few enough to be at hand. With numbers in their
// place, and keys to compare, that is waiting for memory, which took longer than all
// else.
type Index struct {
	tags    []byte  // of the key's hash, 0 where there is no key; at most half of the places have one
	numbers []int32 // beside it
	ends    []int   // of the keys in bytes
	bytes   []byte
}

// New returns an Index with room for so many keys.
func New(keys int) *Index {
	x := &Index{ends: make([]int, 0, keys), bytes: make([]byte, 0, 32*keys)}
	size := 16
	for size < 2*keys {
		size *= 2
	}
	x.places(size)
	return x
}

func (x *Index) places(n int) { x.tags, x.numbers = make([]byte, n), make([]int32, n) }

// Add returns the number of key and whether it is new. It does not keep key.
func (x *Index) Add(key []byte) (n int, isNew bool) {
	if 2*len(x.ends) >= len(x.tags) {
		x.grow()
	}
	hash := maphash.Bytes(seed, key)
	mask := uint64(len(x.tags) - 1)
	at := hash & mask
	for ; x.tags[at] != 0; at = (at + 1) & mask {
		if x.tags[at] != tag(hash) {
			continue
		}
		if n := int(x.numbers[at]); string(x.Key(n)) == string(key) {
			return n, false
		}
	}
	n = len(x.ends)
	x.bytes = append(x.bytes, key...)
	x.ends = append(x.ends, len(x.bytes))
	x.tags[at], x.numbers[at] = tag(hash), int32(n)
	return n, true
}

// tag returns what is not 0, of those bits of a hash that do not tell the place.
func tag(hash uint64) byte { return byte(hash>>56) | 1 }

func (x *Index) grow() {
	x.places(max(16, 2*len(x.tags)))
	mask := uint64(len(x.tags) - 1)
	for n := range x.ends {
		hash := maphash.Bytes(seed, x.Key(n))
		at := hash & mask
		for x.tags[at] != 0 {
			at = (at + 1) & mask
		}
		x.tags[at], x.numbers[at] = tag(hash), int32(n)
	}
}

// Reset removes all keys, and keeps the memory unless most of it was not needed.
func (x *Index) Reset() {
	if len(x.ends) < cap(x.ends)/4 {
		*x = Index{}
		return
	}
	clear(x.tags)
	x.ends, x.bytes = x.ends[:0], x.bytes[:0]
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
