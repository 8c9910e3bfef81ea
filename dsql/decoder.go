package dsql

import (
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// DefaultMaxBytes is the largest record a Decoder takes unless told otherwise.
// Two images of [DefaultImageBytes] fit in.
const DefaultMaxBytes = 256 << 20

// A Decoder decodes whole records: those of type full, those without a type,
// and those that a [Reassembler] made of parts. The zero Decoder is ready to
// use. It remembers what the records have in common, is used by one goroutine
// at a time and must not be copied after its first use. It is an
// [envelope.Decoder].
type Decoder struct {
	MaxBytes int // largest record accepted, in bytes; 0 means DefaultMaxBytes

	// ClusterAsDB puts source.cluster in the place of source.db, which is
	// always "postgres", in the table's name. A consumer of several clusters
	// needs it to tell their tables apart.
	ClusterAsDB bool

	scanner
	names jsonscan.Names
}

// Decode decodes a record into c, overwriting it. An op other than c, u and d is
// [envelope.OpUnknown], an upsert of its after image; the c of the preview, which
// stood for inserts and updates, is one anyway. The change's version is
// source.ts_ns, exactly: the same time again is a repeat, since a transaction
// has one record for each row.
//
// The slices in c alias record. Decode does not allocate once it has seen the
// tables and the shape of the records. Errors are of type
// [*envelope.DecodeError], over one of its causes, or over [ErrPart] for a
// record that is only a part of one; c is empty then. The exception is
// [ErrNoPrimaryKey], for a delete that names no row: c has everything that the
// record says, which tells that some row of c.Table is gone.
func (d *Decoder) Decode(c *envelope.Change, record []byte) error {
	*c = envelope.Change{}
	err := d.decode(c, record)
	if err != nil {
		*c = envelope.Change{}
		return err
	}
	if c.Op == envelope.OpDelete && c.Before == nil {
		return d.record.fault(fieldBefore, ErrNoPrimaryKey)
	}
	return nil
}

func (d *Decoder) decode(c *envelope.Change, b []byte) error {
	limit := d.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	if err := d.scan(b, limit); err != nil {
		return err
	}
	switch kind, err := d.kind(b); {
	case err != nil:
		return err
	case kind != full || d.record.Raw(b, fieldChunked) != nil:
		return d.record.fault(fieldType, ErrPart)
	}
	var err error
	if c.Before, err = d.image(b, fieldBefore); err != nil {
		return err
	}
	if c.After, err = d.image(b, fieldAfter); err != nil {
		return err
	}
	if c.Op, err = d.op(b); err != nil {
		return err
	}
	if c.After == nil && c.Op != envelope.OpDelete {
		return d.record.fault(fieldAfter, envelope.ErrMissing)
	}
	if c.After != nil && c.Op == envelope.OpDelete && c.Before == nil { // not what a table without a primary key sends
		return d.record.fault(fieldBefore, envelope.ErrMissing)
	}
	return d.origin(c, b)
}

// image returns a row image, nil if it is absent or null.
func (d *Decoder) image(b []byte, f jsonscan.Field) (envelope.Row, error) {
	v := d.record.Raw(b, f)
	if v != nil && v[0] != '{' {
		return nil, d.record.fault(f, envelope.ErrType)
	}
	return envelope.Row(v), nil
}

func (d *Decoder) op(b []byte) (envelope.Op, error) {
	v := d.record.Raw(b, fieldOp)
	if v == nil {
		return 0, d.record.fault(fieldOp, envelope.ErrMissing)
	}
	if v[0] != '"' {
		return 0, d.record.fault(fieldOp, envelope.ErrType)
	}
	if len(v) == 3 {
		switch v[1] {
		case 'c':
			return envelope.OpCreate, nil
		case 'u':
			return envelope.OpUpdate, nil
		case 'd':
			return envelope.OpDelete, nil
		}
	}
	return envelope.OpUnknown, nil
}

// Slots of [jsonscan.Names].
const (
	nameDB = iota
	nameSchema
	nameTable
)

// origin decodes what the source block says.
func (d *Decoder) origin(c *envelope.Change, b []byte) (err error) {
	switch v := d.record.Raw(b, fieldSource); {
	case v == nil:
		return d.record.fault(fieldSource, envelope.ErrMissing)
	case v[0] != '{':
		return d.record.fault(fieldSource, envelope.ErrType)
	}
	db := fieldDB
	if d.ClusterAsDB {
		db = fieldCluster
	}
	if c.Table.DB, err = d.name(b, nameDB, db); err != nil {
		return err
	}
	if c.Table.Schema, err = d.name(b, nameSchema, fieldSchema); err != nil {
		return err
	}
	if c.Table.Name, err = d.name(b, nameTable, fieldTable); err != nil {
		return err
	}
	v := d.source.Raw(b, fieldTSNS)
	if v == nil {
		return d.source.fault(fieldTSNS, envelope.ErrMissing)
	}
	ns, ok := jsonscan.Int(v)
	if !ok || ns <= 0 {
		return d.source.fault(fieldTSNS, envelope.ErrType)
	}
	c.Time, c.Version = ns, envelope.PositionVersion(ns, uint64(ns), 0)
	if v := d.source.Raw(b, fieldTxID); v != nil && v[0] == '"' {
		c.TxID = v[1 : len(v)-1 : len(v)-1]
	}
	return nil
}

// name returns a part of the table's name, which must be there.
func (d *Decoder) name(b []byte, slot int, f jsonscan.Field) (string, error) {
	switch v := d.source.Raw(b, f); {
	case len(v) == len(`""`), v == nil:
		return "", d.source.fault(f, envelope.ErrMissing)
	case v[0] != '"':
		return "", d.source.fault(f, envelope.ErrType)
	default:
		return d.names.Text(slot, v[1:len(v)-1]), nil
	}
}
