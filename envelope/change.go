package envelope

import (
	"log/slog"
	"strings"
)

// Table names a table. It is comparable, so that it serves as a map key. A part
// that the source does not have is empty: MySQL has no Schema.
type Table struct {
	DB, Schema, Name string
}

// Lookup returns the entry of a table in a map, and whether it has one: that of its
// own, or else that of the key without DB, which stands for the table in any database.
func Lookup[T any](m map[Table]T, t Table) (entry T, ok bool) {
	if entry, ok = m[t]; !ok {
		entry, ok = m[Table{Schema: t.Schema, Name: t.Name}]
	}
	return entry, ok
}

// String returns the parts that are not empty, joined with dots.
func (t Table) String() string {
	var s strings.Builder
	for _, part := range [...]string{t.DB, t.Schema, t.Name} {
		if part != "" && s.Len() > 0 {
			s.WriteByte('.')
		}
		s.WriteString(part)
	}
	return s.String()
}

// A Change is one decoded record. Its slices alias the record and are valid as
// long as that is not changed; Clone makes them last. A Change is a plain
// value: it may be read by several goroutines at once.
type Change struct {
	Op      Op
	Table   Table
	Time    int64   // commit time at the source, ns since the Unix epoch (source.ts_ns), of what is no change the record's own; 0 if unknown
	Version Version // orders the changes of one row
	TxID    []byte  // the transaction's identifier as the source spells it; nil if unknown
	Key     Row     // the key that a transport carried beside the value (a Kafka key), else nil
	Before  Row     // the row before the change; nil if absent or null
	After   Row     // the row after the change; nil if absent or null

	Snapshot Snapshot // whether the row is one that a snapshot shows, and where in it

	// Schema is the columns of Before and After with their types, if the record told
	// them: if it came in the schema/payload wrapper of Kafka Connect's JSON converter.
	// It is nil otherwise, and for a wrapper whose schema is none of a row; see
	// [ParseSchema]. Records with the same schema share it, so that it must not be
	// changed; it does not alias the record.
	Schema *Schema
}

// Effect returns what applying c does. An unknown operation with an after image
// is an Upsert.
func (c *Change) Effect() Effect {
	switch c.Op {
	case OpCreate, OpUpdate, OpRead:
		return Upsert
	case OpDelete:
		return Delete
	case OpTruncate:
		return Truncate
	case OpUnknown:
		if c.After != nil {
			return Upsert
		}
	}
	return None
}

// Image returns the image that shows c's row: Before for a delete, After
// otherwise. It aliases the record. Of a delete's image only the key columns
// can be relied on: the connector fills the others with null or with invented
// values unless the table's replica identity is FULL.
func (c *Change) Image() Row {
	if c.Op == OpDelete {
		return c.Before
	}
	return c.After
}

// Clone returns a copy of c that shares no memory with the record. It allocates
// once. The copy has the same Schema.
func (c *Change) Clone() Change {
	out := *c
	buf := make([]byte, 0, len(c.TxID)+len(c.Key)+len(c.Before)+len(c.After))
	keep := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		n := len(buf)
		buf = append(buf, b...)
		return buf[n:len(buf):len(buf)]
	}
	out.TxID, out.Key, out.Before, out.After = keep(c.TxID), keep(c.Key), keep(c.Before), keep(c.After)
	return out
}

// LogValue implements [slog.LogValuer]. It holds no row data: of the images
// only their sizes in bytes.
func (c Change) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("op", c.Op.String()),
		slog.String("table", c.Table.String()),
		slog.String("version", c.Version.String()),
		slog.Int("key", len(c.Key)),
		slog.Int("before", len(c.Before)),
		slog.Int("after", len(c.After)),
	)
}

// A Decoder turns one record into a Change. Decode overwrites c; on an error c
// is empty but for what its method documents. The slices in c alias record. A
// Decoder is used by one goroutine at a time.
type Decoder interface {
	Decode(c *Change, record []byte) error
}
