package s3fragments

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
)

// Defaults of a [Store].
const (
	// DefaultFragmentBytes is more than a record of a Kinesis stream can hold.
	DefaultFragmentBytes = 16 << 20
	// DefaultImageBytes is as much as a dsql.Decoder takes as one record.
	DefaultImageBytes = 256 << 20
	// DefaultConcurrency of downloads fills a link without filling a bucket's
	// request rate.
	DefaultConcurrency = 4
)

// API is what a Store needs of an S3 client; [*s3.Client] is one. A wrapper can
// add what a bucket's policy asks for, such as a key for encryption or the
// expected owner. It is safe for concurrent use.
type API interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

// A Store is a [dsql.DurableStore] in an S3 bucket. Client and Bucket must be
// set; no field may change after the first call of a method. It keeps nothing in
// memory between calls and is safe for concurrent use.
//
// Errors about the fragments wrap [dsql.ErrConflict] or [dsql.ErrIncomplete]. A
// text beyond a limit is a permanent [*envelope.DecodeError] over
// [envelope.ErrLimit]. All other errors are those of the client, with the
// object's name: the client's own retries are over by then, and the same call
// may be tried again. That includes status 409, with which S3 answers to a Put
// that met another change of the same object, and downloads that broke off,
// neither of which the client retries. Errors name objects; they hold no text.
//
// [*envelope.DecodeError]: https://pkg.go.dev/github.com/rowdelta/rowdelta/envelope#DecodeError
// [envelope.ErrLimit]: https://pkg.go.dev/github.com/rowdelta/rowdelta/envelope#ErrLimit
type Store struct {
	Client API
	Bucket string
	// Prefix begins the names of all objects. A slash is added unless it is empty
	// or ends with one. Everything below it is the store's own.
	Prefix string

	FragmentBytes int // limit of one fragment's text; 0 means DefaultFragmentBytes
	ImageBytes    int // limit of one joined image; 0 means DefaultImageBytes
	Concurrency   int // downloads at a time in one call of Join; 0 means DefaultConcurrency
}

var (
	_ dsql.DurableStore = (*Store)(nil)
	_ API               = (*s3.Client)(nil)
)

// Durable returns true: once Put has returned, the fragment is in the bucket.
func (s *Store) Durable() bool { return true }

func (s *Store) fragmentBytes() int { return positive(s.FragmentBytes, DefaultFragmentBytes) }
func (s *Store) imageBytes() int    { return positive(s.ImageBytes, DefaultImageBytes) }
func (s *Store) concurrency() int   { return positive(s.Concurrency, DefaultConcurrency) }

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
