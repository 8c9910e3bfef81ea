package committest

import (
	"context"
	"errors"

	"github.com/rowdelta/rowdelta/iceberg"
)

const wideColumns = "id! long; n int; a string; b binary; c decimal(12,2); f double |id"

func wideKeys(ids ...int) []row {
	var out []row
	for _, id := range ids {
		out = append(out, row{id, nil, nil, nil, nil, nil})
	}
	return out
}

// of is a value that the row with an id has.
func of(id int) from { return from{key: row{id, nil, nil, nil, nil, nil}} }

// gaps has values that the source did not send.
func gaps(s *subject) {
	s.apply(wideColumns, nil, row{1, 10, "a", "\x01", 100, 0.5}, row{2, 20, "b", nil, nil, nil}, row{3, 30, "", "", 0, 0.0})
	s.apply(wideColumns, nil,
		row{1, 11, of(1), of(1), of(1), of(1)}, // whose places in the delta are not those in the table
		row{4, 40, "d", "\x04", 400, 4.5},
		row{3, 31, of(3), "\x03", of(3), 3.5},
		row{2, 21, of(2), of(2), 200, of(2)})
	const names = "id n a b c f"
	s.holds(names, row{1, 11, "a", "\x01", 100, 0.5}, row{2, 21, "b", nil, 200, nil}, row{3, 31, "", "\x03", 0, 3.5}, row{4, 40, "d", "\x04", 400, 4.5})
	s.reopen()
	// Under a changed key, over others' former ones, and twice of one row.
	s.apply(wideColumns, wideKeys(1),
		row{5, 50, of(1), of(1), of(1), of(1)},
		row{2, 22, of(3), of(3), of(3), of(3)},
		row{3, 32, of(2), of(2), of(2), of(2)},
		row{4, 41, of(4), "\x05", nil, of(4)})
	s.holds(names, row{5, 50, "a", "\x01", 100, 0.5}, row{2, 22, "", "\x03", 0, 3.5}, row{3, 32, "b", nil, 200, nil}, row{4, 41, "d", "\x05", nil, 4.5})
	for n := range 4 { // what was taken is taken again
		s.apply(wideColumns, nil, row{5, n, of(5), of(5), of(5), of(5)})
	}
	s.holds(names, row{5, 3, "a", "\x01", 100, 0.5}, row{2, 22, "", "\x03", 0, 3.5}, row{3, 32, "b", nil, 200, nil}, row{4, 41, "d", "\x05", nil, 4.5})
	// Many, from many.
	many := s.on("public", "many")
	var rows, next []row
	for i := range 2000 {
		rows = append(rows, row{i, i, string(rune('a' + i%26)), nil, i, float64(i)})
		next = append(next, row{i, -i, of(i), nil, of(i), float64(i)})
	}
	many.apply(wideColumns, nil, rows...)
	many.apply(wideColumns, nil, next...)
	for i := range next {
		next[i] = row{i, -i, rows[i][2], nil, i, float64(i)}
	}
	many.holds(names, next...)
}

// gapsOfKeys has gaps in tables whose keys are several columns, or may be null.
func gapsOfKeys(s *subject) {
	const schema = "v string; k binary; l! int; n int |l k"
	at := func(k any, l int) from { return from{key: row{nil, k, l, nil}} }
	s.apply(schema, nil, row{"a", nil, 1, 1}, row{"b", "", 1, 2}, row{"c", "\x00", 1, 3}, row{"d", nil, 2, 4})
	s.apply(schema, []row{{nil, nil, 2, nil}}, row{at(nil, 1), nil, 1, 10}, row{at("", 1), "", 1, 20}, row{at(nil, 2), nil, 3, 40})
	s.holds("v k l n", row{"a", nil, 1, 10}, row{"b", "", 1, 20}, row{"c", "\x00", 1, 3}, row{"d", nil, 3, 40})
	for i, k := range kinds {
		if k.typ == "float" || k.typ == "double" {
			continue
		}
		t := s.on("public", "gaps"+string(rune('a'+i)))
		schema := "k " + k.typ + "; n int; v string |k"
		rows := []row{{nil, 0, "null"}}
		next := []row{{nil, 0, from{key: row{nil, nil, nil}}}}
		for n, value := range k.values {
			rows = append(rows, row{value, n, "v" + string(rune('a'+n))})
			next = append(next, row{value, -n, from{key: row{value, nil, nil}}})
		}
		t.apply(schema, nil, rows...)
		t.apply(schema, nil, next...)
		for n := range rows {
			next[n][2] = rows[n][2]
		}
		t.holds("k n v", next...)
	}
}

// gapsWidened has gaps in columns whose type changes with the delta, and beside columns
// that the delta brings or no longer has.
func gapsWidened(s *subject) {
	s.apply("id! long; n int; f float; d decimal(9,2); gone! string |id", nil, row{1, -7, 0.5, -100, "x"}, row{2, nil, nil, nil, "y"})
	at := func(id int) from { return from{key: row{id, nil, nil, nil, nil}} }
	s.apply("id! long; n long; new int; f double; d decimal(20,2) |id", nil, row{1, at(1), 1, at(1), at(1)}, row{2, at(2), 2, at(2), at(2)}, row{3, int64(1) << 40, 3, 1e300, 3})
	s.holds("id n f d new gone", row{1, -7, 0.5, -100, 1, nil}, row{2, nil, nil, nil, 2, nil}, row{3, int64(1) << 40, 1e300, 3, 3, nil})
	// The table's type is the wider one.
	s.apply("id! long; n int; new int; f float; d decimal(9,2) |id", nil, row{1, at(1), 2, at(1), at(1)}, row{3, at(3), 4, at(3), at(3)})
	s.holds("id n f d new", row{1, -7, 0.5, -100, 2}, row{2, nil, nil, nil, 2}, row{3, int64(1) << 40, 1e300, 3, 4})
}

// gapsUnknown has gaps that nothing fills.
func gapsUnknown(s *subject) {
	refused := func(d *iceberg.Delta, rows int) {
		s.tb.Helper()
		err := s.refuses(d, iceberg.ErrGap)
		e, ok := errors.AsType[*iceberg.GapError](err)
		if !ok || e.Table != s.table || e.Rows != rows || e.Column != "note" {
			s.tb.Fatalf("Commit: %#v; want a GapError of %d rows of %s, of column note", err, rows, s.table)
		}
		s.reopen()
	}
	at := func(id int) from { return from{key: row{id, nil, nil}} }
	none := from{}
	refused(s.delta(itemColumns, nil, row{1, 10, at(1)}), 1) // there is no table
	s.apply(itemColumns, nil, row{1, 10, secret}, row{2, 20, "b"})
	refused(s.delta(itemColumns, nil, row{2, 21, at(2)}, row{3, 30, at(3)}), 1)
	refused(s.delta(itemColumns, key(2, 4), row{1, 11, none}, row{3, 30, at(4)}, row{5, 50, at(2)}), 2)
	refused(truncated(s.delta(itemColumns, key(2), row{1, 11, none})), 1)
	refused(s.delta("id! long; n long; note string; more int |id", nil, row{1, 11, secret, 1}, row{2, 21, none, 2}), 1) // the new column is not added either
	refused(s.delta("id! long; n int; note string |id", nil, row{2, 21, secret}, row{8, 80, at(8)}), 1)
	s.apply(itemColumns, key(1))
	refused(s.delta(itemColumns, nil, row{1, 12, at(1)}), 1) // it is there no longer
	s.commit(s.onlyTruncate())
	refused(s.delta(itemColumns, nil, row{2, 22, at(2)}), 1)
	s.apply(itemColumns, nil, row{2, 23, "bb"})
	s.apply(itemColumns, nil, row{2, 24, at(2)})
	s.holds("id n note", row{2, 24, "bb"})
}

// gapsOwn has changes of keys that come once more after a snapshot that showed them.
func gapsOwn(s *subject) {
	at := func(id int) from { return from{key: row{id, nil, nil}, own: true} }
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}, row{3, 30, nil})
	s.apply(itemColumns, key(5), row{2, 21, at(5)})                       // there is none: its own
	s.apply(itemColumns, key(1, 6), row{3, 31, at(1)}, row{4, 40, at(1)}) // there is one
	s.holds("id n note", row{2, 21, "b"}, row{3, 31, "a"}, row{4, 40, "a"})
	s.refuses(s.delta(itemColumns, key(5, 6), row{2, 22, at(6)}, row{7, 70, at(5)}), iceberg.ErrGap)
	s.apply(itemColumns, key(5, 2), row{3, 32, at(5)}, row{8, 80, at(2)})
	s.holds("id n note", row{3, 32, "a"}, row{4, 40, "a"}, row{8, 80, "b"})
}

// cancelled has calls whose context is over.
func cancelled(s *subject) {
	for i, d := range []*iceberg.Delta{
		s.delta(itemColumns, nil, row{1, 10, secret}, row{2, 20, "b"}),
		s.delta(itemColumns, key(2), row{1, 11, from{key: row{1, nil, nil}}}, row{3, 30, "c"}),
		s.delta("id! long; n long; note string |id", nil, row{3, 31, secret}),
		s.delta("id! long; n long; note string |id", nil, row{3, 32, from{key: row{3, nil, nil}}}),
		s.onlyTruncate(),
		s.delta("id! long; n long; note string |id", nil, row{4, 40, "d"}),
	} {
		ctx, cancel := context.WithCancel(s.tb.Context())
		cancel()
		before := s.state()
		err := s.try(ctx, d)
		switch {
		case err == nil:
			s.isAt(d.To)
		case !errors.Is(err, context.Canceled) || errors.Is(err, iceberg.ErrGap):
			s.tb.Fatalf("Commit %d with a cancelled context: %v; want none or one that wraps context.Canceled alone", i, err)
		default:
			discreet(s.tb, err)
			if after := s.state(); after != before && i > 0 {
				s.isAt(d.To) // it is done, and said so too late
			}
		}
		if i%2 == 0 {
			s.reopen()
		}
		s.commit(d)
		s.once(d)
		s.isAt(d.To)
		if i == 3 {
			s.holds("id n note", row{1, 11, secret}, row{3, 32, secret})
		}
		if _, err := s.sink.Position(ctx, s.table); err != nil && !errors.Is(err, context.Canceled) {
			s.tb.Fatalf("Position with a cancelled context: %v", err)
		}
	}
	s.holds("id n note", row{4, 40, "d"})
}
