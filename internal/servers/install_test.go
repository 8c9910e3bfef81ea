package servers

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ownCache gives the test an empty cache folder.
func ownCache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir) // Linux
	t.Setenv("HOME", dir)           // macOS
	root, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(root, dir) {
		t.Fatalf("the cache is %s, not in %s", root, dir)
	}
	return root
}

func TestCachedIsCompleteOrAbsent(t *testing.T) {
	root := ownCache(t)
	fail := errors.New("the network is down")
	_, err := cached("thing", "recipe", func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o600), fail)
	})
	if !errors.Is(err, fail) {
		t.Fatal("got", err)
	}
	entries, err := filepath.Glob(filepath.Join(root, "thing*"))
	if err != nil || len(entries) > 0 {
		t.Fatal("a failed installation left", entries, err)
	}

	fill := func(dir string) error { return os.WriteFile(filepath.Join(dir, "whole"), nil, 0o600) }
	dir, err := cached("thing", "recipe", fill)
	if err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(dir, "whole")) || exists(filepath.Join(dir, "half")) {
		t.Fatal("not what was filled")
	}
	again, err := cached("thing", "recipe", func(string) error { return errors.New("filled again") })
	if err != nil || again != dir {
		t.Fatal("got", again, err)
	}
	other, err := cached("thing", "another recipe", fill)
	if err != nil || other == dir {
		t.Fatal("another recipe, the same installation", other, err)
	}
}

func TestCachedByManyAtOnce(t *testing.T) {
	root := ownCache(t)
	var fills atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, err := cached("thing", "recipe", func(dir string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(dir, "whole"), nil, 0o600)
			})
			if err != nil || !exists(filepath.Join(dir, "whole")) {
				t.Error(dir, err)
			}
		})
	}
	wg.Wait()
	entries, err := filepath.Glob(filepath.Join(root, "thing*"))
	if err != nil || len(entries) != 1 {
		t.Error("left", entries, err)
	}
	if fills.Load() == 0 {
		t.Error("nobody filled it")
	}
}

// debian puts a fake apt-get (and sudo) first on the PATH. It logs its arguments, and runs what is given on installs.
func debian(t *testing.T, onInstall string) (bin, log string) {
	t.Helper()
	bin = t.TempDir()
	log = filepath.Join(bin, "log")
	script := "#!/bin/sh\necho \"$@\" >>'" + log + "'\ncase \"$*\" in *install*) " + onInstall + " ;; esac\n"
	sudo := "#!/bin/sh\n[ \"$1\" = -n ] || exit 1\nshift\nexec env \"$@\"\n"
	for name, text := range map[string]string{"apt-get": script, "sudo": sudo} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return bin, log
}

func TestProgramIsInstalled(t *testing.T) {
	ownCache(t)
	find := func() (string, error) { return exec.LookPath("rowdelta-server") }
	if _, err := find(); err == nil {
		t.Fatal("it is there already")
	}
	bin, log := debian(t, `cp "$0" "${0%apt-get}rowdelta-server"`)
	for range 2 {
		path, err := program(t.Context(), find, "one", "two")
		if err != nil || path != filepath.Join(bin, "rowdelta-server") {
			t.Fatal(path, err)
		}
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := "-q -y -o DPkg::Lock::Timeout=300 update\n-q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends one two\n"
	if string(b) != want {
		t.Errorf("apt-get got\n%s, want\n%s", b, want)
	}
}

func TestProgramThatCannotBeInstalled(t *testing.T) {
	ownCache(t)
	find := func() (string, error) { return exec.LookPath("rowdelta-server") }
	debian(t, "echo Unable to locate package; exit 100")
	_, err := program(t.Context(), find, "one")
	if err == nil || !strings.Contains(err.Error(), "Unable to locate package") || !strings.Contains(err.Error(), "exit status 100") {
		t.Error("got", err)
	}
	debian(t, ":")
	if _, err := program(t.Context(), find, "one"); !errors.Is(err, exec.ErrNotFound) {
		t.Error("installed, but without the program: got", err)
	}
}
