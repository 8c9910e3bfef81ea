package redisstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
)

// conform runs the conformance suite, each store with a client of its own.
func conform(t *testing.T, f *fake, like redisstore.Store) {
	var places atomic.Int64
	storetest.RunShared(t, func(t *testing.T) func() dedupe.Store {
		prefix := fmt.Sprintf("{place-%d}:", places.Add(1))
		return func() dedupe.Store {
			store := like
			store.Client, store.Prefix = f.client(t, 0), prefix
			return &store
		}
	})
}

func TestStore(t *testing.T) { conform(t, newFake(t), redisstore.Store{}) }

func TestStoreWithAll(t *testing.T) {
	f := newFake(t)
	f.answer = func(c *server.Peer, cmd string, _ []string) bool {
		if cmd == "WAIT" {
			c.WriteInt(2)
		}
		return cmd == "WAIT"
	}
	conform(t, f, redisstore.Store{Keep: 1000 * time.Hour, Replicas: 2})
}

// TestFormat reads marks with other means.
func TestFormat(t *testing.T) {
	f := newFake(t)
	for prefix, name := range map[string]string{"": "{rowdelta}:", "a": "a", "{b}": "{b}", "\x00\xff": "\x00\xff"} {
		store := f.store(t)
		store.Prefix = prefix
		key := "\x00\r\n\xff{}" + prefix
		mustRaise(t, store, [][]byte{[]byte(key)}, 0, 1)
		want, _ := at(1).MarshalBinary() // never fails
		if got, err := f.Get(name + key); err != nil || got != string(want) {
			t.Errorf("prefix %q: %q, %v", prefix, got, err)
		}
		if ttl := f.TTL(name + key); ttl != 0 {
			t.Errorf("prefix %q: it expires in %s", prefix, ttl)
		}
	}
	if n := len(f.Keys()); n != 4 {
		t.Errorf("%d keys, want 4: %q", n, f.Keys())
	}
}

// TestPrefix has stores whose prefixes begin alike.
func TestPrefix(t *testing.T) {
	f := newFake(t)
	keys := private(3)
	var stores []*redisstore.Store
	for i, prefix := range []string{"", "{rowdelta}a:", "a:", "a;", "A:", "\x00a", "\x00\x00"} {
		store := f.store(t)
		store.Prefix = prefix
		stores = append(stores, store)
		mustHold(t, store, keys, 0)
		mustRaise(t, store, keys, 0, i+1)
	}
	for i, store := range stores {
		mustHold(t, store, keys, i+1)
	}
}
