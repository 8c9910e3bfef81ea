package committest

import (
	"fmt"
	"math"
	"strings"

	"github.com/rowdelta/rowdelta/iceberg"
)

// A kind is a type with values of it: the extremes, and what is easily lost.
type kind struct {
	typ    string
	values []any
}

var (
	most     = iceberg.Decimal{Hi: 0x4b3b4ca85a86c47a, Lo: 0x098a223fffffffff} // 38 nines
	least    = iceberg.Decimal{Hi: ^0x4b3b4ca85a86c47a, Lo: 0xf675ddc000000001}
	allBytes = string(func() (b []byte) {
		for i := range 256 {
			b = append(b, byte(i))
		}
		return b
	}())
)

// The ends of timestamps are those of package icetype.
const (
	lastMicro  = (math.MaxInt64/1_000_000-1)*1_000_000 + 999_999
	lastNano   = (math.MaxInt64/1_000_000_000-1)*1_000_000_000 + 999_999_999
	firstMicro = -(math.MaxInt64/1_000_000 - 1) * 1_000_000
	firstNano  = -(math.MaxInt64/1_000_000_000 - 1) * 1_000_000_000
)

var kinds = []kind{
	{"boolean", []any{0, 1}},
	{"int", []any{math.MinInt32, -1, 0, 1, math.MaxInt32}},
	{"long", []any{int64(math.MinInt64), int64(math.MinInt32) - 1, -1, 0, int64(1)<<53 + 1, int64(math.MaxInt64)}},
	{"float", []any{0.0, math.Copysign(0, -1), 1.5, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, math.Inf(1), math.Inf(-1), math.NaN()}},
	{"double", []any{0.0, math.Copysign(0, -1), 0.1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN()}},
	{"decimal(1,0)", []any{-9, 0, 9}},
	{"decimal(9,2)", []any{-999_999_999, -1, 0, 1, 999_999_999}},
	{"decimal(18,18)", []any{-999_999_999_999_999_999, 0, 999_999_999_999_999_999}},
	{"decimal(20,0)", []any{iceberg.Decimal{Lo: math.MaxUint64}, iceberg.Decimal{Hi: -1, Lo: 0}, iceberg.Decimal{Hi: -1, Lo: 1}, 0, -1}},
	{"decimal(38,10)", []any{most, least, 0, 1, -1, iceberg.Decimal{Hi: 1}, iceberg.Decimal{Hi: -1}, iceberg.Decimal{Hi: math.MinInt32}}},
	{"date", []any{math.MinInt32, -719_162, -1, 0, 1, 20_454, math.MaxInt32}},
	{"time", []any{0, 1, 86_399_999_999}},
	{"timestamp", []any{int64(firstMicro), -1, 0, 1, int64(lastMicro)}},
	{"timestamptz", []any{int64(firstMicro), -1, 0, 1, int64(lastMicro)}},
	{"timestamp_ns", []any{int64(firstNano), -1, 0, 1, int64(lastNano)}},
	{"timestamptz_ns", []any{int64(firstNano), -1, 0, 1, int64(lastNano)}},
	{"string", []any{"", " ", "a", "A", "null", "\x00", "a\x00b", "Käse 😀\u2028", "é", "e\u0301", "\ufffd\U0010ffff", strings.Repeat("long ", 100)}},
	{"uuid", []any{strings.Repeat("\x00", 16), strings.Repeat("\xff", 16), "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"}},
	{"fixed[1]", []any{"\x00", "\xff", "a"}},
	{"fixed[5]", []any{"\x00\x00\x00\x00\x00", "\xff\xfe\x00\x80\x7f", "abcde"}},
	{"binary", []any{"", "\x00", "\xff", "\x00\x00", allBytes}},
}

// types has each value of each type, and a null, beside values of all others.
func types(s *subject) {
	schema, names := "id! long", "id"
	longest := 0
	for i, k := range kinds {
		schema += fmt.Sprintf("; c%d %s", i, k.typ)
		names += fmt.Sprintf(" c%d", i)
		longest = max(longest, len(k.values))
	}
	schema += " |id"
	at := func(id, shift int) row {
		r := row{id}
		for _, k := range kinds {
			if n := (id + shift) % (longest + 1); n < len(k.values) {
				r = append(r, k.values[n])
			} else {
				r = append(r, nil)
			}
		}
		return r
	}
	var rows []row
	for id := range longest + 1 {
		rows = append(rows, at(id, 0))
	}
	s.apply(schema, nil, rows...)
	s.holds(names, rows...)
	for i, k := range kinds {
		s.typed(fmt.Sprintf("c%d", i), k.typ)
	}
	var others []row // all rows again, each with another one's values
	for id := range longest + 1 {
		others = append(others, at(id, 1))
	}
	s.apply(schema, nil, others...)
	s.holds(names, others...)
	nulls := make(row, len(kinds)+1)
	nulls[0] = 0
	s.apply(schema, []row{append(row{1}, nulls[1:]...)}, nulls) // and a column of nulls alone
	s.holds(names, append([]row{nulls}, others[2:]...)...)
}

// keys has a table for each type that a key can have, and that may be null in it.
func keys(s *subject) {
	for i, k := range kinds {
		if k.typ == "float" || k.typ == "double" {
			continue
		}
		for null, required := range []string{"!", ""} {
			if required == "!" && i%4 != 2 {
				continue // of what is never null, some will do
			}
			t := s.on("public", fmt.Sprintf("keys%d%d", i, null))
			schema := fmt.Sprintf("n int; k%s %s; s string |k", required, k.typ)
			values := k.values
			if required == "" {
				values = append([]any{nil}, values...)
			}
			var rows []row
			for n, value := range values {
				rows = append(rows, row{n, value, "a"})
			}
			t.apply(schema, nil, rows...)
			t.holds("n k s", rows...)
			rows[0] = row{100, values[0], "b"}
			t.apply(schema, []row{rows[len(rows)-1]}, rows[0])
			rows = rows[:len(rows)-1]
			t.holds("n k s", rows...)
			t.apply(schema, []row{rows[0]})
			t.holds("n k s", rows[1:]...)
		}
	}
}

// wideKey has a key of several columns, of which some may be null, in another order than
// the table's. Keys that look alike when they are put together are not the same.
func wideKey(s *subject) {
	const schema = "n int; a string; b string; c! long; d binary |c b a d"
	rows := []row{
		{1, "x", "yz", 1, nil}, {2, "xy", "z", 1, nil}, {3, "", "xyz", 1, nil}, {4, nil, "xyz", 1, nil}, {5, "xyz", nil, 1, nil},
		{6, "xyz", "", 1, nil}, {7, nil, nil, 1, nil}, {8, "x", "yz", 2, nil}, {9, "x", "yz", 1, ""}, {10, "x", "yz", 1, "\x00"}, {11, "x\x00", "yz", 1, nil},
	}
	s.apply(schema, nil, rows...)
	names := "n a b c d"
	s.holds(names, rows...)
	for len(rows) > 0 {
		var removed []row
		if len(rows) > 1 {
			rows[1] = append(row{100 + rows[1][0].(int)}, rows[1][1:]...)
			removed = rows[1:2]
		}
		s.apply(schema, rows[:1], removed...)
		rows = rows[1:]
		s.holds(names, rows...)
	}
}

func text(s *subject) {
	long := strings.Repeat("Käse ", 1<<17)
	rows := []row{{1, 1, ""}, {2, 2, nil}, {3, 3, "\x00"}, {4, 4, long}, {5, 5, long[:1<<19] + "x"}, {6, 6, " "}, {7, 7, "null"}}
	s.apply(itemColumns, nil, rows...)
	s.holds("id n note", rows...)
	rows[0][2], rows[1][2] = nil, "" // what is empty becomes null, and what is null empty
	s.apply(itemColumns, nil, rows[:2]...)
	s.holds("id n note", rows...)
	names := s.on("public", "names") // of columns
	names.apply("id! long; order int; sum(x) int; ä string; a-b int; a.b int; 1 int; B int |id", nil, row{1, 2, 3, "x", 4, 5, 6, 7})
	names.apply("id! long; order int; sum(x) int; ä string; a-b int; a.b int; 1 int; B int |id", nil, row{1, 3, 4, "y", 5, 6, 7, 8})
	names.holds("id order sum(x) ä a-b a.b 1 B", row{1, 3, 4, "y", 5, 6, 7, 8})
}

func wide(s *subject) {
	schema, names := "id! long", "id"
	first, second := row{1}, row{2}
	for i := range 300 {
		schema += fmt.Sprintf("; column_%d %s", i, []string{"string", "long", "decimal(12,2)"}[i%3])
		names += fmt.Sprintf(" column_%d", i)
		first = append(first, []any{fmt.Sprint(i), i, -i}[i%3])
		second = append(second, []any{nil, -i, nil}[i%3])
	}
	s.apply(schema+" |id", nil, first, second)
	s.holds(names, first, second)
	second[300] = 7
	s.apply(schema+" |id", []row{first}, second)
	s.holds(names, second)
}

func large(s *subject) {
	const n = 10_000
	var rows []row
	for i := range n {
		rows = append(rows, row{i * 7919 % n, i, fmt.Sprintf("note %d of many", i)})
	}
	s.apply(itemColumns, nil, rows...)
	s.holds("id n note", rows...)
	var gone, changed, left []row
	for i, r := range rows {
		switch {
		case i%3 == 0:
			gone = append(gone, r)
			continue
		case i%3 == 1:
			r = row{r[0], -i, nil}
			changed = append(changed, r)
		}
		left = append(left, r)
	}
	s.apply(itemColumns, gone, changed...)
	s.holds("id n note", left...)
	s.apply(itemColumns, left[:5000])
	s.holds("id n note", left[5000:]...)
}
