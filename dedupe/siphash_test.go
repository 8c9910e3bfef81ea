package dedupe

import (
	"encoding/hex"
	"math/bits"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSipHash(t *testing.T) {
	file, err := os.ReadFile("testdata/siphash/siphash-1-3")
	if err != nil {
		t.Fatal(err)
	}
	k := sipKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	vectors := strings.Fields(string(file))
	if len(vectors) != 64 {
		t.Fatalf("%d vectors", len(vectors))
	}
	var message []byte
	for n, vector := range vectors {
		want, err := hex.DecodeString(vector)
		if err != nil {
			t.Fatal(err)
		}
		sum, got := k.sum(message), make([]byte, 8)
		for i := range got {
			got[i] = byte(sum >> (8 * i))
		}
		if string(got) != string(want) {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
		message = append(message, byte(n))
	}
}

// inverse returns the factor that undoes an odd one.
func inverse(factor uint64) uint64 {
	x := factor // right in three bits; each step doubles them
	for range 5 {
		x *= 2 - factor*x
	}
	return x
}

// unmix returns the word that mix makes y of.
func (m *mixer) unmix(y uint64) uint64 {
	y *= inverse(m.factors[2])
	y ^= y >> 32
	y *= inverse(m.factors[1])
	y ^= y >> 32
	return y*inverse(m.factors[0]) ^ m.offset
}

func TestMixerIsInvertible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := sipKey{rapid.Uint64().Draw(t, "key"), rapid.Uint64().Draw(t, "key")}
		m := newMixer(&k)
		x := rapid.Uint64().Draw(t, "word")
		if got := m.unmix(m.mix(x)); got != x {
			t.Fatalf("%x came back as %x", x, got)
		}
		if got := m.mix(m.unmix(x)); got != x {
			t.Fatalf("%x came back as %x, the other way", x, got)
		}
	})
}

// Every part of a key matters, and each factor is another one.
func TestMixersDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for _, k := range []sipKey{{}, {1, 0}, {0, 1}, {1 << 63, 0}, {0, 1 << 63}} {
		m := newMixer(&k)
		for _, word := range append(m.factors[:], m.offset) {
			if seen[word] {
				t.Errorf("%x is in two mixers, or twice in one", word)
			}
			seen[word] = true
		}
	}
}

// Keys as tables have them must spread over the lines of a table as random ones
// would: 32 to a place, give or take.
func TestMixerSpreads(t *testing.T) {
	const places, each = 4096, 32
	patterns := map[string]func(i uint64) uint64{
		"in turn":               func(i uint64) uint64 { return i },
		"as bytes big-endian":   bits.ReverseBytes64,
		"by tens":               func(i uint64) uint64 { return 10 * i },
		"by powers of two":      func(i uint64) uint64 { return i << 20 },
		"in the high bits":      func(i uint64) uint64 { return i << 47 },
		"reversed":              bits.Reverse64,
		"a time and a number":   func(i uint64) uint64 { return (1_700_000_000_000+i>>4)<<22 | i&15 },
		"both halves the same":  func(i uint64) uint64 { return i<<32 | i },
		"both halves and signs": func(i uint64) uint64 { return -i },
	}
	k := sipKey{0x0123456789abcdef, 0xfedcba9876543210}
	m := newMixer(&k)
	for name, pattern := range patterns {
		var count [places]int
		for i := range uint64(places * each) {
			count[m.mix(pattern(i))>>52]++
		}
		squares := 0
		for _, n := range count {
			squares += (n - each) * (n - each)
		}
		// The sum over each is a chi-square of 4095 degrees of freedom: ten standard
		// deviations are 905. A pattern may spread more evenly than chance.
		if chi := squares / each; chi > 5000 {
			t.Errorf("%s: %d", name, chi)
		}
	}
}
