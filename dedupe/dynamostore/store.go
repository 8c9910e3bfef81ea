package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/rowdelta/rowdelta/dedupe"
)

// Defaults of a [Store].
const (
	// DefaultConcurrency of requests in one call stays below the ten idle
	// connections that the client keeps by default: more would open and close
	// one for each request.
	DefaultConcurrency = 8
	// DefaultAttempts without any progress take some ten seconds.
	DefaultAttempts = 10
)

var (
	// ErrBusy says that the table did not take a part of the call in all attempts:
	// its capacity is used up, or the service is not well. Swaps of that call may
	// have been made. The call may be tried again.
	ErrBusy = errors.New("the table is busy")

	// ErrItem says that the table has an item that this package did not write
	// where a mark would be: its attribute version is missing or not what
	// [envelope.Version.AppendBinary] writes. Trying again does not help. It is
	// never taken for no mark.
	//
	// [envelope.Version.AppendBinary]: https://pkg.go.dev/github.com/rowdelta/rowdelta/envelope#Version.AppendBinary
	ErrItem = errors.New("an item that is no mark")

	// ErrTable says that the table, or what the Store was told of it, is not as
	// this package needs it.
	ErrTable = errors.New("not a table for marks")
)

// API is what a Store needs of a DynamoDB client; [*dynamodb.Client] is one. A
// wrapper can count capacity units or requests. It must be safe for concurrent
// use, and it must not answer reads from a cache. Load and Swap use the first
// two methods, [Store.CreateTable] and [Store.Check] the others.
type API interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchExecuteStatement(context.Context, *dynamodb.BatchExecuteStatementInput, ...func(*dynamodb.Options)) (*dynamodb.BatchExecuteStatementOutput, error)

	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
}

// A Store is a [dedupe.Store] in a DynamoDB table. Client and Table must be set;
// no field may change after the first call of a method. It keeps nothing in
// memory between calls and is safe for concurrent use.
//
// Errors wrap [ErrBusy], [ErrItem] or [ErrTable], or else they are those of the
// client, whose own retries are over by then. Errors name the table; they hold
// no key. An answer that the client cannot read is an error without the
// client's text, which quotes it.
type Store struct {
	Client API
	// Table is the table's name, not its ARN.
	Table string
	// Prefix keeps the marks of several filters in one table apart. It has at most
	// 255 bytes, and no two of them collide, whatever the keys.
	Prefix string

	// Keep is how long a mark stays after it was last raised; 0 means for good.
	// All stores with one Table and Prefix need the same. Read "Expiry" in the
	// package's comment before setting it.
	Keep time.Duration

	Concurrency int // requests at a time in one call; 0 means DefaultConcurrency
	Attempts    int // attempts in a row without progress, for each request; 0 means DefaultAttempts
}

var (
	_ dedupe.Store = (*Store)(nil)
	_ API          = (*dynamodb.Client)(nil)
)

func (s *Store) concurrency() int { return positive(s.Concurrency, DefaultConcurrency) }
func (s *Store) attempts() int    { return positive(s.Attempts, DefaultAttempts) }

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// usable judges the Store's own fields.
func (s *Store) usable() error {
	switch {
	case s.Client == nil:
		return fmt.Errorf("%w: no client", ErrTable)
	case !validName(s.Table):
		return fmt.Errorf("%w: its name", ErrTable)
	case len(s.Prefix) > maxPrefix:
		return fmt.Errorf("%w: a prefix of %d bytes, more than %d", ErrTable, len(s.Prefix), maxPrefix)
	}
	return nil
}

// validName reports whether name is the name of a table. It has to be one before
// it becomes part of a statement. An ARN is refused: PartiQL takes none.
func validName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return len(name) >= 3 && len(name) <= 255
}

// fault names the call and the table that an error is about.
func (s *Store) fault(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		err = &unreadableError{err}
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return fmt.Errorf("dynamostore: %s %q: %w", call, s.Table, err)
}

// An unreadableError hides the text of the client's error about an answer that
// it cannot read, which quotes from the answer, and so perhaps a key.
type unreadableError struct{ cause error }

func (*unreadableError) Error() string   { return "the answer cannot be read" }
func (e *unreadableError) Unwrap() error { return e.cause }
