package truth_test

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// fold applies every change in delivered order to rows of columns: a column that
// a change does not have stays what it was, and a row that comes from another key
// brings its columns along. What is delivered again it leaves out. It returns the
// rows at the end, nil for one that is not there, and for each change that does not
// have all columns the row that it left.
func (f *feed) fold(t *testing.T, p *envelope.Placeholder) (rows, after []object) {
	t.Helper()
	rows, after = make([]object, len(f.rows)), make([]object, len(f.all))
	known := map[identity]int{}  // the first delivery, from 1
	moved := map[string]object{} // by the identity of the create
	for i := range f.all {
		c, row := &f.all[i], f.row[i]
		if c.Effect() == envelope.Truncate {
			for _, row := range f.ofTable[c.Table] {
				rows[row] = nil
			}
		}
		at, _ := f.identity(i)
		if row == none {
			continue
		}
		if first := known[at]; at.id != "" && first > 0 {
			after[i] = after[first-1]
			continue
		}
		known[at] = i + 1
		if c.Effect() == envelope.Delete {
			moved[created(at.id)], rows[row] = rows[row], nil
			continue
		}
		older := []object{rows[row]}
		if c.Op == envelope.OpCreate {
			older[0] = moved[at.id]
		}
		if c.Before != nil {
			older = append([]object{columnsOf(t, c.Before)}, older...)
		}
		rows[row] = columnsOf(t, c.After)
		if _, lacks := p.Column(c.After); lacks {
			after[i] = rows[row]
		}
		for _, image := range older {
			for name, raw := range rows[row] {
				if value, ok := image[name]; ok && p.Is(envelope.Value(raw)) {
					rows[row][name] = value
				}
			}
		}
	}
	return rows, after
}

// created returns the identity of the create that is the other half of a delete,
// if it is one of a changed key.
func created(id string) string {
	if id == "" {
		return ""
	}
	return envelope.OpCreate.String() + id[len(envelope.OpDelete.String()):]
}

// unlike returns the columns of a row that are not want's, and how many it does
// not have.
func unlike(p *envelope.Placeholder, got envelope.Row, want object) (columns []string, lacking int) {
	n := 0
	for c, err := range got.Columns() {
		n++
		name := string(c.AppendName(nil))
		switch {
		case err == nil && string(c.Value) == string(want[name]):
		case err == nil && want[name] != nil && p.Is(c.Value):
			lacking++
		default:
			columns = append(columns, name)
		}
	}
	if n != len(want) {
		columns = append(columns, fmt.Sprintf("%d, not %d", n, len(want)))
	}
	return columns, lacking
}
