// Package fragtest is the conformance suite of [dsql.FragmentStore]. Who
// implements one calls [Run] in a test, or [RunDurable] if its fragments
// outlive the process:
//
//	func TestStore(t *testing.T) {
//		fragtest.Run(t, func(*testing.T) dsql.FragmentStore { return new(Store) })
//	}
//
// Run it with -race too: that a store is safe for concurrent use shows only in
// part without.
//
// The suite holds a store to what the interface says and to this:
//
//   - Chunk IDs are any valid UTF-8 of 1 to 256 bytes, whatever the characters,
//     and two different IDs are two images.
//   - An image may have several hundred fragments, a fragment several MiB.
//   - A repeat is the same text, not the same spelling of it.
//   - No error holds any of a fragment's text: errors are logged, row data is
//     not.
//   - A call whose context is over may do its work or return an error that wraps
//     the context's. It does no harm: the same call again does what it would
//     have done.
package fragtest

import (
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

// Run checks a store that need not outlive its process. open makes a new, empty
// store, which is used until t ends.
//
// A store whose fragments do outlive it fails: RunDurable checks that they do.
func Run(t *testing.T, open func(t *testing.T) dsql.FragmentStore) {
	t.Run("Volatile", func(t *testing.T) { volatile(t, open(t)) })
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// RunDurable checks a store whose fragments outlive it, and that several
// processes may share: everything that Run checks, and what one store over a
// place sees of another. place makes a new, empty place for fragments, such as a
// folder or a prefix of a bucket, which is used until t ends. Each call of open
// returns another store over it, which shares no memory with those before it.
func RunDurable(t *testing.T, place func(t *testing.T) (open func() dsql.DurableStore)) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)()) })
	}
	for _, c := range durableChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)) })
	}
}

// A check tests one thing that a store must do, on a store that is its alone.
type check struct {
	name string
	run  func(tb testing.TB, store dsql.FragmentStore)
}

var checks = []check{
	{"AnyOrder", anyOrder},
	{"Interleaved", interleaved},
	{"ManyFragments", manyFragments},
	{"PartOfAnImage", partOfAnImage},
	{"Repeats", repeats},
	{"OtherSpelling", otherSpelling},
	{"Conflicts", conflicts},
	{"NoConflict", noConflict},
	{"Missing", missing},
	{"JoinTwice", joinTwice},
	{"Append", appends},
	{"Arguments", arguments},
	{"Results", results},
	{"Texts", texts},
	{"LargeText", largeText},
	{"ChunkIDs", chunkIDs},
	{"Forget", forgets},
	{"ForgetUnknown", forgetUnknown},
	{"ForgetOne", forgetOne},
	{"Concurrent", concurrent},
	{"ConcurrentConflict", concurrentConflict},
	{"CancelledPut", cancelledPut},
	{"CancelledJoin", cancelledJoin},
	{"CancelledForget", cancelledForget},
}

// A durableCheck tests what stores over one place have in common.
type durableCheck struct {
	name string
	run  func(tb testing.TB, open func() dsql.DurableStore)
}

var durableChecks = []durableCheck{
	{"Durable", durable},
	{"Reopen", reopen},
	{"ReopenForgotten", reopenForgotten},
	{"Shared", shared},
	{"SharedConflict", sharedConflict},
}

// volatile fails for stores that Run is not enough for.
func volatile(tb testing.TB, store dsql.FragmentStore) {
	if d, ok := store.(dsql.DurableStore); ok && d.Durable() {
		tb.Error("the store is durable: check it with RunDurable")
	}
}
