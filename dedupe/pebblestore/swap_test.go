package pebblestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// queued starts swaps one after another while nobody writes, lets the first of
// them write for all, and waits for them.
func queued(t *testing.T, store *Store, calls ...[]dedupe.Swap) []error {
	t.Helper()
	errs := make([]error, len(calls))
	store.turn <- struct{}{}
	var wg sync.WaitGroup
	for i, swaps := range calls {
		wg.Go(func() { errs[i] = store.Swap(t.Context(), swaps) })
		waits(t, store, i+1)
	}
	<-store.turn
	wg.Wait()
	return errs
}

// waits waits until n writes wait.
func waits(t *testing.T, store *Store, n int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(50 * time.Microsecond) {
		store.mu.Lock()
		now := len(store.waiting)
		store.mu.Unlock()
		if now == n {
			return
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d writes wait, want %d", now, n)
		}
	}
}

// Swaps that are written together see each other, in the order of the calls.
func TestGroup(t *testing.T) {
	store := opened(t)
	calls := [][]dedupe.Swap{
		swapOf("a", envelope.Version{}, at(1)),
		swapOf("a", at(1), at(2)),
		append(swapOf("a", at(1), at(3)), swapOf("b", envelope.Version{}, at(1))...),
		append(swapOf("b", at(1), at(2)), swapOf("a", at(2), at(4))...),
		swapOf("b", envelope.Version{}, at(5)),
	}
	before := store.db.Metrics().WAL.BytesIn
	for i, err := range queued(t, store, calls...) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	want := "[true] [true] [false true] [true true] [false]"
	var got []string
	for _, swaps := range calls {
		var done []bool
		for _, sw := range swaps {
			done = append(done, sw.Done)
		}
		got = append(got, fmt.Sprint(done))
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("done %s, want %s", s, want)
	}
	has(t, store, "a", at(4))
	has(t, store, "b", at(2))
	// The header of a batch is 12 bytes: it was one.
	if n := store.db.Metrics().WAL.BytesIn - before; n != 12+5*(1+1+2+1+32) {
		t.Errorf("the log took %d bytes", n)
	}
}

// One call's failure is not another's.
func TestGroupWithCorruptMark(t *testing.T) {
	store := opened(t)
	corrupt(t, store, "bad", []byte("no mark"))
	calls := [][]dedupe.Swap{
		swapOf("a", envelope.Version{}, at(1)),
		append(swapOf("b", envelope.Version{}, at(1)), swapOf("bad", envelope.Version{}, at(1))...),
		swapOf("c", envelope.Version{}, at(1)),
	}
	errs := queued(t, store, calls...)
	if errs[0] != nil || !errors.Is(errs[1], ErrCorrupt) || errs[2] != nil {
		t.Errorf("%v", errs)
	}
	has(t, store, "a", at(1))
	has(t, store, "c", at(1))
}

func TestCancelledWhileWaiting(t *testing.T) {
	store := opened(t)
	store.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var first, second error
	wg.Go(func() { first = store.Swap(ctx, swapOf("a", envelope.Version{}, at(1))) })
	waits(t, store, 1)
	wg.Go(func() { second = store.Swap(t.Context(), swapOf("b", envelope.Version{}, at(1))) })
	waits(t, store, 2)
	cancel()
	waits(t, store, 1)
	<-store.turn
	wg.Wait()
	if !errors.Is(first, context.Canceled) || second != nil {
		t.Errorf("%v, %v", first, second)
	}
	has(t, store, "a", envelope.Version{})
	has(t, store, "b", at(1))
}

// A call whose swaps are being made by another one waits for it, whatever its
// context: they are the caller's slices.
func TestCancelledWhileWritten(t *testing.T) {
	store := opened(t)
	store.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var err error
	var returned atomic.Bool
	wg.Go(func() {
		err = store.Swap(ctx, swapOf("a", envelope.Version{}, at(1)))
		returned.Store(true)
	})
	waits(t, store, 1)
	group := store.take()
	cancel()
	time.Sleep(5 * time.Millisecond)
	if returned.Load() {
		t.Error("Swap did not wait")
	}
	store.commit(group)
	<-store.turn
	wg.Wait()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	has(t, store, "a", envelope.Version{})
}

// A context that ends while a group is written ends its own call alone.
func TestCancelledInGroup(t *testing.T) {
	store := opened(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var many []dedupe.Swap
	for i := range 2 {
		many = append(many, swapOf(fmt.Sprint("many", i), envelope.Version{}, at(1))...)
	}
	group := []*write{
		{ctx: over, swaps: many, done: make(chan struct{})},
		{ctx: t.Context(), swaps: swapOf("a", envelope.Version{}, at(1)), done: make(chan struct{})},
	}
	store.commit(group)
	if !errors.Is(group[0].err, context.Canceled) || group[1].err != nil {
		t.Errorf("%v, %v", group[0].err, group[1].err)
	}
	has(t, store, "many0", envelope.Version{})
	has(t, store, "a", at(1))
}

// Large batches are written in parts, of which each is whole.
func TestLargeBatch(t *testing.T) {
	for _, group := range []int{1, 3} {
		store, err := open("/marks", Options{}, internals{fs: vfs.NewMem(), batchBytes: 1000})
		if err != nil {
			t.Fatal(err)
		}
		const n = 100
		calls := make([][]dedupe.Swap, group)
		bytes := -store.db.Metrics().WAL.BytesIn
		for i := range n {
			bytes -= uint64(3 + len(appendName(nil, []byte(fmt.Sprint("key", i)))) + 32)
		}
		for c := range calls {
			for i := range n {
				// The second call wants to insert what the first one does, and so on.
				calls[c] = append(calls[c], swapOf(fmt.Sprint("key", i), envelope.Version{}, at(1+c))...)
			}
		}
		for _, err := range queued(t, store, calls...) {
			if err != nil {
				t.Error(err)
			}
		}
		// The rest is the batches' headers, of 12 bytes each.
		if bytes += store.db.Metrics().WAL.BytesIn; bytes != 12*4 {
			t.Errorf("%d batches of %d calls", bytes/12, group)
		}
		for c, swaps := range calls {
			for i, sw := range swaps {
				if sw.Done != (c == 0) {
					t.Fatalf("call %d, swap %d: done %v", c, i, sw.Done)
				}
			}
		}
		for i := range n {
			has(t, store, fmt.Sprint("key", i), at(1))
		}
		mustClose(t, store)
	}
}

func TestZeroMark(t *testing.T) {
	store := opened(t)
	puts(t, store, "a", at(1))
	if err := store.Swap(t.Context(), swapOf("a", at(1), envelope.Version{})); err == nil {
		t.Error("a mark was swapped for none")
	}
	has(t, store, "a", at(1))
}

func TestNames(t *testing.T) {
	for _, n := range []int{1, 5, longestKey - 1, longestKey} {
		key := bytes.Repeat([]byte("k"), n)
		if name := appendName([]byte("dst"), key); string(name) != "dst\x01"+string(key) {
			t.Errorf("key of %d bytes: %d bytes, %.20q", n, len(name), name)
		}
	}
	seen := map[string]bool{}
	for _, n := range []int{longestKey + 1, longestKey + 2, 1 << 20} {
		name := appendName(nil, bytes.Repeat([]byte("k"), n))
		if len(name) != 33 || name[0] != nameDigest || seen[string(name)] {
			t.Errorf("key of %d bytes: %d bytes, %.20q", n, len(name), name)
		}
		seen[string(name)] = true
	}
}

// A call that panics, as a Logger's handler may, leaves others an error and the
// store at work.
func TestPanic(t *testing.T) {
	store := opened(t)
	group := []*write{{ctx: panicky{t.Context()}, swaps: swapOf("a", envelope.Version{}, at(1)), done: make(chan struct{})}}
	store.turn <- struct{}{}
	store.waiting = group
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		store.lead()
	}()
	<-group[0].done
	if group[0].err == nil {
		t.Error("the call worked")
	}
	puts(t, store, "b", at(1))
}

type panicky struct{ context.Context }

func (panicky) Err() error { panic("a context of someone's own") }
