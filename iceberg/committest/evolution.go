package committest

import (
	"errors"

	"github.com/rowdelta/rowdelta/iceberg"
)

func addColumn(s *subject) {
	s.apply("id! long; n int |id", nil, row{1, 10}, row{2, 20})
	s.apply("id! long; n int; a string; b! decimal(9,2) |id", nil, row{2, 21, "x", 100}, row{3, 30, nil, 200})
	s.holds("id n a b", row{1, 10, nil, nil}, row{2, 21, "x", 100}, row{3, 30, nil, 200})
	s.typed("a", "string")
	s.typed("b", "decimal(9,2)") // of the rows that were there it is null
	s.apply("id! long; a string; c timestamptz; n int; b! decimal(9,2) |id", key3(1, 5), row{4, "y", 7, 40, 300})
	s.holds("id n a b c", row{2, 21, "x", 100, nil}, row{3, 30, nil, 200, nil}, row{4, 40, "y", 300, 7})
}

// key3 returns keys of rows of five columns.
func key3(ids ...int) []row {
	var out []row
	for _, id := range ids {
		out = append(out, row{id, nil, nil, nil, nil})
	}
	return out
}

func widen(s *subject) {
	s.apply("id! long; n int; f float; d decimal(9,2); m! int |id", nil,
		row{1, -1 << 31, 1.5, -999_999_999, 1}, row{2, nil, nil, nil, 2}, row{3, 1<<31 - 1, -0.25, 999_999_999, 3})
	big := iceberg.Decimal{Hi: 1 << 60, Lo: 7}
	s.apply("id! long; n long; f double; d decimal(38,2); m! long |id", nil, row{2, int64(1) << 40, 1e300, big, int64(1) << 50}, row{4, -int64(1) << 63, 0.1, 1, 4})
	s.typed("n", "long")
	s.typed("f", "double")
	s.typed("d", "decimal(38,2)")
	s.typed("m", "long!")
	want := []row{{1, -1 << 31, 1.5, -999_999_999, 1}, {2, int64(1) << 40, 1e300, big, int64(1) << 50}, {3, 1<<31 - 1, -0.25, 999_999_999, 3}, {4, -int64(1) << 63, 0.1, 1, 4}}
	s.holds("id n f d m", want...)
	s.reopen()
	s.apply("id! long; n long; f double; d decimal(38,2); m! long |id", key3(3), row{1, 5, 0.5, 5, 5})
	s.holds("id n f d m", row{1, 5, 0.5, 5, 5}, want[1], want[3])
}

// narrower has a delta whose types the table's hold. They stay.
func narrower(s *subject) {
	s.apply("id! long; n long; f double; d decimal(38,2) |id", nil, row{1, int64(1) << 40, 0.1, 1})
	s.apply("id! int; n int; f float; d decimal(9,2) |id", nil, row{2, -2, 0.5, -2})
	s.apply("id! int; n int; f float; d decimal(9,2) |id", nil, row{1, -1, 1.5, -1})
	s.holds("id n f d", row{1, -1, 1.5, -1}, row{2, -2, 0.5, -2})
	for name, want := range map[string]string{"id": "long!", "n": "long", "f": "double", "d": "decimal(38,2)"} {
		s.typed(name, want)
	}
}

func relax(s *subject) {
	s.apply("id! long; n! int; note! string |id", nil, row{1, 10, "a"})
	s.typed("n", "int!")
	s.apply("id! long; n int; note string |id", nil, row{2, nil, nil})
	s.typed("n", "int")
	s.apply("id! long; n! int; note! string |id", nil, row{3, 30, "c"}) // never required again
	s.holds("id n note", row{1, 10, "a"}, row{2, nil, nil}, row{3, 30, "c"})
	s.apply("id long; n! int; note! string |id", nil, row{nil, 40, "d"}) // the key as well
	s.typed("id", "long")
	s.apply("id long; n! int; note! string |id", []row{{1, nil, nil}}, row{nil, 41, "d"})
	s.apply("id! long; n! int; note! string |id", nil, row{3, 31, "c"})
	s.holds("id n note", row{nil, 41, "d"}, row{2, nil, nil}, row{3, 31, "c"})
}

func dropped(s *subject) {
	s.apply("id! long; n! int; note string |id", nil, row{1, 10, "a"}, row{2, 20, "b"})
	s.apply("id! long |id", nil, row{2}, row{3})
	s.holds("id n note", row{1, 10, "a"}, row{2, nil, nil}, row{3, nil, nil})
	s.apply("id! long; n! int; note string |id", nil, row{3, 30, "c"}) // and there again
	s.holds("id n note", row{1, 10, "a"}, row{2, nil, nil}, row{3, 30, "c"})
}

func reordered(s *subject) {
	s.apply("a! int; b! string; c int; d string |a b", nil, row{1, "k", 3, "x"}, row{2, "l", 4, "y"})
	s.apply("d string; c int; b! string; a! int |b a", []row{{nil, nil, "l", 2}}, row{"z", 5, "m", 6}, row{"xx", 33, "k", 1})
	s.holds("a b c d", row{1, "k", 33, "xx"}, row{6, "m", 5, "z"})
}

// widenKey has a key that becomes a long while the table has rows of which it is an int.
// None of them may come back.
func widenKey(s *subject) {
	s.apply("id! int; n int; note string |id", nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"}, row{4, 40, "d"})
	s.apply("id! int; n int; note string |id", key(4), row{3, 31, "c"}, row{5, 50, "e"})
	widened := s.delta("id! long; n int; note string |id", key(2), row{1, 11, "a"}, row{int64(1) << 40, 60, "f"}, row{3, 32, from{key: row{3, nil, nil}}})
	s.commit(widened)
	s.once(widened)
	s.typed("id", "long!")
	s.holds("id n note", row{1, 11, "a"}, row{3, 32, "c"}, row{5, 50, "e"}, row{int64(1) << 40, 60, "f"})
	s.reopen()
	s.apply("id! long; n int; note string |id", key(1), row{5, 51, "e"}, row{int64(1) << 40, 61, "f"})
	s.holds("id n note", row{3, 32, "c"}, row{5, 51, "e"}, row{int64(1) << 40, 61, "f"})
	s.apply("id! long; n int; note string |id", key(3), row{6, 52, from{key: row{3, nil, nil}}})
	s.holds("id n note", row{5, 51, "e"}, row{6, 52, "c"}, row{int64(1) << 40, 61, "f"})
	s.apply("id! int; n int; note string |id", key(5, 6)) // as it was
	s.holds("id n note", row{int64(1) << 40, 61, "f"})

	// Of a key that may be null, no part of the table's schema tells that it is one.
	other := s.on("public", "nullable")
	other.apply("a int; b! string; n int |a b", nil, row{1, "x", 10}, row{nil, "x", 20}, row{3, "y", 30})
	other.apply("a long; b! string; n int |a b", []row{{3, "y", nil}}, row{1, "x", 11}, row{nil, "x", 21})
	other.holds("a b n", row{1, "x", 11}, row{nil, "x", 21})
	other.apply("a long; b! string; n int |a b", []row{{1, "x", nil}}, row{nil, "x", 22})
	other.holds("a b n", row{nil, "x", 22})
}

func widenDecimalKey(s *subject) {
	s.apply("id! decimal(9,2); n int; note string |id", nil, row{-1, 10, "a"}, row{200, 20, "b"}, row{300, 30, "c"})
	big := iceberg.Decimal{Hi: 1 << 60, Lo: 7}
	s.apply("id! decimal(38,2); n int; note string |id", key(200), row{-1, 11, "a"}, row{big, 40, "d"})
	s.typed("id", "decimal(38,2)!")
	s.holds("id n note", row{-1, 11, "a"}, row{300, 30, "c"}, row{big, 40, "d"})
	s.apply("id! decimal(38,2); n int; note string |id", key(-1), row{300, 31, "c"}, row{big, 41, "d"})
	s.holds("id n note", row{300, 31, "c"}, row{big, 41, "d"})
}

// incompatible has deltas that the table's columns cannot hold.
func incompatible(s *subject) {
	s.apply("id! long; n int; note string |id", nil, row{1, 10, secret}, row{2, 20, "b"})
	for _, d := range []*iceberg.Delta{
		s.delta("id! long; n string; note string |id", key(1), row{2, secret, "b"}),
		truncated(s.delta("id! long; n double; note string |id", key(1), row{2, 0.5, secret})),
		s.delta("id! string; n int; note string |id", nil, row{secret, 1, "b"}),
		s.delta("id! long; n int; note int; more int |id", nil, row{2, 1, 1, 1}), // the new column is not added either
		s.delta("id! long; n int; note string; k! int |id k", []row{{1, nil, nil, 1}}, row{2, 1, secret, 1}),
		s.delta("n int; note string; other! long |other", nil, row{1, secret, 7}),
	} {
		err := s.refuses(d, map[bool]error{true: iceberg.ErrIncompatible, false: iceberg.ErrKey}[len(d.Schema.Key) == 1 && d.Schema.Key[0] == "id"])
		if e, ok := errors.AsType[*iceberg.SchemaError](err); !ok || e.Table != s.table {
			s.tb.Fatalf("Commit: %#v; want a SchemaError that names the table", err)
		}
		s.reopen()
	}
	s.apply("id! long; n int; note string |id", key(1), row{2, 21, "b"})
	s.holds("id n note", row{2, 21, "b"})
}
