package dsql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

var (
	// ErrGone says that a stream does not have the records of a [Failure]: they
	// are older than its retention, it is another stream of the same name, or the
	// [Read] that was to bring them left some out. Trying again does not help.
	ErrGone = errors.New("dsql: records of a failure are not in the stream")

	// ErrOrder says that a [Read] yielded a record whose sequence number is not
	// behind that of the record before, or is no decimal number.
	ErrOrder = errors.New("dsql: sequence numbers out of order")
)

// A Failure is a batch of records that Lambda gave up: the on-failure document
// of an event source mapping for a Kinesis stream. Records reads the batch again
// from the stream. It is needed even if the function never fails, since Lambda
// gives up what is larger than [FitsLambda] allows.
//
// # Recovering
//
// Lambda checkpoints past a batch that it gave up. Nothing but the document
// remembers those records from then on, so that it takes the place of a
// checkpoint: it may go only when the sink has all that was in them. For each
// document:
//
//  1. [ParseFailure], and a new [Reassembler] whose Store is the [DurableStore]
//     that the function uses too: the parts of one image come through different
//     invocations and different documents, and only the store sees all of them.
//     A new one for each document, since documents come in any order and a
//     Reassembler takes an earlier record for a second reading of the shard.
//  2. Each record of Records goes to [Reassembler.Add]; what Add returns goes to
//     a [Decoder] and on to the sink. A fragment is safe once Add has returned
//     without an error. At an error that is not permanent, leave the document.
//  3. Once the sink has it all, [Reassembler.Commit] with a save that deletes the
//     SQS message, but only if [Failure.Done] says so of the floors. If not, a
//     main record still waits for fragments: save returns an error, the message
//     stays, and it comes again after its visibility timeout, by when they may be
//     in the store.
//
// The same document, and the same record by way of document and function, can
// come more than once. Both are repeats, for the sink's dedupe by version. When
// records are [ErrGone] an image or a row is lost to the sink until the row
// changes again: keep the document and raise an alarm.
//
// # Configuring
//
// The stream's retention is how long recovery may take: 24 hours unless raised,
// to 365 days at most. An SQS queue keeps messages for 4 days unless told
// otherwise, 14 at most, so that a message can outlive its records. The queue
// wants a redrive policy, for documents that are never done, and a visibility
// timeout above what a batch takes: a shard is read at 2 MB/s by all of its
// consumers together, so that one record of 10 MiB takes five seconds. For the
// settings of the mapping see [FitsLambda].
//
// Recovery can itself run in a function with the queue as its event source: the
// limit is on an invocation's payload, not on what a function reads. See
// examples/recover, which gives Commit no save and leaves fragments to expire,
// since Lambda deletes a message only after the function has answered.
type Failure struct {
	Stream       string    // the stream's ARN, without the consumer's part if the mapping reads by enhanced fan-out
	Shard        string    // the shard's ID
	First        string    // sequence number of the batch's first record
	Last         string    // sequence number of its last one, which can be the first
	FirstArrival time.Time // when the stream got the first record
	LastArrival  time.Time // when it got the last one
	BatchSize    int       // how many records the batch had; there can be others between them

	Time        time.Time // when Lambda gave the batch up; zero if the document does not say
	Function    string    // the function's ARN; "" if the document does not say
	Condition   string    // why, as RetryAttemptsExhausted or RecordAgeExceeded; "" if the document does not say
	Invocations int       // about how many times the function was invoked with it
}

// Read yields the records of a shard from a sequence number on, in order. It is
// how a [Failure] reaches the stream, so that this package needs no client
// library: GetShardIterator with the type AT_SEQUENCE_NUMBER, then GetRecords in
// a loop.
//
// An answer without records is not the end: the loop goes on with
// NextShardIterator. It ends when that is null, as the shard was closed and read
// to its end; or when an answer without records has a MillisBehindLatest of 0, as
// nothing that a failure names is still to come. A Read that polls on from there
// never ends if the records are gone.
//
// Records before the sequence number do no harm. An error ends the sequence; no
// page says whether GetShardIterator has one for a record that left the stream, or
// begins behind it. A record need not stay valid after the next one is asked for.
// Shard can be left empty.
type Read func(ctx context.Context, streamARN, shard, from string) iter.Seq2[Record, error]

// Records yields the records of f.Shard from f.First to f.Last, both included,
// and ends. Each time it is ranged over it reads them anew, by one call of read.
// A record is valid until the next one, unless read says more.
//
// It does not end early in silence. The last pair has an error if
//   - read yields one: that error, as it is;
//   - the first record of the shard that is not before f.First is another one, or
//     f.Last does not come before records behind it or the end, or there were
//     fewer than f.BatchSize: one that wraps [ErrGone];
//   - the sequence numbers are not ascending decimal numbers, those of f
//     included: one that wraps [ErrOrder];
//   - read ended without an error though ctx is done: the cause of that.
//
// The records before an error are good, but the document is not done.
func (f *Failure) Records(ctx context.Context, read Read) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := f.each(ctx, read, yield); err != nil {
			yield(Record{}, err)
		}
	}
}

// each yields the records. Without an error all of them were yielded, or yield
// wants no more.
func (f *Failure) each(ctx context.Context, read Read, yield func(Record, error) bool) error {
	if !isSequence(f.First) || !isSequence(f.Last) || compareSequence(f.First, f.Last) > 0 {
		return fmt.Errorf("%w: no range from %q to %q", ErrOrder, f.First, f.Last)
	}
	last, n := "", 0
	for r, err := range read(ctx, f.Stream, f.Shard, f.First) {
		switch {
		case err != nil:
			return err
		case !isSequence(r.Sequence) || last != "" && compareSequence(last, r.Sequence) >= 0:
			return fmt.Errorf("%w: %q after %q in %s", ErrOrder, r.Sequence, last, f.Shard)
		}
		last = r.Sequence
		if compareSequence(last, f.First) < 0 {
			continue
		}
		if n == 0 && compareSequence(last, f.First) != 0 {
			return fmt.Errorf("%w: %s has nothing between %s and %s", ErrGone, f.Shard, f.First, last)
		}
		end := compareSequence(last, f.Last)
		if end > 0 {
			return fmt.Errorf("%w: %s has %s but not %s", ErrGone, f.Shard, last, f.Last)
		}
		r.Shard = f.Shard
		if n++; !yield(r, nil) {
			return nil
		}
		if end < 0 {
			continue
		}
		if n < f.BatchSize {
			return fmt.Errorf("%w: %s has %d of %d between %s and %s", ErrGone, f.Shard, n, f.BatchSize, f.First, f.Last)
		}
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s ended after %d, before %s", ErrGone, f.Shard, n, f.Last)
}

// Done reports whether floors, those of a [Reassembler] that was given all of
// f's records, say that none of them is needed any more. The document can then
// be deleted, in the call of save that got the floors.
func (f *Failure) Done(floors []Floor) bool {
	for _, at := range floors {
		if at.Shard == f.Shard {
			behind := compareSequence(at.Sequence, f.Last)
			return at.End || behind > 0 || behind == 0 && at.After
		}
	}
	return false
}
