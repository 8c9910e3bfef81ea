package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/examples/internal/captured"
)

var update = flag.Bool("update", false, "write the golden file")

func load(t *testing.T) captured.Data {
	t.Helper()
	data, err := captured.Load()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOutput(t *testing.T) {
	const golden = "testdata/output.golden"
	var got bytes.Buffer
	if err := run(&got, load(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
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
}

// Whatever is damaged in the truth, the program must not call it equal.
func TestDamagedTruth(t *testing.T) {
	change := func(column string, to *string) func(d *captured.Data) {
		return func(d *captured.Data) {
			row := &d.Truth[40]
			row.Columns, row.Canon = maps.Clone(row.Columns), maps.Clone(row.Canon)
			delete(row.Canon, column)
			row.Columns[column] = to
		}
	}
	text := func(s string) *string { return &s }
	for name, damage := range map[string]func(d *captured.Data){
		"row missing": func(d *captured.Data) { d.Truth = d.Truth[1:] },
		"all missing": func(d *captured.Data) { d.Truth = nil },
		"row twice":   func(d *captured.Data) { d.Truth = append(d.Truth, d.Truth[0]) },
		"row added": func(d *captured.Data) {
			row := d.Truth[0]
			row.Columns = maps.Clone(row.Columns)
			row.Columns["order_id"] = text("1000000")
			d.Truth = append(d.Truth, row)
		},
		"column missing": func(d *captured.Data) { delete(d.Truth[40].Columns, "status") },
		"column added":   change("color", nil),
		"no key":         change("order_id", nil),
		"number":         change("customer_id", text("1000000")),
		"decimal":        change("total_amount", text("0.10")),
		"text":           change("status", text("status")),
		"empty":          change("status", text("")),
		"null":           change("status", nil),
		"timestamp":      change("updated_at", text("1795233274152830")),
	} {
		t.Run(name, func(t *testing.T) {
			data := load(t)
			damage(&data)
			var out bytes.Buffer
			if err := run(&out, data); err == nil {
				t.Error("no error")
			}
			if !strings.Contains(out.String(), "The tables are not what the database has:\n") {
				t.Error("the output does not show the difference")
			}
			if strings.Contains(out.String(), "All ") {
				t.Error("the output calls the tables equal")
			}
		})
	}
}

// A record that is lost on the way leaves a difference, too.
func TestLostRecord(t *testing.T) {
	data := load(t)
	last := len(data.Orders) - 1
	data.Orders = data.Orders[:last]
	if err := run(io.Discard, data); err == nil {
		t.Error("no error")
	}
}

func TestWriteError(t *testing.T) {
	full := errors.New("disk full")
	if err := run(failingWriter{full}, load(t)); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
