package servers

import (
	"os"
	"strings"
	"testing"
	"time"
)

const (
	// startLimit is many times what any server here needs on two busy cores.
	startLimit = 90 * time.Second
	// tailBytes bounds what a failed test prints of a log.
	tailBytes = 12 << 10
)

// server is a process that belongs to a test. Its methods end the test on failure; the test's own goroutine calls them.
type server struct {
	tb testing.TB
	*process
}

// launch starts what s describes and ties it to tb.
func launch(tb testing.TB, s spec) server {
	tb.Helper()
	if s.within == 0 {
		s.within = startLimit
	}
	v := server{tb, &process{spec: s}}
	tb.Cleanup(func() {
		if tb.Failed() { // before the shutdown, which has much to say
			tb.Logf("the end of %s's log:\n%s", s.name, tail(s.log))
		}
		if err := v.shutdown(); err != nil {
			tb.Errorf("%v\n%s", err, tail(s.log))
		}
	})
	v.Restart()
	return v
}

// Kill ends the server with SIGKILL, as a crash does: nothing is flushed, nobody is told. It returns when the process is gone.
// Its files, its port and its configuration stay for Restart.
func (v server) Kill() {
	v.tb.Helper()
	if err := v.kill(); err != nil {
		v.tb.Fatal(err)
	}
}

// Stop asks the server to end and waits for it.
func (v server) Stop() {
	v.tb.Helper()
	if err := v.shutdown(); err != nil {
		v.tb.Fatal(err)
	}
}

// Restart starts the server again, with the same files on the same port, and returns when it is ready. If it runs, it is
// stopped in order first.
func (v server) Restart() {
	v.tb.Helper()
	v.Stop()
	if err := v.start(v.tb.Context()); err != nil {
		v.tb.Fatal(err)
	}
}

// scratch makes a temporary folder that other users may enter, and removes it at the end of the test.
//
// Not tb.TempDir: its parent is closed to others, and it fails the test if a file comes in while it is removed, which
// the last processes of a killed PostgreSQL do.
func scratch(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rowdelta-*")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		var err error
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(poll)
		}
		tb.Error(err)
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// write makes a file of a server's configuration.
func write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// tail returns the last lines of a log, or why there are none.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return last(b)
}

// last returns the last whole lines of a text.
func last(b []byte) string {
	s := string(b)
	if len(s) > tailBytes {
		s = s[len(s)-tailBytes:]
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			s = s[i+1:]
		}
	}
	return s
}
