package storetest

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

var brokenConcurrency = map[string]brokenStore{
	"looks, then writes": swaps("Concurrent ConcurrentInsert ConcurrentBatches", func(c call) error {
		for i := range c.swaps {
			s := &c.swaps[i]
			s.Done = c.now(string(s.Key)) == s.Old
			runtime.Gosched()
			if s.Done {
				c.put(string(s.Key), s.New)
			}
		}
		return nil
	}),
	"looks at a batch, then writes it": swaps("Concurrent ConcurrentInsert ConcurrentBatches", func(c call) error {
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
	}),
	"a lock for each size of batch": with("Concurrent ConcurrentBatches", func(s *store) {
		var locks [500]sync.Mutex
		s.swap = func(c call) error {
			lock := &locks[len(c.swaps)]
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
	"only replacing is atomic": swaps("ConcurrentInsert", func(c call) error {
		for i := range c.swaps {
			s := &c.swaps[i]
			if !s.Old.IsZero() {
				c.one(s)
				continue
			}
			s.Done = c.now(string(s.Key)).IsZero()
			pause()
			if s.Done {
				c.put(string(s.Key), s.New)
			}
		}
		return nil
	}),
	"all win": sets("Concurrent ConcurrentInsert", func(c call, key string, old, new envelope.Version) bool {
		c.replace(key, old, new)
		return true
	}),
	"nobody wins": with("ConcurrentInsert", func(s *store) {
		var calls atomic.Int32
		s.swap = func(c call) error {
			defer calls.Add(-1)
			if calls.Add(1) > 1 || len(c.swaps) == 6 {
				pause()
				for i := range c.swaps {
					c.swaps[i].Done = false
				}
				return nil
			}
			return c.write()
		}
	}),
	"the loser's mark is kept": sets("Concurrent ConcurrentInsert", func(c call, key string, old, new envelope.Version) bool {
		done := c.replace(key, old, new)
		c.force(key, new)
		return done
	}),
	"fails at once with others": with("Concurrent ConcurrentInsert", func(s *store) {
		var calls atomic.Int32
		s.swap = func(c call) error {
			defer calls.Add(-1)
			calls.Add(1)
			pause()
			if calls.Load() > 1 {
				return errors.New("busy")
			}
			return c.write()
		}
	}),
	"loads fail at once with others": with("Concurrent", func(s *store) {
		var calls atomic.Int32
		s.load = func(c call) error {
			defer calls.Add(-1)
			calls.Add(1)
			pause()
			if calls.Load() > 1 {
				return errors.New("busy")
			}
			return c.read()
		}
	}),
	"a mark is there before its swap is": swaps("Concurrent", func(c call) error {
		for i := range c.swaps {
			s := &c.swaps[i]
			if s.Done = c.now(string(s.Key)) == s.Old; !s.Done {
				continue
			}
			c.put(string(s.Key), envelope.TimeVersion(s.New.Time().UnixNano()))
			pause()
			c.put(string(s.Key), s.New)
		}
		return nil
	}),
	"a mark is gone for a while": with("Concurrent", func(s *store) {
		var lock sync.Mutex
		s.swap = func(c call) error {
			lock.Lock()
			defer lock.Unlock()
			for i := range c.swaps {
				s := &c.swaps[i]
				if s.Done = c.now(string(s.Key)) == s.Old; s.Done {
					c.put(string(s.Key), none)
					pause()
					c.put(string(s.Key), s.New)
				}
			}
			return nil
		}
	}),
	"a mark is there too early": with("Concurrent", func(s *store) {
		var lock sync.Mutex
		s.swap = func(c call) error {
			lock.Lock()
			defer lock.Unlock()
			for i := range c.swaps {
				s := &c.swaps[i]
				mark := c.now(string(s.Key))
				c.put(string(s.Key), s.New)
				pause()
				if s.Done = mark == s.Old; !s.Done {
					c.put(string(s.Key), mark)
				}
			}
			return nil
		}
	}),
	"a replica that is behind": with("Concurrent ConcurrentBatches", func(s *store) {
		former := map[string]envelope.Version{}
		var reads int
		s.set = func(c call, key string, old, new envelope.Version) bool {
			mark := c.marks[key]
			done := c.replace(key, old, new)
			if done {
				former[key] = mark
			}
			return done
		}
		s.get = func(c call, key string) envelope.Version {
			if reads++; reads%97 == 0 {
				return former[key]
			}
			return c.marks[key]
		}
	}),
	"done, and forgotten now and then": with("Concurrent ConcurrentBatches", func(s *store) {
		n := 0
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if c.marks[key] != old {
				return false
			}
			if n++; n%211 != 0 {
				c.force(key, new)
			}
			return true
		}
	}),
	"goes back now and then": with("Concurrent", func(s *store) {
		first := map[string]envelope.Version{}
		n := 0
		s.set = func(c call, key string, old, new envelope.Version) bool {
			done := c.replace(key, old, new)
			if first[key].IsZero() {
				first[key] = c.marks[key]
			}
			if n++; n%211 == 0 {
				c.force(key, first[key])
			}
			return done
		}
	}),
	"refused, but made": with("Concurrent ConcurrentBatches", func(s *store) {
		n := 0
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if c.marks[key] != old {
				return false
			}
			c.force(key, new)
			n++
			return n%211 != 0
		}
	}),
	"marks of other keys": with("Concurrent", func(s *store) {
		var shared []envelope.Version
		var lock sync.Mutex
		s.load = func(c call) error {
			lock.Lock()
			shared = append(shared[:0], make([]envelope.Version, len(c.keys))...)
			lock.Unlock()
			for i, key := range c.keys {
				mark := c.now(string(key))
				lock.Lock()
				if i < len(shared) {
					shared[i] = mark
				}
				lock.Unlock()
				runtime.Gosched()
			}
			lock.Lock()
			defer lock.Unlock()
			copy(c.versions, shared)
			return nil
		}
	}),
}

// pause lets others in.
func pause() { time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond) }
