package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestPrint(t *testing.T) {
	name := envelope.Table{DB: "cluster", Schema: "public", Name: "t"}
	keys := map[envelope.Table][]string{{Schema: "public", Name: "t"}: {"id", "name"}}
	change := func(op envelope.Op, row string) *envelope.Change {
		c := &envelope.Change{Op: op, Table: name, Version: envelope.TimeVersion(1705318200000000001)}
		if op == envelope.OpDelete {
			c.Before = envelope.Row(row)
		} else {
			c.After = envelope.Row(row)
		}
		return c
	}
	for _, c := range []struct {
		change  *envelope.Change
		changed bool
		want    string
	}{
		{change(envelope.OpCreate, `{"id":1,"name":"é","v":null}`), true, `upsert cluster.public.t id=1 name="é" 29 bytes 2024-01-15T11:30:00.000000001Z`},
		{change(envelope.OpDelete, `{"id":1,"name":"é"}`), true, `delete cluster.public.t id=1 name="é" 20 bytes 2024-01-15T11:30:00.000000001Z`},
		{change(envelope.OpUpdate, `{"id":1,"name":"é"}`), false, `stale  cluster.public.t id=1 name="é" 20 bytes 2024-01-15T11:30:00.000000001Z`},
		{change(envelope.OpUpdate, "{\"id\":[\r\n1],\"name\":\"\u202e\x7f\"}"), true, `upsert cluster.public.t id=[··1] name="··" 26 bytes 2024-01-15T11:30:00.000000001Z`},
	} {
		var out bytes.Buffer
		p := printer{w: &out, keys: keys, all: true}
		if err := p.print(c.change, c.changed); err != nil {
			t.Error(err)
		}
		if got := out.String(); got != c.want+"\n" {
			t.Errorf("got  %q\nwant %q", got, c.want+"\n")
		}
		out.Reset()
		p.all = false
		if err := p.print(c.change, c.changed); err != nil {
			t.Error(err)
		}
		if (out.Len() > 0) != c.changed {
			t.Errorf("changed %t: %q", c.changed, out.String())
		}
	}
	if err := (&printer{w: full{}}).print(change(envelope.OpCreate, `{}`), true); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// Whatever names and keys hold, there is one line of bounded length.
func TestPrintBounds(t *testing.T) {
	var columns []string
	row := "{"
	for i := range 32 {
		columns = append(columns, fmt.Sprint("column\n", i, strings.Repeat("界", 100)))
		row += fmt.Sprintf("%q:\"%s\",", columns[i], strings.Repeat("😀", 1<<16))
	}
	name := envelope.Table{Schema: strings.Repeat("s\r", 100), Name: strings.Repeat("\x1b[2J", 100)}
	var out bytes.Buffer
	p := printer{w: &out, keys: map[envelope.Table][]string{name: columns}}
	if err := p.print(&envelope.Change{Op: envelope.OpCreate, Table: name, After: envelope.Row(row + `"end":0}`)}, true); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if len(got) > maxLine+80 || strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\r�") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
