//go:build servers

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/internal/servers"
)

const (
	changes = "changes" // the Kinesis stream
	crashes = 6
)

// TestKinesis kills examples/kinesis again and again while a stream is written, read and resharded, which has rows of 30 MiB
// in four pieces among small ones that are split as well. In the end the consumer has the rows of the database, has seen
// every record whole, and its checkpoint is at the stream's end.
func TestKinesis(t *testing.T) {
	streams := generate(t, map[string]dsqltest.Generator{
		"small": {Seed: 1, Transactions: 80, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Repeats: 0.1},
		"large": {Seed: 42, Transactions: 4, Large: 0.08, LargeBytes: 30 << 20, Repeats: 0.15},
	})
	records := delivery(streams)
	large := 0
	for _, r := range records {
		if len(r) > 9<<20 {
			large++
		}
	}
	if large < 3 || large > 5 {
		t.Fatalf("%d records of 10 MiB: another seed is needed", large) // each costs some ten seconds
	}
	c := buildConsumer(t, streams)
	k := &kinesisStream{Kinesis: servers.StartKinesis(t), t: t}
	k.create()
	c.endpoint = k.Endpoint()

	var written atomic.Int64
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { // the writer ends before the server does
		cancel()
		done <- <-done
	})
	began := time.Now()
	go func() { done <- k.write(ctx, records, &written) }()

	p := c.start()
	held := 0
	for i := range crashes {
		for int(written.Load()) < len(records)*(i+1)/(crashes+1) {
			select {
			case err := <-done:
				t.Fatalf("%d of %d records written: %v", written.Load(), len(records), err)
			case <-time.After(20 * time.Millisecond):
			}
		}
		time.Sleep(rand.N(1500 * time.Millisecond))
		c.crash(p)
		if slices.ContainsFunc(c.floors(), func(f dsql.Floor) bool { return !f.After }) {
			held++
		}
		p.Restart()
	}
	if held == 0 {
		t.Error("no crash found a split record incomplete: they tested nothing")
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	done <- nil
	took := time.Since(began)
	c.awaitSeen(p)
	c.crash(p)
	if bytes.Contains(p.Output(), []byte("given up")) {
		t.Error("records were given up before the hour that they have")
	}
	// Repeats of parts whose record was done before a crash hold the checkpoint until they are given up. No two records
	// arrived further apart than the writing took, however long that was: of what comes again, nothing else is given up.
	last := c.start("-age", took.String())
	k.awaitEnd(c, last, took)
	last.Stop()
	c.check(append(p.Output(), last.Output()...))
	t.Logf("%d records, %d of them of 10 MiB, %d shards in the end; %d of %d crashes while a split record was incomplete",
		len(records), large, len(k.shards()), held, crashes)
}

// generate returns streams by cluster.
func generate(t *testing.T, generators map[string]dsqltest.Generator) map[string]*dsqltest.Stream {
	t.Helper()
	streams := map[string]*dsqltest.Stream{}
	for cluster, g := range generators {
		g.Cluster = cluster
		s, err := g.Stream()
		if err != nil {
			t.Fatal(err)
		}
		streams[cluster] = s
	}
	return streams
}

// delivery returns the records of all streams, each stream's in the order of their arrival, and evenly mixed.
func delivery(streams map[string]*dsqltest.Stream) [][]byte {
	type place struct {
		at   float64
		data []byte
	}
	var all []place
	for _, cluster := range slices.Sorted(maps.Keys(streams)) {
		var records []dsql.Record
		for _, shard := range streams[cluster].Shards {
			records = append(records, shard.Records...)
		}
		slices.SortStableFunc(records, func(a, b dsql.Record) int { return a.Arrival.Compare(b.Arrival) })
		for i, r := range records {
			all = append(all, place{float64(i) / float64(len(records)), r.Data})
		}
	}
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	out := make([][]byte, len(all))
	for i, p := range all {
		out[i] = p.data
	}
	return out
}

// A kinesisStream is the stream that is written.
type kinesisStream struct {
	*servers.Kinesis
	t *testing.T
}

type kinesisShard struct {
	ShardId      string
	HashKeyRange struct{ StartingHashKey, EndingHashKey string }
	Range        struct{ EndingSequenceNumber string } `json:"SequenceNumberRange"`
}

func (s *kinesisShard) open() bool { return s.Range.EndingSequenceNumber == "" }

func (s *kinesisShard) first() *big.Int { return number(s.HashKeyRange.StartingHashKey) }

func number(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

func (k *kinesisStream) request(ctx context.Context, operation string, in map[string]any, out any) error {
	if in["ShardIterator"] == nil {
		in["StreamName"] = changes
	}
	return k.Request(ctx, operation, in, out)
}

func (k *kinesisStream) must(operation string, in map[string]any, out any) {
	k.t.Helper()
	if err := k.request(k.t.Context(), operation, in, out); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kinesisStream) create() {
	k.t.Helper()
	k.must("CreateStream", map[string]any{"ShardCount": 3}, nil)
	arn, err := k.active(k.t.Context())
	if err == nil {
		err = k.Request(k.t.Context(), "UpdateMaxRecordSize", map[string]any{"StreamARN": arn, "MaxRecordSizeInKiB": 10240}, nil)
	}
	if err == nil {
		_, err = k.active(k.t.Context())
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// active waits until the stream is.
func (k *kinesisStream) active(ctx context.Context) (arn string, err error) {
	for range 200 {
		var answer struct {
			StreamDescriptionSummary struct{ StreamARN, StreamStatus string }
		}
		if err := k.request(ctx, "DescribeStreamSummary", map[string]any{}, &answer); err != nil {
			return "", err
		}
		if answer.StreamDescriptionSummary.StreamStatus == "ACTIVE" {
			return answer.StreamDescriptionSummary.StreamARN, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", fmt.Errorf("the stream does not become active")
}

func (k *kinesisStream) shards() []kinesisShard {
	k.t.Helper()
	var answer struct{ Shards []kinesisShard }
	k.must("ListShards", map[string]any{}, &answer)
	return answer.Shards
}

// write puts the records, to random shards as DSQL does, and reshards in between.
func (k *kinesisStream) write(ctx context.Context, records [][]byte, written *atomic.Int64) error {
	reshards := []func(context.Context) error{k.split, k.merge, k.scale, k.split}
	rng := rand.New(rand.NewPCG(1, 4))
	type entry struct {
		PartitionKey string
		Data         []byte
	}
	var small []entry
	flush := func() error {
		if len(small) == 0 {
			return nil
		}
		var answer struct{ FailedRecordCount int }
		err := k.request(ctx, "PutRecords", map[string]any{"Records": small}, &answer)
		if err == nil && answer.FailedRecordCount > 0 {
			err = fmt.Errorf("%d records were refused", answer.FailedRecordCount)
		}
		small = small[:0]
		return err
	}
	for i, data := range records {
		key := strconv.FormatUint(rng.Uint64(), 36)
		var err error
		if len(data) < 1<<20 {
			small = append(small, entry{key, data})
		} else if err = flush(); err == nil {
			err = k.Put(ctx, changes, key, data)
		}
		if err == nil && (len(small) == 20 || i == len(records)-1) {
			err = flush()
		}
		if err != nil {
			return err
		}
		written.Store(int64(i + 1))
		if n := len(reshards); n > 0 && i >= len(records)*(5-n)/5 {
			if err := reshards[0](ctx); err != nil {
				return err
			}
			if _, err := k.active(ctx); err != nil {
				return err
			}
			reshards = reshards[1:]
		}
	}
	return nil
}

// open returns the open shards in the order of their hash keys.
func (k *kinesisStream) open(ctx context.Context) ([]kinesisShard, error) {
	var answer struct{ Shards []kinesisShard }
	if err := k.request(ctx, "ListShards", map[string]any{}, &answer); err != nil {
		return nil, err
	}
	open := slices.DeleteFunc(answer.Shards, func(s kinesisShard) bool { return !s.open() })
	slices.SortFunc(open, func(a, b kinesisShard) int { return a.first().Cmp(b.first()) })
	return open, nil
}

func (k *kinesisStream) split(ctx context.Context) error {
	open, err := k.open(ctx)
	if err != nil {
		return err
	}
	s := open[len(open)/2]
	middle := new(big.Int).Add(s.first(), number(s.HashKeyRange.EndingHashKey))
	return k.request(ctx, "SplitShard", map[string]any{"ShardToSplit": s.ShardId, "NewStartingHashKey": middle.Rsh(middle, 1).String()}, nil)
}

func (k *kinesisStream) merge(ctx context.Context) error {
	open, err := k.open(ctx)
	if err != nil {
		return err
	}
	return k.request(ctx, "MergeShards", map[string]any{"ShardToMerge": open[0].ShardId, "AdjacentShardToMerge": open[1].ShardId}, nil)
}

func (k *kinesisStream) scale(ctx context.Context) error {
	return k.request(ctx, "UpdateShardCount", map[string]any{"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}, nil)
}

// awaitEnd waits until the checkpoint of a consumer with this age is at the end of all shards.
func (k *kinesisStream) awaitEnd(c *dsqlConsumer, p *servers.Program, age time.Duration) {
	k.t.Helper()
	var before []dsql.Floor
	for deadline := time.Now().Add(90*time.Second + 2*age); ; time.Sleep(500 * time.Millisecond) {
		how := "the consumer makes progress"
		if floors := c.floors(); slices.Equal(floors, before) {
			// Not earlier: asking what is behind it costs the server as much as the consumer does.
			if how = k.behind(floors); how == "" {
				return
			}
		} else {
			before = floors
		}
		if !p.Running() || time.Now().After(deadline) {
			k.t.Fatal("the checkpoint is not at the end: ", how)
		}
	}
}

// behind says which shard has something behind the checkpoint.
func (k *kinesisStream) behind(floors []dsql.Floor) string {
	k.t.Helper()
	for _, s := range k.shards() {
		i := slices.IndexFunc(floors, func(f dsql.Floor) bool { return f.Shard == s.ShardId })
		at := map[string]any{"ShardId": s.ShardId, "ShardIteratorType": "TRIM_HORIZON"}
		switch {
		case !s.open() && i >= 0 && floors[i].End:
			continue
		case !s.open():
			return s.ShardId + " is closed"
		case i >= 0 && !floors[i].After:
			return s.ShardId + " has an incomplete record"
		case i >= 0:
			at["ShardIteratorType"], at["StartingSequenceNumber"] = "AFTER_SEQUENCE_NUMBER", floors[i].Sequence
		}
		var iterator map[string]any
		k.must("GetShardIterator", at, &iterator)
		var answer struct {
			Records []struct{ SequenceNumber string }
		}
		k.must("GetRecords", map[string]any{"ShardIterator": iterator["ShardIterator"]}, &answer)
		if len(answer.Records) > 0 {
			return s.ShardId + " has more"
		}
	}
	return ""
}
