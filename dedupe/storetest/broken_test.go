package storetest

import (
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A brokenStore has one fault. by names the checks that must reject it; others
// may as well.
type brokenStore struct {
	by   string
	open func() dedupe.Store
}

// with breaks a right store.
func with(by string, fault func(*store)) brokenStore {
	return brokenStore{by, func() dedupe.Store {
		s := newStore()
		fault(s)
		return s
	}}
}

func loads(by string, f func(c call) error) brokenStore {
	return with(by, func(s *store) { s.load = f })
}

func swaps(by string, f func(c call) error) brokenStore {
	return with(by, func(s *store) { s.swap = f })
}

func sets(by string, f func(c call, key string, old, new envelope.Version) bool) brokenStore {
	return with(by, func(s *store) { s.set = f })
}

func names(by string, f func(key string) string) brokenStore {
	return with(by, func(s *store) { s.key = f })
}

func marks(by string, f func(v envelope.Version) envelope.Version) brokenStore {
	return with(by, func(s *store) { s.mark = f })
}

func compares(by string, f func(mark, old envelope.Version) bool) brokenStore {
	return with(by, func(s *store) { s.same = f })
}
