package route_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var orders = envelope.Table{DB: "shop", Schema: "public", Name: "orders"}

// typed returns the schema of a table with one column, v.
func typed(t envelope.Type) *envelope.Schema {
	return &envelope.Schema{Name: "orders", Fields: []envelope.Field{{Name: "v", Type: t, Optional: true}}}
}

// into returns an encoder whose destination has a type of its own for the column v; "" is the default.
func into(spelling string) *route.Encoder {
	e := new(route.Encoder)
	if spelling != "" {
		e.Types = map[envelope.Table]map[string]string{orders: {"v": spelling}}
	}
	return e
}

// encode returns what a value is encoded to.
func encode(e *route.Encoder, t envelope.Type, value string) (string, error) {
	row, err := e.AppendRow([]byte("before"), orders, typed(t), envelope.Row(`{"v":`+value+`}`))
	if err != nil {
		if string(row) != "before" {
			return "", errors.New("AppendRow left something behind")
		}
		return "", err
	}
	inner, ok := strings.CutPrefix(string(row), `before{"v":`)
	inner, ok2 := strings.CutSuffix(inner, "}")
	if !ok || !ok2 || !json.Valid([]byte(inner)) {
		return "", fmt.Errorf("not the row: %s", row)
	}
	return inner, nil
}

var (
	tBool      = envelope.Type{Kind: envelope.KindBool}
	tInt       = envelope.Type{Kind: envelope.KindInt, Bits: 64}
	tUint      = envelope.Type{Kind: envelope.KindUint, Bits: 64}
	tFloat     = envelope.Type{Kind: envelope.KindFloat, Bits: 64}
	tFloat32   = envelope.Type{Kind: envelope.KindFloat, Bits: 32}
	tDecimal   = envelope.Type{Kind: envelope.KindDecimal, Precision: 12, Scale: 2}
	tText      = envelope.Type{Kind: envelope.KindText}
	tBytes     = envelope.Type{Kind: envelope.KindBytes}
	tDate      = envelope.Type{Kind: envelope.KindDate}
	tTime      = envelope.Type{Kind: envelope.KindTime}
	tTimeTZ    = envelope.Type{Kind: envelope.KindTimeTZ}
	tTimestamp = envelope.Type{Kind: envelope.KindTimestamp}
	tInstant   = envelope.Type{Kind: envelope.KindInstant}
	tDuration  = envelope.Type{Kind: envelope.KindDuration, Form: envelope.FormMicros}
	tGeometry  = envelope.Type{Kind: envelope.KindGeometry}
	tList      = envelope.Type{Kind: envelope.KindList, Elem: &tInt}
	tMap       = envelope.Type{Kind: envelope.KindMap, Elem: &tInt}
	tStruct    = envelope.Type{Kind: envelope.KindStruct, Fields: []envelope.Field{{Name: "A", Type: tInt}, {Name: "b", Type: tDate}}}
)

// Every type of Iceberg. A struct has to have the source's members.
var destinations = []string{"boolean", "int", "long", "float", "double", "decimal(12,2)", "date", "time", "timestamp", "timestamptz",
	"timestamp_ns", "timestamptz_ns", "string", "uuid", "fixed[3]", "binary", "list<long>", "map<string,long>", "struct<a:long,b:date>"}

// A value of each kind, and what it is in each type that it has a way into. There is none into the others.
var ways = []struct {
	from  envelope.Type
	value string
	to    map[string]string // "" is the default
}{
	{envelope.Type{}, `{"a":1}`, map[string]string{"": `"{\"a\":1}"`, "string": `"{\"a\":1}"`}},
	{tBool, `true`, map[string]string{"": `true`, "boolean": `true`, "int": `1`, "long": `1`, "string": `"true"`}},
	{tInt, `1`, map[string]string{"": `1`, "boolean": `true`, "int": `1`, "long": `1`, "float": `1`, "double": `1`, "decimal(12,2)": `"1.00"`, "string": `"1"`}},
	{tUint, `1`, map[string]string{"": `"1"`, "boolean": `true`, "int": `1`, "long": `1`, "float": `1`, "double": `1`, "decimal(12,2)": `"1.00"`, "string": `"1"`}},
	{tFloat, `1.5`, map[string]string{"": `1.5`, "float": `1.5`, "double": `1.5`, "decimal(12,2)": `"1.50"`, "string": `"1.5"`}},
	{tDecimal, `"3.00"`, map[string]string{"": `"3.00"`, "int": `3`, "long": `3`, "float": `3`, "double": `3`, "decimal(12,2)": `"3.00"`, "string": `"3.00"`}},
	{tText, `"12.5"`, map[string]string{"": `"12.5"`, "decimal(12,2)": `"12.50"`, "string": `"12.5"`, "uuid": "not a UUID"}},
	{tBytes, `"AQID"`, map[string]string{"": `"AQID"`, "fixed[3]": `"AQID"`, "binary": `"AQID"`, "string": `"AQID"`}},
	{envelope.Type{Kind: envelope.KindBits, Length: 4}, `"BQ=="`, map[string]string{"": `"0101"`, "string": `"0101"`}},
	{envelope.Type{Kind: envelope.KindUUID}, `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`, map[string]string{"": `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`,
		"uuid": `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`, "string": `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`}},
	{envelope.Type{Kind: envelope.KindJSON}, `"{\"a\":1}"`, map[string]string{"": `"{\"a\":1}"`, "string": `"{\"a\":1}"`}},
	{tDate, `"1970-01-02"`, map[string]string{"": `1`, "date": `1`, "timestamp": `86400000000`, "string": `"1970-01-02"`}},
	{tTime, `"00:00:01.5"`, map[string]string{"": `1500000`, "long": `1500000`, "time": `1500000`, "string": `"00:00:01.5"`}},
	{tTimeTZ, `"00:00:01.5Z"`, map[string]string{"": `"00:00:01.5Z"`, "time": `1500000`, "string": `"00:00:01.5Z"`}},
	{tTimestamp, `"1970-01-02T00:00:00"`, map[string]string{"": `86400000000`, "date": `1`, "timestamp": `86400000000`, "timestamptz": `86400000000`, "string": `"1970-01-02T00:00:00"`}},
	{tInstant, `"1970-01-02T01:00:00+01:00"`, map[string]string{"": `86400000000`, "timestamp": `86400000000`, "timestamptz": `86400000000`, "string": `"1970-01-02T00:00:00Z"`}},
	{tDuration, `1500000`, map[string]string{"": `"PT1.5S"`, "long": `1500000`, "string": `"PT1.5S"`}},
	{envelope.Type{Kind: envelope.KindInterval}, `"P1Y2M3DT4H5M6.78S"`, map[string]string{"": `"P1Y2M3DT4H5M6.78S"`, "string": `"P1Y2M3DT4H5M6.78S"`}},
	{tGeometry, `{"wkb":"AQID","srid":4326}`, map[string]string{"": `"AQID"`, "fixed[3]": `"AQID"`, "binary": `"AQID"`, "string": `"AQID"`}},
	{tList, `[1,null]`, map[string]string{"": `"[1,null]"`, "list<long>": `[1,null]`, "string": `"[1,null]"`}},
	{tMap, `{"a":1}`, map[string]string{"": `"{\"a\":1}"`, "map<string,long>": `{"a":1}`, "string": `"{\"a\":1}"`}},
	{tStruct, `{"A":1,"b":"1970-01-02"}`, map[string]string{"": `"{\"A\":1,\"b\":\"1970-01-02\"}"`, "struct<a:long,b:date>": `{"a":1,"b":1}`, "string": `"{\"A\":1,\"b\":\"1970-01-02\"}"`}},
}

func TestEncoderWays(t *testing.T) {
	seen := map[envelope.Kind]bool{}
	for _, w := range ways {
		seen[w.from.Kind] = true
		for _, to := range append([]string{""}, destinations...) {
			got, err := encode(into(to), w.from, w.value)
			want, ok := w.to[to]
			switch {
			case !ok:
				wrong, is := errors.AsType[*route.TypesError](err)
				require.True(t, is, "%v into %s: %s %v", &w.from, to, got, err)
				assert.Equal(t, "v", wrong.Column)
				assert.Equal(t, orders, wrong.Table)
				assert.EqualError(t, err, fmt.Sprintf(`route: table shop.public.orders, column "v": there is no way from %v to %s`, &w.from, to))
			case strings.HasPrefix(want, "not "):
				require.ErrorContains(t, err, want, "%v into %s", &w.from, to)
			default:
				require.NoError(t, err, "%v into %s", &w.from, to)
				assert.Equal(t, want, got, "%v into %s", &w.from, to)
			}
			// A null has a way wherever a value has, and a missing column stays away.
			if ok {
				got, err := encode(into(to), w.from, "null")
				require.NoError(t, err)
				assert.Equal(t, "null", got)
				row, err := into(to).AppendRow(nil, orders, typed(w.from), envelope.Row(" { } "))
				require.NoError(t, err)
				assert.Equal(t, "{}", string(row))
			}
		}
		for to := range w.to {
			assert.Contains(t, append([]string{""}, destinations...), to)
		}
	}
	for k := envelope.KindUnknown; k <= envelope.KindStruct; k++ {
		assert.True(t, seen[k], "%v", k)
	}
}

// Nested types by default.
func TestEncoderNested(t *testing.T) {
	for _, c := range []struct {
		from        envelope.Type
		value, want string
	}{
		{tList, `[1,null,-3]`, `[1,null,-3]`},
		{envelope.Type{Kind: envelope.KindList}, `["a",{"b":1}]`, `["a","{\"b\":1}"]`},
		{envelope.Type{Kind: envelope.KindMap}, `{"a":"b"}`, `{"a":"b"}`},
		{tMap, `{"A":1,"b":null}`, `{"A":1,"b":null}`},
		{tStruct, `{"A":1,"b":"1970-01-02"}`, `{"a":1,"b":1}`},
		{envelope.Type{Kind: envelope.KindStruct}, `{}`, `"{}"`},
		{envelope.Type{Kind: envelope.KindList, Elem: &tStruct}, `[{"A":1},null]`, `[{"a":1},null]`},
	} {
		e := &route.Encoder{Nested: true}
		got, err := encode(e, c.from, c.value)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	e := &route.Encoder{Nested: true, KeepCase: true}
	got, err := encode(e, tStruct, `{"A":1}`)
	require.NoError(t, err)
	assert.Equal(t, `{"A":1}`, got)
}

func TestEncoderNames(t *testing.T) {
	schema := &envelope.Schema{Fields: []envelope.Field{{Name: "Order ID", Type: tInt}, {Name: `q"é`, Type: tText}, {Name: "ÄB", Type: tDate}}}
	row := envelope.Row(`{"q\"é":"x","\u00c4B":"1970-01-03","Order ID":7}`)
	e := &route.Encoder{Types: map[envelope.Table]map[string]string{{Schema: "public", Name: "orders"}: {"Order ID": "string", "ÄB": "timestamp"}}}
	got, err := e.AppendRow(nil, orders, schema, row)
	require.NoError(t, err)
	assert.Equal(t, `{"order id":"7","q\"é":"x","äb":172800000000}`, string(got), "in the schema's order, for any database")

	e = &route.Encoder{KeepCase: true, Types: map[envelope.Table]map[string]string{orders: {}, {Schema: "public", Name: "orders"}: {"Order ID": "string"}}}
	got, err = e.AppendRow(nil, orders, schema, row)
	require.NoError(t, err)
	assert.Equal(t, `{"Order ID":7,"q\"é":"x","ÄB":2}`, string(got), "the table's own entry comes first")

	// One encoder, two tables and two schemas.
	e = &route.Encoder{Types: map[envelope.Table]map[string]string{orders: {"v": "string"}}}
	other := envelope.Table{Name: "items"}
	one, two := typed(tInt), typed(tText)
	for range 3 {
		for _, c := range []struct {
			table  envelope.Table
			schema *envelope.Schema
			value  string
			want   string
		}{{orders, one, `1`, `{"v":"1"}`}, {other, one, `1`, `{"v":1}`}, {other, two, `"1"`, `{"v":"1"}`}, {other, two, `"x"`, `{"v":"x"}`}} {
			got, err := e.AppendRow(nil, c.table, c.schema, envelope.Row(`{"v":`+c.value+`}`))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	two := &envelope.Schema{Fields: []envelope.Field{{Name: "id", Type: tInt}, {Name: "v", Type: tText}}}
	unavailableError := func(column string) func(error) bool {
		return func(err error) bool {
			u, ok := errors.AsType[*route.UnavailableError](err)
			return ok && u.Column == column
		}
	}
	cause := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for _, c := range []struct {
		name, row string
		is        func(error) bool
		path      string
	}{
		{"unavailable", `{"id":1,"v":"__debezium_unavailable_value"}`, unavailableError("v"), "/v"},
		{"reference", `{"id":1,"v":"__debezium:s3:ref:v1:bucket|secret"}`, unavailableError("v"), "/v"},
		{"unknown column", `{"id":1,"new/ column":"secret"}`, cause(envelope.ErrType), "/new~1 column"},
		{"another type", `{"id":"secret"}`, cause(envelope.ErrType), "/id"},
		{"twice", `{"id":1,"id":1}`, cause(envelope.ErrDuplicate), "/id"},
		{"cut off", `{"id":1,"v":"sec`, cause(envelope.ErrSyntax), ""},
		{"no object", `[1]`, cause(envelope.ErrType), ""},
		{"empty", ``, func(error) bool { return true }, ""},
	} {
		e := new(route.Encoder)
		got, err := e.AppendRow([]byte("x"), orders, two, envelope.Row(c.row))
		require.Error(t, err, c.name)
		assert.Equal(t, "x", string(got), c.name)
		assert.True(t, c.is(err), "%s: %v", c.name, err)
		assert.NotContains(t, err.Error(), "secret")
		at, ok := errors.AsType[*envelope.DecodeError](err)
		require.True(t, ok, c.name)
		if c.path != "" {
			assert.Equal(t, c.path, at.Path, c.name)
		}
		// The next row is none the worse for it.
		got, err = e.AppendRow(nil, orders, two, envelope.Row(`{"v":"a","id":1}`))
		require.NoError(t, err)
		assert.Equal(t, `{"id":1,"v":"a"}`, string(got))
	}

	_, err := new(route.Encoder).AppendRow(nil, orders, two, nil)
	require.ErrorIs(t, err, envelope.ErrMissing)
	_, err = new(route.Encoder).AppendRow(nil, orders, nil, envelope.Row(`{}`))
	require.ErrorIs(t, err, route.ErrNoSchema)
	assert.EqualError(t, err, "route: no schema for table shop.public.orders")

	e := &route.Encoder{DropUnknown: true}
	got, err := e.AppendRow(nil, orders, two, envelope.Row(`{"x":[1],"id":1,"y":"__debezium_unavailable_value"}`))
	require.NoError(t, err)
	assert.Equal(t, `{"id":1}`, string(got))

	e = &route.Encoder{Placeholder: envelope.NewPlaceholder("<<kept>>"), Misfit: route.MisfitNull}
	_, err = e.AppendRow(nil, orders, two, envelope.Row(`{"id":1,"v":"<<kept>>"}`))
	assert.True(t, unavailableError("v")(err), "not a misfit: %v", err)
	got, err = e.AppendRow(nil, orders, two, envelope.Row(`{"id":1,"v":"__debezium_unavailable_value"}`))
	require.NoError(t, err)
	assert.Equal(t, `{"id":1,"v":"__debezium_unavailable_value"}`, string(got))
}

// What Check says, AppendRow says of every row.
func TestEncoderCheck(t *testing.T) {
	field := func(name string, typ envelope.Type) envelope.Field { return envelope.Field{Name: name, Type: typ} }
	for _, c := range []struct {
		name    string
		fields  []envelope.Field
		types   map[string]string
		e       route.Encoder
		want    string // of the errors, without what they begin with
		onlyNow bool   // rows are encoded all the same
	}{
		{name: "good", fields: []envelope.Field{field("Id", tInt)}, types: map[string]string{"Id": "string"}},
		{name: "misspelled type", fields: []envelope.Field{field("id", tInt)}, types: map[string]string{"id": "bigint"}, want: `column "id": no such type: "bigint"`},
		{name: "misspelled column", fields: []envelope.Field{field("id", tInt)}, types: map[string]string{"ID": "long"}, want: `column "ID": the schema has no such column`, onlyNow: true},
		{name: "collision", fields: []envelope.Field{field("id", tInt), field("v", tInt), field("ID", tInt)}, want: `column "ID": has the same name as "id" in the destination`},
		{name: "kept apart", fields: []envelope.Field{field("id", tInt), field("ID", tInt)}, e: route.Encoder{KeepCase: true}},
		{name: "one name twice", fields: []envelope.Field{field("id", tInt), field("id", tInt)}, e: route.Encoder{KeepCase: true}, want: `column "id": has the same name as "id" in the destination`},
		{name: "no way", fields: []envelope.Field{field("id", tInt), field("v", tDate)}, types: map[string]string{"id": "date", "v": "int"},
			want: "column \"id\": there is no way from int64 to date\ncolumn \"v\": there is no way from date to int"},
		{name: "no way within", fields: []envelope.Field{field("v", tList)}, types: map[string]string{"v": "list<date>"}, want: `column "v": there is no way from int64 to date`},
		{name: "no way of keys", fields: []envelope.Field{field("v", tMap)}, types: map[string]string{"v": "map<int,long>"}, want: `column "v": there is no way from text to int`},
		{name: "no way of values", fields: []envelope.Field{field("v", tMap)}, types: map[string]string{"v": "map<string,date>"}, want: `column "v": there is no way from int64 to date`},
		{name: "nested key", fields: []envelope.Field{field("v", envelope.Type{Kind: envelope.KindMap, Key: &tList, Elem: &tInt})}, types: map[string]string{"v": "map<list<long>,long>"},
			want: `column "v": a map's key is text, not list<long>`},
		{name: "member missing", fields: []envelope.Field{field("v", tStruct)}, types: map[string]string{"v": "struct<a:long>"}, want: `column "v": struct<a:long> has no field "b"`},
		{name: "member dropped", fields: []envelope.Field{field("v", tStruct)}, types: map[string]string{"v": "struct<a:long>"}, e: route.Encoder{DropUnknown: true}},
		{name: "members collide", fields: []envelope.Field{field("v", envelope.Type{Kind: envelope.KindStruct, Fields: []envelope.Field{field("a", tInt), field("A", tInt)}})},
			types: map[string]string{"v": "struct<a:long>"}, want: `column "v": two members have the name "a" in the destination`},
		{name: "fields collide", fields: []envelope.Field{field("v", tStruct)}, types: map[string]string{"v": "struct<a:long,A:long,b:date>"},
			want: `column "v": two fields of struct<a:long,A:long,b:date> have one name`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := c.e
			e.Types = map[envelope.Table]map[string]string{orders: c.types}
			schema := &envelope.Schema{Fields: c.fields}
			err := e.Check(orders, schema)
			_, rowErr := e.AppendRow(nil, orders, schema, envelope.Row(`{}`))
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, rowErr)
				return
			}
			require.Error(t, err)
			assert.Equal(t, c.want, strings.ReplaceAll(err.Error(), "route: table shop.public.orders, ", ""))
			_, ok := errors.AsType[*route.TypesError](err)
			assert.True(t, ok)
			if c.onlyNow {
				require.NoError(t, rowErr)
			} else {
				_, ok := errors.AsType[*route.TypesError](rowErr)
				assert.True(t, ok, "%v", rowErr)
			}
		})
	}

	// Without a schema it is the spelling alone.
	e := &route.Encoder{Types: map[envelope.Table]map[string]string{orders: {"a": "bigint", "b": "decimal(39,0)", "c": "long"}}}
	assert.EqualError(t, e.Check(orders, nil), "route: table shop.public.orders, column \"a\": no such type: \"bigint\"\n"+
		"route: table shop.public.orders, column \"b\": wrong parameter: \"decimal(39,0)\"")
	assert.NoError(t, e.Check(envelope.Table{Name: "other"}, nil))
}

// The document of all kinds: a row of each in the table above, in its default type.
func TestEncoderGolden(t *testing.T) {
	schema, row := new(envelope.Schema), "{"
	for i, w := range ways {
		name := fmt.Sprintf("%02d %v", i, w.from.Kind)
		schema.Fields = append(schema.Fields, envelope.Field{Name: name, Type: w.from})
		row += fmt.Sprintf("%s%q:%s", map[bool]string{true: ","}[i > 0], name, w.value)
	}
	got, err := new(route.Encoder).AppendRow(nil, orders, schema, envelope.Row(row+"}"))
	require.NoError(t, err)
	const want = `{"00 unknown":"{\"a\":1}","01 bool":true,"02 int":1,"03 uint":"1","04 float":1.5,"05 decimal":"3.00","06 text":"12.5","07 bytes":"AQID",` +
		`"08 bits":"0101","09 uuid":"b68a35a7-17ad-35b3-af2a-ae46edb4545a","10 json":"{\"a\":1}","11 date":1,"12 time":1500000,"13 timetz":"00:00:01.5Z",` +
		`"14 timestamp":86400000000,"15 instant":86400000000,"16 duration":"PT1.5S","17 interval":"P1Y2M3DT4H5M6.78S","18 geometry":"AQID",` +
		`"19 list":"[1,null]","20 map":"{\"a\":1}","21 struct":"{\"A\":1,\"b\":\"1970-01-02\"}"}`
	assert.Equal(t, want, string(got))
	var all map[string]any
	require.NoError(t, json.Unmarshal(got, &all))
	assert.Equal(t, len(ways), len(slices.Collect(maps.Keys(all))))
}
