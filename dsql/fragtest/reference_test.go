package fragtest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A place is where stores keep fragments.
type place struct {
	mu     sync.Mutex
	images map[string]map[int]string
}

// A store is right unless one of its functions is set. Several may share a
// place.
type store struct {
	*place
	volatile bool
	put      func(c call) error
	join     func(c call) ([]byte, error)
	forget   func(c call) error
	key      func(id string) string // the ID that takes an ID's place
	text     func(data envelope.Value) string
}

func newStore() *store { return &store{place: &place{}} }

// right is a place for stores without a fault.
func right(*testing.T) func() dsql.DurableStore {
	p := &place{}
	return func() dsql.DurableStore { return &store{place: p} }
}

// A call is one of a store's method, with those arguments that the method has.
type call struct {
	*store
	ctx   context.Context
	id    string
	index int
	data  envelope.Value
	dst   []byte
	total int
}

func (s *store) Durable() bool { return !s.volatile }

func (s *store) Put(ctx context.Context, id string, index int, data envelope.Value) error {
	c := call{store: s, ctx: ctx, id: id, index: index, data: data}
	if s.put != nil {
		return s.put(c)
	}
	return c.keep()
}

func (s *store) Join(ctx context.Context, dst []byte, id string, total int) ([]byte, error) {
	c := call{store: s, ctx: ctx, id: id, dst: dst, total: total}
	if s.join != nil {
		return s.join(c)
	}
	return c.append()
}

func (s *store) Forget(ctx context.Context, id string) error {
	c := call{store: s, ctx: ctx, id: id}
	if s.forget != nil {
		return s.forget(c)
	}
	return c.drop()
}

// keep is a right Put.
func (c call) keep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.images[c.image()][c.index]; ok {
		if first != c.plain() {
			return fmt.Errorf("%w: fragment %d", dsql.ErrConflict, c.index)
		}
		return nil
	}
	c.write(c.plain())
	return nil
}

// append is a right Join.
func (c call) append() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.dst
	for i := range c.total {
		text, ok := c.images[c.image()][i]
		if !ok {
			return c.dst, fmt.Errorf("%w: fragment %d", dsql.ErrIncomplete, i)
		}
		out = append(out, text...)
	}
	return out, nil
}

// drop is a right Forget.
func (c call) drop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.images, c.image())
	return nil
}

// write keeps a text, whatever there is. The place is locked.
func (c call) write(text string) {
	if c.images == nil {
		c.images = map[string]map[int]string{}
	}
	if c.images[c.image()] == nil {
		c.images[c.image()] = map[int]string{}
	}
	c.images[c.image()][c.index] = text
}

// overwrite is write for those who have not locked the place.
func (c call) overwrite(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(text)
}

// first returns what the store has of a fragment, and whether it has it.
func (c call) first(index int) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, ok := c.images[c.image()][index]
	return text, ok
}

// count returns how many fragments of the image the store has.
func (c call) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.images[c.image()])
}

// image returns the name under which the image is kept.
func (c call) image() string {
	if c.key != nil {
		return c.key(c.id)
	}
	return c.id
}

// plain returns the text to keep.
func (c call) plain() string {
	if c.text != nil {
		return c.text(c.data)
	}
	return string(c.data.AppendText(nil))
}
