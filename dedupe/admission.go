package dedupe

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// Order is Admit for a transform that answers each record and never learns
// whether its answer arrived, such as route.Firehose, whose Admission it is. It
// sets order[i] to -1 if changes[i] is Stale, to +1 if it is Newer and nothing
// else is known of its row, and to 0 for what else is admitted and for a Repeat;
// or errs[i] if it is Failed. The slices have one length.
//
// raise records the changes that were sent, and is called once the answer is
// complete. It fails with [ErrContended] if another call moved the mark of one of
// them since Order: of two answers under way at once the older could arrive last.
// The answer is not to be given then; tried again, the change is Stale or a
// Repeat. raise must not be called twice, and need not be called. Of the changes
// it reads the versions again.
func (f *Filter) Order(ctx context.Context, changes []envelope.Change, order []int, errs []error) (raise func(ctx context.Context, sent []bool) error, err error) {
	b, err := f.Admit(ctx, changes)
	if err != nil {
		return nil, err
	}
	known := make([]bool, len(b.marks))
	for i, m := range b.marks {
		known[i] = !m.held.IsZero()
	}
	for i, d := range b.Decisions {
		order[i], errs[i] = 0, d.Err
		row := b.of[i].row
		switch {
		case d.Verdict == Stale:
			order[i] = -1
		case d.Verdict == Newer && row >= 0 && !known[row]:
			order[i] = 1
		}
		if row >= 0 {
			known[row] = true
		}
	}
	return func(ctx context.Context, sent []bool) error {
		b.keep(changes, sent)
		return b.raiseAlone(ctx, sent)
	}, nil
}

// keep lowers the marks to what the changes that were sent make of them.
func (b *Batch) keep(changes []envelope.Change, sent []bool) {
	for i := range b.tables {
		m := &b.tables[i].truncated
		m.now = m.held
	}
	for i := range b.marks {
		m := &b.marks[i]
		m.now = m.held
	}
	for i, at := range b.of {
		switch {
		case !sent[i] || at.row == noRow:
		case at.row == allRows:
			b.tables[at.table].truncated.raise(changes[i].Version)
		default:
			b.marks[at.row].raise(changes[i].Version)
		}
	}
}

// raiseAlone raises the marks of what was sent, if nobody else moved them. A mark
// that stays as it is, a repeat's, is only looked at.
func (b *Batch) raiseAlone(ctx context.Context, sent []bool) error {
	f := b.filter
	if f == nil {
		return ErrFinished
	}
	var raised, same []Swap
	add := func(key []byte, m *mark) {
		if s := (Swap{Key: key, Old: m.held, New: m.now}); s.Old != s.New {
			raised = append(raised, s)
		} else {
			same = append(same, s)
		}
	}
	done := make([]bool, len(b.marks))
	for i, at := range b.of {
		if sent[i] && at.row >= 0 && !done[at.row] {
			done[at.row] = true
			add(b.rows.Key(at.row), &b.marks[at.row])
		}
	}
	for i := range b.tables {
		if t := &b.tables[i]; t.truncated.now != t.truncated.held {
			add(appendTruncateKey(nil, t), &t.truncated)
		}
	}
	b.finish()
	if len(raised) > 0 {
		if err := f.Store.Swap(ctx, raised); err != nil {
			return fmt.Errorf("dedupe: swap: %w", err)
		}
		for i := range raised {
			if !raised[i].Done {
				return ErrContended
			}
		}
	}
	if len(same) == 0 {
		return nil
	}
	held, err := f.load(ctx, same)
	if err != nil {
		return err
	}
	for i := range same {
		if held[i] != same[i].Old {
			return ErrContended
		}
	}
	return nil
}
