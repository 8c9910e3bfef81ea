package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
)

const arn = "arn:aws:kinesis:us-east-1:123456789012:stream/changes"

// A fake is a service that has the shards of one stream.
type fake struct {
	shards  map[string][]dsql.Record
	trimmed map[string]int // records that have left the shard
	closed  bool           // all shards are
	answer  int            // records in an answer, at most
	empty   int            // empty answers before each one with records
	tip     bool           // answers with records are 0 ms behind, whatever follows
	fail    func(operation string, call int) error

	mu     sync.Mutex
	calls  map[string]int // by operation
	limits []int32
}

func (f *fake) enter(ctx context.Context, operation string, stream *string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = make(map[string]int)
	}
	f.calls[operation]++
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case aws.ToString(stream) != arn:
		return &types.ResourceNotFoundException{Message: stream}
	case f.fail != nil:
		return f.fail(operation, f.calls[operation])
	}
	return nil
}

// GetShardIterator begins with the oldest record that is left if that at the
// sequence number has gone.
func (f *fake) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, _ ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	if err := f.enter(ctx, "GetShardIterator", in.StreamARN); err != nil {
		return nil, err
	}
	id := aws.ToString(in.ShardId)
	at := slices.IndexFunc(f.shards[id], func(r dsql.Record) bool { return r.Sequence == aws.ToString(in.StartingSequenceNumber) })
	if at < 0 || in.ShardIteratorType != types.ShardIteratorTypeAtSequenceNumber {
		return nil, &types.InvalidArgumentException{Message: in.StartingSequenceNumber}
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: iterator(id, max(at, f.trimmed[id]), 0)}, nil
}

func iterator(shard string, at, asked int) *string {
	return aws.String(fmt.Sprintf("%d %d %s", at, asked, shard))
}

func (f *fake) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	if err := f.enter(ctx, "GetRecords", in.StreamARN); err != nil {
		return nil, err
	}
	var id string
	var at, asked int
	if _, err := fmt.Sscanf(aws.ToString(in.ShardIterator), "%d %d %s", &at, &asked, &id); err != nil {
		return nil, &types.InvalidArgumentException{Message: aws.String("iterator")}
	}
	f.mu.Lock()
	f.limits = append(f.limits, *in.Limit)
	f.mu.Unlock()
	all := f.shards[id]
	out := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(1000)}
	if at == len(all) {
		*out.MillisBehindLatest = 0
		if !f.closed {
			out.NextShardIterator = iterator(id, at, 0)
		}
		return out, nil
	}
	if asked < f.empty {
		out.NextShardIterator = iterator(id, at, asked+1)
		return out, nil
	}
	to := min(at+f.answer, at+int(*in.Limit), len(all))
	for _, r := range all[at:to] {
		out.Records = append(out.Records, types.Record{
			SequenceNumber: aws.String(r.Sequence), ApproximateArrivalTimestamp: aws.Time(r.Arrival), Data: slices.Clone(r.Data),
		})
	}
	if f.tip || to == len(all) {
		*out.MillisBehindLatest = 0
	}
	if out.NextShardIterator = iterator(id, to, 0); f.closed && to == len(all) {
		out.NextShardIterator = nil
	}
	return out, nil
}
