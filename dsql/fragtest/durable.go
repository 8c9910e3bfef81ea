package fragtest

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

func durable(tb testing.TB, open func() dsql.DurableStore) {
	if !open().Durable() {
		tb.Error("Durable reports false: check the store with Run")
	}
}

// reopen stops and starts: each step has a store of its own.
func reopen(tb testing.TB, open func() dsql.DurableStore) {
	at := func() subject { return subject{tb, open()} }
	texts := pieces("image", 12)
	for _, i := range shuffled(5, len(texts)) {
		at().puts("image", i, texts[i])
	}
	at().puts("image", 3, texts[3])
	at().refuses("image", 3, "another private text")
	at().joins("image", texts...)
	for _, id := range []string{"a/b", "..", "é", "\x00"} {
		at().puts(id, 0, id)
		at().joins(id, id)
	}
}

func reopenForgotten(tb testing.TB, open func() dsql.DurableStore) {
	at := func() subject { return subject{tb, open()} }
	texts := pieces("image", 3)
	at().putsAll("image", texts...)
	at().putsAll("other", "kept")
	at().forgets("image")
	at().forgets("image")
	at().putsAll("image", "a new one")
	at().joins("image", "a new one")
	at().lacks("image", 2)
	at().joins("other", "kept")
}

// shared has two processes at one place.
func shared(tb testing.TB, open func() dsql.DurableStore) {
	a, b := subject{tb, open()}, subject{tb, open()}
	texts := pieces("image", 4)
	for i, text := range texts {
		[]subject{a, b}[i%2].puts("image", i, text)
	}
	a.joins("image", texts...)
	b.joins("image", texts...)
	a.puts("image", 1, texts[1])
	a.refuses("image", 1, "another private text")
	b.refuses("image", 0, "another private text")
	a.forgets("image")
	b.lacks("image", 1)
	b.putsAll("image", "a new one")
	a.joins("image", "a new one")
	a.refuses("image", 0, texts[0])
}

func sharedConflict(tb testing.TB, open func() dsql.DurableStore) {
	stores := []dsql.FragmentStore{open(), open(), open()}
	for round := range 16 {
		contend(tb, fmt.Sprint("round ", round), stores...)
	}
}
