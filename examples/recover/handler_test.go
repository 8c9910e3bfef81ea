package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
)

// A durable is a store that other processes share.
type durable struct {
	dsql.Memory
	fail error
}

func (*durable) Durable() bool { return true }

func (d *durable) Put(ctx context.Context, chunkID string, index int, data envelope.Value) error {
	if d.fail != nil {
		return d.fail
	}
	return d.Memory.Put(ctx, chunkID, index, data)
}

// A world is what outlives the function, and what the test has seen of it.
type world struct {
	t       *testing.T
	api     *fake
	store   durable
	applied []string // changes that came to the sink since it was flushed
	seen    []string // and before
	sink    error    // of its Flush
	refuse  error    // of its Apply
	log     bytes.Buffer
}

func (w *world) Apply(_ context.Context, c *envelope.Change) error {
	w.applied = append(w.applied, describe(c))
	return w.refuse
}

func (w *world) Flush(context.Context) error {
	if w.sink == nil {
		w.seen = append(w.seen, w.applied...)
		w.applied = nil
	}
	return w.sink
}

func describe(c *envelope.Change) string {
	return fmt.Sprintf("%s %s %d %s %s %s", c.Op, c.Table, c.Time, c.TxID, c.Before, c.After)
}

// invoke returns which messages are to come again.
func (w *world) invoke(ctx context.Context, messages map[string]string) (again []string) {
	w.t.Helper()
	h := handler{store: &w.store, sink: w, log: slog.New(slog.NewTextHandler(&w.log, nil))}
	h.reader = reader{w.api, h.log}
	var event events.SQSEvent
	for _, id := range slices.Sorted(maps.Keys(messages)) {
		event.Records = append(event.Records, events.SQSMessage{MessageId: id, Body: messages[id]})
	}
	out, err := h.Handle(ctx, event)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, failure := range out.BatchItemFailures {
		again = append(again, failure.ItemIdentifier)
	}
	if len(w.applied) > 0 && len(again) == 0 {
		w.t.Error("the messages may go, and the sink was not flushed")
	}
	return again
}

// on returns the document of a range of a shard's records.
func (w *world) on(shard string, from, to int) string {
	records := w.api.shards[shard][from : to+1]
	return fmt.Sprintf(`{"requestContext":{"condition":"RetryAttemptsExhausted"},"version":"1.0","timestamp":"2024-01-15T11:30:04.100Z",
		"KinesisBatchInfo":{"shardId":%q,"startSequenceNumber":%q,"endSequenceNumber":%q,"batchSize":%d,"streamArn":%q,
			"approximateArrivalOfFirstRecord":"2024-01-15T11:30:00.210Z","approximateArrivalOfLastRecord":"2024-01-15T11:30:00.350Z"}}`,
		shard, records[0].Sequence, records[len(records)-1].Sequence, len(records), arn)
}

// newWorld has two shards: in one a whole record, a main record, the first of its
// fragments and another whole record, in the other the second fragment.
func newWorld(t *testing.T) *world {
	const source = `"source":{"ts_ns":1705318200000000002,"schema":"public","table":"notes","db":"postgres","cluster":"c1"}}`
	w := &world{t: t, api: &fake{shards: make(map[string][]dsql.Record), trimmed: make(map[string]int), answer: 100}}
	for id, data := range map[string][]string{
		"a": {
			`{"type":"full","op":"c","after":{"id":1,"body":"secret"},` + source,
			`{"type":"chunked","op":"c","chunked":{"after":{"chunk_id":"c7","total_fragments":2,"crc32c":"3773887392"}},` + source,
			`{"type":"fragment","chunk_id":"c7","index":0,"data":"{\"id\":7,\"body\":\"hello "}`,
			`{"type":"full","op":"c","after":{"id":2,"body":"secret"},` + source,
		},
		"b": {`{"type":"fragment","chunk_id":"c7","index":1,"data":"lakehouse\"}"}`},
	} {
		for i, d := range data {
			w.api.shards[id] = append(w.api.shards[id], dsql.Record{Sequence: fmt.Sprint(100 + i), Arrival: time.Now(), Data: []byte(d)})
		}
	}
	return w
}

// sees compares the rows that the sink has.
func (w *world) sees(want ...string) {
	w.t.Helper()
	var got []string
	for _, s := range w.seen {
		got = append(got, s[strings.LastIndex(s, "{"):])
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("the sink has %s, want %s\n%s", got, want, w.log.String())
	}
	for _, row := range []string{"secret", "hello", "lakehouse"} {
		if strings.Contains(w.log.String(), row) {
			w.t.Errorf("the log has row data: %s", w.log.String())
		}
	}
}

func (w *world) comeAgain(messages map[string]string, want ...string) {
	w.t.Helper()
	if got := w.invoke(w.t.Context(), messages); !slices.Equal(got, want) {
		w.t.Errorf("%s come again, want %s\n%s", got, want, w.log.String())
	}
}

func (w *world) logs(want ...string) {
	w.t.Helper()
	for _, s := range want {
		if !strings.Contains(w.log.String(), s) {
			w.t.Errorf("not in the log: %s\n%s", s, w.log.String())
		}
	}
}

const joined = `{"id":7,"body":"hello lakehouse"}`

func TestHandler(t *testing.T) {
	t.Run("whole records", func(t *testing.T) {
		w := newWorld(t)
		w.comeAgain(map[string]string{"m1": w.on("a", 3, 3), "m2": w.on("a", 0, 0)})
		w.sees(`{"id":2,"body":"secret"}`, `{"id":1,"body":"secret"}`)
	})
	t.Run("main record first", func(t *testing.T) {
		w := newWorld(t)
		messages := map[string]string{"m1": w.on("a", 0, 2), "m2": w.on("b", 0, 0)}
		w.comeAgain(messages, "m1")
		w.logs("level=INFO msg=\"not done yet\" messageId=m1", "a record waits for fragments", "chunk=c7 total=2")
		w.comeAgain(map[string]string{"m1": messages["m1"]})
		w.sees(`{"id":1,"body":"secret"}`, `{"id":1,"body":"secret"}`, joined)
		// Its deletion is not certain: a queue brings messages twice.
		w.comeAgain(map[string]string{"m1": messages["m1"]})
		w.sees(`{"id":1,"body":"secret"}`, `{"id":1,"body":"secret"}`, joined, `{"id":1,"body":"secret"}`, joined)
	})
	t.Run("fragments first", func(t *testing.T) {
		w := newWorld(t)
		w.comeAgain(map[string]string{"m1": w.on("b", 0, 0), "m2": w.on("a", 1, 2)})
		w.sees(joined)
	})
	t.Run("a fragment comes meanwhile", func(t *testing.T) {
		w := newWorld(t)
		w.api.answer = 1
		w.api.fail = func(operation string, call int) error {
			if operation == "GetRecords" && call == 3 { // the main record and its first fragment were taken
				return w.store.Memory.Put(t.Context(), "c7", 1, envelope.Value(`"lakehouse\"}"`))
			}
			return nil
		}
		w.comeAgain(map[string]string{"m1": w.on("a", 1, 3)})
		w.sees(`{"id":2,"body":"secret"}`, joined)
	})
	t.Run("gone", func(t *testing.T) {
		w := newWorld(t)
		w.api.trimmed["a"] = 2
		w.comeAgain(map[string]string{"m1": w.on("a", 1, 3), "m2": w.on("a", 3, 3)}, "m1")
		w.logs("level=ERROR msg=\"RECORDS ARE GONE", "messageId=m1", "shard=a first=101 last=103")
		w.sees(`{"id":2,"body":"secret"}`)
	})
	t.Run("no documents", func(t *testing.T) {
		w := newWorld(t)
		w.comeAgain(map[string]string{"m1": "", "m2": `{"secret":1}`, "m3": w.on("a", 0, 0)[:90] + "secret", "m4": w.on("a", 0, 0)}, "m1", "m2", "m3")
		w.logs("level=ERROR msg=\"NOT A DOCUMENT", "messageId=m1", "messageId=m2", "messageId=m3")
		w.sees(`{"id":1,"body":"secret"}`)
	})
	t.Run("from a topic", func(t *testing.T) {
		w := newWorld(t)
		body, err := json.Marshal(map[string]string{"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:failures", "Message": w.on("a", 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		w.comeAgain(map[string]string{"m1": string(body)})
		w.sees(`{"id":1,"body":"secret"}`)
	})
	t.Run("bad records", func(t *testing.T) {
		w := newWorld(t)
		w.api.shards["a"][0].Data = []byte(`{"type":"full","op":"secret`)
		w.api.shards["a"][2].Data = []byte(`{"type":"fragment","chunk_id":"c7","index":0,"data":"{\"id\":7,\"body\":\"secrets"}`)
		w.comeAgain(map[string]string{"m1": w.on("b", 0, 0), "m2": w.on("a", 0, 3)})
		w.logs("level=ERROR msg=\"A CHANGE IS LOST\"", "shard=a", "sequence=100", "sequence=102", "msg=\"given up\"", "chunk=c7")
		w.sees(`{"id":2,"body":"secret"}`)
	})
	t.Run("the sink refuses changes", func(t *testing.T) {
		w := newWorld(t)
		w.refuse = envelope.ErrNoKey
		w.comeAgain(map[string]string{"m1": w.on("a", 0, 0)})
		w.logs("A CHANGE IS LOST", "sequence=100")
		w.refuse = errors.New("the sink is gone")
		w.comeAgain(map[string]string{"m1": w.on("a", 0, 0)}, "m1")
	})
	t.Run("the store fails", func(t *testing.T) {
		w := newWorld(t)
		w.store.fail = errors.New("503")
		w.comeAgain(map[string]string{"m1": w.on("b", 0, 0), "m2": w.on("a", 0, 0)}, "m1")
		w.store.fail = nil
		w.comeAgain(map[string]string{"m1": w.on("b", 0, 0), "m2": w.on("a", 1, 2)})
		w.sees(`{"id":1,"body":"secret"}`, joined)
	})
	t.Run("the sink fails", func(t *testing.T) {
		w := newWorld(t)
		w.sink = errors.New("503")
		w.comeAgain(map[string]string{"m1": w.on("a", 0, 0)}, "m1")
		w.sees()
	})
	t.Run("the stream fails", func(t *testing.T) {
		w := newWorld(t)
		w.comeAgain(map[string]string{"m1": strings.ReplaceAll(w.on("a", 0, 0), arn, arn+"2"), "m2": w.on("a", 3, 3)}, "m1")
		w.sees(`{"id":2,"body":"secret"}`)
	})
}

// An invocation that runs out of time answers, for what was done not to come
// again.
func TestHandlerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.api.fail = func(operation string, call int) error {
			if operation == "GetRecords" && call > 1 {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := w.invoke(ctx, map[string]string{"m1": w.on("a", 0, 0), "m2": w.on("a", 3, 3), "m3": w.on("b", 0, 0)})
		if ctx.Err() != nil || !slices.Equal(got, []string{"m2", "m3"}) {
			t.Errorf("%s come again, %v", got, ctx.Err())
		}
	})
}

// All of a generated stream comes as documents, in any order, some of them twice
// and some after they were done; every invocation can be cut short.
func TestHandlerRecoversAll(t *testing.T) {
	var waited atomic.Int64
	for seed := range uint64(20) {
		stream, err := dsqltest.Generator{
			Seed: seed, Transactions: 30, Shards: 3, Reshards: 1, Large: 0.3, SplitAt: 600, FragmentBytes: 150, Repeats: 0.1, Before: true, NoPrimaryKey: true,
		}.Stream()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			w := &world{t: t, api: &fake{shards: make(map[string][]dsql.Record), answer: 3, empty: 1, tip: true}}
			queue := make(map[string]string)
			for _, s := range stream.Shards {
				w.api.shards[s.ID] = s.Records
				for from := 0; from < len(s.Records); {
					to := min(from+rng.IntN(9), len(s.Records)-1)
					queue[fmt.Sprintf("%016x", rng.Uint64())] = w.on(s.ID, from, to)
					from = to + 1
				}
			}
			for round := 0; len(queue) > 0; round++ {
				if round == 500 {
					t.Fatalf("seed %d: %d documents are not done", seed, len(queue))
				}
				batch := make(map[string]string)
				for id, body := range queue {
					if batch[id] = body; len(batch) == 5 {
						break
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), margin+time.Duration(rng.IntN(20_000))*time.Millisecond)
				again := w.invoke(ctx, batch)
				cancel()
				waited.Add(int64(len(again)))
				for id := range batch {
					if !slices.Contains(again, id) && rng.IntN(4) > 0 { // or it comes twice
						delete(queue, id)
					}
				}
			}
			seen, want := make(map[string]bool), make(map[string]bool)
			for _, s := range w.seen {
				seen[s] = true
			}
			d := dsql.Decoder{ClusterAsDB: true}
			for _, record := range stream.Whole {
				var c envelope.Change
				if err := d.Decode(&c, record); err != nil && !errors.Is(err, dsql.ErrNoPrimaryKey) {
					t.Fatal(err)
				}
				want[describe(&c)] = true
			}
			if !maps.Equal(seen, want) {
				t.Errorf("seed %d: %d different changes came to the sink, the stream has %d", seed, len(seen), len(want))
			}
			if strings.Contains(w.log.String(), "level=ERROR") {
				t.Errorf("seed %d: %s", seed, w.log.String())
			}
		})
	}
	if waited.Load() == 0 {
		t.Error("no document had to come again: nothing was tested")
	}
}
