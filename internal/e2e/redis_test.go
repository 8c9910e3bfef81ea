//go:build servers

package e2e

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// redisClient returns a client of the server, as a process of its own would have.
func redisClient(tb testing.TB, r *servers.Redis) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: r.Addr()})
	tb.Cleanup(func() { c.Close() })
	return c
}

// do sends a command that must succeed.
func do(tb testing.TB, c *redis.Client, args ...any) any {
	tb.Helper()
	answer, err := c.Do(tb.Context(), args...).Result()
	if err != nil {
		tb.Fatalf("%v: %v", args, err)
	}
	return answer
}

// marker is a Store whose calls must succeed. The marks of its keys are numbers.
type marker struct {
	tb    testing.TB
	store dedupe.Store
}

func markOf(n int) envelope.Version {
	if n == 0 {
		return envelope.Version{}
	}
	return envelope.PositionVersion(int64(n), uint64(n), 0)
}

func numberOf(v envelope.Version) int { return int(v.Time().UnixNano()) }

// raise swaps all marks from one number to another.
func raise(tb testing.TB, store dedupe.Store, keys [][]byte, from, to int) (done int, err error) {
	swaps := make([]dedupe.Swap, len(keys))
	for i, key := range keys {
		swaps[i] = dedupe.Swap{Key: key, Old: markOf(from), New: markOf(to)}
	}
	err = store.Swap(tb.Context(), swaps)
	for _, s := range swaps {
		if s.Done && err == nil {
			done++
		}
	}
	return done, err
}

// must is raise for what nothing is in the way of.
func (m marker) must(keys [][]byte, from, to int) {
	m.tb.Helper()
	if done, err := raise(m.tb, m.store, keys, from, to); err != nil || done != len(keys) {
		m.tb.Fatalf("Swap from %d to %d: %d of %d done, %v", from, to, done, len(keys), err)
	}
}

// holds compares all marks with one or two numbers.
func (m marker) holds(keys [][]byte, want int, or ...int) {
	m.tb.Helper()
	got := make([]envelope.Version, len(keys))
	if err := m.store.Load(m.tb.Context(), keys, got); err != nil {
		m.tb.Fatal(err)
	}
	for i, v := range got {
		if v != markOf(want) && (len(or) == 0 || v != markOf(or[0])) {
			m.tb.Fatalf("key %d of %d: mark %v, want %v %v", i, len(keys), v, want, or)
		}
	}
}

func rowKeys(table string, n int) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "\x04shop\x06public%c%s\x08order_id0%08d", len(table), table, i)
	}
	return keys
}

// conformRedis runs the suite of stores, each store with a client of its own.
func conformRedis(t *testing.T, open func(tb testing.TB) redisstore.API) {
	var places atomic.Int64
	storetest.RunShared(t, func(t *testing.T) func() dedupe.Store {
		n := places.Add(1)
		return func() dedupe.Store {
			return &redisstore.Store{Client: open(t), Prefix: fmt.Sprintf("{place-%d}:", n), Keep: time.Duration(n%2) * math.MaxInt64}
		}
	})
}

func TestMarksInRedis(t *testing.T) {
	r := servers.StartRedis(t)
	conformRedis(t, func(tb testing.TB) redisstore.API { return redisClient(tb, r) })

	// What the doc comment says that a user of the store must be allowed.
	admin := redisClient(t, r)
	do(t, admin, "ACL", "SETUSER", "app", "on", ">secret", "~{rowdelta}:*", "-@all", "+evalsha", "+eval", "+mget", "+exists", "+set", "+mset", "+wait", "+info", "+config|get")
	do(t, admin, "SCRIPT", "FLUSH")
	user := redis.NewClient(&redis.Options{Addr: r.Addr(), Username: "app", Password: "secret"})
	t.Cleanup(func() { user.Close() })
	keys := rowKeys("orders", 1200)
	m := marker{t, &redisstore.Store{Client: user}}
	m.must(keys, 0, 1)
	m.holds(keys, 1)
	m = marker{t, &redisstore.Store{Client: user, Keep: time.Hour}}
	m.must(keys, 1, 2)
	if left := admin.PTTL(t.Context(), redisstore.DefaultPrefix+string(keys[0])).Val(); left <= 60*time.Minute || left > 61*time.Minute {
		t.Error("a mark with an hour to live has", left)
	}
	// A value of another type is not read as none, nor replaced.
	do(t, admin, "DEL", redisstore.DefaultPrefix+string(keys[700]))
	do(t, admin, "HSET", redisstore.DefaultPrefix+string(keys[700]), "a", "b")
	if err := m.store.Load(t.Context(), keys, make([]envelope.Version, len(keys))); !errors.Is(err, redisstore.ErrForeign) {
		t.Error("Load of a hash:", err)
	}
	if _, err := raise(t, m.store, keys[700:701], 0, 3); !errors.Is(err, redisstore.ErrForeign) {
		t.Error("Swap of a hash:", err)
	}
	do(t, admin, "HGET", redisstore.DefaultPrefix+string(keys[700]), "a")
}

// TestMarksInFullRedis has no memory left: no mark goes, and the error says why.
func TestMarksInFullRedis(t *testing.T) {
	r := servers.StartRedis(t, "maxmemory 4mb")
	m := marker{t, &redisstore.Store{Client: redisClient(t, r)}}
	var full error
	kept := 0
	for ; full == nil; kept++ {
		_, full = raise(t, m.store, rowKeys(fmt.Sprint("table", kept), 500), 0, 1)
	}
	if !redis.IsOOMError(full) {
		t.Error("a server without memory:", full)
	}
	for i := range kept - 1 {
		m.holds(rowKeys(fmt.Sprint("table", i), 500), 1)
	}
}

// TestMarksSurviveRedis kills the server, not the machine, while marks are raised.
// What was acknowledged is there when it is back.
func TestMarksSurviveRedis(t *testing.T) {
	r := servers.StartRedis(t, "appendonly yes", "appendfsync always")
	store := &redisstore.Store{Client: redisClient(t, r)}
	if err := store.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for life := range 3 {
		acknowledged := raiseUntil(t, fmt.Sprint("life", life), store, r.Kill)
		r.Restart()
		// The client that could not connect waits a second before it tries again.
		store = &redisstore.Store{Client: redisClient(t, r)}
		for w, n := range acknowledged {
			marker{t, store}.holds(rowKeys(fmt.Sprint("life", life, "worker", w), 50), n, n+1)
		}
	}
}

// raiseUntil has workers raise marks, each its own, until end is over or they get
// an error, and returns the last ones that were acknowledged.
func raiseUntil(t *testing.T, name string, store dedupe.Store, end func()) []int {
	var (
		acknowledged [4]int
		total        atomic.Int64
		ended        atomic.Bool
		wg           sync.WaitGroup
	)
	for w := range acknowledged {
		wg.Go(func() {
			keys := rowKeys(fmt.Sprint(name, "worker", w), 50)
			for n := 0; !ended.Load(); n++ {
				done, err := raise(t, store, keys, n, n+1)
				if err != nil {
					return
				}
				if done != len(keys) {
					t.Errorf("worker %d: %d of %d swaps done", w, done, len(keys))
					return
				}
				acknowledged[w] = n + 1
				total.Add(1)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); total.Load() < 200 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	end()
	ended.Store(true)
	wg.Wait()
	for w, n := range acknowledged {
		if n < 2 {
			t.Fatalf("worker %d: %d raises", w, n)
		}
	}
	return acknowledged[:]
}

// TestMarksContended has clients count with the same marks: of each step one
// client must be told that it made it.
func TestMarksContended(t *testing.T) {
	const clients, steps = 6, 60
	r := servers.StartRedis(t)
	keys := rowKeys("contended", 700) // more than one script's
	var (
		wins [clients]int
		wg   sync.WaitGroup
	)
	for c := range wins {
		store := &redisstore.Store{Client: redisClient(t, r)}
		wg.Go(func() {
			held := make([]envelope.Version, len(keys))
			for step := 0; step < steps; {
				if err := store.Load(t.Context(), keys, held); err != nil {
					t.Error(err)
					return
				}
				swaps := make([]dedupe.Swap, len(keys))
				step = steps
				for i, v := range held {
					step = min(step, numberOf(v))
					swaps[i] = dedupe.Swap{Key: keys[i], Old: v, New: markOf(numberOf(v) + 1)}
				}
				if err := store.Swap(t.Context(), swaps); err != nil {
					t.Error(err)
					return
				}
				for _, s := range swaps {
					if s.Done {
						wins[c]++
					}
				}
			}
		})
	}
	wg.Wait()
	won := 0
	for _, n := range wins {
		won += n
	}
	total := 0
	held := make([]envelope.Version, len(keys))
	store := &redisstore.Store{Client: redisClient(t, r)}
	if err := store.Load(t.Context(), keys, held); err != nil {
		t.Fatal(err)
	}
	for _, v := range held {
		total += numberOf(v)
	}
	if won != total || total < steps*len(keys) {
		t.Errorf("%d swaps done, and the marks went up %d times", won, total)
	}
	t.Log("swaps won by each client:", wins)
}
