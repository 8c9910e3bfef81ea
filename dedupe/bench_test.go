package dedupe_test

import (
	"context"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// nothing is a store that costs nothing, and holds nothing.
type nothing struct{}

func (nothing) Load(_ context.Context, _ [][]byte, versions []envelope.Version) error {
	clear(versions)
	return nil
}

func (nothing) Swap(_ context.Context, swaps []dedupe.Swap) error {
	for i := range swaps {
		swaps[i].Done = true
	}
	return nil
}

const batchOf = 1000

func benchmarkBatch() []envelope.Change {
	changes := make([]envelope.Change, batchOf)
	for i := range changes {
		changes[i] = upsert(orders, i*7919%700, at(i+1), `,"status":"paid","total":12.50`)
	}
	return changes
}

// The Filter alone, without its store.
func BenchmarkFilter(b *testing.B) {
	changes := benchmarkBatch()
	f := &dedupe.Filter{Store: nothing{}}
	b.ReportAllocs()
	for b.Loop() {
		batch, err := f.Admit(b.Context(), changes)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Commit(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchOf), "ns/change")
}

func BenchmarkCompactor(b *testing.B) {
	changes := benchmarkBatch()
	var c dedupe.Compactor
	b.ReportAllocs()
	for b.Loop() {
		c.Compact(changes, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchOf), "ns/change")
}

// With the marks of a million rows in a Memory.
func BenchmarkFilterMemory(b *testing.B) {
	f := &dedupe.Filter{Store: new(dedupe.Memory)}
	changes := make([]envelope.Change, batchOf)
	const rows = 1_000_000
	n := 0
	next := func() {
		for i := range changes {
			n++
			changes[i] = upsert(orders, n*7919%rows, at(n), "")
		}
	}
	take := func() {
		batch, err := f.Admit(b.Context(), changes)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Commit(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for n < rows {
		next()
		take()
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		next()
		b.StartTimer()
		take()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchOf), "ns/change")
}
