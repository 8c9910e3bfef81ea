package storetest

import (
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// batchSizes has batches around the sizes that servers take at once.
func batchSizes(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("sizes", 1001)
	for step, n := range []int{1, 2, 24, 25, 26, 50, 99, 100, 101, 128, 200, 256, 500, 1000, 1001} {
		moves := make([]move, n)
		for i, key := range all[:n] {
			moves[i] = move{key, marks[key], at(step*len(all) + i)}
			if (i+step)%7 == 3 {
				moves[i].old = at(-1)
			}
		}
		s.moves(marks, moves...)
		s.holds(marks, all[:n]...)
		s.holds(marks, all[len(all)-n:]...)
	}
	s.holds(marks, all...)
}

// bigBatch has the keys of a large batch, and no round number of them.
func bigBatch(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("big", 20_006)
	moves := make([]move, 0, len(all)/2)
	for i := 0; i < len(all); i += 2 {
		moves = append(moves, move{key: all[i], new: at(i)})
	}
	s.moves(marks, moves...)
	s.holds(marks, all...)

	moves = moves[:0]
	for i, key := range shuffled(3, all)[:2503] {
		m := move{key, marks[key], at(len(all) + i)}
		if i%3 == 0 {
			m.old = at(-1)
		}
		moves = append(moves, m)
	}
	s.moves(marks, moves...)
	s.holds(marks, shuffled(4, all)...)
}
