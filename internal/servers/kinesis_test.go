//go:build servers

package servers

import (
	"fmt"
	"strings"
	"testing"
)

// call is a request that must succeed.
func (k *Kinesis) call(t *testing.T, operation string, in, out any) {
	t.Helper()
	if err := k.Request(t.Context(), operation, in, out); err != nil {
		t.Fatal(err)
	}
}

// summary waits until the stream is active.
func (k *Kinesis) summary(t *testing.T, stream string) (arn string, open int) {
	t.Helper()
	var answer struct {
		StreamDescriptionSummary struct {
			StreamARN, StreamStatus string
			OpenShardCount          int
		}
	}
	eventually(t, stream, func() string {
		k.call(t, "DescribeStreamSummary", map[string]any{"StreamName": stream}, &answer)
		return answer.StreamDescriptionSummary.StreamStatus
	}, "ACTIVE")
	return answer.StreamDescriptionSummary.StreamARN, answer.StreamDescriptionSummary.OpenShardCount
}

// read returns the sizes of a shard's records, and its children if it was closed.
func (k *Kinesis) read(t *testing.T, stream, shard string) (sizes []int, children []string) {
	t.Helper()
	var next struct{ ShardIterator string }
	k.call(t, "GetShardIterator", map[string]any{"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}, &next)
	for range 20 {
		var answer struct {
			Records           []struct{ Data []byte }
			NextShardIterator string
			ChildShards       []struct{ ShardId string }
		}
		k.call(t, "GetRecords", map[string]any{"ShardIterator": next.ShardIterator, "Limit": 100}, &answer)
		for _, r := range answer.Records {
			sizes = append(sizes, len(r.Data))
		}
		for _, c := range answer.ChildShards {
			children = append(children, c.ShardId)
		}
		next.ShardIterator = answer.NextShardIterator
		if next.ShardIterator == "" || len(answer.Records) == 0 {
			break
		}
	}
	return sizes, children
}

func TestKinesis(t *testing.T) {
	const (
		stream = "orders"
		first  = "shardId-000000000000"
		large  = 10<<20 - 100
	)
	k := StartKinesis(t)
	k.call(t, "CreateStream", map[string]any{"StreamName": stream, "ShardCount": 1}, nil)
	arn, _ := k.summary(t, stream)
	put := func(size int) error { return k.Put(t.Context(), stream, "k", make([]byte, size)) }
	if err := put(1<<20 + 1); err == nil {
		t.Error("a stream takes more than 1 MiB from the start")
	}
	k.call(t, "UpdateMaxRecordSize", map[string]any{"StreamARN": arn, "MaxRecordSizeInKiB": 10240}, nil)
	k.summary(t, stream)
	for _, size := range []int{large, 1, 0} {
		if err := put(size); err != nil {
			t.Fatal(err)
		}
	}
	k.call(t, "PutRecord", map[string]any{"StreamName": stream, "PartitionKey": "k", "Data": []byte("json")}, nil)
	k.call(t, "SplitShard", map[string]any{"StreamName": stream, "ShardToSplit": first, "NewStartingHashKey": "170141183460469231731687303715884105728"}, nil)
	if _, open := k.summary(t, stream); open != 2 {
		t.Errorf("%d open shards after the split", open)
	}
	sizes, children := k.read(t, stream, first)
	if got, want := fmt.Sprint(sizes), fmt.Sprint([]int{large, 1, 0, 4}); got != want {
		t.Errorf("read records of %s bytes, want %s", got, want)
	}
	if got, want := strings.Join(children, " "), "shardId-000000000001 shardId-000000000002"; got != want {
		t.Errorf("children of the closed shard: %q, want %q", got, want)
	}

	for life, end := range []func(){k.Kill, k.Stop, func() {}} {
		end()
		k.Restart()
		var answer struct{ StreamNames []string }
		k.call(t, "ListStreams", map[string]any{}, &answer)
		if len(answer.StreamNames) > 0 {
			t.Errorf("life %d: streams %q", life, answer.StreamNames)
		}
		k.call(t, "CreateStream", map[string]any{"StreamName": stream, "ShardCount": 1}, nil)
		k.summary(t, stream)
	}
}
