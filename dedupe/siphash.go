package dedupe

import (
	"encoding/binary"
	"math/bits"
)

// A sipKey is the secret key of SipHash-1-3, a hash whose values nobody can steer
// who does not know the key. hash/maphash would do as well and faster, but its
// seed cannot be saved.
type sipKey [2]uint64

// sum returns the hash of b.
func (k *sipKey) sum(b []byte) uint64 {
	v0 := k[0] ^ 0x736f6d6570736575
	v1 := k[1] ^ 0x646f72616e646f6d
	v2 := k[0] ^ 0x6c7967656e657261
	v3 := k[1] ^ 0x7465646279746573
	n := len(b)
	last := uint64(n) << 56
	if n >= 8 {
		// The bytes behind the last whole word, by way of those before them.
		last |= binary.LittleEndian.Uint64(b[n-8:]) >> (64 - 8*(uint(n)%8))
	} else {
		for i, c := range b {
			last |= uint64(c) << (8 * i)
		}
	}
	for ; len(b) >= 8; b = b[8:] {
		word := binary.LittleEndian.Uint64(b)
		v3 ^= word
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0 ^= word
	}
	v3 ^= last
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	for range 3 {
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	}
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v1
	v0 += v3
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// A mixer maps words to words, each to another one, so that no two collide, and
// by secret factors, so that nobody can choose words that crowd together.
type mixer struct {
	offset  uint64
	factors [3]uint64 // odd
}

// newMixer derives a mixer from a key.
func newMixer(k *sipKey) mixer {
	m := mixer{offset: k.sum([]byte{0})}
	for i := range m.factors {
		m.factors[i] = k.sum([]byte{byte(i + 1)}) | 1
	}
	return m
}

// mix returns the word that stands for x. Its high bits depend on all of x.
func (m *mixer) mix(x uint64) uint64 {
	x = (x ^ m.offset) * m.factors[0]
	x = (x ^ x>>32) * m.factors[1]
	return (x ^ x>>32) * m.factors[2]
}
