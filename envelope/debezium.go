package envelope

import (
	"bytes"
	"cmp"
	"fmt"
	"math"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// Wrapper says whether records come in the schema/payload wrapper of Kafka
// Connect's JSON converter (schemas.enable=true). It is told for key and value
// of each record by itself, since the converters are configured separately.
type Wrapper uint8

// The choices.
const (
	WrapperAuto   Wrapper = iota // an object of exactly schema and payload, the schema null or with a type, is a wrapper
	WrapperAlways                // what is not in a wrapper is an error
	WrapperNever                 // schema and payload are members like any other
)

// Order says what a decoder's versions compare first.
type Order uint8

// The orders.
const (
	ByPosition Order = iota // the rule that Version documents
	ByTime                  // source.ts_ns first, the position second: plain last-writer-wins by commit time
)

// DefaultMaxBytes is the largest record a Debezium decoder takes unless told
// otherwise.
const DefaultMaxBytes = 64 << 20

// Debezium decodes the records of Debezium's connectors as Kafka Connect's JSON
// converter writes them, bare or wrapped with their schema, and everything else
// that comes on their topics. The zero Debezium is ready to use. It remembers
// what the records have in common, is used by one goroutine at a time and must
// not be copied after its first use.
//
// Values whose members are encoded again are not taken apart: MongoDB's images
// (JSON in a string) give ErrType. A record without an op is no envelope and
// gives ErrMissing at /op: a flattened row, a CloudEvent, an AWS DMS record or
// an outbox payload needs a decoder that was chosen for it.
type Debezium struct {
	Wrapper  Wrapper
	Order    Order
	MaxBytes int // largest record or key accepted, in bytes; 0 means DefaultMaxBytes

	// SignalTable is the table through which snapshots are asked for
	// (signal.data.collection). Its rows come on the topics as those of any other
	// table. Changes of this table get OpSignal and have no effect.
	SignalTable Table

	record, payload, source, inner level
	key                            level
	schemas, keySchemas            schemas
	images                         jsonscan.Shapes
	names                          jsonscan.Names
	ready                          bool
}

// Decode decodes a record's value into c, overwriting it. An absent or empty
// value, JSON's null and the text "default" (how some of Debezium Server's
// sinks write null) are a tombstone. On an error c is empty.
//
// The slices in c alias record. Decode does not allocate once it has seen the
// tables and the shape of the records. Errors are of type [*DecodeError], over
// ErrSyntax, ErrMissing, ErrType, ErrDuplicate or ErrLimit.
func (d *Debezium) Decode(c *Change, record []byte) error {
	*c = Change{}
	if err := d.decode(c, record); err != nil {
		*c = Change{}
		return err
	}
	return nil
}

// DecodeKeyed decodes a record with its key, as a transport that carries both
// delivers it. The key may be absent, as for a table without one; it must be an
// object otherwise. An error in the key is wrapped with the word "key", and its
// offset and path are those within the key.
func (d *Debezium) DecodeKeyed(c *Change, key, value []byte) error {
	if err := d.Decode(c, value); err != nil {
		return err
	}
	return d.addKey(c, key)
}

// addKey decodes the key of a record whose value is in c. On an error c is empty.
func (d *Debezium) addKey(c *Change, key []byte) error {
	row, err := d.decodeKey(key)
	if err != nil {
		*c = Change{}
		return fmt.Errorf("key: %w", err)
	}
	c.Key = row
	return nil
}

func (d *Debezium) init() {
	if d.ready {
		return
	}
	d.record = level{wrappers: []string{"payload"}, public: 2, schemas: &d.schemas, payload: &d.payload, source: &d.source, images: &d.images}
	d.record.init(1, recordFields)
	d.payload = level{path: "/payload", source: &d.inner, images: &d.images}
	d.payload.init(2, envelopeFields)
	d.source = level{path: "/source"}
	d.source.init(2, envelopeFields)
	d.inner = level{path: "/payload/source"}
	d.inner.init(3, envelopeFields)
	d.key = level{public: 1, schemas: &d.keySchemas}
	d.key.init(1, recordFields)
	d.ready = true
}

func (d *Debezium) decode(c *Change, b []byte) error {
	if isNull(b) {
		c.Op = OpTombstone
		return nil
	}
	d.init()
	at, wrapped, err := d.unwrap(&d.record, b)
	switch {
	case err != nil:
		return err
	case !wrapped:
		return d.classify(c, b, &d.record)
	case b[at.Start] == 'n':
		c.Op = OpTombstone
		return nil
	case b[at.Start] == '{':
		if err := d.classify(c, b, &d.payload); err != nil {
			return err
		}
		d.record.addSchema(c, b)
		return nil
	}
	return d.payload.fault(at, ErrType)
}

func (d *Debezium) decodeKey(b []byte) (Row, error) {
	if isNull(b) {
		return nil, nil
	}
	d.init()
	at, wrapped, err := d.unwrap(&d.key, b)
	switch {
	case err != nil:
		return nil, err
	case b[at.Start] == '{':
		return Row(b[at.Start:at.End:at.End]), nil
	case b[at.Start] == 'n' && wrapped:
		return nil, nil
	}
	return nil, d.payload.fault(at, ErrType)
}

// isNull reports whether b stands for no value.
func isNull(b []byte) bool {
	i := jsonscan.Space(b, 0)
	return i == len(b) || len(b) <= 16 && (string(b[i:]) == "null" || string(b[i:]) == "default")
}

// unwrap reads b, which is not null, and returns where the converter's value
// is: the payload of its wrapper, or all of b.
func (d *Debezium) unwrap(l *level, b []byte) (at span, wrapped bool, err error) {
	if at, err = l.readAll(b, d.MaxBytes); err != nil {
		return at, false, err
	}
	switch {
	case d.Wrapper == WrapperNever || d.Wrapper == WrapperAuto && !l.wraps(b):
		return at, false, nil
	case l.Duplicate != fieldNone:
		return at, false, l.duplicated()
	case !l.Has(fieldPayload):
		return at, false, l.missing(at, fieldPayload)
	}
	return l.At[fieldPayload], true, nil
}

// readAll validates b, which must be one object of up to limit bytes.
func (l *level) readAll(b []byte, limit int) (at span, err error) {
	if limit = min(cmp.Or(limit, DefaultMaxBytes), math.MaxInt32); len(b) > limit {
		return at, &DecodeError{Offset: int64(limit), Err: fmt.Errorf("%w: more than %d bytes", ErrLimit, limit)}
	}
	start := jsonscan.Space(b, 0)
	if b[start] != '{' {
		if f := jsonscan.Diagnose(b); f.Err != nil {
			return at, syntaxError(f, 0)
		}
		return at, &DecodeError{Offset: int64(start), Err: ErrType}
	}
	end := l.Read(b, start)
	if end < 0 || jsonscan.Space(b, end) != len(b) {
		return at, syntaxError(jsonscan.Diagnose(b), l.public, l.wrappers...)
	}
	return span{Start: int32(start), End: int32(end)}, nil
}

// wraps reports whether the object is the converter's wrapper. A row with just
// the columns schema and payload is told from one by the schema's type.
func (l *level) wraps(b []byte) bool {
	if l.Members != 2 || !l.Has(fieldConnectSchema) || !l.Has(fieldPayload) {
		return false
	}
	schema := l.Raw(b, fieldConnectSchema)
	if schema == nil || bytes.HasPrefix(schema, []byte(`{"type":"`)) {
		return true
	}
	kind, _ := Row(schema).Get("type")
	return kind.Kind() == '"'
}

// classify tells the kinds of records apart and decodes the one in l.
func (d *Debezium) classify(c *Change, b []byte, l *level) error {
	if l.Duplicate != fieldNone {
		return l.duplicated()
	}
	const images = 1<<fieldBefore | 1<<fieldAfter | 1<<fieldSource | 1<<fieldMessage | 1<<fieldPatch | 1<<fieldUpdateDescription
	switch {
	case l.Has(fieldOp) && l.Seen&images != 0:
		return d.envelope(c, b, l)
	case l.Has(fieldID) && isBoundary(contents(l.Raw(b, fieldStatus))):
		c.Op = OpTransaction
		c.TxID = contents(l.Raw(b, fieldID))
	case l.Has(fieldDatabaseName) && (l.Has(fieldDDL) || l.Has(fieldTableChanges)):
		c.Op = OpSchemaChange
		if l.Raw(b, fieldSource) != nil {
			return d.decodeSource(c, b, l)
		}
	case l.Has(fieldTSMS) && l.Members == 1:
		c.Op = OpHeartbeat
	case l.Has(fieldType) && l.Has(fieldAggregateType) && l.Has(fieldAdditionalData):
		c.Op = OpNotification
	default:
		return l.missing(span{}, fieldOp)
	}
	var err error
	c.Time, err = l.nanos(b, fieldTSNS, fieldTSUS, fieldTSMS)
	return err
}

// isBoundary reports whether a status is that of a transaction's begin or end; a
// table may have the columns status and id too.
func isBoundary(status []byte) bool { return string(status) == "BEGIN" || string(status) == "END" }

// envelope decodes a change event.
func (d *Debezium) envelope(c *Change, b []byte, l *level) (err error) {
	if c.Before, err = l.image(b, fieldBefore); err != nil {
		return err
	}
	if c.After, err = l.image(b, fieldAfter); err != nil {
		return err
	}
	op := l.Raw(b, fieldOp)
	if op != nil && op[0] != '"' {
		return l.fault(l.At[fieldOp], ErrType, fieldOp)
	}
	c.Op = parseOp(op)
	if err := d.decodeSource(c, b, l); err != nil {
		return err
	}
	switch c.Op {
	case OpCreate, OpUpdate, OpRead, OpUnknown:
		if c.After == nil {
			return l.missing(l.At[fieldOp], fieldAfter)
		}
	}
	if c.Table == d.SignalTable && c.Table != (Table{}) {
		c.Op = OpSignal
	}
	return nil
}

// parseOp reads an op code. Debezium itself takes them in either case.
func parseOp(v []byte) Op {
	if len(v) != 3 {
		return OpUnknown
	}
	switch v[1] | 0x20 {
	case 'c', 'i': // i: Cassandra's insert
		return OpCreate
	case 'u':
		return OpUpdate
	case 'd':
		return OpDelete
	case 'r':
		return OpRead
	case 't':
		return OpTruncate
	case 'm':
		return OpMessage
	}
	return OpUnknown
}

// image returns a row image, nil if it is absent or null.
func (l *level) image(b []byte, f field) (Row, error) {
	v := l.Raw(b, f)
	if v != nil && v[0] != '{' {
		return nil, l.fault(l.At[f], ErrType, f)
	}
	return Row(v), nil
}

// nanos returns a time in nanoseconds: the first of the fields that is there, of
// which the first counts nanoseconds, the second micro-, the third milliseconds.
func (l *level) nanos(b []byte, ns, us, ms field) (int64, error) {
	f, unit := ns, int64(1)
	v := l.Raw(b, f)
	if v == nil {
		f, unit = us, 1e3
		v = l.Raw(b, f)
	}
	if v == nil {
		f, unit = ms, 1e6
		v = l.Raw(b, f)
	}
	if v == nil {
		return 0, nil
	}
	n, ok := integer(v)
	if !ok || n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return 0, l.fault(l.At[f], ErrType, f)
	}
	return n * unit, nil
}

// integer reads a number, which some producers write as a string.
func integer(v []byte) (int64, bool) { return jsonscan.Int(contents(v)) }

// contents returns what stands between the quotes of a string, and any other
// value as it is.
func contents(v []byte) []byte {
	if len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1 : len(v)-1]
	}
	return v
}
