package dedupe

import (
	"sync"

	"github.com/rowdelta/rowdelta/envelope"
)

// A stripe is a quarter of the keys: some tables under one lock. There are few
// stripes, so that a batch finds many keys under each, to read all at once,
// and yet a table is small, and to grow one takes a fraction of a millisecond.
type stripe struct {
	mu     sync.Mutex
	tables [1 << (tableBits - stripeBits)]markTable
	zero   envelope.Version // the mark of the hash 0, which stands for a free slot in a table
	_      [64]byte         // the next stripe's lock is in another line of the cache
}

const (
	stripeBits = 2
	stripes    = 1 << stripeBits
)

func (s *stripe) table(hash uint64) *markTable {
	return &s.tables[hash>>(64-tableBits)%uint64(len(s.tables))]
}

// mark returns the mark of a hash, or nil. It is valid until the next insertion.
func (s *stripe) mark(hash uint64) *envelope.Version {
	if hash == 0 {
		if s.zero.IsZero() {
			return nil
		}
		return &s.zero
	}
	return s.table(hash).find(hash)
}

// insert adds a hash that has no mark.
func (s *stripe) insert(hash uint64, v envelope.Version) {
	if hash == 0 {
		s.zero = v
		return
	}
	s.table(hash).insert(hash, v)
}

// A probe is one key of a call.
type probe struct {
	hash   uint64
	at     uint32 // the key's number in the call
	stripe uint32 // number
}

// probes are the keys of one call, sorted by stripe. They hold none of its
// arguments.
type probes struct {
	unsorted, sorted []probe
	ends             [2*stripes + 1]uint32
}

var probesPool = sync.Pool{New: func() any { return new(probes) }}

// newProbes returns probes for n keys. They are put back into the pool.
func newProbes(n int) *probes {
	b := probesPool.Get().(*probes)
	if cap(b.sorted) < n {
		b.unsorted, b.sorted = make([]probe, n), make([]probe, n)
	}
	b.unsorted, b.sorted = b.unsorted[:n], b.sorted[:n]
	clear(b.ends[:])
	return b
}

// set says which hash and stripe a key has.
func (b *probes) set(at int, hash uint64, stripe int) {
	b.unsorted[at] = probe{hash, uint32(at), uint32(stripe)}
	b.ends[stripe+1]++
}

// sort makes groups of the keys of one stripe.
func (b *probes) sort() {
	for i := 1; i < len(b.ends); i++ {
		b.ends[i] += b.ends[i-1]
	}
	// From here on ends[i] is where group i goes on, until it is where it ends.
	for _, p := range b.unsorted {
		b.sorted[b.ends[p.stripe]] = p
		b.ends[p.stripe]++
	}
}

// group returns the keys of a stripe, which are sorted.
func (b *probes) group(stripe int) []probe {
	start := uint32(0)
	if stripe > 0 {
		start = b.ends[stripe-1]
	}
	return b.sorted[start:b.ends[stripe]]
}
