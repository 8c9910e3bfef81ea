package servers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestParsePart(t *testing.T) {
	row := func(text string) []string { return []string{text} }
	for line, want := range map[string][]string{
		`{"row":{"b":9007199254740993,"a":null}}`: row(`{"a":null,"b":9007199254740993}`),
		`{"row":{}}`:                           row(`{}`),
		`{"row":{"row":{"end":1}}}`:            row(`{"row":{"end":1}}`),
		`{"row":{"f":1.0}}`:                    row(`{"f":1e+00}`),
		`{"row":{"f":1.0E-5}}`:                 row(`{"f":1e-05}`),
		`{"row":{"f":1e-05}}`:                  row(`{"f":1e-05}`),
		`{"row":{"f":-0.0}}`:                   row(`{"f":-0e+00}`),
		`{"row":{"f":2.00E-3}}`:                row(`{"f":2e-03}`),
		`{"row":{"f":1.7976931348623157E308}}`: row(`{"f":1.7976931348623157e+308}`),
		`{"row":{"l":[1.5,[{"s":0.25,"i":-3}],"1.50","<&\""]}}`: row(`{"l":[1.5e+00,[{"i":-3,"s":2.5e-01}],"1.50","<&\""]}`),
	} {
		p, err := parsePart([]byte(line + "\n"))
		if got := Lines([]Row{p.Row}); err != nil || p.End != nil || p.Error != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %s, %v, want %s", line, got, err, want)
		}
	}
	if p, err := parsePart([]byte(`{"end":0}`)); err != nil || p.End == nil || *p.End != 0 {
		t.Error("end:", p, err)
	}
	if p, err := parsePart([]byte(`{"error":""}`)); err != nil || p.Error == nil || *p.Error != "" {
		t.Error("error:", p, err)
	}
	for _, line := range []string{"", "null", "{}", "[]", `{"row":null}`, `{"row":{},"end":1}`, `{"end":1,"error":"x"}`, `{"other":1}`,
		`{"row":{"f":1e999}}`, `{"row":{"l":[{"f":1e999}]}}`, `{"end":1.5}`, `{"row":{"a":1}`} {
		if p, err := parsePart([]byte(line)); err == nil {
			t.Errorf("%s: %+v", line, p)
		}
	}
}

func TestLines(t *testing.T) {
	a, b := Row{"x": json.Number("1"), "y": "<"}, Row{"x": json.Number("1e+00"), "y": nil}
	want := []string{`{"x":1,"y":"<"}`, `{"x":1e+00,"y":null}`}
	for _, rows := range [][]Row{{a, b}, {b, a}} {
		if got := Lines(rows); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Lines([]Row{a, a}); len(got) != 2 {
		t.Error("a row that is there twice:", got)
	}
	if got := Lines([]Row{{"x": func() {}}}); !strings.HasPrefix(got[0], "not JSON") {
		t.Error("no JSON:", got)
	}
}
