//go:build servers

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// A dsqlConsumer is examples/kinesis with its files.
type dsqlConsumer struct {
	t        *testing.T
	streams  map[string]*dsqltest.Stream // by cluster
	changes  map[string]bool             // that they have
	folder   string
	path     string
	endpoint string
}

func buildConsumer(t *testing.T, streams map[string]*dsqltest.Stream) *dsqlConsumer {
	t.Helper()
	c := &dsqlConsumer{t: t, streams: streams, changes: describe(t, streams), folder: t.TempDir()}
	c.path = filepath.Join(c.folder, "consumer")
	build := osexec.CommandContext(t.Context(), "go", "build", "-o", c.path, "./kinesis")
	build.Dir = filepath.Join("..", "..", "examples") // a module of its own
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	keys := map[string]map[string][]string{}
	for table, columns := range streams["small"].Keys { // the generator's tables are always the same
		if keys[table.Schema] == nil {
			keys[table.Schema] = map[string][]string{}
		}
		keys[table.Schema][table.Name] = columns
	}
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.file("keys.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *dsqlConsumer) file(name string) string { return filepath.Join(c.folder, name) }

// start starts the consumer with what its files have.
func (c *dsqlConsumer) start(more ...string) *servers.Program {
	c.t.Helper()
	env := []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_CONFIG_FILE=", "AWS_SHARED_CREDENTIALS_FILE=", "AWS_EC2_METADATA_DISABLED=true"}
	args := []string{
		"-stream", changes, "-region", "us-east-1", "-endpoint", c.endpoint, "-all", "-poll", "200ms", "-commit", "100ms",
		"-keys", c.file("keys.json"), "-checkpoint", c.file("checkpoint.json"), "-state", c.file("rows.jsonl"),
	}
	return servers.StartProgram(c.t, c.path, env, append(args, more...)...)
}

// crash kills the consumer, which must have been alive.
func (c *dsqlConsumer) crash(p *servers.Program) {
	c.t.Helper()
	if !p.Running() {
		c.t.Fatal("the consumer has ended by itself")
	}
	p.Kill()
}

// floors returns the checkpoint's; none if there is no checkpoint yet.
func (c *dsqlConsumer) floors() []dsql.Floor {
	c.t.Helper()
	text, err := os.ReadFile(c.file("checkpoint.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var checkpoint struct{ Shards map[string]dsql.Floor }
	if err == nil {
		err = json.Unmarshal(text, &checkpoint)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	var floors []dsql.Floor
	for _, id := range slices.Sorted(maps.Keys(checkpoint.Shards)) {
		floors = append(floors, checkpoint.Shards[id])
	}
	return floors
}

// describe returns the changes of the streams as seen finds them.
func describe(t *testing.T, streams map[string]*dsqltest.Stream) map[string]bool {
	t.Helper()
	want := map[string]bool{}
	for cluster, s := range streams {
		for _, whole := range s.Whole {
			var record struct {
				Before, After json.RawMessage
				Source        struct {
					Time int64 `json:"ts_ns"`
				}
			}
			if err := json.Unmarshal(whole, &record); err != nil {
				t.Fatal(err)
			}
			image := record.After
			if string(image) == "null" {
				image = record.Before
			}
			want[fmt.Sprintf("%s %d %d", cluster, len(image), record.Source.Time)] = false
		}
	}
	return want
}

// awaitSeen waits until the consumer has seen every record whole.
func (c *dsqlConsumer) awaitSeen(p *servers.Program) {
	c.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(time.Second) {
		wrong := c.seen(p.Output())
		if wrong == "" {
			return
		}
		if !p.Running() || time.Now().After(deadline) {
			c.t.Fatal(wrong)
		}
	}
}

// check compares what the consumer has, and what it said, with the truth.
func (c *dsqlConsumer) check(output []byte) {
	c.t.Helper()
	for cluster, s := range c.streams {
		c.checkRows(cluster, s)
	}
	if wrong := c.seen(output); wrong != "" {
		c.t.Error(wrong)
	}
	for line := range bytes.Lines(output) {
		// What comes too late lay in the stream when its record was given up.
		if bytes.Contains(line, []byte("LOST")) || bytes.Contains(line, []byte("too late")) {
			c.t.Errorf("the consumer says: %s", line)
		}
	}
}

// checkRows compares the rows with those of the database, byte by byte.
func (c *dsqlConsumer) checkRows(cluster string, s *dsqltest.Stream) {
	c.t.Helper()
	got := c.rows(cluster, s)
	total, size, largest := 0, 0, 0
	for table, rows := range s.Truth {
		for key, row := range rows {
			total, size, largest = total+1, size+len(row), max(largest, len(row))
			if !bytes.Equal(got[table][key], row) {
				c.t.Errorf("%s %s %.60s: %d bytes, want %d", cluster, table, key, len(got[table][key]), len(row))
			}
		}
		if len(got[table]) != len(rows) {
			c.t.Errorf("%s %s: %d rows, want %d", cluster, table, len(got[table]), len(rows))
		}
	}
	if len(got) > len(s.Truth) || total == 0 {
		c.t.Errorf("%s: %d tables with %d rows, want %d", cluster, len(got), total, len(s.Truth))
	}
	if cluster == "large" && largest < 30<<20 {
		c.t.Errorf("the largest row has %d bytes: another seed is needed", largest)
	}
	c.t.Logf("%s: %d rows of %d bytes", cluster, total, size)
}

// rows reads the consumer's file: of a row the last line counts.
func (c *dsqlConsumer) rows(cluster string, s *dsqltest.Stream) map[envelope.Table]map[string][]byte {
	c.t.Helper()
	text, err := os.ReadFile(c.file("rows.jsonl"))
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[envelope.Table]map[string][]byte{}
	for line := range bytes.Lines(text) {
		var l struct {
			Op, DB, Schema, Table string
			Row                   json.RawMessage
		}
		if err := json.Unmarshal(line, &l); err != nil {
			c.t.Fatal(err)
		}
		if l.DB != cluster {
			continue
		}
		table := envelope.Table{Schema: l.Schema, Name: l.Table}
		key, err := s.Key(&envelope.Change{Op: envelope.OpUpdate, Table: table, After: envelope.Row(l.Row)})
		if err != nil {
			c.t.Fatal(err)
		}
		if all[table] == nil {
			all[table] = map[string][]byte{}
		}
		if all[table][key] = l.Row; l.Op == "delete" {
			delete(all[table], key)
		}
	}
	return all
}

// seen compares the changes that were printed with those of the streams: by cluster, size of the image, and time in
// nanoseconds. It returns what is missing or should not be there.
func (c *dsqlConsumer) seen(output []byte) (wrong string) {
	c.t.Helper()
	want := maps.Clone(c.changes)
	for line := range strings.Lines(string(output)) {
		words := strings.Fields(line)
		n := len(words)
		if n < 5 || words[n-2] != "bytes" || !strings.HasSuffix(line, "\n") {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, words[n-1])
		if err != nil {
			c.t.Fatal(err)
		}
		cluster, _, _ := strings.Cut(words[1], ".")
		change := fmt.Sprintf("%s %s %d", cluster, words[n-3], at.UnixNano())
		if _, ok := want[change]; !ok {
			return "there is no change that was printed as " + line
		}
		want[change] = true
	}
	for change, ok := range want {
		if !ok {
			return "never seen whole: " + change
		}
	}
	return ""
}
