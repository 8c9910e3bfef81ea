package storetest

import (
	"bytes"
	"errors"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
)

var brokenLoads = map[string]brokenStore{
	"absent ones are left as they were": loads("Absent Insert RepeatedKeys BigBatch Model", func(c call) error {
		for i, key := range c.keys {
			if mark := c.now(string(key)); !mark.IsZero() {
				c.versions[i] = mark
			}
		}
		return nil
	}),
	"absent ones are an error": loads("Absent", func(c call) error {
		for i, key := range c.keys {
			if c.versions[i] = c.now(string(key)); c.versions[i].IsZero() {
				return errors.New("not found")
			}
		}
		return nil
	}),
	"absent ones are left out": loads("Absent RepeatedKeys BigBatch", func(c call) error {
		clear(c.versions)
		found := c.versions[:0]
		for _, key := range c.keys {
			if mark := c.now(string(key)); !mark.IsZero() {
				found = append(found, mark)
			}
		}
		return nil
	}),
	"absent ones have the time zero": loads("Absent", func(c call) error {
		for i, key := range c.keys {
			if c.versions[i] = c.now(string(key)); c.versions[i].IsZero() {
				c.versions[i] = envelope.TimeVersion(0)
			}
		}
		return nil
	}),
	"in the order of the keys": loads("Absent RepeatedKeys", func(c call) error {
		c.keys = slices.Clone(c.keys)
		slices.SortFunc(c.keys, bytes.Compare)
		return c.read()
	}),
	"a repeated key is answered once": loads("RepeatedKeys Model", func(c call) error {
		clear(c.versions)
		last := map[string]int{}
		for i, key := range c.keys {
			last[string(key)] = i
		}
		for key, i := range last {
			c.versions[i] = c.now(key)
		}
		return nil
	}),
	"a repeated key is refused": loads("RepeatedKeys", func(c call) error {
		seen := map[string]bool{}
		for _, key := range c.keys {
			if seen[string(key)] {
				return errors.New("duplicate item")
			}
			seen[string(key)] = true
		}
		return c.read()
	}),
	"empty calls are refused": with("Empty", func(s *store) {
		s.load = func(c call) error {
			if len(c.keys) == 0 {
				return errors.New("at least one key")
			}
			return c.read()
		}
	}),
	"empty swaps are refused": with("Empty", func(s *store) {
		s.swap = func(c call) error {
			if len(c.swaps) == 0 {
				return errors.New("at least one item")
			}
			return c.write()
		}
	}),
	"an empty call clears it": with("Empty", func(s *store) {
		s.swap = func(c call) error {
			if c.swaps == nil {
				clear(c.marks)
			}
			return c.write()
		}
	}),
	"loads what was there at the last load": with("Replace Insert Model", func(s *store) {
		cache := map[string]envelope.Version{}
		s.get = func(c call, key string) envelope.Version {
			was, ok := cache[key]
			cache[key] = c.marks[key]
			if ok {
				return was
			}
			return c.marks[key]
		}
	}),
	"remembers that there was none": with("Insert Absent Model", func(s *store) {
		absent := map[string]bool{}
		s.get = func(c call, key string) envelope.Version {
			if absent[key] {
				return none
			}
			absent[key] = c.marks[key].IsZero()
			return c.marks[key]
		}
	}),
	"a load removes": with("Insert Replace Model", func(s *store) {
		s.get = func(c call, key string) envelope.Version {
			defer delete(c.marks, key)
			return c.marks[key]
		}
	}),
}
