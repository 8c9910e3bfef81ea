package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
)

// A fake is a service that has a generated stream, the last record of which came
// an hour ago unless the test says otherwise. It shows what has arrived.
type fake struct {
	stream    *dsqltest.Stream
	answer    int                                 // records in an answer, at most
	resharded time.Time                           // until then ListShards shows no shard that has parents, unless the end of one was told
	linger    int                                 // empty answers before the end of a shard is told
	trimmed   map[string]int                      // records that have left the shard
	fail      func(operation, shard string) error // nil lets a request succeed
	shift     time.Duration                       // added to the stream's times
	slow      func(shard string) time.Duration    // how long its answers are on the way; nil for no time
	newest    bool                                // MillisBehindLatest counts from a shard's newest record, as kinesis-local's does, not from the present

	mu    sync.Mutex
	calls map[string]int  // by operation, and by operation and shard
	ended map[string]bool // shards of which the end was told
	early []string        // shards that were asked for before the end of a parent
}

func newFake(stream *dsqltest.Stream) *fake {
	var last time.Time
	for _, s := range stream.Shards {
		if n := len(s.Records); n > 0 && s.Records[n-1].Arrival.After(last) {
			last = s.Records[n-1].Arrival
		}
	}
	return &fake{
		stream: stream, answer: 10, calls: make(map[string]int), ended: make(map[string]bool),
		shift: time.Since(last.Add(time.Hour)),
	}
}

func (f *fake) enter(ctx context.Context, operation, shard string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[operation]++
	f.calls[operation+" "+shard]++
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.fail != nil {
		return f.fail(operation, shard)
	}
	return nil
}

func (f *fake) shard(id string) (*dsqltest.Shard, error) {
	i := slices.IndexFunc(f.stream.Shards, func(s dsqltest.Shard) bool { return s.ID == id })
	if i < 0 {
		return nil, &types.ResourceNotFoundException{Message: aws.String("no shard " + id)}
	}
	return &f.stream.Shards[i], nil
}

// ListShards shows two shards at a time.
func (f *fake) ListShards(ctx context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	if err := f.enter(ctx, "ListShards", ""); err != nil {
		return nil, err
	}
	from := 0
	if in.NextToken != nil {
		if _, err := fmt.Sscan(*in.NextToken, &from); err != nil || in.StreamName != nil {
			return nil, &types.InvalidArgumentException{Message: aws.String("both a token and a name, or a bad token")}
		}
	}
	f.mu.Lock()
	all := slices.Clone(f.stream.Shards)
	if time.Now().Before(f.resharded) && len(f.ended) == 0 {
		all = slices.DeleteFunc(all, func(s dsqltest.Shard) bool { return s.Parents != nil })
	}
	f.mu.Unlock()
	to := min(from+2, len(all))
	out := new(kinesis.ListShardsOutput)
	for _, s := range all[from:to] {
		shard := types.Shard{ShardId: aws.String(s.ID)}
		for i, p := range s.Parents {
			*[]**string{&shard.ParentShardId, &shard.AdjacentParentShardId}[i] = aws.String(p)
		}
		out.Shards = append(out.Shards, shard)
	}
	if to < len(all) {
		out.NextToken = aws.String(fmt.Sprint(to))
	}
	return out, nil
}

func (f *fake) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, _ ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	id := aws.ToString(in.ShardId)
	if err := f.enter(ctx, "GetShardIterator", id); err != nil {
		return nil, err
	}
	s, err := f.shard(id)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	for _, p := range s.Parents {
		if !f.ended[p] {
			f.early = append(f.early, id)
		}
	}
	f.mu.Unlock()
	at := 0
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeTrimHorizon:
	case types.ShardIteratorTypeAtSequenceNumber:
		for i, r := range s.Records {
			if r.Sequence == aws.ToString(in.StartingSequenceNumber) {
				at = i
			}
		}
	default:
		return nil, &types.InvalidArgumentException{Message: aws.String("iterator type")}
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: iterator(id, max(at, f.trimmed[id]))}, nil
}

func iterator(shard string, at int) *string { return aws.String(fmt.Sprintf("%d %s", at, shard)) }

func (f *fake) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	var id string
	var at int
	if _, err := fmt.Sscanf(aws.ToString(in.ShardIterator), "%d %s", &at, &id); err != nil {
		return nil, &types.InvalidArgumentException{Message: aws.String("iterator")}
	}
	if err := f.enter(ctx, "GetRecords", id); err != nil {
		return nil, err
	}
	s, err := f.shard(id)
	if err != nil {
		return nil, err
	}
	if f.slow != nil {
		defer time.Sleep(f.slow(id))
	}
	out := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(0)}
	arrived := f.arrived(s)
	from, to := min(at, arrived), min(at+f.answer, arrived)
	for _, r := range s.Records[from:to] {
		out.Records = append(out.Records, types.Record{
			SequenceNumber: aws.String(r.Sequence), ApproximateArrivalTimestamp: aws.Time(r.Arrival.Add(f.shift)), Data: slices.Clone(r.Data),
		})
	}
	switch {
	case to == arrived:
	case f.newest:
		*out.MillisBehindLatest = s.Records[arrived-1].Arrival.Sub(s.Records[max(to-1, 0)].Arrival).Milliseconds()
	default:
		*out.MillisBehindLatest = time.Since(s.Records[to].Arrival.Add(f.shift)).Milliseconds()
	}
	// As in the service, the end is an answer of its own.
	closed := s.Closed && arrived == len(s.Records)
	if next := at + max(len(out.Records), 1); len(out.Records) > 0 || !closed || next <= len(s.Records)+f.linger {
		if !closed {
			next = to
		}
		out.NextShardIterator = iterator(id, next)
		return out, nil
	}
	f.mu.Lock()
	f.ended[id] = true
	f.mu.Unlock()
	for _, child := range f.stream.Shards {
		if slices.Contains(child.Parents, id) {
			out.ChildShards = append(out.ChildShards, types.ChildShard{ShardId: aws.String(child.ID), ParentShards: child.Parents})
		}
	}
	return out, nil
}

// arrived returns how many records a shard has by now.
func (f *fake) arrived(s *dsqltest.Shard) int {
	now := time.Now()
	n := slices.IndexFunc(s.Records, func(r dsql.Record) bool { return r.Arrival.Add(f.shift).After(now) })
	if n < 0 {
		return len(s.Records)
	}
	return n
}

// begin makes the stream's first record arrive now, and the others after it.
func (f *fake) begin() {
	first := f.stream.Shards[0].Records[0].Arrival
	for _, s := range f.stream.Shards {
		if len(s.Records) > 0 && s.Records[0].Arrival.Before(first) {
			first = s.Records[0].Arrival
		}
	}
	f.shift = time.Since(first)
}

func (f *fake) called(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}
