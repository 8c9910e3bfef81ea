package pebblestore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
	"github.com/rowdelta/rowdelta/envelope"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.RunDurable(t, func(t *testing.T) func() dedupe.Store {
		dir := t.TempDir()
		var store *Store
		end := func() {
			if store != nil {
				mustClose(t, store)
			}
		}
		t.Cleanup(end)
		return func() dedupe.Store {
			end()
			store = mustOpen(t, dir)
			return store
		}
	})
}

func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	store, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func mustClose(t testing.TB, store *Store) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// opened returns a store in a folder of the test's own.
func opened(t testing.TB) *Store {
	t.Helper()
	store := mustOpen(t, t.TempDir())
	t.Cleanup(func() { mustClose(t, store) })
	return store
}

// at returns the nth of many versions; its commit time is n seconds after 1970.
func at(n int) envelope.Version { return envelope.PositionVersion(int64(n)*1e9, 0, uint64(n)) }

func swapOf(key string, old, new envelope.Version) []dedupe.Swap {
	return []dedupe.Swap{{Key: []byte(key), Old: old, New: new}}
}

// puts gives a key its first mark.
func puts(t testing.TB, store *Store, key string, mark envelope.Version) {
	t.Helper()
	swaps := swapOf(key, envelope.Version{}, mark)
	if err := store.Swap(t.Context(), swaps); err != nil || !swaps[0].Done {
		t.Fatalf("Swap: done %v, %v", swaps[0].Done, err)
	}
}

// has loads the mark of a key, which must be want.
func has(t testing.TB, store *Store, key string, want envelope.Version) {
	t.Helper()
	got := make([]envelope.Version, 1)
	if err := store.Load(t.Context(), [][]byte{[]byte(key)}, got); err != nil || got[0] != want {
		t.Fatalf("Load: %v, %v; want %v", got[0], err, want)
	}
}

func TestOpenTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "marks")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(dir), link); err != nil {
		t.Fatal(err)
	}
	work, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(work, dir)
	if err != nil {
		t.Fatal(err)
	}
	store := mustOpen(t, dir)
	puts(t, store, "a", at(1))
	for _, name := range []string{dir, dir + "/", relative, filepath.Join(link, "marks")} {
		if second, err := Open(name, nil); err == nil {
			t.Errorf("opened twice, as %s: %v", name, second.Close())
		}
	}
	out, err := run(t, dir, "open").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "pebblestore: open "+dir+": another process has it open") {
		t.Errorf("another process: %v, %s", err, out)
	}
	has(t, store, "a", at(1)) // the attempts did no harm
	mustClose(t, store)
	store = mustOpen(t, filepath.Join(link, "marks"))
	has(t, store, "a", at(1))
	mustClose(t, store)
}

func TestOpenMakesDirectories(t *testing.T) {
	top := t.TempDir()
	mustClose(t, mustOpen(t, filepath.Join(top, "a", "b")))
	for _, name := range []string{"a", "a/b"} {
		if info, err := os.Stat(filepath.Join(top, name)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, filepath.Join(file, "a")} {
		if store, err := Open(name, nil); err == nil {
			t.Errorf("opened a file: %v", store.Close())
		}
	}
}

// A power cut must not take the directory away again.
func TestDirectoryIsSynced(t *testing.T) {
	fs := vfs.NewCrashableMem()
	if err := makeDir(fs, "/a/b/c"); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(fs, "/a/b/c"); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.CrashClone(vfs.CrashCloneCfg{}).Stat("/a/b/c"); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	s := &Store{}
	if o := s.options(Options{}, internals{}); o.CacheSize != DefaultCacheBytes || o.MemTableSize == 0 {
		t.Errorf("%d bytes of cache, %d of memory table", o.CacheSize, o.MemTableSize)
	}
	if o := s.options(Options{CacheBytes: 1 << 20}, internals{}); o.CacheSize != 1<<20 {
		t.Errorf("%d bytes of cache", o.CacheSize)
	}
	if key := s.options(Options{}, internals{}).Comparer.FormatKey([]byte("private")); strings.Contains(fmt.Sprint(key), "private") {
		t.Errorf("keys in messages are %v", key)
	}
	for i, level := range s.options(Options{}, internals{}).Levels {
		if level.FilterPolicy == nil || !strings.Contains(fmt.Sprint(level.FilterPolicy.Name()), "Bloom") {
			t.Errorf("level %d has no filter", i)
		}
	}
}
