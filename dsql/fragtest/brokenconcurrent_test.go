package fragtest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
)

var brokenConcurrency = map[string]brokenStore{
	"looks, then writes": put("ConcurrentConflict", func(c call) error {
		if _, ok := c.first(c.index); ok {
			return c.keep()
		}
		time.Sleep(time.Millisecond)
		c.overwrite(c.plain())
		return nil
	}),
	"all win": put("ConcurrentConflict", func(c call) error {
		if c.keep() != nil {
			if first, _ := c.first(c.index); first < c.plain() {
				c.overwrite(c.plain())
			}
		}
		return nil
	}),
	"nobody wins": put("ConcurrentConflict", func(c call) error {
		if strings.HasPrefix(c.id, "round") {
			return dsql.ErrConflict
		}
		return c.keep()
	}),
	"the loser hears of something else": put("ConcurrentConflict", func(c call) error {
		if c.keep() != nil {
			return errors.New("busy")
		}
		return nil
	}),
	"the loser's text is kept": put("ConcurrentConflict", func(c call) error {
		err := c.keep()
		if err != nil {
			c.overwrite(c.plain())
		}
		return err
	}),
	"the loser's text is told": put("ConcurrentConflict", func(c call) error {
		if err := c.keep(); err != nil {
			return fmt.Errorf("%w: %s", err, c.plain())
		}
		return nil
	}),
	"one call at a time": with("Concurrent", func(s *store) {
		var calls atomic.Int32
		s.put = func(c call) error {
			defer calls.Add(-1)
			if calls.Add(1) > 1 {
				return errors.New("busy")
			}
			time.Sleep(time.Millisecond)
			return c.keep()
		}
	}),
	"an image is there before its texts": with("Concurrent", func(s *store) {
		s.put = func(c call) error {
			if _, ok := c.first(c.index); !ok {
				c.overwrite("")
				time.Sleep(time.Millisecond)
				c.overwrite(c.plain())
			}
			return nil
		}
	}),
	"a part is a failure": with("Concurrent", func(s *store) {
		s.put = slowly
		s.join = func(c call) ([]byte, error) {
			b, err := c.append()
			if err != nil && c.count() > 0 && c.count() < c.total {
				err = errors.New("busy")
			}
			return b, err
		}
	}),
	"a part is left in dst": with("Concurrent", func(s *store) {
		s.put = slowly
		s.join = func(c call) ([]byte, error) {
			b, err := c.append()
			if err != nil && c.count() > 0 {
				b = append(b, "a part"...)
			}
			return b, err
		}
	}),
	"an image is there late": with("Concurrent", func(s *store) {
		var joins atomic.Int32
		s.join = func(c call) ([]byte, error) {
			if strings.HasPrefix(c.id, "image ") && joins.Add(1) < 1e6 {
				return c.dst, dsql.ErrIncomplete
			}
			return c.append()
		}
	}),
	"joins are of another image": with("Concurrent", func(s *store) {
		var last atomic.Value
		s.join = func(c call) ([]byte, error) {
			b, err := c.append()
			if old, ok := last.Swap(string(b)).(string); ok && err == nil {
				return []byte(old), nil
			}
			return b, err
		}
	}),
	"others are forgotten too": forget("Concurrent", func(c call) error {
		return c.dropFunc(func(id string) bool { return strings.HasPrefix(c.id, id) })
	}),
	"others are forgotten late": forget("Concurrent", func(c call) error {
		time.Sleep(5 * time.Millisecond)
		return c.dropFunc(func(id string) bool { return strings.HasPrefix(c.id, id) })
	}),
	"Forget fails at once with others": with("Concurrent", func(s *store) {
		s.forget = func(c call) error {
			if strings.HasPrefix(c.id, "image ") {
				return errors.New("busy")
			}
			return c.drop()
		}
	}),
}

// slowly is a right Put that takes its time.
func slowly(c call) error {
	time.Sleep(2 * time.Millisecond)
	return c.keep()
}
