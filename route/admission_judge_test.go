package route_test

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/require"
)

// A judge is an Admission that says what it was told to. It serves one event at a time, and checks how it is used.
type judge struct {
	t        tb
	says     func(c *envelope.Change) (order int, err error) // nil: newer
	unsaid   error                                           // of Order
	unraised error                                           // of raise
	asked    []*question
}

// A question is one call of Order, and what raise was told.
type question struct {
	ctx, raiseCtx context.Context
	changes       []envelope.Change
	raised        bool
	sent          []bool
}

func (j *judge) Order(ctx context.Context, changes []envelope.Change, order []int, errs []error) (func(context.Context, []bool) error, error) {
	q := &question{ctx: ctx}
	j.asked = append(j.asked, q)
	require.NotEmpty(j.t, changes)
	require.Equal(j.t, make([]int, len(changes)), order)
	require.Equal(j.t, make([]error, len(changes)), errs)
	for i := range changes {
		q.changes = append(q.changes, changes[i].Clone())
		order[i] = 1
		if j.says != nil {
			order[i], errs[i] = j.says(&changes[i])
		}
	}
	return func(ctx context.Context, sent []bool) error {
		require.False(j.t, q.raised, "raised twice")
		require.NoError(j.t, j.unsaid, "raised although there was no order")
		require.Len(j.t, sent, len(changes))
		require.Equal(j.t, q.changes, changes, "not valid any more")
		q.raised, q.sent, q.raiseCtx = true, slices.Clone(sent), ctx
		for i := range changes { // to see that nobody reads them any more
			spoil(changes[i].Before)
			spoil(changes[i].After)
		}
		return j.unraised
	}, j.unsaid
}

func spoil(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}

func admission(j *judge) func(*route.Firehose) {
	return func(f *route.Firehose) { f.Admission = j }
}

// byID says what the order_id is: 1 stale, 2 as new, 3 newer, 4 an error.
func byID(c *envelope.Change) (order int, err error) {
	v, _ := c.Image().Get("order_id")
	id, _ := v.Int64()
	if id == 4 {
		return -1, errNoTelling
	}
	return int(id) - 2, nil
}

var errNoTelling = errors.New("no telling")

// handle answers the records of an event by Handle, and gives the answers as those of Invoke are given.
func handle(t tb, f *route.Firehose, s shape, values ...[]byte) []answer {
	t.Helper()
	typed, err := f.Handle(t.Context(), typedEvent(s, values))
	require.NoError(t, err)
	return answers(t, marshal(t, typed))
}

func typedEvent(s shape, values [][]byte) (ev route.Event) {
	for i, v := range values {
		r := route.Record{RecordID: id(i), Data: bytes.Clone(v)}
		if s == msk {
			r.Data, r.KafkaRecordValue = nil, r.Data
		}
		ev.Records = append(ev.Records, r)
	}
	return ev
}

// silent is an Admission that says nothing new and has nothing to raise.
type silent struct{}

func (silent) Order(context.Context, []envelope.Change, []int, []error) (func(context.Context, []bool) error, error) {
	return nil, nil
}

// raising is one that has.
type raising struct{}

func (raising) Order(context.Context, []envelope.Change, []int, []error) (func(context.Context, []bool) error, error) {
	return raiseNothing, nil
}

func raiseNothing(context.Context, []bool) error { return nil }
