package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/rowdelta/rowdelta/dedupe"
)

// evictBatch is how many marks are removed at a time. Swaps come in between.
const evictBatch = 1000

// Evict removes the marks of versions whose commit time is before a watermark,
// and returns how many. It reads all marks, and may run at any time: a mark that
// is swapped meanwhile stays. On an error some are removed.
//
// It has a price. Without its mark, a row's older change that comes after all is
// let in: from a replay that begins before the watermark, a partition that was
// held up, or a connector that takes its snapshot anew. A Filter says of such a
// change that it is [dedupe.Late]; see Floor. So the watermark must be older than
// anything that can still come, by more than clocks are wrong. Marks of versions
// without a commit time are of 1970 and go with the first. Marks of the latest
// time that there is, math.MaxInt64 ns, stay.
func (s *Store) Evict(ctx context.Context, before time.Time) (int, error) {
	n, err := s.evict(ctx, before)
	if err != nil {
		return n, fmt.Errorf("pebblestore: evict: %w", err)
	}
	return n, nil
}

func (s *Store) evict(ctx context.Context, before time.Time) (n int, err error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.life.RUnlock()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{nameKey}, UpperBound: []byte{nameEnd}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var old []dedupe.Swap
	remove := func() error {
		w := &write{ctx: ctx, swaps: old, evict: true, done: make(chan struct{})}
		if err := s.write(w); err != nil {
			return err
		}
		for _, sw := range old {
			if sw.Done {
				n++
			}
		}
		old = old[:0]
		return nil
	}
	for i, ok := 0, it.First(); ok; i, ok = i+1, it.Next() {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		v, err := parse(it.Value())
		if err != nil {
			return n, err
		}
		if t := v.Time(); !t.Before(before) || t.UnixNano() == math.MaxInt64 {
			continue
		}
		old = append(old, dedupe.Swap{Key: slices.Clone(it.Key()), Old: v})
		if len(old) == evictBatch {
			if err := remove(); err != nil {
				return n, err
			}
		}
	}
	if err := it.Error(); err != nil {
		return n, err
	}
	return n, remove()
}

// Floor returns a time that all evicted marks were before, since the directory was
// made: nothing is known of older changes whose row has no mark, and of others
// everything is. It is the zero Time if none was evicted. It never goes back, and
// it is at least this high when a Load does not find what was evicted.
func (s *Store) Floor() time.Time {
	ns := s.floor.Load()
	if ns == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
