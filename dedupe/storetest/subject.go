package storetest

import (
	"fmt"
	"math/rand/v2"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A subject is a store under test. Its methods say what must be, and end the
// test where it is not.
type subject struct {
	tb    tester
	store dedupe.Store
}

// load loads marks.
func (s subject) load(keys ...string) []envelope.Version {
	s.tb.Helper()
	got, err := load(s.tb.Context(), s.tb, s.store, keys)
	if err != nil {
		s.tb.Fatalf("Load of %d keys: %v", len(keys), err)
	}
	return got
}

// holds loads the marks of the keys, which must be those of marks.
func (s subject) holds(marks map[string]envelope.Version, keys ...string) {
	s.tb.Helper()
	for i, got := range s.load(keys...) {
		if want := marks[keys[i]]; got != want {
			s.tb.Fatalf("Load, key %d of %d: the mark of %s is %s, want %s", i, len(keys), name(keys[i]), show(got), show(want))
		}
	}
}

// is loads the mark of one key.
func (s subject) is(key string, want envelope.Version) {
	s.tb.Helper()
	s.holds(map[string]envelope.Version{key: want}, key)
}

// swap makes swaps.
func (s subject) swap(moves ...move) []bool {
	s.tb.Helper()
	done, err := swap(s.tb.Context(), s.tb, s.store, moves, evens)
	if err != nil {
		s.tb.Fatalf("Swap of %d keys: %v", len(moves), err)
	}
	return done
}

// moves makes swaps in one call, which must do those that the marks are right
// for, and brings the marks up to date.
func (s subject) moves(marks map[string]envelope.Version, moves ...move) {
	s.tb.Helper()
	for i, done := range s.swap(moves...) {
		m := moves[i]
		mark := marks[m.key]
		want := mark == m.old
		if done != want && (want || mark != m.new) {
			s.tb.Fatalf("Swap %d of %d, of %s from %s to %s: Done is %v; the mark was %s",
				i, len(moves), name(m.key), show(m.old), show(m.new), done, show(mark))
		}
		if want {
			marks[m.key] = m.new
		}
	}
}

// puts gives a key, which has none, a mark.
func (s subject) puts(key string, mark envelope.Version) {
	s.tb.Helper()
	s.moves(map[string]envelope.Version{}, move{key: key, new: mark})
}

// at returns the nth of many versions.
func at(n int) envelope.Version {
	return envelope.PositionVersion(1_795_233_755_000_000_000+int64(n), 1, uint64(n))
}

// numbered returns n keys.
func numbered(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("\x04%s\x06public\x06orders\border_id%d\x00", prefix, i)
	}
	return out
}

// shuffled returns the keys in another order.
func shuffled(seed uint64, keys []string) []string {
	out := make([]string, len(keys))
	for i, j := range rand.New(rand.NewPCG(seed, 0)).Perm(len(keys)) {
		out[i] = keys[j]
	}
	return out
}
