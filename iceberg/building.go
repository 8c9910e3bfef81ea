package iceberg

import (
	"fmt"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/keyindex"
)

// A building is the deltas of one table on their way.
type building struct {
	table  envelope.Table
	order  int
	now    *mapped // nil if there was but a truncate
	misfit Misfit
	sealed []*Delta

	slots   slots
	heads   []head // by slot
	index   keyindex.Index
	deleted map[envelope.Version]int // the slot of the delete at a place of the log
	scratch []cell
	key     []byte

	truncated bool             // by the delta that is being made
	emptied   envelope.Version // of the last truncate; zero if there was none
}

// A head is what is known of a slot's row.
type head struct {
	version envelope.Version
	upsert  bool // it is there in the end
	dropped bool // a truncate took it
	origin  int  // the slot whose key the row had, in the table, before what is held of it; none if nobody knows
}

const none = -1

// begin starts a delta of a schema.
func (t *building) begin(now *mapped, misfit Misfit) {
	t.now, t.misfit = now, misfit
	t.slots = slots{width: len(now.Columns)}
	t.heads, t.index, t.deleted = nil, keyindex.Index{}, make(map[envelope.Version]int)
	t.scratch = make([]cell, len(now.Columns))
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
		h.origin = none
	}
}

// add takes an upsert or a delete. On an error nothing is changed but for the arena.
func (t *building) add(b *Builder, c *envelope.Change, effect envelope.Effect) error {
	if !supersedes(c.Version, t.emptied) {
		return nil
	}
	arena := len(t.slots.arena)
	if err := t.read(b, c, effect); err != nil {
		return err
	}
	t.key = t.key[:0]
	for _, col := range t.now.key {
		t.key = t.slots.appendKey(t.key, &t.scratch[col], t.now.Columns[col].Type)
	}
	slot, isNew := t.index.Add(t.key)
	held := !isNew && !t.heads[slot].dropped
	switch {
	case isNew:
		t.slots.add()
		t.heads = append(t.heads, head{origin: t.inTable(b, slot)})
		b.rows++
		b.bytes += len(t.key) + len(t.scratch)*24
	case !held:
		clear(t.slots.row(slot))
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

// repeated keeps the later clock of a change that comes again: what the stream goes
// back over must win as a whole.
func (t *building) repeated(slot int, v envelope.Version) {
	if held := &t.heads[slot].version; v.Repeats(*held) && v.Compare(*held) > 0 {
		*held = v
	}
}

// inTable returns the origin of a row of which nothing is held yet.
func (t *building) inTable(b *Builder, slot int) int {
	if t.truncated || b.Disordered {
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
	for col := range t.scratch {
		cell := &t.scratch[col]
		if err := t.convert(cell, b.reader.Datum(col), col); err != nil {
			return err
		}
		if cell.state == envelope.Missing && !slices.Contains(t.now.key, col) {
			cell.state = envelope.Unavailable
			if whole {
				cell.state = envelope.Null
			}
		}
		if cell.state == envelope.Null && t.now.Columns[col].Required {
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
		clear(t.scratch)
		for _, col := range t.now.key {
			if err = t.convert(&t.scratch[col], b.reader.Datum(col), col); err != nil {
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
		if s := t.scratch[col].state; s != envelope.Set && s != envelope.Null {
			return columnError(t.now.source.Fields[col].Name, fmt.Errorf("%w: %v in the key", envelope.ErrMissing, s))
		}
	}
	return nil
}

// convert sets a cell to a value of a column.
func (t *building) convert(c *cell, d envelope.Datum, col int) error {
	f := &t.now.source.Fields[col]
	if d.Reference() != nil {
		return columnError(f.Name, fmt.Errorf("%w: %w", envelope.ErrType, ErrReference))
	}
	err := t.slots.convert(c, d, t.now.Columns[col].Type)
	switch {
	case err == nil:
	case t.misfit == MisfitNull:
		*c = cell{state: envelope.Null}
	default:
		return columnError(f.Name, &MisfitError{f.Type.String(), t.now.Columns[col].Type.String(), err})
	}
	return nil
}

// delete makes a slot's row one that is not there. What it held stays: it is what a
// row has that goes on under another key.
func (t *building) delete(slot int, c *envelope.Change) {
	h, row := &t.heads[slot], t.slots.row(slot)
	h.upsert = false
	for _, col := range t.now.key {
		row[col] = t.scratch[col]
	}
	if place, ok := c.Version.Place(); ok {
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
	origin := none
	if was != none {
		origin = t.heads[was].origin
	}
	for col := range row {
		now := t.scratch[col]
		if now.state == envelope.Unavailable && was != none {
			switch older := t.slots.row(was)[col]; older.state {
			case envelope.Set:
				now = older
			case envelope.Null: // a value that is not sent is there, so that a change is missing between the two
				origin = none
			}
		}
		row[col] = now
	}
	h.upsert, h.origin = true, origin
}

// stillDeleted reports whether a slot is as the delete at a place of the log left it.
func (t *building) stillDeleted(slot int, place envelope.Version) bool {
	h := &t.heads[slot]
	at, ok := h.version.Place()
	return ok && at == place && !h.upsert && !h.dropped
}

// seal ends the delta that is being made.
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
}

// fill adds the rows to a delta.
func (t *building) fill(d *Delta) {
	var touched, there []int
	number := make([]int, len(t.heads)) // of a slot's key
	for slot, h := range t.heads {
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
	d.Keys = t.slots.vectors(t.now.Columns, t.now.key, touched)
	d.Rows = t.slots.vectors(t.now.Columns, all, there)
	for i, slot := range there {
		var columns []int
		for col, c := range t.slots.row(slot) {
			if c.state == envelope.Unavailable {
				columns = append(columns, col)
			}
		}
		if columns == nil {
			continue
		}
		gap := Gap{Row: i, Columns: columns, Key: none}
		if from := t.heads[slot].origin; from != none && !t.heads[from].dropped {
			gap.Key = number[from]
		}
		d.Gaps = append(d.Gaps, gap)
	}
}
