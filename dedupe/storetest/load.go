package storetest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

func repeatedKeys(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	s.moves(marks, move{key: "a", new: at(1)}, move{key: "b", new: at(2)})
	s.holds(marks, "a", "a")
	s.holds(marks, "none", "none", "none")
	s.holds(marks, "a", "none", "b", "a", "none", "b", "b", "a", "other")
	s.holds(marks, slices.Repeat([]string{"b", "none", "a"}, 100)...)
}

func empty(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	s.puts("a", at(1))
	for _, err := range []error{
		store.Load(tb.Context(), nil, nil),
		store.Load(tb.Context(), [][]byte{}, []envelope.Version{}),
		store.Swap(tb.Context(), nil),
		store.Swap(tb.Context(), []dedupe.Swap{}),
	} {
		if err != nil {
			tb.Errorf("a call without keys: %v", err)
		}
	}
	s.is("a", at(1))
}

// arguments has several calls at once read the same keys, which shows stores
// that change them for a while, and looks at marks after what made them is
// overwritten. All other checks do the latter too: see load and swap.
func arguments(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("arguments", 40)
	// In no order: a store that sorts them for itself sorts a copy.
	all = shuffled(1, all)
	var moves []move
	for i, key := range all {
		moves = append(moves, move{key: key, new: at(i)})
	}
	s.moves(marks, moves...)
	for range 2 { // nor has the store kept where it wrote the marks
		s.holds(marks, all...)
	}
	s.holds(marks, "scribbled", strings.Repeat("x", len(all[0]))) // what the keys were overwritten with

	a := pack(all)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			got := make([]envelope.Version, len(all))
			swaps := make([]dedupe.Swap, len(all))
			for i := range all {
				swaps[i] = dedupe.Swap{Key: a.keys[i], Old: at(i), New: at(i)}
			}
			for range 5 {
				var err error
				if w < 2 {
					err = store.Load(tb.Context(), a.keys, got)
				} else {
					err = store.Swap(tb.Context(), swaps)
				}
				if err != nil {
					tb.Errorf("a call at once with others: %v", err)
					return
				}
				for i := range all {
					if w < 2 && got[i] != at(i) {
						tb.Errorf("Load at once with others: the mark of %s is %s, want %s", name(all[i]), show(got[i]), show(at(i)))
						return
					}
				}
			}
		})
	}
	wg.Wait()
	a.unchanged(tb, "a call at once with others")
	s.holds(marks, all...)
}
