package icetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var spellings = []struct {
	text string
	want icetype.Type // of nested types only the kind is looked at
	err  error
}{
	{"boolean", icetype.Type{Kind: icetype.Boolean}, nil},
	{"int", icetype.Type{Kind: icetype.Int}, nil},
	{"long", icetype.Type{Kind: icetype.Long}, nil},
	{"float", icetype.Type{Kind: icetype.Float}, nil},
	{"double", icetype.Type{Kind: icetype.Double}, nil},
	{"decimal(9,2)", icetype.Type{Kind: icetype.Decimal, Precision: 9, Scale: 2}, nil},
	{"decimal( 38 , 38 )", icetype.Type{Kind: icetype.Decimal, Precision: 38, Scale: 38}, nil},
	{"decimal(1,0)", icetype.Type{Kind: icetype.Decimal, Precision: 1}, nil},
	{"date", icetype.Type{Kind: icetype.Date}, nil},
	{"time", icetype.Type{Kind: icetype.Time}, nil},
	{"timestamp", icetype.Type{Kind: icetype.Timestamp}, nil},
	{"timestamptz", icetype.Type{Kind: icetype.TimestampTZ}, nil},
	{"timestamp_ns", icetype.Type{Kind: icetype.TimestampNS}, nil},
	{"timestamptz_ns", icetype.Type{Kind: icetype.TimestampTZNS}, nil},
	{" string ", icetype.Type{Kind: icetype.String}, nil},
	{"uuid", icetype.Type{Kind: icetype.UUID}, nil},
	{"fixed[16]", icetype.Type{Kind: icetype.Fixed, Length: 16}, nil},
	{"binary", icetype.Type{Kind: icetype.Binary}, nil},
	{"list<int>", icetype.Type{Kind: icetype.List}, nil},
	{"map<string, decimal(9, 2)>", icetype.Type{Kind: icetype.Map}, nil},
	{"struct<a:int, b : list<map<string,long>>>", icetype.Type{Kind: icetype.Struct}, nil},

	{"", icetype.Type{}, icetype.ErrName},
	{"none", icetype.Type{}, icetype.ErrName},
	{"Int", icetype.Type{}, icetype.ErrName},
	{"bigint", icetype.Type{}, icetype.ErrName},
	{"decimal", icetype.Type{}, icetype.ErrName},
	{"decimal(", icetype.Type{}, icetype.ErrName},
	{"(", icetype.Type{}, icetype.ErrName},
	{"decimal[9,2]", icetype.Type{}, icetype.ErrName},
	{"int(4)", icetype.Type{}, icetype.ErrName},
	{"fixed", icetype.Type{}, icetype.ErrName},
	{"list", icetype.Type{}, icetype.ErrName},
	{"set<int>", icetype.Type{}, icetype.ErrName},
	{"list<>", icetype.Type{}, icetype.ErrName},
	{"list<int>>", icetype.Type{}, icetype.ErrName},
	{"list<bigint>", icetype.Type{}, icetype.ErrName},
	{"decimal()", icetype.Type{}, icetype.ErrParameter},
	{"decimal(9)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(0,0)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(39,0)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(9,10)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(9,-1)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(9,02)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(+9,2)", icetype.Type{}, icetype.ErrParameter},
	{"decimal(9,2,1)", icetype.Type{}, icetype.ErrParameter},
	{"fixed[0]", icetype.Type{}, icetype.ErrParameter},
	{"fixed[-1]", icetype.Type{}, icetype.ErrParameter},
	{"fixed[99999999999]", icetype.Type{}, icetype.ErrParameter},
	{"list<int,int>", icetype.Type{}, icetype.ErrParameter},
	{"map<int>", icetype.Type{}, icetype.ErrParameter},
	{"struct<>", icetype.Type{}, icetype.ErrField},
	{"struct<int>", icetype.Type{}, icetype.ErrField},
	{"struct<:int>", icetype.Type{}, icetype.ErrField},
	{"struct<a:int,a:long>", icetype.Type{}, icetype.ErrField},
	{"struct<a(b:int>", icetype.Type{}, icetype.ErrField},
	{strings.Repeat("list<", 15) + "int" + strings.Repeat(">", 15), icetype.Type{Kind: icetype.List}, nil},
	{strings.Repeat("list<", 16) + "int" + strings.Repeat(">", 16), icetype.Type{}, icetype.ErrDepth},
	{strings.Repeat("list<", 100_000) + strings.Repeat(">", 100_000), icetype.Type{}, icetype.ErrDepth},
}

func TestParse(t *testing.T) {
	for _, c := range spellings {
		got, err := icetype.Parse(c.text)
		if c.err != nil {
			require.ErrorIs(t, err, c.err, "%.60q", c.text)
			assert.Equal(t, icetype.Type{}, got)
			continue
		}
		require.NoError(t, err, c.text)
		if got.Kind >= icetype.List {
			assert.Equal(t, c.want.Kind, got.Kind)
		} else {
			assert.Equal(t, c.want, got)
		}
		if !strings.Contains(c.text, " ") {
			assert.Equal(t, c.text, got.String())
		}
	}
}

func parse(t testing.TB, s string) icetype.Type {
	got, err := icetype.Parse(s)
	require.NoError(t, err)
	return got
}

func TestParts(t *testing.T) {
	m := parse(t, "map< string ,decimal(9, 2)>")
	assert.Equal(t, "map<string,decimal(9,2)>", m.String())
	assert.Equal(t, parse(t, "string"), m.Key())
	assert.Equal(t, parse(t, "decimal(9,2)"), m.Elem())
	assert.Equal(t, m, parse(t, "map<string,decimal(9,2)>"), "equal types are equal by ==")
	assert.Empty(t, m.Fields())

	l := parse(t, "list<"+m.String()+">")
	assert.Equal(t, m, l.Elem())
	assert.Equal(t, icetype.Type{}, l.Key())

	s := parse(t, "struct<a:int,b b:"+l.String()+">")
	assert.Equal(t, []icetype.Field{{Name: "a", Type: parse(t, "int")}, {Name: "b b", Type: l}}, s.Fields())
	assert.Equal(t, icetype.Type{}, s.Elem())
	assert.Equal(t, icetype.Type{}, parse(t, "int").Elem())

	assert.Equal(t, "none", icetype.Type{}.String())
	assert.Equal(t, "kind 99", icetype.Kind(99).String())
}

func FuzzParse(f *testing.F) {
	for _, c := range spellings {
		if len(c.text) < 200 {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := icetype.Parse(text)
		if err != nil {
			return
		}
		again, err := icetype.Parse(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
		walk(t, got, 1)
	})
}

// walk looks at every part of a type.
func walk(t *testing.T, typ icetype.Type, depth int) {
	require.True(t, typ.Kind > icetype.None && typ.Kind < icetype.Kinds)
	require.LessOrEqual(t, depth, icetype.MaxDepth)
	switch typ.Kind {
	case icetype.List:
		walk(t, typ.Elem(), depth+1)
	case icetype.Map:
		walk(t, typ.Key(), depth+1)
		walk(t, typ.Elem(), depth+1)
	case icetype.Struct:
		require.NotEmpty(t, typ.Fields())
		for _, f := range typ.Fields() {
			require.NotEmpty(t, f.Name)
			walk(t, f.Type, depth+1)
		}
	}
}

var defaults = []struct {
	from         envelope.Type
	flat, deeper string // deeper is Nested's, if it differs
}{
	{envelope.Type{}, "string", ""},
	{envelope.Type{Kind: envelope.KindBool}, "boolean", ""},
	{envelope.Type{Kind: envelope.KindInt}, "long", ""},
	{envelope.Type{Kind: envelope.KindInt, Bits: 8}, "int", ""},
	{envelope.Type{Kind: envelope.KindInt, Bits: 16}, "int", ""},
	{envelope.Type{Kind: envelope.KindInt, Bits: 24}, "int", ""},
	{envelope.Type{Kind: envelope.KindInt, Bits: 32}, "int", ""},
	{envelope.Type{Kind: envelope.KindInt, Bits: 64}, "long", ""},
	{envelope.Type{Kind: envelope.KindUint, Bits: 8}, "int", ""},
	{envelope.Type{Kind: envelope.KindUint, Bits: 24}, "int", ""},
	{envelope.Type{Kind: envelope.KindUint, Bits: 32}, "long", ""},
	{envelope.Type{Kind: envelope.KindUint, Bits: 64}, "decimal(20,0)", ""},
	{envelope.Type{Kind: envelope.KindUint}, "decimal(20,0)", ""},
	{envelope.Type{Kind: envelope.KindFloat}, "double", ""},
	{envelope.Type{Kind: envelope.KindFloat, Bits: 32}, "float", ""},
	{envelope.Type{Kind: envelope.KindFloat, Bits: 64}, "double", ""},
	{envelope.Type{Kind: envelope.KindDecimal}, "string", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Scale: 2}, "string", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Precision: 10, Scale: 2}, "decimal(10,2)", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Precision: 38, Scale: 38}, "decimal(38,38)", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Precision: 39, Scale: 2}, "string", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Precision: 5, Scale: -2}, "string", ""},
	{envelope.Type{Kind: envelope.KindDecimal, Precision: 3, Scale: 5}, "string", ""},
	{envelope.Type{Kind: envelope.KindText, Length: 10}, "string", ""},
	{envelope.Type{Kind: envelope.KindBytes}, "binary", ""},
	{envelope.Type{Kind: envelope.KindBits, Length: 8}, "string", ""},
	{envelope.Type{Kind: envelope.KindUUID}, "uuid", ""},
	{envelope.Type{Kind: envelope.KindJSON}, "string", ""},
	{envelope.Type{Kind: envelope.KindDate}, "date", ""},
	{envelope.Type{Kind: envelope.KindTime}, "time", ""},
	{envelope.Type{Kind: envelope.KindTimeTZ}, "string", ""},
	{envelope.Type{Kind: envelope.KindTimestamp}, "timestamp", ""},
	{envelope.Type{Kind: envelope.KindInstant}, "timestamptz", ""},
	{envelope.Type{Kind: envelope.KindDuration}, "string", ""},
	{envelope.Type{Kind: envelope.KindInterval}, "string", ""},
	{envelope.Type{Kind: envelope.KindGeometry}, "binary", ""},
	{envelope.Type{Kind: envelope.Kind(200)}, "string", ""},
	{envelope.Type{Kind: envelope.KindList}, "string", "list<string>"},
	{envelope.Type{Kind: envelope.KindList, Elem: &envelope.Type{Kind: envelope.KindDate}}, "string", "list<date>"},
	{envelope.Type{Kind: envelope.KindMap}, "string", "map<string,string>"},
	{envelope.Type{Kind: envelope.KindMap, Key: &envelope.Type{Kind: envelope.KindInt, Bits: 16}, Elem: &envelope.Type{Kind: envelope.KindFloat}}, "string", "map<int,double>"},
	{envelope.Type{Kind: envelope.KindStruct}, "string", ""},
	{structOf("a", "b"), "string", "struct<a:long,b:long>"},
	{structOf("a", "a"), "string", ""},
	{structOf("a", ""), "string", ""},
	{structOf("a<"), "string", ""},
	{structOf("a,b"), "string", ""},
	{structOf(" a"), "string", ""},
	{deep(15), "string", strings.Repeat("list<", 15) + "date" + strings.Repeat(">", 15)},
	{deep(16), "string", strings.Repeat("list<", 15) + "string" + strings.Repeat(">", 15)},
}

func structOf(names ...string) envelope.Type {
	t := envelope.Type{Kind: envelope.KindStruct}
	for _, n := range names {
		t.Fields = append(t.Fields, envelope.Field{Name: n, Type: envelope.Type{Kind: envelope.KindInt}})
	}
	return t
}

func deep(n int) envelope.Type {
	if n == 0 {
		return envelope.Type{Kind: envelope.KindDate}
	}
	elem := deep(n - 1)
	return envelope.Type{Kind: envelope.KindList, Elem: &elem}
}

func TestDefaults(t *testing.T) {
	seen := map[envelope.Kind]bool{}
	for _, c := range defaults {
		seen[c.from.Kind] = true
		assert.Equal(t, c.flat, icetype.Of(&c.from).String(), "%v", &c.from)
		if c.deeper == "" {
			c.deeper = c.flat
		}
		nested := icetype.Nested(&c.from)
		assert.Equal(t, c.deeper, nested.String(), "%v", &c.from)
		assert.Equal(t, nested, parse(t, nested.String()), "what is made is what is read")
	}
	for k := envelope.KindUnknown; k <= envelope.KindStruct; k++ {
		assert.True(t, seen[k], "%v", k)
	}
}

func ExampleOf() {
	for _, t := range []envelope.Type{
		{Kind: envelope.KindDecimal, Precision: 12, Scale: 2},
		{Kind: envelope.KindInstant},
		{Kind: envelope.KindList, Elem: &envelope.Type{Kind: envelope.KindInt, Bits: 32}},
	} {
		fmt.Println(&t, icetype.Of(&t), icetype.Nested(&t))
	}
	// Output:
	// decimal(12,2) decimal(12,2) decimal(12,2)
	// instant timestamptz timestamptz
	// list<int32> string list<int>
}
