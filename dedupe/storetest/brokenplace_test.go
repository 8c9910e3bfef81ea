package storetest

import (
	"sync"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A brokenPlace is a place whose stores have one fault.
type brokenPlace struct {
	by    string
	place func() func() dedupe.Store
}

// opened breaks each store over a place as it is opened.
func opened(by string, fault func(*store)) brokenPlace {
	return brokenPlace{by, func() func() dedupe.Store {
		p := newPlace()
		return func() dedupe.Store {
			s := &store{place: p}
			fault(s)
			return s
		}
	}}
}

var brokenShared = map[string]brokenPlace{
	"in memory after all": {"Shared SharedBatch SharedConcurrent SharedInsert", func() func() dedupe.Store {
		return func() dedupe.Store { return newStore() }
	}},
	"remembers marks": opened("Shared SharedBatch SharedConcurrent", func(s *store) {
		cache := map[string]envelope.Version{}
		s.get = func(c call, key string) envelope.Version {
			if cache[key].IsZero() {
				cache[key] = c.marks[key]
			}
			return cache[key]
		}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			done := c.replace(key, old, new)
			cache[key] = c.marks[key]
			return done
		}
	}),
	"remembers that there was none": opened("Shared SharedBatch", func(s *store) {
		absent := map[string]bool{}
		s.get = func(c call, key string) envelope.Version {
			if absent[key] {
				return none
			}
			absent[key] = c.marks[key].IsZero()
			return c.marks[key]
		}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			delete(absent, key)
			return c.replace(key, old, new)
		}
	}),
	"remembers its own": opened("Shared SharedBatch SharedConcurrent", func(s *store) {
		own := map[string]envelope.Version{}
		s.get = func(c call, key string) envelope.Version {
			if mark, ok := own[key]; ok {
				return mark
			}
			return c.marks[key]
		}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			done := c.replace(key, old, new)
			if done {
				own[key] = new
			}
			return done
		}
	}),
	"compares with what it remembers": opened("Shared SharedBatch SharedConcurrent SharedInsert", func(s *store) {
		cache := map[string]envelope.Version{}
		s.get = func(c call, key string) envelope.Version {
			cache[key] = c.marks[key]
			return cache[key]
		}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if cache[key] != old {
				return false
			}
			cache[key] = new
			c.force(key, new)
			return true
		}
	}),
	"a lock of its own": opened("SharedConcurrent SharedInsert", func(s *store) {
		var lock sync.Mutex
		s.swap = func(c call) error {
			lock.Lock()
			defer lock.Unlock()
			for i := range c.swaps {
				c.swaps[i].Done = c.now(string(c.swaps[i].Key)) == c.swaps[i].Old
			}
			pause()
			for _, s := range c.swaps {
				if s.Done {
					c.put(string(s.Key), s.New)
				}
			}
			return nil
		}
	}),
	"writes one call late": opened("Shared SharedBatch", func(s *store) {
		late := map[string]envelope.Version{}
		s.swap = func(c call) error {
			c.mu.Lock()
			for key, mark := range late {
				c.force(key, mark)
			}
			clear(late)
			for i := range c.swaps {
				s := &c.swaps[i]
				if s.Done = c.marks[string(s.Key)] == s.Old; s.Done {
					late[string(s.Key)] = s.New
				}
			}
			c.mu.Unlock()
			return nil
		}
		s.get = func(c call, key string) envelope.Version {
			if mark, ok := late[key]; ok {
				return mark
			}
			return c.marks[key]
		}
	}),
	"only one at a time has it": {"Shared", func() func() dedupe.Store {
		p := newPlace()
		opens := 0
		return func() dedupe.Store {
			if opens++; opens > 1 {
				return newStore()
			}
			return &store{place: p}
		}
	}},
}

// restarted spoils a place before each start but the first.
func restarted(by string, spoil func(marks map[string]envelope.Version)) brokenPlace {
	return brokenPlace{by, func() func() dedupe.Store {
		p := newPlace()
		return func() dedupe.Store {
			spoil(p.marks)
			return &store{place: p}
		}
	}}
}

var brokenDurable = map[string]brokenPlace{
	"in memory after all": {"Reopen ReopenBatch ReopenConcurrent ReopenModel", func() func() dedupe.Store {
		return func() dedupe.Store { return newStore() }
	}},
	"without one of them at each start": restarted("Reopen ReopenBatch ReopenModel", func(marks map[string]envelope.Version) {
		for key := range marks {
			delete(marks, key)
			break
		}
	}),
	"without keys that are no text": restarted("ReopenBatch", func(marks map[string]envelope.Version) { delete(marks, "\xff\xfe") }),
	"times alone after a start": restarted("Reopen ReopenBatch ReopenConcurrent ReopenModel", func(marks map[string]envelope.Version) {
		for key, mark := range marks {
			marks[key] = envelope.TimeVersion(mark.Time().UnixNano())
		}
	}),
	"without connectors' clocks after a start": restarted("ReopenBatch", func(marks map[string]envelope.Version) {
		for key, mark := range marks {
			b, _ := mark.MarshalBinary()
			clear(b[2:8])
			if err := mark.UnmarshalBinary(b); err == nil {
				marks[key] = mark
			}
		}
	}),
	"the last swap is lost":       loses("Reopen ReopenBatch ReopenConcurrent ReopenModel", 1),
	"the last ten swaps are lost": loses("ReopenConcurrent", 10),
	"former marks after a start": {"Reopen ReopenBatch ReopenConcurrent ReopenModel", func() func() dedupe.Store {
		p := newPlace()
		former := map[string]envelope.Version{}
		return func() dedupe.Store {
			for key, mark := range former {
				p.marks[key] = mark
			}
			s := &store{place: p}
			s.set = func(c call, key string, old, new envelope.Version) bool {
				done := c.replace(key, old, new)
				if done && !old.IsZero() {
					former[key] = old
				}
				return done
			}
			return s
		}
	}},
	"a log with what was refused": {"Reopen ReopenModel", func() func() dedupe.Store {
		p := newPlace()
		log := map[string]envelope.Version{}
		return func() dedupe.Store {
			for key, mark := range log {
				p.marks[key] = mark
			}
			s := &store{place: p}
			s.set = func(c call, key string, old, new envelope.Version) bool {
				log[key] = new
				return c.replace(key, old, new)
			}
			return s
		}
	}},
	"inserts alone are kept": {"Reopen ReopenBatch ReopenConcurrent ReopenModel", func() func() dedupe.Store {
		p := newPlace()
		return func() dedupe.Store {
			later := map[string]envelope.Version{}
			s := &store{place: p}
			s.get = func(c call, key string) envelope.Version {
				if mark, ok := later[key]; ok {
					return mark
				}
				return c.marks[key]
			}
			s.set = func(c call, key string, old, new envelope.Version) bool {
				if s.get(c, key) != old {
					return false
				}
				if old.IsZero() {
					c.force(key, new)
				} else {
					later[key] = new
				}
				return true
			}
			return s
		}
	}},
}

// loses has a start undo the last n swaps that were done.
func loses(by string, n int) brokenPlace {
	type step struct {
		key string
		old envelope.Version
	}
	return brokenPlace{by, func() func() dedupe.Store {
		p := newPlace()
		var steps []step
		return func() dedupe.Store {
			if len(steps) >= n {
				for i := len(steps) - 1; i >= len(steps)-n; i-- {
					p.marks[steps[i].key] = steps[i].old
				}
			}
			steps = nil
			s := &store{place: p}
			s.set = func(c call, key string, old, new envelope.Version) bool {
				done := c.replace(key, old, new)
				if done {
					steps = append(steps, step{key, old})
				}
				return done
			}
			return s
		}
	}}
}
