package iceberg

import (
	"cmp"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
)

// A sweep is what a snapshot of a table has shown so far.
type sweep struct {
	now   *mapped // whose key the keys are of
	keys  *keySet
	ended bool // the snapshot showed its last row
}

// show notes that a change touches the row of t.key. A snapshot is followed from its
// first record on, and given up for good wherever a row of it might have been missed: a
// row that stays is extra, and one that goes for no reason is lost.
func (b *Builder) show(t *building, c *envelope.Change, effect envelope.Effect) {
	at := c.Snapshot
	if effect != envelope.Upsert {
		at = envelope.SnapshotNone
	}
	if at == envelope.SnapshotFirst || at == envelope.SnapshotFirstOf { // also where the one before was not ended
		b.giveUp(t)
		t.sweep = &sweep{now: t.now, keys: new(keySet)}
	}
	s := t.sweep
	switch {
	case s == nil:
		return
	case s.now != t.now && !sameKey(s.now, t.now):
		b.giveUp(t)
		return
	}
	s.now = t.now
	if s.keys.add(hashOf(t.key)) {
		b.shown++
		t.swept = s.ended
	}
	switch {
	case b.shown > cmp.Or(b.MaxShown, DefaultMaxShown):
		b.giveUp(t)
	case at == envelope.SnapshotLast || at == envelope.SnapshotLastOf:
		s.ended = true
		t.vanish(s.keys)
	}
}

// vanish deletes the rows that are held and that an ended snapshot did not show. Nobody
// has their values any more: a row that comes under such a key is another one.
func (t *building) vanish(shown *keySet) {
	for slot := range t.heads {
		if shown.has(hashOf(t.index.Key(slot))) {
			continue
		}
		h := &t.heads[slot]
		h.upsert, h.origin, h.own = false, none, false
		for col, states := 0, t.slots.row(slot).states; col < len(states); col++ {
			if !t.isKey[col] {
				states[col] = envelope.Missing
			}
		}
	}
}

// giveUp forgets what a snapshot of a table has shown.
func (b *Builder) giveUp(t *building) {
	if t.sweep != nil {
		b.shown -= t.sweep.keys.len
		t.sweep = nil
	}
}

// sameKey reports whether keys of the two schemas are written alike.
func sameKey(s, t *mapped) bool {
	same := func(i, j int) bool {
		c, d := &s.Columns[i], &t.Columns[j]
		return c.Name == d.Name && c.Type == d.Type
	}
	return slices.EqualFunc(s.key, t.key, same)
}

// finish ends the table's last delta, which has what a snapshot showed if that is
// complete.
func (b *Builder) finish(t *building) {
	s := t.sweep
	if s == nil || !s.ended {
		t.seal()
		return
	}
	t.seal()
	b.giveUp(t)
	if len(t.sealed) == 0 && t.now == s.now { // all that it showed was in the table
		d := &Delta{Table: t.table, Schema: &t.now.Schema}
		t.fill(d)
		t.sealed = append(t.sealed, d)
	}
	if n := len(t.sealed); n > 0 && t.sealed[n-1].Schema == &s.now.Schema {
		shown := &Shown{keys: s.keys}
		for _, col := range s.now.key {
			shown.parts = append(shown.parts, keyPart{col, classOf(s.now.Columns[col].Type)})
		}
		t.sealed[n-1].Shown = shown
	}
}
