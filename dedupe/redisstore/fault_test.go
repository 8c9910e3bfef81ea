package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/envelope"
)

// TestRetries loses requests or answers of which the client tries another time.
func TestRetries(t *testing.T) {
	f := newFake(t)
	l := new(line)
	store := &redisstore.Store{Client: l.client(t, f, 3)}
	keys := private(400) // one script's
	mustRaise(t, store, keys, 0, 1)

	l.before = 2
	mustRaise(t, store, keys, 1, 2)
	l.before = 2
	mustHold(t, store, keys, 2)
	l.after = 2
	mustHold(t, store, keys, 2)
	if l.before+l.after > 0 {
		t.Error("not all was lost")
	}

	// The second attempt finds the swaps made, and cannot know by whom.
	l.after = 1
	if done, err := raise(t, store, keys, 2, 3); err != nil || done > 0 && done < len(keys) {
		t.Errorf("a Swap whose answer was lost: %d done, %v", done, err)
	}
	mustHold(t, store, keys, 3)
}

// TestLostAnswer has a client that tries once.
func TestLostAnswer(t *testing.T) {
	f := newFake(t)
	l := new(line)
	store := &redisstore.Store{Client: l.client(t, f, -1)}
	keys := private(400) // one script's
	mustRaise(t, store, keys, 0, 1)
	for _, c := range []struct {
		before, after int
		made          bool
	}{{1, 0, false}, {0, 1, true}} {
		l.before, l.after = c.before, c.after
		_, err := raise(t, store, keys, 1, 2)
		mustBeClean(t, err)
		if !errors.Is(err, errCut) {
			t.Error("without its cause:", err)
		}
		if l.before+l.after > 0 {
			t.Error("nothing was lost")
		}
		if !c.made {
			mustHold(t, store, keys, 1)
			continue
		}
		mustHold(t, store, keys, 2)
		l.after = 1
		_, err = load(t, store, keys)
		mustBeClean(t, err)
	}
}

// TestUnreachable has no server, no client of one, or one that is refused.
func TestUnreachable(t *testing.T) {
	f := newFake(t)
	store := f.store(t)
	f.Close()
	other := newFake(t)
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": other.Addr()}})
	t.Cleanup(func() { ring.Close() })
	for _, store := range []*redisstore.Store{store, {Client: store.Client, Replicas: 1}, {}, {Replicas: 1}, {Client: ring}, {Client: ring, Replicas: 1}} {
		_, err := raise(t, store, private(2), 0, 1)
		mustBeClean(t, err)
		_, err = load(t, store, private(2))
		mustBeClean(t, err)
		mustBeClean(t, store.Check(t.Context()))
	}
	if got := strings.ReplaceAll(other.sent(), "PING", ""); strings.Trim(got, ", ") != "" { // a ring looks after its servers
		t.Errorf("a ring was sent %q", got)
	}
}

// TestOver has contexts that are over: nothing is sent.
func TestOver(t *testing.T) {
	f := newFake(t)
	store := f.store(t)
	keys := private(2)
	mustRaise(t, store, keys, 0, 1)
	f.sent()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		store.Load(ctx, keys, make([]envelope.Version, 2)),
		store.Swap(ctx, []dedupe.Swap{{Key: keys[0], Old: at(1), New: at(2)}}),
	} {
		mustBeClean(t, err)
		if !errors.Is(err, context.Canceled) {
			t.Error("without its cause:", err)
		}
	}
	f.mustSend(t, "")
}

// TestReplies has the server refuse the scripts.
func TestReplies(t *testing.T) {
	const quoting = ", with args beginning with: '0a1b' '1' '{rowdelta}:private-key-000000' "
	for _, c := range []struct {
		answer, want string
		is           func(error) bool
	}{
		{"ERR unknown command 'EVALSHA'" + quoting, "ERR unknown command", nil},
		{"ERR unknown command `EVALSHA`, with args beginning with: `0a1b`, `1`, `private-key-000000`, ", "ERR unknown command", nil},
		{`ERR unknown command "EVALSHA" for "private-key-000000"`, "ERR unknown command", nil},
		{"ERR can't do this", "ERR can't do this", nil},
		{"ERR CAN'T DO THIS", "ERR CAN'T DO THIS", nil},
		{"ERR can't run 'EVALSHA'" + quoting, "ERR can't run", nil},
		{"ERR 'private-key-000000'", "ERR", nil},
		{"ERR max number of clients reached", "ERR max number of clients reached", redis.IsMaxClientsError},
		{"NOPERM this user has no permissions to run the 'evalsha' command", "NOPERM this user has no permissions to run the", nil},
		{"NOPERM No permissions to access a key", "NOPERM No permissions to access a key", redis.IsPermissionError},
		{"OOM command not allowed when used memory > 'maxmemory'.", "OOM command not allowed when used memory > 'maxmemory'.", redis.IsOOMError},
		{"LOADING Redis is loading the dataset in memory", "LOADING Redis is loading the dataset in memory", redis.IsLoadingError},
		{"READONLY You can't write against a read only replica.", "READONLY You can't write against a read only replica.", redis.IsReadOnlyError},
		{"CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT Keys in request don't hash to the same slot", nil},
	} {
		for _, first := range []bool{true, false} {
			f := newFake(t)
			store := f.store(t)
			mustRaise(t, store, private(700), 0, 1)
			scripts := 0
			f.answer = func(peer *server.Peer, cmd string, _ []string) bool {
				if cmd != "EVALSHA" {
					return false
				}
				if scripts++; first == (scripts%2 == 1) { // two to a call
					peer.WriteError(c.answer)
					return true
				}
				return false
			}
			_, swapping := raise(t, store, private(700), 1, 2)
			_, loading := load(t, store, private(700))
			for call, err := range map[string]error{"swap": swapping, "load": loading} {
				mustBeClean(t, err)
				if want := "redisstore: " + call + ": " + c.want; err == nil || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
				if code, _, _ := strings.Cut(c.want, " "); c.is != nil && !c.is(err) || !redis.HasErrorPrefix(err, code) && code != "ERR" {
					t.Errorf("the type of %q is lost: %#v", c.answer, err)
				}
			}
		}
	}
}

// TestAnswers has a server, or what is before it, answer what no script does.
func TestAnswers(t *testing.T) {
	for name, answer := range map[string]func(c *server.Peer){
		"null":  func(c *server.Peer) { c.WriteNull() },
		"short": func(c *server.Peer) { c.WriteBulk("1") },
		"long":  func(c *server.Peer) { c.WriteBulk(strings.Repeat("1", 65)) },
		"list":  func(c *server.Peer) { c.WriteLen(1); c.WriteBulk("11") },
	} {
		f := newFake(t)
		store := f.store(t)
		f.answer = func(c *server.Peer, cmd string, _ []string) bool {
			if strings.HasPrefix(cmd, "EVAL") {
				answer(c)
				return true
			}
			return false
		}
		for _, err := range []error{
			func() error { _, err := raise(t, store, private(2), 0, 1); return err }(),
			func() error { _, err := load(t, store, private(2)); return err }(),
		} {
			mustBeClean(t, err)
			if errors.Is(err, redisstore.ErrForeign) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestForeign has values that no store wrote: they are neither read as none nor
// replaced.
func TestForeign(t *testing.T) {
	mark, _ := at(1).MarshalBinary() // never fails
	kinds := map[string]func(f *fake, key string){
		"empty": func(f *fake, key string) { f.Set(key, "") },
		"short": func(f *fake, key string) { f.Set(key, string(mark[:31])) },
		"long":  func(f *fake, key string) { f.Set(key, string(mark)+"\x00") },
		"zero":  func(f *fake, key string) { f.Set(key, string(make([]byte, 32))) },
		"bytes": func(f *fake, key string) { f.Set(key, strings.Repeat("\xff", 32)) },
		"hash":  func(f *fake, key string) { f.HSet(key, "a", "b") },
		"list":  func(f *fake, key string) { f.Push(key, "a") },
	}
	for kind, set := range kinds {
		for _, number := range []int{0, 499, 500, 699} {
			t.Run(fmt.Sprint(kind, number), func(t *testing.T) {
				f := newFake(t)
				store := f.store(t)
				keys := private(700)
				mustRaise(t, store, keys[:300], 0, 1)
				name := redisstore.DefaultPrefix + string(keys[number])
				f.Del(name)
				set(f, name)
				before := f.Dump()
				_, err := load(t, store, keys)
				mustBeClean(t, err)
				if !errors.Is(err, redisstore.ErrForeign) || !strings.HasSuffix(err.Error(), fmt.Sprintf("number %d of the keys", number)) {
					t.Error("Load:", err)
				}
				mustHold(t, store, append(keys[:number:number], keys[number+1:]...)[:250], 1)
				for _, from := range []int{0, 1} {
					done, err := raise(t, store, keys[number:number+1], from, 2)
					if kind == "bytes" && err == nil { // for a script it is some other mark
						if done > 0 {
							t.Errorf("Swap from %d: done", from)
						}
						continue
					}
					mustBeClean(t, err)
					if !errors.Is(err, redisstore.ErrForeign) {
						t.Errorf("Swap from %d: %v", from, err)
					}
				}
				if after := f.Dump(); after != before {
					t.Errorf("what was there:\n%s\nwhat is there:\n%s", before, after)
				}
			})
		}
	}
}
