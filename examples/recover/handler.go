package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A handler recovers the records that the documents of a queue name.
type handler struct {
	reader reader
	store  dsql.DurableStore // of the stream's function too
	sink   sink
	log    *slog.Logger
}

// margin is the part of an invocation's time that is left for the answer. An
// invocation that runs out of time has none, and every message comes again, those
// that were done too.
const margin = 2 * time.Second

// errWaits says that the parts of a record are not all there yet.
var errWaits = errors.New("a record waits for fragments")

// Handle takes the messages one after the other: a document's records can be as
// large as the function's memory allows. It answers with those that are not done,
// for the queue to bring them again.
func (h *handler) Handle(ctx context.Context, event events.SQSEvent) (out events.SQSEventResponse, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	out.BatchItemFailures = []events.SQSBatchItemFailure{}
	for _, m := range event.Records {
		if !h.message(ctx, h.log.With("messageId", m.MessageId), m.Body) {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out, nil
}

// message reports whether the queue need not bring a message again.
func (h *handler) message(ctx context.Context, log *slog.Logger, body string) bool {
	f, err := dsql.ParseFailure([]byte(body))
	if err != nil {
		log.Error("NOT A DOCUMENT of a mapping for a Kinesis stream", "error", err)
		return false
	}
	log = log.With("stream", f.Stream, "shard", f.Shard, "first", f.First, "last", f.Last)
	d := document{handler: h, failure: f, log: log, parts: dsql.Reassembler{Store: h.store}}
	d.decoder.ClusterAsDB = true // several clusters can share a stream
	switch err := d.recover(ctx); {
	case err == nil:
		log.Info("recovered", "condition", f.Condition)
		return true
	case errors.Is(err, dsql.ErrGone):
		log.Error("RECORDS ARE GONE: the sink lacks their changes until the rows change again", "error", err)
	case errors.Is(err, errWaits):
		log.Info("not done yet", "error", err)
	default:
		log.Warn("not done yet", "error", err)
	}
	return false
}

// A document is a failure on its way to the sink. It has a reassembler of its
// own: the documents of a shard come in any order.
type document struct {
	*handler
	failure dsql.Failure
	log     *slog.Logger
	parts   dsql.Reassembler
	decoder dsql.Decoder
}

// recover returns nil if nothing of the document is needed any more.
func (d *document) recover(ctx context.Context) error {
	for in, err := range d.failure.Records(ctx, d.reader.read(d.failure.BatchSize)) {
		if err != nil {
			return err
		}
		record, err := d.parts.Add(ctx, in)
		if err := d.take(ctx, record, err, in.Sequence); err != nil {
			return err
		}
	}
	// Other invocations went on meanwhile: what a main record waited for can have come.
	for record, err := range d.parts.Poll(ctx) {
		if err := d.take(ctx, record, err, ""); err != nil {
			return err
		}
	}
	if err := d.commit(ctx); err != nil {
		return err
	}
	if d.failure.Done(d.parts.Floors()) {
		return nil
	}
	for _, o := range d.parts.Pending() {
		d.log.Info("waits for fragments", "chunk", o.ChunkID, "total", o.Total, "where", o.Where)
	}
	return errWaits
}

// take takes what the reassembler gave: a whole record, none, or an error.
func (d *document) take(ctx context.Context, record []byte, err error, sequence string) error {
	if err == nil && record != nil {
		var c envelope.Change
		// A delete that names no row is the sink's to judge: it knows the keys.
		if err = d.decoder.Decode(&c, record); err == nil || errors.Is(err, dsql.ErrNoPrimaryKey) {
			err = d.sink.Apply(ctx, &c)
		}
	}
	if !envelope.IsPermanent(err) {
		return err
	}
	// Another try would not help it, and the document's other records are none the
	// worse for it. Whoever needs every change keeps these numbers.
	d.log.Error("A CHANGE IS LOST", "sequence", sequence, "error", err)
	if part, ok := errors.AsType[*dsql.PartError](err); ok {
		for _, o := range part.Lost {
			d.log.Error("given up", "chunk", o.ChunkID, "where", o.Where)
		}
	}
	return nil
}

// commit makes the changes durable.
//
// It gives Commit no save, so that the store keeps the fragments for its lifecycle
// rule to expire. Lambda deletes a message only after the answer, if it gets one,
// and a queue can bring a message twice: were the fragments gone, a main record
// that comes again would wait for them until the message is a dead letter.
func (d *document) commit(ctx context.Context) error {
	if err := d.sink.Flush(ctx); err != nil {
		return err
	}
	return d.parts.Commit(ctx, nil)
}
