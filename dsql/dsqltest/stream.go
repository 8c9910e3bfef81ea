package dsqltest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A Stream is what a Generator made. It is read only: repeats share the memory
// of what they repeat, and records that were not cut share that of Whole.
// Several goroutines may read it at once.
type Stream struct {
	// Shards hold the records as they were delivered, in the order of their
	// creation: parents precede their children.
	Shards []Shard

	// Whole are the logical records, as if none had been cut: one per change, in
	// commit order. What a consumer makes of the stream decodes to the same
	// changes, its images byte for byte. Only the time of processing (the
	// envelope's ts_ms and ts_ns) differs between deliveries.
	Whole [][]byte

	// Keys are the primary keys of the tables that have one, for
	// [envelope.KeyColumns]. Its tables have no DB, which stands for any.
	Keys map[envelope.Table][]string

	// Truth are the rows of the same tables after the last transaction: what a
	// sink with last-writer-wins must end on. Rows are found by what Key returns
	// and are spelled as in the last record that wrote them.
	//
	// A table without a primary key has no place here. Its deletes do not say
	// which row is gone, and equal rows cannot be told from repeats, so that no
	// consumer can know its rows; its changes are in Whole.
	Truth map[envelope.Table]map[string]envelope.Row
}

// A Shard is one shard of a Stream.
type Shard struct {
	ID      string
	Parents []string // the shard that was split to make this one, or the two that were merged; none at first
	Closed  bool     // by resharding: others have it among their Parents, and are to be read after it

	// Records are in the order of their sequence numbers, which have 56 digits.
	// Their arrival times increase by a millisecond at least.
	Records []dsql.Record

	// Changes says of each record which change it is, or is a part of: its index
	// in Whole.
	Changes []int
}

// Resume returns the index in Records from which a consumer reads s again after
// a restart. A floor without a sequence number is the shard's beginning. The
// error says that the floor is none of this shard.
func (s *Shard) Resume(f dsql.Floor) (int, error) {
	if f.Shard != s.ID {
		return 0, fmt.Errorf("dsqltest: a floor of %q for shard %q", f.Shard, s.ID)
	}
	switch {
	case f.End:
		return len(s.Records), nil
	case f.Sequence == "":
		return 0, nil
	}
	i := slices.IndexFunc(s.Records, func(r dsql.Record) bool { return r.Sequence == f.Sequence })
	switch {
	case i < 0:
		return 0, fmt.Errorf("dsqltest: shard %q has no record %q", s.ID, f.Sequence)
	case f.After:
		i++
	}
	return i, nil
}

// Merge returns all records in an order in which a consumer of all shards might
// get them: within a shard as they are there, children after their parents,
// otherwise at random. Some shards run far ahead of others.
func (s *Stream) Merge(r *rand.Rand) []dsql.Record {
	total := 0
	pace := make([]float64, len(s.Shards))
	for i, shard := range s.Shards {
		total += len(shard.Records)
		pace[i] = r.ExpFloat64()
	}
	out := make([]dsql.Record, 0, total)
	read := make([]int, len(s.Shards)) // records of each
	ready := s.ready(read)
	for len(ready) > 0 {
		i := draw(r, ready, pace)
		out = append(out, s.Shards[i].Records[read[i]])
		if read[i]++; read[i] == len(s.Shards[i].Records) {
			ready = s.ready(read)
		}
	}
	return out
}

// ready returns the indexes of the shards that have records left and whose
// parents have none.
func (s *Stream) ready(read []int) []int {
	var out []int
	ended := map[string]bool{}
	for i, shard := range s.Shards {
		if slices.ContainsFunc(shard.Parents, func(id string) bool { return !ended[id] }) {
			continue
		}
		if read[i] == len(shard.Records) {
			ended[shard.ID] = true
			continue
		}
		out = append(out, i)
	}
	return out
}

// draw returns one of indexes, each with the probability that its weight gives.
func draw(r *rand.Rand, indexes []int, weight []float64) int {
	sum := 0.0
	for _, i := range indexes {
		sum += weight[i]
	}
	at := r.Float64() * sum
	for _, i := range indexes {
		if at -= weight[i]; at < 0 {
			return i
		}
	}
	return indexes[len(indexes)-1] // what rounding left
}

// Key returns how c's row is found in Truth: the values of its primary key's
// columns, as spelled, in a JSON array. If the table has no primary key or the
// change's image lacks a column of it, the error wraps [envelope.ErrNoKey] or
// [envelope.ErrMissing].
func (s *Stream) Key(c *envelope.Change) (string, error) {
	columns := s.Keys[envelope.Table{Schema: c.Table.Schema, Name: c.Table.Name}]
	if len(columns) == 0 {
		return "", fmt.Errorf("dsqltest: %w %s", envelope.ErrNoKey, c.Table)
	}
	var values [][]byte
	for _, name := range columns {
		v, ok := c.Image().Get(name)
		if !ok {
			return "", fmt.Errorf("dsqltest: %w: column %q", envelope.ErrMissing, name)
		}
		values = append(values, v)
	}
	return identity(values), nil
}
