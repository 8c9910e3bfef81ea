package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
)

// A world is what outlives a consumer: the stream, its two files, and what the
// test has seen of it.
type world struct {
	t       *testing.T
	api     *fake
	folder  string
	repeats float64
	poll    time.Duration
	memory  int64
	lasting time.Duration   // of the last consumer
	flush   [2]func() error // called before and after the sink's own
	applied map[string]bool // changes that came to the sink of this consumer
	seen    map[string]bool // and were there when it was flushed
	out     bytes.Buffer
	log     bytes.Buffer
}

func newWorld(t *testing.T, g dsqltest.Generator) *world {
	t.Helper()
	stream, err := g.Stream()
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, api: newFake(stream), folder: t.TempDir(), repeats: g.Repeats, seen: make(map[string]bool)}
}

func (w *world) checkpoint() string { return filepath.Join(w.folder, "checkpoint.json") }
func (w *world) state() string      { return filepath.Join(w.folder, "rows.jsonl") }

// live starts a consumer with what the last one left and waits for its end.
func (w *world) live(ctx context.Context) error {
	w.t.Helper()
	saved, err := loadCheckpoint(w.checkpoint(), "orders")
	if err != nil {
		w.t.Fatal(err)
	}
	keys := w.api.stream.Keys
	rows, err := openTable(w.state(), saved.Sink, envelope.KeyColumns(keys))
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	w.applied = make(map[string]bool)
	c := consumer{
		api: w.api, stream: "orders", sink: witness{rows, w}, saved: saved, printer: printer{w: &w.out, keys: keys},
		log: slog.New(slog.NewTextHandler(&w.log, nil)), poll: cmp.Or(w.poll, 100*time.Millisecond), every: time.Second, age: time.Minute, answers: 2, memory: cmp.Or(w.memory, 1<<20),
	}
	return c.run(ctx)
}

// A witness notes what comes to a sink.
type witness struct {
	*table
	w *world
}

func (s witness) Apply(c *envelope.Change) (bool, error) {
	s.w.applied[describe(c)] = true
	return s.table.Apply(c)
}

func (s witness) Flush() (int64, error) {
	if s.w.flush[0] != nil {
		if err := s.w.flush[0](); err != nil {
			return 0, err
		}
	}
	mark, err := s.table.Flush()
	maps.Copy(s.w.seen, s.w.applied)
	if err == nil && s.w.flush[1] != nil {
		err = s.w.flush[1]()
	}
	return mark, err
}

// describe tells all that a decoded change says of its record.
func describe(c *envelope.Change) string {
	return fmt.Sprintf("%s %s %d %s %s %s", c.Op, c.Table, c.Time, c.TxID, c.Before, c.After)
}

// check compares what came out with the truth.
func (w *world) check() {
	w.t.Helper()
	want := make(map[string]bool)
	d := dsql.Decoder{ClusterAsDB: true}
	for _, record := range w.api.stream.Whole {
		var c envelope.Change
		if err := d.Decode(&c, record); err != nil && !errors.Is(err, dsql.ErrNoPrimaryKey) {
			w.t.Fatal(err)
		}
		want[describe(&c)] = true
	}
	if !maps.Equal(w.seen, want) {
		w.t.Errorf("%d different changes came to the sink, the stream has %d", len(w.seen), len(want))
	}
	got, truth := readRows(w.t, w.state(), w.api.stream), w.api.stream.Truth
	for name, rows := range truth {
		for key, row := range rows {
			if string(got[name][key]) != string(row) {
				w.t.Errorf("%s %.80s: got a row of %d bytes, want one of %d", name, key, len(got[name][key]), len(row))
			}
		}
		if len(got[name]) != len(rows) {
			w.t.Errorf("%s has %d rows, want %d", name, len(got[name]), len(rows))
		}
	}
	if len(got) > len(truth) {
		w.t.Errorf("%d tables, want %d", len(got), len(truth))
	}
	w.checkEnd()
	if len(w.api.early) > 0 {
		w.t.Errorf("read before their parents: %s", w.api.early)
	}
	if strings.Contains(w.log.String(), "LOST") || w.repeats == 0 && strings.Contains(w.log.String(), "given up") {
		w.t.Error(w.log.String())
	}
}

// checkEnd looks whether the checkpoint has come to the end of the stream.
func (w *world) checkEnd() {
	w.t.Helper()
	saved, err := loadCheckpoint(w.checkpoint(), "orders")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range w.api.stream.Shards {
		got := saved.Shards[s.ID]
		if s.Closed {
			if !got.End {
				w.t.Errorf("the checkpoint is %+v, want the end", got)
			}
			continue
		}
		var want dsql.Floor // nothing is known of a shard without records
		if n := len(s.Records); n > 0 {
			want = dsql.Floor{Shard: s.ID, Sequence: s.Records[n-1].Sequence, After: true}
		}
		if got != want {
			w.t.Errorf("the checkpoint is %+v, want %+v", got, want)
		}
	}
}

// readRows reads the file of a table, without the code of the example.
func readRows(t *testing.T, path string, stream *dsqltest.Stream) map[envelope.Table]map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[envelope.Table]map[string][]byte)
	for line := range bytes.Lines(text) {
		var s struct {
			Op, Schema, Table string
			Row               json.RawMessage
		}
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		name := envelope.Table{Schema: s.Schema, Name: s.Table}
		key, err := stream.Key(&envelope.Change{Op: envelope.OpUpdate, Table: name, After: envelope.Row(s.Row)})
		if err != nil {
			t.Fatal(err)
		}
		if rows[name] == nil {
			rows[name] = make(map[string][]byte)
		}
		if rows[name][key] = s.Row; s.Op == "delete" {
			delete(rows[name], key)
		}
	}
	return rows
}

// last lets a consumer live until it has nothing more to do. Then it crashes:
// that must make no difference.
func (w *world) last() {
	w.t.Helper()
	end := time.Now().Add(cmp.Or(w.lasting, 5*time.Minute))
	fail := w.api.fail
	w.api.fail = func(operation, shard string) error {
		if time.Now().After(end) {
			return errCrash
		}
		if fail != nil {
			return fail(operation, shard)
		}
		return nil
	}
	ctx, stop := context.WithDeadline(w.t.Context(), end.Add(time.Minute))
	defer stop()
	if err := w.live(ctx); !errors.Is(err, errCrash) {
		w.t.Fatal("reads no shard any more, or: ", err)
	}
}

var errCrash = errors.New("the machine is gone")

// crash lets a consumer live for a while.
func (w *world) crash(r *rand.Rand) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute) // it may have nothing to crash at any more
	defer stop()
	left := 1 + r.IntN(1+w.api.called("GetRecords")/2+40)
	w.api.fail, w.flush = nil, [2]func() error{}
	count := func(then func() error) func() error {
		return func() error {
			if left--; left > 0 {
				return nil
			}
			return then()
		}
	}
	crash := func() error { return errCrash }
	switch how := r.IntN(5); how {
	case 0: // while readers wait for answers
		crash = count(crash)
		w.api.fail = func(string, string) error { return crash() }
	case 1: // that is none: it is told to stop
		halt := count(func() error { stop(); return ctx.Err() })
		w.api.fail = func(string, string) error { return halt() }
	case 2, 3: // before the sink has the rows, and between the sink and the checkpoint
		left = 1 + r.IntN(4)
		w.flush[how-2] = count(crash)
	case 4: // while the checkpoint is written
		left = 1 + r.IntN(4)
		next := w.checkpoint() + ".next"
		w.flush[1] = count(func() error { return os.Mkdir(next, 0o700) })
		defer os.RemoveAll(next)
	}
	err := w.live(ctx)
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, syscall.EISDIR) {
		w.t.Fatal(err)
	}
}
