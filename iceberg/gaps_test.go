package iceberg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/stretchr/testify/require"
)

// change returns a change of items. at is its place in the log.
func change(op envelope.Op, at, id int, row string) *envelope.Change {
	c := &envelope.Change{Op: op, Table: items, Schema: itemSchema, Version: version(op, at), Key: envelope.Row(fmt.Sprintf(`{"ID":%d}`, id))}
	switch op {
	case envelope.OpTruncate:
		c.Key = nil
	case envelope.OpDelete:
	default:
		c.After = envelope.Row(row)
	}
	return c
}

const (
	create = envelope.OpCreate
	update = envelope.OpUpdate
	remove = envelope.OpDelete
	empty  = envelope.OpTruncate
)

func row(id, n int, big string) string {
	return fmt.Sprintf(`{"ID":%d,"n":%d,"big":%s,"blob":null}`, id, n, big)
}

const lacking = `"` + unsent + `"`

// show writes the rows of a delta, with what is not known of them.
func show(d *iceberg.Delta) string {
	var b strings.Builder
	if d.Truncated {
		b.WriteString("truncate; ")
	}
	fmt.Fprintf(&b, "delete %v;", d.Keys.Columns[0].Ints)
	gaps := map[int]iceberg.Gap{}
	for _, g := range d.Gaps {
		gaps[g.Row] = g
	}
	for i := range d.Rows.Len {
		fmt.Fprintf(&b, " %d=%s", d.Rows.Columns[0].Ints[i], d.Rows.Columns[2].Value(i))
		if g, ok := gaps[i]; ok {
			from := "nobody"
			if g.Key >= 0 {
				from = fmt.Sprint(d.Keys.Columns[0].Ints[g.Key])
			}
			fmt.Fprintf(&b, "?%v of %s", g.Columns, from)
			if g.Own {
				b.WriteString(" or its own")
			}
		}
	}
	return b.String()
}

func TestGaps(t *testing.T) {
	for _, tt := range []struct {
		name       string
		changes    []*envelope.Change
		disordered bool
		want       string
	}{
		{"from the table", []*envelope.Change{change(update, 1, 1, row(1, 1, lacking))}, false, "delete [1]; 1=?[2] of 1"},
		{"from before", []*envelope.Change{change(update, 1, 1, row(1, 1, `"a"`)), change(update, 2, 1, row(1, 2, lacking))}, false, "delete [1]; 1=a"},
		{"twice from the table", []*envelope.Change{change(update, 1, 1, row(1, 1, lacking)), change(update, 2, 1, row(1, 2, lacking))}, false, "delete [1]; 1=?[2] of 1"},
		{"from the old key", []*envelope.Change{change(remove, 1, 1, ""), change(create, 1, 2, row(2, 1, lacking))}, false, "delete [1 2]; 2=?[2] of 1 or its own"},
		{"from the old key, held", []*envelope.Change{change(update, 1, 1, row(1, 1, `"a"`)), change(remove, 2, 1, ""), change(create, 2, 2, row(2, 1, lacking))}, false, "delete [1 2]; 2=a"},
		{"over two keys", []*envelope.Change{change(remove, 1, 1, ""), change(create, 1, 2, row(2, 1, lacking)), change(remove, 2, 2, ""), change(create, 2, 3, row(3, 1, lacking))}, false, "delete [1 2 3]; 3=?[2] of 1 or its own"},
		{"the old key was taken", []*envelope.Change{change(remove, 1, 1, ""), change(create, 2, 1, row(1, 2, `"b"`)), change(create, 1, 2, row(2, 1, lacking))}, false, "delete [1 2]; 1=b 2=?[2] of nobody"},
		{"shown before", []*envelope.Change{change(update, 1, 2, row(2, 1, `"b"`)), change(remove, 2, 1, ""), change(create, 2, 2, row(2, 1, lacking))}, false, "delete [2 1]; 2=?[2] of 1 or its own"},
		{"shown before without it", []*envelope.Change{change(update, 1, 2, row(2, 1, lacking)), change(remove, 2, 1, ""), change(create, 2, 2, row(2, 1, lacking)), change(update, 3, 2, row(2, 2, lacking))}, false, "delete [2 1]; 2=?[2] of 1 or its own"},
		{"another row under the new key", []*envelope.Change{change(update, 1, 2, row(2, 1, `"b"`)), change(remove, 2, 2, ""), change(remove, 3, 1, ""), change(create, 3, 2, row(2, 1, lacking))}, false, "delete [2 1]; 2=?[2] of 1"},
		{"shown before, the old one without it", []*envelope.Change{change(update, 1, 1, row(1, 1, `null`)), change(remove, 2, 1, ""), change(create, 2, 2, row(2, 1, lacking))}, false, "delete [1 2]; 2=?[2] of 2"},
		{"shown before a truncate", []*envelope.Change{change(remove, 2, 1, ""), change(create, 2, 2, row(2, 1, lacking)), change(empty, 1, 0, "")}, false, "truncate; delete [1 2]; 2=?[2] of nobody"},
		{"the old key's values were truncated", []*envelope.Change{change(update, 1, 1, row(1, 1, `"a"`)), change(empty, 2, 0, ""), change(remove, 3, 1, ""), change(create, 3, 2, row(2, 1, lacking))}, false, "truncate; delete [1 2]; 2=?[2] of nobody"},
		{"no other half", []*envelope.Change{change(create, 1, 2, row(2, 1, lacking))}, false, "delete [2]; 2=?[2] of nobody"},
		{"null before it", []*envelope.Change{change(update, 1, 1, row(1, 1, `null`)), change(update, 2, 1, row(1, 2, lacking))}, false, "delete [1]; 1=?[2] of nobody"},
		{"deleted before it", []*envelope.Change{change(remove, 1, 1, ""), change(update, 2, 1, row(1, 2, lacking))}, false, "delete [1]; 1=?[2] of nobody"},
		{"held and deleted before it", []*envelope.Change{change(update, 1, 1, row(1, 1, `"a"`)), change(remove, 2, 1, ""), change(update, 3, 1, row(1, 2, lacking))}, false, "delete [1]; 1=?[2] of nobody"},
		{"truncated before it", []*envelope.Change{change(empty, 1, 0, ""), change(update, 2, 1, row(1, 2, lacking))}, false, "truncate; delete [1]; 1=?[2] of nobody"},
		{"truncated, and newer", []*envelope.Change{change(update, 3, 1, row(1, 2, lacking)), change(empty, 2, 0, "")}, false, "truncate; delete [1]; 1=?[2] of nobody"},
		{"disordered", []*envelope.Change{change(update, 1, 1, row(1, 1, lacking))}, true, "delete [1]; 1=?[2] of nobody"},
		{"not in the row", []*envelope.Change{change(update, 1, 1, `{"ID":1,"n":1}`)}, false, "delete [1]; 1=?[2 3] of 1"},
		{"not in a new row", []*envelope.Change{change(create, 1, 1, `{"ID":1,"n":1}`)}, false, "delete [1]; 1="},
		{"truncated", []*envelope.Change{change(update, 1, 1, row(1, 1, `"a"`)), change(update, 3, 2, row(2, 3, `"b"`)), change(empty, 2, 0, ""), change(update, 1, 3, row(3, 1, `"c"`))}, false, "truncate; delete [2]; 2=b"},
		{"stale", []*envelope.Change{change(update, 2, 1, row(1, 2, `"b"`)), change(update, 1, 1, row(1, 1, `"a"`)), change(remove, 1, 1, "")}, false, "delete [1]; 1=b"},
		{"deleted", []*envelope.Change{change(update, 2, 1, row(1, 2, `"b"`)), change(remove, 3, 1, "")}, false, "delete [1];"},
	} {
		b := iceberg.Builder{Disordered: tt.disordered}
		for _, c := range tt.changes {
			require.NoError(t, b.Add(c), tt.name)
		}
		deltas := b.Flush("1", "2")
		require.Len(t, deltas, 1, tt.name)
		require.Equal(t, tt.want, show(deltas[0]), tt.name)
	}
}

// A change that is repeated with a later clock is as new as that: what came between
// the two deliveries, from a server whose log is behind, is older.
func TestRepeatsKeepTheLaterClock(t *testing.T) {
	at := func(lsn, commitMS, clockMS int, big string) *envelope.Change {
		var d envelope.Debezium
		c := new(envelope.Change)
		record := fmt.Sprintf(`{"before":null,"after":%s,"op":"u","ts_ms":%d,"source":{"connector":"postgresql","db":"shop","schema":"public","table":"items","snapshot":"false","ts_ms":%d,"sequence":"[\"%d\",\"%d\"]","lsn":%d}}`,
			row(1, 1, big), clockMS, commitMS, lsn-1, lsn, lsn)
		require.NoError(t, d.Decode(c, []byte(record)))
		c.Schema, c.Key = itemSchema, envelope.Row(`{"ID":1}`)
		return c
	}
	var b iceberg.Builder
	require.NoError(t, b.Add(at(2000, 5000, 6000, `"kept"`)))
	require.NoError(t, b.Add(at(2000, 5000, 9000, `"kept"`)))  // again
	require.NoError(t, b.Add(at(1000, 7000, 8000, `"other"`))) // position and time contradict each other: the clock decides
	require.Equal(t, "delete [1]; 1=kept", show(b.Flush("", "")[0]))
}

// What cannot be used leaves the Builder as it was.
func TestAddFails(t *testing.T) {
	strict := &envelope.Schema{Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt}},
		{Name: "day", Type: envelope.Type{Kind: envelope.KindDate}, Optional: true},
		{Name: "must", Type: envelope.Type{Kind: envelope.KindText}},
	}}
	good := `{"id":1,"day":"2026-01-01","must":"m"}`
	for _, tt := range []struct {
		name, after, path, text string
		cause                   error
	}{
		{"null", `{"id":1,"day":null,"must":null}`, "/must", "", iceberg.ErrRequired},
		{"not in a new row", `{"id":1}`, "/must", "", iceberg.ErrRequired},
		{"infinity", `{"id":1,"day":"infinity","must":"secret"}`, "/day", "date into date: an infinity", envelope.ErrType},
		{"reference", `{"id":1,"day":null,"must":"__debezium:s3:ref:v1:secret|secret"}`, "/must", "", iceberg.ErrReference},
		{"unknown column", `{"id":1,"must":"m","secrets":1}`, "/secrets", "", iceberg.ErrUnknown},
		{"no key", `{"must":"m"}`, "/id", "", envelope.ErrMissing},
		{"another type", `{"id":"secret","must":"m"}`, "/id", "a string in place of int", envelope.ErrType},
	} {
		b := iceberg.Builder{Mappings: map[envelope.Table]iceberg.Mapping{items: {Key: []string{"id"}}}}
		require.NoError(t, b.Add(&envelope.Change{Op: create, Table: items, Schema: strict, Version: version(create, 1), After: envelope.Row(good)}))
		err := b.Add(&envelope.Change{Op: create, Table: items, Schema: strict, Version: version(create, 2), After: envelope.Row(tt.after)})
		var decode *envelope.DecodeError
		require.ErrorAs(t, err, &decode, tt.name)
		require.ErrorIs(t, err, tt.cause, tt.name)
		require.Equal(t, tt.path, decode.Path, tt.name)
		require.Contains(t, err.Error(), tt.text)
		require.NotContains(t, err.Error(), "secret|")
		require.True(t, envelope.IsPermanent(err))
		d := b.Flush("", "")
		require.Len(t, d, 1)
		require.Equal(t, 1, d[0].Rows.Len)
		require.Equal(t, "m", string(d[0].Rows.Columns[2].Value(0)))
		require.EqualValues(t, 20454, d[0].Rows.Columns[1].Ints[0])
	}
	b := iceberg.Builder{Mappings: map[envelope.Table]iceberg.Mapping{items: {Key: []string{"id"}, Misfit: iceberg.MisfitNull}}}
	require.NoError(t, b.Add(&envelope.Change{Op: create, Table: items, Schema: strict, After: envelope.Row(`{"id":1,"day":"infinity","must":"m"}`)}))
	require.True(t, b.Flush("", "")[0].Rows.Columns[1].Null[0])
}

func TestTablesThatCannotBe(t *testing.T) {
	column := func(name string, kind envelope.Kind) envelope.Field {
		return envelope.Field{Name: name, Type: envelope.Type{Kind: kind}}
	}
	id := column("id", envelope.KindInt)
	for _, tt := range []struct {
		fields  []envelope.Field
		mapping iceberg.Mapping
		column  string
		cause   error
	}{
		{[]envelope.Field{id}, iceberg.Mapping{}, "", iceberg.ErrNoKey},
		{[]envelope.Field{id}, iceberg.Mapping{Key: []string{"ID"}}, "ID", iceberg.ErrNoKey},
		{[]envelope.Field{column("f", envelope.KindFloat)}, iceberg.Mapping{Key: []string{"f"}}, "f", iceberg.ErrFloatKey},
		{[]envelope.Field{id, column("ID", envelope.KindInt)}, iceberg.Mapping{Key: []string{"id"}}, "ID", iceberg.ErrName},
		{[]envelope.Field{id, column("d", envelope.KindDate)}, iceberg.Mapping{Key: []string{"id"}, Types: map[string]string{"d": "uuid"}}, "d", iceberg.ErrType},
		{[]envelope.Field{id, column("d", envelope.KindDate)}, iceberg.Mapping{Key: []string{"id"}, Types: map[string]string{"d": "day"}}, "d", iceberg.ErrType},
		{[]envelope.Field{id, column("l", envelope.KindList)}, iceberg.Mapping{Key: []string{"id"}, Types: map[string]string{"l": "list<int>"}}, "l", iceberg.ErrType},
	} {
		_, err := tt.mapping.SchemaOf(items, &envelope.Schema{Fields: tt.fields})
		var wrong *iceberg.SchemaError
		require.ErrorAs(t, err, &wrong)
		require.ErrorIs(t, err, tt.cause)
		require.Equal(t, tt.column, wrong.Column)
		require.Equal(t, items, wrong.Table)
		require.Contains(t, err.Error(), "shop.public.items")
	}
	var b iceberg.Builder
	require.ErrorIs(t, b.Add(&envelope.Change{Op: create, Table: items, After: envelope.Row(`{}`)}), iceberg.ErrNoSchema)
	require.Empty(t, b.Flush("", ""))
	keep := iceberg.Mapping{KeepCase: true}
	s, err := keep.SchemaOf(items, itemSchema, "ID")
	require.NoError(t, err)
	require.Equal(t, []string{"ID"}, s.Key)
	require.Equal(t, iceberg.Column{Name: "ID", Type: icetype.Type{Kind: icetype.Long}, Required: true}, s.Columns[0])
	lower, err := new(iceberg.Mapping).SchemaOf(items, itemSchema, "ID")
	require.NoError(t, err)
	require.Equal(t, 0, lower.Index("id"))
	require.False(t, lower.Equal(s))
}

// Each type has its place in a Vector.
func TestVectors(t *testing.T) {
	typ := func(k envelope.Kind) envelope.Type { return envelope.Type{Kind: k} }
	wide := typ(envelope.KindDecimal)
	wide.Precision, wide.Scale = 38, 2
	fields := []struct {
		name, value string
		typ         envelope.Type
		want        any
	}{
		{"b", "true", typ(envelope.KindBool), int64(1)},
		{"i", "-7", typ(envelope.KindInt), int64(-7)},
		{"f", `"-Infinity"`, typ(envelope.KindFloat), "-Inf"},
		{"d", `"-1.5"`, wide, iceberg.Decimal{Hi: -1, Lo: 1<<64 - 150}},
		{"day", `"1969-12-31"`, typ(envelope.KindDate), int64(-1)},
		{"time", `"00:00:01"`, typ(envelope.KindTime), int64(1_000_000)},
		{"ts", `"1970-01-01T00:00:00.000001"`, typ(envelope.KindTimestamp), int64(1)},
		{"s", `"x\ny"`, typ(envelope.KindText), "x\ny"},
		{"u", `"00000000-0000-0000-0000-00000000ff01"`, typ(envelope.KindUUID), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x01"},
		{"raw", `"AP8="`, typ(envelope.KindBytes), "\x00\xff"},
		{"list", `[1,2]`, typ(envelope.KindList), "[1,2]"},
	}
	s := &envelope.Schema{Key: []string{"i"}}
	values, nulls := "", ""
	for i, f := range fields {
		s.Fields = append(s.Fields, envelope.Field{Name: f.name, Type: f.typ, Optional: true})
		if i > 0 {
			values, nulls = values+",", nulls+","
		}
		values, nulls = values+fmt.Sprintf("%q:%s", f.name, f.value), nulls+fmt.Sprintf("%q:null", f.name)
	}
	var b iceberg.Builder
	for i, r := range []string{values, nulls} {
		require.NoError(t, b.Add(&envelope.Change{Op: create, Table: items, Schema: s, Version: version(create, i), After: envelope.Row("{" + r + "}")}))
	}
	d := b.Flush("a", "b")[0]
	require.Equal(t, 2, d.Rows.Len)
	require.Equal(t, 2, d.Keys.Len)
	require.Equal(t, []bool{false, true}, d.Keys.Columns[1].Null)
	require.Nil(t, d.Keys.Columns[0].Null)
	for i, f := range fields {
		v := &d.Rows.Columns[i]
		require.Equal(t, []bool{false, true}, v.Null, f.name)
		var got any
		switch {
		case v.Ends != nil:
			got = string(v.Value(0))
			require.Empty(t, v.Value(1))
		case v.Decimals != nil:
			got = v.Decimals[0]
		case v.Floats != nil:
			got = fmt.Sprint(v.Floats[0])
		default:
			got = v.Ints[0]
		}
		require.Equal(t, f.want, got, f.name)
	}
}

func TestFlush(t *testing.T) {
	other := items
	other.Name = "other"
	wider := &envelope.Schema{Fields: append(itemSchema.Fields[:len(itemSchema.Fields):len(itemSchema.Fields)], envelope.Field{Name: "more", Type: envelope.Type{Kind: envelope.KindInt}, Optional: true})}
	same := &envelope.Schema{Fields: itemSchema.Fields}
	add := func() []*iceberg.Delta {
		var b iceberg.Builder
		for i, s := range []*envelope.Schema{itemSchema, same, nil, wider, wider} {
			c := change(create, i+1, i+1, row(i+1, 1, `"a"`))
			c.Schema = s
			require.NoError(t, b.Add(c))
		}
		c := change(create, 9, 1, row(1, 1, `"a"`))
		c.Table = other
		require.NoError(t, b.Add(c))
		require.Equal(t, 6, b.Len())
		return b.Flush("10", "16")
	}
	deltas, again := add(), add()
	require.Len(t, deltas, 3)
	ids := map[string]bool{}
	for i, want := range []string{"delete [1 2 3]; 1=a 2=a 3=a", "delete [4 5]; 4=a 5=a", "delete [1]; 1=a"} {
		require.Equal(t, want, show(deltas[i]))
		require.Equal(t, "10", deltas[i].From)
		require.Equal(t, "16", deltas[i].To)
		require.Equal(t, deltas[i].ID, again[i].ID)
		ids[deltas[i].ID] = true
	}
	require.Len(t, ids, 3)
	require.Len(t, deltas[1].Schema.Columns, 5)
	require.Equal(t, other, deltas[2].Table)

	full := iceberg.Builder{MaxRows: 2}
	require.NoError(t, full.Add(change(create, 1, 1, row(1, 1, `"a"`))))
	require.NoError(t, full.Add(change(create, 2, 2, row(2, 1, `"a"`))))
	require.ErrorIs(t, full.Add(change(create, 3, 3, row(3, 1, `"a"`))), iceberg.ErrFull)
	require.Len(t, full.Flush("", ""), 1)
	require.NoError(t, full.Add(change(create, 3, 3, row(3, 1, `"a"`))))
	small := iceberg.Builder{MaxBytes: 1000}
	var err error
	for i := 1; err == nil && i < 100; i++ {
		err = small.Add(change(update, i, 1, row(1, i, `"`+strings.Repeat("x", 100)+`"`)))
	}
	require.True(t, errors.Is(err, iceberg.ErrFull))
}

// A delete is known by the transport's key, which a router may have added to, or by the
// image before it.
func TestDeletesByKey(t *testing.T) {
	for _, c := range []envelope.Change{
		{Key: envelope.Row(`{"ID":1,"__dbz__physicalTableIdentifier":"t"}`)},
		{Key: envelope.Row(`{"other":1}`), Before: envelope.Row(`{"ID":1,"n":null,"big":null,"blob":null}`)},
		{Before: envelope.Row(`{"ID":1}`)},
	} {
		b := iceberg.Builder{Mappings: map[envelope.Table]iceberg.Mapping{{Schema: "public", Name: "items"}: {Key: []string{"ID"}}}}
		c.Op, c.Table, c.Schema = remove, items, itemSchema
		require.NoError(t, b.Add(&c))
		require.Equal(t, "delete [1];", show(b.Flush("", "")[0]))
	}
	b := iceberg.Builder{Schemas: map[envelope.Table]*envelope.Schema{items: itemSchema}}
	require.ErrorIs(t, b.Add(&envelope.Change{Op: remove, Table: items, Key: envelope.Row(`{"ID":1}`), Before: nil}), nil)
	require.ErrorIs(t, b.Add(&envelope.Change{Op: remove, Table: items, Before: envelope.Row(`{"n":1}`)}), envelope.ErrMissing)
	require.ErrorIs(t, b.Add(&envelope.Change{Op: remove, Table: items, Before: envelope.Row(`{"ID":"` + unsent + `"}`)}), envelope.ErrMissing)
	require.NoError(t, b.Add(&envelope.Change{Op: envelope.OpHeartbeat}))
	require.Equal(t, "delete [1];", show(b.Flush("", "")[0]))
}

// A null is kept by an update that says nothing of the column; a placeholder stands for a
// value that is there, so that a null before it tells of a missing change, unless the
// Builder itself made it one.
func TestNullBeforeGap(t *testing.T) {
	for _, tt := range []struct {
		name        string
		op          envelope.Op
		first, then string
		misfit      iceberg.Misfit
		gaps        []iceberg.Gap
	}{
		{"nothing is said", create, `{"ID":1,"n":1,"big":null}`, `{"ID":1,"n":2}`, 0, nil},
		{"a placeholder", create, `{"ID":1,"n":1,"big":null}`, `{"ID":1,"n":2,"big":` + lacking + `}`, 0, []iceberg.Gap{{Row: 0, Columns: []int{2}, Key: -1}}},
		{"a misfit", create, `{"ID":1,"n":1,"big":null}`, `{"ID":1,"n":2,"big":` + lacking + `}`, iceberg.MisfitNull, nil},
		{"only then", update, `{"ID":1,"n":1}`, `{"ID":1,"n":2}`, 0, []iceberg.Gap{{Row: 0, Columns: []int{2, 3}, Key: 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := iceberg.Builder{Mappings: map[envelope.Table]iceberg.Mapping{items: {Misfit: tt.misfit}}}
			require.NoError(t, b.Add(change(tt.op, 1, 1, tt.first)))
			require.NoError(t, b.Add(change(update, 2, 1, tt.then)))
			d := b.Flush("", "")[0]
			require.Equal(t, tt.gaps, d.Gaps)
			require.True(t, d.Rows.Columns[2].Null[0])
		})
	}
}
