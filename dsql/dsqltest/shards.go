package dsqltest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
)

// shards are those of a stream while it is written.
type shards struct {
	r    *rand.Rand
	all  []*shard
	open []*shard
}

// A shard is one of them, with what its next record needs.
type shard struct {
	Shard
	r        *rand.Rand
	prefix   string // of its sequence numbers
	sequence uint64
	arrival  int64 // of the last record, ms since the Unix epoch
}

// create adds a shard. Sequence numbers of later shards are higher.
func (s *shards) create(parents ...*shard) *shard {
	n := len(s.all)
	out := &shard{
		Shard:    Shard{ID: fmt.Sprintf("shardId-%012d", n)},
		r:        s.r,
		prefix:   fmt.Sprintf("4966%012d%020d", n, s.r.Uint64()),
		sequence: s.r.Uint64() >> 1,
	}
	for _, p := range parents {
		p.Closed = true
		out.Parents = append(out.Parents, p.ID)
		out.arrival = max(out.arrival, p.arrival)
	}
	s.all = append(s.all, out)
	return out
}

// reshard splits an open shard or merges two.
func (s *shards) reshard() {
	s.r.Shuffle(len(s.open), func(i, j int) { s.open[i], s.open[j] = s.open[j], s.open[i] })
	if len(s.open) > 1 && s.r.IntN(2) == 0 {
		s.open = append(s.open[2:], s.create(s.open[0], s.open[1]))
		return
	}
	parent := s.open[0]
	s.open = append(s.open[1:], s.create(parent), s.create(parent))
}

// add appends a record.
func (s *shard) add(p put) {
	s.sequence += 1 + s.r.Uint64N(1e9)
	// Kinesis tells milliseconds; the record does not arrive before it was processed.
	s.arrival = max(s.arrival+1, p.at/int64(time.Millisecond)+1)
	s.Records = append(s.Records, dsql.Record{
		Shard:    s.ID,
		Sequence: fmt.Sprintf("%s%020d", s.prefix, s.sequence),
		Arrival:  time.UnixMilli(s.arrival).UTC(),
		Data:     p.data,
	})
	s.Changes = append(s.Changes, p.change)
}
