package truth_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// What a source lost while nobody streamed is in no record. A Builder that sweeps ends in
// the database's state nevertheless, if a snapshot was taken afterwards; one that does not
// is left with extra rows.
func TestSweep(t *testing.T) {
	for _, tt := range []struct {
		variant string
		extra   int // without the sweep
		typed   bool
	}{
		{"postgres/resnapshot", 12, true},
		{"postgres/crash-resnapshot", 7, true},
		{"postgres/concurrent", 0, true}, // one snapshot: it sweeps an empty table
		{"postgres/incremental-snapshot", 0, true},
		{"postgres/old-1.9.7", 0, false},
		{"mariadb/resnapshot", 1, false},
		{"mariadb/failover-snapshot", 36, false},
		{"mariadb/reset-master", 13, false},
		{"mysql/failover-snapshot", 38, false},
		{"mysql/reset-master", 21, false},
	} {
		t.Run(tt.variant, func(t *testing.T) {
			c := load(t, variantOf(t, tt.variant))
			random := c.randomOf(7)
			for round := range 4 {
				once := []int{1, 40, 300, 1 << 30}[round]
				for _, sweeps := range []bool{false, true} {
					got := c.tables(t, &iceberg.Builder{Sweep: sweeps}, random, once)
					want := tt.extra
					if sweeps {
						want = 0
					}
					c.compareTables(t, got, want, tt.typed)
				}
			}
		})
	}
}

// rows are the rows of a naive destination, by table and key.
type rows map[string]object

// tables writes a capture's changes through a Builder, which is flushed every so often,
// except between the halves of a changed key.
func (c *capture) tables(t *testing.T, b *iceberg.Builder, random *rand.Rand, often int) rows {
	t.Helper()
	f := c.feed(t)
	b.Placeholder, b.Schemas = c.placeholder(), c.plainSchemas(t)
	got, incremental := rows{}, strings.Contains(c.Name, "incremental")
	for i := range f.all {
		change := f.all[i]
		if effect := change.Effect(); effect != envelope.Truncate && (effect == envelope.None || f.row[i] == none) {
			continue
		}
		change.Schema = nil
		if err := b.Add(&change); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if random.IntN(often) == 0 && (i+1 == len(f.all) || !halves(&f.all[i], f.all[i+1:])) {
			got.write(t, b.Flush("", ""), incremental)
		}
	}
	got.write(t, b.Flush("", ""), incremental)
	return got
}

// halves reports whether a change is the delete of a changed key whose create follows.
func halves(c *envelope.Change, rest []envelope.Change) bool {
	place, ok := c.Version.Place()
	if !ok || c.Op != envelope.OpDelete {
		return false
	}
	for i := range min(3, len(rest)) { // a tombstone is in between
		if at, ok := rest[i].Version.Place(); ok && at == place && rest[i].Op == envelope.OpCreate {
			return true
		}
	}
	return false
}

// plainSchemas returns schemas with all columns that the images have, each of a type that
// nothing is known of.
func (c *capture) plainSchemas(t *testing.T) map[envelope.Table]*envelope.Schema {
	t.Helper()
	schemas := map[envelope.Table]*envelope.Schema{}
	for i := range c.feed(t).all {
		change := &c.fed.all[i]
		s := schemas[change.Table]
		if s == nil {
			s = new(envelope.Schema)
			schemas[change.Table] = s
		}
		for _, image := range []envelope.Row{change.Before, change.After} {
			if image == nil || change.Key == nil {
				continue
			}
			for column, err := range image.Columns() {
				if name := string(column.AppendName(nil)); err == nil && !slices.ContainsFunc(s.Fields, func(f envelope.Field) bool { return f.Name == name }) {
					s.Fields = append(s.Fields, envelope.Field{Name: name, Optional: true})
				}
			}
		}
		if names, err := change.KeyNames(); err == nil && change.Key != nil && s.Key == nil {
			slices.Sort(names)
			s.Key = names
		}
	}
	return schemas
}

// write applies deltas as a committer must.
func (r rows) write(t *testing.T, deltas []*iceberg.Delta, incremental bool) {
	t.Helper()
	for _, d := range deltas {
		table := tableName(d.Table) + "\x00"
		before := rows{}
		for id, row := range r {
			if !strings.HasPrefix(id, table) {
				continue
			}
			if before[id] = row; d.Truncated || d.Shown != nil && !shown(d, id) {
				delete(r, id)
			}
		}
		if d.Schema == nil {
			continue
		}
		for i := range d.Keys.Len {
			delete(r, idOf(d, &d.Keys, i))
		}
		made := make([]object, d.Rows.Len)
		for i := range made {
			made[i] = object{}
			for col, column := range d.Schema.Columns {
				if v := &d.Rows.Columns[col]; !v.Null[i] {
					made[i][column.Name] = slices.Clone(v.Value(i))
				}
			}
			r[idOf(d, &d.Rows, i)] = made[i]
		}
		for _, g := range d.Gaps {
			if g.Key < 0 {
				t.Fatal("a gap that nothing fills")
			}
			from, ok := before[idOf(d, &d.Keys, g.Key)]
			if !ok && g.Own {
				from, ok = before[idOf(d, &d.Rows, g.Row)]
			}
			if !ok && !incremental { // which may show the row yet
				t.Fatalf("row %q is not there", idOf(d, &d.Keys, g.Key))
			}
			for _, col := range g.Columns {
				name := d.Schema.Columns[col].Name
				made[g.Row][name] = from[name]
			}
		}
	}
}

// idOf returns table and key, as the truth's rows are called.
func idOf(d *iceberg.Delta, from *iceberg.Rows, i int) string {
	values := make([]string, len(d.Schema.Key))
	for k, name := range d.Schema.Key {
		values[k] = string(from.Columns[d.Schema.Index(name)].Value(i))
	}
	return rowText(tableName(d.Table), values)
}

// shown asks a delta for a row of the table, whose key is in vectors as if it had been
// read from there.
func shown(d *iceberg.Delta, id string) bool {
	keys := iceberg.Rows{Len: 1, Columns: make([]iceberg.Vector, len(d.Schema.Columns))}
	for k, value := range strings.Split(id, "\x00")[1:] {
		keys.Columns[d.Schema.Index(d.Schema.Key[k])] = iceberg.Vector{Null: []bool{false}, Bytes: []byte(value), Ends: []int32{0, int32(len(value))}}
	}
	return d.Shown.Has(&keys, 0)
}

// compareTables compares rows with the database's, beyond which there are so many.
func (c *capture) compareTables(t *testing.T, got rows, extra int, typed bool) {
	t.Helper()
	truth := c.history(t).truth
	for id, want := range truth {
		row, ok := got[id]
		if !ok {
			t.Fatalf("row %q is not there", id)
		}
		for name, value := range want.Row {
			if raw := row[name]; typed && (value == nil) != (raw == nil) || typed && value != nil && string(raw) != *value {
				t.Fatalf("row %q has another %s", id, name)
			}
		}
	}
	if n := len(got) - len(truth); n != extra {
		more := fmt.Sprint(slices.Sorted(func(yield func(string) bool) {
			for id := range got {
				if _, ok := truth[id]; !ok && !yield(id) {
					return
				}
			}
		}))
		t.Fatalf("%d rows more than in the database, want %d: %.300q", n, extra, more)
	}
}
