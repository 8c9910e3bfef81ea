package envelope

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

func TestCapturedPlaceholders(t *testing.T) {
	files, err := filepath.Glob("testdata/toast/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no captured placeholders", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		placeholder, value, _ := strings.Cut(string(text), "\n")
		p := NewPlaceholder(cmp.Or(placeholder, DefaultPlaceholder))
		var d Debezium
		var c Change
		if err := d.Decode(&c, []byte(value)); err != nil {
			t.Fatal(file, err)
		}
		found := 0
		for col, err := range c.After.Columns() {
			if err != nil {
				t.Fatal(err)
			}
			real := col.Is("id") || col.Is("v") || col.Value.IsNull()
			if p.Is(col.Value) == real {
				t.Errorf("%s: column %s: Is = %v", file, col.Name, !real)
			}
			if !real {
				found++
			}
		}
		if found < 15 {
			t.Errorf("%s: %d columns", file, found)
		}
		if col, ok := p.Column(c.After); !ok || col.Is("id") {
			t.Errorf("%s: Column = %s, %v", file, col.Name, ok)
		}
		if n := testing.AllocsPerRun(10, func() { p.Column(c.After) }); n != 0 && placeholder == "" {
			t.Errorf("%s: %v allocations", file, n)
		}
	}
}

func TestPlaceholderForms(t *testing.T) {
	p := NewPlaceholder(DefaultPlaceholder)
	for _, v := range []string{
		`"__debezium_unavailable_value"`, `"\u005f_debezium_unavailable_value"`, `"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="`, `"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"`,
		`["__debezium_unavailable_value"]`, `[ "__debezium_unavailable_value" ]`, `["X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="]`, `["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]`,
		`[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]`,
		`{"__debezium_unavailable_value":"__debezium_unavailable_value"}`, `"{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}"`,
	} {
		if !p.Is(Value(v)) {
			t.Errorf("%s is not recognised", v)
		}
	}
	for _, v := range []string{
		``, `null`, `true`, `1`, `""`, `"x"`, `"__debezium_unavailable_valu"`, `"__debezium_unavailable_value "`, `"a __debezium_unavailable_value"`, `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`,
		`[]`, `[1]`, `["x"]`, `["__debezium_unavailable_value","x"]`, `["x","__debezium_unavailable_value"]`, `[["__debezium_unavailable_value"]]`, `[95,95]`, `[`, `["`, `[x]`,
		`{}`, `{"a":1}`, `{"__debezium_unavailable_value":"x"}`, `{"x":"__debezium_unavailable_value"}`, `{"__debezium_unavailable_value":"__debezium_unavailable_value","x":1}`, `{"__debezium_unavailable_value":"__debezium_unavailable_value"`, `{`,
	} {
		if p.Is(Value(v)) {
			t.Errorf("%s is taken for the placeholder", v)
		}
	}
	if col, ok := p.Column(nil); ok {
		t.Error("a column of no row:", col)
	}
	if NewPlaceholder("hex:zz").texts[0] != "hex:zz" { // not digits: a text
		t.Error("hex:zz")
	}
}

// In must find what Column finds, however the value is spelled.
func TestPlaceholderInChange(t *testing.T) {
	for _, placeholder := range []string{DefaultPlaceholder, "<<kept>>", "hex:00ff10fe", strings.Repeat("long", 20), "exactly_twenty_four_bytes"[:24]} {
		p := NewPlaceholder(placeholder)
		text := string(jsonscan.AppendQuoted(nil, p.text))
		escaped := fmt.Sprintf(`"\u%04x%s`, p.text[0], text[1:])
		if p.text[0] == 0 { // spelled with an escape already
			escaped = text
		}
		var values []string
		for _, form := range p.texts {
			values = append(values, string(jsonscan.AppendQuoted(nil, form)))
		}
		values = append(values, text, escaped, "["+text+"]", "[ "+escaped+" ]", p.integers, "{"+text+":"+text+"}", `"`+p.elements[2]+`"`, `["`+p.elements[2]+`"]`,
			"1", "null", `""`, `"x"`, `"`+strings.Repeat("x", len(p.text))+`"`, `"`+strings.Repeat("x", 63)+`"`, `"`+strings.Repeat("x", 200)+`"`, "[]", "{}", `["x"]`)
		for _, v := range values {
			row := `{"id":1,"column":` + v + `,"name":"short"}`
			for _, record := range []string{
				`{"op":"u","before":{"x":"y"},"after":` + row + `,"source":{}}`, `{"op":"u","after":` + row + `,"before":{"x":"y"},"source":{}}`,
				`{"schema":null,"payload":{"op":"u","after":` + row + `,"source":{}}}`,
			} {
				var d Debezium
				var c Change
				for range 2 {
					if err := d.Decode(&c, []byte(record)); err != nil {
						t.Fatal(err)
					}
					want, found := p.Column(c.After)
					got, in := p.In(&c)
					if in != found || string(got.Name) != string(want.Name) {
						t.Fatalf("%s: %s: Column %v, In %v", placeholder, v, found, in)
					}
					if v == text && !found {
						t.Fatalf("%s is not found", v)
					}
					clone := c.Clone()
					if _, in := p.In(&clone); in != found {
						t.Fatalf("%s: the clone: %v", v, in)
					}
				}
			}
		}
	}
}
