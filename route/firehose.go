package route

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/rowdelta/rowdelta/envelope"
)

// MaxResponse is the size in bytes up to which Lambda takes a function's
// response.
const MaxResponse = 6_291_556

// Firehose is the transform that Amazon Data Firehose calls through AWS Lambda:
//
//	lambda.Start(&route.Firehose{Router: rules})
//
// It answers every record of an event once and in order: Ok with the row, the
// destination table and the operation; Dropped for what is no row; or
// ProcessingFailed with the record as it came. A record that cannot be used
// never fails its batch. The payload of a dropped record is left out.
//
// An upsert carries the after image, a delete the before image, each as one JSON
// object, byte for byte as the source sent it unless there is an Encoder, and a
// newline. A primary key that changed comes as a delete and a create, and goes out as
// both.
//
// Only Router must be set. The fields must not change after the first call.
// Invoke and Handle may be called concurrently.
type Firehose struct {
	// Router picks the destination of each change.
	Router Router

	// NewDecoder makes a decoder for the records; nil means an
	// [envelope.Debezium] for each. It is called once for each concurrent
	// invocation.
	NewDecoder func() envelope.Decoder

	// Logger is told of each record that fails, without row data; nil means
	// [slog.Default].
	Logger *slog.Logger

	// Observe, if not nil, is called for each record of an answered event, in
	// order, before the answer is returned. It must be safe for concurrent use. The
	// Outcome is valid until it returns; a copy without the RecordID may be kept.
	Observe func(*Outcome)

	// Encode, if not nil, writes rows as Firehose takes them for the types of the
	// destination's columns, by the schema that came with the record, or else the
	// table's in Schemas. A row without a schema fails, and one that the Encoder
	// refuses; of a deleted row it leaves out the columns that the connector did not
	// have. Each concurrent invocation uses a copy of its fields.
	//
	// Without it rows go out as the connector spells them, which Firehose takes for
	// numbers, text, and timestamps in microseconds.
	Encode *Encoder

	// Schemas are those of tables whose records come without. A key without DB stands
	// for the table in any database.
	Schemas map[envelope.Table]*envelope.Schema

	// Unavailable says what becomes of a row with a column that the connector did
	// not have, an unchanged TOAST or LOB value, or one that it has put elsewhere (a
	// reference into S3). Fail is the default, since an update with the placeholder
	// would overwrite the value. With Encode, Send is Fail.
	Unavailable Policy

	// Placeholder is the connector's unavailable.value.placeholder; empty means
	// [envelope.DefaultPlaceholder].
	Placeholder string

	// Truncate says what becomes of a truncate, for which Firehose has no
	// operation: Fail, the default, or Drop.
	Truncate Policy

	// Keys tells rows apart. With it a delete fails whose image lacks the key, and
	// with Coalesce any change but an insert of a table that it does not know, so
	// that a name misspelled there is seen. Coalesce needs it.
	Keys envelope.KeyFunc

	// Coalesce sends of several changes of one row in a batch only the newest by
	// Version and drops the others, since Firehose keeps no order among them. It
	// leaves append-only destinations alone. Changes of one row in different batches
	// stay in different deliveries.
	Coalesce bool

	// Admission, if not nil, drops a change if a newer one of its row was answered
	// before, in this event or an earlier one: Firehose may deliver records out of
	// order, and a stale row must not replace a newer one. A repeat is sent again,
	// since the earlier answer may not have arrived; as an update it changes nothing.
	// An append-only destination is left alone. Set Coalesce too: the records of one
	// answer have no order among themselves.
	//
	// Marks are raised when the response is built, though Firehose never tells that
	// it was delivered. This keeps the replay rule: what is dropped is dropped for a
	// newer change that was answered Ok, and if that answer is lost, Firehose sends
	// the same records again, and the newer change goes out as a repeat. A record that
	// fails raises nothing. But what a newer one in the same event made stale stays
	// dropped if that one fails for the size of the response. Records in the stream's
	// error output have to be sent again, for the older rows were dropped.
	//
	// Events carry no Kafka key: give a dedupe.Filter its Keys. Changes without a
	// position are ties where their times are equal, and are sent in the order in
	// which they come.
	Admission Admission

	// MaxResponse is the largest response in bytes; 0 means the constant of that
	// name. Lambda refuses a larger one, which fails the batch and ends the process.
	// Records that do not fit fail: first failed ones lose their payload, which
	// Firehose has itself, then the largest rows fail.
	MaxResponse int

	batches     sync.Pool // of *batch
	once        sync.Once
	placeholder *envelope.Placeholder
	wrong       error // with Encode
}

var (
	errNoRouter = errors.New("route: Firehose has no Router")
	errNoKeys   = errors.New("route: Firehose has Coalesce and no Keys")
)

// Invoke answers an event, both in JSON. It has the signature of aws-lambda-go's
// Handler. The response is the caller's; the event is not kept.
//
// An error means that there is no answer and that Firehose will try again: a
// malformed event (a [*envelope.DecodeError] in it), a Firehose without what it
// needs, an Admission that cannot answer, or a context that is done. A malformed
// record is no error.
func (f *Firehose) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	b, err := f.batch()
	if err != nil {
		return nil, err
	}
	defer f.release(b)
	b.grow(len(event))
	r := reader{event, func(r rawRecord) error { return b.addRaw(ctx, r) }, &b.shape}
	if err := r.read(); err != nil {
		return nil, err
	}
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	response := b.appendResponse(make([]byte, 0, b.size))
	if err := b.raise(ctx); err != nil {
		return nil, err
	}
	b.report(ctx)
	return response, nil
}

// Handle answers an event given as a struct. What it returns does not alias ev.
// Errors are those of Invoke but for a malformed event.
func (f *Firehose) Handle(ctx context.Context, ev Event) (Response, error) {
	b, err := f.batch()
	if err != nil {
		return Response{}, err
	}
	defer f.release(b)
	b.records = ev.Records
	for range ev.Records {
		if err := b.add(ctx); err != nil {
			return Response{}, err
		}
	}
	if err := b.settle(ctx); err != nil {
		return Response{}, err
	}
	response := b.response()
	if err := b.raise(ctx); err != nil {
		return Response{}, err
	}
	b.report(ctx)
	return response, nil
}

func (f *Firehose) batch() (*batch, error) {
	switch {
	case f.Router == nil:
		return nil, errNoRouter
	case f.Coalesce && f.Keys == nil:
		return nil, errNoKeys
	}
	f.once.Do(func() {
		text := f.Placeholder
		if text == "" {
			text = envelope.DefaultPlaceholder
		}
		f.placeholder = envelope.NewPlaceholder(text)
		f.wrong = f.checkEncode()
	})
	if f.wrong != nil {
		return nil, f.wrong
	}
	if b, ok := f.batches.Get().(*batch); ok {
		return b, nil
	}
	b := &batch{f: f, decoder: new(envelope.Debezium), encoder: f.encoder()}
	if f.NewDecoder != nil {
		b.decoder = f.NewDecoder()
	}
	return b, nil
}

func (f *Firehose) release(b *batch) {
	if b.reset() {
		f.batches.Put(b)
	}
}

func (f *Firehose) logger() *slog.Logger {
	if f.Logger != nil {
		return f.Logger
	}
	return slog.Default()
}
