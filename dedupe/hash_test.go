package dedupe

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"math/bits"
	"os"
	"strconv"
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

// Whatever the key, its hash is that of a sum in numbers of any size.
func TestHashIsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHasher([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "seed")))
		key := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "key")
		number := func(s secret) *big.Int {
			n := new(big.Int).SetUint64(s.hi)
			return n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(s.lo))
		}
		sum := number(h.size)
		sum.Mul(sum, big.NewInt(int64(len(key)))).Add(sum, number(h.first))
		word := make([]byte, 8)
		for i, rest := 0, key; i == 0 || len(rest) > 0; i++ {
			clear(word)
			switch {
			case len(rest) >= 8:
				copy(word, rest)
				rest = rest[8:]
			case len(key) >= 8:
				copy(word, key[len(key)-8:])
				rest = nil
			default:
				copy(word, rest)
				rest = nil
			}
			if len(key) <= shortKey {
				product := number(h.words[i])
				sum.Add(sum, product.Mul(product, new(big.Int).SetUint64(binary.LittleEndian.Uint64(word))))
			}
		}
		sum.Rsh(sum, 64).And(sum, new(big.Int).SetUint64(math.MaxUint64))
		want := h.mixer.mix(sum.Uint64())
		if len(key) > shortKey {
			want = h.sip.sum(key)
		}
		if got := h.sum(key); got != want {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

// No secret is used twice.
func TestSecretsDiffer(t *testing.T) {
	h := newHasher([16]byte{1})
	seen := map[uint64]bool{h.mixer.offset: true, h.mixer.factors[0]: true, h.mixer.factors[1]: true, h.mixer.factors[2]: true}
	for _, s := range append(h.words[:], h.first, h.size) {
		seen[s.hi], seen[s.lo] = true, true
	}
	if want := 4 + 2*(len(h.words)+2); len(seen) != want || len(h.words) != 32 {
		t.Errorf("%d secrets, want %d", len(seen), want)
	}
}

// Keys that are easily taken for one another have hashes of their own, and spread
// as random ones would.
func TestHashTellsKeysApart(t *testing.T) {
	const places, each = 1024, 32
	h := newHasher([16]byte{2})
	seen := map[uint64]string{}
	var count [places]int
	n := 0
	add := func(key string) {
		hash := h.sum([]byte(key))
		if other, ok := seen[hash]; ok && other != key {
			t.Errorf("%q and %q have one hash", key, other)
		} else if !ok {
			seen[hash] = key
			count[hash>>54]++
			n++
		}
	}
	for size := range 300 {
		add(strings.Repeat("\x00", size))
		add(strings.Repeat("ab", size))
		add(strings.Repeat("k", size) + "\x00")
		for at := range size {
			zeros := make([]byte, size)
			zeros[at] = 1
			if size%8 < 2 {
				add(string(zeros))
			}
		}
	}
	for i := n; n < places*each; i++ {
		add("public.orders|{\"id\":" + strconv.Itoa(10*i) + "}")
	}
	squares := 0
	for _, n := range count {
		squares += (n - each) * (n - each)
	}
	if chi := squares / each; chi > 1400 { // 1023 is to be expected, give or take 45
		t.Errorf("the hashes do not spread: %d", chi)
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
