package dedupe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// Memory is a Store in this process's memory. The zero Memory is ready to use, by
// several goroutines at once. Its methods ignore their context: they never wait
// but for each other. The fields must not change after the first call.
//
// It takes 45 to 50 bytes for each key of a large table, whatever the key's
// length, and the garbage collector does not look into them. Calls with many keys
// take much less time for each than calls with one.
//
// Keys are held by a hash of 64 bits with a random seed. Two keys with
// one hash share a mark, and a change of one row can then be dropped as stale
// because of the other's. That this happens to any of n keys has a probability of
// n²/2⁶⁵: 0.0003 % for 10 million keys, 3 % for a billion. Nobody can make it happen
// who does not know the seed. Where it must not happen, Exact rules it out for
// integer keys, and the stores that outlive the process do not go by this hash.
//
// The marks end with the process unless they are saved; see [Memory.Save]. What
// then is delivered again is admitted again.
type Memory struct {
	// Exact holds keys of exactly eight bytes as they are, such as those of
	// [IntegerKey], without any collision. Other keys are still held by hash and
	// do not meet these.
	Exact bool

	// MaxKeys bounds the number of keys; 0 or less means no bound. Where it is
	// reached, an eighth of the marks is evicted, or as many as a call needs if that
	// is more: the ones with the oldest commit times ([envelope.Version.Time]), and
	// none but those that are older by more than Keep than the newest one, be that
	// held or about to be. If there are none, Swap returns ErrFull.
	//
	// What was evicted is not known any more: an older change of the row that comes
	// late would be admitted. A Filter says so with Late; see Floor. Eviction reads
	// all marks twice, in some 30 ns each. Other calls go on meanwhile, and only
	// the Swap that needs room waits.
	//
	// A time far in the future, such as a wrong clock leaves, ends the protection by
	// Keep for as long as its mark is there. But it does not empty the store: no more
	// are evicted for it, and the oldest first. Marks with the latest time that there
	// is, math.MaxInt64 ns, are never evicted and do not count as newest: a Filter has
	// such for tables as a whole.
	MaxKeys int
	Keep    time.Duration

	state atomic.Pointer[memoryMarks]
}

// ErrFull says that a Memory has MaxKeys keys, and that the marks which may be
// evicted do not make room for all new ones of a call. It is not permanent. Some of
// the swaps may have been made, and no mark is lost but by eviction.
var ErrFull = errors.New("dedupe: no room for another key")

var errNoMark = errors.New("dedupe: a swap to the zero Version")

// memoryMarks are all marks of a Memory.
type memoryMarks struct {
	exact    bool
	seed     [16]byte
	hash     *hasher // of seed
	stripes  []stripe
	keys     atomic.Int64
	floor    atomic.Int64 // in ns; math.MinInt64 for none
	evicting sync.Mutex
}

func newMemoryMarks(exact bool, seed [16]byte) *memoryMarks {
	n := stripes
	if exact {
		n += stripes // the keys of eight bytes
	}
	m := &memoryMarks{exact: exact, seed: seed, stripes: make([]stripe, n)}
	m.hash = newHasher(seed)
	m.floor.Store(math.MinInt64)
	for i := range m.stripes {
		for j := range m.stripes[i].tables {
			m.stripes[i].tables[j].lines = noLines[:]
		}
	}
	return m
}

// marks returns the marks, which the first call makes.
func (m *Memory) marks() *memoryMarks {
	if marks := m.state.Load(); marks != nil {
		return marks
	}
	var seed [16]byte
	rand.Read(seed[:]) // never fails
	m.state.CompareAndSwap(nil, newMemoryMarks(m.Exact, seed))
	return m.state.Load()
}

// locate returns the hash of a key and the number of its stripe.
func (m *memoryMarks) locate(key []byte) (hash uint64, stripe int) {
	if m.exact && len(key) == 8 {
		hash = m.hash.word(binary.LittleEndian.Uint64(key))
		return hash, stripes + int(hash>>(64-stripeBits))
	}
	hash = m.hash.sum(key)
	return hash, int(hash >> (64 - stripeBits))
}

// Load implements [Store]. It never fails.
func (m *Memory) Load(_ context.Context, keys [][]byte, versions []envelope.Version) error {
	versions = versions[:len(keys)] // panics here, if it must, and not under a lock
	marks := m.marks()
	b := newProbes(len(keys))
	for i, key := range keys {
		hash, stripe := marks.locate(key)
		b.set(i, hash, stripe)
	}
	b.sort()
	for i := range marks.stripes {
		if group := b.group(i); len(group) > 0 {
			marks.stripes[i].load(group, versions)
		}
	}
	probesPool.Put(b)
	return nil
}

// Swap implements [Store]. Its only error is [ErrFull], or that a New is zero.
func (m *Memory) Swap(_ context.Context, swaps []Swap) error {
	marks := m.marks()
	b := newProbes(len(swaps))
	defer probesPool.Put(b)
	for i := range swaps {
		if swaps[i].New.IsZero() {
			return errNoMark
		}
		hash, stripe := marks.locate(swaps[i].Key)
		b.set(i, hash, stripe)
	}
	b.sort()
	refused := b.sorted[:0] // never longer than what was read of it
	for i := range marks.stripes {
		if group := b.group(i); len(group) > 0 {
			refused = marks.stripes[i].swap(marks, group, swaps, m.MaxKeys, refused)
		}
	}
	for len(refused) > 0 {
		newest := int64(math.MinInt64)
		for _, p := range refused {
			newest = newer(newest, swaps[p.at].New)
		}
		if !marks.makeRoom(len(refused), newest, m.MaxKeys, m.Keep) {
			return ErrFull
		}
		again := refused[:0]
		for i := range refused {
			again = marks.stripes[refused[i].stripe].swap(marks, refused[i:i+1], swaps, m.MaxKeys, again)
		}
		refused = again
	}
	return nil
}

// Len returns the number of keys that have a mark.
func (m *Memory) Len() int { return int(m.marks().keys.Load()) }

// Grow makes room for so many new keys at once, so that the tables need not grow
// with them, which takes most of the time that new keys take. If Exact is set, it is
// for keys of eight bytes.
func (m *Memory) Grow(keys int) {
	marks := m.marks()
	if m.MaxKeys > 0 {
		keys = min(keys, m.MaxKeys-m.Len())
	}
	if keys <= 0 {
		return
	}
	// The share of a table varies: four standard deviations more are nearly always
	// enough.
	share := float64(keys) / (1 << tableBits)
	more := int(share + 4*math.Sqrt(share))
	for i := len(marks.stripes) - stripes; i < len(marks.stripes); i++ {
		s := &marks.stripes[i]
		s.mu.Lock()
		for j := range s.tables {
			s.tables[j].reserve(s.tables[j].count + more)
		}
		s.mu.Unlock()
	}
}
