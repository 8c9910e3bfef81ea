package pebblestore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestClosed(t *testing.T) {
	store := mustOpen(t, t.TempDir())
	puts(t, store, "a", at(1))
	for range 3 {
		mustClose(t, store)
	}
	_, evicted := store.Evict(t.Context(), time.Now())
	for call, err := range map[string]error{
		"Load":       store.Load(t.Context(), [][]byte{[]byte("a")}, make([]envelope.Version, 1)),
		"Swap":       store.Swap(t.Context(), swapOf("a", at(1), at(2))),
		"Evict":      evicted,
		"empty Load": store.Load(t.Context(), nil, nil),
		"empty Swap": store.Swap(t.Context(), nil),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	store := opened(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a cause of its own"))
	for call, err := range map[string]error{
		"Load": store.Load(ctx, [][]byte{[]byte("a")}, make([]envelope.Version, 1)),
		"Swap": store.Swap(ctx, swapOf("a", at(1), at(2))),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// TestCloseAtWork closes a store that is in use.
func TestCloseAtWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var l ledger
	for round := range 5 {
		store := mustOpen(t, dir)
		var mu sync.Mutex
		var wg sync.WaitGroup
		var calls atomic.Int64
		for w := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				for {
					acked, err := step(t.Context(), store, r)
					if errors.Is(err, ErrClosed) {
						return
					}
					mu.Lock()
					if err = errors.Join(err, l.ack(acked)); err != nil {
						t.Error(err)
					}
					mu.Unlock()
					if err != nil {
						return
					}
					calls.Add(1)
				}
			})
		}
		for target := rand.Int64N(50); calls.Load() < target && !t.Failed(); {
			time.Sleep(100 * time.Microsecond)
		}
		var closers sync.WaitGroup
		for range 2 {
			closers.Go(func() { mustClose(t, store) })
		}
		closers.Wait()
		wg.Wait()
		store = mustOpen(t, dir)
		if err := l.check(t.Context(), store); err != nil {
			t.Error(err)
		}
		mustClose(t, store)
	}
}

// Close waits for a call that waits for its turn.
func TestCloseWaits(t *testing.T) {
	dir := t.TempDir()
	store := mustOpen(t, dir)
	store.turn <- struct{}{}
	var swap, closer sync.WaitGroup
	var swapped error
	swap.Go(func() { swapped = store.Swap(t.Context(), swapOf("a", envelope.Version{}, at(1))) })
	waits(t, store, 1)
	var closed atomic.Bool
	closer.Go(func() {
		mustClose(t, store)
		closed.Store(true)
	})
	time.Sleep(5 * time.Millisecond)
	if closed.Load() {
		t.Error("Close did not wait")
	}
	<-store.turn
	swap.Wait()
	closer.Wait()
	if swapped != nil {
		t.Error(swapped)
	}
	store = mustOpen(t, dir)
	has(t, store, "a", at(1))
	mustClose(t, store)
}
