package envelope

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// ordersSchema is that of a table of many types.
var ordersSchema = &Schema{Name: "orders", Fields: []Field{
	{Name: "id", Type: Type{Kind: KindInt, Bits: 64}},
	{Name: "status", Type: Type{Kind: KindText}, Optional: true},
	{Name: "total", Type: Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 2}},
	{Name: "at", Type: Type{Kind: KindTimestamp, Form: FormMicros}},
	{Name: "tags", Type: Type{Kind: KindList, Elem: &Type{Kind: KindText}}},
	{Name: "image", Type: Type{Kind: KindBytes}},
	{Name: "n\"é", Type: Type{Kind: KindInt, Bits: 32}},
}}

func texts(r *RowReader) (all []string) {
	for i := range r.Len() {
		if d := r.Datum(i); d.IsSet() {
			all = append(all, string(d.AppendText(nil)))
		} else {
			all = append(all, "<"+d.State().String()+">")
		}
	}
	return all
}

func TestRowReader(t *testing.T) {
	var r RowReader
	for _, tt := range []struct{ row, want, others string }{
		{`{"id":1,"status":"new","total":"BNI=","at":0,"tags":["a"],"image":"AQ==","n\"é":5}`, `1|new|12.34|1970-01-01T00:00:00|["a"]|AQ==|5`, ""},
		{`{"n\"\u00e9":5,"tags":null,"total":12.34,"id":1}`, `1|<missing>|12.34|<missing>|<null>|<missing>|5`, ""},
		{` { "status" : "a\tb" , "x" : {"y":1} , "id" : 2, "z": 3 } `, "2|a\tb|<missing>|<missing>|<missing>|<missing>|<missing>", `x={"y":1} z=3`},
		{`{}`, `<missing>|<missing>|<missing>|<missing>|<missing>|<missing>|<missing>`, ""},
		{``, `<missing>|<missing>|<missing>|<missing>|<missing>|<missing>|<missing>`, ""},
	} {
		row := Row(tt.row)
		if tt.row == "" {
			row = nil
		}
		if err := r.Read(ordersSchema, row); err != nil {
			t.Errorf("%s: %v", tt.row, err)
			continue
		}
		var others []string
		for _, c := range r.Others() {
			others = append(others, string(c.Name)+"="+string(c.Value))
		}
		if got := strings.Join(texts(&r), "|"); got != tt.want || strings.Join(others, " ") != tt.others {
			t.Errorf("%s\n got %s, others %v\nwant %s", tt.row, got, others, tt.want)
		}
	}
}

func TestRowReaderErrors(t *testing.T) {
	var r RowReader
	for _, tt := range []struct {
		row    string
		cause  error
		path   string
		offset int64
		text   string
	}{
		{`{"id":1,"total":true}`, ErrType, "/total", 16, "a boolean in place of decimal(,2)"},
		{`{"n\"é": "secret"}`, ErrType, `/n"é`, 10, "a string in place of int32"},
		{`{"tags":["a",{"secret":1}]}`, ErrType, "/tags", 8, "element 1: member has the wrong type: an object in place of text"},
		{`{"id":1,"id":1}`, ErrDuplicate, "/id", 13, ""},
		{`{"id":1,"\u0069d":1}`, ErrDuplicate, "/id", 18, ""},
		{`{"id":1,}`, ErrSyntax, "", 8, ""},
		{`[]`, ErrType, "", 0, ""},
		{`{"id":1`, ErrSyntax, "", 7, ""},
	} {
		err := r.Read(ordersSchema, Row(tt.row))
		var decode *DecodeError
		if !errors.As(err, &decode) || !errors.Is(err, tt.cause) || decode.Path != tt.path || decode.Offset != tt.offset || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %v at %s, %d", tt.row, err, tt.cause, tt.path, tt.offset)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("row data in %v", err)
		}
		if r.Len() != 0 || len(r.Others()) != 0 {
			t.Errorf("%s: %d columns are left", tt.row, r.Len())
		}
	}
}

// Each form of the placeholder is unavailable where a column's type has it, and a value
// like any other where it has not.
func TestRowReaderUnavailable(t *testing.T) {
	const text = DefaultPlaceholder
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	integers := "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]"
	list := func(k Kind) Type {
		return Type{Kind: KindList, Elem: &Type{Kind: k, Form: map[bool]Form{true: FormDays}[k == KindDate]}}
	}
	for _, tt := range []struct {
		typ   Type
		value string
		want  State
	}{
		{Type{Kind: KindText}, `"` + text + `"`, Unavailable},
		{Type{Kind: KindText}, `"\u005f_debezium_unavailable_value"`, Unavailable},
		{Type{Kind: KindText}, `"` + text + `x"`, Set},
		{Type{Kind: KindJSON}, `"` + text + `"`, Unavailable},
		{Type{Kind: KindJSON}, `"{\"` + text + `\":\"` + text + `\"}"`, Unavailable},
		{Type{Kind: KindUUID}, `"` + text + `"`, Unavailable},
		{Type{Kind: KindBytes}, `"` + encoded + `"`, Unavailable},
		{Type{Kind: KindText}, `"` + encoded + `"`, Unavailable}, // bytes in a mode whose schema says string
		{Type{Kind: KindBytes, Form: FormHex}, `"` + text + `"`, Unavailable},
		{list(KindText), `["` + text + `"]`, Unavailable},
		{list(KindBytes), `["` + encoded + `"]`, Unavailable},
		{list(KindInt), integers, Unavailable},
		{list(KindDate), integers, Unavailable},
		{list(KindUUID), `["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]`, Unavailable},
		{list(KindText), `["` + text + `","b"]`, Set},
		{list(KindInt), `[95,95]`, Set},
		{Type{Kind: KindMap}, `{"` + text + `":"` + text + `"}`, Unavailable},
		{Type{Kind: KindText}, `null`, Null},
	} {
		s := &Schema{Fields: []Field{{Name: "c", Type: tt.typ}}}
		var r RowReader
		if err := r.Read(s, Row(`{"c":`+tt.value+`}`)); err != nil || r.Datum(0).State() != tt.want || r.Datum(0).Reference() != nil {
			t.Errorf("%v of %s: %v", &tt.typ, tt.value, err)
		}
	}
	custom := RowReader{Placeholder: NewPlaceholder("hex:00ff10fe")}
	s := &Schema{Fields: []Field{{Name: "c", Type: list(KindInt)}, {Name: "d", Type: Type{Kind: KindText}}}}
	if err := custom.Read(s, Row(`{"c":[0,-1,16,-2],"d":"`+text+`"}`)); err != nil || custom.Datum(0).State() != Unavailable || custom.Datum(1).State() != Set {
		t.Errorf("%v, %v", texts(&custom), err)
	}
}

// A value that was too large for its record is not here, and its reference says where
// it is.
func TestReferences(t *testing.T) {
	const ref = "__debezium:s3:ref:v1:bucket|a/key"
	s := &Schema{Fields: []Field{{Name: "c", Type: Type{Kind: KindText}}, {Name: "d", Type: Type{Kind: KindBytes}}, {Name: "e", Type: Type{Kind: KindText}}}}
	var r RowReader
	row := Row(`{"c":"` + ref + `","d":"` + base64.StdEncoding.EncodeToString([]byte(ref)) + `","e":"__debezium:s3:ref:v2:"}`)
	if err := r.Read(s, row); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"bucket|a/key", "bucket|a/key", ""} {
		if d := r.Datum(i); string(d.Reference()) != want || (d.State() == Unavailable) != (want != "") {
			t.Errorf("column %d: %v, %q", i, d.State(), d.Reference())
		}
	}
	p := NewPlaceholder("x")
	if p.Complete(row) || !p.Complete(Row(`{"c":1,"d":"y","e":["z"],"f":{"x":1}}`)) || p.Complete(Row(`{"c":1,"d":"x"}`)) || p.Complete(Row(`{"c":["x"]}`)) || !p.Complete(nil) {
		t.Error("what is complete is not, or the other way")
	}
	for _, v := range []string{`"__debezium:s3:ref"`, `1`, `null`, `["` + ref + `"]`, `"X19kZWJleml1bTpzMzpyZWY6djE6?"`} {
		if _, ok := p.Reference(Value(v)); ok {
			t.Errorf("%s is a reference", v)
		}
	}
}

func TestRowReaderDoesNotAllocate(t *testing.T) {
	row := Row(`{"id":1,"status":"new\n","total":"BNI=","at":0,"tags":["a"],"image":"AQ==","n\"é":5}`)
	var r RowReader
	s := &Schema{Fields: ordersSchema.Fields[:6]}
	if allocs := testing.AllocsPerRun(100, func() {
		if err := r.Read(s, row); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// What was given away stays as it was while the row is read on.
func TestArenaKeepsWhatItGave(t *testing.T) {
	var fields []Field
	row, want := []byte{'{'}, []string{}
	for i := range 50 {
		name := strings.Repeat("n", i+1)
		fields = append(fields, Field{Name: name, Type: Type{Kind: KindText}})
		text := strings.Repeat(string(rune('a'+i%26)), 100*i)
		row = append(row, `"`+name+`":"\n`+text+`",`...)
		want = append(want, "\n"+text)
	}
	row[len(row)-1] = '}'
	var r RowReader
	for range 2 {
		if err := r.Read(&Schema{Fields: fields}, Row(row)); err != nil {
			t.Fatal(err)
		}
		for i, text := range texts(&r) {
			if text != want[i] {
				t.Fatalf("column %d changed", i)
			}
		}
	}
}
