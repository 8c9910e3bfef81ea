package committest

import (
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rowdelta/rowdelta/iceberg"
)

const itemColumns = "id! long; n int; note string |id"

// key returns keys of items.
func key(ids ...int) []row {
	var out []row
	for _, id := range ids {
		out = append(out, row{id, nil, nil})
	}
	return out
}

func create(s *subject) {
	schema, err := s.sink.Schema(s.tb.Context(), s.table)
	if err != nil || schema != nil {
		s.tb.Fatalf("Schema of a table that is not there: %v, %v", schema, err)
	}
	s.isAt("")
	s.apply("ID! long; code! string; n int; day date; sum decimal(12,2) |ID code", nil, row{1, "a", 2, 3, 4})
	s.holds("ID code n day sum", row{1, "a", 2, 3, 4})
	want := columns("ID! long; code! string; n int; day date; sum decimal(12,2) |ID code")
	if diff := cmp.Diff(want, s.schema(), cmpopts.SortSlices(func(a, b string) bool { return a < b }), cmp.Comparer(func(a, b iceberg.Column) bool { return a == b })); diff != "" {
		s.tb.Fatal("Schema of a new table:", diff)
	}
	s.reopen()
	s.holds("code ID", row{"a", 1})
}

func insert(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, nil, nil}, row{3, 0, ""})
	s.holds("id n note", row{1, 10, "a"}, row{2, nil, nil}, row{3, 0, ""})
	s.apply(itemColumns, nil, row{4, 40, "d"}, row{-5, -50, "e"})
	s.holds("id n note", row{1, 10, "a"}, row{2, nil, nil}, row{3, 0, ""}, row{4, 40, "d"}, row{-5, -50, "e"})
}

func update(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"})
	s.apply(itemColumns, nil, row{2, 21, nil}, row{4, 40, "d"})
	s.holds("id n note", row{1, 10, "a"}, row{2, 21, nil}, row{3, 30, "c"}, row{4, 40, "d"})
	for n := range 5 { // what was updated once is updated again
		s.apply(itemColumns, nil, row{1, n, "a"}, row{2, n, "b"})
		s.holds("id n note", row{1, n, "a"}, row{2, n, "b"}, row{3, 30, "c"}, row{4, 40, "d"})
	}
	s.reopen()
	s.apply(itemColumns, nil, row{3, 31, "c"})
	s.holds("id n note", row{1, 4, "a"}, row{2, 4, "b"}, row{3, 31, "c"}, row{4, 40, "d"})
}

func deletes(s *subject) {
	s.apply(itemColumns, key(9)) // the first that the table hears of
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"}, row{4, 40, "d"})
	s.apply(itemColumns, key(2, 8))
	s.holds("id n note", row{1, 10, "a"}, row{3, 30, "c"}, row{4, 40, "d"})
	s.apply(itemColumns, key(3, 2), row{1, 11, "a"}, row{5, 50, "e"})
	s.holds("id n note", row{1, 11, "a"}, row{4, 40, "d"}, row{5, 50, "e"})
	s.apply(itemColumns, nil, row{2, 22, "b"}) // and there again
	s.holds("id n note", row{1, 11, "a"}, row{2, 22, "b"}, row{4, 40, "d"}, row{5, 50, "e"})
	s.apply(itemColumns, key(1, 2, 4, 5))
	s.holds("id n note")
	s.apply(itemColumns, nil, row{1, 12, "a"})
	s.holds("id n note", row{1, 12, "a"})
}

func changedKey(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"})
	s.apply(itemColumns, key(1), row{4, 10, "a"})
	s.holds("id n note", row{4, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"})
	s.apply(itemColumns, nil, row{2, 30, "c"}, row{3, 20, "b"}) // two swap theirs
	s.holds("id n note", row{4, 10, "a"}, row{2, 30, "c"}, row{3, 20, "b"})
	s.apply(itemColumns, key(4), row{1, 10, "a"}) // and back
	s.holds("id n note", row{1, 10, "a"}, row{2, 30, "c"}, row{3, 20, "b"})
}

// nothing has a delta that changes no row: the position goes on.
func nothing(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"})
	s.apply(itemColumns, nil)
	s.holds("id n note", row{1, 10, "a"})
	s.isAt(position(2))
	s.apply(itemColumns, key(5))
	s.holds("id n note", row{1, 10, "a"})
	s.isAt(position(3))
}

func tables(s *subject) {
	a, b, c := s.on("a", "items"), s.on("b", "items"), s.on("a", "others")
	c.at = 3
	a.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"})
	b.apply("id! string; at timestamptz |id", nil, row{"1", 10})
	c.apply("k! int; v double |k", nil, row{1, 1.5})
	a.apply(itemColumns, key(1), row{2, 21, "b"})
	b.apply("id! string; at timestamptz; more int |id", nil, row{"2", 20, 3})
	c.commit(truncated(&iceberg.Delta{Table: c.table, ID: "74", From: position(4), To: position(5)}))
	for range 2 {
		a.holds("id n note", row{2, 21, "b"})
		b.holds("id at more", row{"1", 10, nil}, row{"2", 20, 3})
		c.holds("k v")
		a.isAt(position(2))
		b.isAt(position(2))
		c.isAt(position(5))
		s.isAt("") // items of the schema public
		s.reopen()
		a.sink, b.sink, c.sink = s.sink, s.sink, s.sink
	}
}

// onlyTruncate is what a truncate alone is: it has no schema.
func (s *subject) onlyTruncate() *iceberg.Delta {
	s.at++
	return &iceberg.Delta{Table: s.table, ID: s.id("truncate"), From: position(s.at - 1), To: position(s.at), Truncated: true}
}

func truncate(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"})
	s.apply(itemColumns, nil, row{2, 21, "b"}, row{3, 30, "c"})
	s.commit(s.onlyTruncate())
	s.holds("id n note")
	s.isAt(position(3))
	s.commit(s.onlyTruncate()) // of what is empty
	s.holds("id n note")
	s.apply(itemColumns, key(1), row{2, 22, "b"})
	s.holds("id n note", row{2, 22, "b"})
	s.apply(itemColumns, nil, row{2, 23, "b"})
	s.holds("id n note", row{2, 23, "b"})
}

// truncateNothing has a truncate of a table that is not there. Whether its position is
// known is left open: there may be no table to keep it.
func truncateNothing(s *subject) {
	s.commit(s.onlyTruncate())
	if got := s.position(); got != "" && got != position(1) {
		s.tb.Fatalf("Position is %q, want none or %q", got, position(1))
	}
	s.commit(truncated(s.delta(itemColumns, key(3), row{1, 10, "a"})))
	s.holds("id n note", row{1, 10, "a"})
	s.isAt(position(2))
}

func truncateAndRows(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, "c"})
	s.commit(truncated(s.delta(itemColumns, key(4), row{2, 21, "b"}, row{5, 50, "e"})))
	s.holds("id n note", row{2, 21, "b"}, row{5, 50, "e"})
	s.apply(itemColumns, nil, row{5, 51, "e"})
	s.holds("id n note", row{2, 21, "b"}, row{5, 51, "e"})
	s.commit(truncated(s.delta(itemColumns, nil))) // rows were there, and are older
	s.holds("id n note")
	s.commit(truncated(s.delta(itemColumns, key(5))))
	s.holds("id n note")
	s.apply(itemColumns, nil, row{6, 60, "f"})
	s.commit(truncated(s.delta("id! long; n long; note string; more int |id", nil, row{6, 1 << 40, "f", 1}))) // and other columns
	s.holds("id n note more", row{6, 1 << 40, "f", 1})
	s.typed("n", "long")
}
