package s3fragments_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
	"github.com/rowdelta/rowdelta/envelope"
)

// bucketName is the bucket that the tests' servers have.
const bucketName = "fragments"

// A network is a client's transport, which can lose requests and answers.
type network struct {
	base http.RoundTripper
	// before may answer in the server's place, after may answer instead of it.
	// Both get the kind of the request and its number, from 1, among those of its
	// kind; nil, nil leaves things as they are.
	before, after func(r *http.Request, kind string, n int) (*http.Response, error)

	mu     sync.Mutex
	counts map[string]int
}

// kind names the request: PUT, HEAD, GET, LIST or DELETE.
func kind(r *http.Request) string {
	switch {
	case r.URL.Query().Has("list-type"):
		return "LIST"
	case r.URL.Query().Has("delete"):
		return "DELETE"
	}
	return r.Method
}

func (w *network) RoundTrip(r *http.Request) (*http.Response, error) {
	k := kind(r)
	w.mu.Lock()
	w.counts[k]++
	n := w.counts[k]
	w.mu.Unlock()
	if w.before != nil {
		if answer, err := w.before(r, k, n); answer != nil || err != nil {
			return answer, err
		}
	}
	got, err := w.base.RoundTrip(r)
	if err == nil && w.after != nil {
		if answer, err := w.after(r, k, n); answer != nil || err != nil {
			got.Body.Close()
			return answer, err
		}
	}
	return got, err
}

// sent returns how many requests of which kinds there were since the last time,
// as "PUT 1, HEAD 2".
func (w *network) sent() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, k := range []string{"PUT", "HEAD", "LIST", "GET", "DELETE"} {
		if n := w.counts[k]; n > 0 {
			out = append(out, fmt.Sprint(k, " ", n))
		}
	}
	clear(w.counts)
	return strings.Join(out, ", ")
}

// mustSend compares with sent.
func (w *network) mustSend(t *testing.T, want string) {
	t.Helper()
	if got := w.sent(); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// newClient returns a client of a server, which tries each request that often,
// without pauses.
func newClient(endpoint, key, secret string, transport http.RoundTripper, attempts int) *s3.Client {
	return s3.New(s3.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		UsePathStyle: true,
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
		}),
	})
}

// A bucket is an S3 server in this process with an empty bucket, a client of it
// and the network between them.
type bucket struct {
	endpoint string
	backend  *s3mem.Backend
	network  *network
	client   *s3.Client
}

func newBucket(tb testing.TB) bucket {
	tb.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucketName); err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	tb.Cleanup(server.Close)
	w := &network{base: server.Client().Transport, counts: map[string]int{}}
	return bucket{server.URL, backend, w, newClient(server.URL, "key", "secret", w, 3)}
}

// store returns a store in the bucket.
func (b bucket) store() *s3fragments.Store {
	return &s3fragments.Store{Client: b.client, Bucket: bucketName, Prefix: "state/fragments"}
}

// object puts an object past all stores.
func (b bucket) object(t *testing.T, key, text string) {
	t.Helper()
	if _, err := b.backend.PutObject(bucketName, key, map[string]string{}, strings.NewReader(text), int64(len(text)), nil); err != nil {
		t.Fatal(err)
	}
}

// keys returns the names of all objects in the bucket.
func (b bucket) keys(t *testing.T) (keys []string) {
	t.Helper()
	list, err := b.backend.ListBucket(bucketName, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}

// answer is what S3 says when something is wrong.
func answer(r *http.Request, status int, code string) *http.Response {
	body := "<Error><Code>" + code + "</Code><Message>as if</Message></Error>"
	if r.Method == http.MethodHead {
		body = ""
	}
	return document(r, status, body)
}

func document(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// quote writes a text without special characters as JSON.
func quote(text string) envelope.Value { return envelope.Value(`"` + text + `"`) }

// mustPut puts the texts as the fragments of an image.
func mustPut(t *testing.T, store *s3fragments.Store, id string, texts ...string) {
	t.Helper()
	for i, text := range texts {
		if err := store.Put(t.Context(), id, i, quote(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// mustJoin compares an image with the texts.
func mustJoin(t *testing.T, store *s3fragments.Store, id string, texts ...string) {
	t.Helper()
	got, err := store.Join(t.Context(), []byte("dst "), id, len(texts))
	if err != nil || string(got) != "dst "+strings.Join(texts, "") {
		t.Fatalf("Join: %q, %v", got, err)
	}
}

// joinFails joins an image and returns the error. dst must be what it was.
func joinFails(t *testing.T, ctx context.Context, store *s3fragments.Store, id string, total int) error {
	t.Helper()
	got, err := store.Join(ctx, []byte("dst "), id, total)
	if err == nil || string(got) != "dst " {
		t.Errorf("Join: %q, %v; want dst and an error", got, err)
	}
	return err
}

// mustBeTransient fails unless err is one after which the same call may be tried
// again.
func mustBeTransient(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, dsql.ErrConflict) || errors.Is(err, dsql.ErrIncomplete) || envelope.IsPermanent(err) {
		t.Errorf("got %v, want an error of the store", err)
	} else if strings.Contains(err.Error(), "private") {
		t.Errorf("an error with row data: %v", err)
	}
}
