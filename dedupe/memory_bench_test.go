package dedupe_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// memoryKeys returns keys of the numbers from first to last in one piece of memory.
func memoryKeys(numbers []uint32, integers bool) [][]byte {
	keys := make([][]byte, len(numbers))
	arena := make([]byte, 0, 20*len(numbers))
	for i, n := range numbers {
		start := len(arena)
		if n *= 2654435761; integers {
			arena = binary.BigEndian.AppendUint64(arena, uint64(n))
		} else {
			arena = strconv.AppendUint(append(arena, "orders|"...), uint64(n), 10)
		}
		keys[i] = arena[start:len(arena):len(arena)]
	}
	return keys
}

const memoryBatch = 1000

// newMemoryBench returns a Memory of so many keys and some of them in random order.
func newMemoryBench(b *testing.B, n int, exact bool) (*dedupe.Memory, [][]byte) {
	m := &dedupe.Memory{Exact: exact}
	m.Grow(n)
	numbers := make([]uint32, memoryBatch)
	swaps := make([]dedupe.Swap, memoryBatch)
	for i := 0; i < n; i += memoryBatch {
		for j := range numbers {
			numbers[j] = uint32(i + j)
		}
		for j, key := range memoryKeys(numbers, exact) {
			swaps[j] = dedupe.Swap{Key: key, New: envelope.PositionVersion(0, 0, 1)}
		}
		if err := m.Swap(b.Context(), swaps); err != nil {
			b.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	numbers = make([]uint32, min(n, 2_000_000))
	for i := range numbers {
		numbers[i] = r.Uint32N(uint32(n))
	}
	return m, memoryKeys(numbers, exact)
}

func memoryPerKey(b *testing.B, keys int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(keys), "ns/key")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{100_000, 10_000_000} {
		for _, exact := range []bool{false, true} {
			name := fmt.Sprintf("%dK", n/1000)
			if exact {
				name += "-int"
			}
			m, keys := newMemoryBench(b, n, exact)
			versions := make([]envelope.Version, memoryBatch)
			swaps := make([]dedupe.Swap, memoryBatch)
			at, round := 0, uint64(2)
			next := func() [][]byte {
				if at += memoryBatch; at >= len(keys) {
					at, round = 0, round+1
				}
				return keys[at:][:memoryBatch]
			}
			b.Run("Load/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m.Load(b.Context(), next(), versions)
				}
				memoryPerKey(b, memoryBatch)
			})
			b.Run("Swap/"+name, func(b *testing.B) { // of marks that are not in the processor's cache
				b.ReportAllocs()
				for b.Loop() {
					for i, key := range next() {
						swaps[i] = dedupe.Swap{Key: key, Old: envelope.TimeVersion(1), New: envelope.TimeVersion(2)}
					}
					m.Swap(b.Context(), swaps)
				}
				memoryPerKey(b, memoryBatch)
			})
			b.Run("Raise/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					batch := next()
					m.Load(b.Context(), batch, versions)
					v, moved := envelope.PositionVersion(0, 0, round), swaps[:0]
					for i, key := range batch {
						if v.Compare(versions[i]) > 0 {
							moved = append(moved, dedupe.Swap{Key: key, Old: versions[i], New: v})
						}
					}
					m.Swap(b.Context(), moved)
				}
				memoryPerKey(b, memoryBatch)
			})
			b.Run("LoadOne/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m.Load(b.Context(), next()[:1], versions[:1])
				}
			})
		}
	}
}
