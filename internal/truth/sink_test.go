package truth_test

import (
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A sink is a table that takes final changes and knows nothing of their history.
type sink struct {
	feed        *feed
	rows        []held // by number
	placeholder *envelope.Placeholder

	// compares says that a truncate clears only the rows that are older than it, by
	// the versions that the sink keeps. Where changes come in no order a row that was
	// made after a truncate may come before it, and nothing that judges one batch
	// after the other can hold the truncate back.
	compares bool

	// merges says that columns which a final change does not have come from the row
	// that the table has.
	merges bool
}

type held struct {
	after   envelope.Row // nil if there is no row
	version envelope.Version
}

func (s *sink) clear() { s.rows = make([]held, len(s.feed.rows)) }

// A portion is a batch of a delivery.
type portion struct {
	changes []envelope.Change
	of      []int // in the feed
}

// apply applies final changes of a portion.
func (s *sink) apply(finals []dedupe.Final, p portion) {
	after := make([]envelope.Row, len(finals))
	for i := range finals { // from the table as it is before the portion
		after[i] = s.complete(&finals[i], p)
	}
	for i := range finals {
		f := &finals[i]
		switch f.Effect() {
		case envelope.Truncate:
			for _, row := range s.feed.ofTable[f.Table] {
				if !s.compares || s.rows[row].version.Compare(f.Version) < 0 {
					s.rows[row] = held{}
				}
			}
		case envelope.Delete:
			s.rows[s.feed.row[p.of[f.Index]]] = held{}
		default:
			s.rows[s.feed.row[p.of[f.Index]]] = held{after[i], f.Version}
		}
	}
}

// complete returns the row that a final change leaves, as far as the table has
// the columns that the change does not have. After a crash the table may be beyond
// the state that is wanted: then it has them only if it has this very change.
func (s *sink) complete(f *dedupe.Final, p portion) envelope.Row {
	if !s.merges || len(f.Unavailable) == 0 {
		return f.After
	}
	from := s.rows[s.feed.row[p.of[f.Index]]]
	if from.version != f.Version {
		if f.Origin < 0 {
			return f.After
		}
		from = s.rows[s.feed.row[p.of[f.Origin]]]
		if from.version.Compare(p.changes[f.Origin].Version) >= 0 {
			return f.After
		}
	}
	if from.after == nil {
		return f.After
	}
	after, _ := s.placeholder.Fill(nil, f.After, from.after)
	return after
}
