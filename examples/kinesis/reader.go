package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
)

// A service is what the consumer needs of Kinesis. *kinesis.Client has it.
type service interface {
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// A batch is what one answer of the service brought.
type batch struct {
	shard    string
	records  []types.Record
	through  time.Time // what arrived in the shard before then is in this batch or an earlier one; zero if it does not tell
	end      bool      // nothing comes after it: the shard was split or merged
	children []types.ChildShard
}

// A reader reads one shard to its end and sends what it finds to out. For each
// batch, and while it asks for it, it holds one of the slots, which bound what is
// in memory; whoever takes the batch frees the slot.
type reader struct {
	api    service
	stream string
	shard  string
	at     dsql.Floor // where to go on
	poll   time.Duration
	pace   *pace
	slots  chan struct{}
	out    chan<- batch
	log    *slog.Logger

	iterator *string
	check    bool // the next record must be the one at which the iterator was placed
}

const (
	longestPause = 30 * time.Second
	answerLimit  = 2 * time.Minute // for one answer of 10 MiB
)

// run reads until the end of the shard or of ctx. An error is one that does not
// pass by itself.
func (r *reader) run(ctx context.Context) error {
	for failures := 0; ; {
		for r.pace.waits(r.shard) && r.rest(ctx, r.poll) {
		}
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		b, err := r.read(ctx)
		pause := r.poll
		switch {
		case err == nil:
			failures = 0
			select {
			case r.out <- b:
			case <-ctx.Done():
				return nil
			}
			if b.end {
				return nil
			}
		case ctx.Err() != nil:
			return nil
		case !passes(err):
			return fmt.Errorf("shard %s: %w", r.shard, err)
		default:
			<-r.slots
			failures++
			pause = backoff(r.poll, failures)
			r.log.Warn("reading failed, trying again", "shard", r.shard, "failures", failures, "error", err)
		}
		if !r.rest(ctx, pause) {
			return nil
		}
	}
}

// rest waits. It reports false if ctx is done.
func (r *reader) rest(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff returns a longer pause after each failure, at random so that the
// readers of many shards do not come back together.
func backoff(poll time.Duration, failures int) time.Duration {
	pause := min(poll<<min(failures, 16), longestPause)
	return pause/2 + rand.N(pause/2+1)
}

// retryable knows the errors that pass: throttling above all, which is part of
// normal life with records this large, and failures of the network and of the
// service. The SDK has tried three times before they come here.
var retryable = retry.IsErrorRetryables(retry.DefaultRetryables)

func passes(err error) bool {
	var expired *types.ExpiredIteratorException
	var keys *types.KMSThrottlingException
	return errors.As(err, &expired) || errors.As(err, &keys) || errors.Is(err, context.DeadlineExceeded) ||
		retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// read asks once for records.
func (r *reader) read(ctx context.Context) (batch, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if r.iterator == nil {
		if err := r.seek(ctx); err != nil {
			return batch{}, err
		}
	}
	asked := time.Now()
	answer, err := r.api.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: r.iterator})
	if err != nil {
		var expired *types.ExpiredIteratorException // five minutes passed, as they do when a laptop sleeps
		if errors.As(err, &expired) {
			r.iterator = nil
		}
		return batch{}, err
	}
	r.iterator = answer.NextShardIterator
	b := batch{shard: r.shard, end: r.iterator == nil, children: answer.ChildShards}
	if n := len(answer.Records); n > 0 {
		// Not asked less MillisBehindLatest: that counts from the present or from the
		// newest record of the shard, depending on whom one asks. In the second case
		// it can be 0 while records are left that came in the same millisecond.
		b.through = aws.ToTime(answer.Records[n-1].ApproximateArrivalTimestamp)
	} else if answer.MillisBehindLatest != nil && *answer.MillisBehindLatest == 0 {
		b.through = arrivalTime(asked, answer)
	}
	b.records = r.fresh(answer.Records, b.end)
	return b, nil
}

// arrivalTime returns when an answer was asked for by the service's clock, which
// is the one that dates the records, or somewhat earlier. This machine's clock
// may be hours ahead of it: the SDK makes up for that where it signs.
func arrivalTime(asked time.Time, answer *kinesis.GetRecordsOutput) time.Time {
	if answered, ok := middleware.GetServerTime(answer.ResultMetadata); ok {
		return answered.Add(-time.Since(asked))
	}
	return asked
}

// seek gets an iterator for r.at.
//
// Behind a record it begins with the record itself, which fresh drops, rather
// than with AFTER_SEQUENCE_NUMBER: a position that has left the stream gives no
// error, reading goes on at the oldest record that is left. Only a record that is
// still there shows that none is missing behind it.
func (r *reader) seek(ctx context.Context) error {
	in := &kinesis.GetShardIteratorInput{StreamName: &r.stream, ShardId: &r.shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if r.at.Sequence != "" {
		in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAtSequenceNumber, &r.at.Sequence
	}
	out, err := r.api.GetShardIterator(ctx, in)
	if err != nil {
		return err
	}
	r.iterator, r.check = out.ShardIterator, r.at.Sequence != ""
	return nil
}

// fresh returns the records that were not read before.
func (r *reader) fresh(records []types.Record, end bool) []types.Record {
	if r.check && (len(records) > 0 || end) {
		r.check = false
		if len(records) == 0 || aws.ToString(records[0].SequenceNumber) != r.at.Sequence {
			r.log.Error("RECORDS MAY BE LOST: the stream has not kept those from the checkpoint on", "shard", r.shard, "checkpoint", r.at.Sequence)
		} else if r.at.After {
			records = records[1:]
		}
	}
	if n := len(records); n > 0 {
		r.at = dsql.Floor{Shard: r.shard, Sequence: aws.ToString(records[n-1].SequenceNumber), After: true}
	}
	return records
}
