package truth_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// A reading is a stream of changes with the schemas of their rows, as a consumer of
// values has it.
type reading struct {
	truth.Variant
	set     *settings
	records []truth.Record
	changes []envelope.Change
	schemas []*envelope.Schema // by change: of its rows; nil if it has none
	reader  envelope.RowReader
}

// newReading decodes a variant. Where the records carry no schema, twin's has the same
// tables with one.
func newReading(t *testing.T, v truth.Variant) *reading {
	t.Helper()
	records, err := v.Records()
	if err != nil {
		t.Fatal(err)
	}
	c, set := &capture{Variant: v}, valueVariants[v.String()]
	r := &reading{Variant: v, set: &set, records: records, changes: make([]envelope.Change, len(records)), schemas: make([]*envelope.Schema, len(records))}
	r.reader.Placeholder = c.placeholder()
	borrowed := map[place]*envelope.Schema{}
	if set.twin != "" {
		borrowed = schemasOf(t, &set)
	}
	decoderOf := c.decoders(envelope.ByPosition)
	for i, record := range records {
		change := &r.changes[i]
		if err := decoderOf(record.Topic).DecodeKeyed(change, record.Key, record.Value); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if change.Before == nil && change.After == nil {
			continue
		}
		if r.schemas[i] = change.Schema; set.twin != "" {
			if change.Schema != nil {
				t.Fatalf("line %d has a schema of its own", i+1)
			}
			r.schemas[i] = borrowed[placeOf(change)]
		}
		if r.schemas[i] == nil {
			t.Fatalf("line %d has no schema", i+1)
		}
	}
	return r
}

// A place tells the schemas of a stream apart. A snapshot has generated columns, which
// the stream has not.
type place struct {
	table string
	read  bool
}

func placeOf(c *envelope.Change) place {
	return place{tableName(c.Table), c.Op == envelope.OpRead}
}

// schemasOf returns the schemas of the twin's records with what a consumer knows beyond
// them: the form that bytes have by the variant's settings, and which integers are
// unsigned.
func schemasOf(t *testing.T, set *settings) map[place]*envelope.Schema {
	t.Helper()
	schemas := map[place]*envelope.Schema{}
	for at, s := range twinSchemas(t, set.twin) {
		own := &envelope.Schema{Name: s.Name, Fields: append([]envelope.Field{}, s.Fields...), Key: s.Key}
		declared := columnsOfTable(at.table)
		for i := range own.Fields {
			f := &own.Fields[i]
			if inMode(&f.Type, set); declared[f.Name] == "bigint unsigned" {
				f.Type = envelope.Type{Kind: envelope.KindUint}
			}
		}
		schemas[at] = own
	}
	return schemas
}

// A twin is read once: it serves several variants.
var twins struct {
	sync.Mutex
	schemas map[string]map[place]*envelope.Schema
}

func twinSchemas(t *testing.T, name string) map[place]*envelope.Schema {
	t.Helper()
	twins.Lock()
	defer twins.Unlock()
	if twins.schemas == nil {
		twins.schemas = map[string]map[place]*envelope.Schema{}
	}
	schemas, ok := twins.schemas[name]
	if ok {
		return schemas
	}
	twin := newReading(t, variantOf(t, name))
	schemas = map[place]*envelope.Schema{}
	for i := range twin.changes {
		if at := placeOf(&twin.changes[i]); twin.schemas[i] != nil && schemas[at] == nil {
			schemas[at] = twin.schemas[i]
		}
	}
	twins.schemas[name] = schemas
	return schemas
}

// inMode sets the form of bytes. The base64 of a mode is that of the JSON converter.
func inMode(typ *envelope.Type, set *settings) {
	if typ.Kind == envelope.KindList {
		elem := *typ.Elem
		inMode(&elem, set)
		typ.Elem = &elem
	}
	if typ.Kind == envelope.KindBytes && set.bytes == "base64url" {
		typ.Form = envelope.FormBase64URL
	}
}

// A final is a row at the end: by column the change whose image has the value.
type final map[string]int

// fold applies the changes in delivered order. A column that is unavailable stays
// what it was, if that is known; a row that comes from another key, which the record's
// header names, brings its columns along.
func (r *reading) fold(t *testing.T) map[string]final {
	t.Helper()
	rows, deleted := map[string]final{}, map[string]final{}
	for i := range r.changes {
		change := &r.changes[i]
		table := tableName(change.Table)
		effect := change.Effect()
		if effect != envelope.Upsert && effect != envelope.Delete {
			continue
		}
		name := rowText(table, r.key(t, i))
		older := rows[name]
		if delete(rows, name); effect == envelope.Delete {
			deleted[name] = older
			continue
		}
		if old, ok := r.records[i].Headers["__debezium.oldkey"]; ok {
			key, _, _, err := unwrap([]byte(old))
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			_, values := keyText(t, key)
			older = deleted[rowText(table, values)]
		}
		rows[name] = r.after(t, i, older)
	}
	return rows
}

// key returns the values of a change's key.
func (r *reading) key(t *testing.T, i int) []string {
	t.Helper()
	_, values := keyText(t, json.RawMessage(r.changes[i].Key))
	return values
}

// after returns the row that the i-th change leaves.
func (r *reading) after(t *testing.T, i int, older final) final {
	t.Helper()
	schema := r.schemas[i]
	r.read(t, i)
	row := final{}
	for k := range schema.Fields {
		name := schema.Fields[k].Name
		switch r.reader.Datum(k).State() {
		case envelope.Missing:
		case envelope.Unavailable:
			row[name] = i
			if from, ok := older[name]; ok {
				row[name] = from
			}
		default:
			row[name] = i
		}
	}
	for name, from := range row {
		if from == i {
			continue
		}
		r.read(t, from)
		if d := r.datum(from, name); d.State() == envelope.Null { // no value: the connector had no sign for what it did not know
			row[name] = i
		}
	}
	return row
}

// read reads the image that the i-th change left.
func (r *reading) read(t *testing.T, i int) {
	t.Helper()
	if err := r.reader.Read(r.schemas[i], r.changes[i].After); err != nil {
		t.Fatalf("line %d: %v", i+1, err)
	}
	if others := r.reader.Others(); len(others) != 0 {
		t.Fatalf("line %d: column %s is not in the schema", i+1, others[0].Name)
	}
}

// datum returns a column of the image that was read last, which is the i-th change's.
func (r *reading) datum(i int, column string) envelope.Datum {
	k := r.schemas[i].Index(column)
	if k < 0 {
		return envelope.Datum{}
	}
	return r.reader.Datum(k)
}
