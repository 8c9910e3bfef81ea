package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// values feeds the table test and the fuzzer.
var values = []struct {
	in     string
	offset int
	path   string
	err    error
}{
	{in: `null`}, {in: `true`}, {in: `false`}, {in: `0`}, {in: `-0`}, {in: `10`}, {in: `1.5`}, {in: `1e9`}, {in: `-1.25E-07`},
	{in: `123456789012345678901234567890.123456789012345678901234567890e+12345678901`},
	{in: `""`}, {in: `"a"`}, {in: `"1234567"`}, {in: `"12345678"`}, {in: `"123456789"`}, {in: `"\"\\\/\b\f\n\r\t\u00eF"`},
	{in: `"é"`}, {in: `"日本語"`}, {in: `"😀"`}, {in: `"1234567é"`}, {in: `"\ud800"`}, {in: `"\ud83d\ude00"`}, {in: "\"\x7f\""},
	{in: `"` + strings.Repeat("x", 100) + `"`}, {in: `"` + strings.Repeat("xyz é \\n", 100) + `"`},
	{in: `"` + strings.Repeat("x", 200) + strings.Repeat("é日😀\\n\\u00e9", 30) + `"`}, {"\"" + strings.Repeat("x", 200) + "\xff" + strings.Repeat("x", 100) + "\"", 201, ``, ErrUTF8},
	{in: `{}`}, {in: `[]`}, {in: ` { } `}, {in: "\t[\n]\r"}, {in: `[[],{},[{}]]`}, {in: `{"a":1,"b":[1,2,{"c":null}],"":""}`},
	{in: "{ \"a\" : 1 ,\n\t\"b\" : [ 1 , 2 ] }"}, {in: `{"a":1,"a":2}`},
	{in: strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)},

	{``, 0, ``, ErrEnd}, {` `, 1, ``, ErrEnd}, {`nul`, 3, ``, ErrEnd}, {`nulx`, 3, ``, ErrByte}, {`tru`, 3, ``, ErrEnd}, {`falsy`, 4, ``, ErrByte},
	{`nullx`, 4, ``, ErrByte}, {`1 2`, 2, ``, ErrByte}, {`01`, 1, ``, ErrByte}, {`-`, 1, ``, ErrEnd}, {`-x`, 1, ``, ErrByte}, {`1.`, 2, ``, ErrEnd},
	{`1.x`, 2, ``, ErrByte}, {`1e`, 2, ``, ErrEnd}, {`1e+`, 3, ``, ErrEnd}, {`1e+x`, 3, ``, ErrByte}, {`+1`, 0, ``, ErrByte}, {`.5`, 0, ``, ErrByte},
	{`NaN`, 0, ``, ErrByte}, {`default`, 0, ``, ErrByte}, {"\x00\x00\x00\x00\x01{}", 0, ``, ErrByte}, {"\ufeff{}", 0, ``, ErrByte},
	{`"`, 1, ``, ErrEnd}, {`"abc`, 4, ``, ErrEnd}, {"\"a\nb\"", 2, ``, ErrByte}, {"\"\x00\"", 1, ``, ErrByte}, {`"\q"`, 2, ``, ErrByte}, {`"\`, 2, ``, ErrEnd},
	{`"\u12`, 5, ``, ErrEnd}, {`"\u12g4"`, 5, ``, ErrByte}, {`"\u"`, 3, ``, ErrByte},
	{"\"\x80\"", 1, ``, ErrUTF8}, {"\"\xc0\xaf\"", 1, ``, ErrUTF8}, {"\"\xc3\"", 1, ``, ErrUTF8}, {"\"\xe0\x80\xaf\"", 1, ``, ErrUTF8},
	{"\"\xed\xa0\x80\"", 1, ``, ErrUTF8}, {"\"\xf0\x80\x80\x80\"", 1, ``, ErrUTF8}, {"\"\xf4\x90\x80\x80\"", 1, ``, ErrUTF8}, {"\"\xf5\x80\x80\x80\"", 1, ``, ErrUTF8},
	{"\"é\xff\"", 3, ``, ErrUTF8}, {"\"\xe6\x97", 1, ``, ErrUTF8},
	{`[`, 1, ``, ErrEnd}, {`[1`, 2, ``, ErrEnd}, {`[1,`, 3, `/1`, ErrEnd}, {`[1,]`, 3, `/1`, ErrByte}, {`[,1]`, 1, `/0`, ErrByte}, {`[1 2]`, 3, ``, ErrByte}, {`[1}`, 2, ``, ErrByte},
	{`{`, 1, ``, ErrEnd}, {`{"a"`, 4, `/a`, ErrEnd}, {`{"a" 1}`, 5, `/a`, ErrByte}, {`{"a":`, 5, `/a`, ErrEnd}, {`{"a":1`, 6, ``, ErrEnd}, {`{"a":1,}`, 7, ``, ErrByte},
	{`{a:1}`, 1, ``, ErrByte}, {`{"a":1 "b":2}`, 7, ``, ErrByte}, {`{"a":1]`, 6, ``, ErrByte}, {`{"x":[1,{"a/b~c":tru}]}`, 20, `/x/1/a~1b~0c`, ErrByte}, {`{} x`, 3, ``, ErrByte},
	{`{"\u0061":x}`, 10, `/a`, ErrByte},
	{strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), MaxDepth, strings.Repeat("/0", MaxDepth), ErrDepth},
}

func TestValues(t *testing.T) {
	for _, v := range values {
		if got := Valid([]byte(v.in)); got != (v.err == nil) {
			t.Errorf("Valid(%.60q) = %v", v.in, got)
		}
		got := Diagnose([]byte(v.in))
		if got.Offset != v.offset || Pointer(got.Path...) != v.path || got.Err != v.err {
			t.Errorf("Diagnose(%.60q) = %d %.60q %v, want %d %.60q %v", v.in, got.Offset, Pointer(got.Path...), got.Err, v.offset, v.path, v.err)
		}
		for i := range min(len(v.in), 300) { // no strict prefix of a value that ends itself is one
			if c := strings.TrimSpace(v.in); v.err == nil && (c[0] == '{' || c[0] == '[' || c[0] == '"') && i <= strings.LastIndexAny(v.in, `}]"`) && Valid([]byte(v.in[:i])) {
				t.Errorf("prefix %q accepted", v.in[:i])
			}
		}
	}
}

// check compares the two parsers with each other and with encoding/json.
func check(t *testing.T, b []byte) {
	t.Helper()
	valid := Valid(b)
	fault := Diagnose(b)
	if valid != (fault.Err == nil) {
		t.Fatalf("Valid %v, Diagnose %+v: %q", valid, fault, b)
	}
	if want := json.Valid(b) && utf8.Valid(b); valid != want {
		t.Fatalf("Valid %v, encoding/json and UTF-8 %v: %q", valid, want, b)
	}
	if fault.Err != nil && (fault.Offset < 0 || fault.Offset > len(b) || (fault.Offset == len(b)) != (fault.Err == ErrEnd)) {
		t.Fatalf("fault %+v of %d bytes: %q", fault, len(b), b)
	}
}

func FuzzValid(f *testing.F) {
	for _, v := range values {
		if len(v.in) < 1000 {
			f.Add([]byte(v.in))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

func TestEveryByteEverywhere(t *testing.T) {
	const doc = `{"a":"x\u00e9yé日","b":[1.5e+3,null,true,{"c":""}],"d":-0}`
	b := []byte(doc)
	for i := range b {
		for c := range 256 {
			b[i] = byte(c)
			check(t, b)
		}
		b[i] = doc[i]
	}
}

// Long strings are scanned in another way. Every two bytes, and every character
// and escape, at every place of a block and over its end.
func TestLongText(t *testing.T) {
	const length = 300
	plain := bytes.Repeat([]byte{'x'}, length)
	plain[0], plain[length-1] = '"', '"'
	pieces := []string{`\n`, `\"`, `\\`, `\u00e9`, `\u00g9`, `\x`, `"`, "\n", "\x7f", "#\"", "\"#", "\\]", "]\\n", "é", "日", "😀", "éé", "日本語", "😀😀",
		"\x80", "\xbf\xbf", "\xc0\xaf", "\xc3", "\xc3\"", "\xe0\x9f\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xed\xa0\x80", "\xef\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x98", "\xf0\x9f\x98\"", "\xe6\x97\\n"}
	for at := 1; at < length-20; at++ {
		for _, piece := range pieces {
			b := bytes.Clone(plain)
			copy(b[at:], piece)
			check(t, b)
			copy(b[at+len(piece):], pieces[at%len(pieces)])
			check(t, b)
			check(t, b[:at+len(piece)])
		}
	}
	for c := range 0x10000 {
		b := bytes.Clone(plain)
		b[100], b[101] = byte(c>>8), byte(c)
		check(t, b)
		b[102] = 0x80
		check(t, b)
		b[103] = 0xbf
		check(t, b)
	}
}

func TestTextPairs(t *testing.T) {
	for c := range 0x10000 { // every two bytes in a string, alone and after eight others
		check(t, []byte{'"', byte(c >> 8), byte(c), '"'})
		check(t, []byte{'"', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', byte(c >> 8), byte(c), 0x80, '"'})
	}
}

func FuzzText(f *testing.F) {
	for _, v := range values {
		if v.err == nil && v.in[0] == '"' {
			f.Add([]byte(v.in))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want string
		if len(b) == 0 || b[0] != '"' || !utf8.Valid(b) || json.Unmarshal(b, &want) != nil {
			return
		}
		in := b[:Skip(b, 0)]
		got := string(AppendText(nil, in[1:len(in)-1]))
		if got != want {
			t.Fatalf("%q: %q, want %q", b, got, want)
		}
		if !TextIs(in[1:len(in)-1], want) || TextIs(in[1:len(in)-1], want+"x") {
			t.Fatalf("TextIs %q", b)
		}
		var back string
		if q := AppendQuoted(nil, want); json.Unmarshal(q, &back) != nil || back != want || !Valid(q) {
			t.Fatalf("AppendQuoted(%q) = %s", want, q)
		}
	})
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		in string
		n  int64
		ok bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"9223372036854775807", 1<<63 - 1, true}, {"9223372036854775808", 0, false}, {"-9223372036854775808", -1 << 63, true},
		{"-9223372036854775809", 0, false}, {"18446744073709551616", 0, false}, {"", 0, false}, {"-", 0, false}, {"1.0", 0, false}, {"1e3", 0, false}, {"99999999999999999999", 0, false},
	} {
		if n, ok := Int([]byte(c.in)); ok != c.ok || ok && n != c.n {
			t.Errorf("Int(%q) = %d, %v", c.in, n, ok)
		}
	}
	for _, c := range []struct {
		in string
		n  uint64
		ok bool
	}{{"18446744073709551615", 1<<64 - 1, true}, {"18446744073709551616", 0, false}, {"00000000000000000007", 7, true}, {"99999999999999999999", 0, false}} {
		if n, ok := Uint([]byte(c.in)); ok != c.ok || ok && n != c.n {
			t.Errorf("Uint(%q) = %d, %v", c.in, n, ok)
		}
	}
}

// FuzzLong puts what it is given into a long string, over the end of a block.
func FuzzLong(f *testing.F) {
	for _, v := range values {
		if len(v.in) < 300 {
			f.Add([]byte(v.in), uint8(len(v.in)))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, before uint8) {
		long := append([]byte{'"'}, bytes.Repeat([]byte("x"), 32+int(before))...)
		long = append(append(long, b...), strings.Repeat("x", 80)...)
		check(t, append(long, '"'))
		check(t, append(append(long[:len(long)-1:len(long)-1], b...), '"'))
	})
}
