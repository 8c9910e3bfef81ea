package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A history is all the swaps that workers try at once, each to a version of its
// own. The marks of a key are a chain: each mark was swapped for the one before
// it. So the last mark leads back to none by all the swaps that were done and by
// no refused one, if and only if no update was lost.
type history struct {
	mu    sync.Mutex
	tries map[envelope.Version]*try
	acked map[string]int // the depth of the last mark whose swap is known to be done
}

type try struct {
	key     string
	old     envelope.Version
	depth   int // the number of marks up to this one
	outcome outcome
	linked  bool
}

type outcome uint8

const (
	unknown outcome = iota
	made
	refused
)

func newHistory() *history {
	return &history{tries: map[envelope.Version]*try{}, acked: map[string]int{}}
}

// next returns a new version for a key whose mark is old.
func (h *history) next(key string, old envelope.Version) envelope.Version {
	h.mu.Lock()
	defer h.mu.Unlock()
	depth := 1
	if t := h.tries[old]; t != nil {
		depth += t.depth
	}
	v := envelope.PositionVersion(int64(depth), uint64(len(h.tries)), uint64(depth))
	h.tries[v] = &try{key: key, old: old, depth: depth}
	return v
}

// ended tells how a swap ended.
func (h *history) ended(v envelope.Version, done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tries[v]
	if t.outcome = refused; done {
		t.outcome = made
		h.acked[t.key] = max(h.acked[t.key], t.depth)
	}
}

// floors returns the depths that marks loaded from now on must have.
func (h *history) floors(keys []string) []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]int, len(keys))
	for i, key := range keys {
		out[i] = h.acked[key]
	}
	return out
}

// judge says what is wrong with marks that were loaded after floors was called.
func (h *history) judge(keys []string, floors []int, got []envelope.Version) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, v := range got {
		depth := 0
		if !v.IsZero() {
			t := h.tries[v]
			if t == nil || t.key != keys[i] {
				return fmt.Errorf("the mark of %s is %s, which nobody swapped in", name(keys[i]), show(v))
			}
			if depth = t.depth; t.outcome == refused {
				return fmt.Errorf("the mark of %s is %s, whose swap was refused", name(keys[i]), show(v))
			}
		}
		if depth < floors[i] {
			return fmt.Errorf("the mark of %s is the swap number %d, %s, after number %d was done", name(keys[i]), depth, show(v), floors[i])
		}
	}
	return nil
}

// verify follows the chain of each key.
func (h *history) verify(tb tester, keys []string, last []envelope.Version) {
	tb.Helper()
	for i, v := range last {
		for !v.IsZero() {
			t := h.tries[v]
			if t == nil || t.key != keys[i] {
				tb.Fatalf("%s came to the mark %s, which nobody swapped in", name(keys[i]), show(v))
			}
			if t.outcome == refused {
				tb.Fatalf("%s came to the mark %s, whose swap was refused", name(keys[i]), show(v))
			}
			t.linked = true
			v = t.old
		}
	}
	for v, t := range h.tries {
		if t.outcome == made && !t.linked {
			tb.Fatalf("an update was lost: the swap of %s from %s to %s was done, and another one from the same mark", name(t.key), show(t.old), show(v))
		}
	}
}

// work makes swaps of some of the keys at a time, in any order, until goal of
// them are done. A store may fail while it is contended, but not for ever.
func (h *history) work(tb testing.TB, store dedupe.Store, seed uint64, keys []string, goal int) {
	r := rand.New(rand.NewPCG(seed, 1))
	count, failures, fruitless := 0, 0, 0
	for count < goal {
		some := shuffled(r.Uint64(), keys)[:1+r.IntN(len(keys))]
		n, err := h.round(tb.Context(), tb, store, some)
		count += n
		// One worker's swap is refused because another one's is done. Nobody is so
		// unlucky for ever.
		if fruitless++; n > 0 {
			fruitless = 0
		}
		if fruitless == 1000 {
			tb.Errorf("a worker's thousandth attempt in a row of which no swap is done, of %d", len(some))
		}
		if err != nil {
			if failures++; failures == 100 {
				tb.Errorf("a worker's hundredth failure: %v", err)
			}
		}
		if tb.Failed() {
			return
		}
	}
}

// round loads marks and swaps each for a newer one, and returns how many swaps
// were done. An error is the store's.
func (h *history) round(ctx context.Context, tb testing.TB, store dedupe.Store, keys []string) (int, error) {
	floors := h.floors(keys)
	marks, err := load(ctx, tb, store, keys)
	if err != nil {
		return 0, err
	}
	if err := h.judge(keys, floors, marks); err != nil {
		tb.Errorf("Load at once with others: %v", err)
		return 0, nil
	}
	moves := make([]move, len(keys))
	for i, key := range keys {
		moves[i] = move{key, marks[i], h.next(key, marks[i])}
	}
	// Others come in between, however fast the store is.
	time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
	done, err := swap(ctx, tb, store, moves, evens)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range done {
		h.ended(moves[i].new, done[i])
		if done[i] {
			n++
		}
	}
	return n, nil
}

// watch loads marks until stop is closed.
func (h *history) watch(tb testing.TB, store dedupe.Store, keys []string, stop <-chan struct{}) {
	floors := h.floors(keys)
	for {
		marks, err := load(tb.Context(), tb, store, keys)
		if err == nil {
			if err := h.judge(keys, floors, marks); err != nil {
				tb.Errorf("Load at once with others: %v", err)
				return
			}
			// What one load saw, the next one must see.
			for i, v := range marks {
				floors[i] = h.depth(v)
			}
			for i, floor := range h.floors(keys) {
				floors[i] = max(floors[i], floor)
			}
		}
		select {
		case <-stop:
			if err != nil {
				tb.Errorf("Load: %v", err)
			}
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

func (h *history) depth(v envelope.Version) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.tries[v]; t != nil {
		return t.depth
	}
	return 0
}

// run has workers and watchers at each of the stores, and verifies what they
// leave in the first.
func (h *history) run(tb testing.TB, keys []string, workers, goal int, stores ...dedupe.Store) {
	tb.Helper()
	stop := make(chan struct{})
	var work, watch sync.WaitGroup
	for w := range workers {
		store := stores[w%len(stores)]
		work.Go(func() { h.work(tb, store, uint64(w), keys, goal) })
	}
	for _, store := range stores {
		watch.Go(func() { h.watch(tb, store, keys, stop) })
	}
	work.Wait()
	close(stop)
	watch.Wait()
	if tb.Failed() {
		return
	}
	for _, store := range stores {
		h.verify(tb, keys, subject{tb, store}.load(keys...))
	}
}
