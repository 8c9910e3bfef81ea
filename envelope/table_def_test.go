package envelope

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// tableDef is a control record as the documentation of AWS DMS describes it.
const tableDef = `{
	"control":	{
		"table-def":	{
			"columns":	{
				"id":	{"type": "INT8", "nullable": false},
				"s":	{"type": "STRING", "length": 20, "nullable": true},
				"w":	{"type": "WSTRING", "length": 65535},
				"i1":	{"type": "INT1"},
				"i2":	{"type": "INT2"},
				"i4":	{"type": "INT4"},
				"u1":	{"type": "UINT1"},
				"u2":	{"type": "UINT2"},
				"u4":	{"type": "UINT4"},
				"u8":	{"type": "UINT8"},
				"n":	{"type": "NUMERIC", "precision": 10, "scale": 2},
				"r4":	{"type": "REAL4"},
				"r8":	{"type": "REAL8"},
				"b":	{"type": "BOOLEAN"},
				"d":	{"type": "DATE"},
				"t":	{"type": "TIME"},
				"dt":	{"type": "DATETIME", "scale": 6},
				"ts":	{"type": "TIMESTAMP"},
				"by":	{"type": "BYTES", "length": 16},
				"bl":	{"type": "BLOB"},
				"c":	{"type": "CLOB"},
				"nc":	{"type": "NCLOB"},
				"x":	{"type": "MAP"}
			},
			"primary-key":	["id", "s"],
			"collation-name":	"latin1_swedish_ci"
		}
	},
	"metadata":	{"timestamp": "2024-01-15T11:30:00.000000Z", "record-type": "control", "operation": "create-table",
		"partition-key-type": "task-id", "schema-name": "shop", "table-name": "orders"}
}
`

func TestParseTableDef(t *testing.T) {
	table, s, err := ParseTableDef([]byte(tableDef))
	if err != nil {
		t.Fatal(err)
	}
	want := "shop.orders: id=int64 s=text? w=text? i1=int8? i2=int16? i4=int32? u1=uint? u2=uint? u4=uint? u8=uint? n=decimal(10,2)? r4=float32? r8=float64?" +
		" b=bool? d=date? t=time? dt=timestamp? ts=timestamp? by=bytes/8? bl=bytes/8? c=text? nc=text? x=unknown? key[id s]"
	if got := describeSchema(s); got != want || table != (Table{Schema: "shop", Name: "orders"}) {
		t.Errorf("%v %s", table, got)
	}
	if f := s.Fields[s.Index("s")]; f.Type.Length != 20 || f.Type.Name != "STRING" || s.Fields[s.Index("by")].Type.Length != 0 {
		t.Errorf("%+v", f)
	}
	row := Row(`{"id":9007199254740993,"s":"a","w":null,"i1":-128,"u8":18446744073709551615,"n":149.50,"r8":1e10,"b":true,"d":"2024-01-15",` +
		`"t":"11:30:00","dt":"2024-01-15T11:30:00.123456Z","ts":"2024-01-15T11:30:00Z","by":"0x00ff","bl":"00ff","c":"x"}`)
	values := map[string]string{"id": "9007199254740993", "s": "a", "w": "", "i1": "-128", "u8": "18446744073709551615", "n": "149.50", "r8": "1e+10", "b": "true",
		"d": "2024-01-15", "t": "11:30:00", "dt": "2024-01-15T11:30:00.123456", "ts": "2024-01-15T11:30:00", "by": "AP8=", "bl": "AP8=", "c": "x"}
	var r RowReader
	if err := r.Read(s, row); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i := range r.Len() {
		if d := r.Datum(i); d.State() != Missing {
			got[s.Fields[i].Name] = string(d.AppendText(nil))
		}
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Error(diff)
	}
}

var badTableDefs = []struct {
	old, new string // what stands in place of a part of tableDef
	path     string
	err      error
}{
	{tableDef, `{"control":{},"metadata":{"table-name":"t"}}`, "/control/table-def", ErrMissing},
	{tableDef, `{"metadata":{"table-name":"t"}}`, "/control", ErrMissing},
	{tableDef, `{"data":{"id":1},"metadata":{"table-name":"t","record-type":"data"}}`, "/control", ErrMissing},
	{tableDef, `{"control":{"table-def":{}},"metadata":{"table-name":"t"}}`, "/control/table-def/columns", ErrMissing},
	{tableDef, `7`, "", ErrType},
	{`"metadata"`, `"meta"`, "/metadata", ErrMissing},
	{`"table-name": "orders"`, `"x": 1`, "/metadata/table-name", ErrMissing},
	{`"shop"`, `1`, "/metadata/schema-name", ErrType},
	{`{"type": "INT8", "nullable": false}`, `"INT8"`, "/control/table-def/columns/id", ErrType},
	{`{"type": "INT8", "nullable": false}`, `{}`, "/control/table-def/columns/id/type", ErrMissing},
	{`"INT8", "nullable": false`, `"INT8", "nullable": "no"`, "/control/table-def/columns/id/nullable", ErrType},
	{`"length": 20`, `"length": -1`, "/control/table-def/columns/s/length", ErrType},
	{`"precision": 10`, `"precision": "x"`, "/control/table-def/columns/n/precision", ErrType},
	{`"scale": 2`, `"scale": 0.5`, "/control/table-def/columns/n/scale", ErrType},
	{`"w":`, `"s":`, "/control/table-def/columns/s", ErrDuplicate},
	{`["id", "s"]`, `["id", "z"]`, "/control/table-def/primary-key", ErrType},
	{`["id", "s"]`, `"id"`, "/control/table-def/primary-key", ErrType},
	{`["id", "s"]`, `["id", 1]`, "/control/table-def/primary-key/1", ErrType},
}

func TestParseTableDefErrors(t *testing.T) {
	for _, tt := range badTableDefs {
		record := strings.Replace(tableDef, tt.old, tt.new, 1)
		table, s, err := ParseTableDef([]byte(record))
		e, ok := errors.AsType[*DecodeError](err)
		if !ok || s != nil || table != (Table{}) || !errors.Is(err, tt.err) || e.Path != tt.path {
			t.Errorf("%s: %v", tt.new, err)
		}
	}
	for i := range strings.TrimSpace(tableDef) {
		if _, _, err := ParseTableDef([]byte(tableDef[:i])); !errors.Is(err, ErrSyntax) {
			t.Fatalf("first %d bytes: %v", i, err)
		}
	}
	// Without a key, and without nulls said of.
	if _, s, err := ParseTableDef([]byte(`{"control":{"table-def":{"columns":{"a":{"type":"INT4"}},"primary-key":[]}},"metadata":{"schema-name":"","table-name":"t"}}`)); err != nil || s.Key != nil || !s.Fields[0].Optional || s.Name != "t" {
		t.Errorf("%v, %v", s, err)
	}
}

func FuzzTableDef(f *testing.F) {
	f.Add([]byte(tableDef))
	for _, tt := range badTableDefs {
		f.Add([]byte(strings.Replace(tableDef, tt.old, tt.new, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, s, err := ParseTableDef(b)
		if err != nil {
			if e, ok := errors.AsType[*DecodeError](err); !ok || e.Offset > int64(len(b)) || s != nil || table != (Table{}) {
				t.Fatal(err)
			}
			return
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal("taken, but no JSON: ", err)
		}
		def := doc["control"].(map[string]any)["table-def"].(map[string]any)
		columns := def["columns"].(map[string]any)
		if len(columns) != len(s.Fields) && utf8.Valid(b) {
			t.Fatalf("%d columns, not %d", len(s.Fields), len(columns))
		}
		for _, f := range s.Fields {
			if c, ok := columns[f.Name].(map[string]any); ok && utf8.Valid(b) && c["type"] != f.Type.Name {
				t.Fatalf("%s is %s, not %s", f.Name, f.Type.Name, c["type"])
			}
		}
		for i := len(b) - 1; i >= 0 && i > len(b)-50; i-- {
			if _, _, err := ParseTableDef(b[:i]); !errors.Is(err, ErrSyntax) && strings.Trim(string(b[i:]), " \t\r\n") != "" {
				t.Fatalf("first %d bytes: %v", i, err)
			}
		}
	})
}
