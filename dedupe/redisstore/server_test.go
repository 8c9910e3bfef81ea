package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/envelope"
)

func TestMain(m *testing.M) {
	logging.Disable() // the client tells of each connection that it loses
	os.Exit(m.Run())
}

// A fake is a Redis in this process, which can answer what a test wants.
type fake struct {
	*miniredis.Miniredis
	// answer may answer a command in the server's place.
	answer func(c *server.Peer, cmd string, args []string) bool

	mu  sync.Mutex
	log []string // the commands that came over the network, without the client's own
}

func newFake(tb testing.TB) *fake {
	tb.Helper()
	f := &fake{Miniredis: miniredis.RunT(tb)}
	f.Server().SetPreHook(func(c *server.Peer, cmd string, args ...string) bool {
		switch cmd {
		case "HELLO", "CLIENT", "COMMAND":
			return false
		case "MGET", "MSET", "EXISTS": // of a script
		case "EVAL", "EVALSHA":
			f.note(cmd, args[1])
		case "SET":
			if len(args[1]) == 0 { // no mark
				f.note(cmd, args[0])
			}
		default:
			f.note(cmd, strings.Join(args, " "))
		}
		return f.answer != nil && f.answer(c, cmd, args)
	})
	return f
}

func (f *fake) note(cmd, args string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, strings.TrimSpace(cmd+" "+args))
}

// sent returns the commands since the last time: of a script, with how many keys.
func (f *fake) sent() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := strings.Join(f.log, ", ")
	f.log = nil
	return out
}

func (f *fake) mustSend(t *testing.T, want string) {
	t.Helper()
	if got := f.sent(); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// client returns a client that tries as often as it is told, -1 for once.
func (f *fake) client(tb testing.TB, retries int) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: f.Addr(), MaxRetries: retries, MinRetryBackoff: 1, MaxRetryBackoff: 1, DialerRetries: 1})
	tb.Cleanup(func() { c.Close() })
	return c
}

// store returns a store whose client tries once.
func (f *fake) store(tb testing.TB) *redisstore.Store {
	return &redisstore.Store{Client: f.client(tb, -1)}
}

// pipelines counts those of a client.
type pipelines struct {
	redisstore.API
	count int
}

func (p *pipelines) Pipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error) {
	p.count++
	return p.API.Pipelined(ctx, fn)
}

// A line is a network between a client and the fake, which breaks where a test
// wants: of each request that holds a script, before it is sent or after it was
// answered.
type line struct {
	before, after int // how many of them to break still
}

func (l *line) client(tb testing.TB, f *fake, retries int) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: f.Addr(), MaxRetries: retries, MinRetryBackoff: 1, MaxRetryBackoff: 1, PoolSize: 1,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &breaking{Conn: conn, line: l}, err
		},
	})
	tb.Cleanup(func() { c.Close() })
	return c
}

type breaking struct {
	net.Conn
	line        *line
	script, cut bool
}

// errCut is what the system says of a connection that is gone.
var errCut = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

func (b *breaking) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "\r\nevalsha\r\n") || strings.Contains(string(p), "\r\neval\r\n") {
		b.script = true
		b.cut = b.cut || breaks(&b.line.before)
	}
	if b.cut {
		return 0, errCut
	}
	return b.Conn.Write(p)
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.cut {
		return 0, errCut
	}
	n, err := b.Conn.Read(p) // the server is done
	if err == nil && b.script {
		b.script = false
		if b.cut = breaks(&b.line.after); b.cut {
			return 0, errCut
		}
	}
	return n, err
}

func breaks(left *int) bool {
	if *left == 0 {
		return false
	}
	*left--
	return true
}

// at returns a mark.
func at(n int) envelope.Version {
	if n == 0 {
		return envelope.Version{}
	}
	return envelope.PositionVersion(int64(n), uint64(n), 0)
}

// private returns keys that no error may hold.
func private(n int) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "private-key-%06d", i)
	}
	return keys
}

// raise swaps the marks of all keys and returns how many were done.
func raise(tb testing.TB, store dedupe.Store, keys [][]byte, from, to int) (int, error) {
	tb.Helper()
	swaps := make([]dedupe.Swap, len(keys))
	for i, key := range keys {
		swaps[i] = dedupe.Swap{Key: key, Old: at(from), New: at(to)}
	}
	err := store.Swap(tb.Context(), swaps)
	done := 0
	for _, s := range swaps {
		if s.Done {
			done++
		}
	}
	return done, err
}

func mustRaise(tb testing.TB, store dedupe.Store, keys [][]byte, from, to int) {
	tb.Helper()
	if done, err := raise(tb, store, keys, from, to); err != nil || done != len(keys) {
		tb.Fatalf("Swap from %d to %d: %d of %d done, %v", from, to, done, len(keys), err)
	}
}

func load(tb testing.TB, store dedupe.Store, keys [][]byte) ([]envelope.Version, error) {
	held := make([]envelope.Version, len(keys))
	return held, store.Load(tb.Context(), keys, held)
}

func mustHold(tb testing.TB, store dedupe.Store, keys [][]byte, want int) {
	tb.Helper()
	held, err := load(tb, store, keys)
	if err != nil {
		tb.Fatal(err)
	}
	for i, v := range held {
		if v != at(want) {
			tb.Fatalf("key %d of %d: mark %v, want %v", i, len(keys), v, at(want))
		}
	}
}

// mustBeClean fails unless err is one of a store, after which the call may be
// tried again, that holds no key.
func mustBeClean(tb testing.TB, err error) {
	tb.Helper()
	if err == nil || envelope.IsPermanent(err) || !strings.HasPrefix(err.Error(), "redisstore: ") {
		tb.Errorf("got %v, want an error of the store", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
			if text := fmt.Sprintf(form, e); strings.Contains(text, "private") {
				tb.Errorf("an error with a key: %s", text)
			}
		}
	}
}
