package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
)

// A reading is what a reader brought.
type reading struct {
	sequences []string
	batches   []batch
	log       string
	err       error
}

// read lets a reader go to the end of a shard, or for two minutes.
func read(t *testing.T, api *fake, at dsql.Floor) (got reading) {
	t.Helper()
	var log bytes.Buffer
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	out := make(chan batch)
	r := reader{
		api: api, stream: "orders", shard: at.Shard, at: at, poll: time.Second, pace: new(pace),
		slots: make(chan struct{}, 1), out: out, log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	go func() {
		got.err = r.run(ctx)
		close(out)
	}()
	for b := range out {
		for _, record := range b.records {
			got.sequences = append(got.sequences, *record.SequenceNumber)
		}
		got.batches = append(got.batches, b)
		<-r.slots
	}
	got.log = log.String()
	return got
}

// shardStream returns a service with one shard that was split, and its sequence
// numbers.
func shardStream(t *testing.T) (*fake, []string) {
	t.Helper()
	stream, err := dsqltest.Generator{Shards: 1, Reshards: 1, Transactions: 20}.Stream()
	if err != nil {
		t.Fatal(err)
	}
	var sequences []string
	for _, r := range stream.Shards[0].Records {
		sequences = append(sequences, r.Sequence)
	}
	if len(sequences) < 12 || len(stream.Shards) != 3 {
		t.Fatalf("%d records in the first of %d shards", len(sequences), len(stream.Shards))
	}
	api := newFake(stream)
	api.answer = 4
	return api, sequences
}

func TestReaderPosition(t *testing.T) {
	const shard = "shardId-000000000000"
	for _, c := range []struct {
		name    string
		at      int // index of the record in the checkpoint, -1 for none
		after   bool
		trimmed int
		first   int // index of the first record that is expected
		lost    bool
	}{
		{"beginning", -1, false, 0, 0, false},
		{"beginning, some have gone", -1, false, 3, 3, false},
		{"at", 5, false, 0, 5, false},
		{"at, it is the oldest", 5, false, 5, 5, false},
		{"at, it has gone", 5, false, 6, 6, true},
		{"after", 5, true, 0, 6, false},
		{"after, it is the oldest", 5, true, 5, 6, false},
		{"after, it has gone", 5, true, 6, 6, true},
		{"after, more has gone", 5, true, 8, 8, true},
		{"after the last", -2, true, 0, -1, false},
		{"all have gone", 5, true, -1, -1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, sequences := shardStream(t)
			end := len(sequences)
			index := func(i int) int {
				if i < 0 {
					return end + 1 + i
				}
				return i
			}
			at := dsql.Floor{Shard: shard, After: c.after}
			if c.at != -1 {
				at.Sequence = sequences[index(c.at)]
			}
			api.trimmed = map[string]int{shard: index(c.trimmed)}
			got := read(t, api, at)
			if want := sequences[index(c.first):]; !slices.Equal(got.sequences, want) {
				t.Errorf("%s: got %d records, want %d", c.name, len(got.sequences), len(want))
			}
			if strings.Contains(got.log, "RECORDS MAY BE LOST") != c.lost {
				t.Errorf("%s: %s", c.name, got.log)
			}
			last := got.batches[len(got.batches)-1]
			if got.err != nil || !last.end || len(last.children) != 2 {
				t.Errorf("%s: ended with %v: %+v", c.name, got.err, last)
			}
		})
	}
}

// What arrived before a batch's time was read, and no more is claimed.
func TestReaderTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := shardStream(t)
		records := api.stream.Shards[0].Records
		start := time.Now()
		got := read(t, api, dsql.Floor{Shard: "shardId-000000000000"})
		n := 0
		for i, b := range got.batches {
			n += len(b.records)
			want := start.Add(time.Duration(i) * time.Second) // when it was asked for
			if len(b.records) > 0 {
				want = records[n-1].Arrival.Add(api.shift)
			}
			if !b.through.Equal(want) {
				t.Errorf("batch %d is through %s, want %s", i, b.through, want)
			}
		}
	})
}

// The present is the service's, whatever this machine's clock says, and that of
// the question: an answer can be long on the way.
func TestReaderClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			asked := time.Now().Add(-ahead)
			api := kinesis.New(kinesis.Options{Region: "us-east-1", HTTPClient: answerer(func(r *http.Request) *http.Response {
				time.Sleep(20 * time.Second)
				w := httptest.NewRecorder()
				w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
				io.WriteString(w, `{"NextShardIterator":"next","MillisBehindLatest":0,"Records":[]}`)
				time.Sleep(20 * time.Second)
				return w.Result()
			})})
			r := reader{api: api, iterator: aws.String("first")}
			b, err := r.read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if early := asked.Sub(b.through); early < 0 || early > 30*time.Second {
				t.Errorf("a clock %s ahead: the answer claims to be through %s after it was asked for", ahead, -early)
			}
		})
	}
}

// An answerer answers in place of a network.
type answerer func(*http.Request) *http.Response

func (a answerer) Do(r *http.Request) (*http.Response, error) { return a(r), nil }

func TestReaderFailures(t *testing.T) {
	for _, failure := range []error{
		&types.ProvisionedThroughputExceededException{},
		&types.LimitExceededException{},
		&types.KMSThrottlingException{},
		&types.ExpiredIteratorException{},
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		fmt.Errorf("wrapped: %w", context.DeadlineExceeded),
	} {
		synctest.Test(t, func(t *testing.T) {
			api, sequences := shardStream(t)
			start, asked := time.Now(), 0
			var pauses []time.Duration
			api.fail = func(operation, _ string) error {
				if operation != "GetRecords" {
					return nil
				}
				pauses = append(pauses, time.Since(start))
				start = time.Now()
				if asked++; asked > 2 && asked <= 6 {
					return failure
				}
				return nil
			}
			got := read(t, api, dsql.Floor{Shard: "shardId-000000000000"})
			if got.err != nil || !slices.Equal(got.sequences, sequences) {
				t.Errorf("%T: got %d of %d records, %v", failure, len(got.sequences), len(sequences), got.err)
			}
			// 2, 4, 8 and 16 seconds less up to a half, and then as before.
			for i, shortest := range []time.Duration{0, time.Second, time.Second, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, time.Second} {
				if pauses[i] < shortest || pauses[i] > 2*shortest {
					t.Errorf("%T: pause %d of %s, want %s to %s", failure, i, pauses[i], shortest, 2*shortest)
				}
			}
			seeks := api.called("GetShardIterator")
			if _, expired := failure.(*types.ExpiredIteratorException); expired != (seeks > 1) {
				t.Errorf("%T: %d iterators", failure, seeks)
			}
		})
	}
	for _, failure := range []error{&types.ResourceNotFoundException{}, &types.InvalidArgumentException{}, errors.New("no credentials")} {
		synctest.Test(t, func(t *testing.T) {
			api, _ := shardStream(t)
			api.fail = func(string, string) error { return failure }
			if got := read(t, api, dsql.Floor{Shard: "shardId-000000000000"}); !errors.Is(got.err, failure) {
				t.Errorf("got %v, want %v", got.err, failure)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for failures := range 200 {
		longest := min(time.Second<<min(failures, 10), longestPause)
		if got := backoff(time.Second, failures); got < longest/2 || got > longest {
			t.Errorf("%d failures: %s", failures, got)
		}
	}
}
