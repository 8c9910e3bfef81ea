package dsql

import (
	"maps"
	"slices"
)

// A shard is what is known of one shard of the stream.
type shard struct {
	id     string
	cursor string // the record that was added last; empty if there was none
	open   string // the first record that was added since the last commit; empty if none
	retry  string // the first record that failed for now; empty if none
	closed bool
}

// earlier returns the lower of two sequence numbers, of which each may be empty.
func earlier(a, b string) string {
	if a == "" || b != "" && compareSequence(b, a) < 0 {
		return b
	}
	return a
}

// at notes that the record is being added.
func (s *shard) at(sequence string) {
	s.cursor, s.open, s.closed = sequence, earlier(s.open, sequence), false
}

// tried notes how adding the record ended. A record that failed for now is
// needed until it, or one before it, was added: then those behind it come again.
func (s *shard) tried(sequence string, again bool) {
	switch {
	case again:
		s.retry = earlier(s.retry, sequence)
	case s.retry != "" && compareSequence(sequence, s.retry) <= 0:
		s.retry = ""
	}
}

// floors computes the first record of each shard that is still needed; shards of
// which none is are absent.
//
// A record of several parts must be seen whole or not at all after a restart:
// if one of its parts is read again without the others, it looks like one whose
// parts were lost. So a finished record of which one part is not below the floor
// of its shard is needed as a whole, which can lower the floors of other shards,
// and so on until nothing changes.
func (r *Reassembler) floors() map[*shard]string {
	need := make(map[*shard]string)
	for _, s := range r.shards {
		if first := earlier(s.open, s.retry); first != "" {
			need[s] = first
		}
	}
	hold := func(g *group) {
		for _, s := range g.spans {
			// Behind the cursor everything is read again anyway.
			if compareSequence(s.first, s.shard.cursor) <= 0 {
				need[s.shard] = earlier(need[s.shard], s.first)
			}
		}
	}
	var finished []*group
	for g := range r.groups {
		if g.done {
			finished = append(finished, g)
		} else {
			hold(g)
		}
	}
	for again := true; again; {
		again = false
		finished = slices.DeleteFunc(finished, func(g *group) bool {
			if g.below(need) {
				return false
			}
			again = true
			hold(g)
			return true
		})
	}
	return need
}

// below reports whether no part of g is read again from the floors.
func (g *group) below(need map[*shard]string) bool {
	for _, s := range g.spans {
		if floor := need[s.shard]; floor != "" && compareSequence(s.last, floor) >= 0 || compareSequence(s.last, s.shard.cursor) > 0 {
			return false
		}
	}
	return true
}

// Floors returns, for each shard of which records were added, from where it must
// be read again after a restart: no later than with the first record of a split
// record that is incomplete, or that was returned and not committed. The order
// is that of the shards' IDs. A shard that has no record here yet keeps the
// checkpoint it had.
//
// After a restart with a new Reassembler and these floors every record that was
// not committed is returned, and every split record that was is seen whole or not
// at all.
func (r *Reassembler) Floors() []Floor { return r.floorsOf(r.floors()) }

func (r *Reassembler) floorsOf(need map[*shard]string) []Floor {
	var floors []Floor
	for _, id := range slices.Sorted(maps.Keys(r.shards)) {
		s := r.shards[id]
		if sequence := need[s]; sequence != "" {
			floors = append(floors, Floor{Shard: id, Sequence: sequence})
		} else {
			floors = append(floors, Floor{Shard: id, Sequence: s.cursor, After: true, End: s.closed})
		}
	}
	return floors
}

// Close says that the shard was read to its end: it was split or merged. Once
// nothing of it is needed any more, the next [Reassembler.Commit] reports its
// floor with End set, for the last time.
func (r *Reassembler) Close(shard string) {
	if s := r.shard(shard); s != nil {
		s.closed = true
	}
}

// shard returns the state of a shard, nil for the empty ID.
func (r *Reassembler) shard(id string) *shard {
	if id == "" {
		return nil
	}
	if r.last != nil && r.last.id == id {
		return r.last
	}
	s := r.shards[id]
	if s == nil {
		if r.shards == nil {
			r.shards = make(map[string]*shard)
		}
		s = &shard{id: id}
		r.shards[id] = s
	}
	r.last = s
	return s
}
