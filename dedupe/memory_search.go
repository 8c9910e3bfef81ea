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
	lines   [searchSize]*markLine
	marks   [searchSize]*envelope.Version
	pending [searchSize]uint8
	touched uint64 // a sum of what was read, or the compiler would leave the reading out
}

const searchSize = 256

// find sets the first marks to those of the keys, nil where there is none. They
// are valid until the next insertion.
func (f *search) find(s *stripe, keys []probe) {
	for i := range keys {
		t := s.table(keys[i].hash)
		f.lines[i] = &t.lines[home(keys[i].hash, len(t.lines))]
	}
	for _, line := range f.lines[:len(keys)] {
		f.touched += line.tags[0]
	}
	pending := f.pending[:0]
	for i := range keys {
		hash := keys[i].hash
		switch at, full := f.lines[i].find(hash); {
		case hash == 0:
			f.marks[i] = s.mark(0)
		case at >= 0:
			f.marks[i] = &f.lines[i].versions[at]
		case full:
			pending = append(pending, uint8(i))
		default:
			f.marks[i] = nil
		}
	}
	for _, i := range pending {
		t := s.table(keys[i].hash)
		f.lines[i] = &t.lines[t.next(home(keys[i].hash, len(t.lines)))]
		f.touched += f.lines[i].tags[0]
	}
	for _, i := range pending {
		switch at, full := f.lines[i].find(keys[i].hash); {
		case at >= 0:
			f.marks[i] = &f.lines[i].versions[at]
		case full: // few are as far from home as this
			f.marks[i] = s.mark(keys[i].hash)
		default:
			f.marks[i] = nil
		}
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
