package dedupe_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A worker takes the changes of some partitions batch by batch. Its steps are
// those between which another worker may come.
type worker struct {
	filter    *dedupe.Filter
	changes   []envelope.Change
	batch     []envelope.Change
	admitted  *dedupe.Batch
	applied   bool
	contended int
}

func (w *worker) done() bool { return len(w.changes) == 0 && w.batch == nil }

// step is one of Admit, the sink's, and Commit.
func (w *worker) step(tb testing.TB, s sink, size int) {
	ctx := context.Background()
	var err error
	switch {
	case w.batch == nil:
		w.batch = w.changes[:min(size, len(w.changes))]
		w.changes = w.changes[len(w.batch):]
		w.admitted, err = w.filter.Admit(ctx, w.batch)
		w.applied = false
	case !w.applied:
		var c dedupe.Compactor
		finals, _ := c.Compact(w.batch, w.admitted.Decisions)
		s.apply(finals, w.batch)
		w.applied = true
	default:
		err = w.filter.Commit(ctx, w.admitted)
		w.contended += w.admitted.Stats.Contended
		w.batch = nil
	}
	require.NoError(tb, err)
}

// race runs two workers over one store and one sink, a random one at a time, and
// reports whether the sink ends right and how many marks were contended.
func race(tb testing.TB, d *database, of func(*envelope.Change) int, s sink, random func(n int) int) (right bool, contended int) {
	store := new(marks)
	workers := [2]*worker{{filter: &dedupe.Filter{Store: store}}, {filter: &dedupe.Filter{Store: store}}}
	for i := range d.log {
		w := workers[of(&d.log[i])]
		w.changes = append(w.changes, d.log[i])
	}
	for {
		running := slices.DeleteFunc(slices.Clone(workers[:]), (*worker).done)
		if len(running) == 0 {
			break
		}
		running[random(len(running))].step(tb, s, 1+random(4))
	}
	return maps.Equal(s.rows, d.rows), workers[0].contended + workers[1].contended
}

func byRow(c *envelope.Change) int { return number(c.Key, "id") % 2 }

// The writer rule: one writer for each row, whatever else is shared.
func TestOneWriterForEachRow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDatabase(rt, 6, false, true)
		random := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "random") }
		right, contended := race(t, d, byRow, sink{rows: map[int]model{}}, random)
		if !right || contended != 0 {
			rt.Fatalf("right: %v, contended: %d", right, contended)
		}
	})
}

// Or a sink that compares versions, and keeps those of deleted rows.
func TestTwoWritersComparingSink(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDatabase(rt, 3, false, true)
		random := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "random") }
		right, _ := race(t, d, func(*envelope.Change) int { return random(2) }, sink{map[int]model{}, map[int]envelope.Version{}}, random)
		if !right {
			rt.Fatal("wrong")
		}
	})
}

// Broken: two writers of the same rows, and a sink that takes what comes. Some
// runs end wrong, and Contended tells of each.
func TestTwoWritersOfOneRow(t *testing.T) {
	wrong := 0
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0))
		d := &database{rows: map[int]model{}}
		for n := 1; n <= 12; n++ {
			row := model{n, n}
			d.rows[1] = row
			d.log = append(d.log, upsert(orders, 1, at(n), row.columns(true)))
		}
		right, contended := race(t, d, func(*envelope.Change) int { return random.IntN(2) }, sink{rows: map[int]model{}}, random.IntN)
		if !right {
			wrong++
			if contended == 0 {
				t.Fatalf("seed %d: wrong, and nothing tells", seed)
			}
		}
	}
	if wrong == 0 {
		t.Error("two writers of one row never went wrong: nothing was tested")
	}
	t.Logf("%d of 2000 runs end wrong", wrong)
}
