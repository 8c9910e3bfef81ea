package committest

import "github.com/rowdelta/rowdelta/iceberg"

// twice commits a delta, which must be one snapshot, and again, which must be none: at
// once, and as another process.
func (s *subject) twice(d *iceberg.Delta) {
	s.tb.Helper()
	before := s.snapshots()
	s.commit(d)
	if _, ok := s.sink.(Counter); ok && s.snapshots() != before+1 {
		s.tb.Fatalf("the delta up to %s is %d snapshots, want 1", d.To, s.snapshots()-before)
	}
	s.once(d)
	s.reopen()
	s.once(d)
}

func again(s *subject) {
	s.twice(s.delta(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"}))
	s.twice(s.delta(itemColumns, key(1), row{2, 21, "b"}, row{3, 30, "c"}))
	s.twice(s.delta(itemColumns, key(3)))
	s.twice(s.delta(itemColumns, nil))
	s.twice(s.delta("id! long; n long; more int |id", nil, row{4, 1 << 40, 1}))
	s.holds("id n note more", row{2, 21, "b", nil}, row{4, 1 << 40, nil, 1})
	// Rows that came since are not lost to the last one.
	last := s.delta(itemColumns, key(2), row{5, 50, "e"})
	s.twice(last)
	s.isAt(last.To)
}

func againTruncated(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"})
	s.twice(s.onlyTruncate())
	s.twice(truncated(s.delta(itemColumns, key(1), row{3, 30, "c"})))
	s.twice(truncated(s.delta(itemColumns, nil, row{3, 31, "c"}, row{4, 40, "d"})))
	s.twice(truncated(s.delta(itemColumns, nil)))
	s.twice(s.delta(itemColumns, nil, row{1, 10, "a"}))
	s.holds("id n note", row{1, 10, "a"})
}

// againMore has the deltas of one flush, of which the process ends after each.
func againMore(s *subject) {
	s.apply(itemColumns, nil, row{1, 1, "first"}, row{9, 9, "other"})
	from, to := position(s.at), position(s.at+1)
	flush := []*iceberg.Delta{
		s.delta(itemColumns, key(9), row{1, 10, "a"}, row{2, 20, "b"}),
		s.delta("id! long; n int; note string; more int |id", nil, row{1, 11, "a", 1}, row{9, 90, "i", 2}),
		truncated(s.delta("id! long; n int; note string; more long |id", key(1), row{2, 21, "b", 1})),
		s.delta("id! long; n int; note string; more long; most string |id", key(2), row{3, 30, "c", 1 << 40, "z"}),
	}
	for i, d := range flush {
		d.From, d.To, d.More = from, to, i < len(flush)-1
	}
	states := []string{s.state()}
	for i, d := range flush {
		for _, had := range flush[:i] {
			s.once(had)
		}
		s.commit(d)
		states = append(states, s.state())
		if d.More {
			s.isAt(from)
		}
		s.reopen()
	}
	for _, d := range flush {
		s.once(d)
	}
	s.isAt(to)
	s.holds("id n note more most", row{3, 30, "c", 1 << 40, "z"})
	seen := map[string]bool{}
	for i, state := range states {
		if seen[state] {
			s.tb.Fatalf("delta %d of %d was left out", i, len(flush))
		}
		seen[state] = true
	}
}

// againMoved has deltas that find another table when they come again: what they read of
// it is no longer there.
func againMoved(s *subject) {
	s.apply(itemColumns, nil, row{1, 10, "a"}, row{2, 20, "b"})
	s.twice(s.delta(itemColumns, key(1), row{3, 11, from{key: row{1, nil, nil}}}))
	s.twice(s.delta(itemColumns, key(3, 2), row{1, 12, from{key: row{3, nil, nil}}}))
	s.holds("id n note", row{1, 12, "a"})
}

func positions(s *subject) {
	s.isAt("")
	d := s.delta(itemColumns, nil, row{1, 10, "a"})
	d.More = true
	s.commit(d)
	s.isAt("")
	s.reopen()
	s.isAt("")
	next := s.delta(itemColumns, nil, row{2, 20, "b"})
	next.From, next.To = d.From, d.To
	s.commit(next)
	s.isAt(next.To)
	s.reopen()
	s.isAt(next.To)
	s.at = 7 // what is between was of other tables
	d = s.delta(itemColumns, nil, row{3, 30, "c"})
	d.More = true
	s.commit(d)
	s.isAt(next.To)
	s.reopen()
	last := s.delta(itemColumns, key(3))
	last.From, last.To = d.From, d.To
	s.commit(last)
	s.isAt(last.To)
	s.holds("id n note", row{1, 10, "a"}, row{2, 20, "b"})

	odd := s.on("public", "odd positions") // a position is any text
	for i, to := range []string{" ", "'; --", "9", "\\", "a b", `{"p":[1,"ä\n"]}`} {
		d := odd.delta(itemColumns, nil, row{i, i, "a"})
		d.From, d.To = odd.position(), to
		odd.commit(d)
		odd.isAt(to)
	}
}
