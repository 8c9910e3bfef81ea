package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
)

// TestReplicas counts what answers for a write. It must be asked on the
// connection of the scripts, behind them and behind a write.
func TestReplicas(t *testing.T) {
	f := newFake(t)
	var peers []*server.Peer
	replicas := 2
	f.answer = func(c *server.Peer, cmd string, args []string) bool {
		switch cmd {
		case "EVALSHA", "EVAL":
			peers = append(peers, c)
		case "WAIT":
			peers = append(peers, c)
			c.WriteInt(replicas)
			return true
		}
		return false
	}
	store := f.store(t)
	store.Replicas = 2
	keys := private(700)
	mustRaise(t, store, keys, 0, 1)
	f.sent()
	mustRaise(t, store, keys, 1, 2)
	const want = "EVALSHA 500, EVALSHA 200, SET {rowdelta}:, WAIT 2 1000"
	f.mustSend(t, want)
	f.answer(nil, "", nil)
	peers = nil
	mustHold(t, store, keys, 2)
	peers = nil
	f.sent()
	mustHold(t, store, keys, 2)
	f.mustSend(t, want)
	for _, c := range peers {
		if c != peers[0] {
			t.Error("not one connection")
		}
	}
	if len(peers) != 3 {
		t.Errorf("%d commands, want 3", len(peers))
	}

	for _, c := range []struct {
		wait time.Duration
		want string
	}{{1, "1"}, {time.Millisecond, "1"}, {time.Millisecond + 1, "2"}, {1500 * time.Millisecond, "1500"}, {0, "1000"}, {-1, "1000"}} {
		store.Wait = c.wait
		mustHold(t, store, keys[:1], 2)
		f.mustSend(t, "EVALSHA 1, SET {rowdelta}:, WAIT 2 "+c.want)
	}
	store.Wait = 100 * time.Millisecond
	for replicas = range 2 {
		for _, err := range []error{
			func() error { _, err := raise(t, store, keys, 2, 2); return err }(),
			func() error { _, err := load(t, store, keys); return err }(),
		} {
			mustBeClean(t, err)
			if !errors.Is(err, redisstore.ErrReplicas) || !strings.HasSuffix(err.Error(), fmt.Sprintf("%d of 2 within 100ms", replicas)) {
				t.Error(err)
			}
		}
	}
	replicas = 3
	mustHold(t, store, keys, 2)
	f.sent()
	store.Replicas = -1
	mustHold(t, store, keys, 2)
	f.mustSend(t, scripts(500, 200))
}

// clustered is a cluster whose client knows one server, and learns which has the
// marks.
type clustered struct {
	redisstore.API
	master  *redis.Client
	asked   []string
	fault   error
	reloads int
}

func (c *clustered) MasterForKey(_ context.Context, key string) (*redis.Client, error) {
	c.asked = append(c.asked, key)
	return c.master, c.fault
}

func (c *clustered) ReloadState(context.Context) { c.reloads++ }

// TestReplicasInCluster has a client of many servers: what must be one
// connection goes to the server of the marks.
func TestReplicasInCluster(t *testing.T) {
	f, other := newFake(t), newFake(t)
	f.answer = func(c *server.Peer, cmd string, _ []string) bool {
		if cmd == "WAIT" {
			c.WriteInt(1)
		}
		return cmd == "WAIT"
	}
	client := &clustered{API: other.client(t, -1), master: f.client(t, -1)}
	store := &redisstore.Store{Client: client, Replicas: 1, Prefix: "{a}b"}
	mustRaise(t, store, private(1), 0, 1)
	mustHold(t, store, private(1), 1)
	other.mustSend(t, "")
	if got := strings.Join(client.asked, " "); strings.Trim(got, "{a}b ") != "" || !strings.HasPrefix(got, "{a}b {a}b") {
		t.Errorf("asked for the server of %q", got)
	}

	f.answer = func(c *server.Peer, cmd string, _ []string) bool {
		if cmd == "EVALSHA" {
			c.WriteError("MOVED 7 127.0.0.1:7001")
		}
		return cmd == "EVALSHA"
	}
	if client.reloads > 0 {
		t.Error("learned anew without need")
	}
	_, err := load(t, store, private(1))
	mustBeClean(t, err)
	if _, ok := redis.IsMovedError(err); !ok || client.reloads != 1 {
		t.Errorf("the marks have moved: %v, learned anew %d times", err, client.reloads)
	}
	client.fault = errCut
	for _, err := range []error{store.Check(t.Context()), func() error { _, err := load(t, store, private(1)); return err }()} {
		mustBeClean(t, err)
		if !errors.Is(err, errCut) {
			t.Error("no server known:", err)
		}
	}

	// Without WAIT the client finds the way.
	f.sent()
	store.Replicas = 0
	mustRaise(t, store, private(1), 0, 5)
	mustHold(t, store, private(1), 5)
	f.mustSend(t, "")
}
