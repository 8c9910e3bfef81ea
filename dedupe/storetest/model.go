package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

// model compares a store with a map, on keys of each run's own.
func model(tb testing.TB, store dedupe.Store) {
	var runs atomic.Int64
	rapid.Check(tb, func(t *rapid.T) {
		m := newMachine(subject{t, store}, fmt.Sprint("run ", runs.Add(1), " "))
		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		for range steps {
			m.step(func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(t, label) })
		}
		m.s.holds(m.marks, m.keys...)
	})
}

// A machine makes calls at random, and knows what they must do.
type machine struct {
	s      subject
	keys   []string
	values []envelope.Version
	marks  map[string]envelope.Version
}

func newMachine(s subject, prefix string) *machine {
	m := &machine{s: s, marks: map[string]envelope.Version{}}
	for _, key := range []string{"", "a", "aa", "\x00", "\xfe", "\xff", "b", "b\x00"} {
		m.keys = append(m.keys, prefix+key)
	}
	for i := range 4 {
		m.values = append(m.values, at(i))
	}
	m.values = append(m.values, envelope.TimeVersion(0))
	return m
}

// step makes one call. pick returns a number below n.
func (m *machine) step(pick func(label string, n int) int) {
	if pick("load", 4) == 0 {
		keys := make([]string, pick("keys", 10))
		for i := range keys {
			keys[i] = m.keys[pick("key", len(m.keys))]
		}
		m.s.holds(m.marks, keys...)
		return
	}
	var moves []move
	for _, key := range m.keys {
		var old envelope.Version
		switch pick("swap", 5) {
		case 0:
			continue
		case 1:
			old = none
		case 2:
			old = m.values[pick("old", len(m.values))]
		default:
			old = m.marks[key]
		}
		moves = append(moves, move{key, old, m.values[pick("new", len(m.values))]})
	}
	for i := len(moves) - 1; i > 0; i-- {
		j := pick("place", i+1)
		moves[i], moves[j] = moves[j], moves[i]
	}
	m.s.moves(m.marks, moves...)
}

// seeded returns a pick for step that always does the same.
func seeded(seed uint64) func(string, int) int {
	r := rand.New(rand.NewPCG(seed, 2))
	return func(_ string, n int) int { return r.IntN(n) }
}
