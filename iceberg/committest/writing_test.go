package committest

import (
	"maps"
	"slices"

	"github.com/rowdelta/rowdelta/iceberg"
)

// write does to a table what a delta says.
func (c *committer) write(t *table, d *iceberg.Delta) error {
	before := t.clone()
	if d.Schema != nil {
		if err := c.evolve(t, d); err != nil {
			return err
		}
	}
	if d.Truncated && !c.has("truncates nothing") {
		t.rows = nil
	}
	if d.Schema != nil {
		if c.has("looks for gaps behind the deletes") {
			c.remove(before, d)
		}
		rows, err := c.filled(before, d)
		if err != nil {
			return err
		}
		c.remove(t, d)
		c.sweep(t, d)
		t.rows = append(t.rows, rows...)
	}
	if d.Truncated && (c.has("truncates at the end")) {
		t.rows = nil
	}
	t.snapshots++
	if c.has("writes two snapshots") {
		t.snapshots++
	}
	if t.from != d.From || t.to != d.To {
		t.deltas = nil
	}
	t.from, t.to, t.deltas = d.From, d.To, append(t.deltas, d.ID)
	switch {
	case c.has("has no position"):
	case c.has("has the position of rows only") && d.Rows.Len == 0:
	case !d.More || c.has("has the position of the first of several"):
		t.position = d.To
	}
	return nil
}

func (c *committer) evolve(t *table, d *iceberg.Delta) error {
	e, err := iceberg.Policy{}.Evolve(d.Table, t.schema, d.Schema)
	if err != nil {
		return err
	}
	if c.has("keeps columns required") {
		e.Relax = nil
	}
	for _, col := range e.Widen {
		if c.has("widens no key") && slices.Contains(d.Schema.Key, col.Name) || c.has("loses what it widens") {
			for _, r := range t.rows {
				if v, ok := r[col.Name]; ok {
					v.Null = []bool{true}
					r[col.Name] = v
				}
			}
		}
	}
	if c.has("drops columns") {
		for _, col := range t.schema.Columns {
			if d.Schema.Index(col.Name) < 0 {
				for _, r := range t.rows {
					delete(r, col.Name)
				}
			}
		}
	}
	for _, name := range e.Relax {
		t.schema.Columns[t.schema.Index(name)].Required = false
	}
	for _, col := range e.Widen {
		if !c.has("widens no column") {
			t.schema.Columns[t.schema.Index(col.Name)].Type = col.Type
		}
	}
	if c.has("takes narrower types") {
		for _, col := range d.Schema.Columns {
			if i := t.schema.Index(col.Name); i >= 0 {
				t.schema.Columns[i].Type = col.Type
			}
		}
	}
	if !c.has("adds no columns") {
		t.schema.Columns = append(t.schema.Columns, e.Add...)
	}
	if e.NewKey {
		t.schema.Key = e.Key
	}
	return nil
}

func (c *committer) remove(t *table, d *iceberg.Delta) {
	gone := map[string]bool{}
	for i := range d.Keys.Len {
		gone[c.keyOf(d.Schema, c.rowAt(d.Schema, &d.Keys, i))] = true
	}
	kept := map[string]bool{}
	for i := range d.Rows.Len {
		kept[c.keyOf(d.Schema, c.rowAt(d.Schema, &d.Rows, i))] = true
	}
	switch {
	case c.has("deletes nothing"):
		return
	case c.has("deletes what is written again"):
		maps.DeleteFunc(gone, func(key string, _ bool) bool { return !kept[key] })
	case c.has("deletes what is not written again"):
		maps.DeleteFunc(gone, func(key string, _ bool) bool { return kept[key] })
	}
	t.rows = slices.DeleteFunc(t.rows, func(r map[string]iceberg.Vector) bool { return gone[c.keyOf(d.Schema, r)] })
}

func (c *committer) sweep(t *table, d *iceberg.Delta) {
	if d.Shown == nil || c.has("sweeps nothing") {
		return
	}
	t.rows = slices.DeleteFunc(t.rows, func(r map[string]iceberg.Vector) bool {
		rows := &iceberg.Rows{Len: 1, Columns: make([]iceberg.Vector, len(d.Schema.Columns))}
		for i, col := range d.Schema.Columns {
			rows.Columns[i] = r[col.Name]
		}
		return !d.Shown.Has(rows, 0)
	})
}

// filled returns the delta's rows with what the table has.
func (c *committer) filled(t *table, d *iceberg.Delta) ([]map[string]iceberg.Vector, error) {
	var rows []map[string]iceberg.Vector
	for i := range d.Rows.Len {
		rows = append(rows, c.rowAt(d.Schema, &d.Rows, i))
	}
	byKey := map[string]map[string]iceberg.Vector{}
	for _, r := range t.rows {
		byKey[c.keyOf(d.Schema, r)] = r
	}
	lacking, column := 0, ""
	for _, g := range d.Gaps {
		var old map[string]iceberg.Vector
		if c.has("takes from the row's own key") {
			old = byKey[c.keyOf(d.Schema, rows[g.Row])]
		} else if g.Key >= 0 {
			old = byKey[c.keyOf(d.Schema, c.rowAt(d.Schema, &d.Keys, g.Key))]
		}
		if old == nil && g.Own && !c.has("has no own rows") {
			old = byKey[c.keyOf(d.Schema, rows[g.Row])]
		}
		if old == nil && c.has("fills gaps with null") {
			continue
		}
		if old == nil {
			lacking++
			column = d.Schema.Columns[g.Columns[0]].Name
			continue
		}
		for _, col := range g.Columns {
			name := d.Schema.Columns[col].Name
			was := d.Schema.Columns[col].Type
			if i := t.schema.Index(name); i >= 0 {
				was = t.schema.Columns[i].Type
			}
			if v, ok := old[name]; ok && !(c.has("takes values of the same type only") && was != d.Schema.Columns[col].Type) {
				rows[g.Row][name] = v
			}
		}
	}
	if lacking > 0 {
		return nil, &iceberg.GapError{Table: d.Table, Column: column, Rows: lacking}
	}
	return rows, nil
}
