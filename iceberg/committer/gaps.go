package committer

import (
	"context"
	"maps"
	"slices"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/iceberg"
)

// complete returns the delta with what it needs of the table as it was before: values
// that the source did not send, and the keys of rows that a snapshot of the source did
// not show.
func (w *writing) complete(ctx context.Context, t *table.Table, has progress, e *iceberg.Evolution) (*iceberg.Delta, error) {
	d := w.source
	if len(d.Gaps) > 0 {
		taken, err := w.take(ctx, t, has, e)
		if err != nil {
			return nil, err
		}
		full := *d
		full.Gaps = nil
		full.Rows.Columns = slices.Clone(d.Rows.Columns)
		for col, lack := range taken.lacks {
			if lack {
				full.Rows.Columns[col] = taken.column(d, col)
			}
		}
		d = &full
	}
	if d.Shown == nil || d.Truncated || w.empty {
		return d, nil
	}
	return w.sweep(ctx, t, d)
}

// A take is rows of the table that have what gaps lack.
type take struct {
	lacks  []bool           // by the number of the delta's column
	from   []int            // by the number of the gap: its row in values, or -1
	values []iceberg.Vector // by the number of the delta's column; nil for what no row lacks
}

// take reads the rows that gaps refer to.
func (w *writing) take(ctx context.Context, t *table.Table, has progress, e *iceberg.Evolution) (*take, error) {
	d := w.source
	out := &take{lacks: make([]bool, len(d.Schema.Columns)), from: make([]int, len(d.Gaps)), values: make([]iceberg.Vector, len(d.Schema.Columns))}
	columns := keyNumbers(d.Schema)
	known := !w.empty
	for i, g := range d.Gaps {
		out.from[i] = -1
		for _, col := range g.Columns {
			if !out.lacks[col] {
				out.lacks[col], columns = true, append(columns, col)
			}
			// No row of the table has a value of a column that is new.
			known = known && !slices.ContainsFunc(e.Add, func(c iceberg.Column) bool { return c.Name == d.Schema.Columns[col].Name })
		}
	}
	if !known {
		return out, w.unknown(out)
	}
	wanted := make(map[int][]int)
	for i, g := range d.Gaps {
		if g.Key >= 0 {
			wanted[g.Key] = append(wanted[g.Key], i)
		}
	}
	if err := w.find(ctx, t, &d.Keys, wanted, columns, out); err != nil {
		return nil, err
	}
	// Where the table has some of the delta's changes already, it has the row perhaps
	// under its new key.
	clear(wanted)
	for i, g := range d.Gaps {
		if out.from[i] < 0 && (g.Own || w.repeats(has)) {
			wanted[g.Row] = append(wanted[g.Row], i)
		}
	}
	if err := w.find(ctx, t, &d.Rows, wanted, columns, out); err != nil {
		return nil, err
	}
	return out, w.unknown(out)
}

// repeats reports whether the table is known to have some of the delta's changes.
func (w *writing) repeats(has progress) bool {
	position, ok := has[propertyPosition+w.c.suffix]
	return ok && w.c.options.Compare != nil && w.c.options.Compare(position, w.source.From) > 0
}

// find reads rows of the table: those with the keys that rows, or keys, of the delta
// have, by their numbers, each for some gaps.
func (w *writing) find(ctx context.Context, t *table.Table, rows *iceberg.Rows, wanted map[int][]int, columns []int, out *take) error {
	if len(wanted) == 0 {
		return nil
	}
	s := w.source.Schema
	numbers := slices.Sorted(maps.Keys(wanted))
	keys := make([]iceberg.Vector, len(s.Key))
	for i, v := range keyColumns(s, rows) {
		for _, n := range numbers {
			appendValue(&keys[i], &v, n)
		}
	}
	index := keysOf(keys, len(numbers))
	options := []table.ScanOption{}
	if e := within(t, s, keys); e != nil {
		options = append(options, table.WithRowFilter(e))
	}
	count := len(out.values[columns[0]].Null)
	var scratch []byte
	for found, err := range scan(ctx, t, namesOf(s, columns), options...) {
		if err != nil {
			return err
		}
		for i := range found.Len {
			n, ok := index.find(found.Columns[:len(keys)], i, &scratch)
			if !ok {
				continue
			}
			for j, col := range columns {
				appendValue(&out.values[col], &found.Columns[j], i)
			}
			for _, gap := range wanted[numbers[n]] {
				out.from[gap] = count
			}
			count++
		}
	}
	return nil
}

// within returns a filter for the smallest range that has the keys, by which data files
// are left out that lie beside it. It is nil if the key is not one whole number.
func within(t *table.Table, s *iceberg.Schema, keys []iceberg.Vector) ice.BooleanExpression {
	if !isWhole(keys) {
		return nil
	}
	f, ok := t.Schema().FindFieldByName(s.Key[0])
	if !ok {
		return nil
	}
	column := ice.Reference(f.Name)
	switch f.Type.(type) {
	case ice.Int64Type:
		return ice.NewAnd(ice.GreaterThanEqual(column, slices.Min(keys[0].Ints)), ice.LessThanEqual(column, slices.Max(keys[0].Ints)))
	case ice.Int32Type:
		return ice.NewAnd(ice.GreaterThanEqual(column, int32(slices.Min(keys[0].Ints))), ice.LessThanEqual(column, int32(slices.Max(keys[0].Ints))))
	}
	return nil
}

// unknown returns an error if there are gaps that no row of the table fills.
func (w *writing) unknown(t *take) error {
	if w.c.options.Unknown == UnknownNull {
		return nil
	}
	rows, column := 0, ""
	for i, from := range t.from {
		if from < 0 {
			rows++
			column = w.source.Schema.Columns[w.source.Gaps[i].Columns[0]].Name
		}
	}
	if rows == 0 {
		return nil
	}
	return &iceberg.GapError{Table: w.source.Table, Column: column, Rows: rows}
}

// column returns a column of the delta's rows with its gaps filled.
func (t *take) column(d *iceberg.Delta, col int) (out iceberg.Vector) {
	v := &d.Rows.Columns[col]
	gap := 0
	for row := range d.Rows.Len {
		for gap < len(d.Gaps) && d.Gaps[gap].Row < row {
			gap++
		}
		if gap < len(d.Gaps) && d.Gaps[gap].Row == row && t.from[gap] >= 0 && slices.Contains(d.Gaps[gap].Columns, col) {
			appendValue(&out, &t.values[col], t.from[gap])
		} else {
			appendValue(&out, v, row)
		}
	}
	return out
}

// appendValue appends the i-th value of a vector to another one.
func appendValue(dst, src *iceberg.Vector, i int) {
	dst.Null = append(dst.Null, src.Null[i])
	switch {
	case src.Ends != nil:
		if dst.Ends == nil {
			dst.Ends = append(dst.Ends, 0)
		}
		dst.Bytes = append(dst.Bytes, src.Value(i)...)
		dst.Ends = append(dst.Ends, int32(len(dst.Bytes)))
	case src.Decimals != nil:
		dst.Decimals = append(dst.Decimals, src.Decimals[i])
	case src.Floats != nil:
		dst.Floats = append(dst.Floats, src.Floats[i])
	default:
		dst.Ints = append(dst.Ints, src.Ints[i])
	}
}

// sweep returns the delta with the keys of the rows in addition that the table has and
// the source, by its snapshot, has not.
func (w *writing) sweep(ctx context.Context, t *table.Table, d *iceberg.Delta) (*iceberg.Delta, error) {
	columns := keyNumbers(d.Schema)
	touched := keysOf(keyColumns(d.Schema, &d.Keys), d.Keys.Len)
	swept := *d
	swept.Keys.Columns = make([]iceberg.Vector, len(d.Keys.Columns))
	for _, col := range columns {
		for i := range d.Keys.Len {
			appendValue(&swept.Keys.Columns[col], &d.Keys.Columns[col], i)
		}
	}
	var scratch []byte
	for found, err := range scan(ctx, t, namesOf(d.Schema, columns)) {
		if err != nil {
			return nil, err
		}
		keys := iceberg.Rows{Len: found.Len, Columns: make([]iceberg.Vector, len(d.Schema.Columns))}
		for j, col := range columns {
			keys.Columns[col] = found.Columns[j]
		}
		for i := range found.Len {
			if _, ok := touched.find(found.Columns, i, &scratch); ok || d.Shown.Has(&keys, i) {
				continue
			}
			for _, col := range columns {
				appendValue(&swept.Keys.Columns[col], &keys.Columns[col], i)
			}
			swept.Keys.Len++
		}
	}
	return &swept, nil
}

// keyNumbers returns the numbers of the key's columns.
func keyNumbers(s *iceberg.Schema) []int {
	out := make([]int, len(s.Key))
	for i, name := range s.Key {
		out[i] = s.Index(name)
	}
	return out
}

func namesOf(s *iceberg.Schema, columns []int) []string {
	out := make([]string, len(columns))
	for i, col := range columns {
		out[i] = s.Columns[col].Name
	}
	return out
}
