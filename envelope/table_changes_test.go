package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describeSchema prints a schema, a column a word, with ? for those that may be null.
func describeSchema(s *Schema) string {
	if s == nil {
		return "none"
	}
	text := s.Name + ":"
	for i := range s.Fields {
		f := &s.Fields[i]
		text += " " + f.Name + "=" + f.Type.String()
		if f.Type.Form != FormPlain {
			text += fmt.Sprint("/", f.Type.Form)
		}
		if f.Optional {
			text += "?"
		}
	}
	return text + fmt.Sprintf(" key%v", s.Key)
}

func TestParseCapturedTableChanges(t *testing.T) {
	want := []string{
		"",
		"CREATE misc.evolve misc.evolve: id=int32 a=int32? b=text? c=decimal(5,2)/5? key[id]",
		"ALTER misc.evolve misc.evolve: id=int32 a=int32? d=timestamp/2 b=text? c=decimal(5,2)/5? key[id]",
		"ALTER misc.evolve misc.evolve: id=int32 a=uint d=timestamp/2 c=text? key[id]",
		"ALTER misc.evolve misc.evolve: label=text? id=int32 a=uint d=timestamp/2 key[id a]",
		"ALTER misc.evolved misc.evolved: label=text? id=int32 a=uint d=timestamp/2 key[id a]",
		"CREATE misc.born misc.born: id=int32 flag=bool? b1=int16? x=text? key[id]",
		"DROP misc.gone none",
		"ALTER misc.evolve misc.evolve: id=int32 a=uint d=timestamp/2 c=text? key[id]",
		"ALTER misc.evolved misc.evolved: label=text? id=int32 a=uint d=timestamp/2 key[id a]",
	}
	for i, record := range lines(t, "changes.jsonl") {
		wrapped := `{"schema":{"type":"struct"},"payload":` + string(record) + `}`
		for _, record := range []string{string(record), wrapped} {
			changes, err := ParseTableChanges([]byte(record), ConnectorSettings{})
			var got []string
			for _, c := range changes {
				got = append(got, fmt.Sprint(c.Type, " ", c.Table, " ", describeSchema(c.Schema)))
			}
			if err != nil || strings.Join(got, "\n") != want[i] {
				t.Errorf("%d: %v, %v\nwant %s", i, got, err, want[i])
			}
		}
	}
}

// A judged is a table's columns as a connector's own classes have them under some settings.
type judged struct {
	Table    string
	Settings struct{ Decimal, Time, Bigint, Binary string }
	Schema   json.RawMessage
}

// refined takes from a type what the connector's schema does not say, and reports
// whether it may say more.
func refined(ours, connect Type) Type {
	name := strings.ToUpper(ours.Name)
	ours.Name = connect.Name
	if connect.Kind != KindDecimal {
		ours.Precision = 0
	}
	switch {
	case ours.Kind == KindUint && connect.Kind == KindInt && strings.Contains(name, "UNSIGNED"):
		ours.Kind = KindInt
	case name == "INTEGER UNSIGNED":
		ours.Bits = 32
	case ours.Kind == KindDecimal && connect.Kind == KindText, // decimal.handling.mode=string
		ours.Kind == KindBytes && connect.Kind == KindText,  // binary.handling.mode
		ours.Kind == KindUUID && name == "UNIQUEIDENTIFIER", // text to the connector
		ours.Kind == KindText && connect.Kind == KindText:   // lengths
		allowed := ours.Allowed
		ours = Type{Kind: KindText, Name: connect.Name, Allowed: allowed}
	}
	return ours
}

func TestTableChangesAreTheConnectors(t *testing.T) {
	for _, connector := range []string{"mariadb", "mysql", "sqlserver"} {
		all, n := lines(t, "tables-"+connector+".jsonl.gz"), 0
		for _, line := range all[1:] {
			var j judged
			if err := json.Unmarshal(line, &j); err != nil {
				t.Fatal(err)
			}
			settings := ConnectorSettings{DecimalHandlingMode: j.Settings.Decimal, TimePrecisionMode: j.Settings.Time, BigintUnsignedHandlingMode: j.Settings.Bigint, BinaryHandlingMode: j.Settings.Binary}
			changes, err := ParseTableChanges(all[0], settings)
			if err != nil {
				t.Fatal(connector, err)
			}
			if n == 0 { // the first are the connector's defaults
				defaults, err := ParseTableChanges(all[0], ConnectorSettings{})
				if diff := cmp.Diff(columnsOf(changes), columnsOf(defaults)); diff != "" || err != nil {
					t.Error(connector, err, diff)
				}
			}
			i := slices.IndexFunc(changes, func(c TableChange) bool { return c.Table.Name == j.Table })
			connect, err := ParseSchema(j.Schema)
			if err != nil || i < 0 {
				t.Fatal(connector, j.Table, err)
			}
			ours := changes[i].Schema
			for _, f := range connect.Fields {
				n++
				k := ours.Index(f.Name)
				got := ours.Fields[k]
				if got.Type.Name == "hierarchyid" && got.Type.Kind == KindUnknown {
					continue
				}
				got.Type = refined(got.Type, f.Type)
				if diff := cmp.Diff(f, got); diff != "" {
					t.Errorf("%s %+v: %s", connector, j.Settings, diff)
				}
			}
		}
		if n < 70 {
			t.Errorf("%s: only %d columns", connector, n)
		}
	}
}

func columnsOf(changes []TableChange) (all [][]Field) {
	for _, c := range changes {
		all = append(all, c.Schema.Fields)
	}
	return all
}

// Captured rows are the same by the schema that came with them and by that of the
// table's change.
func TestTableChangesReadTheRows(t *testing.T) {
	changes, err := ParseTableChanges(lines(t, "tables-mariadb.jsonl.gz")[0], ConnectorSettings{})
	if err != nil {
		t.Fatal(err)
	}
	tables, connect := map[string]*Schema{}, map[string]*Schema{}
	for _, c := range changes {
		tables[c.Table.Name] = c.Schema
	}
	// The capture's tables were there before the connector, which saw what the server
	// makes of these types: TINYINT(1) and VARBINARY, and LONGTEXT of JSON.
	other := []string{"ints.bo", "gens.d15", "chars.vbin"}
	values := map[Kind]int{}
	for _, line := range lines(t, "rows-mariadb.jsonl.gz") {
		var r struct {
			Table       string
			Schema, Row json.RawMessage
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Schema != nil {
			if connect[r.Table], err = ParseSchema(r.Schema); err != nil {
				t.Fatal(err)
			}
			continue
		}
		ours := &Schema{Fields: slices.Clone(tables[r.Table].Fields)}
		for i, f := range ours.Fields {
			if slices.Contains(other, r.Table+"."+f.Name) {
				ours.Fields[i].Type = Type{}
			}
		}
		var a, b RowReader
		if err := errors.Join(a.Read(connect[r.Table], Row(r.Row)), b.Read(ours, Row(r.Row))); err != nil {
			t.Errorf("%s: %v", r.Table, err)
			continue
		}
		for i, f := range connect[r.Table].Fields {
			x, y := a.Datum(i), b.Datum(ours.Index(f.Name))
			if y.Kind() == KindUnknown && slices.Contains(other, r.Table+"."+f.Name) {
				continue
			}
			want := string(x.AppendText(nil))
			if n, ok := x.Int64(); ok && y.Kind() == KindUint {
				want = strconv.FormatUint(uint64(n), 10)
			}
			if got := string(y.AppendText(nil)); x.State() != y.State() || got != want || x.Kind() != y.Kind() && y.Kind() != KindUint && r.Table != "jsons" {
				t.Errorf("%s.%s: %v %s, by the connector's schema %v %s", r.Table, f.Name, y.State(), got, x.State(), want)
			}
			if y.IsSet() {
				values[y.Kind()]++
			}
		}
		if len(b.Others()) != 0 {
			t.Errorf("%s: %d others", r.Table, len(b.Others()))
		}
	}
	for _, k := range []Kind{KindBool, KindInt, KindUint, KindFloat, KindDecimal, KindText, KindBytes, KindBits, KindUUID, KindJSON, KindDate, KindTime, KindTimestamp, KindInstant, KindGeometry} {
		if values[k] < 3 {
			t.Errorf("%d values of %v", values[k], k)
		}
	}
}

func tableChange(connector, columns string) []byte {
	return []byte(`{"source":{"connector":"` + connector + `"},"tableChanges":[{"type":"CREATE","id":"\"d\".\"t\"","table":{"columns":[` + columns + `],"primaryKeyColumnNames":null}}]}`)
}

// What the connectors' classes at hand did not have.
func TestTableChangeTypes(t *testing.T) {
	for _, tt := range []struct {
		connector, column string
		settings          ConnectorSettings
		want              Type
	}{
		{"mysql", `"typeName":"DATE"`, ConnectorSettings{TimePrecisionMode: "structured"}, Type{Name: "DATE", Kind: KindDate, Form: FormParts}},
		{"mysql", `"typeName":"TIME","length":3`, ConnectorSettings{TimePrecisionMode: "structured"}, Type{Name: "TIME", Kind: KindTime, Form: FormParts, Precision: 3}},
		{"mysql", `"typeName":"TIMESTAMP","length":3`, ConnectorSettings{TimePrecisionMode: "structured"}, Type{Name: "TIMESTAMP", Kind: KindInstant, Form: FormParts, Precision: 3}},
		{"mysql", `"typeName":"TIMESTAMP","length":3`, ConnectorSettings{}, Type{Name: "TIMESTAMP", Kind: KindInstant, Precision: 3}},
		{"mysql", `"typeName":"DATETIME","length":6`, ConnectorSettings{TimePrecisionMode: "Microseconds"}, Type{Name: "DATETIME", Kind: KindTimestamp, Form: FormMicros, Precision: 6}},
		{"mysql", `"typeName":"VECTOR","length":3`, ConnectorSettings{}, Type{Name: "VECTOR", Kind: KindList, Elem: &Type{Kind: KindFloat, Bits: 32}}},
		{"mysql", `"typeName":"varchar","length":30`, ConnectorSettings{}, Type{Name: "varchar", Kind: KindText, Length: 30}},
		{"mysql", `"typeName":"BLOB"`, ConnectorSettings{BinaryHandlingMode: "hex"}, Type{Name: "BLOB", Kind: KindBytes, Form: FormHex}},
		{"mysql", `"typeName":"BLOB"`, ConnectorSettings{BinaryHandlingMode: "base64-url-safe"}, Type{Name: "BLOB", Kind: KindBytes, Form: FormBase64URL}},
		{"mysql", `"typeName":"BLOB"`, ConnectorSettings{BinaryHandlingMode: "base64"}, Type{Name: "BLOB", Kind: KindBytes}},
		{"mysql", `"typeName":"DECIMAL","length":5,"scale":2`, ConnectorSettings{DecimalHandlingMode: "string"}, Type{Name: "DECIMAL", Kind: KindDecimal, Precision: 5, Scale: 2}},
		{"mysql", `"typeName":"ENUM","enumValues":["'a,b'","'it\\'s'","'x''y'","bare"]`, ConnectorSettings{}, Type{Name: "ENUM", Kind: KindText, Allowed: []string{"a,b", "it's", "x'y", "bare"}}},
		{"mysql", `"typeName":"INET6"`, ConnectorSettings{}, Type{Name: "INET6"}},
		{"mysql", `"typeName":"INT BINARY"`, ConnectorSettings{}, Type{Name: "INT BINARY"}},
		{"sqlserver", `"typeName":"geography"`, ConnectorSettings{}, Type{Name: "geography"}},
		{"sqlserver", `"typeName":"numeric() identity","length":18,"scale":0`, ConnectorSettings{}, Type{Name: "numeric() identity", Kind: KindDecimal, Form: FormUnscaled, Precision: 18}},
		{"sqlserver", `"typeName":"time","length":16,"scale":7`, ConnectorSettings{TimePrecisionMode: "adaptive_time_microseconds"}, Type{Name: "time", Kind: KindTime, Form: FormMicros, Precision: 7}},
		{"sqlserver", `"typeName":"datetime2","length":27,"scale":7`, ConnectorSettings{TimePrecisionMode: "adaptive_time_microseconds"}, Type{Name: "datetime2", Kind: KindTimestamp, Form: FormNanos, Precision: 7}},
		{"sqlserver", `"typeName":"rowversion"`, ConnectorSettings{}, Type{Name: "rowversion", Kind: KindBytes}},
		{"oracle", `"typeName":"NUMBER"`, ConnectorSettings{}, Type{Name: "NUMBER"}},
	} {
		changes, err := ParseTableChanges(tableChange(tt.connector, `{"name":"c","optional":true,`+tt.column+`}`), tt.settings)
		if err != nil {
			t.Errorf("%s: %v", tt.column, err)
			continue
		}
		if diff := cmp.Diff([]Field{{Name: "c", Type: tt.want, Optional: true}}, changes[0].Schema.Fields); diff != "" || changes[0].Schema.Key != nil {
			t.Errorf("%s %s: %s", tt.connector, tt.column, diff)
		}
	}
}

func TestTableIDs(t *testing.T) {
	for id, want := range map[string]Table{
		`"t"`:                    {Name: "t"},
		`"d"."t"`:                {DB: "d", Name: "t"},
		`"d"."s"."t"`:            {DB: "d", Schema: "s", Name: "t"},
		`"a.b"."ne,w""t` + "`\"": {DB: "a.b", Name: "ne,w\"t`"},
		`"d"."old","d"."new"`:    {DB: "d", Name: "new"},
		`""."t"`:                 {Name: "t"},
	} {
		if got, ok := parseTableID(id); !ok || got != want {
			t.Errorf("%s: %+v", id, got)
		}
	}
	for _, id := range []string{``, `t`, `"t`, `"t"x`, `"t".`, `"t","`, `"a"."b"."c"."d"`, `"t""`} {
		if got, ok := parseTableID(id); ok {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

var badTableChanges = []struct {
	record, path string
	err          error
}{
	{``, "", ErrSyntax},
	{`{"op":"c"}`, "/tableChanges", ErrMissing},
	{`{"source":{"connector":"mysql"},"tableChanges":null,"ddl":"CREATE TABLE t (a INT)"}`, "/tableChanges", ErrMissing},
	{`{"source":{"connector":"mysql"},"tableChanges":{}}`, "/tableChanges", ErrType},
	{`{"tableChanges":[]}`, "/source", ErrMissing},
	{`{"source":{},"tableChanges":[]}`, "/source/connector", ErrMissing},
	{`{"schema":null,"payload":{"source":{},"tableChanges":[]}}`, "/payload/source/connector", ErrMissing},
	{`{"source":{"connector":"mysql"},"tableChanges":[],"tableChanges":[]}`, "/tableChanges", ErrDuplicate},
	{`{"source":{"connector":"mysql"},"tableChanges":[{"id":"\"t\"","table":null}]}`, "/tableChanges/0/type", ErrMissing},
	{`{"source":{"connector":"mysql"},"tableChanges":[{"type":"DROP","id":"t","table":null}]}`, "/tableChanges/0/id", ErrType},
	{`{"source":{"connector":"mysql"},"tableChanges":[{"type":"DROP","id":"\"t\"","table":7}]}`, "/tableChanges/0/table", ErrType},
	{string(tableChange("mysql", `{}`)), "/tableChanges/0/table/columns/0/name", ErrMissing},
	{string(tableChange("mysql", `{"name":"a"}`)), "/tableChanges/0/table/columns/0/typeName", ErrMissing},
	{string(tableChange("mysql", `{"name":"a","typeName":"INT","length":"x"}`)), "/tableChanges/0/table/columns/0/length", ErrType},
	{string(tableChange("mysql", `{"name":"a","typeName":"INT","scale":1.5}`)), "/tableChanges/0/table/columns/0/scale", ErrType},
	{string(tableChange("mysql", `{"name":"a","typeName":"INT","optional":0}`)), "/tableChanges/0/table/columns/0/optional", ErrType},
	{string(tableChange("mysql", `{"name":"a","typeName":"ENUM","enumValues":[1]}`)), "/tableChanges/0/table/columns/0/enumValues/0", ErrType},
	{string(tableChange("mysql", `{"name":"a","typeName":"INT"},{"name":"a","typeName":"INT"}`)), "/tableChanges/0/table/columns/1/name", ErrDuplicate},
	{strings.Replace(string(tableChange("mysql", ``)), `Names":null`, `Names":["a"]`, 1), "/tableChanges/0/table/primaryKeyColumnNames", ErrType},
	{string(tableChange("mysql", `{"name":"a","typeName":"ENUM","enumValues":[`+strings.Repeat(`"",`, MaxSchemaTypes-1)+`""]}`)), "/tableChanges/0/table/columns/0/enumValues", ErrLimit},
	{string(tableChange("mysql", strings.Repeat(`{},`, MaxSchemaTypes)+`{}`)), "/tableChanges/0/table/columns", ErrLimit},
}

func TestParseTableChangesErrors(t *testing.T) {
	// A member named payload beside the changes is no wrapper's.
	if _, err := ParseTableChanges([]byte(`{"source":{"connector":"mysql"},"tableChanges":[],"payload":{}}`), ConnectorSettings{}); err != nil {
		t.Error(err)
	}
	for _, tt := range badTableChanges {
		changes, err := ParseTableChanges([]byte(tt.record), ConnectorSettings{})
		e, ok := errors.AsType[*DecodeError](err)
		if !ok || changes != nil || !errors.Is(err, tt.err) || e.Path != tt.path {
			t.Errorf("%.200s: %v", tt.record, err)
		}
	}
	for _, s := range []ConnectorSettings{{DecimalHandlingMode: "exact"}, {TimePrecisionMode: "none"}, {BigintUnsignedHandlingMode: "short"}, {BinaryHandlingMode: "octal"}} {
		if _, err := ParseTableChanges(tableChange("mysql", ""), s); err == nil || IsPermanent(err) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// FuzzTableChanges looks for panics, and for records that are taken though they are not
// whole.
func FuzzTableChanges(f *testing.F) {
	for _, record := range lines(f, "changes.jsonl") {
		f.Add(record, "", "")
	}
	for _, tt := range badTableChanges {
		if len(tt.record) < 1000 {
			f.Add([]byte(tt.record), "double", "hex")
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, decimal, binary string) {
		changes, err := ParseTableChanges(b, ConnectorSettings{DecimalHandlingMode: decimal, BinaryHandlingMode: binary})
		if err != nil {
			if e, ok := errors.AsType[*DecodeError](err); changes != nil || ok && e.Offset > int64(len(b)) {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(b) {
			t.Fatal("taken, but no JSON")
		}
		for i := range changes {
			if s := changes[i].Schema; s != nil {
				for k := range s.Fields {
					if s.Index(s.Fields[k].Name) != k {
						t.Fatalf("column %d occurs twice", k)
					}
				}
			}
		}
		for i := len(b) - 1; i >= 0 && i > len(b)-50; i-- {
			if _, err := ParseTableChanges(b[:i], ConnectorSettings{}); !errors.Is(err, ErrSyntax) && strings.Trim(string(b[i:]), " \t\r\n") != "" {
				t.Fatalf("first %d bytes: %v", i, err)
			}
		}
	})
}
