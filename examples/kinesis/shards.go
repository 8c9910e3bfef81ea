package main

import "slices"

// shards is the lineage of a stream's shards. A shard that was split or merged
// ends, and its children take over. They are read after all their parents: not
// for the order, which versions restore, but so that no parent is left behind
// while its records leave the stream.
type shards struct {
	parents map[string][]string // of every shard that is known
	started map[string]bool
	ended   map[string]bool
}

// add makes a shard known. Adding it again changes nothing.
func (s *shards) add(id string, parents ...string) {
	if s.parents == nil {
		s.parents, s.started, s.ended = make(map[string][]string), make(map[string]bool), make(map[string]bool)
	}
	if _, ok := s.parents[id]; !ok {
		s.parents[id] = parents
	}
}

// end says that a shard was read to its end.
func (s *shards) end(id string) { s.ended[id] = true }

// start returns the shards that can be read and that it has not returned before.
// A parent that is not known has left the stream with its last record.
func (s *shards) start() []string {
	var ids []string
	for id, parents := range s.parents {
		waits := slices.ContainsFunc(parents, func(p string) bool {
			_, known := s.parents[p]
			return known && !s.ended[p]
		})
		if !waits && !s.started[id] && !s.ended[id] {
			s.started[id] = true
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
