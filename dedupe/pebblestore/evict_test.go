package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

func second(n int) time.Time { return time.Unix(int64(n), 0) }

func mustEvict(t *testing.T, store *Store, before time.Time, want int) {
	t.Helper()
	if n, err := store.Evict(t.Context(), before); err != nil || n != want {
		t.Fatalf("Evict: %d, %v; want %d", n, err, want)
	}
}

func mustFloor(t *testing.T, store *Store, want time.Time) {
	t.Helper()
	if got := store.Floor(); !got.Equal(want) || got.IsZero() != want.IsZero() {
		t.Fatalf("the floor is %v, want %v", got, want)
	}
}

func TestEvict(t *testing.T) {
	dir := t.TempDir()
	store := mustOpen(t, dir)
	mustEvict(t, store, second(5), 0)
	var swaps []dedupe.Swap
	key := func(i int) string {
		if i%2 == 0 {
			return fmt.Sprint(i, strings.Repeat(" long", 300))
		}
		return fmt.Sprint(i)
	}
	const n = 2*evictBatch + 500
	for i := range n {
		swaps = append(swaps, swapOf(key(i), envelope.Version{}, at(i))...)
	}
	if err := store.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	mustEvict(t, store, second(0), 0)
	mustFloor(t, store, time.Time{})
	mustEvict(t, store, second(1), 1)
	mustFloor(t, store, time.Unix(0, 1))
	mustEvict(t, store, second(n-100), n-101) // several batches
	mustEvict(t, store, second(n-100), 0)
	for range 2 {
		mustFloor(t, store, second(n-101).Add(1))
		for i := n - 110; i < n; i++ {
			want := at(i)
			if i < n-100 {
				want = envelope.Version{}
			}
			has(t, store, key(i), want)
		}
		mustClose(t, store)
		store = mustOpen(t, dir)
	}
	puts(t, store, key(0), at(1)) // as if it never had a mark
	mustEvict(t, store, second(2), 1)
	mustFloor(t, store, second(n-101).Add(1)) // it does not go back
	mustEvict(t, store, time.Now(), 100)
	mustFloor(t, store, second(n-1).Add(1))
	mustClose(t, store)
	mustClose(t, mustOpen(t, dir)) // what it knows itself by is no mark
}

func TestEvictTimes(t *testing.T) {
	store := opened(t)
	puts(t, store, "none", envelope.TimeVersion(0))
	puts(t, store, "first", envelope.TimeVersion(math.MinInt64))
	puts(t, store, "last", envelope.TimeVersion(math.MaxInt64))
	mustEvict(t, store, time.Unix(0, 0), 1)
	has(t, store, "first", envelope.Version{})
	mustEvict(t, store, time.Unix(0, 1), 1)
	has(t, store, "none", envelope.Version{})
	for _, before := range []time.Time{time.Now(), time.Unix(0, math.MaxInt64), time.Unix(0, math.MaxInt64).Add(time.Hour)} {
		mustEvict(t, store, before, 0)
		has(t, store, "last", envelope.TimeVersion(math.MaxInt64))
		mustFloor(t, store, time.Unix(0, 1))
	}
	puts(t, store, "nearly", envelope.TimeVersion(math.MaxInt64-1))
	mustEvict(t, store, time.Unix(0, math.MaxInt64).Add(time.Hour), 1)
	mustFloor(t, store, time.Unix(0, math.MaxInt64))
}

func TestEvictCancelled(t *testing.T) {
	store := opened(t)
	puts(t, store, "a", at(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := store.Evict(ctx, time.Now()); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := store.Evict(ctx, time.Unix(0, 0)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v while it looks", n, err)
	}
	has(t, store, "a", at(1))
	mustEvict(t, store, time.Now(), 1)
}

// Swaps come in between the batches.
func TestEvictBatches(t *testing.T) {
	store := opened(t)
	var swaps []dedupe.Swap
	for i := range 2*evictBatch + 500 {
		swaps = append(swaps, swapOf(fmt.Sprint(i), envelope.Version{}, at(i))...)
	}
	if err := store.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	store.turn <- struct{}{}
	var wg sync.WaitGroup
	wg.Go(func() { mustEvict(t, store, time.Now(), len(swaps)) })
	for _, want := range []int{evictBatch, evictBatch, 500} {
		waits(t, store, 1)
		group := store.take()
		if got := len(group[0].swaps); got != want {
			t.Errorf("a batch of %d marks, want %d", got, want)
		}
		store.commit(group)
	}
	<-store.turn
	wg.Wait()
}

// A mark that is swapped after Evict saw it stays.
func TestEvictAtWork(t *testing.T) {
	store := opened(t)
	puts(t, store, "a", at(1))
	puts(t, store, "b", at(1))
	store.turn <- struct{}{}
	var wg sync.WaitGroup
	swaps := swapOf("a", at(1), at(9))
	var swapped, evicted error
	var n int
	wg.Go(func() { swapped = store.Swap(t.Context(), swaps) })
	waits(t, store, 1)
	wg.Go(func() { n, evicted = store.Evict(t.Context(), second(5)) })
	waits(t, store, 2)
	<-store.turn
	wg.Wait()
	if err := errors.Join(swapped, evicted); err != nil || !swaps[0].Done || n != 1 {
		t.Fatalf("%v, done %v, %d evicted", err, swaps[0].Done, n)
	}
	has(t, store, "a", at(9))
	has(t, store, "b", envelope.Version{})
	mustFloor(t, store, second(1).Add(1))
}

// Who does not find a mark that was evicted finds the floor above it.
func TestFloorComesFirst(t *testing.T) {
	t.Parallel()
	store := opened(t)
	const n = 150
	for i := range n {
		puts(t, store, fmt.Sprint(i), at(i+1))
	}
	var wg sync.WaitGroup
	var stop atomic.Bool
	wg.Go(func() {
		got := make([]envelope.Version, n)
		keys := make([][]byte, n)
		for i := range keys {
			keys[i] = fmt.Append(nil, i)
		}
		for !stop.Load() {
			if err := store.Load(t.Context(), keys, got); err != nil {
				t.Error(err)
				return
			}
			floor := store.Floor()
			for i, v := range got {
				if v.IsZero() && !at(i+1).Time().Before(floor) {
					t.Errorf("mark %d is gone, the floor is %v", i+1, floor)
					return
				}
			}
		}
	})
	for i := range n {
		mustEvict(t, store, second(i+1).Add(1), 1)
	}
	stop.Store(true)
	wg.Wait()
}

// A Filter says what it cannot know.
func TestFilterAfterEvict(t *testing.T) {
	store := opened(t)
	filter := &dedupe.Filter{Store: store, Keys: func(dst []byte, c *envelope.Change) ([]byte, error) { return append(dst, c.After...), nil }}
	verdicts := func(ns ...int64) (out []dedupe.Verdict) {
		var changes []envelope.Change
		for i, ns := range ns {
			row := envelope.Row(fmt.Sprintf(`{"id":%d}`, i))
			changes = append(changes, envelope.Change{Op: envelope.OpUpdate, After: row, Version: envelope.PositionVersion(ns, 0, uint64(ns))})
		}
		batch, err := filter.Admit(t.Context(), changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range batch.Decisions {
			out = append(out, d.Verdict)
		}
		if err := filter.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, step := range []struct {
		got, want []dedupe.Verdict
	}{
		{verdicts(10, 20), []dedupe.Verdict{dedupe.Newer, dedupe.Newer}},
		{verdicts(10, 19, 10), []dedupe.Verdict{dedupe.Repeat, dedupe.Stale, dedupe.Newer}},
	} {
		if !slices.Equal(step.got, step.want) {
			t.Fatalf("%v, want %v", step.got, step.want)
		}
	}
	mustEvict(t, store, time.Unix(0, 15), 2)
	if got, want := verdicts(10, 19, 11), []dedupe.Verdict{dedupe.Late, dedupe.Stale, dedupe.Newer}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestEvictConcurrently has marks moved past a watermark while they are evicted:
// a swap that is done is kept, and one that comes too late is refused.
func TestEvictConcurrently(t *testing.T) {
	t.Parallel()
	store := opened(t)
	const n = 50
	all := func(round int, f func(key string) []dedupe.Swap) (swaps []dedupe.Swap) {
		for i := range n {
			swaps = append(swaps, f(fmt.Sprint(round, " ", i))...)
		}
		return swaps
	}
	late := 0
	for round := range 20 {
		if err := store.Swap(t.Context(), all(round, func(key string) []dedupe.Swap { return swapOf(key, envelope.Version{}, at(1)) })); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var moves atomic.Int64
		count := 0
		var evicted error
		wg.Go(func() {
			for start := time.Now(); moves.Load() < int64(round*n/20) && time.Since(start) < time.Second; {
				time.Sleep(50 * time.Microsecond)
			}
			count, evicted = store.Evict(t.Context(), second(5))
		})
		var moved [n]bool
		for half := range 2 {
			wg.Go(func() {
				for i := half; i < n; i += 2 {
					swaps := swapOf(fmt.Sprint(round, " ", i), at(1), at(9))
					if err := store.Swap(t.Context(), swaps); err != nil {
						t.Error(err)
					}
					moved[i] = swaps[0].Done
					moves.Add(1)
				}
			})
		}
		wg.Wait()
		if evicted != nil {
			t.Fatal(evicted)
		}
		for i, ok := range moved {
			want := envelope.Version{}
			if ok {
				want = at(9)
			} else {
				count--
				late++
			}
			has(t, store, fmt.Sprint(round, " ", i), want)
		}
		if count != 0 {
			t.Fatalf("round %d: %d more evicted than refused", round, count)
		}
	}
	if late < n || late > 19*n {
		t.Errorf("%d of %d swaps came too late: this shows little", late, 20*n)
	}
}
