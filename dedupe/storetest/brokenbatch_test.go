package storetest

import (
	"errors"
	"slices"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// chunked makes calls in parts of n. f says what becomes of a part.
func chunked(by string, n int, f func(c call, part int) error) brokenStore {
	return with(by, func(s *store) {
		s.load = func(c call) error {
			part := 0
			for keys := range slices.Chunk(c.keys, n) {
				p := c
				p.keys, p.versions = keys, c.versions[part*n:]
				if err := f(p, part); err != nil {
					return err
				}
				part++
			}
			return nil
		}
		s.swap = func(c call) error {
			part := 0
			for swaps := range slices.Chunk(c.swaps, n) {
				p := c
				p.swaps = swaps
				if err := f(p, part); err != nil {
					return err
				}
				part++
			}
			return nil
		}
	})
}

// do is a right call.
func (c call) do() error {
	if c.swaps != nil {
		return c.write()
	}
	return c.read()
}

// short returns the call without its last key.
func (c call) short() call {
	if c.swaps != nil {
		c.swaps = c.swaps[:len(c.swaps)-1]
	} else {
		c.keys = c.keys[:len(c.keys)-1]
	}
	return c
}

func (c call) len() int { return max(len(c.keys), len(c.swaps)) }

var brokenBatches = map[string]brokenStore{
	"the first 25":          chunked("BatchSizes", 25, first),
	"the first 100":         chunked("BatchSizes", 100, first),
	"the first 256":         chunked("BatchSizes", 256, first),
	"the first 1000":        chunked("BatchSizes BigBatch", 1000, first),
	"the first 10000":       chunked("BigBatch", 10000, first),
	"no part of 25 alone":   chunked("BatchSizes", 25, full),
	"no part of 100 alone":  chunked("BatchSizes", 100, full),
	"no part of 1000 alone": chunked("BatchSizes BigBatch", 1000, full),
	"without the last of each part": chunked("BatchSizes", 128, func(c call, _ int) error {
		if c.len() == 128 {
			c = c.short()
		}
		return c.do()
	}),
	"without the last of all": chunked("BatchSizes", 1000, func(c call, part int) error {
		if part > 0 {
			c = c.short()
		}
		return c.do()
	}),
	"at most 25":    atMost("BatchSizes", 25),
	"at most 100":   atMost("BatchSizes", 100),
	"at most 1000":  atMost("BatchSizes BigBatch", 1000),
	"at most 10000": atMost("BigBatch", 10000),
	"the second part is as the first": swaps("BatchSizes", func(c call) error {
		err := c.write()
		for i := 100; i < len(c.swaps); i++ {
			c.swaps[i].Done = c.swaps[i-100].Done
		}
		return err
	}),
	"loads the second part as the first": loads("BatchSizes", func(c call) error {
		err := c.read()
		for i := 100; i < len(c.keys); i++ {
			c.versions[i] = c.versions[i-100]
		}
		return err
	}),
	"room for 10000": with("BigBatch", func(s *store) {
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if len(c.marks) == 10_000 {
				for key := range c.marks {
					delete(c.marks, key)
					break
				}
			}
			return c.replace(key, old, new)
		}
	}),
	"up to 1 MiB at once": swaps("LongKeys", func(c call) error {
		n := 0
		for _, s := range c.swaps {
			n += len(s.Key) + 2*32
		}
		if n > 1<<20 {
			return errors.New("request too large")
		}
		return c.write()
	}),
	"up to 1 MiB of answers": loads("LongKeys", func(c call) error {
		n := 0
		for i, key := range c.keys {
			if n += len(key); n > 1<<20 {
				c.versions[i] = none
				continue
			}
			c.versions[i] = c.now(string(key))
		}
		return nil
	}),
}

func first(c call, part int) error {
	if part == 0 {
		return c.do()
	}
	for i := range c.swaps {
		c.swaps[i].Done = true
	}
	return nil
}

func full(c call, part int) error {
	if part > 0 && c.len()%25 != 0 {
		return nil
	}
	return c.do()
}

func atMost(by string, n int) brokenStore {
	return chunked(by, n, func(c call, part int) error {
		if part > 0 {
			return errors.New("too many items")
		}
		return c.do()
	})
}

var _ dedupe.Store = (*store)(nil)
