package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// answer plays a pipe's program. It echoes a line and ends the answer with its process id, or does what the line says.
func answer() int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "die":
			fmt.Println("half")
			fmt.Fprintln(os.Stderr, "helper lacks memory")
			return 3
		case "hang":
			fmt.Println("half")
			time.Sleep(time.Hour)
		case "lines":
			for i := range 10000 {
				fmt.Println(i)
			}
			fallthrough
		default:
			fmt.Println(in.Text())
			fmt.Println(os.Getpid())
		}
	}
	return 0
}

func newPipe(t *testing.T) *pipe {
	t.Setenv(helperKey, "pipe")
	return &pipe{name: "helper", path: os.Args[0]}
}

// speak sends a line and returns what comes before the line end of the answer, which is "helper plays pipe" first.
func speak(ctx context.Context, p *pipe, request string) (lines []string, pid string, err error) {
	err = p.ask(ctx, request, func(b []byte) (bool, error) {
		text := strings.TrimSuffix(string(b), "\n")
		switch {
		case strings.HasPrefix(text, "helper plays"):
			return true, nil
		case len(lines) > 0 && lines[len(lines)-1] == request:
			pid = text
			return false, nil
		case text == "bad":
			return false, errors.New("a bad line")
		}
		lines = append(lines, text)
		return true, nil
	})
	return lines, pid, err
}

func TestPipe(t *testing.T) {
	p := newPipe(t)
	_, first, err := speak(t.Context(), p, "one")
	if err != nil {
		t.Fatal(err)
	}
	same := func(request string) {
		t.Helper()
		if _, pid, err := speak(t.Context(), p, request); err != nil || pid != first {
			t.Errorf("%s: process %s, %v; want process %s", request, pid, err, first)
		}
	}
	same("two")
	lines, pid, err := speak(t.Context(), p, "lines")
	if err != nil || len(lines) != 10001 || pid != first {
		t.Errorf("%d lines of process %s, %v", len(lines), pid, err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			request := fmt.Sprint("request ", i)
			if lines, _, err := speak(t.Context(), p, request); err != nil || len(lines) != 1 || lines[0] != request {
				t.Errorf("%s: %q, %v", request, lines, err)
			}
		})
	}
	wg.Wait()
	same("three")

	late, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, c := range []struct {
		request string
		ctx     context.Context
		want    string
	}{
		{"die", t.Context(), "exit status 3\nhelper lacks memory"},
		{"bad", t.Context(), "a bad line"},
		{"hang", late, context.DeadlineExceeded.Error()},
	} {
		if _, _, err := speak(c.ctx, p, c.request); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.request, err, c.want)
		}
		_, next, err := speak(t.Context(), p, "next")
		if err != nil || next == first {
			t.Errorf("after %s: process %s, %v; want another one", c.request, next, err)
		}
		first = next
		same("and again")
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := speak(ended, p, "any"); !errors.Is(err, context.Canceled) {
		t.Errorf("for a test that has ended: %v", err)
	}
	same("four")

	absent := &pipe{name: "absent", path: "/does/not/exist"}
	if _, _, err := speak(t.Context(), absent, "one"); err == nil || !strings.Contains(err.Error(), "start absent") {
		t.Error("a program that is not there:", err)
	}
}

func TestEndingIsBounded(t *testing.T) {
	var e ending
	for i := range 100000 {
		if n, err := fmt.Fprintln(&e, "line", i); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	if len(e.b) > 4*tailBytes {
		t.Errorf("%d bytes are kept", len(e.b))
	}
	got := e.String()
	if !strings.HasPrefix(got, "line ") || !strings.HasSuffix(got, "line 99998\nline 99999\n") || len(got) < tailBytes/2 {
		t.Errorf("%d bytes are left: %.50q…", len(got), got)
	}
}
