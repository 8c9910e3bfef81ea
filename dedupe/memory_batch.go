package dedupe

import (
	"math"
	"sync"

	"github.com/rowdelta/rowdelta/envelope"
)

// A stripe is a 32nd of the keys: some tables under one lock. There are fewer
// stripes than tables, so that a batch takes few locks and many keys under each,
// and yet a table is small, and to grow one takes a fraction of a millisecond.
type stripe struct {
	mu     sync.Mutex
	tables [1 << (tableBits - stripeBits)]markTable
	zero   envelope.Version // the mark of the hash 0, which stands for a free slot in a table
	_      [64]byte         // the next stripe's lock is in another line of the cache
}

const (
	stripeBits = 4
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
	t := s.table(hash)
	if slot := t.find(hash); slot >= 0 {
		return &t.versions[slot]
	}
	return nil
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
	hash uint64
	at   uint32 // the key's number in the call
	slot int32  // where its mark is, -1 for none; the stripe's number until it is looked for
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
	b.unsorted[at] = probe{hash, uint32(at), int32(stripe)}
	b.ends[stripe+1]++
}

// sort makes groups of the keys of one stripe.
func (b *probes) sort() {
	for i := 1; i < len(b.ends); i++ {
		b.ends[i] += b.ends[i-1]
	}
	// From here on ends[i] is where group i goes on, until it is where it ends.
	for _, p := range b.unsorted {
		b.sorted[b.ends[p.slot]] = p
		b.ends[p.slot]++
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

// A search finds the marks of some keys of one stripe at once. Where a key's line
// is, is known without reading it. So all lines are read before anything depends
// on what is there, and the processor waits for all of them together; to search for
// one key after another takes several times as long. The same goes for the few
// that have to go on to their next lines, and for the versions of what is found.
type search struct {
	at      [searchSize]slotAt
	marks   [searchSize]*envelope.Version
	pending [searchSize]uint8
	touched uint64
}

const searchSize = 64

// A slotAt is the first slot of a line.
type slotAt struct {
	line  *[tableLine]uint64
	table *markTable
	slot  int
}

// find sets the first marks to those of the keys, nil where there is none. They
// are valid until the next insertion.
func (f *search) find(s *stripe, keys []probe) {
	pending := f.pending[:0]
	for i := range keys {
		hash := keys[i].hash
		if hash == 0 {
			f.marks[i] = s.mark(0)
			continue
		}
		t := s.table(hash)
		slot := home(hash, len(t.tags))
		f.at[i] = slotAt{t.line(slot), t, slot}
		pending = append(pending, uint8(i))
	}
	for len(pending) > 0 {
		sum := uint64(0)
		for _, i := range pending {
			sum += f.at[i%searchSize].line[0]
		}
		f.touched += sum // or the compiler would leave the reading out
		next := pending[:0]
		for _, i := range pending {
			at := &f.at[i%searchSize]
			slot, more := find(at.line, keys[i].hash)
			switch {
			case slot >= 0:
				f.marks[i%searchSize] = &at.table.versions[at.slot+slot]
			case more:
				if at.slot += tableLine; at.slot == len(at.table.tags) {
					at.slot = 0
				}
				at.line = at.table.line(at.slot)
				next = append(next, i)
			default:
				f.marks[i%searchSize] = nil
			}
		}
		pending = next
	}
}

// load sets the versions of a group to its marks.
func (s *stripe) load(group []probe, versions []envelope.Version) {
	var f search
	s.mu.Lock()
	for len(group) > 0 {
		keys := group[:min(len(group), searchSize)]
		group = group[len(keys):]
		f.find(s, keys)
		for i := range keys {
			if v := f.marks[i]; v != nil {
				versions[keys[i].at] = *v
			} else {
				versions[keys[i].at] = envelope.Version{}
			}
		}
	}
	s.mu.Unlock()
}

// swap makes the swaps of a group, and appends to refused those that need room
// for a new key where there is none. They are neither done nor not done.
func (s *stripe) swap(m *memoryMarks, group []probe, swaps []Swap, limit int, refused []probe) []probe {
	var f search
	s.mu.Lock()
	for len(group) > 0 {
		keys := group[:min(len(group), searchSize)]
		group = group[len(keys):]
		f.find(s, keys)
		inserted := false
		for i, p := range keys {
			w, held := &swaps[p.at], f.marks[i]
			if inserted {
				held = s.mark(p.hash)
			}
			switch {
			case held != nil:
				if w.Done = *held == w.Old; w.Done {
					*held = w.New
				}
			case !w.Old.IsZero():
				w.Done = false
			case !m.reserve(limit):
				refused = append(refused, p)
			default:
				s.insert(p.hash, w.New)
				w.Done, inserted = true, true
			}
		}
	}
	s.mu.Unlock()
	return refused
}

// reserve counts a new key, or reports that limit is reached.
func (m *memoryMarks) reserve(limit int) bool {
	if limit <= 0 {
		limit = math.MaxInt
	}
	for {
		n := m.keys.Load()
		if n >= int64(limit) {
			return false
		}
		if m.keys.CompareAndSwap(n, n+1) {
			return true
		}
	}
}
