package envelope

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type (
	planBase struct {
		ID   int    `row:"id"`
		Note string `row:"note"`
	}
	planDeep   struct{ planInner }
	planInner  struct{ Depth int }
	planSide   struct{ Depth int }
	planStamps struct {
		time.Time `row:"at"`
		Moment
	}
)

// ints decodes a row of integers.
func planOf[T any](row string, columns ...string) (any, error) {
	s := new(Schema)
	for _, name := range columns {
		s.Fields = append(s.Fields, Field{Name: name, Type: Type{Kind: KindInt}})
	}
	return As[T](s, Row(row))
}

// Fields find their columns by tags and names.
func TestDecodeNames(t *testing.T) {
	for i, c := range []struct {
		decode func(row string, columns ...string) (any, error)
		names  string // of the columns
		want   string
		err    error
	}{
		{planOf[struct{ A, B int }], "A B", "{1 2}", nil},
		{planOf[struct{ A, B int }], "b a", "{2 1}", nil},
		{planOf[struct{ UserID int }], "userid x", "{1}", nil},
		{planOf[struct{ UserID int }], "userid UserID", "{2}", nil},
		{planOf[struct{ UserID int }], "userid USERID", "/UserID", ErrDuplicate},
		{planOf[struct{ UserID int }], "user_id", "/UserID", ErrMissing},
		{planOf[struct{ A int }], "", "/A", ErrMissing},
		{planOf[struct{}], "x", "{}", nil},
		{planOf[struct{ A Optional[int] }], "", "{{missing 0}}", nil},
		{planOf[struct{ A Optional[int] }], "a", "{{set 1}}", nil},
		{planOf[struct{ A *Optional[int] }], "", "/A", ErrMissing},
		{planOf[struct{ A any }], "", "/A", ErrMissing},
		{planOf[struct {
			A int `row:"x" json:"y"`
		}], "y x", "{2}", nil},
		{planOf[struct {
			A int `json:"y,omitempty"`
		}], "y a", "{1}", nil},
		{planOf[struct {
			A int `json:",omitempty"`
		}], "y a", "{2}", nil},
		{planOf[struct {
			A int `row:"" json:"y"`
		}], "y a", "{1}", nil},
		{planOf[struct {
			A int `row:"y"`
		}], "Y a", "/y", ErrMissing}, // names of tags are exact
		{planOf[struct {
			A int `row:"y,z"`
		}], "y,z", "{1}", nil},
		{planOf[struct {
			A int `row:"-"`
			B int `json:"-"`
			C int `json:"c,omitempty"`
			d int
		}], "- a b c d", "{0 0 4 0}", nil},
		{planOf[struct {
			A int `row:"x"`
			B int `row:"x"`
		}], "x", "/x", ErrDuplicate},
		{planOf[struct {
			planBase
			A int
		}], "id a note", "/note", ErrType},
		{planOf[struct {
			planBase
			Note int
		}], "id note", "{{1 } 2}", nil},
		{planOf[struct {
			*planInner `row:"-"`
			planDeep
			planSide
		}], "depth", "{<nil> {{0}} {1}}", nil},
		{planOf[struct {
			planInner
			planSide
		}], "depth", "/depth", ErrDuplicate},
		{planOf[struct {
			planInner
			Depth int
		}], "depth", "{{0} 1}", nil},
		{planOf[struct{ *planInner }], "depth", "{<nil>}", nil}, // not exported
		{planOf[struct{ *planBase }], "id", "{<nil>}", nil},
		{planOf[planStamps], "at", "/at", ErrType},
		{planOf[struct{ Moment }], "moment", "/moment", ErrType},
		{planOf[struct {
			Optional[int]
			A int
		}], "a", "{{missing 0} 1}", nil},
		{planOf[struct{ A struct{ Optional[int] } }], "a", "/a", ErrType},
		{planOf[struct{ A planSide }], "a", "/a", ErrType},
	} {
		columns := strings.Fields(c.names)
		row := ""
		for i, name := range columns {
			row += fmt.Sprintf(`,"%s":%d`, name, i+1)
		}
		got, err := c.decode("{"+strings.TrimPrefix(row, ",")+"}", columns...)
		if c.err == nil {
			if s := fmt.Sprint(got); err != nil || s != c.want {
				t.Errorf("%d: %s: %s, %v; want %s", i, c.names, s, err, c.want)
			}
			continue
		}
		fault, ok := errors.AsType[*DecodeError](err)
		if !ok || !errors.Is(err, c.err) || fault.Path != c.want {
			t.Errorf("%d: %s: %v, %v; want %v at %s", i, c.names, got, err, c.err, c.want)
		}
	}
}

// What one plan's error is changed to, the next caller does not see.
func TestDecodePlanErrorIsCopied(t *testing.T) {
	s := &Schema{Fields: []Field{{Name: "a", Type: textType}}}
	var v struct{ A int }
	var r RowReader
	first, _ := errors.AsType[*DecodeError](r.Decode(s, Row(`{}`), &v))
	first.Path = "changed"
	if second, _ := errors.AsType[*DecodeError](r.Decode(s, Row(`{}`), &v)); second.Path != "/a" {
		t.Error(second)
	}
}

// Several goroutines decode by one schema into several types, none of which has a plan
// at first.
func TestDecodeConcurrently(t *testing.T) {
	type other struct{ B string }
	for range 20 {
		s := &Schema{Fields: []Field{{Name: "a", Type: intType()}, {Name: "b", Type: textType}}}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 50 {
					row := Row(fmt.Sprintf(`{"a":%d,"b":"x\u00%d%d"}`, n, 4+i%3, i))
					want := "x" + string(rune(16*(4+i%3)+i))
					if v, err := As[struct {
						A int
						B string
					}](s, row); err != nil || v.A != n || v.B != want {
						t.Error(v, err)
					}
					if v, err := As[other](s, row); err != nil || v.B != want {
						t.Error(v, err)
					}
					if _, err := As[struct{ C int }](s, row); !errors.Is(err, ErrMissing) {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		plans := 0
		s.plans.Range(func(_, _ any) bool { plans++; return true })
		if plans != 3 {
			t.Errorf("%d plans", plans)
		}
	}
}

func intType() Type { return Type{Kind: KindInt} }

func TestOptional(t *testing.T) {
	if v, ok := (Optional[int]{State: Null, V: 1}).Get(); ok || v != 1 {
		t.Error(v, ok)
	}
	if v, ok := (Optional[string]{Set, "a"}).Get(); !ok || v != "a" {
		t.Error(v, ok)
	}
	type own Optional[int] // has no methods, and another name
	for _, c := range []struct {
		t    reflect.Type
		want bool
	}{
		{reflect.TypeFor[Optional[int]](), true},
		{reflect.TypeFor[Optional[Optional[time.Time]]](), true},
		{reflect.TypeFor[*Optional[int]](), false},
		{reflect.TypeFor[own](), false},
		{reflect.TypeFor[struct{ Optional[int] }](), false},
		{reflect.TypeFor[Moment](), false},
	} {
		if got := isOptional(c.t); got != c.want {
			t.Errorf("%v: %t", c.t, got)
		}
	}
}
