package truth_test

import (
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// fold applies every change in delivered order to rows of columns: a column that
// a change does not have stays what it was, and a row that comes from another key
// brings its columns along. What is delivered again it leaves out. A row that is
// not there is nil.
func (f *feed) fold(t *testing.T, p *envelope.Placeholder) []object {
	t.Helper()
	rows := make([]object, len(f.rows))
	known := map[identity]bool{}
	moved := map[string]object{} // by the identity of the create
	for i := range f.all {
		c, row := &f.all[i], f.row[i]
		if c.Effect() == envelope.Truncate {
			for _, row := range f.ofTable[c.Table] {
				rows[row] = nil
			}
		}
		at, _ := f.identity(i)
		if row == none || at.id != "" && known[at] {
			continue
		}
		known[at] = true
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
		for _, image := range older {
			for name, raw := range rows[row] {
				if value, ok := image[name]; ok && p.Is(envelope.Value(raw)) {
					rows[row][name] = value
				}
			}
		}
	}
	return rows
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
func unlike(t *testing.T, p *envelope.Placeholder, got envelope.Row, want object) (columns []string, lacking int) {
	t.Helper()
	now := columnsOf(t, got)
	for name, raw := range want {
		switch value := now[name]; {
		case string(value) == string(raw):
		case value != nil && p.Is(envelope.Value(value)):
			lacking++
		default:
			columns = append(columns, name)
		}
		delete(now, name)
	}
	return append(columns, sortedKeys(now)...), lacking
}
