package envelope

import (
	"errors"
	"testing"
)

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		row  string
		want string // name=value; of each column
		err  error
	}{
		{row: `{}`}, {row: ` { } `},
		{row: `{"a":1,"b":"x"}`, want: `a=1;b="x";`},
		{row: " {\n\"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : null } } ", want: `a=[ 1 , 2 ];b={ "c" : null };`},
		{row: `{"":true,"a\"b":-1.5e3}`, want: `=true;a\"b=-1.5e3;`},
		{row: `{"a":1,"a":2}`, want: `a=1;a=2;`},
		{row: ``, err: ErrSyntax}, {row: `[1]`, err: ErrType}, {row: `null`, err: ErrType}, {row: `{`, err: ErrSyntax}, {row: `{"a"`, err: ErrSyntax},
		{row: `{"a":1`, want: `a=1;`, err: ErrSyntax}, {row: `{"a":1,}`, want: `a=1;`, err: ErrSyntax}, {row: `{"a":1}x`, want: `a=1;`, err: ErrSyntax}, {row: `{"a":1 "b":2}`, want: `a=1;`, err: ErrSyntax}, {row: `{"a":x}`, err: ErrSyntax},
	} {
		got := ""
		var failed error
		for col, err := range Row(c.row).Columns() {
			if failed = err; err == nil {
				got += string(col.Name) + "=" + string(col.Value) + ";"
			}
		}
		if got != c.want || !errors.Is(failed, c.err) || (failed == nil) != (c.err == nil) {
			t.Errorf("%s: %s, %v", c.row, got, failed)
		}
	}
	for range Row(nil).Columns() {
		t.Error("a column of no row")
	}
	for range Row(`{"a":1,"b":x}`).Columns() {
		break // and no error after it
	}
}

func TestGet(t *testing.T) {
	r := Row(`{"a":1,"b\u00e9":"x","a":2,"\"":null}`)
	for name, want := range map[string]string{"a": "1", "bé": `"x"`, `"`: "null", `\"`: "", "b": "", "": ""} {
		if v, ok := r.Get(name); string(v) != want || ok != (want != "") {
			t.Errorf("%s: %s, %v", name, v, ok)
		}
	}
	if _, ok := Row(nil).Get("a"); ok {
		t.Error("a column of no row")
	}
	if n := testing.AllocsPerRun(100, func() { r.Get("bé") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		v    string
		kind byte
		text string
		n    int64
		ok   bool
	}{
		{``, 0, "", 0, false}, {`null`, 'n', "null", 0, false}, {`true`, 't', "true", 0, false}, {`false`, 'f', "false", 0, false}, {`[1]`, '[', "[1]", 0, false}, {`{}`, '{', "{}", 0, false},
		{`0`, '0', "0", 0, true}, {`-7`, '0', "-7", -7, true}, {`9223372036854775807`, '0', "9223372036854775807", 1<<63 - 1, true}, {`9007199254740993`, '0', "9007199254740993", 1<<53 + 1, true},
		{`9223372036854775808`, '0', "9223372036854775808", 0, false}, {`1.0`, '0', "1.0", 0, false}, {`1e3`, '0', "1e3", 0, false},
		{`"1"`, '"', "1", 0, false}, {`"a\n\u00e9\ud83d\ude00\ud800"`, '"', "a\né😀\ufffd", 0, false}, {`"\x"`, '"', `\x`, 0, false}, {`"`, '"', `"`, 0, false},
	} {
		v := Value(c.v)
		n, err := v.Int64()
		if v.Kind() != c.kind || v.IsNull() != (c.kind == 'n') || string(v.AppendText([]byte("x"))) != "x"+c.text || (err == nil) != c.ok || n != c.n || err != nil && !errors.Is(err, ErrType) {
			t.Errorf("%s: %c %q %d %v", c.v, v.Kind(), v.AppendText(nil), n, err)
		}
	}
}

func TestEffects(t *testing.T) {
	after := Row(`{}`)
	for op := range OpSignal + 2 {
		for _, c := range []*Change{{Op: op}, {Op: op, After: after}} {
			want := None
			switch op {
			case OpCreate, OpUpdate, OpRead:
				want = Upsert
			case OpUnknown:
				if c.After != nil {
					want = Upsert
				}
			case OpDelete:
				want = Delete
			case OpTruncate:
				want = Truncate
			}
			if got := c.Effect(); got != want {
				t.Errorf("%v with %s: %v, want %v", op, c.After, got, want)
			}
		}
	}
	if OpUnknown.String() != "unknown" || Op(200).String() != "unknown" || OpSignal.String() != "signal" || Truncate.String() != "truncate" || Effect(200).String() != "none" {
		t.Error("names of operations and effects")
	}
}
