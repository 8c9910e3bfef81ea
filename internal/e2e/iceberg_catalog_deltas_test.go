//go:build servers

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// parcels is a table whose columns change. Its records are Debezium's.
var parcels = envelope.Table{DB: "shop", Schema: "public", Name: "parcels"}

// parcelFields are the columns as the source has them: at first, and after its ALTER TABLE.
var parcelFields = [2][]envelope.Field{
	{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}},
		{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}},
		{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	},
	{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}, Optional: true},
		{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
		{Name: "price", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 9, Scale: 2}, Optional: true},
	},
}

// readCatalog prints the rows of a table as pyiceberg reads them through the catalog.
const readCatalog = `import json, sys
from pyiceberg.catalog import load_catalog

uri, warehouse, properties, name = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
table = load_catalog("rest", type="rest", uri=uri, warehouse=warehouse, **properties).load_table(name)
for row in sorted(table.scan().to_arrow().to_pylist(), key=lambda r: r["id"]):
    print(*row.values())
`

// takesDeltas has what a delta can bring, each time with what the table must hold then.
func (l *lake) takesDeltas(t *testing.T) {
	unsent := `"` + envelope.DefaultPlaceholder + `"`
	steps := []struct {
		name    string
		fields  int
		records [][3]string // op, before, after
		rows    []string
	}{
		{"create", 0, [][3]string{{"c", "null", `{"id":1,"n":10,"note":"a"}`}, {"c", "null", `{"id":2,"n":20,"note":null}`}, {"c", "null", `{"id":3,"n":30,"note":"ü"}`}},
			[]string{"1 10 a", "2 20 None", "3 30 ü"}},
		{"update and delete", 0, [][3]string{{"u", "null", `{"id":1,"n":11,"note":"b"}`}, {"d", `{"id":2,"n":20,"note":null}`, "null"}},
			[]string{"1 11 b", "3 30 ü"}},
		{"values that were not sent", 0, [][3]string{{"u", "null", `{"id":3,"n":31,"note":` + unsent + `}`}},
			[]string{"1 11 b", "3 31 ü"}},
		{"another column, wider ones, one of the key", 1, [][3]string{{"u", "null", `{"id":1,"n":null,"note":` + unsent + `,"price":"1.50"}`}, {"c", "null", `{"id":1099511627776,"n":1099511627777,"note":"c","price":null}`}},
			[]string{"1 None b 1.50", "3 31 ü None", "1099511627776 1099511627777 c None"}},
		{"after the key's change", 1, [][3]string{{"d", `{"id":1,"n":null,"note":"b","price":"1.50"}`, "null"}, {"u", "null", `{"id":3,"n":32,"note":` + unsent + `,"price":"-0.01"}`}},
			[]string{"3 32 ü -0.01", "1099511627776 1099511627777 c None"}},
		{"truncate and rows", 1, [][3]string{{"t", "null", "null"}, {"c", "null", `{"id":7,"n":70,"note":"d","price":"7.00"}`}},
			[]string{"7 70 d 7.00"}},
		{"truncate", 1, [][3]string{{"t", "null", "null"}}, nil},
		{"rows again", 1, [][3]string{{"c", "null", `{"id":7,"n":71,"note":"e","price":"7.00"}`}, {"c", "null", `{"id":8,"n":80,"note":"f","price":null}`}},
			[]string{"7 71 e 7.00", "8 80 f None"}},
	}
	for _, deletes := range writable {
		p := l.place()
		at := 0
		for _, step := range steps {
			schema := &envelope.Schema{Fields: parcelFields[step.fields], Key: []string{"id"}}
			b := iceberg.Builder{Schemas: map[envelope.Table]*envelope.Schema{parcels: schema}}
			var decoder envelope.Debezium
			from := position(at)
			for _, r := range step.records {
				at++
				var c envelope.Change
				record := fmt.Sprintf(`{"op":%q,"before":%s,"after":%s,"ts_ms":1,"source":{"connector":"postgresql","db":"shop","schema":"public","table":"parcels","ts_ns":%d,"lsn":%[4]d,"sequence":"[\"%[4]d\",\"%[4]d\"]"}}`, r[0], r[1], r[2], at)
				if err := decoder.Decode(&c, []byte(record)); err != nil {
					t.Fatal(err)
				}
				if err := b.Add(&c); err != nil {
					t.Fatal(err)
				}
			}
			c := p.open(t, nil, committer.Options{Deletes: deletes}) // as another process
			for _, d := range b.Flush(from, position(at)) {
				for range 2 {
					if err := c.Commit(t.Context(), d); err != nil {
						t.Fatalf("%s: %v", step.name, err)
					}
				}
			}
			if got := p.rows(t, c); !slices.Equal(got, step.rows) {
				t.Fatalf("%s: the table has %q, want %q", step.name, got, step.rows)
			}
			if got, err := c.Position(t.Context(), parcels); err != nil || got != position(at) {
				t.Errorf("%s: the position is %q, %v", step.name, got, err)
			}
			if deletes == committer.CopyOnWrite {
				p.pyReads(t, step.rows)
			}
		}
		c := p.open(t, nil, committer.Options{Deletes: deletes})
		last := steps[len(steps)-1].rows
		done, err := c.Maintain(t.Context(), parcels, committer.Maintenance{Files: 1, Deletes: 1, Manifests: 1, Orphan: time.Nanosecond})
		// Files go by Nessie's own garbage collection: its tables say so by gc.enabled.
		if err != nil || done.Deletes+done.Manifests == 0 || done.Snapshots+done.Orphans > 0 {
			t.Errorf("maintained: %+v, %v", done, err)
		}
		if got := p.rows(t, c); !slices.Equal(got, last) {
			t.Errorf("maintained, the table has %q, want %q", got, last)
		}
		if got, err := c.Position(t.Context(), parcels); err != nil || got != position(at) {
			t.Errorf("maintained, the position is %q, %v; want %q", got, err, position(at))
		}
		p.pyReads(t, last)
	}
}

// rows returns the rows of parcels as readCatalog prints them.
func (p *place) rows(t *testing.T, c *committer.Committer) (lines []string) {
	t.Helper()
	byID := map[int64]string{}
	for rows, err := range c.Rows(t.Context(), parcels, 0) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows.Len {
			var line []string
			for _, v := range rows.Columns {
				switch {
				case v.Null[i]:
					line = append(line, "None")
				case v.Ends != nil:
					line = append(line, string(v.Value(i)))
				case v.Decimals != nil:
					cents := int64(v.Decimals[i].Lo)
					line = append(line, fmt.Sprintf("%s%d.%02d", map[bool]string{true: "-"}[cents < 0], max(cents, -cents)/100, max(cents, -cents)%100))
				default:
					line = append(line, fmt.Sprint(v.Ints[i]))
				}
			}
			if byID[rows.Columns[0].Ints[i]] != "" {
				t.Errorf("row %d is there twice", rows.Columns[0].Ints[i])
			}
			byID[rows.Columns[0].Ints[i]] = strings.Join(line, " ")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		lines = append(lines, byID[id])
	}
	return lines
}

// pyReads has pyiceberg read parcels through the catalog.
func (p *place) pyReads(t *testing.T, want []string) {
	t.Helper()
	properties, err := json.Marshal(p.Client())
	if err != nil {
		t.Fatal(err)
	}
	out, err := servers.RunPython(t, readCatalog, p.URI(), p.Warehouse(), string(properties), p.namespace+"."+parcels.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(out, "\n"), "\n"); !slices.Equal(got, want) && !(out == "" && len(want) == 0) {
		t.Errorf("pyiceberg reads %q, want %q", got, want)
	}
}

// hasNoVectors has a catalog that cannot make what a Committer needs.
func (l *lake) hasNoVectors(t *testing.T) {
	p := l.place()
	c := p.open(t, nil, committer.Options{Deletes: committer.DeletionVectors})
	var want ledger
	err := c.Commit(t.Context(), want.delta(map[int64]int64{1: 1}))
	if _, ok := errors.AsType[*iceberg.SchemaError](err); !ok || !errors.Is(err, committer.ErrVersion) {
		t.Errorf("deletion vectors in a catalog without version 3: %v", err)
	}
}

// needsLittle has only credentials in the environment: the catalog tells where the files are.
func (l *lake) needsLittle(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", l.s3.Key())
	t.Setenv("AWS_SECRET_ACCESS_KEY", l.s3.Secret())
	p := l.place()
	at := l.catalog(nil)
	at.Properties = nil
	c := p.connect(t, at, committer.Options{})
	var want ledger
	if err := c.Commit(t.Context(), want.delta(map[int64]int64{1: 1})); err != nil {
		t.Fatal(err)
	}
	want.holds(t, c)
}
