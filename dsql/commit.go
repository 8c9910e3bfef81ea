package dsql

import (
	"context"
	"errors"
)

// Commit says that the sink has every record that was returned, and that the
// caller has dealt with every error and every orphan. It calls save with the
// floors, to be stored as the consumer's checkpoints, and then forgets what is
// needed no longer. Shards that have no record here yet are not among them: save
// leaves the checkpoints of those as they are. An error is save's own, with
// nothing forgotten but the fragments that a store that is not durable had; or it
// is the store's. In both cases a later Commit does what is left.
//
// save may be nil. Nobody knows then whether a checkpoint was stored, so that a
// DurableStore keeps its fragments; they have to expire there.
func (r *Reassembler) Commit(ctx context.Context, save func([]Floor) error) error {
	r.init()
	poison(r.buf)
	for _, s := range r.shards {
		s.open = ""
	}
	var errs []error
	for g := range r.groups {
		if !g.settled {
			continue
		}
		g.done = true
		r.bytes -= g.bytes
		g.bytes = 0
		if !r.durable && !g.freed {
			errs = append(errs, r.forget(ctx, g))
		}
	}
	r.returned = 0
	need := r.floors()
	floors := r.floorsOf(need)
	if save != nil {
		if err := save(floors); err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, f := range floors {
			if f.End {
				delete(r.shards, f.Shard)
			}
		}
	}
	r.last = nil
	return errors.Join(append(errs, r.release(ctx, need, save != nil))...)
}

// release drops the groups that are done and of which nothing can be read again
// from the floors. Beyond a limit it drops others that are done too, the oldest
// first, whose parts would look like orphans after a restart.
func (r *Reassembler) release(ctx context.Context, need map[*shard]string, saved bool) error {
	var errs []error
	kept := 0
	groups := r.sorted()
	for i := len(groups) - 1; i >= 0; i-- {
		g := groups[i]
		if !g.done {
			continue
		}
		if !g.below(need) && kept < maxFinished {
			kept++
			continue
		}
		if r.durable && saved && !g.lost {
			if err := r.forget(ctx, g); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		for _, m := range g.images {
			r.finished.add(m.id, g.lost)
			delete(r.images, m.id)
		}
		delete(r.groups, g)
	}
	return errors.Join(errs...)
}

// Discard says that the sink does not have what was returned since the last
// commit, and that every shard will be read again from its floor. The records
// are returned again as their main records come again.
func (r *Reassembler) Discard() {
	r.init()
	poison(r.buf)
	for s, sequence := range r.floors() {
		s.open, s.retry = "", sequence
	}
	for g := range r.groups {
		if g.settled && !g.done && !g.lost {
			g.settled = false
			r.pending++
		}
	}
	r.returned = 0
}
