package truth_test

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// A feed is everything that a capture delivers, as a Filter gets it: changes of
// rows, truncates, tombstones, heartbeats and what else there is.
type feed struct {
	*history
	all     []envelope.Change
	row     []int                    // by change: its row's number in the history, or none
	id      []string                 // by change: tells it from others of its row, repeats have it again; "" if nothing does
	ofTable map[envelope.Table][]int // the rows of each table
}

const none = -1

// feed makes the capture's feed once.
func (c *capture) feed(t *testing.T) *feed {
	t.Helper()
	if c.fed != nil {
		return c.fed
	}
	n := len(c.records)
	f := &feed{history: c.history(t), all: make([]envelope.Change, n), row: make([]int, n), id: make([]string, n),
		ofTable: map[envelope.Table][]int{}}
	decoderOf := c.decoders(envelope.ByPosition)
	known := make([]bool, len(f.rows))
	rest := f.changes
	for i, r := range c.records {
		f.row[i] = none
		if len(rest) > 0 && rest[0].line == i+1 {
			one := &rest[0]
			rest = rest[1:]
			f.all[i], f.row[i] = one.Change, one.row
			if !known[one.row] {
				known[one.row] = true
				f.ofTable[one.Table] = append(f.ofTable[one.Table], one.row)
			}
		} else if err := decoderOf(r.Topic).DecodeKeyed(&f.all[i], r.Key, r.Value); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if source := c.meanings[i].source; source != nil && c.placed() {
			f.id[i] = f.all[i].Op.String() + string(source)
		}
	}
	c.fed = f
	return f
}

// A row is what a change is of: one row of a table, or, where the number is none,
// the table as a whole.
type row struct {
	table  envelope.Table
	number int
}

// An identity tells a change from all others. Repeats have it again.
type identity struct {
	row
	id string
}

// identity reports false for what is no row's, or has no key.
func (f *feed) identity(i int) (identity, bool) {
	effect := f.all[i].Effect()
	return identity{row{f.all[i].Table, f.row[i]}, f.id[i]},
		effect == envelope.Truncate || effect != envelope.None && f.row[i] != none
}

// A delivery is a feed in some order, with repeats: the numbers of its changes,
// and the changes one behind the other as a Filter wants them.
type delivery struct {
	of      []int
	changes []envelope.Change
}

func (d *delivery) fill(f *feed) {
	d.changes = d.changes[:0]
	for _, i := range d.of {
		d.changes = append(d.changes, f.all[i])
	}
}

// inOrder sets d to the feed as it was delivered.
func (d *delivery) inOrder(f *feed) {
	d.of = d.of[:0]
	for i := range f.all {
		d.of = append(d.of, i)
	}
	d.fill(f)
}

// twice adds a third of the changes again, some of them more often, at the end.
func (d *delivery) twice(f *feed, random *rand.Rand) {
	d.of = d.of[:0]
	for i := range f.all {
		d.of = append(d.of, i)
	}
	for range len(f.all) / 3 {
		d.of = append(d.of, random.IntN(len(f.all)))
	}
}

// shuffle sets d to the feed with a third of its changes twice, in one of several
// kinds of disorder.
func (d *delivery) shuffle(f *feed, kind int, random *rand.Rand) {
	d.twice(f, random)
	switch kind % 4 {
	case 0: // pieces change their places; what is repeated is a piece too
		var pieces [][]int
		for rest := d.of; len(rest) > 0; {
			cut := min(len(rest), 1+random.IntN(1+len(d.of)/8))
			pieces, rest = append(pieces, rest[:cut]), rest[cut:]
		}
		random.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		d.of = slices.Concat(pieces...)
	case 1: // the newest first, more or less
		d.displace(40, random)
		slices.Reverse(d.of)
	default:
		random.Shuffle(len(d.of), func(i, j int) { d.of[i], d.of[j] = d.of[j], d.of[i] })
	}
	d.fill(f)
}

// displace puts the changes in delivered order, but each some places behind its
// own, fewer than far.
func (d *delivery) displace(far int, random *rand.Rand) {
	slices.Sort(d.of)
	at := make([][2]int, len(d.of)) // place and change
	for i, change := range d.of {
		at[i] = [2]int{i + random.IntN(far), change}
	}
	slices.SortFunc(at, func(x, y [2]int) int { return slices.Compare(x[:], y[:]) })
	for i := range at {
		d.of[i] = at[i][1]
	}
}

// byTime makes the newest ts_ns win: the versions are the commit times, and
// nothing else. What has no time has no version.
func (d *delivery) byTime() {
	for i := range d.changes {
		c := &d.changes[i]
		if c.Version = (envelope.Version{}); c.Time != 0 {
			c.Version = envelope.TimeVersion(c.Time)
		}
	}
}

// randomOf returns a generator whose seed is the variant's name.
func (c *capture) randomOf(stream uint64) *rand.Rand {
	seed := fnv.New64a()
	seed.Write([]byte(c.String()))
	return rand.New(rand.NewPCG(seed.Sum64(), stream))
}
