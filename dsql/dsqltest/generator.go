package dsqltest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// Limits of the service, in bytes. The kibibyte is for the members of a
// fragment around its data.
const (
	serviceSplitAt       = 9 << 20
	serviceFragmentBytes = 10<<20 - 1<<10
)

// A Generator describes a stream. Its zero value gives a hundred transactions
// without large rows and without repeats; in each number zero means the
// default. It is a plain value, and safe for concurrent use.
type Generator struct {
	Seed uint64

	// What happens in the database.

	Transactions   int    // default 100
	PerTransaction int    // rows that one transaction changes, at most; default 6
	Rows           int    // rows that each table has, at most; default 12: few, so that each changes often
	NoPrimaryKey   bool   // there is also a table without a primary key
	Cluster        string // the cluster's identifier; default "dsqltestdsqltestdsqltest26"

	// What is large.

	Large      float64 // share of the written rows that have a large column, 0 to 1; default 0
	LargeBytes int     // about the size of a large column; default half as much again as SplitAt, 500 at least
	LargeKeys  bool    // a quarter of the rows of public.documents have a key of LargeBytes: their deletes are large too

	// How records are written.

	// SplitAt is the size of a serialised record in bytes above which its images
	// are cut, the larger one first, and the other if that was not enough.
	// Default 9 MiB, as in the service. At 1 every image is cut.
	SplitAt int
	// FragmentBytes is the size of a fragment's data, at most: in bytes between
	// the quotes, as spelled in the record. By default it keeps fragments just
	// below 10 MiB. A fragment has one character at least.
	FragmentBytes int
	// Before gives updates the row as it was in before. The service leaves it
	// null, but its format has room for a record with two images.
	Before  bool
	Preview bool // as before general availability: the op of an update is "c"
	Untyped bool // full records have no type

	// How records are delivered.

	Shards   int // how many there are at first; default 4
	Reshards int // how often one is split into two, or two merged into one; default 0
	// Lag is the longest time from a commit to a record's first delivery, and
	// from there to each repeat; at most a year. The default is four times that
	// from the first commit to the last, which leaves little of the order; a
	// microsecond leaves almost all.
	Lag time.Duration
	// Repeats is how often a full record, main record or fragment is delivered
	// again, on average; at most 100. Half of the repeats of records that say when
	// they were processed say that it was later.
	Repeats float64
}

// Stream generates the stream. It holds all of it in memory, large columns
// several times. The error says which field makes no sense.
func (g Generator) Stream() (*Stream, error) {
	if err := g.complete(); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(g.Seed, 0x6473716c)) // the stream of a seed is not that of a test's own PCG
	m := newModel(r, &g)
	changes := m.run()
	s := &Stream{
		Keys:  map[envelope.Table][]string{},
		Truth: map[envelope.Table]map[string]envelope.Row{},
	}
	if g.Lag == 0 {
		g.Lag = 4*time.Duration(changes[len(changes)-1].commit-changes[0].commit) + time.Second
	}
	d := delivery{r: r, g: &g}
	for i := range changes {
		s.Whole = append(s.Whole, d.add(i, &changes[i]))
	}
	s.Shards = d.scatter()
	m.describe(s)
	return s, nil
}

// complete sets the defaults.
func (g *Generator) complete() error {
	for _, f := range []struct {
		name      string
		n         *int
		otherwise int
	}{
		{"Transactions", &g.Transactions, 100},
		{"PerTransaction", &g.PerTransaction, 6},
		{"Rows", &g.Rows, 12},
		{"Shards", &g.Shards, 4},
		{"Reshards", &g.Reshards, 0},
		{"SplitAt", &g.SplitAt, serviceSplitAt},
		{"FragmentBytes", &g.FragmentBytes, serviceFragmentBytes},
		{"LargeBytes", &g.LargeBytes, 0},
	} {
		if *f.n < 0 {
			return fmt.Errorf("dsqltest: negative %s", f.name)
		}
		if *f.n == 0 {
			*f.n = f.otherwise
		}
	}
	if g.LargeBytes == 0 {
		g.LargeBytes = max(500, g.SplitAt+g.SplitAt/2)
	}
	if g.Cluster == "" {
		g.Cluster = "dsqltestdsqltestdsqltest26"
	}
	switch {
	case g.Lag < 0 || g.Lag > 365*24*time.Hour:
		return fmt.Errorf("dsqltest: Lag is not between 0 and a year")
	case !(g.Large >= 0 && g.Large <= 1):
		return fmt.Errorf("dsqltest: Large is not between 0 and 1")
	case !(g.Repeats >= 0 && g.Repeats <= 100):
		return fmt.Errorf("dsqltest: Repeats is not between 0 and 100")
	}
	return nil
}
