package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/rowdelta/rowdelta/envelope"
)

// A journal is a log that is read by a test.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// faulty is a disk in memory on which some operations fail once on is set.
func faulty(what func(op errorfs.Op) bool) (mem *vfs.MemFS, fs vfs.FS, on *atomic.Bool) {
	mem, on = vfs.NewCrashableMem(), new(atomic.Bool)
	return mem, errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if on.Load() && what(op) {
			return errorfs.ErrInjected
		}
		return nil
	})), on
}

// TestLogFails has the log fail under swaps: none of them says that it is done,
// none hangs, nothing goes on from there, and nothing is lost.
func TestLogFails(t *testing.T) {
	for name, kinds := range map[string][]errorfs.OpKind{
		"write": {errorfs.OpFileWrite},
		"sync":  {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo},
	} {
		t.Run(name, func(t *testing.T) {
			mem, fs, on := faulty(func(op errorfs.Op) bool {
				for _, kind := range kinds {
					if op.Kind == kind && strings.HasSuffix(op.Path, ".log") {
						return true
					}
				}
				return false
			})
			var log journal
			store, err := open("/marks", Options{Logger: log.logger()}, internals{fs: fs})
			if err != nil {
				t.Fatal(err)
			}
			var l ledger
			var mu sync.Mutex
			var wg sync.WaitGroup
			for w := range 6 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(w), 0))
					for {
						acked, err := step(t.Context(), store, r)
						if err != nil {
							if !errors.Is(err, errorfs.ErrInjected) {
								t.Errorf("a step: %v", err)
							}
							return
						}
						mu.Lock()
						if err := l.ack(acked); err != nil {
							t.Error(err)
						}
						mu.Unlock()
					}
				})
			}
			for count(&mu, &l) < 300 && !t.Failed() {
				time.Sleep(100 * time.Microsecond)
			}
			on.Store(true)
			wg.Wait()
			on.Store(false)
			left := mem.CrashClone(vfs.CrashCloneCfg{})

			_, evicted := store.Evict(t.Context(), time.Now())
			for call, err := range map[string]error{
				"Load":  store.Load(t.Context(), [][]byte{[]byte("a")}, make([]envelope.Version, 1)),
				"Swap":  store.Swap(t.Context(), swapOf("a", envelope.Version{}, at(1))),
				"Evict": evicted,
			} {
				if !errors.Is(err, errorfs.ErrInjected) || !strings.Contains(err.Error(), "the store failed before") {
					t.Errorf("%s after a failure: %v", call, err)
				}
			}
			if err := store.Close(); err != nil && !errors.Is(err, errorfs.ErrInjected) {
				t.Errorf("Close: %v", err)
			}
			if err := store.Swap(t.Context(), nil); !errors.Is(err, errorfs.ErrInjected) {
				t.Errorf("Swap after Close: %v", err)
			}
			discreetLog(t, log.String(), "the store must be opened anew")
			for _, fs := range []vfs.FS{left, mem} { // as after a power cut, and as it is
				if err := after(t, fs, l); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// discreetLog checks that a log says something, and no key.
func discreetLog(t *testing.T, log, says string) {
	t.Helper()
	if !strings.Contains(log, says) {
		t.Errorf("the log does not say %q: %s", says, log)
	}
	if strings.Contains(log, "long") { // as the keys of step
		t.Errorf("the log holds a key: %s", log)
	}
}

// Who waited while another one's write failed does not write.
func TestFailedWhileWaiting(t *testing.T) {
	store := opened(t)
	cause := errors.New("the cause")
	store.turn <- struct{}{}
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = store.Swap(t.Context(), swapOf("a", envelope.Version{}, at(1))) })
	waits(t, store, 1)
	store.fail(cause)
	<-store.turn
	wg.Wait()
	if !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if v, err := store.mark(appendName(nil, []byte("a"))); err != nil || !v.IsZero() {
		t.Errorf("%v, %v", v, err)
	}
}

// TestTablesFail has no room for tables for a while.
func TestTablesFail(t *testing.T) {
	_, fs, on := faulty(func(op errorfs.Op) bool {
		return op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst")
	})
	var log journal
	store, err := open("/marks", Options{Logger: log.logger()}, internals{fs: fs, memTableBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	var l ledger
	r := rand.New(rand.NewPCG(1, 1))
	on.Store(true)
	go func() {
		for !strings.Contains(log.String(), "failure in the background") {
			time.Sleep(time.Millisecond)
		}
		on.Store(false)
	}()
	for start := time.Now(); on.Load() || l.count < 1000; {
		acked, err := step(t.Context(), store, r)
		if err = errors.Join(err, l.ack(acked)); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("nothing fails")
		}
	}
	if err := l.check(t.Context(), store); err != nil {
		t.Error(err)
	}
	mustClose(t, store)
	discreetLog(t, log.String(), "injected error")
	if err := after(t, fs.(*errorfs.FS).Unwrap(), l); err != nil {
		t.Error(err)
	}
}

// A disk that fails while the store is opened is an error, at whichever step.
func TestOpenFails(t *testing.T) {
	failures := 0
	for n := range int64(300) {
		var ops atomic.Int64
		mem, fs, on := faulty(func(op errorfs.Op) bool {
			return op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose && op.Kind != errorfs.OpRemove && ops.Add(1) > n
		})
		on.Store(true)
		store, err := open("/marks", Options{}, internals{fs: fs})
		on.Store(false)
		if err == nil {
			mustClose(t, store)
			break
		}
		failures++
		if !errors.Is(err, errorfs.ErrInjected) {
			t.Fatalf("operation %d: %v", n, err)
		}
		// The next attempt works.
		for _, fs := range []*vfs.MemFS{mem.CrashClone(vfs.CrashCloneCfg{}), mem} {
			store, err := open("/marks", Options{}, internals{fs: fs})
			if err != nil {
				t.Fatalf("after a failure of operation %d: %v", n, err)
			}
			puts(t, store, "a", at(1))
			mustClose(t, store)
		}
	}
	if failures < 10 || failures == 300 {
		t.Errorf("%d operations failed", failures)
	}
}

// What Pebble says when it cannot go on can hold keys.
func TestFatal(t *testing.T) {
	cause := errors.New("the cause")
	for _, c := range []struct {
		format string
		args   []any
		says   string
	}{
		{"pebble: fatal commit error: %v", []any{cause}, "pebble: fatal commit error: the cause"},
		{"%s", []any{cause}, "pebble cannot go on: the cause"},
		{"edit failed (key=%s file=%s): %v", []any{"private", []byte("private"), cause}, "edit failed (key: the cause"},
		{"lower bound violation", nil, "lower bound violation"},
		{"%q", []any{"private"}, "pebble cannot go on"},
	} {
		err := guard(func() error {
			logger{}.Fatalf(c.format, c.args...)
			return nil
		})
		if err == nil || err.Error() != c.says {
			t.Errorf("%s: %v, want %s", c.format, err, c.says)
		}
		if len(c.args) > 0 && c.args[len(c.args)-1] == any(cause) && !errors.Is(err, cause) {
			t.Errorf("%s: %v does not wrap its cause", c.format, err)
		}
	}
	key := []byte("private key")
	if s := fmt.Sprintf("%s %q %v %+v %x", discreet().FormatKey(key), discreet().FormatKey(key), discreet().FormatKey(key), discreet().FormatKey(key), discreet().FormatKey(key)); s != strings.TrimSpace(strings.Repeat("(key of 11 bytes) ", 5)) {
		t.Error(s)
	}
}

// Pebble panics with its locks held where it does not expect an error.
func TestHalted(t *testing.T) {
	cause := errors.New("the cause")
	err := guard(func() error { panic(cause) })
	if !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	store := mustOpen(t, t.TempDir())
	store.fail(err)
	if err := store.Close(); !errors.Is(err, cause) {
		t.Errorf("Close: %v", err)
	}
	if err := store.db.Close(); err != nil {
		t.Errorf("Close went on: %v", err)
	}
	for _, r := range []any{"a mistake", runtimeError()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a panic with %v is lost", r)
				}
			}()
			_ = guard(func() error { panic(r) })
		}()
	}
}

func runtimeError() (r any) {
	defer func() { r = recover() }()
	return []int{}[len("x")]
}
