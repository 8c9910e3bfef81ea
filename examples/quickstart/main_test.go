package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

var update = flag.Bool("update", false, "write the golden file")

func load(t *testing.T) (captured.Data, *dsqltest.Stream) {
	t.Helper()
	data, err := captured.Load()
	if err != nil {
		t.Fatal(err)
	}
	stream, err := generator.Stream()
	if err != nil {
		t.Fatal(err)
	}
	return data, stream
}

// What differs from run to run.
var (
	snapshotLine = regexp.MustCompile(`(?m)^  \d+ +\d\d:\d\d:\d\d\.\d{3}  `)
	snapshotID   = regexp.MustCompile(`SNAPSHOT \d+`)
	metadata     = regexp.MustCompile(`/metadata/\d{5}-[0-9a-f-]{36}\.`)
)

func normal(output, dir string) string {
	output = strings.ReplaceAll(output, dir, "DIR")
	output = snapshotLine.ReplaceAllString(output, "  NNNNNNNNNNNNNNNNNNN  HH:MM:SS.mmm  ")
	output = snapshotID.ReplaceAllString(output, "SNAPSHOT NNNNNNNNNNNNNNNNNNN")
	return metadata.ReplaceAllString(output, "/metadata/NNNNN-UUID.")
}

func TestOutput(t *testing.T) {
	const golden = "testdata/output.golden"
	data, stream := load(t)
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), &out, dir, data, stream); err != nil {
		t.Fatal(err)
	}
	got := normal(out.String(), dir)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		switch {
		case i >= len(gotLines):
			t.Fatalf("line %d: the output ends, want %q", i+1, wantLines[i])
		case i >= len(wantLines):
			t.Fatalf("line %d: got %q after the golden file's end", i+1, gotLines[i])
		case gotLines[i] != wantLines[i]:
			t.Fatalf("line %d: got %q, want %q (-update writes the golden file)", i+1, gotLines[i], wantLines[i])
		case len([]rune(gotLines[i])) > 100:
			t.Errorf("line %d is wider than 100 columns", i+1)
		}
	}

	// The same folder again: nothing is written, and all is said again.
	var second bytes.Buffer
	if err := run(t.Context(), &second, dir, data, stream); err != nil {
		t.Fatal(err)
	}
	if second.String() != out.String() {
		t.Errorf("another run with the same folder prints\n%s\nafter\n%s", &second, &out)
	}
}

// Whatever is damaged in the truth, the tables must not count as equal.
func TestDamagedTruth(t *testing.T) {
	data, stream := load(t)
	dir := t.TempDir()
	if err := run(t.Context(), io.Discard, dir, data, stream); err != nil {
		t.Fatal(err)
	}
	more, err := truthOf(stream)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := committer.Local(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()

	type rows = []captured.Row
	truth := slices.Concat(data.Truth, more)
	if differences, err := compare(t.Context(), tables, truth); err != nil || len(differences) > 0 {
		t.Fatalf("before any damage: %q, %v", differences, err)
	}
	text := func(s string) *string { return &s }
	order := 40
	document := len(data.Truth)
	set := func(i int, column string, to *string) func(rows) rows {
		return func(all rows) rows {
			all[i].Columns = maps.Clone(all[i].Columns)
			all[i].Columns[column] = to
			return all
		}
	}
	for name, damage := range map[string]func(rows) rows{
		"row missing":      func(all rows) rows { return all[1:] },
		"document missing": func(all rows) rows { return all[:len(all)-1] },
		"all missing":      func(rows) rows { return nil },
		"row twice":        func(all rows) rows { return append(all, all[0]) },
		"row added":        func(all rows) rows { return set(len(all), "order_id", text("1000000"))(append(all, all[0])) },
		"table added":      func(all rows) rows { return append(all, captured.Row{Table: "public.other"}) },
		"column missing": func(all rows) rows {
			all[order].Columns = maps.Clone(all[order].Columns)
			delete(all[order].Columns, "status")
			return all
		},
		"column added":  set(order, "color", nil),
		"no key":        set(order, "order_id", nil),
		"number":        set(order, "customer_id", text("1000000")),
		"decimal":       set(order, "total_amount", text("0.10")),
		"scale":         set(order, "total_amount", text(*data.Truth[order].Columns["total_amount"]+"0")),
		"text":          set(order, "status", text("status")),
		"empty":         set(order, "status", text("")),
		"null":          set(order, "status", nil),
		"timestamp":     set(order, "updated_at", text("2026-11-21 03:54:34.15283")),
		"document":      set(document, "body", text("[]")),
		"document null": set(document, "digest", nil),
		"bytes":         set(document, "digest", text("AA==")),
		"list":          set(document, "tags", text("[1]")),
	} {
		t.Run(name, func(t *testing.T) {
			differences, err := compare(t.Context(), tables, damage(slices.Clone(truth)))
			if err != nil || len(differences) == 0 {
				t.Errorf("not noticed (%v)", err)
			}
		})
	}
}

// What comes out is what the tables have: rows that another program took are missing,
// and the output says so.
func TestDamagedTable(t *testing.T) {
	data, stream := load(t)
	dir := t.TempDir()
	if err := run(t.Context(), io.Discard, dir, data, stream); err != nil {
		t.Fatal(err)
	}
	tables, err := committer.Local(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	p := newPipeline(tables)
	taken := []envelope.Change{{Op: envelope.OpDelete, Table: orders, Before: envelope.Row(`{"order_id":129}`), Version: envelope.PositionVersion(1, 1, 1)}}
	if err := p.write(t.Context(), taken, 1_000_000, 1_000_001); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, dir, data, stream); err == nil {
		t.Error("no error")
	}
	if want := "The tables are not what the databases have:\n  orders \"129\": missing\n"; !strings.Contains(out.String(), want) {
		t.Errorf("the output does not show the difference: %s", &out)
	}
	if strings.Contains(out.String(), "All ") {
		t.Error("the output calls the tables equal")
	}
}

// A record that is lost on the way leaves a difference, too.
func TestLostRecord(t *testing.T) {
	data, stream := load(t)
	data.Orders = data.Orders[:len(data.Orders)-1]
	if err := run(t.Context(), io.Discard, t.TempDir(), data, stream); err == nil {
		t.Error("no error")
	}
}

func TestWriteError(t *testing.T) {
	data, stream := load(t)
	full := errors.New("disk full")
	if err := run(t.Context(), failingWriter{full}, t.TempDir(), data, stream); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
