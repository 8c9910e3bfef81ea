package dedupe

import (
	"encoding/binary"
	"math/bits"
)

// A hasher hashes keys to 64 bits by secrets. Two different keys have one hash with a
// probability of 2⁻⁶⁴, whoever chose them without knowing the secrets.
//
// For short keys that is proven: multilinear hashing is strongly universal (Lemire
// and Kaser, Strongly universal string hashing is fast, 2014), and the mixer behind
// it is a permutation. SipHash, which long keys go by, is believed to be as good,
// but takes twice as long for keys as short as most are. hash/maphash would do as
// well, but its seed cannot be saved.
type hasher struct {
	sip   sipKey
	mixer mixer
	first secret
	size  secret // for the key's length
	words [shortKey / 8]secret
}

// A secret is a number of 128 bits.
type secret struct{ hi, lo uint64 }

// shortKey is the longest key, in bytes, that has secrets of its own for each word.
const shortKey = 256

// newHasher derives all secrets from a seed.
func newHasher(seed [16]byte) *hasher {
	h := &hasher{sip: sipKey{binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])}}
	h.mixer = newMixer(&h.sip)
	drawn := byte(0)
	draw := func() uint64 { // of other words than the mixer's
		drawn++
		return h.sip.sum([]byte{drawn, 0})
	}
	h.first, h.size = secret{draw(), draw()}, secret{draw(), draw()}
	for i := range h.words {
		h.words[i] = secret{draw(), draw()}
	}
	return h
}

// word returns the hash of a word. No two words have one.
func (h *hasher) word(x uint64) uint64 { return h.mixer.mix(x) }

// sum returns the hash of a key: of the words of eight bytes in it, the last of which
// may begin within the one before, and of its length, without which these words
// could be of another key. The sum of the words times their secrets, modulo 2¹²⁸,
// spreads every difference over its upper half.
func (h *hasher) sum(key []byte) uint64 {
	n := len(key)
	if n > shortKey {
		return h.sip.sum(key)
	}
	var last uint64
	if n >= 8 {
		last = binary.LittleEndian.Uint64(key[n-8:])
	} else {
		for i, c := range key {
			last |= uint64(c) << (8 * i)
		}
	}
	hi, lo := h.size.plus(h.first.hi, h.first.lo, uint64(n))
	words := h.words[:]
	for ; len(key) > 8; key = key[8:] {
		hi, lo = words[0].plus(hi, lo, binary.LittleEndian.Uint64(key))
		words = words[1:]
	}
	hi, _ = words[0].plus(hi, lo, last)
	return h.mixer.mix(hi)
}

// plus adds the product with x to a number, modulo 2¹²⁸.
func (s *secret) plus(hi, lo, x uint64) (uint64, uint64) {
	productHi, productLo := bits.Mul64(s.lo, x)
	lo, carry := bits.Add64(lo, productLo, 0)
	return hi + productHi + s.hi*x + carry, lo
}

// A sipKey is the secret key of SipHash-1-3, a hash whose values nobody can steer
// who does not know the key.
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
