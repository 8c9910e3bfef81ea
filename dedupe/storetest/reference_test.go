package storetest

import (
	"context"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A place is where stores keep marks.
type place struct {
	mu    sync.Mutex
	marks map[string]envelope.Version
}

// A store is right unless one of its functions is set. Several may share a
// place.
type store struct {
	*place
	load func(c call) error
	swap func(c call) error
	get  func(c call, key string) envelope.Version                // the place is locked
	set  func(c call, key string, old, new envelope.Version) bool // the place is locked
	key  func(key string) string                                  // the key that takes a key's place
	mark func(v envelope.Version) envelope.Version                // the version that takes a version's place
	same func(mark, old envelope.Version) bool                    // whether a mark is what it should be
}

// A call is one of a store's methods, with those arguments that the method has.
type call struct {
	*store
	ctx      context.Context
	keys     [][]byte
	versions []envelope.Version
	swaps    []dedupe.Swap
}

func newPlace() *place { return &place{marks: map[string]envelope.Version{}} }
func newStore() *store { return &store{place: newPlace()} }

// right is a place for stores without a fault.
func right(*testing.T) func() dedupe.Store {
	p := newPlace()
	return func() dedupe.Store { return &store{place: p} }
}

func (s *store) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	c := call{store: s, ctx: ctx, keys: keys, versions: versions}
	if s.load != nil {
		return s.load(c)
	}
	return c.read()
}

func (s *store) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	c := call{store: s, ctx: ctx, swaps: swaps}
	if s.swap != nil {
		return s.swap(c)
	}
	return c.write()
}

// read is a right Load.
func (c call) read() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range c.keys {
		c.versions[i] = c.at(string(key))
	}
	return nil
}

// write is a right Swap.
func (c call) write() error {
	for i := range c.swaps {
		c.one(&c.swaps[i])
	}
	return nil
}

// one makes a swap.
func (c call) one(s *dedupe.Swap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != nil {
		s.Done = c.set(c, string(s.Key), s.Old, s.New)
		return
	}
	s.Done = c.replace(string(s.Key), s.Old, s.New)
}

// at returns the mark of a key. The place is locked.
func (c call) at(key string) envelope.Version {
	if c.get != nil {
		return c.get(c, key)
	}
	return c.marks[c.name(key)]
}

// replace makes a swap. The place is locked.
func (c call) replace(key string, old, new envelope.Version) bool {
	mark := c.marks[c.name(key)]
	equal := mark == old
	if c.same != nil {
		equal = c.same(mark, old)
	}
	if equal {
		c.force(key, new)
	}
	return equal
}

// force gives a key a mark, whatever there is. The place is locked.
func (c call) force(key string, v envelope.Version) {
	if c.mark != nil {
		v = c.mark(v)
	}
	c.marks[c.name(key)] = v
}

// put is force for those who have not locked the place.
func (c call) put(key string, v envelope.Version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.force(key, v)
}

// now is at for those who have not locked the place.
func (c call) now(key string) envelope.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(key)
}

// name returns the key under which a mark is kept.
func (c call) name(key string) string {
	if c.key != nil {
		return c.key(key)
	}
	return key
}
