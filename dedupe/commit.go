package dedupe

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// Commit records that the sink has the batch: the marks of its rows are raised to
// their newest versions, never lowered. Where another writer was faster, the mark
// is loaded and compared again; see [Stats.Contended].
//
// On an error some marks may be raised and others not, which is safe: the batch
// may be committed again, and if the process ends instead, what was delivered and
// is not marked is admitted again. The error is the Store's, the context's,
// [ErrContended] or [ErrFinished].
func (f *Filter) Commit(ctx context.Context, b *Batch) error {
	if b.filter != f {
		return ErrFinished
	}
	// A truncate that is admitted again clears the table, and so it must not be
	// after the rows that followed it were marked.
	var swaps []Swap
	for i := range b.tables {
		if t := &b.tables[i]; t.truncated.now != t.truncated.held {
			swaps = append(swaps, Swap{Key: appendTruncateKey(nil, t), Old: t.truncated.held, New: t.truncated.now})
		}
	}
	if err := f.raise(ctx, swaps, &b.Stats); err != nil {
		return err
	}
	swaps = make([]Swap, 0, len(b.marks))
	for i := range b.marks {
		if m := &b.marks[i]; m.now != m.held {
			swaps = append(swaps, Swap{Key: b.rows.Key(i), Old: m.held, New: m.now})
		}
	}
	if err := f.raise(ctx, swaps, &b.Stats); err != nil {
		return err
	}
	b.finish()
	return nil
}

// raise makes the swaps. One that was lost is decided again: if the mark that
// stands there is older than New, it is swapped for that.
func (f *Filter) raise(ctx context.Context, swaps []Swap, stats *Stats) error {
	for attempt := 0; len(swaps) > 0; attempt++ {
		if attempt == f.attempts() {
			return fmt.Errorf("%w: %d marks", ErrContended, len(swaps))
		}
		if err := f.Store.Swap(ctx, swaps); err != nil {
			return fmt.Errorf("dedupe: swap: %w", err)
		}
		lost := swaps[:0]
		for _, s := range swaps {
			if s.Done {
				stats.Marks++
			} else {
				lost = append(lost, s)
			}
		}
		var err error
		if swaps, err = f.again(ctx, lost, stats, attempt == 0); err != nil {
			return err
		}
	}
	return nil
}

// again returns those of the lost swaps that have to be made still.
func (f *Filter) again(ctx context.Context, lost []Swap, stats *Stats, first bool) ([]Swap, error) {
	if len(lost) == 0 {
		return nil, nil
	}
	held, err := f.load(ctx, lost)
	if err != nil {
		return nil, err
	}
	still := lost[:0]
	for i, s := range lost {
		if held[i] == s.New { // made already, by a call whose answer was lost
			continue
		}
		if first {
			stats.Contended++
		}
		if s.New.Compare(held[i]) > 0 {
			still = append(still, Swap{Key: s.Key, Old: held[i], New: s.New})
		}
	}
	return still, nil
}

// load returns the marks that stand where the swaps want theirs.
func (f *Filter) load(ctx context.Context, swaps []Swap) ([]envelope.Version, error) {
	keys := make([][]byte, len(swaps))
	for i := range swaps {
		keys[i] = swaps[i].Key
	}
	held := make([]envelope.Version, len(swaps))
	if err := f.Store.Load(ctx, keys, held); err != nil {
		return nil, fmt.Errorf("dedupe: load: %w", err)
	}
	return held, nil
}
