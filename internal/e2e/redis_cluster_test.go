//go:build servers

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// eventually waits until f succeeds.
func eventually(tb testing.TB, f func() error) {
	tb.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal(err)
		}
	}
}

// TestMarksReplicated has stores that wait for a replica, and a failover.
func TestMarksReplicated(t *testing.T) {
	primary := servers.StartRedis(t)
	replica := servers.StartRedis(t, primary.ReplicaOf())
	client := redisClient(t, primary)
	store := &redisstore.Store{Client: client, Replicas: 1, Wait: 3 * time.Second}
	hasty := &redisstore.Store{Client: client, Replicas: 1, Wait: 100 * time.Millisecond}
	if err := store.Check(t.Context()); !errors.Is(err, redisstore.ErrPersistence) || errors.Is(err, redisstore.ErrEviction) {
		t.Error("a server without files:", err)
	}
	keys := rowKeys("orders", 1100)
	eventually(t, func() error { return store.Load(t.Context(), keys, make([]envelope.Version, len(keys))) })
	m := marker{t, store}
	m.must(keys, 0, 1)
	m.holds(keys, 1)

	// Without the replica nothing is acknowledged, nor shown that another process wrote.
	replica.Kill()
	marker{t, &redisstore.Store{Client: redisClient(t, primary)}}.must(keys[:10], 1, 2)
	if err := hasty.Load(t.Context(), keys, make([]envelope.Version, len(keys))); !errors.Is(err, redisstore.ErrReplicas) {
		t.Error("Load without the replica:", err)
	}
	if _, err := raise(t, hasty, keys[20:30], 1, 2); !errors.Is(err, redisstore.ErrReplicas) {
		t.Error("Swap without the replica:", err)
	}
	replica.Restart()
	eventually(t, func() error { return store.Load(t.Context(), keys, make([]envelope.Version, len(keys))) })
	m.holds(keys[:10], 2)
	m.holds(keys[10:20], 1)
	m.holds(keys[20:30], 2)

	// The primary dies for good, and the replica takes over.
	acknowledged := raiseUntil(t, "failover", store, primary.Kill)
	heir := redisClient(t, replica)
	behind := &redisstore.Store{Client: heir}
	if err := behind.Check(t.Context()); !errors.Is(err, redisstore.ErrNotPrimary) {
		t.Error("a client of a replica:", err)
	}
	if _, err := raise(t, behind, keys[:1], 2, 3); !redis.IsReadOnlyError(err) {
		t.Error("Swap at a replica:", err)
	}
	do(t, heir, "REPLICAOF", "NO", "ONE")
	for w, n := range acknowledged {
		marker{t, behind}.holds(rowKeys(fmt.Sprint("failover", "worker", w), 50), n, n+1)
	}
}

// startCluster starts two primaries, of which the first has the slot of the
// default prefix, and a replica of the first.
func startCluster(t *testing.T) (first, second, replica *servers.Redis) {
	t.Helper()
	var all [3]*servers.Redis
	var clients [3]*redis.Client
	for i := range all {
		all[i] = servers.StartRedis(t, "cluster-enabled yes", "cluster-node-timeout 5000")
		clients[i] = redisClient(t, all[i])
	}
	lower, upper := clients[0], clients[1]
	if clients[0].ClusterKeySlot(t.Context(), redisstore.DefaultPrefix).Val() > 8191 {
		lower, upper = upper, lower
	}
	do(t, lower, "CLUSTER", "ADDSLOTSRANGE", 0, 8191)
	do(t, upper, "CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
	for i, r := range all[1:] {
		host, port, _ := strings.Cut(r.Addr(), ":")
		do(t, clients[0], "CLUSTER", "MEET", host, port)
		do(t, clients[1+i], "CLUSTER", "SET-CONFIG-EPOCH", i+2)
	}
	settled := func(want string) {
		t.Helper()
		eventually(t, func() error {
			for _, c := range clients {
				if info := c.ClusterInfo(t.Context()).Val(); !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
					return fmt.Errorf("cluster: %s", info)
				}
				if nodes := c.ClusterNodes(t.Context()).Val(); strings.Count(nodes, want) == 0 {
					return fmt.Errorf("no %s in %s", want, nodes)
				}
			}
			return nil
		})
	}
	settled("master")
	do(t, clients[2], "CLUSTER", "REPLICATE", do(t, clients[0], "CLUSTER", "MYID"))
	settled("slave")
	// Clients are not told of a replica that has had nothing to replicate.
	do(t, clients[0], "SET", redisstore.DefaultPrefix, "")
	eventually(t, func() error {
		slots := do(t, clients[0], "CLUSTER", "SLOTS").([]any)
		for _, s := range slots {
			if len(s.([]any)) == 4 { // from, to, the primary and one more
				return nil
			}
		}
		return fmt.Errorf("no replica in %v", slots)
	})
	return all[0], all[1], all[2]
}

func TestMarksInRedisCluster(t *testing.T) {
	first, second, _ := startCluster(t)
	open := func(tb testing.TB) redisstore.API {
		c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{first.Addr()}, ReadOnly: true, RouteRandomly: true})
		tb.Cleanup(func() { c.Close() })
		return c
	}
	conformRedis(t, open)

	client := open(t)
	keys := rowKeys("orders", 1100)
	untagged := &redisstore.Store{Client: client, Prefix: "rowdelta:"}
	if _, err := raise(t, untagged, keys, 0, 1); !redis.HasErrorPrefix(err, "CROSSSLOT") {
		t.Error("keys of different slots:", err)
	}
	if err := untagged.Check(t.Context()); !errors.Is(err, redisstore.ErrHashTag) {
		t.Error("a prefix without a hash tag:", err)
	}
	own := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{first.Addr()}, ClusterStateReloadInterval: time.Hour})
	t.Cleanup(func() { own.Close() })
	store := &redisstore.Store{Client: own, Replicas: 1, Wait: 3 * time.Second}
	if err := store.Check(t.Context()); errors.Is(err, redisstore.ErrHashTag) || errors.Is(err, redisstore.ErrReplicas) {
		t.Error(err)
	}
	m := marker{t, store}
	m.must(keys, 0, 1)
	// WAIT goes to the server that has the marks: the other one has no replica.
	for n := range 10 {
		m.must(keys, n+1, n+2)
		m.holds(keys, n+2)
	}

	// The replica gets no more. A client that reads from it when it can never sees
	// an old mark.
	from, to := redisClient(t, first), redisClient(t, second)
	do(t, from, "ACL", "SETUSER", "default", "-psync", "-sync")
	do(t, from, "CLIENT", "KILL", "TYPE", "replica")
	for n := range 10 {
		marker{t, &redisstore.Store{Client: client}}.must(keys, n+11, n+12)
		marker{t, &redisstore.Store{Client: client}}.holds(keys, n+12)
	}

	// The marks' slot moves to the other server, while they are raised.
	slot := from.ClusterKeySlot(t.Context(), redisstore.DefaultPrefix).Val()
	ids := []any{do(t, from, "CLUSTER", "MYID"), do(t, to, "CLUSTER", "MYID")}
	plain := marker{t, &redisstore.Store{Client: client}}
	acknowledged := raiseUntil(t, "moving", plain.store, func() {
		do(t, to, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
		do(t, from, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
		host, port, _ := strings.Cut(second.Addr(), ":")
		for {
			names := do(t, from, "CLUSTER", "GETKEYSINSLOT", slot, 300).([]any)
			if len(names) == 0 {
				break
			}
			do(t, from, append([]any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}, names...)...)
		}
		do(t, to, "CLUSTER", "SETSLOT", slot, "NODE", ids[1])
		do(t, from, "CLUSTER", "SETSLOT", slot, "NODE", ids[1])
		t.Log("the slot has moved")
	})
	eventually(t, func() error { return plain.store.Load(t.Context(), keys, make([]envelope.Version, len(keys))) })
	plain.holds(keys, 21)
	for w, n := range acknowledged {
		plain.holds(rowKeys(fmt.Sprint("moving", "worker", w), 50), n, n+1)
	}
	// This store's client has not heard of it.
	eventually(t, func() error {
		err := store.Load(t.Context(), keys, make([]envelope.Version, len(keys)))
		if errors.Is(err, redisstore.ErrReplicas) { // it is there: the new one has no replica
			return nil
		}
		return fmt.Errorf("Load, waiting for a replica that is not there: %w", err)
	})
	plain.must(keys, 21, 22)
	plain.holds(keys, 22)
}

// BenchmarkMarksInRedis loads and swaps the marks of a batch.
func BenchmarkMarksInRedis(b *testing.B) {
	setups := []struct {
		name string
		open func(b *testing.B) *redisstore.Store
	}{
		{"memory", func(b *testing.B) *redisstore.Store {
			return &redisstore.Store{Client: redisClient(b, servers.StartRedis(b))}
		}},
		{"file", func(b *testing.B) *redisstore.Store {
			return &redisstore.Store{Client: redisClient(b, servers.StartRedis(b, "appendonly yes", "appendfsync always"))}
		}},
		{"replica", func(b *testing.B) *redisstore.Store {
			primary := servers.StartRedis(b)
			servers.StartRedis(b, primary.ReplicaOf())
			store := &redisstore.Store{Client: redisClient(b, primary), Replicas: 1}
			eventually(b, func() error { return store.Load(b.Context(), rowKeys("any", 1), make([]envelope.Version, 1)) })
			return store
		}},
	}
	for _, setup := range setups {
		for _, n := range []int{1, 100, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", setup.name, n), func(b *testing.B) {
				store, keys, held, at := setup.open(b), rowKeys("orders", n), make([]envelope.Version, n), 0
				m := marker{b, store}
				b.ReportAllocs()
				for b.Loop() {
					if err := store.Load(b.Context(), keys, held); err != nil {
						b.Fatal(err)
					}
					m.must(keys, at, at+1)
					at++
				}
				b.ReportMetric(float64(at)*float64(n)/b.Elapsed().Seconds(), "keys/s")
			})
		}
	}
}
