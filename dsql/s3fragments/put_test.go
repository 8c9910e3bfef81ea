package s3fragments_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// TestObject is what the package comment promises of an object.
func TestObject(t *testing.T) {
	b := newBucket(t)
	sum := sha256.Sum256([]byte("private é\n"))
	b.network.before = func(r *http.Request, kind string, _ int) (*http.Response, error) {
		if kind == "PUT" {
			for name, want := range map[string]string{
				"If-None-Match":              "*",
				"X-Amz-Checksum-Sha256":      base64.StdEncoding.EncodeToString(sum[:]),
				"X-Amz-Meta-Rowdelta-Sha256": hex.EncodeToString(sum[:]),
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		}
		return nil, nil
	}
	if err := b.store().Put(t.Context(), "a/b", 12, envelope.Value(`"private \u00e9\n"`)); err != nil {
		t.Fatal(err)
	}
	b.network.mustSend(t, "PUT 1")
	out, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new(bucketName), Key: new("state/fragments/a_2fb/12")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil || string(text) != "private é\n" || out.Metadata["rowdelta-sha256"] != hex.EncodeToString(sum[:]) {
		t.Errorf("got %q, metadata %v, %v", text, out.Metadata, err)
	}
}

func TestRepeatCostsNoDownload(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", "private")
	b.network.mustSend(t, "PUT 1")
	mustPut(t, store, "image", "private")
	b.network.mustSend(t, "PUT 1, HEAD 1")
	for _, other := range []string{"PRIVATE", "private too"} {
		if err := store.Put(t.Context(), "image", 0, quote(other)); !errors.Is(err, dsql.ErrConflict) {
			t.Error(other, err)
		}
		b.network.mustSend(t, "PUT 1, HEAD 1")
	}
}

// TestObjectWithoutDigest puts what a copy between buckets left.
func TestObjectWithoutDigest(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	b.object(t, "state/fragments/image/0", "private")
	for _, c := range []struct {
		text string
		want error
		sent string
	}{
		{"private", nil, "PUT 1, HEAD 1, GET 1"},
		{"PRIVATE", dsql.ErrConflict, "PUT 1, HEAD 1, GET 1"},
		{"private too", dsql.ErrConflict, "PUT 1, HEAD 1"},
	} {
		if err := store.Put(t.Context(), "image", 0, quote(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.text, err, c.want)
		}
		b.network.mustSend(t, c.sent)
	}
	b.network.after = func(r *http.Request, kind string, n int) (*http.Response, error) {
		if kind != "GET" {
			return nil, nil
		}
		broken := document(r, 200, "")
		broken.Body = io.NopCloser(io.MultiReader(strings.NewReader("priv"), broke{}))
		return broken, nil
	}
	err := store.Put(t.Context(), "image", 0, quote("private"))
	mustBeTransient(t, err)
	if !errors.Is(err, errReset) {
		t.Error("without its cause:", err)
	}
}

func TestFragmentLimit(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	store.FragmentBytes = 10
	for _, data := range []string{`"0123456789"`, `"\u00e9\u00e9\u00e9\u00e9\u00e9"`} {
		if err := store.Put(t.Context(), data, 0, envelope.Value(data)); err != nil {
			t.Error(data, err)
		}
	}
	b.network.mustSend(t, "PUT 2")
	err := store.Put(t.Context(), "image", 0, quote("private 901"))
	if !errors.Is(err, envelope.ErrLimit) || !envelope.IsPermanent(err) || strings.Contains(err.Error(), "private") {
		t.Error("too large:", err)
	}
	b.network.mustSend(t, "")
	if err := joinFails(t, t.Context(), store, "image", 1); !errors.Is(err, dsql.ErrIncomplete) {
		t.Error("it was put:", err)
	}
}

// TestForgottenWhilePut has an object go away between the PUT that met it and
// the comparison: whether it was the same nobody knows.
func TestForgottenWhilePut(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", "private")
	b.network.before = func(_ *http.Request, kind string, _ int) (*http.Response, error) {
		if kind == "HEAD" {
			return nil, store.Forget(context.WithoutCancel(t.Context()), "image")
		}
		return nil, nil
	}
	mustBeTransient(t, store.Put(t.Context(), "image", 0, quote("PRIVATE")))
	if err := store.Put(t.Context(), "image", 0, quote("PRIVATE")); err != nil {
		t.Error("the same again:", err)
	}
	mustJoin(t, store, "image", "PRIVATE")
}
