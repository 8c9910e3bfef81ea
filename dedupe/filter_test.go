package dedupe_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// marks is the plainest Store. before, if set, is called before each call does
// its work, and its error is the call's.
type marks struct {
	mu     sync.Mutex
	m      map[string]envelope.Version
	before func(op string, keys int) error
	partly func() error // before each swap of a call
}

func (s *marks) begin(op string, keys int) error {
	if s.before == nil {
		return nil
	}
	return s.before(op, keys)
}

func (s *marks) Load(_ context.Context, keys [][]byte, versions []envelope.Version) error {
	if err := s.begin("load", len(keys)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, key := range keys {
		versions[i] = s.m[string(key)]
	}
	return nil
}

func (s *marks) Swap(_ context.Context, swaps []dedupe.Swap) error {
	if err := s.begin("swap", len(swaps)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]envelope.Version{}
	}
	for i := range swaps {
		w := &swaps[i]
		if s.partly != nil {
			if err := s.partly(); err != nil {
				return err
			}
		}
		if w.Done = s.m[string(w.Key)] == w.Old; w.Done {
			s.m[string(w.Key)] = w.New
		}
	}
	return nil
}

var (
	orders = envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	items  = envelope.Table{DB: "shop", Schema: "public", Name: "items"}
)

// at is a position of a log in which each change has a place of its own.
func at(n int) envelope.Version { return envelope.PositionVersion(int64(n)*1000, 0, uint64(n)) }

func upsert(t envelope.Table, id int, v envelope.Version, columns string) envelope.Change {
	return envelope.Change{Op: envelope.OpUpdate, Table: t, Version: v, Key: fmt.Appendf(nil, `{"id":%d}`, id), After: fmt.Appendf(nil, `{"id":%d%s}`, id, columns)}
}

func remove(t envelope.Table, id int, v envelope.Version) envelope.Change {
	return envelope.Change{Op: envelope.OpDelete, Table: t, Version: v, Key: fmt.Appendf(nil, `{"id":%d}`, id), Before: fmt.Appendf(nil, `{"id":%d}`, id)}
}

func truncate(t envelope.Table, v envelope.Version) envelope.Change {
	return envelope.Change{Op: envelope.OpTruncate, Table: t, Version: v}
}

func verdicts(b *dedupe.Batch) (out []dedupe.Verdict) {
	for _, d := range b.Decisions {
		out = append(out, d.Verdict)
	}
	return out
}

func admit(t *testing.T, f *dedupe.Filter, changes ...envelope.Change) *dedupe.Batch {
	t.Helper()
	b, err := f.Admit(t.Context(), changes)
	require.NoError(t, err)
	return b
}

func TestVerdicts(t *testing.T) {
	const (
		newer, tie, rowless, repeat, stale = dedupe.Newer, dedupe.Tie, dedupe.Rowless, dedupe.Repeat, dedupe.Stale
	)
	up := func(id, n int) envelope.Change { return upsert(orders, id, at(n), fmt.Sprintf(`,"v":%d`, n)) }
	timed := func(n int64, columns string) envelope.Change {
		return upsert(orders, 1, envelope.TimeVersion(n), columns)
	}
	for _, c := range []struct {
		name string
		held []envelope.Change // committed before
		got  []envelope.Change
		want []dedupe.Verdict
	}{
		{"nothing known", nil, []envelope.Change{up(1, 1), up(2, 1), up(1, 2)}, []dedupe.Verdict{newer, newer, newer}},
		{"within the batch", nil, []envelope.Change{up(1, 2), up(1, 1), up(1, 2), up(1, 3)}, []dedupe.Verdict{newer, stale, repeat, newer}},
		{"against the store", []envelope.Change{up(1, 2)}, []envelope.Change{up(1, 1), up(1, 2), up(1, 3), up(2, 1)}, []dedupe.Verdict{stale, repeat, newer, newer}},
		{"a delete is a mark", []envelope.Change{remove(orders, 1, at(5))}, []envelope.Change{up(1, 4), remove(orders, 1, at(5)), up(1, 6)}, []dedupe.Verdict{stale, repeat, newer}},
		{"of another table", []envelope.Change{up(1, 5)}, []envelope.Change{upsert(items, 1, at(1), "")}, []dedupe.Verdict{newer}},
		{"times tie", []envelope.Change{timed(5, "")}, []envelope.Change{timed(5, ""), timed(5, `,"v":1`), timed(4, ""), timed(6, "")}, []dedupe.Verdict{tie, tie, stale, newer}},
		{"no version", []envelope.Change{up(1, 5)}, []envelope.Change{remove(orders, 1, envelope.Version{}), up(1, 4), up(1, 6)}, []dedupe.Verdict{tie, stale, newer}},
		{"one place, other images", nil, []envelope.Change{upsert(orders, 1, at(1), `,"v":1`), upsert(orders, 1, at(1), `,"v":2`)}, []dedupe.Verdict{newer, tie}},
		{"no rows", nil, []envelope.Change{{Op: envelope.OpHeartbeat}, {Op: envelope.OpTombstone, Key: envelope.Row(`{"id":1}`)}, {}}, []dedupe.Verdict{rowless, rowless, rowless}},
		{"a truncate", []envelope.Change{up(1, 1), up(2, 5)}, []envelope.Change{truncate(orders, at(3)), up(1, 2), up(3, 2), up(3, 4), upsert(items, 1, at(1), ""), remove(orders, 4, envelope.Version{})},
			[]dedupe.Verdict{newer, stale, stale, newer, newer, tie}},
		{"truncates among tables", nil, []envelope.Change{truncate(orders, at(3)), upsert(items, 1, at(1), ""), up(1, 2), truncate(items, at(4)), up(1, 4), upsert(items, 2, at(3), "")},
			[]dedupe.Verdict{newer, newer, stale, newer, newer, stale}},
		{"a truncate again", []envelope.Change{up(1, 1), truncate(orders, at(3)), up(1, 4)}, []envelope.Change{up(1, 1), truncate(orders, at(3)), up(1, 4), truncate(orders, at(2)), truncate(orders, at(5)), up(1, 4)},
			[]dedupe.Verdict{stale, repeat, repeat, stale, newer, stale}},
		{"a truncate again, by time", []envelope.Change{truncate(orders, envelope.TimeVersion(3)), timed(4, "")},
			[]envelope.Change{truncate(orders, envelope.TimeVersion(3)), timed(4, ""), truncate(orders, envelope.TimeVersion(5)), truncate(orders, envelope.TimeVersion(5))},
			[]dedupe.Verdict{repeat, tie, newer, tie}},
		{"a truncate without version", []envelope.Change{truncate(orders, envelope.TimeVersion(3))}, []envelope.Change{truncate(orders, envelope.Version{})}, []dedupe.Verdict{tie}},
		{"a truncate without version, first", nil, []envelope.Change{truncate(orders, envelope.Version{})}, []dedupe.Verdict{tie}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &dedupe.Filter{Store: new(marks)}
			require.NoError(t, f.Commit(t.Context(), admit(t, f, c.held...)))
			for range 2 { // Admit changes nothing
				b := admit(t, f, c.got...)
				assert.Equal(t, c.want, verdicts(b))
				var admitted []envelope.Change
				counts := b.Stats.Verdicts
				for i, v := range c.want {
					counts[v]--
					if v.Admitted() {
						admitted = append(admitted, c.got[i])
					}
				}
				assert.Equal(t, admitted, append([]envelope.Change(nil), b.Admitted(c.got)...))
				assert.Zero(t, counts)
				f.Discard(b)
				assert.ErrorIs(t, f.Commit(t.Context(), b), dedupe.ErrFinished)
			}
			b := admit(t, f, c.got...)
			require.NoError(t, f.Commit(t.Context(), b))
			for i, v := range verdicts(admit(t, f, c.got...)) { // nothing is new any more
				assert.NotEqual(t, newer, v, i)
			}
		})
	}
}

// Two changes of a row at one position, cut into two batches.
func TestSharedPlaces(t *testing.T) {
	store := new(marks)
	f := &dedupe.Filter{Store: store, SharedPlaces: true}
	one, two := upsert(orders, 1, at(5), `,"v":1`), upsert(orders, 1, at(5), `,"v":2`)
	require.NoError(t, f.Commit(t.Context(), admit(t, f, one)))
	assert.Equal(t, []dedupe.Verdict{dedupe.Tie, dedupe.Stale, dedupe.Newer, dedupe.Repeat}, verdicts(admit(t, f, two, upsert(orders, 1, at(4), ""), upsert(orders, 1, at(6), ""), upsert(orders, 1, at(6), ""))))
	assert.Equal(t, []dedupe.Verdict{dedupe.Repeat}, verdicts(admit(t, &dedupe.Filter{Store: store}, two)))
	require.NoError(t, f.Commit(t.Context(), admit(t, f, truncate(items, at(1)))))
	assert.Equal(t, []dedupe.Verdict{dedupe.Repeat}, verdicts(admit(t, f, truncate(items, at(1)))))
}

func TestFailedChanges(t *testing.T) {
	keyless := envelope.Change{Op: envelope.OpDelete, Table: orders, Version: at(9)}
	unread := upsert(orders, 1, at(9), "")
	unread.Key = envelope.Row(`{"id":1,"id":2}`)
	f := &dedupe.Filter{Store: new(marks)}
	b := admit(t, f, upsert(orders, 1, at(1), ""), keyless, unread, upsert(orders, 1, at(2), ""))
	assert.Equal(t, []dedupe.Verdict{dedupe.Newer, dedupe.Failed, dedupe.Failed, dedupe.Newer}, verdicts(b))
	require.ErrorIs(t, b.Decisions[1].Err, envelope.ErrNoKey)
	require.ErrorIs(t, b.Decisions[2].Err, envelope.ErrDuplicate)
	assert.True(t, envelope.IsPermanent(b.Decisions[2].Err))
	assert.Len(t, b.Admitted([]envelope.Change{{}, {}, {}, {}}), 2)
	require.NoError(t, f.Commit(t.Context(), b))
	assert.Equal(t, 1, b.Stats.Marks)
}

func TestMovedRows(t *testing.T) {
	keys := envelope.KeyColumns(map[envelope.Table][]string{orders: {"id"}})
	update := func(before, after string) envelope.Change {
		c := envelope.Change{Op: envelope.OpUpdate, Table: orders, Version: at(1), After: envelope.Row(after)}
		if before != "" {
			c.Before = envelope.Row(before)
		}
		return c
	}
	moved := update(`{"id":1,"v":1}`, `{"id":2,"v":1}`)
	f := &dedupe.Filter{Store: new(marks), Keys: keys}
	b := admit(t, f, update("", `{"id":1}`), update(`{"id":1}`, `{"id":1.0}`), update(`{"v":3}`, `{"id":3}`), moved)
	assert.Equal(t, []dedupe.Verdict{dedupe.Newer, dedupe.Tie, dedupe.Newer, dedupe.Failed}, verdicts(b))
	assert.ErrorIs(t, b.Decisions[3].Err, dedupe.ErrMoved)

	two, err := dedupe.Split(nil, &moved, keys)
	require.NoError(t, err)
	assert.Equal(t, []envelope.Change{
		{Op: envelope.OpDelete, Table: orders, Version: at(1), Before: envelope.Row(`{"id":1,"v":1}`)},
		{Op: envelope.OpCreate, Table: orders, Version: at(1), After: envelope.Row(`{"id":2,"v":1}`)},
	}, two)
	b = admit(t, f, two...)
	assert.Equal(t, []dedupe.Verdict{dedupe.Newer, dedupe.Newer}, verdicts(b))

	for _, c := range []envelope.Change{update("", `{"id":1}`), update(`{"id":1}`, `{"id":1}`), update(`{"v":1}`, `{"id":1}`), remove(orders, 1, at(1))} {
		one, err := dedupe.Split(two[:1:1], &c, keys)
		require.NoError(t, err)
		assert.Equal(t, []envelope.Change{two[0], c}, one)
	}
	same, err := dedupe.Split(two, new(update("", `{"v":1}`)), keys)
	assert.ErrorIs(t, err, envelope.ErrMissing)
	assert.Equal(t, two, same)
}

// Two filters over one store, as two processes.
func TestForget(t *testing.T) {
	store := new(marks)
	f, other := &dedupe.Filter{Store: store}, &dedupe.Filter{Store: store}
	before := []envelope.Change{upsert(orders, 1, at(5), ""), upsert(items, 1, at(5), ""), truncate(orders, at(4))}
	after := []envelope.Change{upsert(orders, 1, at(1), ""), upsert(items, 1, at(1), ""), truncate(orders, at(1))}
	require.NoError(t, f.Commit(t.Context(), admit(t, f, before...)))
	assert.Equal(t, []dedupe.Verdict{dedupe.Stale, dedupe.Stale, dedupe.Stale}, verdicts(admit(t, other, after...)))

	require.NoError(t, f.Forget(t.Context(), orders))
	for _, f := range []*dedupe.Filter{f, other, {Store: store}} {
		assert.Equal(t, []dedupe.Verdict{dedupe.Newer, dedupe.Stale, dedupe.Newer}, verdicts(admit(t, f, after...)))
	}
	require.NoError(t, other.Commit(t.Context(), admit(t, other, after...)))
	assert.Equal(t, []dedupe.Verdict{dedupe.Repeat, dedupe.Stale, dedupe.Repeat}, verdicts(admit(t, f, after...)))

	// An epoch like no other, whoever else calls Forget at that moment.
	calls := 0
	store.before = func(op string, _ int) error {
		if calls++; calls != 2 {
			return nil
		}
		store.before = nil
		return f.Forget(t.Context(), orders)
	}
	require.NoError(t, other.Forget(t.Context(), orders))
	assert.Equal(t, 2, calls)
	require.NoError(t, f.Commit(t.Context(), admit(t, f, after...)))
	require.NoError(t, other.Forget(t.Context(), orders))
	assert.Equal(t, []dedupe.Verdict{dedupe.Newer, dedupe.Stale, dedupe.Newer}, verdicts(admit(t, f, after...)))
}

// What another writer raised in between is not lowered, and is told.
func TestContended(t *testing.T) {
	store := new(marks)
	f, other := &dedupe.Filter{Store: store}, &dedupe.Filter{Store: store}
	mine := admit(t, f, upsert(orders, 1, at(2), ""), upsert(orders, 2, at(2), ""), upsert(orders, 3, at(2), ""), upsert(orders, 4, at(2), ""))
	theirs := admit(t, other, upsert(orders, 1, at(2), ""), upsert(orders, 2, at(3), ""), upsert(orders, 3, at(1), ""))
	require.NoError(t, other.Commit(t.Context(), theirs))
	assert.Equal(t, dedupe.Stats{Verdicts: theirs.Stats.Verdicts, Marks: 3}, theirs.Stats)
	other.Discard(mine) // is not theirs
	require.ErrorIs(t, other.Commit(t.Context(), mine), dedupe.ErrFinished)
	require.NoError(t, f.Commit(t.Context(), mine))
	assert.Equal(t, 2, mine.Stats.Marks)     // rows 3 and 4
	assert.Equal(t, 2, mine.Stats.Contended) // rows 2 and 3; of 1 both had the same change
	assert.Equal(t, []dedupe.Verdict{dedupe.Repeat, dedupe.Repeat, dedupe.Repeat, dedupe.Repeat},
		verdicts(admit(t, f, upsert(orders, 1, at(2), ""), upsert(orders, 2, at(3), ""), upsert(orders, 3, at(2), ""), upsert(orders, 4, at(2), ""))))
}

// A batch takes one Load and one Swap, and one Swap more for truncates.
func TestRoundTrips(t *testing.T) {
	store := new(marks)
	var calls []string
	store.before = func(op string, keys int) error {
		calls = append(calls, fmt.Sprint(op, keys))
		return nil
	}
	f := &dedupe.Filter{Store: store}
	take := func(changes ...envelope.Change) []string {
		calls = nil
		require.NoError(t, f.Commit(t.Context(), admit(t, f, changes...)))
		return calls
	}
	assert.Equal(t, []string{"load4", "swap2"}, take(upsert(orders, 1, at(1), ""), upsert(orders, 2, at(1), ""), upsert(orders, 1, at(2), "")))
	assert.Equal(t, []string{"load4", "swap1"}, take(upsert(orders, 1, at(1), ""), upsert(orders, 2, at(2), "")))
	assert.Equal(t, []string{"load5", "swap1", "swap1"}, take(truncate(orders, at(9)), upsert(items, 1, at(9), "")))
	assert.Equal(t, []string{"load3"}, take(upsert(orders, 1, at(2), "")))
	assert.Empty(t, take(envelope.Change{Op: envelope.OpHeartbeat}))
	assert.Empty(t, take())
}

func TestContendedForEver(t *testing.T) {
	store := new(marks)
	f := &dedupe.Filter{Store: store, Attempts: 3}
	n, swaps := 1, 0
	store.before = func(op string, _ int) error {
		if op != "swap" {
			return nil
		}
		swaps++
		n++
		key, err := (&envelope.Change{Table: orders, Key: envelope.Row(`{"id":1}`)}).AppendKey(nil)
		store.m = map[string]envelope.Version{string(key): at(n)}
		return err
	}
	b := admit(t, f, upsert(orders, 1, at(100), ""))
	require.ErrorIs(t, f.Commit(t.Context(), b), dedupe.ErrContended)
	assert.Equal(t, 3, swaps)
	assert.Equal(t, 1, b.Stats.Contended)
	store.before = nil
	require.NoError(t, f.Commit(t.Context(), b))
	assert.Equal(t, []dedupe.Verdict{dedupe.Repeat}, verdicts(admit(t, f, upsert(orders, 1, at(100), ""))))
}

func TestStoreFails(t *testing.T) {
	cause := errors.New("connection lost")
	store := new(marks)
	f := &dedupe.Filter{Store: store}
	fail := func(op string) {
		store.before = func(o string, _ int) error {
			if o == op {
				return cause
			}
			return nil
		}
	}
	changes := []envelope.Change{truncate(orders, at(1)), upsert(orders, 1, at(2), "")}
	fail("load")
	_, err := f.Admit(t.Context(), changes)
	assert.ErrorIs(t, err, cause)
	assert.False(t, envelope.IsPermanent(err))
	assert.ErrorIs(t, f.Forget(t.Context(), orders), cause)
	store.before = nil
	b := admit(t, f, changes...)
	fail("swap")
	assert.ErrorIs(t, f.Commit(t.Context(), b), cause)
	assert.ErrorIs(t, f.Forget(t.Context(), orders), cause)
	store.before = nil
	require.NoError(t, f.Commit(t.Context(), b))
	assert.Equal(t, 2, b.Stats.Marks)
	assert.Equal(t, 2, len(store.m))

	var none dedupe.Filter
	_, err = none.Admit(t.Context(), changes)
	assert.Error(t, err)
	assert.Error(t, none.Forget(t.Context(), orders))
	assert.ErrorIs(t, none.Commit(t.Context(), b), dedupe.ErrFinished)
}
