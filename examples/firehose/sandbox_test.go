package main

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

// maxPayload is the size in bytes up to which Lambda takes an event and a
// response.
const maxPayload = 6_291_556

// A sandbox runs the built function as Lambda does: it serves the Runtime API,
// one invocation after the other.
type sandbox struct {
	t       *testing.T
	events  chan invocation
	results chan result
	exited  chan struct{}
	output  output
	invoked int
}

// An invocation is an event on its way to the function.
type invocation struct {
	id    string
	event []byte
}

// A result is what the function posts for an invocation.
type result struct {
	id   string
	kind string // response or error
	body []byte
	took bool // the Runtime API accepted it
}

// startSandbox builds the function and starts it. The end of the test stops it.
func startSandbox(t *testing.T) *sandbox {
	s := &sandbox{t: t, events: make(chan invocation), results: make(chan result, 1), exited: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", s.post)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	// The end of the test cancels its context, which kills the function: that is how Lambda ends one.
	cmd := exec.CommandContext(t.Context(), build(t))
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String(),
		"DESTINATION_DATABASE=", "UNAVAILABLE_PLACEHOLDER=", "LOG_LEVEL=")
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

// invoke hands the function an event and waits for what it posts.
func (s *sandbox) invoke(event []byte) result {
	s.t.Helper()
	if len(event) > maxPayload {
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
	return result{}
}

func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	select {
	case in := <-s.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", in.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(invokeTime).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:firehose")
		if _, err := w.Write(in.event); err != nil {
			s.t.Errorf("sending the event: %v", err)
		}
	case <-r.Context().Done():
	}
}

func (s *sandbox) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("reading what the function posts: %v", err)
	}
	took := len(body) <= maxPayload
	if took {
		w.WriteHeader(http.StatusAccepted)
	} else {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}
	select {
	case s.results <- result{r.PathValue("id"), r.PathValue("kind"), body, took}:
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
