package iceberg

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// Limits of a Builder where it does not set them.
const (
	DefaultMaxBytes = 128 << 20
	DefaultMaxRows  = 1 << 20
	DefaultMaxShown = 4 << 20 // up to 128 MB
)

// A Builder makes deltas of changes: of each row the newest one, by its version, and
// where versions tie or know nothing, the one that arrived later. Changes that are
// older than what it has of their row do nothing.
//
// A column that the source did not send is taken from what the Builder has of the row,
// also where the row came from another key. Otherwise it is one of the delta's Gaps.
//
// It is used by one goroutine at a time and must not be copied after its first use;
// its fields must not change then. It aliases no record: a change may go once it was
// added.
type Builder struct {
	// Mappings tells how the columns of tables become columns of Iceberg tables. A key
	// without DB stands for the table in any database; a table that is not in it has
	// the zero Mapping.
	Mappings map[envelope.Table]Mapping

	// Schemas are the schemas of tables whose changes come without one.
	Schemas map[envelope.Table]*envelope.Schema

	// Placeholder recognises what connectors send for values that they do not have. Nil
	// means that of [envelope.DefaultPlaceholder].
	Placeholder *envelope.Placeholder

	// Disordered says that changes of a row may arrive out of order. What was not sent is
	// then in nobody's hands: a Gap has no key, since the table may have an older value.
	Disordered bool

	// MaxBytes and MaxRows bound what is held between two flushes: the values, in bytes,
	// and the rows of all tables. 0 means DefaultMaxBytes and DefaultMaxRows.
	MaxBytes, MaxRows int

	// Sweep says that a completed snapshot takes the rows that it did not show: rows
	// that were deleted while nobody streamed. The delta that follows its last record
	// has the keys that stay, see [Delta.Shown].
	//
	// That is right only if the Builder gets all that a snapshot shows, in its order, and
	// if the destination has no other rows: not on one partition of several, where records
	// that fail are left out, where several sources or tables are written into one, or
	// where snapshots select rows (snapshot.select.statement.overrides, a signal's
	// additional-conditions). What a filter of repeats holds back is to be given to Skip.
	//
	// Nothing is swept by a snapshot that is seen only in part, across a new Builder, a
	// record that fails, a change of the key's columns or more keys than MaxShown; by an
	// incremental snapshot; by Debezium 1.9, which does not mark where a table begins;
	// of a table of which a snapshot shows no row, or one, which is marked only as the
	// last; or if changes are Disordered.
	Sweep bool

	// MaxShown bounds the keys that are held for sweeps, of all tables, over flushes: each
	// takes 20 to 32 bytes. The table with the first key that is too many is not swept. 0
	// means DefaultMaxShown.
	MaxShown int

	tables map[envelope.Table]*building
	last   *building
	order  int // how many tables were begun since the last flush
	rows   int
	bytes  int
	shown  int // keys
	reader envelope.RowReader
}

// Causes of what Add returns.
var (
	ErrFull      = errors.New("iceberg: the builder is full")
	ErrNoSchema  = errors.New("iceberg: no schema for table")
	ErrRequired  = errors.New("a null in a column that is never null")
	ErrReference = errors.New("the value is kept elsewhere")
	ErrUnknown   = errors.New("the schema has no such column")
)

// A MisfitError says that the column's type cannot hold a value. It holds no row data.
type MisfitError struct {
	From, To string // the column's type in the source and in Iceberg
	Err      error  // what does not fit
}

// Error names the types and what does not fit.
func (e *MisfitError) Error() string { return fmt.Sprintf("%s into %s: %v", e.From, e.To, e.Err) }

// Unwrap returns the cause, and envelope.ErrType.
func (e *MisfitError) Unwrap() []error { return []error{envelope.ErrType, e.Err} }

// Add takes a change. What has no effect on rows is left out.
//
// ErrFull means that the change was not taken: flush and add it again. A change that
// cannot be used gives a [*envelope.DecodeError] whose path is the column's, over a
// [*MisfitError], ErrRequired, ErrReference, ErrUnknown or one of envelope's causes;
// a table of which no rows can be written a [*SchemaError] or ErrNoSchema. Either way
// the Builder is as it was before.
func (b *Builder) Add(c *envelope.Change) error {
	effect := c.Effect()
	if effect == envelope.None {
		return nil
	}
	if b.rows >= cmp.Or(b.MaxRows, DefaultMaxRows) || b.bytes >= cmp.Or(b.MaxBytes, DefaultMaxBytes) {
		return ErrFull
	}
	if effect == envelope.Truncate {
		b.begun(c.Table).truncate(c)
		return nil
	}
	t, err := b.table(c)
	if err != nil {
		b.giveUp(b.begun(c.Table))
		return err
	}
	before := len(t.slots.arena)
	if err := t.add(b, c, effect); err != nil {
		t.slots.arena = t.slots.arena[:before]
		b.giveUp(t)
		return err
	}
	return nil
}

// Skip takes note of a change that is left out since the table has it already, or a
// newer one, as a filter of repeats finds: its row is one that a snapshot shows. Without
// Sweep it does nothing. Its errors are those of Add but for ErrFull.
func (b *Builder) Skip(c *envelope.Change) error {
	effect := c.Effect()
	if !b.Sweep || effect == envelope.None || effect == envelope.Truncate {
		return nil
	}
	t, err := b.table(c)
	if err != nil {
		return err
	}
	before := len(t.slots.arena)
	defer func() { t.slots.arena = t.slots.arena[:before] }()
	return t.skip(b, c, effect)
}

// table returns what is being built of the change's table.
func (b *Builder) table(c *envelope.Change) (*building, error) {
	t, source := b.begun(c.Table), c.Schema
	if source == nil {
		if t.now != nil && t.given {
			return t, nil
		}
		source, _ = envelope.Lookup(b.Schemas, c.Table)
	}
	if t.now != nil && (source == nil || t.now.source == source) {
		return t, nil
	}
	if source == nil {
		return nil, fmt.Errorf("%w %s", ErrNoSchema, c.Table)
	}
	key, err := c.KeyNames()
	if err != nil {
		return nil, err
	}
	mapping, _ := envelope.Lookup(b.Mappings, c.Table)
	now, err := mapping.of(c.Table, source, key)
	if err != nil {
		return nil, err
	}
	t.given = c.Schema == nil
	switch {
	case t.now != nil && t.now.Equal(&now.Schema):
		t.from(now, mapping.Misfit) // written otherwise, and the same table
		return t, nil
	case t.now != nil:
		t.seal()
	}
	t.begin(now, mapping.Misfit)
	return t, nil
}

// begun returns what is being built of a table.
func (b *Builder) begun(table envelope.Table) *building {
	if b.last != nil && b.last.table == table {
		return b.last
	}
	t := b.tables[table]
	if t == nil {
		t = &building{table: table, order: idle}
		if b.tables == nil {
			b.tables = make(map[envelope.Table]*building)
		}
		b.tables[table] = t
	}
	if t.order == idle {
		t.order = b.order
		b.order++
	}
	b.last = t
	return t
}

// Flush returns the deltas of what was added, in an order in which they can be
// committed, and empties the Builder. A table has several if its schema changed in
// between. from and to are the positions in the input before the first and behind the
// last of the changes.
func (b *Builder) Flush(from, to string) []*Delta {
	tables := slices.SortedFunc(maps.Values(b.tables), func(s, t *building) int { return cmp.Compare(s.order, t.order) })
	var deltas []*Delta
	for _, t := range tables {
		if t.order == idle { // its memory is of no use any more
			if t.sweep == nil {
				delete(b.tables, t.table)
			}
			continue
		}
		b.finish(t)
		for i, d := range t.sealed {
			d.From, d.To, d.ID = from, to, identify(t.table, from, to, i)
			d.More = i+1 < len(t.sealed)
			deltas = append(deltas, d)
		}
		t.flushed()
	}
	b.last, b.order, b.rows, b.bytes = nil, 0, 0, 0
	return deltas
}

// Len returns how many rows the Builder has.
func (b *Builder) Len() int { return b.rows }

func columnError(column string, err error) error {
	return &envelope.DecodeError{Path: jsonscan.Pointer(column), Err: err}
}
