package dsql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A Reassembler makes whole records of the parts that a stream carries. Full
// records pass through. A main record and the fragments of its images, which
// come in any order, from several shards and more than once, become one record
// of type full with the images in their places.
//
// It keeps the replay rule: what it returned is forgotten only after
// [Reassembler.Commit] said that the sink has it, and the floors that it tells
// never lie behind a record that is still needed.
//
// The zero Reassembler is ready to use. It is used by one goroutine at a time
// and must not be copied after its first use; its fields must not change then.
type Reassembler struct {
	// Store keeps the fragments; nil means a [Memory] of its own. With a
	// [DurableStore], fragments that it has taken hold no floor, and may come
	// through other processes.
	Store  FragmentStore
	Limits Limits

	own     Memory
	durable bool
	seed    maphash.Seed
	scanner
	buf []byte // the joined record

	shards   map[string]*shard
	last     *shard            // the one that was used last
	images   map[string]*image // by chunk ID, of all groups
	groups   map[*group]struct{}
	number   uint64 // of groups so far
	pending  int    // groups that are
	bytes    int64  // of all groups
	returned int64  // of which: of groups that are settled
	finished finished
	strays   []Orphan // fragments beyond the end of their image, to be reported
}

func (r *Reassembler) init() {
	if r.images != nil {
		return
	}
	if r.Store == nil {
		r.Store = &r.own
	}
	if s, ok := r.Store.(DurableStore); ok {
		r.durable = s.Durable()
	}
	r.images, r.groups = make(map[string]*image), make(map[*group]struct{})
	r.seed = maphash.MakeSeed()
}

// Add takes one record of the stream and returns the whole record that it is or
// completes, to be decoded by a [Decoder]; nil if it completes none. A record
// that is not a part is returned as it is. What it returns is in.Data or a
// buffer that is valid until the next call of a method of r; it may be changed.
//
// The records of a shard are added in the shard's order. Adding an earlier one
// again means that the shard is being read again from there. A main record that
// comes again gives its record again until it is committed, and nothing later.
//
// A permanent error ([envelope.IsPermanent]) is about this record, or the one
// that it would have completed; the others go on. It is a [*envelope.DecodeError],
// or a [*PartError] around one, over one of the causes of package envelope,
// [ErrConflict], [ErrRange], [ErrChecksum] or [ErrGivenUp]. At a limit the cause
// is [envelope.ErrLimit], and the split record that the part belongs to is given
// up: PartError.Lost says which and where it was, and its other parts give
// ErrGivenUp. Any other error (of the store, of the context, [ErrUncommitted])
// says nothing of the record: add it again; the floor stays at it until then.
func (r *Reassembler) Add(ctx context.Context, in Record) ([]byte, error) {
	r.init()
	poison(r.buf)
	if in.Shard != "" && !isSequence(in.Sequence) {
		return nil, errors.New("dsql: a sequence number is decimal digits")
	}
	s := r.shard(in.Shard)
	if s != nil {
		s.at(in.Sequence)
	}
	record, err := r.add(ctx, s, &in)
	if s != nil {
		s.tried(in.Sequence, err != nil && !envelope.IsPermanent(err))
	}
	return record, err
}

func (r *Reassembler) add(ctx context.Context, s *shard, in *Record) ([]byte, error) {
	// Nearly all records say at once that they are whole; the decoder sees to
	// the rest of them.
	if bytes.HasPrefix(in.Data, []byte(`{"type":"full",`)) {
		return in.Data, nil
	}
	if err := r.scan(in.Data, DefaultMaxBytes); err != nil {
		return nil, err
	}
	if in.Arrival.IsZero() {
		in.Arrival = time.Now()
	}
	switch kind, err := r.kind(in.Data); {
	case err != nil:
		return nil, err
	case kind == chunked:
		return r.addMain(ctx, s, in)
	case kind == fragment:
		return r.addFragment(ctx, s, in)
	}
	return in.Data, nil
}

// addFragment keeps a fragment and completes the record that it is the last of.
func (r *Reassembler) addFragment(ctx context.Context, s *shard, in *Record) ([]byte, error) {
	id, err := r.record.chunkID(in.Data)
	if err != nil {
		return nil, &PartError{Err: err}
	}
	index, err := r.record.uint(in.Data, fieldIndex)
	if err != nil {
		return nil, &PartError{ChunkID: id, Err: err}
	}
	data := envelope.Value(r.record.Raw(in.Data, fieldData))
	switch {
	case data == nil:
		return nil, r.partFault(id, fieldData, envelope.ErrMissing)
	case data.Kind() != '"':
		return nil, r.partFault(id, fieldData, envelope.ErrType)
	}
	m := r.images[id]
	switch lost, ok := r.finished.lost[id]; {
	case m == nil && ok && lost, m != nil && m.group.lost:
		return nil, r.partFault(id, fieldChunkID, ErrGivenUp)
	case m == nil && ok:
		return nil, nil // a repeat
	case m != nil && m.total > 0 && index >= uint64(m.total):
		return nil, r.partFault(id, fieldIndex, ErrRange)
	case m != nil && m.group.done:
		m.group.at(s, in)
		return nil, nil
	case index >= uint64(r.Limits.fragments()):
		return nil, r.partFault(id, fieldIndex, tooMany(r.Limits.fragments(), "fragments"))
	case r.durable:
		return r.keepDurable(ctx, m, id, int(index), data)
	}
	return r.keep(ctx, s, in, m, id, int(index), data)
}

// keep puts a fragment into a store of this process alone.
func (r *Reassembler) keep(ctx context.Context, s *shard, in *Record, m *image, id string, index int, data envelope.Value) ([]byte, error) {
	if m == nil || !m.has(index) {
		if err := r.admit(m, id, len(data)); err != nil {
			return nil, r.refuse(ctx, s, in, fieldChunkID, err, id, id)
		}
	}
	if err := r.Store.Put(ctx, id, index, data); err != nil {
		return nil, r.storeFault(id, err)
	}
	if m == nil {
		m = r.newImage(r.newGroup(), id)
	}
	g := m.group
	g.at(s, in)
	if m.has(index) {
		return nil, nil
	}
	m.add(index)
	m.bytes += len(data)
	r.charge(g, len(data)+fragmentCost)
	if !g.complete() {
		return nil, nil
	}
	return r.finishHeld(ctx, g)
}

// keepDurable hands a fragment to a store that other processes share: what it has
// in all, only the store knows.
func (r *Reassembler) keepDurable(ctx context.Context, m *image, id string, index int, data envelope.Value) ([]byte, error) {
	if err := r.Store.Put(ctx, id, index, data); err != nil {
		return nil, r.storeFault(id, err)
	}
	if m == nil || m.group.main == nil {
		return nil, nil
	}
	if !m.has(index) {
		m.add(index)
		m.bytes += len(data)
	}
	return r.finishHeld(ctx, m.group)
}

// partFault returns an error about a member of the part being added.
func (r *Reassembler) partFault(id string, f jsonscan.Field, err error) error {
	return &PartError{ChunkID: id, Err: r.record.fault(f, err)}
}

// storeFault returns an error of the store as one of Add.
func (r *Reassembler) storeFault(id string, err error) error {
	if errors.Is(err, ErrConflict) || envelope.IsPermanent(err) {
		return r.partFault(id, fieldData, err)
	}
	return fmt.Errorf("dsql: fragment store: %w", err)
}

// chunkID returns the ID that an object has.
func (o *object) chunkID(b []byte) (string, error) {
	v := envelope.Value(o.Raw(b, fieldChunkID))
	switch {
	case v == nil || len(v) == len(`""`):
		return "", o.fault(fieldChunkID, envelope.ErrMissing)
	case v.Kind() != '"':
		return "", o.fault(fieldChunkID, envelope.ErrType)
	}
	id := string(v.AppendText(nil))
	if len(id) > maxChunkID {
		return "", o.fault(fieldChunkID, tooMany(maxChunkID, "bytes"))
	}
	return id, nil
}

// uint returns a number that may stand between quotes.
func (o *object) uint(b []byte, f jsonscan.Field) (uint64, error) {
	v := o.Raw(b, f)
	if v == nil {
		return 0, o.fault(f, envelope.ErrMissing)
	}
	if len(v) >= 2 && v[0] == '"' {
		v = v[1 : len(v)-1]
	}
	n, ok := jsonscan.Uint(v)
	if !ok {
		return 0, o.fault(f, envelope.ErrType)
	}
	return n, nil
}
