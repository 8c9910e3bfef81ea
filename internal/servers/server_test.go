package servers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServerEndsWithItsTest(t *testing.T) {
	var ready func() error
	var dir string
	s := &spy{TB: t}
	s.during(func() {
		var h spec
		h, ready = helper(s, "server")
		dir = h.dir
		h.ready = func(context.Context) error { return ready() }
		v := launch(s, h)
		v.Kill()
		if ready() == nil {
			t.Error("killed, but it answers")
		}
		v.Restart()
		v.Restart()
		if err := ready(); err != nil {
			t.Error("restarted, but silent:", err)
		}
	})
	if s.failed || len(s.messages) > 0 {
		t.Error("the test failed:", s.said())
	}
	if ready() == nil {
		t.Error("the server outlives the test")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("its folder outlives the test:", err)
	}
}

func TestServerThatFailsEndsItsTest(t *testing.T) {
	s := &spy{TB: t}
	s.during(func() {
		h, ready := helper(s, "failing")
		h.ready = func(context.Context) error { return ready() }
		launch(s, h)
		t.Error("the test went on")
	})
	if !s.failed || !strings.Contains(s.said(), "lacks a licence") {
		t.Errorf("failed %v, said:\n%s", s.failed, s.said())
	}
}

func TestFailedTestShowsTheLog(t *testing.T) {
	s := &spy{TB: t}
	s.during(func() {
		h, ready := helper(s, "server")
		h.ready = func(context.Context) error { return ready() }
		launch(s, h)
		s.Error("a row is missing")
	})
	if said := s.said(); !strings.Contains(said, "the end of server's log:") || !strings.Contains(said, "helper plays server") {
		t.Error("said:\n", said)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if got := tail(path); !strings.Contains(got, "no such file") {
		t.Errorf("no log: %q", got)
	}
	for _, c := range []struct{ log, want string }{
		{"", ""},
		{"one\ntwo", "one\ntwo"},
		{"cut\n" + strings.Repeat("x", tailBytes), strings.Repeat("x", tailBytes)},
		{strings.Repeat("c", 99) + "\n" + strings.Repeat(strings.Repeat("y", 99)+"\n", tailBytes/100), strings.Repeat(strings.Repeat("y", 99)+"\n", tailBytes/100)},
		{strings.Repeat(strings.Repeat("z", 99)+"\n", tailBytes/50), strings.Repeat(strings.Repeat("z", 99)+"\n", tailBytes/100)},
	} {
		if err := os.WriteFile(path, []byte(c.log), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := tail(path); got != c.want {
			t.Errorf("tail of %d bytes: got %d, want %d", len(c.log), len(got), len(c.want))
		}
	}
}

func TestPorts(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port := freePort(t)
		if seen[port] {
			t.Fatal("given twice:", port)
		}
		if port < lowestPort || port >= highestPort {
			t.Fatal("out of range:", port)
		}
		seen[port] = true
	}
}
