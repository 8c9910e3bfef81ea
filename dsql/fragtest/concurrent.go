package fragtest

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

// concurrent has images put twice at once, each in another order, while others
// join them and forget what is not theirs.
func concurrent(tb testing.TB, store dsql.FragmentStore) {
	const n = 8
	var images sync.WaitGroup
	for k := range 4 {
		id := fmt.Sprint("image ", k)
		texts := pieces(id, n)
		images.Go(func() {
			var writers, others sync.WaitGroup
			var done atomic.Bool
			for w := range 2 {
				writers.Go(func() {
					for _, i := range shuffled(uint64(2*k+w), n) {
						if err := store.Put(tb.Context(), id, i, spell(texts[i])); err != nil {
							tb.Errorf("Put of %s, index %d: %v", name(id), i, err)
						}
					}
				})
			}
			others.Go(func() { joinsSoon(tb, store, id, texts, &done) })
			others.Go(func() { forgetsOthers(tb, store, id, &done) })
			writers.Wait()
			done.Store(true)
			others.Wait()
			joinsSoon(tb, store, id, texts, &done)
		})
	}
	images.Wait()
}

// forgetsOthers puts and forgets other images, for the last time after done is
// set.
func forgetsOthers(tb testing.TB, store dsql.FragmentStore, id string, done *atomic.Bool) {
	for i, last := 0, false; !last; i++ {
		last = done.Load()
		other := fmt.Sprint(id, i)
		if err := store.Put(tb.Context(), other, i, spell(other)); err != nil {
			tb.Errorf("Put of %s: %v", name(other), err)
		}
		if err := store.Forget(tb.Context(), other); err != nil {
			tb.Errorf("Forget of %s: %v", name(other), err)
		}
		runtime.Gosched()
	}
}

// joinsSoon joins an image again and again, until it is there. It must be there
// once done is set.
func joinsSoon(tb testing.TB, store dsql.FragmentStore, id string, texts []string, done *atomic.Bool) {
	dst := []byte("prefix ")
	for {
		must := done.Load()
		got, err := store.Join(tb.Context(), dst, id, len(texts))
		switch {
		case err == nil:
			if want := "prefix " + strings.Join(texts, ""); string(got) != want {
				tb.Errorf("Join of %s while others put it: got %q, want %q", name(id), got, want)
			}
			return
		case must || !incomplete(err):
			tb.Errorf("Join of %s, all put %v: %v", name(id), must, err)
			return
		case string(got) != "prefix ":
			tb.Errorf("dst after a Join that failed: %q", got)
			return
		}
		runtime.Gosched()
	}
}

func concurrentConflict(tb testing.TB, store dsql.FragmentStore) {
	for round := range 16 {
		contend(tb, fmt.Sprint("round ", round), store, store, store, store)
	}
}

// contend has each of the stores, which share a place, put another text as the
// same fragment at once. One of them must win.
func contend(tb testing.TB, id string, stores ...dsql.FragmentStore) {
	tb.Helper()
	errs := make([]error, len(stores))
	text := func(i int) string { return fmt.Sprintf("the private text of contender %d", i) }
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, store := range stores {
		wg.Go(func() {
			<-start
			// A store may fail while it is contended. Then the same call again
			// must tell.
			for range 10 {
				errs[i] = store.Put(tb.Context(), id, 0, spell(text(i)))
				if errs[i] == nil || errors.Is(errs[i], dsql.ErrConflict) {
					return
				}
			}
		})
	}
	close(start)
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			tb.Fatalf("contenders %d and %d both put %s with different texts", winner, i, name(id))
		case err == nil:
			winner = i
		case !errors.Is(err, dsql.ErrConflict):
			tb.Fatalf("contender %d: %v; want none or an error that wraps ErrConflict", i, err)
		default:
			discreet(tb, err, text(i))
		}
	}
	if winner < 0 {
		tb.Fatalf("no contender could put %s", name(id))
	}
	for _, store := range stores {
		subject{tb, store}.joins(id, text(winner))
	}
}
