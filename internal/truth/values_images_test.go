package truth_test

import (
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// judgeImages: each image of a record that carries its schema has that schema's columns
// and no others, and all of them can be read. A record without a schema has none.
func judgeImages(t *testing.T, c *capture) {
	if !c.decodable() {
		return
	}
	decoderOf := c.decoders(envelope.ByPosition)
	reader := envelope.RowReader{Placeholder: c.placeholder()}
	images, columns := 0, 0
	for i, r := range c.records {
		var change envelope.Change
		if err := decoderOf(r.Topic).DecodeKeyed(&change, r.Key, r.Value); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if has := c.hasSchema(t, i); has != (change.Schema != nil) {
			t.Fatalf("line %d: a schema: %v", i+1, change.Schema != nil)
		}
		if change.Schema == nil {
			continue
		}
		for _, image := range []envelope.Row{change.Before, change.After} {
			if image == nil {
				continue
			}
			if err := reader.Read(change.Schema, image); err != nil {
				t.Errorf("line %d: %v", i+1, err)
				continue
			}
			if others := reader.Others(); len(others) != 0 || reader.Len() != len(change.Schema.Fields) {
				t.Errorf("line %d: %d columns, and %d without a type", i+1, reader.Len(), len(others))
			}
			for k := range reader.Len() {
				field := &change.Schema.Fields[k]
				switch d := reader.Datum(k); {
				case d.State() == envelope.Missing, d.Kind() == envelope.KindUnknown, d.Type() != &field.Type:
					t.Errorf("line %d: column %s is %v, a %v", i+1, field.Name, d.State(), d.Kind())
				case d.State() == envelope.Null && !field.Optional:
					t.Errorf("line %d: column %s is null, and must not be", i+1, field.Name)
				}
			}
			images++
			columns += reader.Len()
		}
	}
	if want := imagesWithSchema[c.String()]; images != want {
		t.Errorf("%d images with a schema, want %d", images, want)
	}
	if images > 0 {
		c.report.add("images with a schema", c, "%d\tcolumns %d", images, columns)
	}
}

// hasSchema reports whether a record carries a schema of the images in it. In a
// CloudEvent that is with the data.
func (c *capture) hasSchema(t *testing.T, i int) bool {
	t.Helper()
	m := c.meanings[i]
	if m.before == nil && m.after == nil {
		return false
	}
	if c.format == nil || c.format.kind != cloudEvents {
		return m.wrapped
	}
	event, err := membersOf(m.value)
	if err != nil {
		t.Fatalf("line %d: %v", i+1, err)
	}
	_, _, wrapped, err := unwrap(event["data"])
	if err != nil {
		t.Fatalf("line %d: %v", i+1, err)
	}
	return wrapped
}

// imagesWithSchema are the images in records that carry a schema, of all variants that
// have such records.
var imagesWithSchema = map[string]int{
	"mariadb/types-default":           178,
	"mariadb/types-iso":               178,
	"mariadb/types-string":            178,
	"mysql/types-default":             165,
	"mysql/types-string":              165,
	"postgres/cloudevents":            35,
	"postgres/cloudevents-2.7.3":      35,
	"postgres/old-1.9.7":              408,
	"postgres/other-schemas":          121,
	"postgres/toast-bytes":            147,
	"postgres/toast-hex":              147,
	"postgres/types-1.9.7":            716,
	"postgres/types-2.7.3":            733,
	"postgres/types-double":           733,
	"postgres/types-isostring":        733,
	"postgres/types-microseconds":     733,
	"postgres/types-nanoseconds":      733,
	"postgres/types-precise":          733,
	"postgres/types-random":           420,
	"postgres/types-random-string":    418,
	"postgres/types-string":           733,
	"postgres/unwrap-rewrite-schemas": 35,
}
