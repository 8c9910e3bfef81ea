package pebblestore

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

const (
	benchMarks = 200_000
	benchBatch = 1000
)

// benchStore has many marks, in tables.
func benchStore(b *testing.B) *Store {
	b.Helper()
	store := opened(b)
	for from := 0; from < benchMarks; from += 10 * benchBatch {
		swaps := make([]dedupe.Swap, 10*benchBatch)
		for i := range swaps {
			swaps[i] = dedupe.Swap{Key: benchKey(from + i), New: at(1)}
		}
		if err := store.Swap(b.Context(), swaps); err != nil {
			b.Fatal(err)
		}
	}
	if err := store.db.Flush(); err != nil {
		b.Fatal(err)
	}
	return store
}

func benchKey(i int) []byte {
	// Neighbours are no neighbours in the order of keys.
	return fmt.Appendf(nil, "\x04shop\x06public\x06orders\border_id%08d\x00", i*7919%(2*benchMarks))
}

func BenchmarkLoad(b *testing.B) {
	store := benchStore(b)
	for _, c := range []struct {
		name string
		from int
	}{{"present", 0}, {"absent", benchMarks}} {
		b.Run(c.name, func(b *testing.B) {
			keys := make([][]byte, benchBatch)
			versions := make([]envelope.Version, benchBatch)
			batch := 0
			for b.Loop() {
				for i := range keys {
					keys[i] = benchKey(c.from + batch*benchBatch%benchMarks + i)
				}
				if err := store.Load(b.Context(), keys, versions); err != nil {
					b.Fatal(err)
				}
				if versions[0].IsZero() != (c.from > 0) {
					b.Fatal(versions[0])
				}
				batch++
			}
			b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}

// BenchmarkSwap has callers swap at once, each the marks of keys of its own.
func BenchmarkSwap(b *testing.B) {
	for _, size := range []int{1, 10, benchBatch} {
		for _, callers := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("keys=%d/callers=%d", size, callers), func(b *testing.B) {
				store := opened(b)
				batches := make([][]dedupe.Swap, callers)
				for c := range batches {
					batches[c] = make([]dedupe.Swap, size)
					for i := range batches[c] {
						batches[c][i].Key = benchKey(c*size + i)
					}
				}
				n := 0
				for b.Loop() {
					n++
					var wg sync.WaitGroup
					for _, swaps := range batches {
						wg.Go(func() {
							for i := range swaps {
								swaps[i].Old, swaps[i].New = swaps[i].New, at(n)
							}
							if err := store.Swap(b.Context(), swaps); err != nil || !swaps[0].Done {
								b.Errorf("%v, %v", err, swaps[0].Done)
							}
						})
					}
					wg.Wait()
				}
				b.ReportMetric(float64(b.N*callers*size)/b.Elapsed().Seconds(), "keys/s")
			})
		}
	}
}
