package storetest

import (
	"errors"

	"github.com/rowdelta/rowdelta/envelope"
)

var brokenSwaps = map[string]brokenStore{
	// What is compared.
	"nothing is compared": sets("Insert Refuse Mixed Done BatchSizes BigBatch Model CancelledSwap", func(c call, key string, _, new envelope.Version) bool {
		c.force(key, new)
		return true
	}),
	"no mark means any mark":                  compares("Insert Refuse Done Model", func(mark, old envelope.Version) bool { return old.IsZero() || mark == old }),
	"any mark will do for one that is absent": compares("Refuse Done Model", func(mark, old envelope.Version) bool { return mark.IsZero() || mark == old }),
	"only whether there is one":               compares("Refuse Mixed Model", func(mark, old envelope.Version) bool { return mark.IsZero() == old.IsZero() }),
	"a mark that is not older":                compares("Refuse", func(mark, old envelope.Version) bool { return mark.Compare(old) <= 0 }),
	"a mark that was": with("Refuse Model", func(s *store) {
		former := map[string]map[envelope.Version]bool{}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if !former[key][old] && c.marks[key] != old {
				return false
			}
			if former[key] == nil {
				former[key] = map[envelope.Version]bool{}
			}
			former[key][old] = !old.IsZero()
			c.force(key, new)
			return true
		}
	}),
	"a mark of another key": with("Refuse", func(s *store) {
		s.set = func(c call, key string, old, new envelope.Version) bool {
			for _, mark := range c.marks {
				if mark == old {
					c.force(key, new)
					return true
				}
			}
			return c.replace(key, old, new)
		}
	}),
	"the new one must be newer": sets("AnyOrder Model", func(c call, key string, old, new envelope.Version) bool {
		return new.Compare(old) > 0 && c.replace(key, old, new)
	}),
	"the new one must not be older": sets("AnyOrder Model", func(c call, key string, old, new envelope.Version) bool {
		return new.Compare(old) >= 0 && c.replace(key, old, new)
	}),
	"the newer of both is kept": sets("AnyOrder Model", func(c call, key string, old, new envelope.Version) bool {
		if new.Compare(old) < 0 {
			new = old
		}
		return c.replace(key, old, new)
	}),
	"never comes back to a mark": with("AnyOrder Model", func(s *store) {
		was := map[string]map[envelope.Version]bool{}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			if was[key] == nil {
				was[key] = map[envelope.Version]bool{}
			}
			was[key][old] = true
			return !was[key][new] && c.replace(key, old, new)
		}
	}),
	"a mark for itself changes nothing": sets("SameMark Model", func(c call, key string, old, new envelope.Version) bool {
		return old != new && c.replace(key, old, new)
	}),
	"a mark for itself is a mark": sets("SameMark Refuse Model", func(c call, key string, old, new envelope.Version) bool {
		if old == new {
			c.force(key, new)
			return true
		}
		return c.replace(key, old, new)
	}),
	"a mark for itself is none": sets("SameMark Model", func(c call, key string, old, new envelope.Version) bool {
		if old == new {
			old = c.marks[key]
			delete(c.marks, key)
			return old == new
		}
		return c.replace(key, old, new)
	}),
	"refuses all": swaps("Insert Concurrent", func(c call) error {
		for i := range c.swaps {
			c.swaps[i].Done = false
		}
		return nil
	}),
	"inserts once": with("Insert", func(s *store) {
		s.set = func(c call, key string, old, new envelope.Version) bool {
			return (!old.IsZero() || len(c.marks) == 0) && c.replace(key, old, new)
		}
	}),
	"replaces once": with("Replace", func(s *store) {
		n := map[string]int{}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			n[key]++
			return n[key] < 3 && c.replace(key, old, new)
		}
	}),
	"a refused one removes": sets("Refuse Insert Mixed Model", func(c call, key string, old, new envelope.Version) bool {
		if !c.replace(key, old, new) {
			delete(c.marks, key)
			return false
		}
		return true
	}),
	"a refused one is kept": sets("Refuse Insert Mixed Model", func(c call, key string, old, new envelope.Version) bool {
		done := c.replace(key, old, new)
		c.force(key, new)
		return done
	}),
	"a refused one bars the key": with("Refuse Model", func(s *store) {
		barred := map[string]bool{}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			done := !barred[key] && c.replace(key, old, new)
			barred[key] = !done
			return done
		}
	}),

	// What is reported.
	"never done":    reports("Insert Done Concurrent", func(_, _ bool) bool { return false }),
	"always done":   reports("Refuse Done Mixed", func(_, _ bool) bool { return true }),
	"never cleared": reports("Done Mixed", func(was, done bool) bool { return was || done }),
	"never set":     reports("Done Mixed", func(was, done bool) bool { return was && done }),
	"toggled":       reports("Done Mixed", func(was, done bool) bool { return was != done }),
	"a refusal is an error": swaps("Insert Refuse", func(c call) error {
		err := c.write()
		for _, s := range c.swaps {
			if !s.Done {
				err = errors.New("condition failed")
			}
		}
		return err
	}),
	"the outcomes of the call before": with("Mixed", func(s *store) {
		var before []bool
		s.swap = func(c call) error {
			err := c.write()
			now := make([]bool, len(c.swaps))
			for i := range now {
				now[i] = c.swaps[i].Done
				if i < len(before) && len(before) > 1 {
					c.swaps[i].Done = before[i]
				}
			}
			before = now
			return err
		}
	}),

	// The swaps of one call.
	"all or nothing": swaps("Mixed BatchSizes Model", func(c call) error {
		all := true
		for _, s := range c.swaps {
			all = all && c.now(string(s.Key)) == s.Old
		}
		if !all {
			for i := range c.swaps {
				c.swaps[i].Done = false
			}
			return nil
		}
		return c.write()
	}),
	"stops at a refusal": swaps("Mixed BatchSizes Model", func(c call) error {
		stopped := false
		for i := range c.swaps {
			if !stopped {
				c.one(&c.swaps[i])
				stopped = !c.swaps[i].Done
			} else {
				c.swaps[i].Done = false
			}
		}
		return nil
	}),
	"skips what is behind a refusal, and reports it": swaps("Mixed BatchSizes Model", func(c call) error {
		skip := false
		for i := range c.swaps {
			if skip {
				c.swaps[i].Done = true
			} else {
				c.one(&c.swaps[i])
			}
			skip = !c.swaps[i].Done
		}
		return nil
	}),
	"one outcome for all": swaps("Mixed Model", func(c call) error {
		err := c.write()
		for i := range c.swaps {
			c.swaps[i].Done = c.swaps[0].Done
		}
		return err
	}),
	"a refusal undoes the others": swaps("Mixed Model", func(c call) error {
		err := c.write()
		refused := false
		for _, s := range c.swaps {
			refused = refused || !s.Done
		}
		for _, s := range c.swaps {
			if refused && s.Done {
				c.put(string(s.Key), s.Old)
			}
		}
		return err
	}),
	"the new marks of others": swaps("Mixed BatchSizes Model", func(c call) error {
		for i := range c.swaps {
			s := c.swaps[i]
			s.New = c.swaps[0].New
			c.one(&s)
			c.swaps[i].Done = s.Done
		}
		return nil
	}),
}

// reports changes what a right store reports.
func reports(by string, f func(was, done bool) bool) brokenStore {
	return swaps(by, func(c call) error {
		for i := range c.swaps {
			s := c.swaps[i]
			c.one(&s)
			c.swaps[i].Done = f(c.swaps[i].Done, s.Done)
		}
		return nil
	})
}
