package fragtest

import (
	"context"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

// over returns a context that is cancelled.
func over(tb testing.TB) context.Context {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

func cancelledPut(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	s.puts("image", 0, "first, ")
	err := store.Put(over(tb), "image", 1, spell("second"))
	if err != nil {
		cancelled(tb, "Put", err)
		s.puts("image", 1, "second") // whether the first attempt had come through or not
	}
	if err := store.Put(over(tb), "image", 0, spell("first, ")); err != nil {
		cancelled(tb, "Put of a repeat", err)
	}
	s.joins("image", "first, ", "second")
}

func cancelledJoin(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	s.putsAll("image", "first, ", "second")
	got, err := store.Join(over(tb), []byte("dst "), "image", 2)
	if err != nil {
		cancelled(tb, "Join", err)
		same(tb, "dst after a Join that failed", got, "dst ")
	} else {
		same(tb, "Join", got, "dst first, second")
	}
	s.joins("image", "first, ", "second")
}

func cancelledForget(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	s.putsAll("image", "first, ", "second")
	s.putsAll("other", "kept")
	if err := store.Forget(over(tb), "image"); err != nil {
		cancelled(tb, "Forget", err)
		// What is left of the image is all of it or too little.
		if got, err := store.Join(tb.Context(), nil, "image", 2); err == nil {
			same(tb, "Join after a Forget that failed", got, "first, second")
		} else if !incomplete(err) {
			tb.Fatalf("Join after a Forget that failed: %v", err)
		}
		s.forgets("image")
	}
	s.lacks("image", 2)
	s.lacks("image", 1)
	s.joins("other", "kept")
}
