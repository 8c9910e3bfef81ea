package fragtest

import (
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A brokenStore has one fault. by names the checks that must reject it; others
// may as well.
type brokenStore struct {
	by   string
	open func() dsql.FragmentStore
}

// with breaks a right store.
func with(by string, fault func(*store)) brokenStore {
	return brokenStore{by, func() dsql.FragmentStore {
		s := newStore()
		fault(s)
		return s
	}}
}

func put(by string, f func(c call) error) brokenStore {
	return with(by, func(s *store) { s.put = f })
}

func join(by string, f func(c call) ([]byte, error)) brokenStore {
	return with(by, func(s *store) { s.join = f })
}

func forget(by string, f func(c call) error) brokenStore {
	return with(by, func(s *store) { s.forget = f })
}

func key(by string, f func(id string) string) brokenStore {
	return with(by, func(s *store) { s.key = f })
}

func text(by string, f func(text string) string) brokenStore {
	return with(by, func(s *store) {
		s.text = func(data envelope.Value) string { return f(string(data.AppendText(nil))) }
	})
}
