package dynamostore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
)

func TestBatches(t *testing.T) {
	d := newDatabase()
	s := d.store()
	s.Concurrency = 1
	all := keys(260)
	for n, want := range map[int]struct{ gets, executes string }{
		0:   {"", ""},
		1:   {"get 1", "execute 1"},
		25:  {"get 25", "execute 25"},
		26:  {"get 26", "execute 25, execute 1"},
		60:  {"get 60", "execute 25, execute 25, execute 10"},
		100: {"get 100", "execute 25, execute 25, execute 25, execute 25"},
		101: {"get 100, get 1", "execute 25, execute 25, execute 25, execute 25, execute 1"},
		260: {"get 100, get 100, get 60", strings.Repeat("execute 25, ", 10) + "execute 10"},
	} {
		mustLoad(t, s, all[:n])
		if got := d.sent(); got != want.gets {
			t.Errorf("Load of %d: %s", n, got)
		}
		if err := s.Swap(t.Context(), inserts(all[:n])); err != nil {
			t.Error(n, err)
		}
		if got := d.sent(); got != want.executes {
			t.Errorf("Swap of %d: %s", n, got)
		}
	}
	numbers := make([]int, len(all))
	for i := range numbers {
		numbers[i] = i + 1
	}
	mustLoad(t, s, all, numbers...)
}

// TestRepeatedKeys has keys in one Load that the database would refuse twice.
func TestRepeatedKeys(t *testing.T) {
	d := newDatabase()
	s := d.store()
	all := keys(3)
	mustSwap(t, s, inserts(all[:2]), "11")
	d.sent()
	mustLoad(t, s, append(append(all, all...), all[0]), 1, 2, 0, 1, 2, 0, 1)
	if got := d.sent(); got != "get 3" {
		t.Error(got)
	}
}

// TestConcurrency counts the requests that are under way at once.
func TestConcurrency(t *testing.T) {
	for limit, want := range map[int]int{0: dynamostore.DefaultConcurrency, 1: 1, 3: 3, 1000: 40} {
		synctest.Test(t, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			s.Concurrency = limit
			var now, most atomic.Int64
			d.during = func() {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(time.Second)
				now.Add(-1)
			}
			all := keys(4000)
			begin := time.Now()
			mustLoad(t, s, all)
			if got := int(most.Swap(0)); got != want {
				t.Errorf("limit %d: %d loads at once, want %d", limit, got, want)
			}
			if took, right := time.Since(begin), time.Duration((40+want-1)/want)*time.Second; took != right {
				t.Errorf("limit %d: the loads took %v, want %v", limit, took, right)
			}
			if err := s.Swap(t.Context(), inserts(all[:1000])); err != nil {
				t.Error(err)
			}
			if got := int(most.Swap(0)); got != want {
				t.Errorf("limit %d: %d swaps at once, want %d", limit, got, want)
			}
		})
	}
}

// TestFailure has one request of many fail: the call ends with its error, when
// the requests that are under way have ended, and sends no more.
func TestFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := d.store()
		s.Concurrency = 4
		cause := errors.New("as if")
		d.refuse = func(_ string, n int) error {
			if n%20 == 6 {
				return cause
			}
			time.Sleep(time.Duration(n) * time.Second)
			return nil
		}
		fails(t, s.Load(t.Context(), keys(2000), make([]envelope.Version, 2000)), cause)
		if n := strings.Count(d.sent(), "get"); n > 8 {
			t.Errorf("%d requests after a failure in the sixth", n)
		}
		fails(t, s.Swap(t.Context(), inserts(keys(500))), cause)
		if n := strings.Count(d.sent(), "execute"); n > 8 {
			t.Errorf("%d requests after a failure in the sixth", n)
		}
		d.refuse = nil
		if err := s.Swap(t.Context(), inserts(keys(500))); err != nil { // those that were made are lost
			t.Fatal(err)
		}
		numbers := make([]int, 500)
		for i := range numbers {
			numbers[i] = i + 1
		}
		mustLoad(t, s, keys(500), numbers...)
	})
}

// TestContext has the context end before a call, in a request and in a pause.
func TestContext(t *testing.T) {
	d := newDatabase()
	s := d.store()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{ctx, expired{ctx}} {
		for _, err := range []error{s.Load(ctx, keys(1), make([]envelope.Version, 1)), s.Swap(ctx, inserts(keys(1)))} {
			fails(t, err, ctx.Err())
			if err != nil && strings.Count(err.Error(), ctx.Err().Error()) != 1 {
				t.Errorf("said twice: %v", err)
			}
		}
	}
	if err := errors.Join(s.Load(ctx, nil, nil), s.Swap(ctx, nil)); err != nil {
		t.Error("nothing to do:", err)
	}
	if got := d.sent(); got != "" {
		t.Error("sent", got)
	}

	// The client's error need not be the context's.
	s.Concurrency = 1
	cause := errors.New("connection reset")
	for _, calls := range []func(context.Context) error{
		func(ctx context.Context) error { return s.Load(ctx, keys(300), make([]envelope.Version, 300)) },
		func(ctx context.Context) error { return s.Swap(ctx, inserts(keys(300))) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		d.refuse = func(string, int) error { cancel(); return cause }
		fails(t, calls(ctx), cause, context.Canceled)
	}
}

// expired is a context whose deadline is over.
type expired struct{ context.Context }

func (expired) Err() error { return context.DeadlineExceeded }

// TestManyCallers shares one store among goroutines that raise the same marks.
func TestManyCallers(t *testing.T) {
	d := newDatabase()
	s := d.store()
	all := keys(40)
	var raised atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 20 {
				swaps := inserts(all)
				held := make([]envelope.Version, len(all))
				if err := s.Load(t.Context(), all, held); err != nil {
					t.Error(err)
					return
				}
				for i := range swaps {
					swaps[i].Old, swaps[i].New = held[i], after(held[i])
				}
				if err := s.Swap(t.Context(), swaps); err != nil {
					t.Error(err)
					return
				}
				raised.Add(int64(strings.Count(dones(swaps), "1")))
			}
		})
	}
	wg.Wait()
	held := make([]envelope.Version, len(all))
	if err := s.Load(t.Context(), all, held); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, v := range held {
		sum += v.Time().UnixNano() - at(0).Time().UnixNano()
	}
	if sum != raised.Load() {
		t.Errorf("%d swaps were done, and the marks say %d", raised.Load(), sum)
	}
}

// after returns the version after v: at(1) after none.
func after(v envelope.Version) envelope.Version {
	if v.IsZero() {
		return at(1)
	}
	return at(int(v.Time().UnixNano()-at(0).Time().UnixNano()) + 1)
}

var _ dynamostore.API = (*dynamodb.Client)(nil)
