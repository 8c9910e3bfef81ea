package s3fragments_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// TestPages has a server whose listings hold three objects.
func TestPages(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	b.network.before = func(r *http.Request, kind string, _ int) (*http.Response, error) {
		if kind == "LIST" {
			q := r.URL.Query()
			q.Set("max-keys", "3")
			r.URL.RawQuery = q.Encode()
		}
		return nil, nil
	}
	ids := []string{"a", "a1", "b", "c"}
	for _, id := range ids {
		mustPut(t, store, id, numbers(11)...)
	}
	b.network.sent()
	mustJoin(t, store, "a1", numbers(11)...)
	b.network.mustSend(t, "LIST 4, GET 11")
	mustJoin(t, store, "a1", numbers(2)...)
	b.network.mustSend(t, "LIST 1, GET 2") // 0, 1 and 10: no need for more
	mustJoin(t, store, "a1", numbers(3)...)
	b.network.mustSend(t, "LIST 2, GET 3") // 10 is none of the three
	if err := store.Forget(t.Context(), "a1"); err != nil {
		t.Fatal(err)
	}
	if sent := b.network.sent(); !strings.HasSuffix(sent, "DELETE 4") {
		t.Error("sent", sent)
	}
	for _, id := range ids {
		if id != "a1" {
			mustJoin(t, store, id, numbers(11)...)
		} else if err := joinFails(t, t.Context(), store, id, 1); err == nil {
			t.Error("not forgotten")
		}
	}
}

// TestThousands has more objects in an image than a listing or a bulk delete
// takes.
func TestThousands(t *testing.T) {
	const n = 2100
	b := newBucket(t)
	store := b.store()
	texts := numbers(n)
	for i, text := range texts {
		b.object(t, fmt.Sprint("state/fragments/image/", i), text)
	}
	mustPut(t, store, "image-", "private")
	b.network.sent()
	mustJoin(t, store, "image", texts...)
	b.network.mustSend(t, fmt.Sprint("LIST 3, GET ", n))
	if err := store.Forget(t.Context(), "image"); err != nil {
		t.Fatal(err)
	}
	b.network.mustSend(t, "LIST 3, DELETE 3")
	if keys := b.keys(t); !slices.Equal(keys, []string{"state/fragments/image-/0"}) {
		t.Errorf("left %d, such as %q", len(keys), keys[:min(3, len(keys))])
	}
}

// TestDeletedInPart has a bulk delete succeed though one of its objects stays.
func TestDeletedInPart(t *testing.T) {
	b := newBucket(t)
	store := b.store()
	mustPut(t, store, "image", "private ", "text")
	b.network.before = func(r *http.Request, kind string, n int) (*http.Response, error) {
		if kind == "DELETE" && n == 1 {
			return document(r, 200, "<DeleteResult><Error><Key>state/fragments/image/1</Key><Code>AccessDenied</Code><Message>held</Message></Error></DeleteResult>"), nil
		}
		return nil, nil
	}
	err := store.Forget(t.Context(), "image")
	mustBeTransient(t, err)
	if cause, ok := errors.AsType[smithy.APIError](err); !ok || cause.ErrorCode() != "AccessDenied" || !strings.Contains(err.Error(), "1 of 2 objects") {
		t.Error("without its cause:", err)
	}
	if err := store.Forget(t.Context(), "image"); err != nil {
		t.Fatal(err)
	}
	if keys := b.keys(t); len(keys) > 0 {
		t.Error("left", keys)
	}
	b.network.sent()
	if err := store.Forget(t.Context(), "image"); err != nil {
		t.Fatal(err)
	}
	b.network.mustSend(t, "LIST 1")
}
