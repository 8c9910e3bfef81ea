package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// A jsonRow has what a row is decoded to without a schema.
type jsonRow struct {
	ID     int64 `json:"id"`
	Tiny   int8
	Count  *uint16           `json:"count"`
	Price  float64           `json:"price"`
	Name   string            `json:"name"`
	On     bool              `json:"on"`
	At     *time.Time        `json:"at"`
	Any    any               `json:"any"`
	Raw    json.RawMessage   `json:"raw"`
	List   []any             `json:"list"`
	Map    map[string]any    `json:"map"`
	Number json.Number       `json:"number"`
	Exact  *big.Int          `json:"exact"`
	Inner  struct{ A *int8 } `json:"inner"`
}

// A refuser quotes what it is given.
type refuser struct{}

func (*refuser) UnmarshalJSON(b []byte) error { return fmt.Errorf("not %s", b) }

func TestRowDecode(t *testing.T) {
	type small struct {
		A int8      `json:"a"`
		B string    `json:"b"`
		T time.Time `json:"t"`
		R *refuser  `json:"r"`
		I *struct {
			N []int8
		} `json:"i/j"`
	}
	for _, c := range []struct {
		row  string
		want string // the value, or an error
		err  error
	}{
		{`{"a":-128,"b":"caf\u00e9"}`, `{A:-128 B:café}`, nil},
		{` {"a":1,"a":2} `, `{A:2 B:}`, nil},
		{`{"A":1,"b":null,"c":[{}]}`, `{A:1 B:}`, nil},
		{`{"b":"","a":128}`, `envelope: member has the wrong type: the value does not fit Go type int8 at /a (offset 12)`, ErrType},
		{`{"a":1.5}`, `envelope: member has the wrong type: the value does not fit Go type int8 at /a (offset 5)`, ErrType},
		{`{"b":1,"a":"secret"}`, `envelope: member has the wrong type: the value does not fit Go type string at /b (offset 5)`, ErrType},
		{`{"t":"secret"}`, `envelope: member has the wrong type: the value does not fit Go type envelope.small at /t (offset 5)`, ErrType},
		{`{"a":1,"r":"secret"}`, `envelope: member has the wrong type: the value does not fit Go type envelope.small at /r (offset 11)`, ErrType},
		{`{"i\/j":{"N":[1,200]}}`, `envelope: member has the wrong type: the value does not fit Go type int8 at /i~1j (offset 8)`, ErrType},
		{`{"a":1,"secret}`, "", ErrSyntax},
		{`{"a":1}secret`, "", ErrSyntax},
		{`{"a":1,"b":"` + "\xff" + `"}`, "", ErrSyntax},
		{``, "", ErrSyntax},
		{`[]`, "", ErrType},
		{`null`, "", ErrType},
	} {
		var v small
		err := Row(c.row).Decode(&v)
		if c.err == nil {
			if got := fmt.Sprintf("{A:%d B:%s}", v.A, v.B); err != nil || got != c.want {
				t.Errorf("%s: %s, %v; want %s", c.row, got, err, c.want)
			}
			continue
		}
		if _, ok := errors.AsType[*DecodeError](err); !ok || !errors.Is(err, c.err) || c.want != "" && err.Error() != c.want || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s:\n%v\n%s", c.row, err, c.want)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "secret") {
				t.Errorf("%s: row data in %#v", c.row, e)
			}
		}
	}
	if err := Row(nil).Decode(new(small)); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	for _, v := range []any{nil, small{}, (*small)(nil), map[string]any{}} {
		if err := Row(`{}`).Decode(v); err == nil || IsPermanent(err) {
			t.Errorf("%T: %v", v, err)
		}
	}
	if err := Row(`{"a":1}`).Decode(new(refuser)); err == nil || err.Error() != "envelope: member has the wrong type: the value does not fit Go type envelope.refuser (offset 0)" {
		t.Error(err)
	}
	if err := Row(`{"a":1}`).Decode(new(fmt.Stringer)); !errors.Is(err, ErrType) {
		t.Error(err)
	}
}

// Integers of an interface stay exact, and what is decoded does not alias the row or a
// buffer that the next row comes to.
func TestRowDecodeExact(t *testing.T) {
	row := Row(`{"a":9007199254740993,"b":[1e400,-0.10],"c":{"d":18446744073709551616},"e":"text"}`)
	var v map[string]any
	if err := row.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var raw struct{ B, C json.RawMessage }
	if err := row.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	clear(row)
	var other map[string]any
	if err := Row(`{"a":1111111111111111,"b":[1e111,-1.11],"c":{"d":11111111111111111111},"e":"1111"}`).Decode(&other); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(v, string(raw.B), string(raw.C)); got != `map[a:9007199254740993 b:[1e400 -0.10] c:map[d:18446744073709551616] e:text][1e400,-0.10]{"d":18446744073709551616}` {
		t.Error(got)
	}
}

func TestRowDecodeConcurrently(t *testing.T) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				text := strings.Repeat(string(rune('a'+i)), n*7) // across the decoder's buffer
				var v struct{ A any }
				if err := Row(fmt.Sprintf(` {"x":%d,"a":"%s"} `, n, text)).Decode(&v); err != nil || v.A != text {
					t.Error(v, err)
				}
				if err := Row(fmt.Sprintf(`{"a":"%s","b":1}`, text)).Decode(&struct{ B string }{}); !errors.Is(err, ErrType) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzRowDecode(f *testing.F) {
	full := `{"id":9007199254740993,"Tiny":1,"count":2,"price":1.5,"name":"a","on":true,"at":"2026-01-02T03:04:05Z","any":1e400,"raw":[ 1 ],` +
		`"list":[1,"a",null,{"b":2.50}],"map":{"k":[true]},"number":1.10,"exact":340282366920938463463374607431768211456,"inner":{"A":1}}`
	for _, change := range []string{
		``, `:1,|:128,`, `:1,|:"1",`, `:1,|:1.0,`, `:1,|:null,`, `:2,|:-1,`, `1.5|1e999`, `1.5|-0`, `"a"|"\u00e9\ud800"`, `true|1`, `"2026|"26`, `1e400|"\u0000"`,
		`1e400|[[],{}]`, `1e400|{"a":{"a":1},"a":2}`, `[ 1 ]|null`, `1.10|"1.10"`, `1.10|"x"`, `211456|211456.5`, `:{"A":1}|:{"A":300}`, `"id"|"ID"`, `"id"|"\u0069d"`,
		`"Tiny"|"id"`, `,"list|, "list`, `"a"|"` + strings.Repeat("long ", 200) + `"`, `"a"|"` + strings.Repeat(`\n`, 300) + `"`,
	} {
		old, now, _ := strings.Cut(change, "|")
		f.Add([]byte(strings.Replace(full, old, now, 1)))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		var got, want jsonRow
		err := Row(row).Decode(&got)
		if errors.Is(err, ErrSyntax) {
			return // its own fuzz test knows better
		}
		d := json.NewDecoder(bytes.NewReader(row))
		d.UseNumber()
		failed := d.Decode(&want)
		if membersOf(row) == nil {
			failed = errors.New("not an object")
		}
		if (err == nil) != (failed == nil) {
			t.Fatalf("%v; encoding/json: %v", err, failed)
		}
		if err != nil {
			if fault, ok := errors.AsType[*DecodeError](err); !ok || fault.Offset > int64(len(row)) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\n%+v", got, want)
		}
		var all, wantAll any
		d = json.NewDecoder(bytes.NewReader(row))
		d.UseNumber()
		if err := Row(row).Decode(&all); err != nil || d.Decode(&wantAll) != nil || !reflect.DeepEqual(all, wantAll) {
			t.Fatalf("%v, %v\n%v", err, all, wantAll)
		}
	})
}

func BenchmarkRowDecode(b *testing.B) {
	row := Row(`{"id":9007199254740993,"Tiny":1,"count":2,"price":1.5,"name":"a","on":true,"any":1e400,"list":[1,"a",null,{"b":2.50}],"number":1.10}`)
	var v jsonRow
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	for b.Loop() {
		if err := row.Decode(&v); err != nil {
			b.Fatal(err)
		}
	}
}
