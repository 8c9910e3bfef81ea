package redisstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
)

// scripts is what is sent for that many keys, in runs of a script that have these.
func scripts(keys ...int) string {
	out := make([]string, len(keys))
	for i, n := range keys {
		out[i] = fmt.Sprint("EVALSHA ", n)
	}
	return strings.Join(out, ", ")
}

// TestChunks counts what is sent.
func TestChunks(t *testing.T) {
	full := make([]int, 16)
	for i := range full {
		full[i] = 500
	}
	for _, c := range []struct {
		keys int
		want []int
	}{{0, nil}, {1, []int{1}}, {499, []int{499}}, {500, []int{500}}, {501, []int{500, 1}}, {1700, []int{500, 500, 500, 200}}, {8000, full}, {8001, append(full[:16:16], 1)}} {
		f := newFake(t)
		p := &pipelines{API: f.client(t, -1)}
		store := &redisstore.Store{Client: p}
		mustRaise(t, store, private(1), 0, 9) // the server knows the scripts then
		mustHold(t, store, private(1), 9)
		f.sent()
		keys := private(c.keys + 1)[1:]
		p.count = 0
		mustRaise(t, store, keys, 0, 1)
		f.mustSend(t, scripts(c.want...))
		mustHold(t, store, keys, 1)
		f.mustSend(t, scripts(c.want...))
		if want := 2 * ((len(c.want) + 15) / 16); p.count != want {
			t.Errorf("%d keys: %d round trips, want %d", c.keys, p.count, want)
		}
		mustHold(t, store, private(1), 9)
	}
}

// TestLongKeys has chunks that are full before they have many keys.
func TestLongKeys(t *testing.T) {
	const limit = 1 << 20
	prefix := len(redisstore.DefaultPrefix)
	for _, c := range []struct {
		sizes []int // with the prefix
		want  []int
	}{
		{[]int{limit}, []int{1}},
		{[]int{limit + 1}, []int{1}},
		{[]int{5 * limit, 5 * limit}, []int{1, 1}},
		{[]int{limit - 20, 20, 20}, []int{2, 1}},
		{[]int{20, limit - 20, 20}, []int{2, 1}},
		{[]int{20, limit - 19, 20}, []int{1, 1, 1}},
		{[]int{limit / 4, limit / 4, limit / 4, limit / 4, limit / 4}, []int{4, 1}},
	} {
		f := newFake(t)
		store := f.store(t)
		mustRaise(t, store, private(1), 0, 1)
		mustHold(t, store, private(1), 1)
		f.sent()
		var keys [][]byte
		for i, n := range c.sizes {
			keys = append(keys, []byte(strings.Repeat(string(rune('a'+i)), n-prefix)))
		}
		mustRaise(t, store, keys, 0, 1)
		f.mustSend(t, scripts(c.want...))
		mustHold(t, store, keys, 1)
		f.mustSend(t, scripts(c.want...))
	}
}

// TestNoScript has a server that does not know the scripts, or forgets them.
func TestNoScript(t *testing.T) {
	f := newFake(t)
	client := f.client(t, -1)
	store := &redisstore.Store{Client: client}
	keys := private(1200)
	known := scripts(500, 500, 200)
	unknown := known + ", " + strings.ReplaceAll(known, "EVALSHA", "EVAL")
	for n := range 3 {
		mustRaise(t, store, keys, 2*n, 2*n+1)
		f.mustSend(t, unknown)
		mustHold(t, store, keys, 2*n+1)
		f.mustSend(t, unknown)
		mustRaise(t, store, keys, 2*n+1, 2*n+2)
		f.mustSend(t, known)
		mustHold(t, store, keys, 2*n+2)
		f.mustSend(t, known)
		if err := client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		f.sent()
	}

	// It forgets between two chunks: only what was not run is run again.
	mustRaise(t, store, keys, 6, 7)
	mustHold(t, store, keys, 7)
	f.sent()
	for _, forgotten := range []int{1, 2, 3} {
		n := 0
		f.answer = func(c *server.Peer, cmd string, _ []string) bool {
			if cmd != "EVALSHA" {
				return false
			}
			n++
			if n%3 == forgotten%3 {
				c.WriteError("NOSCRIPT No matching script. Please use EVAL.")
			}
			return n%3 == forgotten%3
		}
		again := fmt.Sprint(", EVAL ", []int{500, 500, 200}[forgotten-1])
		mustHold(t, store, keys, 6+forgotten)
		f.mustSend(t, known+again)
		mustRaise(t, store, keys, 6+forgotten, 7+forgotten)
		f.mustSend(t, known+again)
	}

	// One of the others failed. What it did not do is not taken for done.
	f.answer = func(c *server.Peer, cmd string, args []string) bool {
		switch {
		case cmd == "EVALSHA" && args[1] == "200":
			c.WriteError("BUSY Redis is busy running a script.")
		case cmd == "EVALSHA":
			c.WriteError("NOSCRIPT No matching script. Please use EVAL.")
		default:
			return false
		}
		return true
	}
	_, err := raise(t, store, keys, 10, 11)
	mustBeClean(t, err)
	if !redis.HasErrorPrefix(err, "BUSY") {
		t.Error(err)
	}
	_, err = load(t, store, keys)
	mustBeClean(t, err)

	// The text is refused too.
	f.answer = func(c *server.Peer, cmd string, _ []string) bool {
		switch cmd {
		case "EVALSHA":
			c.WriteError("NOSCRIPT No matching script. Please use EVAL.")
		case "EVAL":
			c.WriteError("NOPERM this user has no permissions to run the 'eval' command")
		default:
			return false
		}
		return true
	}
	_, err = load(t, store, keys)
	mustBeClean(t, err)
	if !redis.HasErrorPrefix(err, "NOPERM") {
		t.Error(err)
	}
}
