// Package storetest is the conformance suite of [dedupe.Store]. Who implements
// one calls [Run] in a test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(*testing.T) dedupe.Store { return new(Store) })
//	}
//
// or [RunShared] if several processes may use one place at once, or
// [RunDurable] if its marks outlive the process but one process at a time has
// the place. Run it with -race too: that a store is safe for concurrent use
// shows only in part without.
//
// The suite holds a store to what the interface says and to this:
//
//   - Keys are any bytes, valid UTF-8 or not, from one byte to 64 KiB. A store
//     may hash long ones; it may not refuse, fold or cut them.
//   - A key may be in one Load several times.
//   - The keys of a call lie one behind another in one buffer: to append to a
//     key is to write over the next one.
//   - A call may have no keys, or ten thousand.
//   - The store does not order versions: a swap to an older version is like any
//     other. It compares all 32 bytes, and keeps all of them.
//   - A swap of a mark for itself is done if it is the mark.
//   - A swap that is refused and whose New is the mark already may be reported
//     either way: it cannot be told from a retry.
//   - No error holds a key: errors are logged, row data is not.
//   - A call whose context is over may do its work or return an error that wraps
//     the context's. It does no harm: the same call again does what is left.
package storetest

import (
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
)

// Run checks a store. Each call of open makes a new, empty store, which is used
// until t ends.
func Run(t *testing.T, open func(t *testing.T) dedupe.Store) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// RunShared checks a store that several processes may share: everything that
// Run checks, and what stores over one place see of each other. place makes a
// new, empty place for marks, such as a table or a prefix of keys, which is used
// until t ends. Each call of open returns another store over it, which shares no
// memory with those before it; all are in use at once.
func RunShared(t *testing.T, place func(t *testing.T) (open func() dedupe.Store)) {
	Run(t, func(t *testing.T) dedupe.Store { return place(t)() })
	for _, c := range sharedChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)) })
	}
}

// RunDurable checks a store whose marks outlive it, and whose place one process
// has open at a time: everything that Run checks, and that no mark is lost when
// the store ends. place makes a new, empty place for marks, such as a folder,
// which is used until t ends. Each call of reopen ends the store before it and
// returns another one over the same place.
func RunDurable(t *testing.T, place func(t *testing.T) (reopen func() dedupe.Store)) {
	Run(t, func(t *testing.T) dedupe.Store { return place(t)() })
	for _, c := range durableChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)) })
	}
}

// A check tests one thing that a store must do, on a store that is its alone.
type check struct {
	name string
	run  func(tb testing.TB, store dedupe.Store)
}

var checks = []check{
	{"Absent", absent},
	{"Insert", insert},
	{"Replace", replace},
	{"Refuse", refuse},
	{"AnyOrder", anyOrder},
	{"SameMark", sameMark},
	{"Done", done},
	{"Mixed", mixed},
	{"RepeatedKeys", repeatedKeys},
	{"Empty", empty},
	{"Arguments", arguments},
	{"Keys", keys},
	{"LongKeys", longKeys},
	{"HashedKeys", hashedKeys},
	{"Versions", versions},
	{"VersionBits", versionBits},
	{"BatchSizes", batchSizes},
	{"BigBatch", bigBatch},
	{"CancelledLoad", cancelledLoad},
	{"CancelledSwap", cancelledSwap},
	{"CancelledMidway", cancelledMidway},
	{"Concurrent", concurrent},
	{"ConcurrentInsert", concurrentInsert},
	{"ConcurrentBatches", concurrentBatches},
	{"Model", model},
}

// A placeCheck tests what stores over one place have in common.
type placeCheck struct {
	name string
	run  func(tb testing.TB, open func() dedupe.Store)
}

var sharedChecks = []placeCheck{
	{"Shared", shared},
	{"SharedBatch", sharedBatch},
	{"SharedConcurrent", sharedConcurrent},
	{"SharedInsert", sharedInsert},
}

var durableChecks = []placeCheck{
	{"Reopen", reopens},
	{"ReopenBatch", reopenBatch},
	{"ReopenConcurrent", reopenConcurrent},
	{"ReopenModel", reopenModel},
}
