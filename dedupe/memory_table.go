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
// Tags and versions are apart because a search reads several tags and one
// version. Neither holds a pointer: the garbage collector does not look into
// them. A Go map would keep the keys, half as much memory again, and takes one
// key at a time.
type markTable struct {
	tags     []uint64 // hashes; 0 is free
	versions []envelope.Version
	count    int
}

const (
	tableBits = 9 // of a hash choose its table
	tableLine = 8 // tags
	tableUnit = 256
)

// noTags are the tags of an empty table, so that a search needs no check for it.
// They are never written.
var noTags [tableLine]uint64

// home returns the first slot of the line that a hash belongs to in a table of so
// many slots. It rises with the hash.
func home(hash uint64, slots int) int {
	line, _ := bits.Mul64(hash<<tableBits, uint64(slots)/tableLine)
	return int(line) * tableLine
}

// line returns the line that begins with a slot.
func (t *markTable) line(slot int) *[tableLine]uint64 {
	return (*[tableLine]uint64)(t.tags[slot:])
}

// next returns the first slot of the line behind that of a slot.
func (t *markTable) next(slot int) int {
	if slot += tableLine; slot < len(t.tags) {
		return slot
	}
	return 0
}

// find returns where in a line a hash is, or -1 and whether the line is full, so
// that the hash may be in the next one. Not one of the eight comparisons is a branch: which of them holds cannot be
// predicted, and to guess wrong costs more than the seven others.
func find(line *[tableLine]uint64, hash uint64) (at int, full bool) {
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

// find returns the slot of a hash, or -1.
func (t *markTable) find(hash uint64) int {
	if hash == 0 {
		return -1
	}
	for slot := home(hash, len(t.tags)); ; slot = t.next(slot) {
		switch at, full := find(t.line(slot), hash); {
		case at >= 0:
			return slot + at
		case !full:
			return -1
		}
	}
}

// free returns the slot that a hash which is not there goes to.
func (t *markTable) free(hash uint64) int {
	p := home(hash, len(t.tags))
	for t.tags[p] != 0 {
		if p++; p == len(t.tags) {
			p = 0
		}
	}
	return p
}

// insert adds a hash that is not there and is not 0.
func (t *markTable) insert(hash uint64, v envelope.Version) {
	if t.count >= maxCount(len(t.versions)) {
		t.resize(grown(len(t.versions), hash))
	}
	p := t.free(hash)
	t.tags[p], t.versions[p] = hash, v
	t.count++
}

// resize moves the marks to so many slots.
func (t *markTable) resize(slots int) {
	old := *t
	t.tags, t.versions = make([]uint64, slots), make([]envelope.Version, slots)
	for i := range old.versions {
		if hash := old.tags[i]; hash != 0 {
			p := t.free(hash)
			t.tags[p], t.versions[p] = hash, old.versions[i]
		}
	}
}

// reserve makes room for so many marks in all.
func (t *markTable) reserve(count int) {
	if count > maxCount(len(t.versions)) {
		t.resize(slotsFor(count))
	}
}

// maxCount returns how many marks may be in so many slots: nine tenths.
func maxCount(slots int) int { return slots - (slots+9)/10 }

// grown returns the next size of a table. A large one grows by an eighth, so that
// it is never less than three quarters full. By how much exactly the hash draws
// that makes it grow, or else all tables would grow at one time.
func grown(slots int, hash uint64) int {
	if slots < 4*tableUnit {
		return max(tableLine, 2*slots)
	}
	drawn, _ := bits.Mul64(bits.Reverse64(hash), uint64(slots/8))
	return roundUp(slots + slots/16 + int(drawn))
}

// slotsFor returns the size of a table for so many marks.
func slotsFor(count int) int { return roundUp(count + count/9 + 1) }

// roundUp returns a number of slots that fills lines or, in large tables, pages.
func roundUp(slots int) int {
	unit := tableLine
	if slots > 4*tableUnit {
		unit = tableUnit
	}
	return (slots + unit - 1) / unit * unit
}

// fill makes an empty table of marks whose hashes rise and are not 0. It takes
// time in proportion to their number, wherever the hashes crowd.
func (t *markTable) fill(entries []markEntry) {
	if len(entries) == 0 {
		return
	}
	slots := slotsFor(len(entries) + len(entries)/16)
	t.tags, t.versions, t.count = make([]uint64, slots), make([]envelope.Version, slots), len(entries)
	next, wrapped := 0, 0
	for _, e := range entries {
		p := max(next, home(e.hash, slots))
		next = p + 1
		if p >= slots { // the lines up to the last one are full, and the first one is next
			for t.tags[wrapped] != 0 {
				wrapped++
			}
			p = wrapped
		}
		t.tags[p], t.versions[p] = e.hash, e.version
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
	for i, v := range t.versions {
		switch hash := t.tags[i]; {
		case hash == 0:
		case home(hash, len(t.tags)) > i:
			wrapped = append(wrapped, markEntry{hash, v})
		default:
			dst = append(dst, markEntry{hash, v})
		}
	}
	return append(dst, wrapped...)
}

// sweep removes the marks that c takes. It moves the ones behind them up, in
// place.
func (t *markTable) sweep(c *cull) {
	slots := len(t.versions)
	if slots == 0 {
		return
	}
	start := 0 // behind a free slot, past which no mark was pushed
	for t.tags[start+tableLine-1] != 0 {
		start += tableLine
	}
	start += tableLine
	gap := false // whether there is a new one before i that what is at i may move to
	for k := range slots {
		i := (start + k) % slots
		hash := t.tags[i]
		switch {
		case hash == 0:
			gap = false
		case c.takes(t.versions[i]):
			t.tags[i] = 0
			t.count--
			gap = true
		case gap:
			t.tags[i] = 0
			p := t.free(hash)
			t.tags[p], t.versions[p] = hash, t.versions[i]
		}
	}
	if slots > 4*tableUnit && t.count < slots/2 {
		t.resize(slotsFor(t.count + t.count/16))
	}
}
