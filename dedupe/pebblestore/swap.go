package pebblestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// batchBytes is from where on a batch is committed, and another one begun. Pebble
// takes batches up to 4 GiB.
const batchBytes = 16 << 20

// A write is a call that waits for its turn.
type write struct {
	ctx   context.Context
	swaps []dedupe.Swap
	evict bool // the keys are names already, and New is zero: no mark
	done  chan struct{}
	err   error // set before done is closed
}

// Swap implements [dedupe.Store]. It returns after the marks are synced.
//
// One goroutine writes at a time, for all that wait. So nobody comes between a
// look at a mark and its replacement, and one sync serves many.
func (s *Store) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	err := s.enter()
	if err == nil {
		defer s.life.RUnlock()
		err = s.write(&write{ctx: ctx, swaps: swaps, done: make(chan struct{})})
	}
	if err != nil {
		return fmt.Errorf("pebblestore: swap: %w", err)
	}
	return nil
}

// write makes w's swaps, here or in the goroutine of another call.
func (s *Store) write(w *write) error {
	if len(w.swaps) == 0 {
		return nil
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
		s.lead()
	case <-w.done:
	case <-w.ctx.Done():
		if s.withdraw(w) {
			return w.ctx.Err()
		}
	}
	// Whoever took w uses the caller's slices until then.
	<-w.done
	return w.err
}

// lead writes for all that wait. It ends the turn.
func (s *Store) lead() {
	defer func() { <-s.turn }()
	s.commit(s.take())
}

// take returns all that wait.
func (s *Store) take() []*write {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := s.waiting
	s.waiting = nil
	return group
}

// withdraw reports whether w still waited. It no longer does.
func (s *Store) withdraw(w *write) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, w)
	if i < 0 {
		return false
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return true
}

// commit makes the swaps of a group in the order of its writes, and syncs them
// together. The caller has the turn.
func (s *Store) commit(group []*write) {
	err := errors.New("another call panicked")
	defer func() {
		for _, w := range group {
			if err != nil {
				w.err = err
			}
			close(w.done)
		}
	}()
	if f := s.failed.Load(); f != nil {
		err = f.err
		return
	}
	g := &grouped{s: s, floor: math.MinInt64}
	if len(group) > 1 { // the keys of one write are different
		g.moved = map[string]envelope.Version{}
	}
	if err = guard(func() error { return g.run(group) }); err != nil {
		s.fail(err)
	}
}

// grouped is a commit under way.
type grouped struct {
	s     *Store
	batch *pebble.Batch
	moved map[string]envelope.Version // the marks in the batch by name, unless nobody looks for them
	floor int64                       // after all that is evicted
	name  []byte
	value []byte
}

// run sets the errors of writes whose marks cannot be read or whose context is
// over, and returns that of a write to the disk.
func (g *grouped) run(group []*write) error {
	g.batch = g.s.db.NewBatch()
	for _, w := range group {
		for i := range w.swaps {
			if i%checkEvery == 0 && w.ctx.Err() != nil {
				w.err = w.ctx.Err()
				break
			}
			if w.err = g.swap(w, &w.swaps[i]); w.err != nil {
				break
			}
			if g.batch.Len() > g.s.batchBytes {
				if err := g.commit(); err != nil {
					return err
				}
				g.batch = g.s.db.NewBatch()
				clear(g.moved)
			}
		}
	}
	return g.commit()
}

// commit writes and syncs what is in the batch, and closes it unless that fails:
// then Pebble may have it still.
func (g *grouped) commit() error {
	if g.batch.Empty() {
		return g.batch.Close()
	}
	if g.floor > g.s.floor.Load() {
		// With what is evicted, and for others to see before that is gone.
		g.s.floor.Store(g.floor)
		if err := g.batch.Set([]byte(floorName), binary.BigEndian.AppendUint64(nil, uint64(g.floor)), nil); err != nil {
			return err
		}
	}
	if err := g.batch.Commit(pebble.Sync); err != nil {
		return err
	}
	return g.batch.Close()
}

// swap adds a swap to the batch if its mark is the one to be replaced.
func (g *grouped) swap(w *write, sw *dedupe.Swap) (err error) {
	if w.evict {
		g.name = append(g.name[:0], sw.Key...)
	} else {
		g.name = appendName(g.name[:0], sw.Key)
	}
	have, ok := g.moved[string(g.name)]
	if !ok {
		if have, err = g.s.mark(g.name); err != nil {
			return err
		}
	}
	if sw.Done = have == sw.Old; !sw.Done || sw.New == have {
		return nil
	}
	if sw.New.IsZero() && !w.evict {
		return errors.New("a new mark is zero")
	}
	if g.moved != nil {
		g.moved[string(g.name)] = sw.New
	}
	if sw.New.IsZero() {
		g.floor = max(g.floor, have.Time().UnixNano()+1)
		return g.batch.Delete(g.name, nil)
	}
	if g.value, err = sw.New.AppendBinary(g.value[:0]); err != nil {
		return err
	}
	return g.batch.Set(g.name, g.value, nil)
}
