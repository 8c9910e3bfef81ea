package envelope

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inWrapper returns an envelope of a row with the column c, in its wrapper.
func inWrapper(column, value string) []byte {
	image := `{"type":"struct","fields":[{"field":"c",` + column[1:] + `],"optional":true,"name":"t.Value","field":"%s"}`
	schema := `{"type":"struct","fields":[` + fmt.Sprintf(image, "before") + "," + fmt.Sprintf(image, "after") +
		`,{"type":"struct","fields":[],"field":"source"},{"type":"string","field":"op"}],"name":"t.Envelope"}`
	return []byte(`{"schema":` + schema + `,"payload":{"before":null,"after":{"c":` + value + `},"source":{},"op":"c"}}`)
}

// schemaDecoders decode the same row in each format.
var schemaDecoders = []struct {
	name    string
	decoder func() Decoder
	record  func(column, value string) []byte
}{
	{"debezium", func() Decoder { return &Debezium{} }, inWrapper},
	{"debezium, payload first", func() Decoder { return &Debezium{} }, func(column, value string) []byte {
		schema, payload, _ := bytes.Cut(inWrapper(column, value), []byte(`,"payload":`))
		return []byte(`{"payload":` + string(payload[:len(payload)-1]) + `,` + string(schema[1:]) + `}`)
	}},
	{"flattened", func() Decoder { return &Flattened{} }, func(column, value string) []byte {
		return []byte(`{"schema":` + string(rowSchema(column)) + `,"payload":{"c":` + value + `}}`)
	}},
	{"cloudevents", func() Decoder { return &CloudEvents{} }, func(column, value string) []byte {
		image := `{"type":"struct","fields":[{"field":"c",` + column[1:] + `],"name":"t.Value","field":"after"}`
		return []byte(`{"specversion":"1.0","iodebeziumop":"c","data":{"schema":{"type":"struct","fields":[` + image +
			`]},"payload":{"after":{"c":` + value + `}}}}`)
	}},
}

func TestChangeSchema(t *testing.T) {
	for _, f := range schemaDecoders {
		d := f.decoder()
		// More than are remembered, each twice and all of them again.
		first := map[int]*Schema{}
		for round := range 2 {
			for n := range len(schemas{}.known) + 3 {
				column := fmt.Sprintf(`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"%d"}}`, n)
				for repeat := range 2 {
					var c Change
					record := f.record(column, `"AQ=="`)
					if err := d.Decode(&c, record); err != nil {
						t.Fatal(f.name, err)
					}
					if c.Schema == nil || len(c.Schema.Fields) != 1 || c.Schema.Fields[0].Type.Scale != n {
						t.Fatalf("%s: schema %d is %+v", f.name, n, c.Schema)
					}
					if repeat == 0 && round == 0 {
						first[n] = c.Schema
					} else if repeat == 1 && first[n] != c.Schema && round == 0 {
						t.Errorf("%s: a schema that repeats is another", f.name)
					}
					clone := c.Clone()
					clear(record)
					var r RowReader
					if err := r.Read(c.Schema, clone.After); err != nil || clone.Schema != c.Schema {
						t.Error(f.name, err)
					} else if v, _ := r.Datum(0).Decimal(); v.Scale() != n {
						t.Error(f.name, v)
					}
				}
			}
		}
	}
}

// A record whose schema begins like another one's, or is none, is not given that one's.
func TestChangeSchemaIsTheRecords(t *testing.T) {
	number, text := `{"type":"int32"}`, `{"type":"string"}`
	for _, f := range schemaDecoders {
		d := f.decoder()
		decode := func(record []byte) *Schema {
			var c Change
			if err := d.Decode(&c, record); err != nil {
				t.Fatalf("%s: %v: %s", f.name, err, record)
			}
			return c.Schema
		}
		kind := func(s *Schema) Kind {
			if s == nil {
				return kinds
			}
			return s.Fields[0].Type.Kind
		}
		whole := f.record(number, "1")
		from := bytes.Index(whole, []byte(`"schema":`)) + len(`"schema":`)
		to := bytes.Index(whole, []byte(`,"payload"`))
		if f.name == "debezium, payload first" {
			to = len(whole) - 1
		}
		with := func(schema string) []byte { return []byte(string(whole[:from]) + schema + string(whole[to:])) }
		long := strings.Replace(text, "{", `{"doc":"`+strings.Repeat("x", maxSchema)+`",`, 1)
		for _, tt := range []struct {
			record []byte
			want   Kind
		}{
			{f.record(number, "1"), KindInt}, {f.record(text, `"1"`), KindText}, {f.record(number, "1"), KindInt},
			{with(`null`), kinds}, {with(`{"type":"int32"}`), kinds}, {with(`{"type":"struct"}`), kinds}, {f.record(number, "2"), KindInt},
			{with(`{"type":"struct","fields":[{"field":"c","type":"x"}]}`), kinds}, {with(`{"type":"struct","fields":[{"field":"c","type":"x"}]}`), kinds},
			{f.record(long, `"1"`), KindText}, {f.record(number, "1"), KindInt}, {f.record(long, `"1"`), KindText}, {with(`null`), kinds},
		} {
			if got := kind(decode(tt.record)); got != tt.want {
				t.Errorf("%s: %v, want %v: %.300s", f.name, got, tt.want, tt.record)
			}
		}
	}
}

// Records without images, without a wrapper, or that only look like one.
func TestChangeWithoutSchema(t *testing.T) {
	schema := string(rowSchema(`{"type":"int32"}`))
	for _, tt := range []struct {
		decoder Decoder
		record  string
	}{
		{&Debezium{}, `{"schema":` + schema + `,"payload":{"ts_ms":1}}`},
		{&Debezium{}, `{"schema":` + schema + `,"payload":null}`},
		{&Debezium{}, `{"schema":` + schema + `,"payload":{"op":"t","source":{},"before":null,"after":null}}`},
		{&Debezium{Wrapper: WrapperNever}, `{"op":"c","source":{},"after":{"c":1},"schema":` + schema + `}`},
		{&Debezium{}, `{"op":"c","source":{},"after":{"c":1},"schema":` + schema + `}`},
		{&Flattened{Wrapper: WrapperNever}, `{"schema":` + schema + `,"payload":{"c":1}}`},
		{&Flattened{}, `{"schema":` + schema + `,"payload":{"ts_ms":1}}`},
		{&Flattened{}, `{"schema":` + schema + `,"payload":null}`},
		{&Flattened{}, `{"c":1}`},
		{&CloudEvents{}, `{"specversion":"1.0","iodebeziumop":"c","data":{"after":{"c":1}}}`},
	} {
		wrapped := inWrapper(`{"type":"int32"}`, "1") // so that there is something to mistake for its schema
		var c Change
		_ = tt.decoder.Decode(&c, wrapped)
		if err := tt.decoder.Decode(&c, []byte(tt.record)); err != nil || c.Schema != nil {
			t.Errorf("%s: %v, %v", tt.record, c.Schema, err)
		}
	}
	d := Debezium{Wrapper: WrapperAlways}
	var c Change
	if err := d.Decode(&c, inWrapper(`{"type":"int32"}`, "1")); err != nil || c.Schema == nil {
		t.Error(err)
	}
	if err := d.Decode(&c, []byte(`{"payload":{"op":"c","source":{},"after":{"c":1}}}`)); err != nil || c.Schema != nil {
		t.Error("a schema of a record without one", err)
	}
	if err := d.Decode(&c, []byte(`{"payload":7}`)); err == nil || c.Schema != nil {
		t.Error("a schema and an error")
	}
}

func TestChangeSchemaDoesNotAllocate(t *testing.T) {
	for _, f := range schemaDecoders {
		d := f.decoder()
		records := [][]byte{f.record(`{"type":"int32"}`, "1"), f.record(`{"type":"string"}`, `"1"`), f.record(`{"type":"x"}`, `"1"`)}
		var c Change
		allocs := testing.AllocsPerRun(100, func() {
			for i, record := range records {
				if err := d.Decode(&c, record); err != nil || (c.Schema == nil) != (i == 2) {
					t.Fatal(f.name, err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", f.name, allocs)
		}
	}
}

// What the golden records bring is what their schema says.
func TestGoldenSchemas(t *testing.T) {
	decoder, n := decoders(), 0
	for _, g := range goldens(t) {
		var c Change
		if err := decoder(&g).DecodeKeyed(&c, g.key, g.value); err != nil {
			t.Fatal(err)
		}
		o := object{b: g.value}
		var schema Value
		if o.next() && o.column.Is("schema") {
			schema = o.column.Value
		} else if data, ok := Row(g.value).Get("data"); ok {
			schema, _ = Row(data).Get("schema")
		}
		if schema == nil || c.Before == nil && c.After == nil {
			if c.Schema != nil {
				t.Errorf("%s: %v", g.file, c.Schema.Name)
			}
			continue
		}
		n++
		fields, name, ok := naiveParse(schema)
		if c.Schema == nil || !ok || c.Schema.Name != name {
			t.Errorf("%s: %v, want %s", g.file, c.Schema, name)
			continue
		}
		if diff := cmp.Diff(fields, c.Schema.Fields); diff != "" {
			t.Errorf("%s: %s", g.file, diff)
		}
		var r RowReader
		for _, row := range []Row{c.Before, c.After} {
			if err := r.Read(c.Schema, row); err != nil || len(r.Others()) != 0 {
				t.Errorf("%s: %v", g.file, err)
			}
		}
	}
	if n < 4 {
		t.Errorf("only %d with a schema", n)
	}
}
