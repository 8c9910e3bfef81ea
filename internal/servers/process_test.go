package servers

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// started returns a running helper of that role.
func started(t *testing.T, role string) (*process, func() error) {
	t.Helper()
	s, ready := helper(t, role)
	s.ready = func(context.Context) error { return ready() }
	p := &process{spec: s}
	t.Cleanup(func() {
		if err := p.kill(); err != nil {
			t.Error(err)
		}
	})
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, ready
}

func TestProcessLives(t *testing.T) {
	p, ready := started(t, "server")
	if err := ready(); err != nil {
		t.Fatal("started, but not ready:", err)
	}
	if err := p.start(t.Context()); err == nil {
		t.Fatal("started twice")
	}
	for name, end := range map[string]func() error{"kill": p.kill, "shutdown": p.shutdown} {
		before, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(name, err)
		}
		if err := ready(); err == nil {
			t.Fatal(name, "left the port open")
		}
		if p.alive() {
			t.Fatal(name, "left it alive")
		}
		log, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(log), string(before)) {
			t.Fatalf("the log lost its beginning:\n%s\nwas\n%s", log, before)
		}
		if orderly := strings.Contains(string(log[len(before):]), "stops in order"); orderly != (name == "shutdown") {
			t.Fatalf("%s: orderly end %v", name, orderly)
		}
		if err := errors.Join(p.kill(), p.shutdown()); err != nil {
			t.Fatal("ending what has ended:", err)
		}
		if err := p.start(t.Context()); err != nil {
			t.Fatal("start after", name, err)
		}
		if err := ready(); err != nil {
			t.Fatal("started again, but not ready:", err)
		}
	}
}

func TestProcessThatDoesNotStop(t *testing.T) {
	p, ready := started(t, "stubborn")
	p.within = 300 * time.Millisecond
	err := p.shutdown()
	if err == nil || !strings.Contains(err.Error(), "did not stop within 300ms") {
		t.Fatal("got", err)
	}
	if p.alive() || ready() == nil {
		t.Fatal("it is still there")
	}
}

func TestProcessThatDoesNotStart(t *testing.T) {
	notYet := errors.New("not yet")
	for _, c := range []struct {
		role   string
		within time.Duration
		ready  error
		want   []string
	}{
		{"failing", 20 * time.Second, notYet, []string{"ended before it was ready", "exit status 3", "helper lacks a licence"}},
		{"silent", 20 * time.Second, permanentError{errors.New("task failed")}, []string{"task failed", "helper plays silent"}},
		{"silent", 100 * time.Millisecond, notYet, []string{"not ready after", "not yet", "helper plays silent"}},
	} {
		s, _ := helper(t, c.role)
		s.within = c.within
		s.ready = func(context.Context) error {
			// The log's end is part of what is tested, so the helper gets the time to write it.
			for tail(s.log) == "" {
				time.Sleep(poll)
			}
			return c.ready
		}
		p := &process{spec: s}
		err := p.start(t.Context())
		if err == nil {
			t.Fatalf("%s, %v: started", c.role, c.ready)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %v: got %q, want %q in it", c.role, c.ready, err, want)
			}
		}
		if p.alive() {
			t.Errorf("%s, %v: left alive", c.role, c.ready)
		}
	}
}

// Something else may answer at the port of a server that is gone.
func TestProcessThatEndedIsNotReady(t *testing.T) {
	s, _ := helper(t, "failing")
	p := &process{spec: s}
	p.ready = func(context.Context) error {
		<-p.run.done
		return nil
	}
	if err := p.start(t.Context()); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatal("got", err)
	}
}

func TestProcessWithoutProgram(t *testing.T) {
	s, _ := helper(t, "server")
	s.path = "/does/not/exist"
	p := &process{spec: s}
	if err := p.start(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("got", err)
	}
	if err := errors.Join(p.kill(), p.shutdown()); err != nil {
		t.Fatal(err)
	}
}

func TestStartIsCancelled(t *testing.T) {
	s, _ := helper(t, "silent")
	ctx, cancel := context.WithCancel(t.Context())
	s.ready = func(context.Context) error {
		cancel()
		return errors.New("not yet")
	}
	p := &process{spec: s}
	begin := time.Now()
	if err := p.start(ctx); err == nil {
		t.Fatal("started")
	}
	if d := time.Since(begin); d > s.within/2 {
		t.Fatal("went on for", d)
	}
}
