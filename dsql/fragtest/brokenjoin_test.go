package fragtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

var brokenJoins = map[string]brokenStore{
	"durable, but run as volatile": with("Volatile", func(*store) {}),

	// Order and completeness.
	"joins in the order of arrival": {"AnyOrder Interleaved ManyFragments", func() dsql.FragmentStore { return &queue{store: newStore()} }},
	"joins in the order of names": join("AnyOrder ManyFragments", func(c call) ([]byte, error) {
		order := forwards(c.total)
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(strconv.Itoa(a), strconv.Itoa(b)) })
		return c.inOrder(order)
	}),
	"joins all that there is": join("PartOfAnImage Forget", func(c call) ([]byte, error) {
		return c.inOrder(forwards(c.count()))
	}),
	"joins more than it is asked for": join("PartOfAnImage", func(c call) ([]byte, error) {
		c.total = max(c.total, c.count())
		return c.append()
	}),
	"joins what it finds": join("Missing PartOfAnImage ManyFragments Repeats Forget ChunkIDs", func(c call) ([]byte, error) {
		for i := range c.total {
			text, _ := c.first(i)
			c.dst = append(c.dst, text...)
		}
		return c.dst, nil
	}),
	"indexes in a byte":    index("ManyFragments", func(i int) int { return i & 0xff }),
	"indexes of one digit": index("AnyOrder", func(i int) int { return i % 10 }),
	"one image for all":    key("Interleaved AnyOrder", func(string) string { return "" }),
	"nothing is missing": join("PartOfAnImage", func(c call) ([]byte, error) {
		if c.total == 0 {
			return c.dst, dsql.ErrIncomplete
		}
		return c.append()
	}),
	"missing without the cause": join("Missing", func(c call) ([]byte, error) {
		b, err := c.append()
		if err != nil {
			err = errors.New("no such key")
		}
		return b, err
	}),
	"missing is a conflict": join("Missing", func(c call) ([]byte, error) {
		b, err := c.append()
		if err != nil {
			err = errors.Join(err, dsql.ErrConflict)
		}
		return b, err
	}),
	"missing with the texts": join("Missing", func(c call) ([]byte, error) {
		b, err := c.append()
		if err != nil {
			err = fmt.Errorf("%w: have %s", err, slices.Sorted(maps.Values(c.images[c.id])))
		}
		return b, err
	}),
	"Join forgets": join("JoinTwice", func(c call) ([]byte, error) {
		b, err := c.append()
		if err == nil {
			err = c.drop()
		}
		return b, err
	}),

	// dst.
	"dst is dropped": join("Append", func(c call) ([]byte, error) {
		c.dst = nil
		return c.append()
	}),
	"a full dst loses its end": join("Append", func(c call) ([]byte, error) {
		if n := len(c.dst); n > 0 && n == cap(c.dst) {
			c.dst = c.dst[:n-1]
		}
		return c.append()
	}),
	"a part is left in dst": join("Missing", func(c call) ([]byte, error) { return c.inOrder(forwards(c.total)) }),
	"no dst after an error": join("Missing", func(c call) ([]byte, error) {
		b, err := c.append()
		if err != nil {
			b = nil
		}
		return b, err
	}),
	"Join gives its own memory away": {"Results", func() dsql.FragmentStore { return &lender{store: newStore()} }},
	"two results share memory":       {"Results", func() dsql.FragmentStore { return &lender{store: newStore(), pairs: true} }},
}

// inOrder joins the fragments of those indexes as far as they are there.
func (c call) inOrder(order []int) ([]byte, error) {
	for _, i := range order {
		text, ok := c.first(i)
		if !ok {
			return c.dst, dsql.ErrIncomplete
		}
		c.dst = append(c.dst, text...)
	}
	return c.dst, nil
}

// index has indexes collide.
func index(by string, f func(index int) int) brokenStore {
	return with(by, func(s *store) {
		s.put = func(c call) error {
			c.index = f(c.index)
			return c.keep()
		}
		s.join = func(c call) ([]byte, error) {
			order := forwards(c.total)
			for i := range order {
				order[i] = f(i)
			}
			b, err := c.inOrder(order)
			if err != nil {
				b = c.dst
			}
			return b, err
		}
	})
}

// A queue joins fragments as they came.
type queue struct {
	*store
	mu    sync.Mutex
	order map[string][]int
}

func (q *queue) Put(ctx context.Context, id string, index int, data envelope.Value) error {
	q.mu.Lock()
	if q.order == nil {
		q.order = map[string][]int{}
	}
	if !slices.Contains(q.order[id], index) {
		q.order[id] = append(q.order[id], index)
	}
	q.mu.Unlock()
	return q.store.Put(ctx, id, index, data)
}

func (q *queue) Join(ctx context.Context, dst []byte, id string, total int) ([]byte, error) {
	if b, err := q.store.Join(ctx, dst, id, total); err != nil {
		return b, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return call{store: q.store, id: id, dst: dst}.inOrder(q.order[id])
}

// A lender keeps what it joined. It gives it to the first who asks and copies of
// it to others who bring no room; or to two, and then joins again.
type lender struct {
	*store
	pairs bool
	mu    sync.Mutex
	id    string
	kept  []byte
}

func (l *lender) Join(ctx context.Context, dst []byte, id string, total int) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.id == id && l.kept != nil {
		if l.pairs {
			b := l.kept
			l.kept = nil
			return b, nil
		}
		if cap(dst) == 0 {
			return slices.Clone(l.kept), nil
		}
	}
	b, err := l.store.Join(ctx, nil, id, total)
	if err != nil {
		return dst, err
	}
	l.id, l.kept = id, b
	return b, nil
}
