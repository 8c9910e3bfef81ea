package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cell is a column's value: its text as PostgreSQL writes it, but µs since the epoch for a timestamp.
type cell struct {
	text string
	null bool
}

func (c cell) String() string {
	if c.null {
		return "NULL"
	}
	return fmt.Sprintf("%q", c.text)
}

// row maps column names to values.
type row map[string]cell

// rows is the content of all tables. A row is named by its table and the text of its key: "orders 17".
type rows map[string]row

// wrong is a row that is not as it should be.
type wrong struct {
	name string
	how  string // missing, extra, or the columns that differ
}

// diff compares, every column of every row. The result is sorted by name; empty means equal.
func diff(got, want rows) []wrong {
	var all []wrong
	for name, w := range want {
		if g, ok := got[name]; !ok {
			all = append(all, wrong{name, "missing"})
		} else if how := g.diff(w); how != "" {
			all = append(all, wrong{name, how})
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			all = append(all, wrong{name, "extra"})
		}
	}
	slices.SortFunc(all, func(a, b wrong) int { return strings.Compare(a.name, b.name) })
	return all
}

func (r row) diff(want row) string {
	var how []string
	for column, w := range want {
		if g, ok := r[column]; !ok {
			how = append(how, column+": no such column")
		} else if g != w {
			how = append(how, fmt.Sprintf("%s: got %s, want %s", column, g, w))
		}
	}
	for column := range r {
		if _, ok := want[column]; !ok {
			how = append(how, column+": unknown column")
		}
	}
	slices.Sort(how)
	return strings.Join(how, ", ")
}

func TestDiff(t *testing.T) {
	want := rows{
		"t 1": {"id": {text: "1"}, "v": {text: "a"}},
		"t 2": {"id": {text: "2"}, "v": {null: true}},
	}
	for _, c := range []struct {
		name string
		got  rows
		want []wrong
	}{
		{"equal", rows{"t 2": want["t 2"], "t 1": want["t 1"]}, nil},
		{"missing and extra", rows{"t 2": want["t 2"], "t 3": want["t 1"]}, []wrong{{"t 1", "missing"}, {"t 3", "extra"}}},
		{"null is not empty", rows{"t 1": want["t 1"], "t 2": {"id": {text: "2"}, "v": {}}}, []wrong{{"t 2", `v: got "", want NULL`}}},
		{"columns", rows{"t 1": {"id": {text: "1"}, "w": {text: "a"}}, "t 2": want["t 2"]}, []wrong{{"t 1", "v: no such column, w: unknown column"}}},
		{"nothing", nil, []wrong{{"t 1", "missing"}, {"t 2", "missing"}}},
	} {
		if got := diff(c.got, want); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
