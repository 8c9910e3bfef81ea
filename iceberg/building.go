package iceberg

import (
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/keyindex"
)

// A building is the deltas of one table on their way.
type building struct {
	table  envelope.Table
	order  int
	now    *mapped // nil if there was but a truncate
	given  bool    // now is of a schema that the change did not bring
	misfit Misfit
	sealed []*Delta

	slots   slots
	heads   []head // by slot
	index   keyindex.Index
	deleted map[envelope.Version]int // the slot of the delete at a place of the log
	scratch row
	isKey   []bool // by column
	key     []byte
	touched []int // see fill
	there   []int
	number  []int

	sweep *sweep // nil unless a snapshot is being followed
	swept bool   // the change's row is not in the table, or goes: an ended snapshot did not show it

	truncated bool             // by the delta that is being made
	emptied   envelope.Version // of the last truncate; zero if there was none
}

// A head is what is known of a slot's row.
type head struct {
	version envelope.Version
	upsert  bool // it is there in the end
	lacking bool // a change of it had not all columns
	dropped bool // a truncate took it
	origin  int  // the slot whose key the row had, in the table, before what is held of it; none if nobody knows
	own     bool // as Gap.Own
}

const none = -1

// idle is the order of a table of which nothing was added since the last flush.
const idle = -1

// begin starts a delta of a schema, where there are no rows yet.
func (t *building) begin(now *mapped, misfit Misfit) {
	t.slots.begin(now.Columns)
	t.from(now, misfit)
	t.scratch = t.slots.blank()
	t.isKey = make([]bool, len(now.Columns))
	for _, col := range now.key {
		t.isKey[col] = true
	}
}

// from says how what is added from now on becomes rows of the schema.
func (t *building) from(now *mapped, misfit Misfit) {
	t.now, t.misfit = now, misfit
	t.slots.from(now.source)
}

// reset forgets all rows, and keeps their memory.
func (t *building) reset() {
	t.slots.reset()
	t.heads, t.deleted = reused(t.heads), nil
	t.index.Reset()
}

// flushed forgets everything else.
func (t *building) flushed() {
	t.order, t.now, t.sealed, t.emptied = idle, nil, nil, envelope.Version{}
}

// supersedes reports whether a change of a version is to be applied after one that
// arrived before it.
func supersedes(v, before envelope.Version) bool {
	return v.IsZero() || before.IsZero() || v.Compare(before) >= 0
}

// truncate takes all rows that are older.
func (t *building) truncate(c *envelope.Change) {
	if !supersedes(c.Version, t.emptied) {
		return
	}
	t.truncated, t.emptied = true, c.Version
	for i := range t.heads {
		h := &t.heads[i]
		h.dropped = h.dropped || supersedes(c.Version, h.version)
		h.origin, h.own = none, false
	}
}

// add takes an upsert or a delete. On an error nothing is changed but for the arena.
func (t *building) add(b *Builder, c *envelope.Change, effect envelope.Effect) error {
	if !supersedes(c.Version, t.emptied) {
		b.giveUp(t)
		return nil
	}
	arena := len(t.slots.arena)
	if err := t.read(b, c, effect); err != nil {
		return err
	}
	t.keyed(b, c, effect)
	slot, isNew := t.index.Add(t.key)
	held := !isNew && !t.heads[slot].dropped
	switch {
	case isNew:
		t.slots.add()
		t.heads = append(room(t.heads, 1), head{origin: t.inTable(b, slot)})
		b.rows++
		b.bytes += len(t.key) + len(t.isKey)*24
	case !held:
		clear(t.slots.row(slot).states)
		t.heads[slot] = head{origin: none}
	case c.Version.Repeats(t.heads[slot].version), !supersedes(c.Version, t.heads[slot].version):
		t.slots.arena = t.slots.arena[:arena]
		t.repeated(slot, c.Version)
		return nil
	}
	if effect == envelope.Delete {
		t.delete(slot, c)
	} else {
		t.upsert(slot, held, c)
	}
	t.heads[slot].version = c.Version
	b.bytes += len(t.slots.arena) - arena
	return nil
}

// keyed sets key to that of the row in scratch, and shows it.
func (t *building) keyed(b *Builder, c *envelope.Change, effect envelope.Effect) {
	t.key = t.key[:0]
	for _, col := range t.now.key {
		t.key = t.slots.appendKey(t.key, &t.scratch, &t.slots.places[col])
	}
	if t.swept = false; b.Sweep && !b.Disordered {
		b.show(t, c, effect)
	}
}

// skip shows the row of a change that the table has.
func (t *building) skip(b *Builder, c *envelope.Change, effect envelope.Effect) error {
	if err := t.read(b, c, effect); err != nil {
		return err
	}
	t.keyed(b, c, effect)
	return nil
}

// repeated keeps the later clock of a change that comes again: what the stream goes
// back over must win as a whole.
func (t *building) repeated(slot int, v envelope.Version) {
	if held := &t.heads[slot].version; v.Repeats(*held) && v.Compare(*held) > 0 {
		*held = v
	}
}

// inTable returns the origin of a row of which nothing is held yet.
func (t *building) inTable(b *Builder, slot int) int {
	if t.truncated || b.Disordered || t.swept {
		return none
	}
	return slot
}

// read sets scratch to the columns of a change: of a delete, those of the key.
func (t *building) read(b *Builder, c *envelope.Change, effect envelope.Effect) error {
	b.reader.Placeholder = b.Placeholder
	if effect == envelope.Delete {
		return t.readKey(b, c)
	}
	if err := b.reader.Read(t.now.source, c.After); err != nil {
		return err
	}
	if others := b.reader.Others(); len(others) > 0 {
		return columnError(string(others[0].AppendName(nil)), fmt.Errorf("%w: %w", envelope.ErrType, ErrUnknown))
	}
	whole := c.Op == envelope.OpCreate || c.Op == envelope.OpRead
	for col := range t.scratch.states {
		d := b.reader.Datum(col)
		if err := t.convert(&d, col); err != nil {
			return err
		}
		state := &t.scratch.states[col]
		if *state == envelope.Missing && whole && !t.isKey[col] {
			*state = envelope.Null
		}
		if *state == envelope.Null && t.now.Columns[col].Required {
			return columnError(t.now.source.Fields[col].Name, fmt.Errorf("%w: %w", envelope.ErrType, ErrRequired))
		}
	}
	return t.hasKey()
}

// readKey reads the key of a deleted row: from the transport's key, or else from the
// image before the change.
func (t *building) readKey(b *Builder, c *envelope.Change) error {
	rows := [...]envelope.Row{c.Key, c.Before}
	var err error
	for _, row := range rows {
		if row == nil {
			continue
		}
		if err = b.reader.Read(t.now.source, row); err != nil {
			continue
		}
		clear(t.scratch.states)
		for _, col := range t.now.key {
			d := b.reader.Datum(col)
			if err = t.convert(&d, col); err != nil {
				break
			}
		}
		if err == nil {
			err = t.hasKey()
		}
		if err == nil {
			return nil
		}
	}
	if err == nil {
		return columnError(t.now.source.Fields[t.now.key[0]].Name, envelope.ErrMissing)
	}
	return err
}

// hasKey returns an error if a column of the key has no value. Null is one.
func (t *building) hasKey() error {
	for _, col := range t.now.key {
		if s := t.scratch.states[col]; s != envelope.Set && s != envelope.Null {
			return columnError(t.now.source.Fields[col].Name, fmt.Errorf("%w: %v in the key", envelope.ErrMissing, s))
		}
	}
	return nil
}

// convert sets a column of scratch to a value.
func (t *building) convert(d *envelope.Datum, col int) error {
	err := t.slots.convert(&t.scratch, &t.slots.places[col], d)
	if err == nil && (d.State() != envelope.Unavailable || d.Reference() == nil) {
		return nil
	}
	f := &t.now.source.Fields[col]
	switch {
	case err == nil:
		return columnError(f.Name, fmt.Errorf("%w: %w", envelope.ErrType, ErrReference))
	case t.misfit == MisfitNull:
		t.scratch.states[col] = envelope.Null
		return nil
	}
	return columnError(f.Name, &MisfitError{f.Type.String(), t.now.Columns[col].Type.String(), err})
}

// delete makes a slot's row one that is not there. What it held stays: it is what a
// row has that goes on under another key.
func (t *building) delete(slot int, c *envelope.Change) {
	h, row := &t.heads[slot], t.slots.row(slot)
	h.upsert = false
	for _, col := range t.now.key {
		row.take(&t.slots.places[col], &t.scratch)
	}
	if place, ok := c.Version.Place(); ok {
		if t.deleted == nil {
			t.deleted = make(map[envelope.Version]int)
		}
		t.deleted[place] = slot
	}
}

// upsert makes a slot's row that of scratch. What the source did not send is taken
// from the row as it was.
func (t *building) upsert(slot int, held bool, c *envelope.Change) {
	h, row := &t.heads[slot], t.slots.row(slot)
	was := none
	switch place, ok := c.Version.Place(); {
	case c.Op == envelope.OpCreate && ok:
		if from, moved := t.deleted[place]; moved && t.stillDeleted(from, place) {
			was = from
		}
	case c.Op == envelope.OpCreate:
	case !held || h.upsert:
		was = slot
	}
	origin, own := none, false
	switch was {
	case none:
	case slot:
		origin, own = h.origin, h.own
	default:
		origin, own = t.heads[was].origin, h.origin == slot && (!held || h.upsert)
	}
	h.lacking = false
	nowhere := origin == none // else the table is asked first: a key may be taken before its owner leaves it
	for col, state := range t.scratch.states {
		if state != envelope.Unavailable && state != envelope.Missing {
			continue
		}
		h.lacking = true
		if was == none {
			continue
		}
		older, p := t.slots.row(was), &t.slots.places[col]
		switch {
		case older.states[col] == envelope.Set:
			t.scratch.take(p, &older)
		case nowhere && own && held && row.states[col] == envelope.Set:
			t.scratch.take(p, &row)
		case older.states[col] != envelope.Null:
		case state == envelope.Missing || t.misfit == MisfitNull:
			t.scratch.states[col] = envelope.Null
		default: // a value in place of which the source sent a placeholder is there: a change is missing between the two
			origin = none
		}
	}
	copy(row.states, t.scratch.states)
	copy(row.words, t.scratch.words)
	h.upsert, h.origin, h.own = true, origin, own
}

// stillDeleted reports whether a slot is as the delete at a place of the log left it.
func (t *building) stillDeleted(slot int, place envelope.Version) bool {
	h := &t.heads[slot]
	at, ok := h.version.Place()
	return ok && at == place && !h.upsert && !h.dropped
}

// seal ends the delta that is being made, if there is one.
func (t *building) seal() {
	if !t.truncated && t.index.Len() == 0 {
		return
	}
	d := &Delta{Table: t.table, Truncated: t.truncated}
	if t.now != nil {
		d.Schema = &t.now.Schema
		t.fill(d)
	}
	t.sealed = append(t.sealed, d)
	t.truncated = false
	t.reset()
}

// fill adds the rows to a delta.
func (t *building) fill(d *Delta) {
	touched, there := room(t.touched[:0], len(t.heads)), room(t.there[:0], len(t.heads))
	number := room(t.number[:0], len(t.heads))[:len(t.heads)] // of a slot's key
	for slot := range t.heads {
		h := &t.heads[slot]
		if h.dropped {
			continue
		}
		number[slot] = len(touched)
		touched = append(touched, slot)
		if h.upsert {
			there = append(there, slot)
		}
	}
	all := make([]int, len(t.now.Columns))
	for i := range all {
		all[i] = i
	}
	d.Keys, d.Rows = t.slots.vectors(t.now.key, touched), t.slots.vectors(all, there)
	for i, slot := range there {
		if t.heads[slot].lacking {
			t.gap(d, i, slot, number)
		}
	}
	t.touched, t.there, t.number = reused(touched), reused(there), reused(number)
}

// gap adds what is not known of the i-th row.
func (t *building) gap(d *Delta, i, slot int, number []int) {
	gap := Gap{Row: i, Key: none}
	for col, state := range t.slots.row(slot).states {
		if state == envelope.Unavailable || state == envelope.Missing {
			gap.Columns = append(gap.Columns, col)
		}
	}
	if gap.Columns == nil {
		return
	}
	h := &t.heads[slot]
	switch from := h.origin; {
	case from != none && !t.heads[from].dropped:
		gap.Key, gap.Own = number[from], h.own
	case h.own:
		gap.Key = number[slot]
	}
	d.Gaps = append(d.Gaps, gap)
}
