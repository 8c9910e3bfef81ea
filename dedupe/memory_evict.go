package dedupe

import (
	"math"
	"slices"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// A cull chooses marks to evict: those with commit times before a moment, and some
// of that moment. It counts what it takes.
type cull struct {
	before int64 // in ns
	ties   int   // how many of the time before it may still take
	taken  int
	newest int64 // among the taken
}

// takes reports whether the mark is to go.
func (c *cull) takes(v envelope.Version) bool {
	ns := v.Time().UnixNano()
	switch {
	case ns < c.before:
	case ns == c.before && c.ties > 0:
		c.ties--
	default:
		return false
	}
	c.taken++
	c.newest = max(c.newest, ns)
	return true
}

// evict removes the marks of up to ties of the time before and all that are older,
// and returns how many there were.
func (m *memoryMarks) evict(before int64, ties int) int {
	c := cull{before: before, ties: ties, newest: math.MinInt64}
	total := 0
	for i := range m.stripes {
		s := &m.stripes[i]
		for j := range s.tables {
			s.mu.Lock()
			c.taken = 0
			s.tables[j].sweep(&c)
			if j == 0 && !s.zero.IsZero() && c.takes(s.zero) {
				s.zero = envelope.Version{}
			}
			if c.taken > 0 { // before anyone can miss a mark
				m.raiseFloor(c.newest + 1)
			}
			m.keys.Add(-int64(c.taken))
			s.mu.Unlock()
			total += c.taken
		}
	}
	return total
}

func (m *memoryMarks) raiseFloor(ns int64) {
	for {
		old := m.floor.Load()
		if ns <= old || m.floor.CompareAndSwap(old, ns) {
			return
		}
	}
}

// sampled is how many commit times decide which marks are the oldest, at most: so
// many that the share of the evicted is right to a percent.
const sampled = 1 << 16

// newer returns the later of a time and that of v, which does not count at the end
// of time.
func newer(ns int64, v envelope.Version) int64 {
	if t := v.Time().UnixNano(); t < math.MaxInt64 {
		return max(ns, t)
	}
	return ns
}

// makeRoom makes room for so many keys, the newest of them with a mark of this
// time, and for an eighth of all at least. It reports whether there is room for
// any.
func (m *memoryMarks) makeRoom(keys int, newest int64, limit int, keep time.Duration) bool {
	m.evicting.Lock()
	defer m.evicting.Unlock()
	surplus := int(m.keys.Load()) + keys - limit
	if surplus <= 0 { // another goroutine made it
		return true
	}
	target := max(surplus, (limit+7)/8)
	step := int(m.keys.Load())/sampled + 1
	times, held := m.times(step)
	newest = max(newest, held)
	watermark := newest - int64(max(keep, 0))
	if watermark > newest {
		return false // it is before all times
	}
	slices.Sort(times)
	old, _ := slices.BinarySearch(times, watermark) // how many are older
	if old*step <= target {
		return m.evict(watermark, 0) > 0
	}
	before := times[target/step]
	older, _ := slices.BinarySearch(times, before)
	return m.evict(before, target-older*step) > 0
}

// times returns every so many'th commit time and the newest of all but those at
// the end of time.
func (m *memoryMarks) times(step int) (times []int64, newest int64) {
	newest = math.MinInt64
	n := 0
	see := func(v envelope.Version) {
		newest = newer(newest, v)
		if n++; n%step == 0 {
			times = append(times, v.Time().UnixNano())
		}
	}
	for i := range m.stripes {
		s := &m.stripes[i]
		for j := range s.tables {
			s.mu.Lock()
			t := &s.tables[j]
			for k := range t.lines {
				line := &t.lines[k]
				for at, hash := range line.tags {
					if hash != 0 {
						see(line.versions[at])
					}
				}
			}
			if j == 0 && !s.zero.IsZero() {
				see(s.zero)
			}
			s.mu.Unlock()
		}
	}
	return times, newest
}

// Evict removes all marks with a commit time before the given one, and returns how
// many there were. It is for those who know from when on nothing older comes. It
// locks a 16th of the marks at a time.
//
// A mark of the latest time that there is, math.MaxInt64 ns, stays.
func (m *Memory) Evict(before time.Time) int { return m.marks().evict(nanosOf(before), 0) }

// Floor returns a time that all evicted marks were before: nothing is known of
// older changes whose row has no mark, and of others everything is. It is the zero
// Time if none was evicted. It never goes back, and it is at least this high when a
// Load does not find what was evicted.
func (m *Memory) Floor() time.Time {
	ns := m.marks().floor.Load()
	if ns == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// nanosOf returns t in nanoseconds since the Unix epoch, or the nearest number
// there is.
func nanosOf(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}
