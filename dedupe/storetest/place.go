package storetest

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// shared has two processes at one place, and a third that comes late.
func shared(tb testing.TB, open func() dedupe.Store) {
	a, b := subject{tb, open()}, subject{tb, open()}
	marks := map[string]envelope.Version{}
	// Both have seen that there is none.
	a.holds(marks, "x", "y", "z")
	b.holds(marks, "x", "y", "z")
	a.moves(marks, move{key: "x", new: at(1)})
	b.holds(marks, "x", "y")
	b.moves(marks, move{key: "x", new: at(2)}, move{key: "y", new: at(2)})
	a.holds(marks, "x", "y")
	a.moves(marks, move{key: "y", new: at(3)})
	for i := range 6 {
		s, other := a, b
		if i%2 == 1 {
			s, other = b, a
		}
		s.moves(marks, move{"x", at(i + 1), at(i + 2)})
		other.moves(marks, move{"x", at(i + 1), at(i + 3)}, move{"y", at(2), at(2)}) // it has seen the former one
		other.holds(marks, "x", "y", "z")
		s.holds(marks, "z", "y", "x")
	}
	c := subject{tb, open()}
	c.holds(marks, "x", "y", "z")
	c.moves(marks, move{"x", marks["x"], at(20)}, move{key: "z", new: at(20)}, move{key: "y", new: at(20)})
	for _, s := range []subject{a, b, c} {
		s.holds(marks, "x", "y", "z")
	}
}

// sharedBatch has two processes take turns at large batches that overlap.
func sharedBatch(tb testing.TB, open func() dedupe.Store) {
	stores := []subject{{tb, open()}, {tb, open()}}
	marks := map[string]envelope.Version{}
	all := numbered("shared", 500)
	for round := range 6 {
		some := shuffled(uint64(round), all)[:300]
		moves := make([]move, len(some))
		for i, key := range some {
			moves[i] = move{key, marks[key], at(round*len(all) + i)}
			if i%4 == 0 {
				moves[i].old = at(round*len(all) - i)
			}
		}
		stores[round%2].moves(marks, moves...)
		if round < 3 { // else the other one swaps without a look
			stores[(round+1)%2].holds(marks, all...)
		}
	}
	stores[0].holds(marks, all...)
	stores[1].holds(marks, all...)
}

func sharedConcurrent(tb testing.TB, open func() dedupe.Store) {
	newHistory().run(tb, numbered("shared", 5), 6, 60, open(), open(), open())
}

func sharedInsert(tb testing.TB, open func() dedupe.Store) {
	stores := []dedupe.Store{open(), open(), open()}
	for round := range 16 {
		contend(tb, numbered(fmt.Sprint("round", round), 6), stores...)
	}
}

// reopens stops and starts: each step has a store of its own.
func reopens(tb testing.TB, reopen func() dedupe.Store) {
	marks := map[string]envelope.Version{}
	at0 := func() subject { return subject{tb, reopen()} }
	at0().holds(marks, "a", "b")
	for i := range 8 {
		at0().moves(marks, move{"a", marks["a"], at(i + 1)})
		at0().holds(marks, "a", "b")
	}
	at0().moves(marks, move{key: "a", new: at(20)}, move{key: "b", new: at(20)})
	at0().holds(marks, "a", "b")
	at0().moves(marks, move{"a", at(1), at(21)}, move{"b", at(20), at(19)})
	at0().moves(marks, move{"b", at(20), at(21)})
	at0().holds(marks, "b", "a")
	s := at0()
	s.holds(marks, "a", "b", "c")
	s.moves(marks, move{key: "c", new: at(1)}, move{"a", marks["a"], at(30)})
	at0().holds(marks, "a", "b", "c")
}

// reopenBatch keeps odd keys, versions of all kinds and many of both.
func reopenBatch(tb testing.TB, reopen func() dedupe.Store) {
	marks := map[string]envelope.Version{}
	all := append(oddKeys(), numbered("reopen", 2000)...)
	values := someVersions(tb)
	for round := range 3 {
		moves := make([]move, 0, len(all))
		for i, key := range all {
			if i%3 != round { // in each round others are left alone
				moves = append(moves, move{key, marks[key], values[(i+round)%len(values)]})
			}
		}
		subject{tb, reopen()}.moves(marks, moves...)
		subject{tb, reopen()}.holds(marks, shuffled(uint64(round), all)...)
	}
}

// reopenConcurrent ends stores after workers were at them.
func reopenConcurrent(tb testing.TB, reopen func() dedupe.Store) {
	h := newHistory()
	keys := numbered("reopen", 5)
	for range 4 {
		h.run(tb, keys, 4, 20, reopen())
		floors := h.floors(keys)
		got := subject{tb, reopen()}.load(keys...)
		if err := h.judge(keys, floors, got); err != nil {
			tb.Fatalf("Load after a start: %v", err)
		}
		h.verify(tb, keys, got)
	}
}

// reopenModel compares a store that ends now and then with a map.
func reopenModel(tb testing.TB, reopen func() dedupe.Store) {
	m := newMachine(subject{tb, reopen()}, "model ")
	pick := seeded(1)
	for range 20 {
		for range 1 + pick("steps", 6) {
			m.step(pick)
		}
		m.s.store = reopen()
		m.s.holds(m.marks, m.keys...)
	}
}
