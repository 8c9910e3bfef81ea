package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// concurrent has workers move the marks of few keys, several at a time.
func concurrent(tb testing.TB, store dedupe.Store) {
	newHistory().run(tb, numbered("concurrent", 5), 6, 60, store)
}

// concurrentBatches has workers whose batches overlap here and there.
func concurrentBatches(tb testing.TB, store dedupe.Store) {
	newHistory().run(tb, numbered("batches", 400), 4, 800, store)
}

func concurrentInsert(tb testing.TB, store dedupe.Store) {
	for round := range 16 {
		contend(tb, numbered(fmt.Sprint("round", round), 6), store, store, store, store)
	}
}

// contend has each of the stores, which share a place, give the same keys their
// first marks at once. One of them must win each key.
func contend(tb testing.TB, keys []string, stores ...dedupe.Store) {
	tb.Helper()
	h := newHistory()
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, store := range stores {
		moves := make([]move, len(keys))
		for j, key := range shuffled(uint64(i), keys) {
			moves[j] = move{key: key, new: h.next(key, none)}
		}
		wg.Go(func() {
			<-start
			// A store may fail while it is contended. Then the same call again
			// must tell.
			for failures := 0; ; failures++ {
				done, err := swap(tb.Context(), tb, store, moves, evens)
				switch {
				case err == nil && failures == 0:
					for j := range done {
						h.ended(moves[j].new, done[j])
					}
					return
				case err == nil:
					return // a first attempt may have made what the last one refused
				case failures == 10:
					tb.Errorf("contender %d: %v", i, err)
					return
				}
			}
		})
	}
	close(start)
	wg.Wait()
	if tb.Failed() {
		return
	}
	var last []envelope.Version
	for i, store := range stores {
		got := subject{tb, store}.load(keys...)
		for j, key := range keys {
			if got[j].IsZero() {
				tb.Fatalf("no contender could give %s a mark", name(key))
			}
			if i > 0 && got[j] != last[j] {
				tb.Fatalf("two stores over one place have marks of %s: %s and %s", name(key), show(last[j]), show(got[j]))
			}
		}
		last = got
	}
	h.verify(tb, keys, last)
}
