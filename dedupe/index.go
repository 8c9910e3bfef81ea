package dedupe

import "hash/maphash"

var seed = maphash.MakeSeed()

// An index numbers different keys in the order in which they come. It keeps
// their bytes in one piece: a map would allocate each of them.
type index struct {
	slots []int32 // number + 1, 0 for none; at most half full
	ends  []int   // of the keys in bytes
	bytes []byte
}

func newIndex(keys int) *index {
	size := 16
	for size < 2*keys {
		size *= 2
	}
	return &index{slots: make([]int32, size), ends: make([]int, 0, keys), bytes: make([]byte, 0, 32*keys)}
}

// add returns the number of key and whether it is new.
func (x *index) add(key []byte) (n int, isNew bool) {
	mask := uint64(len(x.slots) - 1)
	at := maphash.Bytes(seed, key) & mask
	for ; x.slots[at] != 0; at = (at + 1) & mask {
		n := int(x.slots[at] - 1)
		if string(x.key(n)) == string(key) {
			return n, false
		}
	}
	if 2*len(x.ends) >= len(x.slots) {
		x.grow()
		return x.add(key)
	}
	x.bytes = append(x.bytes, key...)
	x.ends = append(x.ends, len(x.bytes))
	x.slots[at] = int32(len(x.ends))
	return len(x.ends) - 1, true
}

func (x *index) grow() {
	x.slots = make([]int32, 2*len(x.slots))
	mask := uint64(len(x.slots) - 1)
	for n := range x.ends {
		at := maphash.Bytes(seed, x.key(n)) & mask
		for x.slots[at] != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = int32(n + 1)
	}
}

func (x *index) len() int { return len(x.ends) }

// key returns the key of a number.
func (x *index) key(n int) []byte {
	start := 0
	if n > 0 {
		start = x.ends[n-1]
	}
	return x.bytes[start:x.ends[n]:x.ends[n]]
}

// appendKeys appends all keys in the order of their numbers.
func (x *index) appendKeys(dst [][]byte) [][]byte {
	for n := range x.ends {
		dst = append(dst, x.key(n))
	}
	return dst
}
