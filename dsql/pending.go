package dsql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// Poll tries to complete the split records whose main record has come, for a
// [DurableStore] whose fragments other processes put there, and after a store
// failed. Each record is valid until the next one; the errors are those of Add.
// A break leaves the rest for the next call.
func (r *Reassembler) Poll(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r.init()
		for _, g := range r.sorted() {
			if g.main == nil || !r.durable && !g.complete() {
				continue
			}
			poison(r.buf)
			record, err := r.finishHeld(ctx, g)
			if (record != nil || err != nil) && !yield(record, err) {
				return
			}
		}
	}
}

// sorted returns the groups in the order in which they appeared.
func (r *Reassembler) sorted() []*group {
	groups := make([]*group, 0, len(r.groups))
	for g := range r.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int { return cmp.Compare(a.number, b.number) })
	return groups
}

// Pending describes the images that are incomplete now, the oldest first.
func (r *Reassembler) Pending() []Orphan {
	var out []Orphan
	for _, g := range r.sorted() {
		if !g.settled {
			out = append(out, g.orphans()...)
		}
	}
	return out
}

// Expire gives up the split records that are incomplete and of which nothing has
// arrived since [Limits].Age before the watermark, the time through which every
// shard of the stream has been read. It reports what it gave up: for the rows
// concerned, a change is lost, unless the parts are late repeats of a record
// that was complete. It also reports fragments that came with an index beyond
// the end of their image. Nothing is ever given up for its age but here. An
// error is one of the store; the report stands.
//
// The watermark is the earliest time, over all shards of the stream, of which it
// is certain that all that arrived before it was added: for a shard that was read
// to its tip, the time at which that was asked (MillisBehindLatest was 0), for
// one that is behind, the arrival of the last record. All shards means those
// that ListShards names: children of a closed one may have hours of records that
// nobody has asked for, and without an answer from each of them there is no
// watermark.
//
// A consumer that catches up goes through history faster than it happened, and
// one that is slow finds old parts that lay unread; the age is that of the
// records' arrivals, not of the time that reading takes. For the same reason the
// time of a question is by the stream's clock, not by one that may be ahead of
// it. An age that is shorter than the pause between two parts' arrivals gives up
// records whose other parts are still to be read.
func (r *Reassembler) Expire(ctx context.Context, watermark time.Time) ([]Orphan, error) {
	r.init()
	out := r.strays
	r.strays = nil
	for _, o := range out {
		r.bytes -= int64(strayCost + len(o.ChunkID))
	}
	var errs []error
	for _, g := range r.sorted() {
		if !g.settled && g.last.Add(r.Limits.age()).Before(watermark) {
			out = append(out, g.orphans()...)
			errs = append(errs, r.giveUp(ctx, g))
		}
	}
	return out, errors.Join(errs...)
}

// Bytes returns how much memory counts against [Limits].PendingBytes now: parts
// that wait for others, and what was returned and not committed. A consumer whose
// shards are read at different speeds does well to let those that are ahead wait
// before the limit is reached: what is missing may be in the others.
func (r *Reassembler) Bytes() int64 { return r.bytes }

func tooMany(limit int, what string) error {
	return fmt.Errorf("%w: more than %d %s", envelope.ErrLimit, limit, what)
}

// newGroup makes a group that is pending.
func (r *Reassembler) newGroup() *group {
	r.number++
	r.pending++
	g := &group{number: r.number}
	r.groups[g] = struct{}{}
	r.charge(g, groupCost)
	return g
}

// newImage makes an image of g.
func (r *Reassembler) newImage(g *group, id string) *image {
	m := &image{id: id, group: g}
	g.images = append(g.images, m)
	r.images[id] = m
	r.charge(g, imageCost+len(id))
	return m
}

// charge counts memory that g takes.
func (r *Reassembler) charge(g *group, n int) {
	g.bytes += int64(n)
	r.bytes += int64(n)
}

// admit decides whether a fragment of an image, nil if it is the first of it,
// can be kept. An error wraps ErrLimit or is ErrUncommitted.
func (r *Reassembler) admit(m *image, id string, size int) error {
	need := size + fragmentCost
	if m == nil {
		if r.pending >= r.Limits.pending() {
			return tooMany(r.Limits.pending(), "incomplete records")
		}
		need += groupCost + imageCost + len(id)
	} else if m.bytes+size > r.Limits.imageBytes() {
		return tooMany(r.Limits.imageBytes(), "bytes in an image")
	}
	return r.room(need)
}

// room decides whether n more bytes can be kept.
func (r *Reassembler) room(n int) error {
	limit := r.Limits.pendingBytes()
	switch {
	case r.bytes+int64(n) <= limit:
		return nil
	case r.bytes-r.returned+int64(n) <= limit:
		return ErrUncommitted
	}
	return fmt.Errorf("%w: more than %d bytes pending", envelope.ErrLimit, limit)
}

// refuse returns the error for a part of the image about, and gives up images
// that it belongs to.
func (r *Reassembler) refuse(ctx context.Context, s *shard, in *Record, f jsonscan.Field, err error, about string, ids ...string) error {
	if errors.Is(err, ErrUncommitted) {
		return err
	}
	fault := &PartError{ChunkID: about, Err: r.record.fault(f, err)}
	var groups []*group
	for _, id := range ids {
		m := r.images[id]
		if m == nil {
			r.finished.add(id, true)
			orphan := Orphan{ChunkID: id, First: in.Arrival, Last: in.Arrival}
			if s != nil {
				orphan.Where = []Span{{s.id, in.Sequence, in.Sequence}}
			}
			fault.Lost = append(fault.Lost, orphan)
			continue
		}
		m.group.at(s, in)
		groups = append(groups, m.group)
		fault.Lost = append(fault.Lost, m.group.orphans()...)
	}
	return r.lose(ctx, fault, groups...)
}

// lose gives up groups and returns the error that says so.
func (r *Reassembler) lose(ctx context.Context, fault *PartError, groups ...*group) error {
	var failed error
	for _, g := range groups {
		failed = errors.Join(failed, r.giveUp(ctx, g))
	}
	if failed != nil {
		return fmt.Errorf("%w (and forgetting failed: %w)", fault, failed)
	}
	return fault
}

// giveUp drops what is kept of a group, but for where it was: a commit says that
// the caller has dealt with the loss. What a durable store has stays there, to
// be recovered by hand.
func (r *Reassembler) giveUp(ctx context.Context, g *group) error {
	if g.settled {
		r.returned -= g.bytes
	} else {
		r.pending--
	}
	g.settled, g.lost, g.main = true, true, nil
	r.bytes -= g.bytes
	g.bytes = 0
	if r.durable {
		return nil
	}
	return r.forget(ctx, g)
}

// forget drops the group's fragments from the store.
func (r *Reassembler) forget(ctx context.Context, g *group) error {
	for _, m := range g.images {
		if err := r.Store.Forget(ctx, m.id); err != nil {
			return fmt.Errorf("dsql: fragment store: %w", err)
		}
	}
	g.freed = true
	return nil
}
