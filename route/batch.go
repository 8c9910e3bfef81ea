package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
	"github.com/segmentio/asm/base64"
)

// A batch is an event on its way through the transform: first every record is
// decided, then the batch as a whole (coalescing, size), then it is written. The
// decoded records stay in one arena until then.
type batch struct {
	f        *Firehose
	decoder  envelope.Decoder
	encoder  *Encoder // nil without Encode
	change   envelope.Change
	arena    []byte
	encoded  []byte // rows
	items    []item
	newest   map[string]int // by key, with Coalesce
	key      []byte
	size     int // of the response in bytes
	shape    recordShape
	rows     jsonscan.Shapes
	group    [3]byte // of appendRow; as a variable there it would be allocated each time
	places   places
	records  []Record           // Handle's
	versions []envelope.Version // of the items, with Coalesce

	admission admission
}

// maxKept is the size in bytes up to which a batch's arena is kept for the next
// event.
const maxKept = 16 << 20

// grow makes room for the decoded payloads of an event of n bytes, so that the
// arena never moves.
func (b *batch) grow(n int) {
	if cap(b.arena) < n {
		b.arena = make([]byte, 0, n)
	}
}

// reset forgets the event and reports whether the batch may be used again.
func (b *batch) reset() bool {
	clear(b.items)
	clear(b.newest)
	b.items, b.arena, b.encoded, b.size, b.records, b.versions = b.items[:0], b.arena[:0], b.encoded[:0], 0, nil, b.versions[:0]
	b.change = envelope.Change{}
	b.admission.reset()
	return cap(b.arena) <= maxKept && cap(b.encoded) <= maxKept
}

// addRaw decodes and decides a record of an event in JSON.
func (b *batch) addRaw(ctx context.Context, r rawRecord) error {
	value, err := b.decode(&r)
	if errors.Is(err, errTrust) {
		return err
	}
	if err := b.next(ctx); err != nil {
		return err
	}
	it := &b.items[len(b.items)-1]
	it.raw = r
	it.encoded = len(r.payload)
	switch {
	case r.wrong != nil:
		it.fail(Undecodable, r.wrong)
		it.bare = true
	case err != nil:
		it.fail(Undecodable, err)
	default:
		b.decide(it, value)
	}
	return nil
}

// add decides the next record of a typed event.
func (b *batch) add(ctx context.Context) error {
	if err := b.next(ctx); err != nil {
		return err
	}
	it := &b.items[len(b.items)-1]
	r := &b.records[len(b.items)-1]
	it.raw = rawRecord{id: jsonscan.AppendQuoted(nil, r.RecordID), kafka: r.Data == nil}
	it.encoded = base64.StdEncoding.EncodedLen(len(r.payload()))
	b.decide(it, r.payload())
	return nil
}

func (r *Record) payload() []byte {
	if r.Data != nil {
		return r.Data
	}
	return r.KafkaRecordValue
}

func (b *batch) next(ctx context.Context) error {
	if len(b.items)%256 == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	b.items = append(b.items, item{})
	return nil
}

var errBase64 = errors.New("route: payload is not base64")

// decode decodes a payload into the arena. A payload that was looked at may be
// spelled with escapes, as "\/" for a slash. One that was not must be base64 and
// nothing else: the decoder passes over line breaks, which cannot stand in a
// string.
func (b *batch) decode(r *rawRecord) ([]byte, error) {
	start := len(b.arena)
	dst := b.arena[start:cap(b.arena)]
	n, err := base64.StdEncoding.Decode(dst, r.payload)
	if r.trusted {
		padding := len(r.payload) - len(bytes.TrimRight(r.payload, "="))
		if err != nil || len(r.payload)%4 != 0 || n != len(r.payload)/4*3-padding {
			return nil, errTrust
		}
	} else if err != nil && slices.Contains(r.payload, '\\') {
		n, err = base64.StdEncoding.Decode(dst, jsonscan.AppendText(nil, r.payload))
	}
	if err != nil {
		return nil, &envelope.DecodeError{Err: fmt.Errorf("%w: %w", envelope.ErrSyntax, errBase64)}
	}
	b.arena = b.arena[:start+n]
	return b.arena[start : start+n : start+n], nil
}

// decide decodes a record and says what becomes of it, as far as that does not
// depend on the others.
func (b *batch) decide(it *item, value []byte) {
	c := &b.change
	err := b.decoder.Decode(c, value)
	it.table, it.op = c.Table, c.Op
	switch {
	case errors.Is(err, envelope.ErrNoKey): // of a table without a key, which the decoder still names
		it.fail(NoKey, err)
		return
	case err != nil:
		it.fail(Undecodable, err)
		return
	}
	effect := c.Effect()
	if effect == envelope.None {
		it.drop(NotARow)
		return
	}
	to, err := b.f.Router.Route(c)
	switch {
	case err != nil:
		it.fail(Unrouted, err)
		return
	case to.Drop:
		it.drop(Unwanted)
		return
	}
	it.to = b.places.of(to)
	it.row = c.Image()
	switch effect {
	case envelope.Truncate:
		b.f.apply(b.f.Truncate, it, Truncated, nil)
		return
	case envelope.Delete:
		it.operation = operationDelete
		if to.Mode == AppendOnly {
			it.fail(Inexpressible, nil)
			return
		}
	default:
		it.operation = operationUpdate
		switch {
		case to.Mode == AppendOnly:
			it.operation = operationNone
		case to.Mode == Literal && (c.Op == envelope.OpCreate || c.Op == envelope.OpRead):
			it.operation = operationInsert
		}
		if b.f.Unavailable != Send && b.unavailable(it.row) {
			b.f.apply(b.f.Unavailable, it, Unavailable, &UnavailableError{b.f.unavailableColumn(it.row)})
			return
		}
	}
	if it.row == nil {
		it.fail(NoImage, nil)
		return
	}
	if b.encoder != nil && !b.encode(it, c, effect) {
		return
	}
	it.result = resultOk
	if b.f.Keys != nil && to.Mode != AppendOnly {
		b.coalesce(it, c, effect)
	}
	if b.f.Admission != nil && to.Mode != AppendOnly && it.result == resultOk {
		b.admission.consider(c, len(b.items)-1)
	}
}

// unavailable reports whether a row has a column with the placeholder or a reference:
// what unavailableColumn says, faster for the many rows that have none.
func (b *batch) unavailable(row envelope.Row) bool {
	i := jsonscan.Space(row, 0)
	shape := b.rows.Of(row, i)
	for k := 0; ; k++ {
		value, last := shape.Value(row, i, k)
		if last || value < 0 {
			return false
		}
		if i = jsonscan.Skip(row, value); i < 0 {
			return false
		}
		if b.f.isUnavailable(envelope.Value(row[value:i:i])) {
			return true
		}
	}
}

func (f *Firehose) isUnavailable(v envelope.Value) bool {
	if f.placeholder.Is(v) {
		return true
	}
	_, ok := f.placeholder.Reference(v)
	return ok
}

// unavailableColumn returns the first column whose value is not in the row.
func (f *Firehose) unavailableColumn(row envelope.Row) string {
	for c := range row.Columns() {
		if f.isUnavailable(c.Value) {
			return string(c.AppendName(nil))
		}
	}
	return ""
}

// apply settles a change that cannot be expressed.
func (f *Firehose) apply(p Policy, it *item, why Reason, err error) {
	if p == Drop {
		it.drop(why)
		it.err = err
		return
	}
	it.fail(why, err)
}

// coalesce checks that the row's key is there, and drops the older of two
// changes of one row. A change that failed takes no part: an older one that can
// be sent is better than none.
func (b *batch) coalesce(it *item, c *envelope.Change, effect envelope.Effect) {
	if !b.f.Coalesce && effect != envelope.Delete {
		return
	}
	key, err := b.f.Keys(b.key[:0], c)
	switch {
	case errors.Is(err, envelope.ErrNoKey) && it.operation == operationInsert:
		return // needs no key
	case err != nil:
		it.fail(NoKey, err)
		return
	}
	b.key = key
	if !b.f.Coalesce {
		return
	}
	at := len(b.items) - 1
	b.versions = append(b.versions, make([]envelope.Version, at+1-len(b.versions))...)
	b.versions[at] = c.Version
	if b.newest == nil {
		b.newest = make(map[string]int)
	}
	if n, ok := b.newest[string(key)]; ok {
		other := &b.items[n]
		if b.versions[at].Compare(b.versions[n]) < 0 {
			it, other, at = other, it, n
		}
		other.drop(Superseded)
		if it.operation == operationInsert {
			it.operation = operationUpdate // what was dropped may have deleted or changed a row that is there
		}
	}
	b.newest[string(key)] = at
}

// settle decides what depends on the whole batch.
func (b *batch) settle(ctx context.Context) error {
	if err := b.admit(ctx); err != nil {
		return err
	}
	return b.fit()
}

// report tells what became of each record, once there is an answer.
func (b *batch) report(ctx context.Context) {
	for i := range b.items {
		it := &b.items[i]
		if it.result != resultFailed && b.f.Observe == nil {
			continue
		}
		out := it.outcome()
		if out.Result == ProcessingFailed {
			b.f.log(ctx, &out)
		}
		if b.f.Observe != nil {
			b.f.Observe(&out)
		}
	}
}

func (f *Firehose) log(ctx context.Context, out *Outcome) {
	attrs := []slog.Attr{slog.String("recordId", string(out.RecordID)), slog.String("reason", out.Reason.String())}
	if out.Table != (envelope.Table{}) {
		attrs = append(attrs, slog.String("table", out.Table.String()), slog.String("op", out.Op.String()))
	}
	if out.Err != nil {
		attrs = append(attrs, slog.String("error", out.Err.Error()))
	}
	f.logger().LogAttrs(ctx, slog.LevelWarn, "record failed", attrs...)
}
