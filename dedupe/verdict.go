package dedupe

import "github.com/rowdelta/rowdelta/envelope"

// A Verdict says how a change relates to what the sink has and to the changes
// before it in its batch.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota
	Newer             // newer than all that is known of its row
	Tie               // neither older nor newer, and not known to be the same change: arrival orders them
	Late              // nothing is known of its row, and the store has forgotten marks as young as this: it may be stale
	Rowless           // not a change of rows: a tombstone, heartbeat, transaction boundary, …
	Repeat            // the newest change of its row, or truncate of its table, delivered again
	Stale             // older than what is known of its row, or repeated from before that
	Failed            // not judged, see Decision.Err
)

var verdictNames = [...]string{"undecided", "newer", "tie", "late", "rowless", "repeat", "stale", "failed"}

// String returns the verdict's name, lower case.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Admitted reports whether the change is to be applied: what is neither Repeat,
// Stale nor Failed.
func (v Verdict) Admitted() bool { return v >= Newer && v <= Rowless }

// A Decision is the verdict on one change. Err is the cause of Failed, a
// permanent error ([envelope.IsPermanent]) or [ErrMoved], and holds no row data.
type Decision struct {
	Verdict Verdict
	Err     error
}

// A mark is what is known of a row, or of a table's truncation, on the way
// through a batch.
type mark struct {
	held envelope.Version // the store's
	now  envelope.Version
	from int // the change of the batch that now is of, or inStore
}

// Values of mark.from beside the number of a change.
const (
	inStore = -1 // now is the store's
	unsure  = -2 // and another change may have its position
)

// judge compares a change with the mark and raises it. It is the whole rule:
// Compare decides, and nothing else.
func (m *mark) judge(changes []envelope.Change, i int) Verdict {
	c := &changes[i]
	repeat := c.Version.Repeats(m.now) && (m.from == inStore || m.from >= 0 && sameImages(c, &changes[m.from]))
	verdict := m.raise(c.Version)
	if verdict == Newer {
		m.from = i
	}
	if repeat { // even where its later connector time has raised the mark
		return Repeat
	}
	return verdict
}

// raise compares a version with the mark, and keeps it if it is newer. One that
// knows nothing says nothing about its order, and so nothing about others'.
func (m *mark) raise(v envelope.Version) Verdict {
	if v.IsZero() {
		return Tie
	}
	switch order := v.Compare(m.now); {
	case order > 0:
		m.now = v
		return Newer
	case order < 0:
		return Stale
	}
	return Tie
}

// sameImages reports whether two changes that look like one by their position
// are. Compressed MySQL transactions may give several changes one position; what
// differs is not a repeat.
func sameImages(a, b *envelope.Change) bool {
	return a.Op == b.Op && string(a.Before) == string(b.Before) && string(a.After) == string(b.After)
}
