package fragtest

import (
	"errors"

	"github.com/rowdelta/rowdelta/dsql"
)

// A brokenDurable is a place whose stores have one fault.
type brokenDurable struct {
	by    string
	place func() func() dsql.DurableStore
}

// opened breaks each store over a place as it is opened.
func opened(by string, fault func(*store)) brokenDurable {
	return brokenDurable{by, func() func() dsql.DurableStore {
		p := &place{}
		return func() dsql.DurableStore {
			s := &store{place: p}
			fault(s)
			return s
		}
	}}
}

var brokenDurables = map[string]brokenDurable{
	"not durable": opened("Durable", func(s *store) { s.volatile = true }),
	"in memory after all": {"Reopen ReopenForgotten Shared SharedConflict", func() func() dsql.DurableStore {
		return func() dsql.DurableStore { return newStore() }
	}},
	"empty at each start": opened("Reopen ReopenForgotten", func(s *store) { s.images = nil }),
	"without the twelfth one at each start": opened("Reopen", func(s *store) {
		for _, image := range s.images {
			delete(image, 11)
		}
	}),
	"sees conflicts with its own texts alone": opened("Reopen Shared SharedConflict", func(s *store) {
		type fragment struct {
			id    string
			index int
		}
		own := map[fragment]bool{}
		s.put = func(c call) error {
			if own[fragment{c.id, c.index}] {
				return c.keep()
			}
			own[fragment{c.id, c.index}] = true
			c.overwrite(c.plain())
			return nil
		}
	}),
	"a repeat after a start is a conflict": opened("Reopen", func(s *store) {
		puts := 0
		s.put = func(c call) error {
			puts++
			if _, ok := c.first(c.index); ok && puts == 1 {
				return dsql.ErrConflict
			}
			return c.keep()
		}
	}),
	"forgets until the next start": opened("ReopenForgotten Shared", func(s *store) {
		gone := map[string]bool{}
		s.forget = func(c call) error {
			gone[c.id] = true
			return nil
		}
		s.join = func(c call) ([]byte, error) {
			if gone[c.id] {
				return c.dst, dsql.ErrIncomplete
			}
			return c.append()
		}
	}),
	"forgets all": opened("ReopenForgotten", func(s *store) {
		s.forget = func(c call) error { return c.dropFunc(func(string) bool { return true }) }
	}),
	"forgets its own alone": opened("ReopenForgotten", func(s *store) {
		own := map[string]bool{}
		s.put = func(c call) error {
			own[c.id] = true
			return c.keep()
		}
		s.forget = func(c call) error {
			if !own[c.id] {
				return nil
			}
			return c.drop()
		}
	}),
	"a start forgets nothing twice": opened("ReopenForgotten", func(s *store) {
		s.forget = func(c call) error {
			if c.count() == 0 {
				return errors.New("no such image")
			}
			return c.drop()
		}
	}),
	"remembers what others forgot": opened("Shared", func(s *store) {
		seen := map[string]string{}
		s.join = func(c call) ([]byte, error) {
			if text, ok := seen[c.id]; ok {
				return append(c.dst, text...), nil
			}
			b, err := c.append()
			if err == nil {
				seen[c.id] = string(b[len(c.dst):])
			}
			return b, err
		}
		s.forget = func(c call) error {
			delete(seen, c.id)
			return c.drop()
		}
	}),
	"remembers what it forgot": opened("Shared", func(s *store) {
		seen, gone := map[string]string{}, map[string]string{}
		s.join = func(c call) ([]byte, error) {
			if text, ok := gone[c.id]; ok {
				return append(c.dst, text...), nil
			}
			b, err := c.append()
			if err == nil {
				seen[c.id] = string(b[len(c.dst):])
			}
			return b, err
		}
		s.forget = func(c call) error {
			gone[c.id] = seen[c.id]
			return c.drop()
		}
	}),
}
