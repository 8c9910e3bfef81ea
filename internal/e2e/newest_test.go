//go:build servers

package e2e

import (
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// newest is a consumer of the library: it takes the records in batches through a Filter and a Compactor to its rows, and ends
// with the newest change of each, whatever the order in which the records come.
func newest(t *testing.T, records []record) rows {
	t.Helper()
	type held struct {
		table string
		row   row
	}
	table := map[string]held{}
	var d envelope.Debezium
	filter := &dedupe.Filter{Store: new(dedupe.Memory)}
	compact := dedupe.Compactor{Disordered: true} // a test shuffles them
	for polled := range slices.Chunk(records, 500) {
		changes := make([]envelope.Change, len(polled))
		for i, r := range polled {
			if err := d.DecodeKeyed(&changes[i], r.key, r.value); err != nil {
				t.Fatalf("offset %d: %v\n%s", r.offset, err, r.value)
			}
		}
		batch, err := filter.Admit(t.Context(), changes)
		if err != nil {
			t.Fatal(err)
		}
		for i, decision := range batch.Decisions {
			if decision.Verdict == dedupe.Failed || decision.Verdict == dedupe.Rowless {
				t.Fatalf("offset %d: %v, %v\n%s", polled[i].offset, decision.Verdict, decision.Err, polled[i].value)
			}
		}
		finals, failed := compact.Compact(changes, batch.Decisions)
		if len(failed) > 0 {
			t.Fatal(failed[0].Err)
		}
		for _, f := range finals {
			key, err := f.AppendKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			switch f.Effect() {
			case envelope.Upsert:
				table[string(key)] = held{f.Table.Name, columns(t, f.After)}
			case envelope.Delete:
				delete(table, string(key))
			default:
				t.Fatalf("offset %d: effect %v", polled[f.Index].offset, f.Effect())
			}
		}
		if err := filter.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	all := rows{}
	for _, h := range table {
		all.add(t, h.table, h.row)
	}
	return all
}

// columns reads a row image.
func columns(t *testing.T, image envelope.Row) row {
	t.Helper()
	r := row{}
	for column, err := range image.Columns() {
		if err != nil {
			t.Fatal(err)
		}
		name := string(column.AppendName(nil))
		if _, ok := r[name]; ok {
			t.Fatalf("column %s twice", name)
		}
		if column.Value.IsNull() {
			r[name] = cell{null: true}
			continue
		}
		r[name] = cell{text: string(column.Value.AppendText(nil))}
	}
	return r
}

// add puts a row under its name. Two rows of one name are two identities where the database has one.
func (all rows) add(t *testing.T, name string, r row) {
	t.Helper()
	full := all.name(t, name, r)
	if _, ok := all[full]; ok {
		t.Errorf("%s is there twice", full)
	}
	all[full] = r
}

// name returns a row's name.
func (rows) name(t *testing.T, name string, r row) string {
	t.Helper()
	for _, tab := range tables {
		if tab.name == name && r[tab.key].text != "" {
			return name + " " + r[tab.key].text
		}
	}
	t.Fatalf("table %q, row %v", name, r)
	return ""
}
