package route

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// An Admission knows what was answered before, and tells what a newer change of
// its row has made stale. dedupe.Filter is one. It must be safe for concurrent
// use.
type Admission interface {
	// Order sets order[i] to -1 if a newer change of the row of changes[i] was
	// answered before or stands in front of it; to +1 if no change of the row was
	// and none does; and to 0 for what lies between: a repeat, or a newer change of a
	// row that is known. Or it sets errs[i], if that cannot be said, to a cause
	// without row data. The slices have one length. An error is one of all, and the
	// event will be tried again. Order must not keep the slices.
	//
	// raise, called once the response is built or not at all, records which of the
	// changes were sent. The changes are valid until then. On an error the response
	// is not given, and the event will be tried again.
	Order(ctx context.Context, changes []envelope.Change, order []int, errs []error) (raise func(ctx context.Context, sent []bool) error, err error)
}

// An admission is the part of a batch that a Firehose's Admission sees.
type admission struct {
	changes []envelope.Change
	items   []int // by change
	raise   func(ctx context.Context, sent []bool) error
}

// consider notes the change of the last item, which would be sent.
func (a *admission) consider(c *envelope.Change, item int) {
	a.changes = append(a.changes, *c)
	a.items = append(a.items, item)
}

func (a *admission) reset() {
	clear(a.changes)
	*a = admission{changes: a.changes[:0], items: a.items[:0]}
}

// admit drops what is stale.
func (b *batch) admit(ctx context.Context) error {
	a := &b.admission
	n := 0
	for i, item := range a.items { // Coalesce may have dropped some
		if b.items[item].result == resultOk {
			a.changes[n], a.items[n] = a.changes[i], item
			n++
		}
	}
	clear(a.changes[n:])
	if a.changes, a.items = a.changes[:n], a.items[:n]; n == 0 {
		return nil
	}
	order, errs := make([]int, n), make([]error, n)
	var err error
	if a.raise, err = b.f.Admission.Order(ctx, a.changes, order, errs); err != nil {
		return fmt.Errorf("route: admission: %w", err)
	}
	for i, item := range a.items {
		it := &b.items[item]
		switch {
		case errs[i] != nil:
			it.fail(NoKey, errs[i])
		case order[i] < 0:
			it.drop(Stale)
		case order[i] == 0 && it.operation == operationInsert:
			// It may have been sent before. Or the delete between it and the row that is
			// there comes later, and will be stale.
			it.operation = operationUpdate
		}
	}
	return nil
}

// raise records what is sent, once the response is built.
func (b *batch) raise(ctx context.Context) error {
	if b.admission.raise == nil {
		return nil
	}
	sent := make([]bool, len(b.admission.items))
	for i, item := range b.admission.items {
		sent[i] = b.items[item].result == resultOk
	}
	if err := b.admission.raise(ctx, sent); err != nil {
		return fmt.Errorf("route: admission: %w", err)
	}
	return nil
}
