package s3fragments_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
	"github.com/rowdelta/rowdelta/envelope"
)

// numbers returns the texts of an image of n fragments.
func numbers(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint("private ", i, ", ")
	}
	return texts
}

// TestMissingCostsNoDownload: a main record that waits for fragments is asked
// for again and again.
func TestMissingCostsNoDownload(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", "private ", "text")
	b.network.sent()
	// The total is a number in somebody's record: no memory is taken for it.
	for _, total := range []int{3, 1 << 20, math.MaxInt} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := joinFails(t, t.Context(), store, "image", total); !errors.Is(err, dsql.ErrIncomplete) {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("%d fragments announced: %d bytes allocated", total, n)
		}
		b.network.mustSend(t, "LIST 1")
	}
	mustJoin(t, store, "image", "private ", "text")
	b.network.mustSend(t, "LIST 1, GET 2")
}

// TestJoinLimits refuses what is too large before it takes memory for it.
func TestJoinLimits(t *testing.T) {
	b := newBucket(t)
	mustPut(t, b.store(), "image", "0123456789", "01234", "0123456789")
	b.network.sent()
	for _, c := range []struct {
		fragment, image int
		refused         bool
	}{
		{10, 25, false}, {10, 0, false}, {0, 25, false},
		{9, 0, true}, {0, 24, true}, {1, 1, true},
	} {
		store := b.store()
		store.FragmentBytes, store.ImageBytes = c.fragment, c.image
		if !c.refused {
			mustJoin(t, store, "image", "0123456789", "01234", "0123456789")
			b.network.mustSend(t, "LIST 1, GET 3")
			continue
		}
		err := joinFails(t, t.Context(), store, "image", 3)
		if !errors.Is(err, envelope.ErrLimit) || !envelope.IsPermanent(err) || errors.Is(err, dsql.ErrIncomplete) {
			t.Errorf("%+v: %v", c, err)
		}
		b.network.mustSend(t, "LIST 1")
	}
}

// listing answers a LIST with n objects of that size.
func listing(r *http.Request, n int, size int64) *http.Response {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<Contents><Key>state/fragments/image/%d</Key><Size>%d</Size></Contents>", i, size)
	}
	return document(r, 200, "<ListBucketResult><IsTruncated>false</IsTruncated>"+b.String()+"</ListBucketResult>")
}

func TestJoinDefaults(t *testing.T) {
	if s3fragments.DefaultImageBytes < dsql.DefaultImageBytes {
		t.Error("an image that a Reassembler takes does not fit")
	}
	const mib = 1 << 20
	for _, c := range []struct {
		n       int
		size    int64
		refused bool
	}{
		{1, s3fragments.DefaultFragmentBytes, false}, {1, s3fragments.DefaultFragmentBytes + 1, true}, {1, math.MaxInt64, true},
		{17, 16 * mib, true}, {1, -1, true},
	} {
		b := newBucket(t)
		b.network.before = func(r *http.Request, kind string, _ int) (*http.Response, error) {
			if kind == "LIST" {
				return listing(r, c.n, c.size), nil
			}
			return answer(r, 403, "AccessDenied"), nil
		}
		err := joinFails(t, t.Context(), b.store(), "image", c.n)
		if refused := errors.Is(err, envelope.ErrLimit); refused != c.refused {
			t.Errorf("%d objects of %d bytes: refused %v, %v", c.n, c.size, refused, err)
		}
	}
}

// TestListingWithoutSizes is a server that speaks another protocol.
func TestListingWithoutSizes(t *testing.T) {
	for _, object := range []string{"<Key>state/fragments/image/0</Key>", "<Size>1</Size>", ""} {
		b := newBucket(t)
		b.network.before = func(r *http.Request, _ string, _ int) (*http.Response, error) {
			return document(r, 200, "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>"+object+"</Contents></ListBucketResult>"), nil
		}
		mustBeTransient(t, joinFails(t, t.Context(), b.store(), "image", 1))
		mustBeTransient(t, joinFails(t, t.Context(), b.store(), "other", 1))
	}
}

// TestDownloads has bodies that are not what was listed.
func TestDownloads(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"breaks off":   func() io.Reader { return io.MultiReader(strings.NewReader("private "), broke{}) },
		"is shorter":   func() io.Reader { return strings.NewReader("private ") },
		"is empty":     func() io.Reader { return strings.NewReader("") },
		"is longer":    func() io.Reader { return strings.NewReader("private text.") },
		"fails at end": func() io.Reader { return io.MultiReader(strings.NewReader("private text"), broke{}) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t)
			store := b.store()
			mustPut(t, store, "image", "private text", "private text")
			b.network.after = func(r *http.Request, kind string, n int) (*http.Response, error) {
				if kind != "GET" || n != 2 {
					return nil, nil
				}
				out := document(r, 200, "")
				out.Body, out.ContentLength = io.NopCloser(body()), -1
				return out, nil
			}
			mustBeTransient(t, joinFails(t, t.Context(), store, "image", 2))
			mustJoin(t, store, "image", "private text", "private text")
		})
	}
}

// TestFailureEndsJoin: what cannot be whole is not downloaded to its end.
func TestFailureEndsJoin(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", numbers(60)...)
	b.network.sent()
	b.network.before = func(r *http.Request, kind string, n int) (*http.Response, error) {
		if kind == "GET" && n == 1 {
			return answer(r, 403, "AccessDenied"), nil
		}
		return nil, nil
	}
	mustBeTransient(t, joinFails(t, t.Context(), store, "image", 60))
	if sent := b.network.sent(); sent == "LIST 1, GET 60" {
		t.Error("sent", sent)
	}
}

// TestForgottenWhileJoined has an object go away after it was listed.
func TestForgottenWhileJoined(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", numbers(9)...)
	b.network.before = func(_ *http.Request, kind string, n int) (*http.Response, error) {
		if kind == "GET" && n == 5 {
			return nil, store.Forget(context.WithoutCancel(t.Context()), "image")
		}
		return nil, nil
	}
	if err := joinFails(t, t.Context(), store, "image", 9); !errors.Is(err, dsql.ErrIncomplete) {
		t.Error(err)
	}
}

// TestConcurrency holds downloads up until as many wait as may.
func TestConcurrency(t *testing.T) {
	for _, c := range []struct{ set, want, total int }{
		{0, s3fragments.DefaultConcurrency, 12}, {1, 1, 5}, {3, 3, 12}, {-1, s3fragments.DefaultConcurrency, 12}, {64, 5, 5},
	} {
		b := newBucket(t)
		store := b.store()
		store.Concurrency = c.set
		mustPut(t, store, "image", numbers(c.total)...)
		var mu sync.Mutex
		var waiting, most int
		full := make(chan struct{})
		open := sync.OnceFunc(func() { close(full) })
		b.network.before = func(_ *http.Request, kind string, _ int) (*http.Response, error) {
			if kind != "GET" {
				return nil, nil
			}
			mu.Lock()
			waiting++
			if most = max(most, waiting); most >= c.want {
				open()
			}
			mu.Unlock()
			select {
			case <-full:
				time.Sleep(time.Millisecond) // for one too many to show
			case <-time.After(5 * time.Second):
				open()
			}
			mu.Lock()
			waiting--
			mu.Unlock()
			return nil, nil
		}
		mustJoin(t, store, "image", numbers(c.total)...)
		if most != c.want {
			t.Errorf("%+v: %d downloads at a time", c, most)
		}
	}
}

// TestCancelledWhileJoined ends the context while others download: Join returns
// when nobody writes to dst any more.
func TestCancelledWhileJoined(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", numbers(40)...)
	ctx, cancel := context.WithCancelCause(t.Context())
	b.network.before = func(_ *http.Request, kind string, n int) (*http.Response, error) {
		if kind == "GET" && n == 6 {
			cancel(errors.New("the consumer stops"))
		}
		return nil, nil
	}
	dst := make([]byte, 4, 4096)
	got, err := store.Join(ctx, dst, "image", 40)
	clear(dst[:cap(dst)]) // a race if anybody still writes
	if !errors.Is(err, context.Canceled) || len(got) != 4 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	mustBeTransient(t, err)
	if n := b.network.sent(); strings.HasSuffix(n, "GET 40") {
		t.Error("it went on:", n)
	}
	mustJoin(t, store, "image", numbers(40)...)
}

// TestStrangers has objects beside the fragments that are none.
func TestStrangers(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	for _, name := range []string{"00", "+0", "-0", " 0", "0 ", "0x0", "0.0", "0/0", "", "readme", "99999999999999999999"} {
		b.object(t, "state/fragments/image/"+name, "a stranger")
	}
	if err := joinFails(t, t.Context(), store, "image", 1); !errors.Is(err, dsql.ErrIncomplete) {
		t.Error(err)
	}
	mustPut(t, store, "image", "private ", "text")
	mustJoin(t, store, "image", "private ", "text")
	// The folder is the store's own.
	if err := store.Forget(t.Context(), "image"); err != nil {
		t.Fatal(err)
	}
	if keys := b.keys(t); len(keys) > 0 {
		t.Error("left", keys)
	}
}
