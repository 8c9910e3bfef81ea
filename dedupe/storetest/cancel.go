package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// over returns contexts that are over.
func over(tb testing.TB) []context.Context {
	cancelled, cancel := context.WithCancel(tb.Context())
	cancel()
	late, cancel := context.WithDeadline(tb.Context(), time.Now().Add(-time.Second))
	tb.Cleanup(cancel)
	return []context.Context{cancelled, late}
}

// interrupted judges the error of a call whose context was over.
func interrupted(tb testing.TB, call string, ctx context.Context, err error) {
	tb.Helper()
	if !errors.Is(err, ctx.Err()) {
		tb.Fatalf("%s with a context that is over: %v; want none or one that wraps %v", call, err, ctx.Err())
	}
}

func cancelledLoad(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("a private cancelled load", 4)
	s.moves(marks, move{key: all[0], new: at(1)}, move{key: all[2], new: at(2)})
	for _, ctx := range over(tb) {
		got, err := load(ctx, tb, store, all)
		if err != nil {
			interrupted(tb, "Load", ctx, err)
		}
		for i, key := range all {
			if err == nil && got[i] != marks[key] {
				tb.Fatalf("Load with a context that is over: the mark of %s is %s, want %s", name(key), show(got[i]), show(marks[key]))
			}
		}
		s.holds(marks, all...)
	}
}

func cancelledSwap(tb testing.TB, store dedupe.Store) {
	for round, ctx := range over(tb) {
		marks := map[string]envelope.Version{}
		all := numbered("a private cancelled swap", 8)[4*round:][:4]
		s := subject{tb, store}
		s.moves(marks, move{key: all[0], new: at(1)}, move{key: all[1], new: at(1)})
		moves := []move{{all[1], at(3), at(4)}, {all[0], at(1), at(2)}, {all[3], at(1), at(6)}, {all[2], none, at(5)}}
		resume(ctx, s, marks, moves)
	}
}

// cancelledMidway ends the contexts of calls that are under way.
func cancelledMidway(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := numbered("a private call that ends midway", 600)
	for round := range 12 {
		ctx, cancel := context.WithCancel(tb.Context())
		var moves []move
		for i, key := range all {
			m := move{key, marks[key], at(round*len(all) + i)}
			if i%5 == 0 {
				m.old = at(-1)
			}
			moves = append(moves, m)
		}
		timer := time.AfterFunc(time.Duration(round*round)*20*time.Microsecond, cancel)
		if round%3 == 2 {
			if got, err := load(ctx, tb, store, all); err != nil {
				interrupted(tb, "Load", ctx, err)
			} else {
				same(s, all, got, marks)
			}
		} else {
			resume(ctx, s, marks, moves)
		}
		timer.Stop()
		cancel()
	}
}

// resume makes swaps that may be interrupted, and makes them again if they are.
func resume(ctx context.Context, s subject, marks map[string]envelope.Version, moves []move) {
	s.tb.Helper()
	want := map[string]envelope.Version{}
	var keys []string
	for _, m := range moves {
		keys = append(keys, m.key)
		want[m.key] = marks[m.key]
		if marks[m.key] == m.old {
			want[m.key] = m.new
		}
	}
	done, err := swap(ctx, s.tb, s.store, moves, evens)
	if err != nil {
		if !errors.Is(err, ctx.Err()) || ctx.Err() == nil {
			s.tb.Fatalf("Swap with a context that is over: %v; want none or one that wraps %v", err, ctx.Err())
		}
		// Each swap was made or not.
		for i, got := range s.load(keys...) {
			if key := keys[i]; got != marks[key] && got != want[key] {
				s.tb.Fatalf("after a Swap that failed the mark of %s is %s, want %s or %s", name(key), show(got), show(marks[key]), show(want[key]))
			}
		}
		// Some were made, and others may be on their way: only of those that never
		// were right is Done known.
		for i, done := range s.swap(moves...) {
			if m := moves[i]; done && marks[m.key] != m.old {
				s.tb.Fatalf("Swap after one that failed, of %s from %s to %s: Done is true; the mark was %s", name(m.key), show(m.old), show(m.new), show(marks[m.key]))
			}
		}
	} else {
		for i, m := range moves {
			if right := marks[m.key] == m.old; done[i] != right && (right || marks[m.key] != m.new) {
				s.tb.Fatalf("Swap with a context that is over, of %s from %s to %s: Done is %v; the mark was %s",
					name(m.key), show(m.old), show(m.new), done[i], show(marks[m.key]))
			}
		}
	}
	for _, key := range keys {
		marks[key] = want[key]
	}
	s.holds(marks, keys...)
}

// same compares loaded marks.
func same(s subject, keys []string, got []envelope.Version, marks map[string]envelope.Version) {
	s.tb.Helper()
	for i, key := range keys {
		if got[i] != marks[key] {
			s.tb.Fatalf("Load, key %d of %d: the mark of %s is %s, want %s", i, len(keys), name(key), show(got[i]), show(marks[key]))
		}
	}
}
