package iceberg

import (
	"hash/maphash"
	"math/bits"
)

// Shown is the keys of all rows that a completed snapshot showed, or that streamed
// changes touched since it began: whatever else the table has is gone from the source.
// It owns its memory and may be read by several goroutines at once.
type Shown struct {
	keys  *keySet
	parts []keyPart
}

// A keyPart is a column of a key.
type keyPart struct {
	column int
	class  class
}

// Has reports whether the i-th of the rows is among them. Only the columns of the key
// need to have vectors: those of the delta's schema.
func (s *Shown) Has(rows *Rows, i int) bool {
	var b [64]byte
	key := b[:0]
	for _, p := range s.parts {
		key = rows.Columns[p.column].appendKey(key, p.class, i)
	}
	return s.keys.has(hashOf(key))
}

// Len returns how many keys there are.
func (s *Shown) Len() int { return s.keys.len }

// appendKey appends a value as slots.appendKey does.
func (v *Vector) appendKey(dst []byte, c class, i int) []byte {
	if v.Null[i] {
		return append(dst, 0)
	}
	switch c {
	case bytes:
		return appendBytes(dst, v.Value(i))
	case decimal:
		return appendDecimal(dst, uint64(v.Decimals[i].Hi), v.Decimals[i].Lo)
	}
	return appendWord(dst, uint64(v.Ints[i])) // no key has a float
}

// A keyHash stands for a key. Of 127 bits, no two keys have one by chance, and the seeds
// let nobody choose two. Keys themselves would be held for all rows of a table.
type keyHash struct{ hi, lo uint64 }

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashOf(key []byte) keyHash {
	return keyHash{maphash.Bytes(seeds[0], key), maphash.Bytes(seeds[1], key) | 1} // 0 is none
}

// A keySet is a set of keys, of 20 to 32 bytes each. It grows in parts, so that there is
// hardly more at any time, and no wait for all of it to be copied.
type keySet struct {
	parts [64]struct {
		places []keyHash // at most three quarters of them are taken
		len    int
	}
	len int
}

// has reports whether a key is there.
func (s *keySet) has(h keyHash) bool {
	p := &s.parts[h.hi>>58]
	return p.len > 0 && p.places[find(p.places, h)] == h
}

// add adds a key and reports whether it is new.
func (s *keySet) add(h keyHash) bool {
	p := &s.parts[h.hi>>58]
	if 4*(p.len+1) > 3*len(p.places) {
		old := p.places
		p.places = make([]keyHash, max(8, len(old)+len(old)/2))
		for _, k := range old {
			if k != (keyHash{}) {
				p.places[find(p.places, k)] = k
			}
		}
	}
	at := &p.places[find(p.places, h)]
	if *at == h {
		return false
	}
	*at = h
	p.len++
	s.len++
	return true
}

// find returns where a key is, or is to be.
func find(places []keyHash, h keyHash) int {
	at, _ := bits.Mul64(h.hi<<6, uint64(len(places)))
	for places[at] != h && places[at] != (keyHash{}) {
		if at++; at == uint64(len(places)) {
			at = 0
		}
	}
	return int(at)
}
