package envelope

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// What is not a pointer, an Optional or an interface takes no null and nothing that is
// missing, whatever the column is.
func TestDecodeNothing(t *testing.T) {
	for _, c := range decodeCells {
		if _, ok := c.want.(error); ok {
			continue
		}
		switch g := reflect.TypeOf(c.want); {
		case g == nil, isOptional(g), g.Kind() == reflect.Pointer:
			continue
		case g == reflect.TypeFor[State](), g == reflect.TypeFor[Infinity](): // of any
			continue
		}
		if got, err := c.decode(c.t, "null"); !errors.Is(err, ErrType) {
			if c.t.Kind == KindUnknown || fmt.Sprint(err) == "<nil>" && got == nil {
				continue
			}
			t.Errorf("%v to %T: null is %v, %v", &c.t, c.want, got, err)
		}
		if got, err := c.decode(c.t, ""); !errors.Is(err, ErrMissing) && got != Missing {
			t.Errorf("%v to %T: nothing is %v, %v", &c.t, c.want, got, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	s := &Schema{Fields: []Field{
		{Name: "a/b", Type: intColumn}, {Name: "t", Type: textType},
		{Name: "l", Type: Type{Kind: KindList, Elem: &pairColumn}},
	}}
	type row struct {
		A int8         `row:"a/b"`
		T *string      `row:"t"`
		L []structPair `row:"l"`
	}
	for _, c := range []struct{ row, want string }{
		{`{"t":null,"a/b":300,"l":[]}`, "envelope: member has the wrong type: a value of int64 does not fit Go type int8 at /a~1b (offset 16)"},
		{`{"t":null,"a\/b":300,"l":[]}`, "envelope: member has the wrong type: a value of int64 does not fit Go type int8 at /a~1b (offset 17)"},
		{`{"a/b":null,"t":null,"l":[]}`, "envelope: member has the wrong type: null for Go type int8 at /a~1b (offset 7)"},
		{`{"t":null,"l":[]}`, "envelope: required member missing, for Go type int8 at /a~1b (offset 0)"},
		{`{"a/b":1,"t":` + unknown + `,"l":[]}`, "envelope: required member missing: the value is unavailable, for Go type *string at /t (offset 13)"},
		{`{"a/b":1,"t":null,"l":[{"A":1},{"A":1000}]}`, "envelope: element 1: member A: member has the wrong type: " +
			"a value of int64 does not fit Go type int8 at /l (offset 22)"},
		{`{"a/b":1,"t":null,"l":[{}]}`, "envelope: element 0: member A: required member missing, for Go type int8 at /l (offset 22)"},
	} {
		_, err := As[row](s, Row(c.row))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n%v\n%s", c.row, err, c.want)
		}
	}
	if _, err := As[row](s, nil); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if _, err := As[row](nil, Row(`{}`)); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	var r RowReader
	for _, v := range []any{nil, row{}, (*row)(nil), pointerTo(pointerTo(row{})), new(int), map[string]any{}} {
		if err := r.Decode(s, Row(`{}`), v); err == nil || IsPermanent(err) {
			t.Errorf("%T: %v", v, err)
		}
	}
	v := row{A: 5}
	if err := r.Decode(s, Row(`{"a/b":1,"t":null,"l":[]`), &v); !errors.Is(err, ErrSyntax) || v.A != 5 {
		t.Error(v, err)
	}
	if v, err := As[row](s, Row(`{"a/b":1,"t":null,"l":null}`)); err == nil || v.A != 0 {
		t.Error("As returns half a row", v, err)
	}
}
