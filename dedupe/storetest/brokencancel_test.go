package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

var brokenContexts = map[string]brokenStore{
	"a cause of its own": ended("CancelledLoad CancelledSwap", func(call) error { return errors.New("request cancelled") }),
	"always cancelled":   ended("CancelledLoad CancelledSwap", func(call) error { return context.Canceled }),
	"always late":        ended("CancelledLoad CancelledSwap", func(call) error { return context.DeadlineExceeded }),
	"the cause as text": ended("CancelledLoad CancelledSwap", func(c call) error {
		return errors.New(c.ctx.Err().Error())
	}),
	"says it worked": ended("CancelledLoad CancelledSwap", func(call) error { return nil }),
	"says it worked for loads": loads("CancelledLoad", func(c call) error {
		if c.ctx.Err() != nil {
			clear(c.versions)
			return nil
		}
		return c.read()
	}),
	"says all is done": ended("CancelledSwap", func(c call) error {
		for i := range c.swaps {
			c.swaps[i].Done = true
		}
		return nil
	}),
	"does the work and says nothing of it": swaps("CancelledSwap", func(c call) error {
		err := c.write()
		for i := range c.swaps {
			c.swaps[i].Done = c.swaps[i].Done && c.ctx.Err() == nil
		}
		return err
	}),
	"does all there is": swaps("CancelledSwap", func(c call) error {
		if err := c.ctx.Err(); err != nil {
			for _, s := range c.swaps {
				c.put(string(s.Key), s.New)
			}
			return err
		}
		return c.write()
	}),
	"leaves a half": swaps("CancelledSwap", func(c call) error {
		if err := c.ctx.Err(); err != nil {
			for _, s := range c.swaps {
				c.put(string(s.Key), envelope.TimeVersion(s.New.Time().UnixNano()))
			}
			return err
		}
		return c.write()
	}),
	"removes": swaps("CancelledSwap", func(c call) error {
		if err := c.ctx.Err(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, s := range c.swaps {
				delete(c.marks, string(s.Key))
			}
			return err
		}
		return c.write()
	}),
	"a load removes when it ends early": loads("CancelledLoad", func(c call) error {
		if err := c.ctx.Err(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, key := range c.keys {
				delete(c.marks, string(key))
			}
			return err
		}
		return c.read()
	}),
	"fails ever after": with("CancelledLoad CancelledSwap", func(s *store) {
		var failed error
		s.load = func(c call) error {
			if failed == nil {
				failed = c.ctx.Err()
			}
			return errors.Join(failed, c.read())
		}
		s.swap = func(c call) error {
			if failed == nil {
				failed = c.ctx.Err()
			}
			return errors.Join(failed, c.write())
		}
	}),
	"the next call does nothing": with("CancelledSwap", func(s *store) {
		failed := false
		s.swap = func(c call) error {
			if failed {
				failed = false
				return nil
			}
			failed = c.ctx.Err() != nil
			return errors.Join(c.ctx.Err(), c.write())
		}
		s.load = func(c call) error { return c.read() }
	}),

	// Midway.
	"stops and says it worked": midway(func(call) error { return nil }),
	"stops with a cause of its own": midway(func(call) error {
		return errors.New("broken pipe")
	}),
	"undoes what others did": midway(func(c call) error {
		for _, s := range c.swaps {
			c.put(string(s.Key), s.Old)
		}
		return c.ctx.Err()
	}),
	"loads a half and says it worked": with("CancelledMidway", func(s *store) {
		s.load = func(c call) error {
			for i, key := range c.keys {
				if i%8 == 0 {
					time.Sleep(10 * time.Microsecond)
				}
				if c.ctx.Err() != nil {
					break
				}
				c.versions[i] = c.now(string(key))
			}
			return nil
		}
	}),
}

// ended has all calls whose context is over end with an error of cause.
func ended(by string, cause func(call) error) brokenStore {
	return with(by, func(s *store) {
		s.load = func(c call) error {
			if c.ctx.Err() != nil {
				return cause(c)
			}
			return c.read()
		}
		s.swap = func(c call) error {
			if c.ctx.Err() != nil {
				return cause(c)
			}
			return c.write()
		}
	})
}

// midway has swaps stop where the context ends, in a way of their own.
func midway(f func(call) error) brokenStore {
	return swaps("CancelledMidway", func(c call) error {
		for i := range c.swaps {
			if i%8 == 0 {
				time.Sleep(10 * time.Microsecond)
			}
			if c.ctx.Err() != nil {
				return f(c)
			}
			c.one(&c.swaps[i])
		}
		return nil
	})
}
