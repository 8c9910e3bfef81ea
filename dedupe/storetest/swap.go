package storetest

import (
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

var none envelope.Version

func absent(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	s.holds(marks, "a")
	s.holds(marks, "a", "b", "c")
	s.moves(marks, move{key: "b", new: at(1)}, move{key: "d", new: at(2)})
	s.holds(marks, "a", "b", "c")
	s.holds(marks, "d", "c", "b", "a")
	s.holds(marks, "a")
}

func insert(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	s.moves(marks, move{key: "a", new: at(1)})
	s.holds(marks, "a", "b")
	s.moves(marks, move{key: "a", new: at(2)}) // there is one
	s.holds(marks, "a", "b")
	s.moves(marks, move{key: "b", new: at(2)}, move{key: "a", new: at(3)}, move{key: "c", new: at(1)})
	s.holds(marks, "a", "b", "c", "d")
}

func replace(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	s.moves(marks, move{key: "a", new: at(1)}, move{key: "b", new: at(1)})
	for i := range 20 {
		s.moves(marks, move{"a", at(i + 1), at(i + 2)})
		s.holds(marks, "a", "b")
	}
	s.moves(marks, move{"b", at(1), at(2)})
	s.holds(marks, "a", "b")
}

func refuse(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	for i := range 3 {
		s.moves(marks, move{"a", marks["a"], at(i + 1)})
	}
	for _, m := range []move{
		{"a", none, at(4)},      // there is a mark
		{"a", at(2), at(4)},     // it was this one
		{"a", at(1), at(4)},     // and that one before
		{"a", at(4), at(5)},     // it never was
		{"a", at(2), at(1)},     //
		{"a", at(4), at(4)},     //
		{"a", at(2), at(2)},     // it would have been
		{"b", at(1), at(2)},     // there is no mark
		{"b", at(3), at(4)},     // but of another key
		{"b", at(1), at(1)},     //
		{"aa", at(3), at(4)},    //
		{"a\x00", at(3), at(4)}, //
	} {
		s.moves(marks, m)
		s.holds(marks, "a", "b", "aa", "a\x00")
	}
	// None of them is in the way of a right one.
	s.moves(marks, move{"b", none, at(1)}, move{"a", at(3), at(4)})
	s.moves(marks, move{"a", at(3), at(5)}, move{"b", none, at(5)})
	s.holds(marks, "a", "b", "aa", "a\x00")
}

// anyOrder lowers marks: to order versions is not the store's.
func anyOrder(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	former := none
	for _, n := range []int{5, 9, 2, 5, 1, 9} {
		s.moves(marks, move{"a", former, at(n)})
		s.holds(marks, "a")
		former = at(n)
	}
	s.moves(marks, move{"a", at(9), envelope.TimeVersion(-1)})
	s.holds(marks, "a")
}

func sameMark(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	s.moves(marks, move{"a", none, at(1)})
	s.moves(marks, move{"a", at(1), at(1)}, move{"b", at(1), at(1)})
	s.holds(marks, "a", "b")
	s.moves(marks, move{"a", at(1), at(2)})
	s.moves(marks, move{"a", at(1), at(1)})
	s.holds(marks, "a", "b")
}

// done has the swaps of a call come with Done set or not.
func done(tb testing.TB, store dedupe.Store) {
	moves := []move{{"a", none, at(2)}, {"b", none, at(1)}, {"c", none, at(1)}, {"d", at(1), at(2)}}
	subject{tb, store}.puts("a", at(1))
	want := []bool{false, true, true, false}
	for step, preset := range []bool{true, false, true, false} {
		got, err := swap(tb.Context(), tb, store, moves, func(int) bool { return preset })
		if err != nil {
			tb.Fatalf("Swap of %d keys: %v", len(moves), err)
		}
		for i := range got {
			if got[i] != want[i] {
				tb.Fatalf("Swap %d of %d: Done was %v and is %v, want %v", i, len(got), preset, got[i], want[i])
			}
		}
		moves[1] = move{"b", at(step + 1), at(step + 2)}
		moves[2] = move{"c", at(step + 1), at(step + 2)}
	}
}

// mixed has done and refused swaps in one call, in many patterns.
func mixed(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("mixed", 6)
	for pattern := range 1 << len(all) {
		moves := make([]move, len(all))
		for i, key := range all {
			moves[i] = move{key, marks[key], at(len(all)*pattern + i)}
			if pattern>>i&1 == 0 {
				moves[i].old = at(-1)
			}
		}
		s.moves(marks, moves...)
		s.holds(marks, all...)
	}
}
