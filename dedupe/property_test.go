package dedupe_test

import (
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

func newDatabase(t *rapid.T, ids int, truncates, whole bool) *database {
	d := &database{rows: map[int]model{}}
	for range rapid.IntRange(1, 40).Draw(t, "changes") {
		d.step(t, ids, truncates, whole)
	}
	return d
}

// Any permutation, any duplication, any cuts, and a kill anywhere between Admit
// and the end of Commit: what the changes make of a sink in the end is what they
// make of it in the order of their commits, once.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDatabase(t, 5, false, true)
		stream := slices.Clone(d.log)
		for range rapid.IntRange(0, len(d.log)).Draw(t, "duplicates") {
			stream = append(stream, rapid.SampledFrom(d.log).Draw(t, "again"))
		}
		stream = rapid.Permutation(stream).Draw(t, "order")
		c := consumer{store: &marks{}, sink: sink{rows: map[int]model{}}, c: dedupe.Compactor{Disordered: true}, t: t}
		for len(stream) > 0 {
			batch := slices.Clone(stream[:batchSize(t, len(stream))])
			stream = stream[len(batch):]
			if !c.take(batch) { // it comes again, at other places
				stream = rapid.Permutation(append(stream, batch...)).Draw(t, "order")
			}
		}
		equalRows(t, c.sink.rows, d.rows)
	})
}

// In the order of a partition, read again from any earlier position after a kill,
// with truncates, changed keys and columns that were not sent.
func TestPartition(t *testing.T) {
	folded, lost := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := newDatabase(t, 4, true, false)
		// The connector is restarted now and then and goes on from an earlier position, in
		// the middle of a batch.
		var stream []envelope.Change
		for next, restarts := 0, 0; next < len(d.log); {
			stream = append(stream, d.log[next])
			next++
			if restarts < 6 && rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				restarts++
				next -= rapid.IntRange(0, min(next, 12)).Draw(t, "repeated")
			}
		}
		c := consumer{store: &marks{}, sink: sink{map[int]model{}, map[int]envelope.Version{}}, t: t}
		for next, restarts := 0, 0; next < len(stream); {
			batch := slices.Clone(stream[next : next+batchSize(t, len(stream)-next)])
			if c.take(batch) {
				next += len(batch)
				if restarts == 10 || rapid.IntRange(0, 5).Draw(t, "restart") > 0 {
					continue
				}
			}
			if restarts < 10 { // the position was stored late
				restarts++
				next -= rapid.IntRange(0, next).Draw(t, "back")
			}
		}
		got := map[int]model{}
		for id, row := range c.sink.rows {
			if row.big == unknown { // the halves of its changed key were in two batches
				lost++
				row.big = d.rows[id].big
			} else {
				folded++
			}
			got[id] = row
		}
		equalRows(t, got, d.rows)
	})
	if folded < 10*lost || folded == 0 {
		t.Errorf("%d values known and %d not", folded, lost)
	}
}
