package dsql

import (
	"math/bits"
	"time"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A group is what is known of one split record: fragments of an image, or, once
// the main record has come, that and the fragments of all its images. It goes
// through three states: pending, settled (returned or given up, and the caller
// has not committed since), and done (committed; kept until no part of it can
// be read again).
type group struct {
	number  uint64 // in order of appearance
	images  []*image
	main    []byte // the main record, until the joined one was returned
	hasMain bool
	digest  uint64 // of what tells one main record from another
	spans   []span
	first   time.Time // the earliest arrival of its records
	last    time.Time // the latest
	settled bool
	lost    bool // given up
	done    bool
	freed   bool  // its fragments are not in the store any more
	bytes   int64 // counted against Limits.PendingBytes
}

// An image is one that was split.
type image struct {
	id    string
	group *group
	field jsonscan.Field // fieldAfter or fieldBefore, once the main record has come
	total int            // 0 until then
	crc   uint32
	bytes int // of the fragments' text, at most
	have  int
	seen  []uint64 // bit i: fragment i has come
}

func (m *image) has(index int) bool {
	return index>>6 < len(m.seen) && m.seen[index>>6]>>(index&63)&1 != 0
}

func (m *image) add(index int) {
	for index>>6 >= len(m.seen) {
		m.seen = append(m.seen, 0)
	}
	m.seen[index>>6] |= 1 << (index & 63)
	m.have++
}

// strays returns how many fragments have come whose index is not below total.
func (m *image) strays(total int) (n int) {
	for i, word := range m.seen {
		if low := total - 64*i; low < 64 {
			n += bits.OnesCount64(word &^ (1<<max(low, 0) - 1))
		}
	}
	return n
}

// complete reports whether the main record and all fragments have come.
func (g *group) complete() bool {
	for _, m := range g.images {
		if m.have-m.strays(m.total) < m.total {
			return false
		}
	}
	return g.hasMain
}

// A span is where in a shard a group's records are.
type span struct {
	shard       *shard
	first, last string
}

// at notes that one of the group's records is there.
func (g *group) at(s *shard, in *Record) {
	g.during(in.Arrival, in.Arrival)
	if s != nil {
		g.cover(span{s, in.Sequence, in.Sequence})
	}
}

// during extends the time in which the group's records arrived.
func (g *group) during(first, last time.Time) {
	if g.first.IsZero() || first.Before(g.first) {
		g.first = first
	}
	if last.After(g.last) {
		g.last = last
	}
}

// cover extends the group's spans by another one.
func (g *group) cover(s span) {
	for i := range g.spans {
		if own := &g.spans[i]; own.shard == s.shard {
			if compareSequence(s.first, own.first) < 0 {
				own.first = s.first
			}
			if compareSequence(s.last, own.last) > 0 {
				own.last = s.last
			}
			return
		}
	}
	g.spans = append(g.spans, s)
}

// absorb makes the images of other, which has no main record, images of g.
func (g *group) absorb(other *group) {
	for _, m := range other.images {
		m.group = g
		g.images = append(g.images, m)
	}
	for _, s := range other.spans {
		g.cover(s)
	}
	g.during(other.first, other.last)
	g.bytes += other.bytes
}

// orphans describes the group's images.
func (g *group) orphans() []Orphan {
	var where []Span
	for _, s := range g.spans {
		where = append(where, Span{s.shard.id, s.first, s.last})
	}
	var out []Orphan
	for _, m := range g.images {
		out = append(out, Orphan{
			ChunkID: m.id, Main: g.hasMain, Have: m.have, Total: m.total, Bytes: int64(m.bytes),
			First: g.first, Last: g.last, Where: where,
		})
	}
	return out
}

// finished remembers the IDs of images that need nothing more, so that late
// repeats of their fragments do not look like the first of something new. It
// forgets the oldest.
type finished struct {
	lost  map[string]bool // by ID: whether the image was given up
	order []string
	next  int
}

const maxFinished = 1 << 14

func (f *finished) add(id string, lost bool) {
	if f.lost == nil {
		f.lost = make(map[string]bool)
	}
	if _, ok := f.lost[id]; ok {
		return
	}
	if len(f.order) < maxFinished {
		f.order = append(f.order, id)
	} else {
		delete(f.lost, f.order[f.next])
		f.order[f.next] = id
		f.next = (f.next + 1) % maxFinished
	}
	f.lost[id] = lost
}
