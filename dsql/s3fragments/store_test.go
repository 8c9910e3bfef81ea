package s3fragments_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/fragtest"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
)

// conform runs the conformance suite in a bucket.
func conform(t *testing.T, client *s3.Client) {
	var places atomic.Int64
	fragtest.RunDurable(t, func(*testing.T) func() dsql.DurableStore {
		n := places.Add(1)
		prefix := fmt.Sprint("place-", n) + []string{"", "/"}[n%2]
		return func() dsql.DurableStore {
			return &s3fragments.Store{Client: client, Bucket: bucketName, Prefix: prefix}
		}
	})
}

func TestStore(t *testing.T) { conform(t, newBucket(t).client) }

// TestPrefix has stores at places whose names begin alike.
func TestPrefix(t *testing.T) {
	b := newBucket(t)
	prefixes := []string{"", "a", "ab", "a/b", "ab/"}
	at := func(prefix string) *s3fragments.Store {
		return &s3fragments.Store{Client: b.client, Bucket: bucketName, Prefix: prefix}
	}
	for _, prefix := range prefixes[:4] {
		mustPut(t, at(prefix), "b", "private ", prefix)
	}
	for _, prefix := range prefixes[:4] {
		mustJoin(t, at(prefix), "b", "private ", prefix)
	}
	mustJoin(t, at("ab/"), "b", "private ", "ab")
	if err := at("").Forget(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range prefixes[1:4] {
		mustJoin(t, at(prefix), "b", "private ", prefix)
	}
}
