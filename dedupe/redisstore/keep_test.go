package redisstore_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/envelope"
)

// TestKeep has marks that expire.
func TestKeep(t *testing.T) {
	f := newFake(t)
	store := f.store(t)
	store.Keep = time.Hour
	keys := private(600)
	mustRaise(t, store, keys, 0, 1)
	f.FastForward(50 * time.Minute)
	mustRaise(t, store, keys[:100], 1, 2) // half of the hour is over for the others
	if done, err := raise(t, store, keys[100:200], 3, 4); err != nil || done > 0 {
		t.Fatal("a lost swap:", done, err)
	}
	f.FastForward(15 * time.Minute)
	mustHold(t, store, keys[:100], 2)
	mustHold(t, store, keys[100:], 0)
	mustRaise(t, store, keys[100:], 0, 5)
	f.FastForward(50 * time.Minute)
	mustHold(t, store, keys[:100], 0)
	mustHold(t, store, keys[100:], 5)

	// Without it they stay, also those that had an end.
	for i, keep := range []time.Duration{0, -time.Hour} {
		store = &redisstore.Store{Client: store.Client, Keep: keep}
		mustRaise(t, store, keys[100:], 5+i, 6+i)
		f.FastForward(1000 * time.Hour)
		mustHold(t, store, keys[100:], 6+i)
	}
}

// TestKeepTime has marks of the past and of the future.
func TestKeepTime(t *testing.T) {
	f := newFake(t)
	var left string // of the last mark, in milliseconds
	f.answer = func(_ *server.Peer, cmd string, args []string) bool {
		if cmd == "SET" {
			left = strings.Join(args[2:], " ")
		}
		return false
	}
	store := f.store(t)
	key := private(1)[0]
	for _, c := range []struct {
		keep, ahead time.Duration
		want        string
	}{
		{time.Hour, -time.Hour, "PX 3660000"}, // a minute more
		{time.Hour, -100 * 365 * 24 * time.Hour, "PX 3660000"},
		{time.Nanosecond, -time.Hour, "PX 60001"},
		{2500 * time.Microsecond, -time.Hour, "PX 60003"},
		{math.MaxInt64, -time.Hour, "PX 9223372036855"},
		{math.MaxInt64, time.Hour, "PX 9223372036855"},
		{math.MaxInt64 - time.Minute, time.Hour, "PX 9223372036855"},
		{math.MaxInt64 - time.Hour, 2 * time.Hour, "PX 9223372036855"},
	} {
		f.FlushDB()
		store.Keep = c.keep
		err := store.Swap(t.Context(), []dedupe.Swap{{Key: key, New: envelope.TimeVersion(time.Now().Add(c.ahead).UnixNano())}})
		if err != nil {
			t.Fatal(err)
		}
		if left != c.want {
			t.Errorf("keep %s, of a version %s ahead: %q, want %q", c.keep, c.ahead, left, c.want)
		}
	}

	// A mark of a Filter's own, which it never wants forgotten.
	for ns, want := range map[int64]time.Duration{
		math.MaxInt64: time.Hour + time.Until(time.Unix(0, math.MaxInt64)), math.MinInt64: time.Hour, time.Now().Add(2 * time.Hour).UnixNano(): 3 * time.Hour,
	} {
		f.FlushDB()
		store.Keep = time.Hour
		if err := store.Swap(t.Context(), []dedupe.Swap{{Key: key, New: envelope.PositionVersion(ns, 1, 1)}}); err != nil {
			t.Fatal(err)
		}
		if ttl := f.TTL(redisstore.DefaultPrefix + string(key)); ttl > want+time.Minute+time.Millisecond || ttl < want {
			t.Errorf("a mark of %s: %s, want %s", time.Unix(0, ns), ttl, want)
		}
	}
}

// TestKeepEach has marks that are kept for different times, in one call.
func TestKeepEach(t *testing.T) {
	f := newFake(t)
	store := f.store(t)
	store.Keep = time.Hour
	keys, swaps := private(600), make([]dedupe.Swap, 600)
	for i := range swaps {
		swaps[i] = dedupe.Swap{Key: keys[i], New: envelope.TimeVersion(time.Now().Add(time.Duration(i) * time.Hour).UnixNano())}
	}
	if err := store.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		want := time.Duration(1+i)*time.Hour + time.Minute
		if ttl := f.TTL(redisstore.DefaultPrefix + string(key)); ttl > want || ttl < want-time.Minute/2 {
			t.Fatalf("key %d: %s, want %s", i, ttl, want)
		}
	}
}

// TestFloor has a Filter tell what may be stale from what cannot be.
func TestFloor(t *testing.T) {
	f := newFake(t)
	store := f.store(t)
	for _, keep := range []time.Duration{0, -time.Hour} {
		store.Keep = keep
		if floor := store.Floor(); !floor.IsZero() {
			t.Errorf("keep %s: floor %s", keep, floor)
		}
	}
	store.Keep = time.Hour
	if ago := time.Since(store.Floor()); ago < time.Hour || ago > time.Hour+time.Minute {
		t.Errorf("the floor is %s ago", ago)
	}
	filter := &dedupe.Filter{Store: store, Keys: func(dst []byte, c *envelope.Change) ([]byte, error) { return append(dst, c.Key...), nil }}
	admit := func(key string, ahead time.Duration) dedupe.Verdict {
		t.Helper()
		c := envelope.Change{Op: envelope.OpUpdate, Key: envelope.Row(key), After: envelope.Row(`{}`), Version: envelope.TimeVersion(time.Now().Add(ahead).UnixNano())}
		batch, err := filter.Admit(t.Context(), []envelope.Change{c})
		if err != nil {
			t.Fatal(err)
		}
		if err := filter.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		return batch.Decisions[0].Verdict
	}
	if got := admit("a", -time.Minute); got != dedupe.Newer {
		t.Error("a young change of a new row:", got)
	}
	if got := admit("b", -2*time.Hour); got != dedupe.Late {
		t.Error("an old change of a new row:", got)
	}
	if got := admit("a", -2*time.Hour); got != dedupe.Stale {
		t.Error("an old change of a known row:", got)
	}
	f.FastForward(62 * time.Minute)
	if got := admit("a", -2*time.Hour); got != dedupe.Late {
		t.Error("an old change of a row that was forgotten:", got)
	}
}
