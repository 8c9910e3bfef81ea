//go:build servers

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// record is a Kafka record with what the test itself reads in it, without the library.
type record struct {
	offset     int64
	key, value []byte
	op         string
	lsn, time  int64
	change     string // names it, the same at each delivery
}

// stream collects the records of a topic as they arrive.
type stream struct {
	mu      sync.Mutex
	records []record
	seen    map[string]bool // changes
	repeats int
	err     error
	arrived chan struct{} // closed and replaced when records arrive
}

// consume reads the topic from its beginning until the test ends.
func consume(t *testing.T, bootstrap, topic string) *stream {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// The topic comes into being with its first record; meanwhile the client asks for it.
		kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{seen: map[string]bool{}, arrived: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			s.add(client.PollFetches(ctx))
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		client.Close()
	})
	return s
}

func (s *stream) add(fetches kgo.Fetches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range fetches.Errors() {
		if s.err == nil {
			s.err = e.Err
		}
	}
	fetches.EachRecord(func(r *kgo.Record) {
		rec := record{offset: r.Offset, key: r.Key, value: r.Value}
		var v struct {
			Op     string
			Source struct {
				LSN, TxID int64
				Time      int64 `json:"ts_ns"`
			}
		}
		if err := json.Unmarshal(r.Value, &v); err != nil && s.err == nil {
			s.err = fmt.Errorf("offset %d: %w", r.Offset, err)
		}
		rec.op, rec.lsn, rec.time = v.Op, v.Source.LSN, v.Source.Time
		// The delete and the create of a changed key share a position; their keys differ.
		rec.change = fmt.Sprint(v.Op, v.Source.LSN, v.Source.TxID, string(r.Key))
		if s.seen[rec.change] {
			s.repeats++
		}
		s.seen[rec.change] = true
		s.records = append(s.records, rec)
	})
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// state is a moment of a stream.
type state struct {
	records []record // a prefix of the stream; not to be written to
	repeats int
}

// now returns the stream as it is, and a channel that is closed when more has arrived.
func (s *stream) now(t *testing.T) (state, <-chan struct{}) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		t.Fatal(s.err)
	}
	return state{s.records[:len(s.records):len(s.records)], s.repeats}, s.arrived
}

// until waits until ok accepts the records from the given one on, and returns the stream as it is then.
func (s *stream) until(t *testing.T, what string, from int, ok func(r []record) bool) state {
	t.Helper()
	timeout := time.After(60 * time.Second)
	for {
		now, arrived := s.now(t)
		if ok(now.records[from:]) {
			return now
		}
		select {
		case <-arrived:
		case <-timeout:
			t.Fatalf("%s: not among %d records", what, len(now.records)-from)
		}
	}
}

// save keeps the records of a failed test beside its other artifacts, in the layout of the project's captures: the
// interleaving of the sessions does not come again.
func save(t *testing.T, records []record) {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, r := range records {
		if err := enc.Encode(map[string]string{"topic": topic, "key": string(r.key), "value": string(r.value)}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.ArtifactDir(), "records.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log("the records (kept with -artifacts):", path)
}
