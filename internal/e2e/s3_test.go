//go:build servers

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/fragtest"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// Not beside s3fragments: who imports that would have to find internal/servers too, which its go.mod would name.

const bucket = "fragments"

// s3Client returns a client of the server, which tries each request that often, without pauses.
func s3Client(v *servers.Versity, transport http.RoundTripper, attempts int) *s3.Client {
	endpoint := v.Endpoint()
	return s3.New(s3.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		UsePathStyle: true,
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: v.Key(), SecretAccessKey: v.Secret()}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
		}),
	})
}

// corrupt is a network that changes texts on their way.
type corrupt struct{}

func (corrupt) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		r = r.Clone(r.Context())
		r.Body = spoilt{r.Body}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && !r.URL.Query().Has("list-type") {
		resp.Body = spoilt{resp.Body}
	}
	return resp, err
}

// spoilt is a body in which an i became an o.
type spoilt struct{ io.ReadCloser }

func (s spoilt) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	copy(p[:n], bytes.ReplaceAll(p[:n], []byte("i"), []byte("o")))
	return n, err
}

// TestFragmentsInS3 runs the suite of fragment stores, a network that changes what it carries, and a crash against a
// server that checks signatures and checksums.
func TestFragmentsInS3(t *testing.T) {
	v := servers.StartVersity(t)
	client := s3Client(v, http.DefaultTransport, 3)
	name := bucket
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	var places atomic.Int64
	fragtest.RunDurable(t, func(*testing.T) func() dsql.DurableStore {
		prefix := fmt.Sprint("place-", places.Add(1))
		return func() dsql.DurableStore { return &s3fragments.Store{Client: client, Bucket: bucket, Prefix: prefix} }
	})

	store := &s3fragments.Store{Client: client, Bucket: bucket, Prefix: "state"}
	put := func(id string, index int, text string) error {
		return store.Put(t.Context(), id, index, envelope.Value(`"`+text+`"`))
	}
	transient := func(err error) {
		t.Helper()
		if err == nil || errors.Is(err, dsql.ErrConflict) || errors.Is(err, dsql.ErrIncomplete) || envelope.IsPermanent(err) {
			t.Errorf("got %v, want an error of the store", err)
		} else if strings.Contains(err.Error(), "private") {
			t.Errorf("an error with row data: %v", err)
		}
	}
	joins := func(id, want string, total int) {
		t.Helper()
		if got, err := store.Join(t.Context(), nil, id, total); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}

	// The server verifies what it gets, and the client what it gets.
	if err := errors.Join(put("intact", 0, "private "), put("intact", 1, "text")); err != nil {
		t.Fatal(err)
	}
	store.Client = s3Client(v, corrupt{}, 1)
	got, err := store.Join(t.Context(), []byte("dst"), "intact", 2)
	transient(err)
	if string(got) != "dst" {
		t.Errorf("dst became %q", got)
	}
	transient(put("spoilt", 0, "private "))
	store.Client = client
	joins("intact", "private text", 2)
	if _, err := store.Join(t.Context(), nil, "spoilt", 1); !errors.Is(err, dsql.ErrIncomplete) {
		t.Error("a spoilt text was kept:", err)
	}

	// Put has returned: what the server has then outlives it.
	if err := put("image", 0, "before the crash, "); err != nil {
		t.Fatal(err)
	}
	v.Kill()
	transient(put("image", 1, "private"))
	v.Restart()
	if err := put("image", 1, "after it"); err != nil {
		t.Fatal(err)
	}
	joins("image", "before the crash, after it", 2)
}
