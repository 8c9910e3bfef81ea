package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
)

// A service is what reading needs of Kinesis. *kinesis.Client has it.
type service interface {
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// A reader reads shards from a sequence number on.
type reader struct {
	api service
	log *slog.Logger
}

const (
	pause        = 250 * time.Millisecond // between two answers: a shard gives five a second to all who read it
	longestPause = 10 * time.Second
	maxLimit     = 10_000 // records in an answer
)

// read returns the Read for a failure of n records. An answer has no more than
// these: what is behind them would only use up the shard's 2 MB/s.
func (r reader) read(n int) dsql.Read {
	limit := int32(min(max(n, 1), maxLimit))
	return func(ctx context.Context, stream, shard, from string) iter.Seq2[dsql.Record, error] {
		return func(yield func(dsql.Record, error) bool) {
			p := place{api: r.api, stream: stream, shard: shard, at: from, limit: limit}
			for failures := 0; ; {
				records, end, err := p.next(ctx)
				wait := pause
				switch {
				case err == nil:
					failures = 0
				case !passes(err):
					yield(dsql.Record{}, err)
					return
				default:
					failures++
					wait = backoff(failures)
					r.log.Info("reading failed, trying again", "shard", shard, "failures", failures, "error", err)
				}
				for _, record := range records {
					if !yield(dsql.Record{
						Shard: shard, Sequence: aws.ToString(record.SequenceNumber),
						Arrival: aws.ToTime(record.ApproximateArrivalTimestamp), Data: record.Data,
					}, nil) {
						return
					}
				}
				if end || !rest(ctx, wait) {
					return
				}
			}
		}
	}
}

// rest waits. It reports false if ctx is done.
func rest(ctx context.Context, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff returns a longer pause after each failure, at random so that several
// invocations do not come back together.
func backoff(failures int) time.Duration {
	wait := min(pause<<min(failures, 16), longestPause)
	return wait/2 + rand.N(wait/2+1)
}

// retryable knows the errors that pass: throttling above all, since the stream's
// function reads the same shards, and failures of the network and of the service.
// The SDK has tried three times before they come here.
var retryable = retry.IsErrorRetryables(retry.DefaultRetryables)

func passes(err error) bool {
	var expired *types.ExpiredIteratorException
	var keys *types.KMSThrottlingException
	return errors.As(err, &expired) || errors.As(err, &keys) || retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// A place is where a shard is being read.
type place struct {
	api           service
	stream, shard string
	limit         int32
	at            string // the sequence number to begin with; once one was read, the last that was
	begun         bool   // one was read
	iterator      *string
	again         bool // the next record must be the one at which it is, and was read before
}

// next asks once for records. end says that nothing comes behind them.
func (p *place) next(ctx context.Context) (records []types.Record, end bool, err error) {
	if p.iterator == nil {
		if err := p.seek(ctx); err != nil {
			return nil, false, err
		}
	}
	answer, err := p.api.GetRecords(ctx, &kinesis.GetRecordsInput{StreamARN: &p.stream, ShardIterator: p.iterator, Limit: &p.limit})
	if err != nil {
		var expired *types.ExpiredIteratorException // five minutes passed: a sink can take that long
		if errors.As(err, &expired) {
			p.iterator = nil
		}
		return nil, false, err
	}
	p.iterator, records = answer.NextShardIterator, answer.Records
	// Not at the first answer that is 0 behind: records can arrive in the same
	// millisecond, so that one of them is at the tip and others follow it.
	end = p.iterator == nil || len(records) == 0 && answer.MillisBehindLatest != nil && *answer.MillisBehindLatest == 0
	if p.again && (len(records) > 0 || end) {
		p.again = false
		if len(records) == 0 || aws.ToString(records[0].SequenceNumber) != p.at {
			return nil, false, fmt.Errorf("%w: %s left %s while it was being read", dsql.ErrGone, p.at, p.shard)
		}
		records = records[1:]
	}
	if n := len(records); n > 0 {
		p.at, p.begun = aws.ToString(records[n-1].SequenceNumber), true
	}
	return records, end, nil
}

// seek gets an iterator. Behind a record it begins with the record itself, not
// with AFTER_SEQUENCE_NUMBER: if that has left the stream, reading goes on at the
// oldest record that is left, and nothing tells of those between.
func (p *place) seek(ctx context.Context) error {
	out, err := p.api.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamARN: &p.stream, ShardId: &p.shard, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: &p.at,
	})
	if err != nil {
		return err
	}
	p.iterator, p.again = out.ShardIterator, p.begun
	return nil
}
