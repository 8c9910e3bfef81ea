// Package sandbox runs a Lambda function of the examples as Lambda does, for
// their tests: as a built program that gets its events from the Runtime API.
package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// How long each step may take: far more than it needs, so that only a hang
// reaches it.
const (
	buildTime  = 5 * time.Minute
	invokeTime = 30 * time.Second
	stopTime   = 10 * time.Second
)

// MaxPayload is the size in bytes up to which Lambda takes an event and a
// response.
const MaxPayload = 6_291_556

// A Sandbox serves the Runtime API, one invocation after the other. It is used
// by the test's goroutine.
type Sandbox struct {
	t       *testing.T
	events  chan invocation
	results chan Result
	exited  chan struct{}
	output  output
	invoked int
}

// An invocation is an event on its way to the function.
type invocation struct {
	id    string
	event []byte
}

// A Result is what the function posts for an invocation.
type Result struct {
	Kind string // response or error
	Body []byte
	Took bool // the Runtime API accepted it
	id   string
}

// Start builds the function in the test's folder and starts it, with env added
// to the test's environment. The end of the test stops it.
func Start(t *testing.T, env ...string) *Sandbox {
	t.Helper()
	s := &Sandbox{t: t, events: make(chan invocation), results: make(chan Result, 1), exited: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", s.post)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	// The end of the test cancels its context, which kills the function: that is how Lambda ends one.
	cmd := exec.CommandContext(t.Context(), build(t))
	cmd.Env = append(append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String()), env...)
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	cmd.WaitDelay = stopTime
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.exited)
		_ = cmd.Wait() // killed, or the invocation that waits for it fails
	}()
	t.Cleanup(func() {
		select {
		case <-s.exited:
		case <-time.After(2 * stopTime):
			t.Error("the function does not stop")
		}
		if t.Failed() {
			t.Logf("the function's output:\n%s", s.output.String())
		}
	})
	return s
}

func build(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), buildTime)
	defer cancel()
	program := filepath.Join(t.TempDir(), "bootstrap.exe") // Windows asks for the suffix
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "lambda.norpc", "-o", program, ".")
	cmd.WaitDelay = stopTime
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// Invoke hands the function an event and waits for what it posts. If there is
// nothing, the test ends.
func (s *Sandbox) Invoke(event []byte) Result {
	s.t.Helper()
	if len(event) > MaxPayload {
		s.t.Fatalf("Lambda does not take an event of %d bytes", len(event))
	}
	deadline := time.After(invokeTime)
	s.invoked++
	id := fmt.Sprintf("request-%d", s.invoked)
	select {
	case s.events <- invocation{id, event}:
	case <-s.exited:
		s.t.Fatal("the function has exited")
	case <-deadline:
		s.t.Fatal("the function does not ask for an event")
	}
	select {
	case r := <-s.results:
		if r.id != id {
			s.t.Fatalf("answer to %s, want one to %s", r.id, id)
		}
		return r
	case <-s.exited:
		s.t.Fatal("the function has exited")
	case <-deadline:
		s.t.Fatal("the function does not answer")
	}
	return Result{}
}

func (s *Sandbox) next(w http.ResponseWriter, r *http.Request) {
	select {
	case in := <-s.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", in.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(invokeTime).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:sandbox")
		if _, err := w.Write(in.event); err != nil {
			s.t.Errorf("sending the event: %v", err)
		}
	case <-r.Context().Done():
	}
}

func (s *Sandbox) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("reading what the function posts: %v", err)
	}
	took := len(body) <= MaxPayload
	if took {
		w.WriteHeader(http.StatusAccepted)
	} else {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}
	select {
	case s.results <- Result{r.PathValue("kind"), body, took, r.PathValue("id")}:
	case <-r.Context().Done():
	}
}

// output is what the function prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
