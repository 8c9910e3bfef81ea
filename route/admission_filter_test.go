package route_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// marks is the plainest dedupe.Store.
type marks struct {
	mu     sync.Mutex
	m      map[string]envelope.Version
	broken error
	floor  time.Time
}

func (s *marks) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, key := range keys {
		versions[i] = s.m[string(key)]
	}
	return errors.Join(s.broken, ctx.Err())
}

func (s *marks) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]envelope.Version{}
	}
	for i := range swaps {
		w := &swaps[i]
		if w.Done = s.m[string(w.Key)] == w.Old; w.Done {
			s.m[string(w.Key)] = w.New
		}
	}
	return errors.Join(s.broken, ctx.Err())
}

func (s *marks) Floor() time.Time { return s.floor }

// deduping gives a Firehose a Filter over the store.
func deduping(s *marks) func(*route.Firehose) {
	return func(f *route.Firehose) {
		coalescing(f)
		f.Admission = &dedupe.Filter{Store: s, Keys: f.Keys}
	}
}

// What a Filter says of changes, given those that were sent before.
func TestFilterOrder(t *testing.T) {
	at := func(n int) envelope.Version { return envelope.PositionVersion(int64(n)*1000, 0, uint64(n)) }
	orders, items := table("shop", "public", "orders"), table("shop", "public", "items")
	up := func(id int, v envelope.Version) envelope.Change {
		return envelope.Change{Op: envelope.OpCreate, Table: orders, Version: v, Key: fmt.Appendf(nil, `{"id":%d}`, id), After: fmt.Appendf(nil, `{"id":%d}`, id)}
	}
	gone := func(id int, v envelope.Version) envelope.Change {
		return envelope.Change{Op: envelope.OpDelete, Table: orders, Version: v, Key: fmt.Appendf(nil, `{"id":%d}`, id)}
	}
	of := func(t envelope.Table, c envelope.Change) envelope.Change { c.Table = t; return c }
	truncate := func(n int) envelope.Change {
		return envelope.Change{Op: envelope.OpTruncate, Table: orders, Version: at(n)}
	}
	all := func(c ...envelope.Change) []envelope.Change { return c }
	for _, c := range []struct {
		name         string
		before, then []envelope.Change
		order        []int
	}{
		{"rows that nobody knows", nil, all(up(1, at(5)), up(2, at(1)), of(items, up(1, at(1)))), []int{1, 1, 1}},
		{"a row that is known", all(up(1, at(5))), all(up(1, at(4)), up(1, at(5)), up(1, at(6)), up(2, at(1)), of(items, up(1, at(1)))), []int{-1, 0, 0, 1, 1}},
		{"a row that was deleted", all(gone(1, at(5))), all(up(1, at(4)), gone(1, at(5)), up(1, at(6))), []int{-1, 0, 0}},
		{"one after the other", nil, all(up(1, at(1)), gone(1, at(2)), up(1, at(3)), up(1, at(2))), []int{1, 0, 0, -1}},
		{"ties", nil, all(up(1, envelope.TimeVersion(5)), up(1, envelope.TimeVersion(5)), up(2, envelope.Version{}), up(2, at(1))), []int{1, 0, 0, 0}},
		{"a tie with what was sent", all(up(1, envelope.TimeVersion(5))), all(up(1, envelope.TimeVersion(5)), up(1, envelope.TimeVersion(4))), []int{0, -1}},
		{"no rows", nil, all(envelope.Change{Op: envelope.OpHeartbeat}, up(1, at(1))), []int{0, 1}},
		{"truncates", all(up(1, at(1)), truncate(3)), all(truncate(2), truncate(3), truncate(4), up(1, at(3)), up(2, at(3)), up(2, at(5)), up(1, at(5))), []int{-1, 0, 0, -1, -1, 0, 0}},
		{"nothing", nil, nil, []int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := new(marks)
			order := func(changes []envelope.Change) ([]int, func(context.Context, []bool) error) {
				order, errs := slices.Repeat([]int{7}, len(changes)), slices.Repeat([]error{errNoTelling}, len(changes))
				raise, err := (&dedupe.Filter{Store: store}).Order(t.Context(), changes, order, errs)
				require.NoError(t, err)
				for _, err := range errs {
					require.NoError(t, err)
				}
				return order, raise
			}
			_, raise := order(c.before)
			require.NoError(t, raise(t.Context(), slices.Repeat([]bool{true}, len(c.before))))
			held := len(store.m)
			got, raise := order(c.then)
			assert.Equal(t, c.order, got)
			again, _ := order(c.then)
			assert.Equal(t, c.order, again, "nothing was raised")
			require.NoError(t, raise(t.Context(), make([]bool, len(c.then))))
			assert.Len(t, store.m, held)
			again, raise = order(c.then)
			assert.Equal(t, c.order, again, "nothing was sent")
			require.NoError(t, raise(t.Context(), slices.Repeat([]bool{true}, len(c.then))))
			again, _ = order(c.then)
			assert.NotContains(t, again, 1, "all was sent")
		})
	}
}

// raise records of each row the newest change that was sent.
func TestFilterRaise(t *testing.T) {
	up := func(id, n int) envelope.Change {
		return envelope.Change{Op: envelope.OpUpdate, Table: table("shop", "public", "orders"), Version: envelope.PositionVersion(int64(n)*1000, 0, uint64(n)), Key: fmt.Appendf(nil, `{"id":%d}`, id), After: envelope.Row(`{}`)}
	}
	truncate := envelope.Change{Op: envelope.OpTruncate, Table: table("shop", "public", "orders"), Version: envelope.PositionVersion(6500, 0, 6)}
	keyless := up(1, 9)
	keyless.Key = nil
	changes := []envelope.Change{up(1, 1), up(2, 1), up(1, 3), keyless, up(2, 2), up(1, 2), truncate, up(3, 8)}
	probes := []envelope.Change{up(1, 1), up(1, 2), up(1, 3), up(2, 1), up(2, 2), up(3, 5), up(3, 8), up(4, 5)}
	for _, c := range []struct {
		sent string
		want []int // of the probes, each alone
	}{
		{"--------", []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{"x-------", []int{0, 0, 0, 1, 1, 1, 1, 1}},
		{"xxx-----", []int{-1, -1, 0, 0, 0, 1, 1, 1}},
		{"x---x---", []int{0, 0, 0, -1, 0, 1, 1, 1}},
		{"x-x--x--", []int{-1, -1, 0, 1, 1, 1, 1, 1}},
		{"-----x--", []int{-1, 0, 0, 1, 1, 1, 1, 1}},
		{"-------x", []int{1, 1, 1, 1, 1, -1, 0, 1}},
		{"---x----", []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{"------x-", []int{-1, -1, -1, -1, -1, -1, 1, -1}},
	} {
		store := new(marks)
		f := &dedupe.Filter{Store: store}
		errs := make([]error, len(changes))
		raise, err := f.Order(t.Context(), changes, make([]int, len(changes)), errs)
		require.NoError(t, err)
		for i, err := range errs {
			assert.Equal(t, i == 3, errors.Is(err, envelope.ErrNoKey))
		}
		sent := make([]bool, len(changes))
		for i := range sent {
			sent[i] = c.sent[i] == 'x'
		}
		require.NoError(t, raise(t.Context(), sent))
		for i, probe := range probes {
			order := []int{7}
			_, err := f.Order(t.Context(), []envelope.Change{probe}, order, make([]error, 1))
			require.NoError(t, err)
			assert.Equal(t, c.want[i], order[0], "%s, probe %d", c.sent, i)
		}
		assert.ErrorIs(t, raise(t.Context(), sent), dedupe.ErrFinished)
	}
}

// A store that is down makes Firehose try again, at either end.
func TestFilterStoreFails(t *testing.T) {
	store := new(marks)
	f := firehose(deduping(store))
	event := kinesis.event(upsert("c", row, 1))
	store.broken = errors.New("connection lost")
	_, err := f.Invoke(t.Context(), event)
	require.ErrorIs(t, err, store.broken)

	// The mark is raised, and nobody knows.
	f.Admission = halfway{f.Admission, func() { store.broken = errors.New("connection lost") }}
	store.broken = nil
	_, err = f.Invoke(t.Context(), event)
	require.ErrorIs(t, err, store.broken)
	require.Len(t, store.m, 1)
	store.broken = nil
	f = firehose(deduping(store))
	assert.Equal(t, "O", results(invoke(t, f, event)))
	assert.Equal(t, "DO", results(invoke(t, f, kinesis.event(upsert("c", row, 0), upsert("c", row, 1)))))
	assert.Equal(t, "D", results(invoke(t, f, kinesis.event(upsert("c", row, 0)))))
}

// A Lambda function whose time is up before its store answers leaves the rest to the next try.
func TestFilterContext(t *testing.T) {
	store := new(marks)
	f := firehose(deduping(store))
	filter := f.Admission
	event := kinesis.event(upsert("c", row, 1))
	for _, late := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		f.Admission = halfway{filter, cancel}
		if !late {
			f.Router = route.Func(func(*envelope.Change) (route.Destination, error) {
				cancel()
				return route.Destination{Database: "lake", Table: "orders"}, nil
			})
		}
		_, err := f.Invoke(ctx, event)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, btoi(late), len(store.m)) // the swap may be made all the same
		f = firehose(deduping(store))
	}
	assert.Equal(t, "O", results(invoke(t, f, event)))
}

// halfway does something between Order and raise.
type halfway struct {
	route.Admission
	do func()
}

func (h halfway) Order(ctx context.Context, changes []envelope.Change, order []int, errs []error) (func(context.Context, []bool) error, error) {
	defer h.do()
	return h.Admission.Order(ctx, changes, order, errs)
}

// A row that may have been sent before is not inserted again: a repeated create, one whose row's delete may come later
// and will be stale, and one from before what the store remembers.
func TestLiteralInsertsOnce(t *testing.T) {
	store := new(marks)
	f := firehose(deduping(store), mode(route.Literal))
	send := func(values ...[]byte) (operations []string) {
		for _, a := range invoke(t, f, kinesis.event(values...)) {
			operations = append(operations, a.Operation)
		}
		return operations
	}
	other := upsert("c", `{"order_id":2}`, 3)
	assert.Equal(t, []string{"insert", "insert"}, send(upsert("c", `{"order_id":1}`, 1), upsert("r", `{"order_id":5}`, 1)))
	assert.Equal(t, []string{"update", "update"}, send(upsert("c", `{"order_id":1}`, 1), upsert("r", `{"order_id":5}`, 2)))
	assert.Equal(t, []string{"update", "insert"}, send(upsert("c", `{"order_id":1}`, 9), other))
	assert.Equal(t, []string{""}, send(remove(`{"order_id":1}`, 8)))

	store.floor = time.UnixMilli(1716369573000 + 100)
	assert.Equal(t, []string{"update", "insert"}, send(upsert("c", `{"order_id":3}`, 99), upsert("c", `{"order_id":4}`, 100)))
}

// The walkthrough's stream, in events of any order that overlap, many of whose answers are lost. The table has what the
// database has; without an Admission it has not.
func TestAdmissionPipeline(t *testing.T) {
	values, want := captured(t, "aurora-orders.records"), truth(t)
	wrong := map[bool]int{}
	for seed := range uint64(6) {
		for _, with := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(seed, 5))
			var events [][][]byte
			for i := range values {
				if i%20 == 0 {
					events = append(events, values[max(0, i-rng.IntN(30)):min(len(values), i+20+rng.IntN(30))])
				}
			}
			store := new(marks)
			l := lake{}
			for len(events) > 0 {
				f := aurora() // a new process
				f.Coalesce = true
				if with {
					f.Admission = &dedupe.Filter{Store: store, Keys: f.Keys}
				}
				i := rng.IntN(len(events))
				got := invoke(t, f, msk.event(events[i]...))
				if rng.IntN(3) == 0 { // lost
					continue
				}
				for _, i := range rng.Perm(len(got)) {
					l.apply(t, got[i])
				}
				if rng.IntN(4) > 0 {
					events = slices.Delete(events, i, i+1)
				}
			}
			wrong[with] += l.wrong(t, want)
		}
	}
	assert.Zero(t, wrong[true])
	assert.Greater(t, wrong[false], 20, "the stream is too easy for this test")
}

// Many invocations at a time share one Firehose, its Filter and a store.
func TestAdmissionConcurrent(t *testing.T) {
	store := new(marks)
	f := firehose(deduping(store))
	const workers, events, rows = 8, 40, 10
	type answered struct {
		last     map[string]int // of the event, by row
		response []byte
	}
	all := make(chan answered, workers*events)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 6))
			for range events {
				var values [][]byte
				last := map[string]int{}
				for range 1 + rng.IntN(6) {
					row, n := fmt.Sprintf(`{"order_id":%d}`, rng.IntN(rows)), rng.IntN(1000)
					values = append(values, upsert("u", row, n))
					last[row] = max(last[row], n)
				}
				response, err := f.Invoke(t.Context(), kinesis.event(values...))
				for errors.Is(err, dedupe.ErrContended) {
					response, err = f.Invoke(t.Context(), kinesis.event(values...))
				}
				if rng.IntN(2) == 0 {
					typed, failed := f.Handle(t.Context(), typedEvent(msk, values))
					for errors.Is(failed, dedupe.ErrContended) {
						typed, failed = f.Handle(t.Context(), typedEvent(msk, values))
					}
					assert.NoError(t, failed)
					response, err = json.Marshal(typed)
				}
				assert.NoError(t, err)
				all <- answered{last, response}
			}
		})
	}
	group.Wait()
	close(all)
	newest, sent := map[string]int{}, map[string]int{}
	for a := range all {
		for row, n := range a.last {
			newest[row] = max(newest[row], n)
		}
		for _, one := range answers(t, a.response) {
			assert.NotEqual(t, failed, one.Result)
			if one.Result == plain {
				row := one.Payload[:len(one.Payload)-1]
				sent[row] = max(sent[row], a.last[row])
			}
		}
	}
	assert.Equal(t, newest, sent, "the newest change of each row was sent")
	assert.Len(t, store.m, rows)
	for row, n := range newest {
		assert.Equal(t, "DO", results(invoke(t, f, kinesis.event(upsert("u", row, n-1), upsert("u", row, n)))))
		assert.Equal(t, "D", results(invoke(t, f, kinesis.event(upsert("u", row, n-1)))))
	}
}
