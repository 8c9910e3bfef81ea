package committest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

// A place is where committers keep tables.
type place struct {
	mu     sync.Mutex
	tables map[envelope.Table]*table
}

// A table is rows as columns by name: each value a Vector of one.
type table struct {
	schema    *iceberg.Schema
	rows      []map[string]iceberg.Vector
	snapshots int
	position  string
	from, to  string
	deltas    []string
}

// A committer is right unless it has a fault.
type committer struct {
	*place
	fault string
	had   map[string]bool         // of this process
	first map[int]*iceberg.Schema // by the number of columns, the first one
}

func places(fault string) func(*testing.T) func() Sink {
	return func(*testing.T) func() Sink {
		p := &place{tables: map[envelope.Table]*table{}}
		return func() Sink {
			return &committer{place: p, fault: fault, had: map[string]bool{}, first: map[int]*iceberg.Schema{}}
		}
	}
}

func (t *table) clone() *table {
	out := *t
	out.schema = &iceberg.Schema{Columns: slices.Clone(t.schema.Columns), Key: slices.Clone(t.schema.Key)}
	out.rows = nil
	for _, r := range t.rows {
		out.rows = append(out.rows, maps.Clone(r))
	}
	out.deltas = slices.Clone(t.deltas)
	return &out
}

// has reports whether a fault is the committer's.
func (c *committer) has(fault string) bool { return c.fault == fault }

// named returns the name of the table that has the rows of one.
func (c *committer) named(t envelope.Table) envelope.Table {
	if c.has("leaves out the table's schema") {
		t.Schema = ""
	}
	return t
}

// Schema implements Sink.
func (c *committer) Schema(_ context.Context, name envelope.Table) (*iceberg.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tables[c.named(name)]; t != nil {
		return t.schema, nil
	}
	return nil, nil
}

// Snapshots implements Counter.
func (c *committer) Snapshots(_ context.Context, name envelope.Table) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tables[c.named(name)].snapshots, nil
}

// Position implements iceberg.Committer.
func (c *committer) Position(_ context.Context, name envelope.Table) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tables[c.named(name)]; t != nil {
		return t.position, nil
	}
	return "", nil
}

// Rows implements Sink. It yields them by threes.
func (c *committer) Rows(_ context.Context, name envelope.Table) iter.Seq2[*iceberg.Rows, error] {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[c.named(name)].clone()
	return func(yield func(*iceberg.Rows, error) bool) {
		for some := range slices.Chunk(t.rows, 3) {
			out := &iceberg.Rows{Len: len(some)}
			for _, col := range t.schema.Columns {
				v := empty(col.Type)
				for _, r := range some {
					if value, ok := r[col.Name]; ok {
						appendFrom(&v, &value, 0)
					} else {
						appendTo(&v, col.Type, nil)
					}
				}
				out.Columns = append(out.Columns, v)
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func appendFrom(dst, src *iceberg.Vector, i int) {
	dst.Null = append(dst.Null, src.Null[i])
	switch {
	case src.Floats != nil:
		dst.Floats = append(dst.Floats, src.Floats[i])
	case src.Decimals != nil:
		dst.Decimals = append(dst.Decimals, src.Decimals[i])
	case src.Ends != nil:
		dst.Bytes = append(dst.Bytes, src.Value(i)...)
		dst.Ends = append(dst.Ends, int32(len(dst.Bytes)))
	default:
		dst.Ints = append(dst.Ints, src.Ints[i])
	}
}

// rowAt returns a row of a delta.
func (c *committer) rowAt(s *iceberg.Schema, rows *iceberg.Rows, i int) map[string]iceberg.Vector {
	out := map[string]iceberg.Vector{}
	for n, col := range s.Columns {
		if rows.Columns[n].Null == nil {
			continue
		}
		v := empty(col.Type)
		appendFrom(&v, &rows.Columns[n], i)
		name := col.Name
		switch {
		case c.has("keeps the delta") && v.Ends != nil:
			v.Bytes = rows.Columns[n].Value(i)
		case c.has("takes empty for null") && v.Ends != nil && len(v.Bytes) == 0:
			v.Null[0] = true
		case c.has("takes floats of 32 bits") && v.Floats != nil:
			v.Floats[0] = float64(float32(v.Floats[0]))
		case c.has("takes decimals of 64 bits") && v.Decimals != nil:
			v.Decimals[0].Hi = int64(v.Decimals[0].Lo) >> 63
		case c.has("takes milliseconds") && col.Type.Kind == icetype.TimestampTZ:
			v.Ints[0] = v.Ints[0] / 1000 * 1000
		case c.has("ends texts at NUL") && v.Ends != nil:
			before, _, _ := strings.Cut(string(v.Bytes), "\x00")
			v.Bytes, v.Ends[1] = []byte(before), int32(len(before))
		case c.has("goes by the place of columns") && n < len(s.Columns) && c.first[len(s.Columns)] != nil:
			name = c.first[len(s.Columns)].Columns[n].Name
		}
		out[name] = v
	}
	return out
}

func (c *committer) keyOf(s *iceberg.Schema, r map[string]iceberg.Vector) string {
	key := ""
	for _, name := range s.Key {
		v, ok := r[name]
		if !ok {
			v = iceberg.Vector{Null: []bool{true}}
		}
		text := show(&v, 0)
		switch {
		case c.has("has a null like no other") && v.Null[0]:
			text = fmt.Sprint(r)
		case c.has("puts keys together"):
			key += strings.Trim(text, `"`)
			continue
		}
		key += text + ","
	}
	return key
}

// Commit implements iceberg.Committer.
func (c *committer) Commit(ctx context.Context, d *iceberg.Delta) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return c.over(d, err)
	}
	switch {
	case c.has("sorts the nulls of keys") && d.Keys.Len > 0:
		d.Keys.Columns[d.Schema.Index(d.Schema.Key[0])].Null[0] = true
	case c.has("clears the delta"):
		*d = iceberg.Delta{Table: d.Table}
	case c.has("commits what has rows only") && d.Rows.Len == 0 && !d.Truncated:
		return nil
	case c.has("up to 5000 rows") && d.Rows.Len > 5000:
		return errors.New("too many rows")
	case c.has("up to 255 columns") && d.Schema != nil && len(d.Schema.Columns) > 255:
		return errors.New("too many columns")
	}
	t := c.tables[c.named(d.Table)]
	if t == nil {
		if d.Schema == nil {
			if c.has("needs a table to truncate") {
				return errors.New("no such table")
			}
			return nil
		}
		t = &table{schema: &iceberg.Schema{Columns: d.Schema.Columns, Key: d.Schema.Key}}
		if !required(d.Schema) || c.has("has no key") {
			t.schema.Key = nil
		}
	}
	t = t.clone()
	if d.Schema != nil && c.first[len(d.Schema.Columns)] == nil {
		c.first[len(d.Schema.Columns)] = copied(d.Schema)
	}
	if c.knows(t, d) {
		return nil
	}
	if c.has("writes some before it looks") {
		if err := c.evolve(t, d); err != nil {
			return err
		}
		c.tables[c.named(d.Table)] = t
		t = t.clone()
	}
	if err := c.write(t, d); err != nil {
		return c.refused(d, err)
	}
	c.had[d.ID] = true
	c.tables[c.named(d.Table)] = t
	return nil
}

func required(s *iceberg.Schema) bool {
	return !slices.ContainsFunc(s.Key, func(name string) bool { return !s.Columns[s.Index(name)].Required })
}
