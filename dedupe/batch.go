package dedupe

import (
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/keyindex"
)

// A Batch is what a Filter found of some changes. It keeps their keys and
// versions, not the changes. It belongs to the caller and is used by one
// goroutine at a time.
type Batch struct {
	// Decisions are those on the changes given to Admit, in their order.
	Decisions []Decision

	// Stats counts the verdicts, and from Commit on what became of the marks.
	Stats Stats

	filter *Filter // nil once the batch is finished
	rows   *keyindex.Index
	marks  []mark       // by number in rows
	tables []tableMarks // in the order in which they come
	of     []place      // by change
	key    []byte
}

// Stats says what became of a batch.
type Stats struct {
	Verdicts [Failed + 1]int // by Verdict

	// Marks counts the marks that Commit raised.
	Marks int

	// Contended counts the marks that another writer moved between Admit and Commit:
	// rows that two writers had in flight at once. The mark is the newest of theirs,
	// but the sink may have the older row, unless it compares versions.
	Contended int
}

// Admitted returns the changes to apply, in their order: those of the changes
// given to Admit that are Newer, Tie, Late or Rowless.
func (b *Batch) Admitted(changes []envelope.Change) []envelope.Change {
	n := 0
	for v := Newer; v <= Rowless; v++ {
		n += b.Stats.Verdicts[v]
	}
	out := make([]envelope.Change, 0, n)
	for i, d := range b.Decisions {
		if d.Verdict.Admitted() {
			out = append(out, changes[i])
		}
	}
	return out
}

// A place says which mark a change is judged by.
type place struct{ table, row int }

// Values of place.row beside the number of a row.
const (
	noRow   = -1 // none: the decision is made
	allRows = -2 // the table's truncation
)

// tableMarks are what is known of a table as a whole.
type tableMarks struct {
	name      envelope.Table
	epoch     envelope.Version
	truncated mark
}

// gather finds the row of each change. It decides those that have none.
func (b *Batch) gather(changes []envelope.Change) {
	b.rows = keyindex.New(len(changes))
	b.of = slices.Grow(b.of[:0], len(changes))
	b.tables = b.tables[:0]
	numbers := map[envelope.Table]int{}
	table := noRow
	for i := range changes {
		c := &changes[i]
		effect := c.Effect()
		if effect == envelope.None {
			b.Decisions[i].Verdict = Rowless
			b.of = append(b.of, place{noRow, noRow})
			continue
		}
		if table == noRow || b.tables[table].name != c.Table {
			var known bool
			if table, known = numbers[c.Table]; !known {
				table = len(b.tables)
				numbers[c.Table] = table
				b.tables = append(b.tables, tableMarks{name: c.Table, epoch: b.filter.epoch(c.Table)})
			}
		}
		if effect == envelope.Truncate {
			b.of = append(b.of, place{table, allRows})
			continue
		}
		row, err := b.row(c, b.tables[table].epoch)
		if err != nil {
			b.Decisions[i] = Decision{Failed, err}
		}
		b.of = append(b.of, place{table, row})
	}
}

// row returns the number of a change's row.
func (b *Batch) row(c *envelope.Change, epoch envelope.Version) (int, error) {
	b.key = appendEpoch(b.key[:0], epoch)
	start := len(b.key)
	key, err := b.filter.appendKey(b.key, c)
	if err != nil {
		return noRow, err
	}
	if b.filter.Keys != nil {
		end := len(key)
		var moved bool
		if key, moved = b.filter.moves(key, start, c); moved {
			return noRow, ErrMoved
		}
		key = key[:end]
	}
	b.key = key
	n, _ := b.rows.Add(key)
	return n, nil
}

// judge decides what gather left open, in the order of arrival.
func (b *Batch) judge(changes []envelope.Change) {
	var forgotten int64
	store, forgets := b.filter.Store.(floor)
	if forgets {
		t := store.Floor()
		if forgets = !t.IsZero(); forgets {
			forgotten = t.UnixNano()
		}
	}
	for i := range changes {
		d, at := &b.Decisions[i], b.of[i]
		switch {
		case d.Verdict != Undecided:
		case at.row == allRows:
			m := &b.tables[at.table].truncated
			d.Verdict = m.judge(changes, i)
			if d.Verdict == Tie && m.from == inStore && !changes[i].Version.IsZero() {
				// Where positions are not unique, a truncate of one moment is taken for the same
				// one: to clear the table again would lose the rows that came after it.
				d.Verdict = Repeat
			}
		default:
			v := changes[i].Version
			if truncated := &b.tables[at.table].truncated.now; !v.IsZero() && v.Compare(*truncated) < 0 {
				d.Verdict = Stale
				break
			}
			m := &b.marks[at.row]
			unknown := forgets && m.now.IsZero()
			d.Verdict = m.judge(changes, i)
			if unknown && d.Verdict == Newer && v.Time().UnixNano() < forgotten {
				d.Verdict = Late
			}
		}
		b.Stats.Verdicts[d.Verdict]++
	}
}

func (b *Batch) finish() {
	*b = Batch{Decisions: b.Decisions, Stats: b.Stats}
}
