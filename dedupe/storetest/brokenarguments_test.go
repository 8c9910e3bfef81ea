package storetest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// kept is a string that changes with its bytes.
func kept(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

var brokenArguments = map[string]brokenStore{
	"keeps the keys of swaps": swaps("Insert Absent", func(c call) error {
		for i := range c.swaps {
			s := &c.swaps[i]
			if s.Done = c.now(string(s.Key)) == s.Old; s.Done {
				c.put(kept(s.Key), s.New)
			}
		}
		return nil
	}),
	"keeps the keys of loads": with("Arguments", func(s *store) {
		type entry struct {
			key  []byte
			mark envelope.Version
		}
		var cache []entry
		s.get = func(c call, key string) envelope.Version {
			for _, e := range cache {
				if string(e.key) == key {
					return e.mark
				}
			}
			return c.marks[key]
		}
		s.load = func(c call) error {
			err := c.read()
			cache = nil
			for i, key := range c.keys {
				cache = append(cache, entry{key, c.versions[i]})
			}
			return err
		}
		s.swap = func(c call) error {
			cache = nil
			return c.write()
		}
	}),
	"keeps the swaps": with("Insert", func(s *store) {
		var later []dedupe.Swap
		s.swap = func(c call) error {
			later = c.swaps
			for i := range c.swaps {
				c.swaps[i].Done = c.now(string(c.swaps[i].Key)) == c.swaps[i].Old
			}
			return nil
		}
		s.load = func(c call) error {
			c.swaps = later
			done := errors.Join(c.write(), c.read())
			later = nil
			return done
		}
	}),
	"keeps the swaps, but not their keys": with("Insert", func(s *store) {
		var later []dedupe.Swap
		var names []string
		s.swap = func(c call) error {
			later, names = c.swaps, nil
			for i := range c.swaps {
				names = append(names, string(c.swaps[i].Key))
				c.swaps[i].Done = c.now(names[i]) == c.swaps[i].Old
			}
			return nil
		}
		s.load = func(c call) error {
			for i, sw := range later {
				c.place.mu.Lock()
				c.replace(names[i], sw.Old, sw.New)
				c.place.mu.Unlock()
			}
			later = nil
			return c.read()
		}
	}),
	"keeps the versions until a swap": with("Arguments", func(s *store) {
		cache := map[string]*envelope.Version{}
		s.load = func(c call) error {
			c.place.mu.Lock()
			defer c.place.mu.Unlock()
			for i, key := range c.keys {
				if v, ok := cache[string(key)]; ok {
					c.versions[i] = *v
				} else {
					c.versions[i] = c.marks[string(key)]
				}
				cache[string(key)] = &c.versions[i]
			}
			return nil
		}
		s.set = func(c call, key string, old, new envelope.Version) bool {
			clear(cache)
			return c.replace(key, old, new)
		}
	}),
	"keeps the versions": with("Replace", func(s *store) {
		cache := map[string]*envelope.Version{}
		s.load = func(c call) error {
			err := c.read()
			for i, key := range c.keys {
				if v, ok := cache[string(key)]; ok {
					c.versions[i] = *v
				}
				cache[string(key)] = &c.versions[i]
			}
			return err
		}
	}),
	"appends to keys": loads("Absent Insert", func(c call) error {
		for _, key := range c.keys {
			_ = append(key, ':')
		}
		return c.read()
	}),
	"appends to the last key": loads("Absent", func(c call) error {
		if len(c.keys) > 0 {
			_ = append(c.keys[len(c.keys)-1], ':')
		}
		return c.read()
	}),
	"appends to keys of swaps": swaps("Insert", func(c call) error {
		for _, s := range c.swaps {
			_ = append(s.Key, 0)
		}
		return c.write()
	}),
	"appends to the versions": loads("Absent", func(c call) error {
		_ = append(c.versions, at(1))
		return c.read()
	}),
	"changes keys": loads("Absent Keys", func(c call) error {
		err := c.read()
		for _, key := range c.keys {
			copy(key, bytes.ToUpper(key))
		}
		return err
	}),
	"sorts keys": loads("Absent", func(c call) error {
		err := c.read()
		slices.SortFunc(c.keys, bytes.Compare)
		return err
	}),
	"clones keys": loads("Absent", func(c call) error {
		for i, key := range c.keys {
			c.keys[i] = slices.Clone(key)
		}
		return c.read()
	}),
	"sorts swaps": swaps("Mixed Arguments", func(c call) error {
		slices.SortFunc(c.swaps, func(a, b dedupe.Swap) int { return bytes.Compare(b.Key, a.Key) })
		return c.write()
	}),
	"clips the keys of swaps": swaps("Insert", func(c call) error {
		err := c.write()
		for i := range c.swaps {
			c.swaps[i].Key = c.swaps[i].Key[:len(c.swaps[i].Key)-1]
		}
		return err
	}),
	"tells the mark in Old": swaps("Insert Refuse", func(c call) error {
		for i := range c.swaps {
			s := &c.swaps[i]
			mark := c.now(string(s.Key))
			c.one(s)
			s.Old = mark
		}
		return nil
	}),
	"tells the mark in New": swaps("Insert Refuse", func(c call) error {
		err := c.write()
		for i := range c.swaps {
			c.swaps[i].New = c.now(string(c.swaps[i].Key))
		}
		return err
	}),
	"reads and writes no two calls at once": with("Arguments", func(s *store) {
		busy := make(chan struct{}, 1)
		s.load = func(c call) error {
			select {
			case busy <- struct{}{}:
				defer func() { <-busy }()
				time.Sleep(time.Millisecond)
				return c.read()
			default:
				return errors.New("busy")
			}
		}
	}),

	// What errors hold.
	"tells keys":                 tells("%s"),
	"quotes keys":                tells("%q"),
	"tells keys in hexadecimal":  tells("%x"),
	"tells keys in HEXADECIMAL":  tells("%X"),
	"tells keys as numbers":      tells("%d"),
	"tells keys in base64":       tellsAs(func(key []byte) string { return base64.StdEncoding.EncodeToString(key) }),
	"tells keys in a URL":        tellsAs(func(key []byte) string { return base64.RawURLEncoding.EncodeToString(key) }),
	"tells keys to who looks on": tellsIn(func(err error, key []byte) error { return &detailed{err, string(key)} }),
}

// tells has errors that hold a key.
func tells(format string) brokenStore {
	return tellsAs(func(key []byte) string { return fmt.Sprintf(format, key) })
}

func tellsAs(f func(key []byte) string) brokenStore {
	return tellsIn(func(err error, key []byte) error { return fmt.Errorf("key %s: %w", f(key), err) })
}

func tellsIn(f func(err error, key []byte) error) brokenStore {
	return with("CancelledLoad CancelledSwap", func(s *store) {
		s.load = func(c call) error {
			if err := c.ctx.Err(); err != nil {
				return f(err, c.keys[0])
			}
			return c.read()
		}
		s.swap = func(c call) error {
			if err := c.ctx.Err(); err != nil {
				return f(err, c.swaps[len(c.swaps)-1].Key)
			}
			return c.write()
		}
	})
}

// A detailed error tells more with %+v.
type detailed struct {
	error
	key string
}

func (d *detailed) Unwrap() error { return d.error }

func (d *detailed) Format(f fmt.State, _ rune) {
	text := d.Error()
	if f.Flag('+') {
		text = strings.Join([]string{text, d.key}, ": ")
	}
	fmt.Fprint(f, text)
}
