package dedupe

import (
	"math/bits"

	"github.com/rowdelta/rowdelta/envelope"
)

// A markTable maps the hashes of a 512th of all keys to their marks, by open
// addressing: a hash belongs to a line of eight tags, which is a line of the
// processor's cache, and if that is full, to the next one that is not. The lines
// are in the order of the hashes, so that growing and saving go through memory
// from one end to the other.
//
// A search reads the tags of a line and one of its versions, which lie behind them:
// most often in the same page, so that the processor looks up one address, not two,
// in tables of its own that are not in the cache either. There is no pointer in it:
// the garbage collector does not look into the lines. A Go map would keep the keys,
// half as much memory again, and takes one key at a time.
type markTable struct {
	lines []markLine
	count int
}

type markLine struct {
	tags     [tableLine]uint64 // hashes; 0 is free
	versions [tableLine]envelope.Version
}

const (
	tableBits = 9 // of a hash choose its table
	tableLine = 8 // slots
	tableMany = 1024

	lineBytes = tableLine * (8 + 32)
	pageBytes = 8192 // of Go's heap, of which large tables take whole ones
)

// noLines are the lines of an empty table, so that a search needs no check for it.
// They are never written.
var noLines [1]markLine

// home returns the line, of so many, that a hash belongs to. It rises with the hash.
func home(hash uint64, lines int) int {
	line, _ := bits.Mul64(hash<<tableBits, uint64(lines))
	return int(line)
}

// slots returns how many slots a table has. Slot i is in line i/tableLine.
func (t *markTable) slots() int {
	if len(t.lines) == len(noLines) && &t.lines[0] == &noLines[0] {
		return 0
	}
	return len(t.lines) * tableLine
}

func (t *markTable) tag(slot int) *uint64 {
	return &t.lines[slot/tableLine].tags[slot%tableLine]
}

func (t *markTable) version(slot int) *envelope.Version {
	return &t.lines[slot/tableLine].versions[slot%tableLine]
}

func (t *markTable) set(slot int, hash uint64, v envelope.Version) {
	line := &t.lines[slot/tableLine]
	line.tags[slot%tableLine], line.versions[slot%tableLine] = hash, v
}

// next returns the line behind a line.
func (t *markTable) next(line int) int {
	if line++; line < len(t.lines) {
		return line
	}
	return 0
}

// find returns where in a line a hash is, or -1 and whether the line is full, so
// that the hash may be in the next one. Not one of the eight comparisons is a
// branch: which of them holds cannot be predicted, and to guess wrong costs more
// than the seven others.
func (l *markLine) find(hash uint64) (at int, full bool) {
	line := &l.tags
	at = -1
	if line[0] == hash {
		at = 0
	}
	if line[1] == hash {
		at = 1
	}
	if line[2] == hash {
		at = 2
	}
	if line[3] == hash {
		at = 3
	}
	if line[4] == hash {
		at = 4
	}
	if line[5] == hash {
		at = 5
	}
	if line[6] == hash {
		at = 6
	}
	if line[7] == hash {
		at = 7
	}
	return at, line[7] != 0
}

// find returns the mark of a hash, or nil. It is valid until the next insertion.
func (t *markTable) find(hash uint64) *envelope.Version {
	if hash == 0 {
		return nil
	}
	for i := home(hash, len(t.lines)); ; i = t.next(i) {
		line := &t.lines[i]
		switch at, full := line.find(hash); {
		case at >= 0:
			return &line.versions[at]
		case !full:
			return nil
		}
	}
}

// free returns the slot that a hash which is not there goes to.
func (t *markTable) free(hash uint64) int {
	for i := home(hash, len(t.lines)); ; i = t.next(i) {
		for at, tag := range t.lines[i].tags {
			if tag == 0 {
				return i*tableLine + at
			}
		}
	}
}

// insert adds a hash that is not there and is not 0.
func (t *markTable) insert(hash uint64, v envelope.Version) {
	if t.count >= maxCount(t.slots()) {
		t.resize(grown(t.slots(), hash))
	}
	t.set(t.free(hash), hash, v)
	t.count++
}

// resize moves the marks to so many slots.
func (t *markTable) resize(slots int) {
	old := t.lines
	t.lines = make([]markLine, slots/tableLine)
	for i := range old {
		for at, hash := range old[i].tags {
			if hash != 0 {
				t.set(t.free(hash), hash, old[i].versions[at])
			}
		}
	}
}

// reserve makes room for so many marks in all.
func (t *markTable) reserve(count int) {
	if count > maxCount(t.slots()) {
		t.resize(slotsFor(count))
	}
}

// maxCount returns how many marks may be in so many slots: nine tenths.
func maxCount(slots int) int { return slots - (slots+9)/10 }

// grown returns the next size of a table. A large one grows by an eighth, so that
// it is never less than three quarters full. By how much exactly the hash draws
// that makes it grow, or else all tables would grow at one time.
func grown(slots int, hash uint64) int {
	if slots < tableMany {
		return max(tableLine, 2*slots)
	}
	drawn, _ := bits.Mul64(bits.Reverse64(hash), uint64(slots/8))
	return roundUp(slots + slots/16 + int(drawn))
}

// slotsFor returns the size of a table for so many marks.
func slotsFor(count int) int { return roundUp(count + count/9 + 1) }

// roundUp returns a number of slots that fills lines and, in large tables, pages.
func roundUp(slots int) int {
	lines := (slots + tableLine - 1) / tableLine
	if slots > tableMany {
		pages := (lines*lineBytes + pageBytes - 1) / pageBytes
		lines = pages * pageBytes / lineBytes
	}
	return lines * tableLine
}

// fill makes an empty table of marks whose hashes rise and are not 0. It takes
// time in proportion to their number, wherever the hashes crowd.
func (t *markTable) fill(entries []markEntry) {
	if len(entries) == 0 {
		return
	}
	slots := slotsFor(len(entries) + len(entries)/16)
	t.lines, t.count = make([]markLine, slots/tableLine), len(entries)
	next, wrapped := 0, 0
	for _, e := range entries {
		p := max(next, home(e.hash, len(t.lines))*tableLine)
		next = p + 1
		if p >= slots { // the lines up to the last one are full, and the first one is next
			for *t.tag(wrapped) != 0 {
				wrapped++
			}
			p = wrapped
		}
		t.set(p, e.hash, e.version)
	}
}

// A markEntry is a mark outside of tables.
type markEntry struct {
	hash    uint64
	version envelope.Version
}

// entries appends the table's marks, unsorted, but nearly so.
func (t *markTable) entries(dst []markEntry) []markEntry {
	var wrapped []markEntry
	for i := range t.lines {
		line := &t.lines[i]
		for at, hash := range line.tags {
			switch entry := (markEntry{hash, line.versions[at]}); {
			case hash == 0:
			case home(hash, len(t.lines)) > i:
				wrapped = append(wrapped, entry)
			default:
				dst = append(dst, entry)
			}
		}
	}
	return append(dst, wrapped...)
}

// sweep removes the marks that c takes. It moves the ones behind them up, in
// place.
func (t *markTable) sweep(c *cull) {
	slots := t.slots()
	if slots == 0 {
		return
	}
	start := 0 // a line behind one that is not full, past which no mark was pushed
	for t.lines[start].tags[tableLine-1] != 0 {
		start++
	}
	start++
	gap := false // whether there is a new one before i that what is at i may move to
	for k := range slots {
		i := (start*tableLine + k) % slots
		hash := *t.tag(i)
		switch {
		case hash == 0:
			gap = false
		case c.takes(*t.version(i)):
			*t.tag(i) = 0
			t.count--
			gap = true
		case gap:
			*t.tag(i) = 0
			t.set(t.free(hash), hash, *t.version(i))
		}
	}
	if slots > tableMany && t.count < slots/2 {
		t.resize(slotsFor(t.count + t.count/16))
	}
}
