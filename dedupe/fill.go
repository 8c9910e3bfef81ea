package dedupe

import "github.com/rowdelta/rowdelta/envelope"

// final returns a change with its columns filled.
func (b *compaction) final(i int) Final {
	f := Final{Change: b.changes[i], Index: i, Origin: none}
	if f.Effect() != envelope.Upsert {
		return f
	}
	p := b.Placeholder
	if p == nil {
		p = defaultPlaceholder
	}
	if _, lacks := p.Column(f.After); !lacks {
		return f
	}
	if left := b.fill(&f, p, f.Before); left > 0 {
		f.Origin = b.fillFromOlder(&f, p)
	}
	for col, err := range f.After.Columns() {
		if err == nil && p.Is(col.Value) {
			f.Unavailable = append(f.Unavailable, string(col.AppendName(nil)))
		}
	}
	return f
}

// fill fills the columns that older has and returns how many are left.
func (b *compaction) fill(f *Final, p *envelope.Placeholder, older envelope.Row) (left int) {
	f.After, left = p.Fill(nil, f.After, older)
	return left
}

// fillFromOlder fills columns from the older states of the row, from the youngest
// on, until none is left. It returns the change whose row has the columns from
// before the batch, or none: the oldest one that is applied, since the table has
// what is not.
//
// A state that arrived behind the change is left out: it is repeated, as after a
// restart, and what came between the two may be in an earlier batch, and its
// repeat in a later one. Of what arrived before the change nothing is missing.
func (b *compaction) fillFromOlder(f *Final, p *envelope.Placeholder) (origin int) {
	at := f.Index
	if b.Disordered {
		if b.changes[at].Op == envelope.OpCreate || b.previous[at] != none {
			return none
		}
		return at
	}
	applied := true       // all down to at
	for range b.changes { // counted: versions can form a circle
		older, before := b.older(at, f.Index)
		if applied {
			origin = before
			applied = b.isApplied(older)
		}
		if older == none {
			return origin
		}
		c := &b.changes[older]
		if c.Effect() != envelope.Upsert || contradicts(p, f.After, c.After) {
			return none // the row was not there before, or something between is missing
		}
		if b.fill(f, p, c.After) == 0 || b.fill(f, p, c.Before) == 0 {
			return none
		}
		at = older
	}
	return none
}

// isApplied reports whether change i is, or a delivery of it that came before. Such
// stands behind it in the chain.
func (b *compaction) isApplied(i int) bool {
	for j := i; j != none && (j == i || b.changes[j].Version.Repeats(b.changes[i].Version)); j = b.previous[j] {
		if b.applied[j] {
			return true
		}
	}
	return false
}

// contradicts reports whether older has a null in a column of which row has the
// placeholder. A placeholder stands for an unchanged value that is there, so that
// a change between the two is missing.
func contradicts(p *envelope.Placeholder, row, older envelope.Row) bool {
	for col, err := range row.Columns() {
		if err != nil || !p.Is(col.Value) {
			continue
		}
		if v, ok := older.Get(string(col.AppendName(nil))); ok && v.IsNull() {
			return true
		}
	}
	return false
}

// older returns the change that left the row as it was before change i, among
// those that arrived before change end. If there is none in the batch, before is
// the change whose key the row had then: that of a create's other half, since the
// row goes on under the old key, or i; or none, if no row was there.
func (b *compaction) older(i, end int) (older, before int) {
	before = i
	if b.changes[i].Op == envelope.OpCreate {
		for before = b.otherHalf(i); before != none && before > end; {
			later := before
			if before = b.previous[later]; before != none && !b.changes[before].Version.Repeats(b.changes[later].Version) {
				before = none
			}
		}
		if before == none {
			return none, none
		}
	}
	older = b.previous[before]
	for older != none && (older > end || b.changes[older].Version.Repeats(b.changes[before].Version)) {
		older = b.previous[older]
	}
	if t := b.truncated(i); t != none && (older == none || !b.supersedes(older, t)) {
		return none, none
	}
	return older, before
}

// A halfOf is what the two halves of a changed key have in common.
type halfOf struct {
	table envelope.Table
	place envelope.Version
}

// halves are the changes at one place of a table: of the row that was deleted and
// of the one that was made. Either is none, or unclear if there are several: some
// sources give all changes of a transaction one place.
type halves [2]int

const unclear = -2

func half(c *envelope.Change) int {
	if c.Effect() == envelope.Delete {
		return 0
	}
	return 1
}

// otherHalf returns the delete of the old key that belongs to a create, or none.
func (b *compaction) otherHalf(i int) int {
	if b.halves == nil {
		b.halves = map[halfOf]halves{}
		for j := range b.changes {
			b.addHalf(j)
		}
	}
	place, ok := b.changes[i].Version.Place()
	h, found := b.halves[halfOf{b.changes[i].Table, place}]
	if !ok || !found || h[0] < 0 || h[1] < 0 {
		return none
	}
	return h[0]
}

func (b *compaction) addHalf(i int) {
	c := &b.changes[i]
	place, ok := c.Version.Place()
	if !ok || b.row[i] == none {
		return
	}
	at := halfOf{c.Table, place}
	h, found := b.halves[at]
	if !found {
		h = halves{none, none}
	}
	if other := &h[half(c)]; *other == none || *other >= 0 && b.row[*other] == b.row[i] {
		*other = i
	} else {
		*other = unclear
	}
	b.halves[at] = h
}
