package envelope

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

func TestFill(t *testing.T) {
	p := NewPlaceholder(DefaultPlaceholder)
	const none = `"__debezium_unavailable_value"`
	for _, c := range []struct {
		name, row, older, want string
		left                   int
	}{
		{"nothing to fill", `{"a":1}`, `{"a":2}`, `{"a":1}`, 0},
		{"one", `{"a":1,"b":` + none + `}`, `{"a":2,"b":"x"}`, `{"a":1,"b":"x"}`, 0},
		{"several, of other types", `{ "b" : ` + none + ` , "a":[` + none + `], "c":3 } `, `{"c":4,"b":{"k":[1]},"a":false}`, `{ "b" : {"k":[1]} , "a":false, "c":3 } `, 0},
		{"names by their text", `{"\u0062":` + none + `}`, `{"b":7}`, `{"\u0062":7}`, 0},
		{"not there", `{"a":1,"b":` + none + `,"c":` + none + `}`, `{"b":5}`, `{"a":1,"b":5,"c":` + none + `}`, 1},
		{"not known there either", `{"b":[` + none + `]}`, `{"b":` + none + `}`, `{"b":[` + none + `]}`, 1},
		{"null is no value", `{"b":` + none + `}`, `{"b":null}`, `{"b":` + none + `}`, 1},
		{"no older row", `{"b":` + none + `}`, "", `{"b":` + none + `}`, 1},
		{"no row", "", `{"b":1}`, "", 0},
		{"an empty row", `{}`, `{"b":1}`, `{}`, 0},
	} {
		got, left := p.Fill([]byte("> "), Row(c.row), Row(c.older))
		if string(got) != "> "+c.want || left != c.left {
			t.Errorf("%s: %s, %d", c.name, got, left)
		}
	}
}
