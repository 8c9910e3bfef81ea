package dsql

import (
	"context"

	"github.com/rowdelta/rowdelta/envelope"
)

// A FragmentStore keeps the fragments of split images until they are joined and
// forgotten. It is safe for concurrent use and must not retain its arguments'
// memory. [Memory] is the one for a single process; module dsql/s3fragments
// keeps fragments in S3. Package fragtest is its conformance suite.
//
// Errors that say something of the fragments wrap [ErrConflict] or
// [ErrIncomplete], or are permanent ([envelope.IsPermanent]), as when an image is
// larger than the store takes. Others are taken for failures of the store, after
// which the same call may be tried again.
type FragmentStore interface {
	// Put keeps a copy of one fragment. data is the fragment's data as the
	// record spells it, a JSON string; its AppendText gives the text to keep.
	// Putting a fragment again changes nothing. If the store has the fragment
	// with other text, it keeps the first and returns an error that wraps
	// ErrConflict.
	Put(ctx context.Context, chunkID string, index int, data envelope.Value) error

	// Join appends the text of the fragments 0 to total-1 of an image to dst, in
	// order. It forgets nothing: it may be called again. If one of them is
	// missing, it returns dst as it was and an error that wraps ErrIncomplete.
	Join(ctx context.Context, dst []byte, chunkID string, total int) ([]byte, error)

	// Forget drops all fragments of an image. Forgetting what is not there is no
	// error.
	Forget(ctx context.Context, chunkID string) error
}

// A DurableStore is a FragmentStore whose fragments outlive the process, and
// that several processes may share. Once Put has returned, a consumer may
// checkpoint past the fragment.
type DurableStore interface {
	FragmentStore
	Durable() bool // whether it does
}
