package dedupe

import (
	"math"

	"github.com/rowdelta/rowdelta/envelope"
)

// A search finds the marks of some keys of one stripe at once. Where the line of a
// key is, can be told without reading it. So all lines are read before anything
// depends on what is there, and the processor waits for all of them together: to
// search for one key after the other takes several times as long. The same goes
// for the next lines of the few that have to go on, and for the marks.
type search struct {
	at      [searchSize]lineAt
	marks   [searchSize]*envelope.Version
	pending [searchSize]uint8
	touched uint64 // a sum of what was read, or the compiler would leave the reading out
}

const searchSize = 64

// A lineAt is a line of a table.
type lineAt struct {
	line  *[tableLine]uint64
	table *markTable
	slot  int // the first one of the line
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
		f.at[i] = lineAt{t.line(slot), t, slot}
		pending = append(pending, uint8(i))
	}
	for len(pending) > 0 {
		for _, i := range pending {
			f.touched += f.at[i].line[0]
		}
		still := pending[:0]
		for _, i := range pending {
			at := &f.at[i]
			slot, full := find(at.line, keys[i].hash)
			switch {
			case slot >= 0:
				f.marks[i] = &at.table.versions[at.slot+slot]
			case full:
				at.slot = at.table.next(at.slot)
				at.line = at.table.line(at.slot)
				still = append(still, i)
			default:
				f.marks[i] = nil
			}
		}
		pending = still
	}
}

// touch reads the first marks, for one who has to wait for each of them. To copy
// them, as load does, is to read them all at once.
func (f *search) touch(keys int) {
	for _, v := range f.marks[:keys] {
		if v != nil && v.IsZero() {
			f.touched++
		}
	}
}

// load sets the versions of the keys to their marks.
func (s *stripe) load(keys []probe, versions []envelope.Version) {
	var f search
	s.mu.Lock()
	for len(keys) > 0 {
		some := keys[:min(len(keys), searchSize)]
		keys = keys[len(some):]
		f.find(s, some)
		for i := range some {
			if v := f.marks[i]; v != nil {
				versions[some[i].at] = *v
			} else {
				versions[some[i].at] = envelope.Version{}
			}
		}
	}
	s.mu.Unlock()
}

// swap makes the swaps of the keys, and appends to refused those that need room
// for a new key where there is none. They are neither done nor not done.
func (s *stripe) swap(m *memoryMarks, keys []probe, swaps []Swap, limit int, refused []probe) []probe {
	var f search
	s.mu.Lock()
	for len(keys) > 0 {
		some := keys[:min(len(keys), searchSize)]
		keys = keys[len(some):]
		f.find(s, some)
		f.touch(len(some))
		inserted := false
		for i, p := range some {
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
