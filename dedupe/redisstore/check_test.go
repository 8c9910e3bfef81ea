package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
)

// good is INFO of a server that loses nothing.
const good = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n" +
	"# Replication\r\nrole:master\r\nconnected_slaves:1\r\n# Cluster\r\ncluster_enabled:0\r\n"

func TestCheck(t *testing.T) {
	all := []error{redisstore.ErrEviction, redisstore.ErrPersistence, redisstore.ErrNotPrimary, redisstore.ErrReplicas, redisstore.ErrHashTag}
	const volatile, cluster = "maxmemory_policy:volatile-lru", "cluster_enabled:1"
	for _, c := range []struct {
		name  string
		set   []string // pairs for INFO
		sync  string   // of CONFIG GET; empty: not allowed
		store redisstore.Store
		want  []error
	}{
		{name: "good", sync: "always"},
		{name: "unknown sync"},
		{name: "everysec", sync: "everysec", want: all[1:2]},
		{name: "everysec with replica", sync: "everysec", store: redisstore.Store{Replicas: 1}},
		{name: "no file", set: []string{"aof_enabled:1", "aof_enabled:0"}, sync: "always", want: all[1:2]},
		{name: "no file with replica", set: []string{"aof_enabled:1", "aof_enabled:0"}, sync: "always", store: redisstore.Store{Replicas: 1}, want: all[1:2]},
		{name: "no file known", set: []string{"aof_enabled:1", ""}, sync: "always", want: all[1:2]},
		{name: "allkeys", set: []string{"noeviction", "allkeys-lru"}, sync: "always", want: all[:1]},
		{name: "no policy", set: []string{"maxmemory_policy:noeviction", ""}, sync: "always", want: all[:1]},
		{name: "volatile", set: []string{"maxmemory_policy:noeviction", volatile}, sync: "always"},
		{name: "volatile and Keep", set: []string{"maxmemory_policy:noeviction", volatile}, sync: "always", store: redisstore.Store{Keep: time.Hour}, want: all[:1]},
		{name: "noeviction and Keep", sync: "always", store: redisstore.Store{Keep: time.Hour}},
		{name: "replica", set: []string{"role:master", "role:slave"}, sync: "always", want: all[2:3]},
		{name: "few replicas", sync: "always", store: redisstore.Store{Replicas: 2}, want: all[3:4]},
		{name: "cluster", set: []string{"cluster_enabled:0", cluster}, sync: "always"},
		{name: "cluster, tag", set: []string{"cluster_enabled:0", cluster}, sync: "always", store: redisstore.Store{Prefix: "a{b}{"}},
		{name: "cluster, no tag", set: []string{"cluster_enabled:0", cluster}, sync: "always", store: redisstore.Store{Prefix: "a:"}, want: all[4:]},
		{name: "cluster, open tag", set: []string{"cluster_enabled:0", cluster}, sync: "always", store: redisstore.Store{Prefix: "a{b"}, want: all[4:]},
		{name: "cluster, empty tag", set: []string{"cluster_enabled:0", cluster}, sync: "always", store: redisstore.Store{Prefix: "a{}{b}"}, want: all[4:]},
		{name: "cluster, reversed tag", set: []string{"cluster_enabled:0", cluster}, sync: "always", store: redisstore.Store{Prefix: "}a{"}, want: all[4:]},
		{name: "no cluster, no tag", sync: "always", store: redisstore.Store{Prefix: "a:"}},
		{name: "all", set: []string{"noeviction", "allkeys-lfu", "aof_enabled:1", "aof_enabled:0", "cluster_enabled:0", cluster, "connected_slaves:1", "connected_slaves:0"},
			store: redisstore.Store{Prefix: "a", Replicas: 1}, want: []error{all[0], all[1], all[3], all[4]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.answer = func(peer *server.Peer, cmd string, args []string) bool {
				switch {
				case cmd == "INFO":
					peer.WriteBulk(strings.NewReplacer(append(c.set, "\x00", "")...).Replace(good))
				case cmd == "CONFIG" && c.sync == "":
					peer.WriteError("ERR unknown command 'CONFIG', with args beginning with: 'GET' 'appendfsync' ")
				case cmd == "CONFIG" && strings.EqualFold(strings.Join(args, " "), "get appendfsync"):
					peer.WriteMapLen(1)
					peer.WriteBulk("appendfsync")
					peer.WriteBulk(c.sync)
				default:
					return false
				}
				return true
			}
			store := c.store
			store.Client = f.client(t, -1)
			err := store.Check(t.Context())
			if len(c.want) > 0 {
				mustBeClean(t, err)
			}
			for _, danger := range all {
				want := false
				for _, w := range c.want {
					want = want || w == danger
				}
				if errors.Is(err, danger) != want {
					t.Errorf("%v: %v, want %v", danger, !want, want)
				}
			}
			if len(c.want) == 0 && err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckFails(t *testing.T) {
	f := newFake(t)
	f.answer = func(c *server.Peer, cmd string, _ []string) bool {
		if cmd == "INFO" {
			c.WriteError("NOPERM this user has no permissions to run the 'info' command")
		}
		return cmd == "INFO"
	}
	err := f.store(t).Check(t.Context())
	mustBeClean(t, err)
	if !redis.HasErrorPrefix(err, "NOPERM") {
		t.Error(err)
	}
}
