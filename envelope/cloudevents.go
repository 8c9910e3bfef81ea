package envelope

import "strings"

// CloudEvents decodes the structured CloudEvents that Debezium's
// CloudEventsConverter writes in JSON:
//
//	{"id": "…", "specversion": "1.0", "type": "io.debezium.connector.postgresql.DataChangeEvent",
//	 "iodebeziumop": "u", "iodebeziumtable": "orders", "iodebeziumtsns": "1705318200000000000", …,
//	 "data": {"before": row|null, "after": row|null}}
//
// with data bare or in the schema/payload wrapper, which is told by itself. They
// carry the source block as extensions, but not the envelope's time: see
// [Version] for what that costs. Everything that is no change of a row is a null
// in this format, and so a tombstone here. Data in Avro gives ErrType.
//
// The zero CloudEvents is ready to use. It is used by one goroutine at a time
// and must not be copied after its first use.
type CloudEvents struct {
	Order    Order
	MaxBytes int // largest record or key accepted, in bytes; 0 means DefaultMaxBytes

	inner                Debezium
	event, data, payload level
	ready                bool
}

// Decode decodes an event into c, overwriting it. Nulls are as for
// [Debezium.Decode], and so are lifetimes and errors.
func (d *CloudEvents) Decode(c *Change, record []byte) error {
	*c = Change{}
	d.init()
	if err := d.decode(c, record); err != nil {
		*c = Change{}
		return err
	}
	return nil
}

// DecodeKeyed decodes an event with its key. See [Debezium.DecodeKeyed].
func (d *CloudEvents) DecodeKeyed(c *Change, key, value []byte) error {
	if err := d.Decode(c, value); err != nil {
		return err
	}
	return d.inner.addKey(c, key)
}

// extensions are the names of an event's attributes: those of the source block
// without what is neither letter nor digit.
var extensions = func() map[string]field {
	names := fieldsByName(func(name string) string { return "iodebezium" + strings.ReplaceAll(name, "_", "") })
	names["data"], names["specversion"] = fieldData, fieldSpecVersion
	return names
}()

func (d *CloudEvents) init() {
	if d.ready {
		return
	}
	d.inner.Order, d.inner.MaxBytes = d.Order, d.MaxBytes
	d.inner.init()
	d.event = level{wrappers: []string{"data", "payload"}, public: 2, data: &d.data}
	d.event.init(1, extensions)
	d.data = level{path: "/data", schemas: &d.inner.schemas, payload: &d.payload, images: &d.inner.images}
	d.data.init(2, recordFields)
	d.payload = level{path: "/data/payload", images: &d.inner.images}
	d.payload.init(3, envelopeFields)
	d.ready = true
}

func (d *CloudEvents) decode(c *Change, b []byte) error {
	if isNull(b) {
		c.Op = OpTombstone
		return nil
	}
	at, err := d.event.readAll(b, d.MaxBytes)
	switch {
	case err != nil:
		return err
	case d.event.Duplicate != fieldNone:
		return d.event.duplicated()
	case !d.event.Has(fieldSpecVersion):
		return d.event.missing(at, fieldSpecVersion)
	}
	op := d.event.Raw(b, fieldOp)
	switch {
	case op == nil:
		return d.event.missing(at, fieldOp)
	case op[0] != '"':
		return d.event.fault(d.event.At[fieldOp], ErrType, fieldOp)
	}
	c.Op = parseOp(op)
	if err := d.images(c, b); err != nil {
		return err
	}
	return d.inner.decodePosition(c, b, &d.event, connectorOf(contents(d.event.Raw(b, fieldConnector))), 0)
}

// images decodes the images, wherever data has them.
func (d *CloudEvents) images(c *Change, b []byte) (err error) {
	data := d.event.Raw(b, fieldData)
	if data == nil {
		return d.event.missing(d.event.At[fieldData], fieldData)
	}
	if data[0] != '{' {
		return d.event.fault(d.event.At[fieldData], ErrType, fieldData)
	}
	l := &d.data
	if l.wraps(b) {
		payload := l.Raw(b, fieldPayload)
		if payload == nil || payload[0] != '{' {
			return l.fault(l.At[fieldPayload], ErrType, fieldPayload)
		}
		l = &d.payload
	}
	if l.Duplicate != fieldNone {
		return l.duplicated()
	}
	if c.Before, err = l.image(b, fieldBefore); err != nil {
		return err
	}
	if c.After, err = l.image(b, fieldAfter); err != nil {
		return err
	}
	if l == &d.payload {
		d.data.addSchema(c, b)
	}
	switch c.Op {
	case OpCreate, OpUpdate, OpRead, OpUnknown:
		if c.After == nil {
			return l.missing(d.event.At[fieldOp], fieldAfter)
		}
	}
	return nil
}
