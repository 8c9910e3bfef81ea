package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

var testKeys = envelope.KeyColumns(map[envelope.Table][]string{{Schema: "public", Name: "t"}: {"id"}})

func openTestTable(t *testing.T, path string, size int64) *table {
	t.Helper()
	rows, err := openTable(path, size, testKeys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	return rows
}

// apply applies a change at a time, with op u or d.
func apply(t *testing.T, rows *table, op rune, ns int64, row string) bool {
	t.Helper()
	c := envelope.Change{
		Op: envelope.OpUpdate, Table: envelope.Table{DB: "cluster", Schema: "public", Name: "t"},
		Version: envelope.PositionVersion(ns, uint64(ns), 0), After: envelope.Row(row),
	}
	if op == 'd' {
		c.Op, c.Before, c.After = envelope.OpDelete, c.After, nil
	}
	changed, err := rows.Apply(&c)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func flush(t *testing.T, rows *table) int64 {
	t.Helper()
	mark, err := rows.Flush()
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The newest state of each row wins, in this life and the next, and a deleted row
// stays deleted.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	rows := openTestTable(t, path, 0)
	for i, c := range []struct {
		op      rune
		ns      int64
		row     string
		changed bool
	}{
		{'u', 5, `{"id":1,"v":"b"}`, true},
		{'u', 5, `{"id":1,"v":"b"}`, false}, // a repeat
		{'u', 4, `{"id":1,"v":"a"}`, false},
		{'u', 1, `{"id":2.0,"v":9007199254740993}`, true},
		{'d', 6, `{"id":1}`, true},
		{'u', 5, `{"id":1,"v":"b"}`, false}, // older than the delete
		{'d', 6, `{"id":1}`, false},
		{'d', 3, `{"id":3}`, true},
		{'u', 2, `{"id":3}`, false},
		{'u', 2, "{\"id\":\n\"x\\n<&>\u2028\",\r\n\"v\" : 1.50}", true},
	} {
		if i%3 == 2 { // a new life
			size := flush(t, rows)
			rows = openTestTable(t, path, size)
		}
		if got := apply(t, rows, c.op, c.ns, c.row); got != c.changed {
			t.Errorf("change %d: got %t", i, got)
		}
	}
	flush(t, rows)
	var got []string
	for line := range strings.Lines(content(t, path)) {
		_, row, _ := strings.Cut(line, `"row":`)
		got = append(got, line[:strings.Index(line, ",")]+" "+row)
	}
	want := `{"op":"upsert" {"id":1,"v":"b"}}
{"op":"upsert" {"id":2.0,"v":9007199254740993}}
{"op":"delete" {"id":1}}
{"op":"delete" {"id":3}}
{"op":"upsert" {"id": "x\n<&>` + "\u2028\",\r \"v\" : 1.50}}\n"
	if strings.Join(got, "") != want {
		t.Errorf("got\n%s, want\n%s", strings.Join(got, ""), want)
	}
}

// After a crash the file can end anywhere behind what was flushed.
func TestTableAfterCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	rows := openTestTable(t, path, 0)
	apply(t, rows, 'u', 1, `{"id":1,"v":"a"}`)
	size := flush(t, rows)
	apply(t, rows, 'u', 2, `{"id":2,"v":"b"}`)
	flush(t, rows)
	whole := content(t, path)
	for cut := size; cut <= int64(len(whole)); cut++ {
		for _, tail := range []string{"", strings.Repeat("\x00", 100)} {
			if err := os.WriteFile(path, []byte(whole[:cut]+tail), 0o600); err != nil {
				t.Fatal(err)
			}
			again := openTestTable(t, path, size)
			if apply(t, again, 'u', 1, `{"id":1,"v":"a"}`) {
				t.Errorf("%d bytes: a flushed row is forgotten", cut)
			}
			if got, want := apply(t, again, 'u', 2, `{"id":2,"v":"b"}`), cut < int64(len(whole)); got != want {
				t.Errorf("%d bytes: the row that may be lost: changed %t, want %t", cut, got, want)
			}
			flush(t, again)
			if content(t, path) != whole {
				t.Errorf("%d bytes: the file is %q", cut, content(t, path))
			}
			again.Close()
		}
	}
}

// What the checkpoint says is done must be there.
func TestTableThatLostRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	rows := openTestTable(t, path, 0)
	apply(t, rows, 'u', 1, `{"id":1}`)
	apply(t, rows, 'u', 1, `{"id":2}`)
	size := flush(t, rows)
	text := content(t, path)
	for name, damaged := range map[string]string{
		"removed": "", "cut": text[:len(text)-1], "damaged": strings.Replace(text, `{"id":1}`, `{"id"\x00}`, 1), "a line missing": text[strings.Index(text, "\n")+1:],
	} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openTable(path, size, testKeys); err == nil || !strings.Contains(err.Error(), "rows are lost") {
			t.Errorf("%s: %v", name, err)
		}
		if content(t, path) != damaged {
			t.Errorf("%s: and it was made worse", name)
		}
	}
}

// A file that was written with other keys is refused.
func TestTableWithOtherKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	rows := openTestTable(t, path, 0)
	apply(t, rows, 'u', 1, `{"id":1}`)
	size := flush(t, rows)
	other := envelope.KeyColumns(map[envelope.Table][]string{{Schema: "public", Name: "t"}: {"uuid"}})
	if _, err := openTable(path, size, other); err == nil || strings.Contains(err.Error(), "lost") {
		t.Error(err)
	}
}
