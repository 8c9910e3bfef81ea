package envelope

import (
	"cmp"
	"maps"
)

// Flattened decodes the rows that Debezium's ExtractNewRecordState transform
// makes of envelopes:
//
//	{"id": 1, "status": "new", "__op": "u", "__table": "orders", "__source_ts_ns": …, "__deleted": "false"}
//
// Which metadata a row carries is the transform's configuration (add.fields,
// and delete.tombstone.handling.mode or delete.handling.mode). All that is there
// is used; what is missing is unknown. For a correct order add
//
//	op,table,ts_ns,source.ts_ns,source.snapshot and source.sequence,lsn (PostgreSQL)
//	or source.file,source.pos,source.row,source.gtid,source.server_id (MySQL, MariaDB)
//
// A row with the member deleted set to "true", or with op d, is a Delete with
// the row as its before image; any other is an upsert with the row as its after
// image. The images are whole rows, metadata members included. What the
// transform passes on unchanged (heartbeats, transaction boundaries, schema
// changes, notifications, logical messages) is named as by [Debezium].
//
// The zero Flattened is ready to use. It is used by one goroutine at a time and
// must not be copied after its first use; its fields must not change then.
type Flattened struct {
	Wrapper  Wrapper
	Order    Order
	MaxBytes int // largest record or key accepted, in bytes; 0 means DefaultMaxBytes

	// Prefix is the transform's add.fields.prefix; empty means "__".
	Prefix string

	// Table stands in for the parts of the table's name that the rows do not
	// carry.
	Table Table

	// Connector is the connector's name as in an envelope's source.connector,
	// where the rows do not carry it. Empty means postgresql for rows with a
	// sequence, and mysql for rows with file, pos and row.
	Connector string

	// TombstoneDeletes makes a tombstone with a key a Delete of that key, for the
	// modes in which nothing else says that a row is gone (tombstone,
	// delete-to-tombstone, none). Such a delete carries nothing that orders it: its
	// Version is zero, older than that of any row that carries a time, so that only
	// the order of arrival can be followed there. It carries no table either: set
	// Table to what the rows say, and use one decoder for each topic.
	TombstoneDeletes bool

	inner Debezium
	plain Debezium // for what the transform left as it was
	row   level
	ready bool
}

// Decode decodes a row into c, overwriting it. Nulls are as for
// [Debezium.Decode], and so are lifetimes and errors.
func (f *Flattened) Decode(c *Change, record []byte) error {
	*c = Change{}
	f.init()
	if err := f.decode(c, record); err != nil {
		*c = Change{}
		return err
	}
	return nil
}

// DecodeKeyed decodes a row with its key. See [Debezium.DecodeKeyed].
func (f *Flattened) DecodeKeyed(c *Change, key, value []byte) error {
	if err := f.Decode(c, value); err != nil {
		return err
	}
	if err := f.inner.addKey(c, key); err != nil {
		return err
	}
	if c.Op == OpTombstone && f.TombstoneDeletes && c.Key != nil {
		c.Op = OpDelete
	}
	return nil
}

func (f *Flattened) init() {
	if f.ready {
		return
	}
	f.inner.Wrapper, f.inner.Order, f.inner.MaxBytes = f.Wrapper, f.Order, f.MaxBytes
	f.inner.init()
	names := f.names()
	f.row = level{path: "/payload"}
	f.row.init(2, names)
	// The same names at the top, for rows without a wrapper.
	top := maps.Clone(names)
	top["schema"], top["payload"] = fieldConnectSchema, fieldPayload
	f.inner.record = level{public: 1, schemas: &f.inner.schemas, payload: &f.row}
	f.inner.record.init(1, top)
	f.ready = true
}

// names returns the names of the metadata members. Unqualified ones are the
// envelope's ts_*, and else the source block's.
func (f *Flattened) names() map[string]field {
	prefix := cmp.Or(f.Prefix, "__")
	names := fieldsByName(func(name string) string { return prefix + name })
	maps.Copy(names, fieldsByName(func(name string) string { return prefix + "source_" + name }))
	names[prefix+"deleted"] = fieldDeleted
	names[prefix+"ts_ms"], names[prefix+"ts_us"], names[prefix+"ts_ns"] = fieldSeenMS, fieldSeenUS, fieldSeenNS
	return names
}

func (f *Flattened) decode(c *Change, b []byte) error {
	if isNull(b) {
		c.Op, c.Table = OpTombstone, f.Table
		return nil
	}
	at, wrapped, err := f.inner.unwrap(&f.inner.record, b)
	if err != nil {
		return err
	}
	l := &f.inner.record
	if wrapped {
		switch b[at.Start] {
		case 'n':
			c.Op, c.Table = OpTombstone, f.Table
			return nil
		case '{':
			l = &f.row
		default:
			return f.row.fault(at, ErrType)
		}
	}
	row := Row(b[at.Start:at.End:at.End])
	if l.Seen&^(1<<fieldConnectSchema|1<<fieldPayload) == 0 && f.passedOn(c, row) {
		return nil
	}
	if l.Duplicate != fieldNone {
		return l.duplicated()
	}
	if err := f.decodeRow(c, b, row, l); err != nil {
		return err
	}
	if wrapped {
		f.inner.record.addSchema(c, b)
	}
	return nil
}

// passedOn decodes what the transform leaves as it is. It is recognised by all
// of its members: a table may have a column of any one of their names.
func (f *Flattened) passedOn(c *Change, row Row) bool {
	n := 0
	for range row.Columns() {
		n++
	}
	for _, names := range [...][]string{
		{"ts_ms"},
		{"status", "id", "event_count", "data_collections", "ts_ms"},
		{"id", "type", "aggregate_type", "additional_data", "timestamp"},
		{"source", "ts_ms", "databaseName", "schemaName", "ddl", "tableChanges"},
		{"op", "ts_ms", "source", "message"}, // a logical message
		{"op", "ts_ms", "source", "message", "transaction"},
	} {
		all := len(names) == n
		for _, name := range names {
			_, ok := row.Get(name)
			all = all && ok
		}
		if all {
			return f.plain.Decode(c, row) == nil
		}
	}
	return false
}

func (f *Flattened) decodeRow(c *Change, b []byte, row Row, l *level) error {
	op := l.Raw(b, fieldOp)
	if op != nil && op[0] != '"' {
		return l.fault(l.At[fieldOp], ErrType, fieldOp)
	}
	c.Op = parseOp(op)
	if string(contents(l.Raw(b, fieldDeleted))) == "true" {
		c.Op = OpDelete
	}
	if c.Op == OpDelete {
		c.Before = row
	} else {
		c.After = row
	}
	seen, err := l.nanos(b, fieldSeenNS, fieldSeenUS, fieldSeenMS)
	if err != nil {
		return err
	}
	from := connectorOf(contents(l.Raw(b, fieldConnector)))
	if !l.Has(fieldConnector) {
		from = connectorOf(cmp.Or(f.Connector, l.likely(b)))
	}
	if err := f.inner.decodePosition(c, b, l, from, seen); err != nil {
		return err
	}
	c.Table = Table{cmp.Or(c.Table.DB, f.Table.DB), cmp.Or(c.Table.Schema, f.Table.Schema), cmp.Or(c.Table.Name, f.Table.Name)}
	if c.TxID == nil {
		c.TxID = contents(l.Raw(b, fieldID))
	}
	return nil
}

// likely returns the connector whose position a row without its name carries.
func (l *level) likely(b []byte) string {
	switch {
	case l.Raw(b, fieldSequence) != nil:
		return "postgresql"
	case l.Raw(b, fieldFile) != nil && l.Raw(b, fieldPos) != nil && l.Raw(b, fieldRow) != nil:
		return "mysql"
	}
	return ""
}
