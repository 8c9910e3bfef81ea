package iceberg_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var items = envelope.Table{DB: "shop", Schema: "public", Name: "items"}

var itemSchema = &envelope.Schema{Name: "items", Fields: []envelope.Field{
	{Name: "ID", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
	{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}, Optional: true},
	{Name: "big", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	{Name: "blob", Type: envelope.Type{Kind: envelope.KindBytes}, Optional: true},
}}

// An item is a row of the source; empty text is null.
type item struct {
	n         int
	big, blob string
}

const unsent = envelope.DefaultPlaceholder

// json returns the row as a record has it. What is not sent is the placeholder.
func (it item) json(id int, sent bool) string {
	text := func(s string, form func(string) string) string {
		switch {
		case s == "":
			return "null"
		case !sent:
			s = unsent
		}
		b, _ := json.Marshal(form(s))
		return string(b)
	}
	plain := func(s string) string { return s }
	return fmt.Sprintf(`{"ID":%d,"n":%d,"big":%s,"blob":%s}`, id, it.n, text(it.big, plain), text(it.blob, encode))
}

// A source is a table whose changes are recorded.
type source struct {
	rows    map[int]item
	at      int
	changes []envelope.Change
	states  []map[int]item // after each change
}

func (s *source) record(op envelope.Op, id int, row string) {
	c := envelope.Change{Op: op, Table: items, Schema: itemSchema, Version: version(op, s.at), Key: envelope.Row(fmt.Sprintf(`{"ID":%d}`, id))}
	switch op {
	case envelope.OpDelete:
		c.Before = envelope.Row(fmt.Sprintf(`{"ID":%d,"n":0,"big":null,"blob":null}`, id))
	case envelope.OpTruncate:
		c.Key = nil
	default:
		c.After = envelope.Row(row)
	}
	s.changes = append(s.changes, c)
	s.states = append(s.states, maps.Clone(s.rows))
}

// version returns the version of the change at a place of the log; a create at the
// place of a delete is a changed key's other half. The decoder knows such versions, so
// that they are made as a record has them.
func version(op envelope.Op, at int) envelope.Version {
	code := map[envelope.Op]string{envelope.OpCreate: "c", envelope.OpUpdate: "u", envelope.OpDelete: "d", envelope.OpTruncate: "t"}[op]
	images := `"before":{"ID":1},"after":{"ID":1}`
	if op == envelope.OpTruncate {
		images = `"before":null,"after":null`
	}
	var d envelope.Debezium
	var c envelope.Change
	record := fmt.Sprintf(`{%s,"op":%q,"ts_ms":%d,"source":{"connector":"postgresql","db":"shop","schema":"public","table":"items","snapshot":"false","ts_ms":%d,"sequence":"[\"%d\",\"%d\"]","lsn":%d}}`,
		images, code, 1_700_000_000_000+at, 1_700_000_000_000+at, 1000+10*at, 1001+10*at, 1001+10*at)
	if err := d.Decode(&c, []byte(record)); err != nil {
		panic(err)
	}
	return c.Version
}

// step makes one random change.
func (s *source) step(t *rapid.T) {
	s.at++
	id := rapid.IntRange(1, 4).Draw(t, "id")
	text := func() string { return rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "text") }
	old, exists := s.rows[id]
	switch kind := rapid.IntRange(0, 19).Draw(t, "kind"); {
	case kind == 0:
		clear(s.rows)
		s.record(envelope.OpTruncate, 0, "")
	case !exists:
		s.rows[id] = item{s.at, text(), text()}
		s.record(envelope.OpCreate, id, s.rows[id].json(id, true))
	case kind < 5:
		delete(s.rows, id)
		s.record(envelope.OpDelete, id, "")
	case kind < 9: // another key: the large values are not sent
		to := rapid.IntRange(1, 6).Draw(t, "to")
		if _, taken := s.rows[to]; taken {
			return
		}
		delete(s.rows, id)
		s.record(envelope.OpDelete, id, "")
		old.n = s.at
		s.rows[to] = old
		s.record(envelope.OpCreate, to, old.json(to, false))
	case kind < 14: // the large values are left alone
		old.n = s.at
		s.rows[id] = old
		s.record(envelope.OpUpdate, id, old.json(id, false))
	default:
		s.rows[id] = item{s.at, text(), text()}
		s.record(envelope.OpUpdate, id, s.rows[id].json(id, true))
	}
}

// A table is a destination.
type table map[int]item

// commit applies a delta as a committer must.
func (tb table) commit(t require.TestingT, d *iceberg.Delta) {
	before := maps.Clone(tb)
	if d.Truncated {
		clear(tb)
		clear(before)
	}
	if d.Schema == nil {
		return
	}
	if d.Shown != nil {
		for id := range tb {
			if !d.Shown.Has(keyOf(d, id), 0) {
				delete(tb, id)
			}
		}
	}
	ids := d.Keys.Columns[0].Ints
	for _, id := range ids {
		delete(tb, int(id))
	}
	rows := make([]item, d.Rows.Len)
	for i := range rows {
		n, big, blob := &d.Rows.Columns[1], &d.Rows.Columns[2], &d.Rows.Columns[3]
		require.False(t, n.Null[i])
		rows[i] = item{int(n.Ints[i]), string(big.Value(i)), string(blob.Value(i))}
		require.Equal(t, rows[i].big == "", big.Null[i])
	}
	for _, g := range d.Gaps {
		require.GreaterOrEqual(t, g.Key, 0, "a gap that nothing fills")
		from, ok := before[int(ids[g.Key])]
		require.True(t, ok, "the row with the unsent values is not there")
		for _, col := range g.Columns {
			switch col {
			case 2:
				rows[g.Row].big = from.big
			case 3:
				rows[g.Row].blob = from.blob
			}
		}
	}
	for i, row := range rows {
		id := int(d.Rows.Columns[0].Ints[i])
		require.Contains(t, ids, int64(id))
		require.NotContains(t, tb, id, "two rows of one key")
		tb[id] = row
	}
}

// keyOf returns a key as it is read from the table.
func keyOf(d *iceberg.Delta, id int) *iceberg.Rows {
	keys := &iceberg.Rows{Len: 1, Columns: make([]iceberg.Vector, len(d.Schema.Columns))}
	keys.Columns[0] = iceberg.Vector{Null: []bool{false}, Ints: []int64{int64(id)}}
	return keys
}

// Whatever the changes, wherever the flushes, wherever the stream goes back to an
// earlier position of what is not flushed, and wherever the Builder is lost: the table
// is what the source is.
func TestBuilderConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := &source{rows: map[int]item{}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			src.step(t)
		}
		b, got := new(iceberg.Builder), table{}
		flushed, furthest := 0, 0 // changes that are in the table, and that were delivered
		for i := 0; i < len(src.changes); i++ {
			c := src.changes[i].Clone()
			require.NoError(t, b.Add(&c))
			scribble(&c)
			furthest = max(furthest, i+1)
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0: // and the stream goes on from what is in the table
				if half(src, furthest-1) {
					continue // what the other half lacks would be in no row
				}
				flush(t, b, got)
				flushed, i = furthest, furthest-1
				if diff := cmp.Diff(map[int]item(got), src.states[i], cmp.AllowUnexported(item{})); diff != "" {
					t.Fatalf("after change %d: %s", i, diff)
				}
			case 1:
				i = rapid.IntRange(flushed, i+1).Draw(t, "back to") - 1
			case 2:
				b, i, furthest = new(iceberg.Builder), flushed-1, flushed
			}
		}
		flush(t, b, got)
		if diff := cmp.Diff(map[int]item(got), src.rows, cmp.AllowUnexported(item{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// half reports whether change i is the first half of a changed key.
func half(s *source, i int) bool {
	if i+1 == len(s.changes) || s.changes[i].Op != envelope.OpDelete {
		return false
	}
	at, _ := s.changes[i].Version.Place()
	next, ok := s.changes[i+1].Version.Place()
	return ok && at == next
}

func flush(t require.TestingT, b *iceberg.Builder, into table) {
	for _, d := range b.Flush("1", "2") {
		into.commit(t, d)
	}
	require.Zero(t, b.Len())
}

// scribble changes what a change refers to: the Builder must not.
func scribble(c *envelope.Change) {
	for _, row := range []envelope.Row{c.Key, c.Before, c.After} {
		for i := range row {
			row[i] = 'x'
		}
	}
}

func encode(s string) string {
	b, _ := json.Marshal([]byte(s))
	return strings.Trim(string(b), `"`)
}
