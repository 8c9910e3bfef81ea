package s3fragments_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/rowdelta/rowdelta/dsql"
)

var errReset = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

// broke is a body that breaks off.
type broke struct{}

func (broke) Read([]byte) (int, error) { return 0, errReset }

// timeout is the error of a request that was sent and not answered in time.
type timeout struct{}

func (timeout) Error() string   { return "timeout awaiting response headers" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// faults are what a client tries again after.
var faults = map[string]func(r *http.Request) (*http.Response, error){
	"500":     func(r *http.Request) (*http.Response, error) { return answer(r, 500, "InternalError"), nil },
	"503":     func(r *http.Request) (*http.Response, error) { return answer(r, 503, "SlowDown"), nil },
	"reset":   func(*http.Request) (*http.Response, error) { return nil, errReset },
	"timeout": func(*http.Request) (*http.Response, error) { return nil, timeout{} },
}

// TestRetries loses the first two attempts of each request, on their way to the
// server or on their way back, when the server has done what it was asked for.
func TestRetries(t *testing.T) {
	for name, fault := range faults {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/done=%v", name, done), func(t *testing.T) {
				b := newBucket(t)
				store := b.store()
				lose := func(r *http.Request, _ string, n int) (*http.Response, error) {
					if n > 2 {
						return nil, nil
					}
					return fault(r)
				}
				put := "PUT 3"
				if b.network.before = lose; done {
					// The second attempt meets what the first one did. Its answer is lost too.
					b.network.before, b.network.after, put = nil, lose, "PUT 3, HEAD 3"
				}
				mustPut(t, store, "image", "private")
				b.network.mustSend(t, put)
				mustJoin(t, store, "image", "private")
				b.network.mustSend(t, "LIST 3, GET 3")
				if err := store.Forget(t.Context(), "image"); err != nil {
					t.Fatal(err)
				}
				b.network.mustSend(t, "LIST 3, DELETE 3")
				if keys := b.keys(t); len(keys) > 0 {
					t.Error("left", keys)
				}
			})
		}
	}
}

// TestLostAnswer is a Put that was done and reported a failure: the same call
// again is a success, and another text a conflict.
func TestLostAnswer(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t)
			store := b.store()
			store.Client = newClient(b.endpoint, "key", "secret", b.network, 1)
			b.network.after = func(r *http.Request, kind string, n int) (*http.Response, error) {
				if n > 1 {
					return nil, nil
				}
				return fault(r)
			}
			mustBeTransient(t, store.Put(t.Context(), "image", 0, quote("private")))
			b.network.after = nil
			mustPut(t, store, "image", "private")
			b.network.mustSend(t, "PUT 2, HEAD 1")
			if err := store.Put(t.Context(), "image", 0, quote("PRIVATE")); !errors.Is(err, dsql.ErrConflict) {
				t.Error("another text:", err)
			}
		})
	}
}

// TestFailures has one kind of request fail for good. Whatever needs it fails
// with the cause, and works when the server does.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
	}{{500, "InternalError"}, {503, "SlowDown"}, {403, "AccessDenied"}, {409, "ConditionalRequestConflict"}, {404, "NoSuchBucket"}, {301, "PermanentRedirect"}} {
		for _, failing := range []string{"PUT", "HEAD", "LIST", "GET", "DELETE"} {
			t.Run(c.code+"/"+failing, func(t *testing.T) {
				b := newBucket(t)
				store := b.store()
				mustPut(t, store, "image", "private ", "text")
				down := true
				b.network.before = func(r *http.Request, kind string, _ int) (*http.Response, error) {
					if down && kind == failing {
						return answer(r, c.status, c.code), nil
					}
					return nil, nil
				}
				calls := map[string]func() error{
					"PUT":    func() error { return store.Put(t.Context(), "image", 2, quote(" and more")) },
					"HEAD":   func() error { return store.Put(t.Context(), "image", 0, quote("private ")) },
					"LIST":   func() error { return joinFails(t, t.Context(), store, "image", 2) },
					"GET":    func() error { return joinFails(t, t.Context(), store, "image", 2) },
					"DELETE": func() error { return store.Forget(t.Context(), "image") },
				}
				err := calls[failing]()
				mustBeTransient(t, err)
				if cause, ok := errors.AsType[smithy.APIError](err); !ok || failing != "HEAD" && cause.ErrorCode() != c.code {
					t.Errorf("without its cause: %v", err)
				}
				if failing == "LIST" {
					mustBeTransient(t, store.Forget(t.Context(), "image"))
				}
				down = false
				mustPut(t, store, "image", "private ", "text", " and more")
				mustJoin(t, store, "image", "private ", "text", " and more")
				if err := store.Forget(t.Context(), "image"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestUnreachable has no server at all.
func TestUnreachable(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	b.network.before = func(*http.Request, string, int) (*http.Response, error) { return nil, errReset }
	for call, err := range map[string]error{
		"Put":    store.Put(t.Context(), "image", 0, quote("private")),
		"Join":   joinFails(t, t.Context(), store, "image", 1),
		"Forget": store.Forget(t.Context(), "image"),
	} {
		mustBeTransient(t, err)
		if !errors.Is(err, errReset) {
			t.Errorf("%s without its cause: %v", call, err)
		}
	}
	store.Bucket = "no-such-bucket"
	b.network.before = nil
	for _, err := range []error{
		store.Put(t.Context(), "image", 0, quote("private")), joinFails(t, t.Context(), store, "image", 1), store.Forget(t.Context(), "image"),
	} {
		mustBeTransient(t, err)
	}
}
