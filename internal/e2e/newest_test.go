//go:build servers

package e2e

import (
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// newest is the library's first way of use: it keeps the newest change of each row by its version, whatever the order in
// which the records come.
func newest(t *testing.T, records []record) rows {
	t.Helper()
	type held struct {
		version envelope.Version
		table   string
		row     row // nil: deleted
	}
	marks := map[string]held{}
	var d envelope.Debezium
	var c envelope.Change
	var key []byte
	for _, r := range records {
		if err := d.DecodeKeyed(&c, r.key, r.value); err != nil {
			t.Fatalf("offset %d: %v\n%s", r.offset, err, r.value)
		}
		var err error
		if key, err = c.AppendKey(append(key[:0], c.Table.String()+" "...)); err != nil {
			t.Fatalf("offset %d: %v\n%s", r.offset, err, r.key)
		}
		mark, ok := marks[string(key)]
		if ok && c.Version.Compare(mark.version) <= 0 {
			continue
		}
		mark = held{version: c.Version, table: c.Table.Name}
		switch c.Effect() {
		case envelope.Upsert:
			mark.row = columns(t, c.Image())
		case envelope.Delete:
		default:
			t.Fatalf("offset %d: effect %v\n%s", r.offset, c.Effect(), r.value)
		}
		marks[string(key)] = mark
	}
	all := rows{}
	for _, mark := range marks {
		if mark.row != nil {
			all.add(t, mark.table, mark.row)
		}
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
