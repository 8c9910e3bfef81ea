package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
)

// Whatever is cut, repeated, spread over shards that are split and merged, and
// however often the consumer crashes or is stopped at whatever moment: in the end
// it has seen every record whole and has the rows of the database.
func TestConsumer(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				w := newWorld(t, dsqltest.Generator{
					Seed: seed, Transactions: 60, NoPrimaryKey: true, Before: seed%3 == 0, LargeKeys: seed%4 == 0,
					Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000,
					Shards: 1 + r.IntN(4), Reshards: r.IntN(4), Repeats: float64(seed%3) / 5,
				})
				w.api.resharded, w.api.linger = time.Now().Add(time.Duration(r.IntN(9000))*time.Millisecond), r.IntN(3)
				w.api.answer = 1 + r.IntN(20)
				for range r.IntN(12) {
					w.crash(r)
				}
				w.api.fail, w.flush = nil, [2]func() error{}
				w.last()
				w.check()
			})
		})
	}
}

// Throttling, iterators that expire and failures of the service are part of
// normal life.
func TestConsumerOfAnUnreliableService(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, dsqltest.Generator{Seed: seed, SplitAt: 500, FragmentBytes: 90, Large: 0.2, LargeBytes: 900, Reshards: 2})
			r := rand.New(rand.NewPCG(seed, 2))
			failed, started := map[string]int{}, false
			w.api.fail = func(operation, _ string) error {
				passing := []error{
					&types.ProvisionedThroughputExceededException{Message: aws.String("slow down")},
					&types.LimitExceededException{}, &types.KMSThrottlingException{},
					&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, context.DeadlineExceeded,
				}
				if operation == "GetRecords" {
					passing = append(passing, &types.ExpiredIteratorException{})
				}
				started = started || operation == "GetRecords"
				if !started || r.IntN(3) > 0 { // the SDK's own retries are all that there is at the start
					return nil
				}
				err := passing[r.IntN(len(passing))]
				failed[fmt.Sprintf("%T", err)]++
				return err
			}
			w.last()
			w.check()
			if len(failed) < 6 {
				t.Errorf("failures: %v", failed)
			}
		})
	}
}

// Errors that do not pass end the consumer.
func TestConsumerEnds(t *testing.T) {
	for operation, refusal := range map[string]error{
		"ListShards":       &types.ResourceNotFoundException{Message: aws.String("no stream")},
		"GetShardIterator": &types.InvalidArgumentException{Message: aws.String("a sequence number of another stream")},
		"GetRecords":       &types.AccessDeniedException{},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, dsqltest.Generator{})
			w.api.fail = func(o, _ string) error {
				if o == operation {
					return refusal
				}
				return nil
			}
			if err := w.live(t.Context()); !errors.Is(err, refusal) {
				t.Errorf("%s: got %v", operation, err)
			}
		})
	}
}

// A consumer that is told to stop leaves a checkpoint of all that it took.
func TestConsumerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{})
		ctx, stop := context.WithTimeout(t.Context(), 950*time.Millisecond) // before the first commit by time
		defer stop()
		if err := w.live(ctx); err != nil {
			t.Fatal(err)
		}
		saved, err := loadCheckpoint(w.checkpoint(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		if len(w.seen) == 0 || len(w.seen) != len(w.applied) || len(saved.Shards) == 0 {
			t.Errorf("%d changes were taken, %d flushed, the checkpoint has %d shards", len(w.applied), len(w.seen), len(saved.Shards))
		}
	})
}

// The end of a shard is worth a checkpoint, even if nothing comes after it.
func TestConsumerSavesAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Shards: 1, Reshards: 1})
		for i := range w.api.stream.Shards[1:] {
			w.api.stream.Shards[1+i].Records = nil
		}
		w.poll = 3 * time.Second
		w.last()
		w.checkEnd()
	})
}

// A shard that cannot be read for a while does not make the others fill the
// memory with parts that wait for its own.
func TestConsumerKeepsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{
			Seed: 5, Transactions: 200, Large: 0.5, SplitAt: 9000, FragmentBytes: 10_000, LargeBytes: 40_000, Lag: 100 * time.Millisecond, Shards: 3,
		})
		w.memory = 2 << 20 // some 50 rows of 350
		slow := w.api.stream.Shards[1].ID
		until := time.Now().Add(time.Minute)
		w.api.fail = func(operation, shard string) error {
			if operation == "GetRecords" && shard == slow && time.Now().Before(until) {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
		w.last()
		w.check()
	})
}

// Otherwise a shard that cannot be read delays no other.
func TestConsumerReadsWhatItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Shards: 3})
		slow := &w.api.stream.Shards[1]
		w.api.fail = func(operation, shard string) error {
			if shard == slow.ID {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		if err := w.live(ctx); err != nil {
			t.Fatal(err)
		}
		if want := len(w.api.stream.Whole) - len(slow.Records); len(w.seen) != want {
			t.Errorf("%d changes came to the sink, want %d", len(w.seen), want)
		}
	})
}

// The children of a shard are read as soon as it ends, and a shard that ended is
// left alone from then on.
func TestConsumerFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Seed: 2, Shards: 2, Reshards: 4})
		w.api.resharded = time.Now().Add(time.Hour)
		w.last()
		w.check()
		before := maps.Clone(w.api.calls)
		w.api.fail = nil
		w.last()
		for _, s := range w.api.stream.Shards {
			asked := w.api.called("GetShardIterator "+s.ID) - before["GetShardIterator "+s.ID]
			if (asked > 0) == s.Closed {
				t.Errorf("%s, closed %t: asked for %d times by the next consumer", s.ID, s.Closed, asked)
			}
		}
	})
}

// However many shards there are and however slow the sink is, no more answers
// than allowed are in memory.
func TestConsumerHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Shards: 8})
		ctx, stop := context.WithCancel(t.Context())
		blocked := make(chan struct{})
		s := stuck{make(chan struct{}), blocked}
		c := consumer{
			api: w.api, stream: "orders", sink: s, saved: &checkpoint{Shards: map[string]dsql.Floor{}, path: w.checkpoint()},
			printer: printer{w: io.Discard}, log: slog.New(slog.DiscardHandler), poll: time.Millisecond, every: time.Second, age: time.Hour, answers: 3, memory: 1 << 20,
		}
		done := make(chan error)
		go func() { done <- c.run(ctx) }()
		<-s.entered
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.api.called("GetRecords"); n != 3 {
			t.Errorf("%d answers while the sink takes none, want 3", n)
		}
		stop()
		close(blocked)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A stuck sink does not return from Apply until it is told to.
type stuck struct{ entered, blocked chan struct{} }

func (s stuck) Apply(*envelope.Change) (bool, error) {
	select {
	case s.entered <- struct{}{}:
	case <-s.blocked:
	}
	<-s.blocked
	return true, nil
}

func (s stuck) Flush() (int64, error) { return 0, nil }

// Records that are no records are reported and left behind.
func TestConsumerLeavesOutBadRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Seed: 4, Transactions: 40, NoPrimaryKey: true, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000})
		bad := []string{`{"type":"full","op":"c"`, `[]`, `{"type":"fragment","index":0}`, `{"type":"full","op":"c","source":{}}`, ""}
		s := &w.api.stream.Shards[0]
		for i, text := range bad {
			s.Records[5*i].Data = []byte(text)
		}
		w.last()
		if n := strings.Count(w.log.String(), "A CHANGE IS LOST"); n != len(bad) {
			t.Errorf("%d reports of %d bad records", n, len(bad))
		}
		for i := range bad {
			if !strings.Contains(w.log.String(), "sequence="+s.Records[5*i].Sequence) {
				t.Errorf("no report of %s", s.Records[5*i].Sequence)
			}
		}
		if n := strings.Count(w.log.String(), "left out"); n != 1 {
			t.Errorf("the table without a key was reported %d times", n)
		}
		if strings.Contains(w.out.String(), ".events ") {
			t.Error("and printed")
		}
		w.checkEnd()
	})
}

// A shard can leave the stream before all of it was read.
func TestConsumerMissesAShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{})
		text := `{"Stream":"orders","Shards":{"old":{"Shard":"old","Sequence":"1","After":true},"done":{"Shard":"done","Sequence":"1","After":true,"End":true}}}`
		if err := os.WriteFile(w.checkpoint(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.last()
		if n := strings.Count(w.log.String(), "LOST"); n != 1 || !strings.Contains(w.log.String(), "shard=old") {
			t.Error(w.log.String())
		}
		saved, err := loadCheckpoint(w.checkpoint(), "orders")
		if err != nil || len(saved.Shards) != len(w.api.stream.Shards) {
			t.Errorf("%+v, %v", saved, err)
		}
	})
}
