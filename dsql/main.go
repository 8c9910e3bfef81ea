package dsql

import (
	"bytes"
	"context"
	"hash/maphash"
	"math"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A part is what a main record says of one of its images.
type part struct {
	field jsonscan.Field // fieldAfter or fieldBefore
	id    string
	total int
	crc   uint32
}

// parts returns what the main record that was scanned says of its images.
func (r *Reassembler) parts(b []byte) ([]part, error) {
	switch v := r.record.Raw(b, fieldChunked); {
	case v == nil:
		return nil, r.record.fault(fieldChunked, envelope.ErrMissing)
	case v[0] != '{':
		return nil, r.record.fault(fieldChunked, envelope.ErrType)
	case r.split.Duplicate != fieldNone:
		return nil, r.split.fault(r.split.Duplicate, envelope.ErrDuplicate)
	}
	var parts []part
	for i, f := range splitImages {
		v, o := r.split.Raw(b, f), &r.described[i]
		switch {
		case v == nil:
			continue
		case v[0] != '{':
			return nil, r.split.fault(f, envelope.ErrType)
		case r.record.Raw(b, f) != nil: // the image is there as a whole too
			return nil, r.split.fault(f, envelope.ErrDuplicate)
		case o.Duplicate != fieldNone:
			return nil, o.fault(o.Duplicate, envelope.ErrDuplicate)
		}
		id, err := o.chunkID(b)
		if err != nil {
			return nil, err
		}
		total, err := o.uint(b, fieldTotalFragments)
		if err != nil {
			return nil, err
		}
		crc, err := o.uint(b, fieldCRC32C)
		switch {
		case err != nil:
			return nil, err
		case crc > math.MaxUint32:
			return nil, o.fault(fieldCRC32C, envelope.ErrType)
		case total == 0:
			return nil, o.fault(fieldTotalFragments, envelope.ErrType)
		}
		parts = append(parts, part{f, id, int(min(total, math.MaxInt32)), uint32(crc)})
	}
	switch {
	case len(parts) == 0:
		return nil, r.record.fault(fieldChunked, envelope.ErrMissing)
	case len(parts) == 2 && parts[0].id == parts[1].id:
		return nil, r.described[1].fault(fieldChunkID, ErrConflict)
	}
	return parts, nil
}

// addMain keeps a main record, or completes it if all fragments are there.
func (r *Reassembler) addMain(ctx context.Context, s *shard, in *Record) ([]byte, error) {
	parts, err := r.parts(in.Data)
	if err != nil {
		return nil, &PartError{Err: err}
	}
	var ids []string // of images that no other main record has
	var known *group // that has a main record with one of the images
	repeated, lost := 0, ""
	for _, p := range parts {
		m := r.images[p.id]
		gone, finished := r.finished.lost[p.id]
		switch {
		case m != nil && m.group.lost, m == nil && finished && gone:
			lost = p.id
		case m == nil && finished:
			repeated++
		case m != nil && m.group.hasMain:
			known = m.group
		default:
			ids = append(ids, p.id)
		}
	}
	switch {
	case lost != "":
		return nil, r.refuse(ctx, s, in, fieldChunked, ErrGivenUp, lost, ids...)
	case repeated == len(parts):
		return nil, nil
	case repeated > 0:
		return nil, r.partFault(parts[0].id, fieldChunked, ErrConflict)
	case known != nil:
		return r.addAgain(ctx, s, in, known, parts)
	}
	if err := r.admitMain(len(in.Data), parts); err != nil {
		return nil, r.refuse(ctx, s, in, fieldChunked, err, parts[0].id, ids...)
	}
	g := r.newMain(in, parts)
	g.at(s, in)
	var record []byte
	if g.complete() || r.durable {
		record, err = r.finish(ctx, g, in.Data)
	}
	if record == nil && !envelope.IsPermanent(err) {
		g.main = bytes.Clone(in.Data) // it waits
	}
	return record, err
}

// addAgain takes a main record whose images another one has: the same record
// again, or one that contradicts it.
func (r *Reassembler) addAgain(ctx context.Context, s *shard, in *Record, g *group, parts []part) ([]byte, error) {
	same := len(parts) == len(g.images) && g.digest == r.digest(in.Data)
	for _, p := range parts {
		m := r.images[p.id]
		same = same && m != nil && m.group == g && m.field == p.field && m.total == p.total && m.crc == p.crc
	}
	if !same {
		return nil, r.partFault(parts[0].id, fieldChunked, ErrConflict)
	}
	g.at(s, in)
	if g.done || !r.durable && !g.complete() {
		return nil, nil
	}
	return r.finish(ctx, g, in.Data)
}

// digest tells main records apart by what a repeat has in common with the first
// one: all but the time at which the service handled it.
func (r *Reassembler) digest(b []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, f := range [...]jsonscan.Field{fieldOp, fieldSource, fieldBefore, fieldAfter} {
		h.Write(r.record.Raw(b, f))
		h.WriteByte(0)
	}
	return h.Sum64()
}

// admitMain decides whether a main record can be kept.
func (r *Reassembler) admitMain(size int, parts []part) error {
	added, need := 1, size+groupCost
	for _, p := range parts {
		switch m := r.images[p.id]; {
		case p.total > r.Limits.fragments():
			return tooMany(r.Limits.fragments(), "fragments")
		case m == nil:
			need += imageCost + len(p.id)
		default:
			added-- // its group goes up in the new one
			if m.strays(p.total) > 0 {
				need += strayCost + len(p.id)
			}
		}
	}
	if r.pending+added > r.Limits.pending() {
		return tooMany(r.Limits.pending(), "incomplete records")
	}
	return r.room(need)
}

// newMain makes the group of a main record out of what came before of its
// images.
func (r *Reassembler) newMain(in *Record, parts []part) *group {
	g := r.newGroup()
	g.hasMain, g.digest = true, r.digest(in.Data)
	r.charge(g, len(in.Data))
	for _, p := range parts {
		m := r.images[p.id]
		if m == nil {
			m = r.newImage(g, p.id)
		} else {
			old := m.group
			g.absorb(old)
			delete(r.groups, old)
			r.pending--
		}
		m.field, m.total, m.crc = p.field, p.total, p.crc
		if n := m.strays(p.total); n > 0 {
			r.strays = append(r.strays, Orphan{ChunkID: m.id, Main: true, Have: n, Total: m.total, First: g.first, Last: g.last})
			r.bytes += int64(strayCost + len(m.id))
		}
	}
	return g
}
