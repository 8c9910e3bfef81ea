package dynamostore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
)

// busy are the errors of whole requests that come at other times.
var busy = []error{
	&types.ProvisionedThroughputExceededException{},
	&types.RequestLimitExceeded{},
	&types.ThrottlingException{},
	&smithy.GenericAPIError{Code: "ThrottlingException"},
}

// futile is how long attempts without progress take at most: 25 ms, twice as
// long each time, 5 s in the end.
func futile(attempts int) (sum time.Duration) {
	for i := range attempts - 1 {
		sum += min(25*time.Millisecond<<min(i, 20), 5*time.Second)
	}
	return sum
}

// took judges how long something took: a pause is at least half of what it is at
// most.
func took(t *testing.T, begin time.Time, most time.Duration) {
	t.Helper()
	if d := time.Since(begin); d < most/2 || d > most {
		t.Errorf("it took %v, want %v to %v", d, most/2, most)
	}
}

// TestThrottledRequests has the first requests of a call refused as a whole.
func TestThrottledRequests(t *testing.T) {
	for _, cause := range busy {
		synctest.Test(t, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			d.refuse = func(_ string, n int) error {
				if n%10 != 0 {
					return cause
				}
				return nil
			}
			begin := time.Now()
			mustSwap(t, s, inserts(keys(2)), "11")
			took(t, begin, futile(10))
			begin = time.Now()
			mustLoad(t, s, keys(3), 1, 2, 0)
			took(t, begin, futile(10))
		})
	}
}

// TestBusyRequests has all requests refused.
func TestBusyRequests(t *testing.T) {
	for _, cause := range busy {
		for _, attempts := range []int{0, 1, 2, 10, 60} {
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase()
				s := d.store()
				s.Attempts = attempts
				d.refuse = func(string, int) error { return cause }
				if attempts == 0 {
					attempts = dynamostore.DefaultAttempts
				}
				for _, call := range []func() error{
					func() error { return s.Swap(t.Context(), inserts(keys(2))) },
					func() error { return s.Load(t.Context(), keys(2), make([]envelope.Version, 2)) },
				} {
					begin := time.Now()
					fails(t, call(), dynamostore.ErrBusy, cause)
					took(t, begin, futile(attempts))
				}
				if d.counts["get"] != attempts || d.counts["execute"] != attempts {
					t.Errorf("%v, want %d each", d.counts, attempts)
				}
			})
		}
	}
}

// TestUnprocessedKeys leaves keys unprocessed, fewer from time to time.
func TestUnprocessedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := d.store()
		s.Attempts = 3
		mustSwap(t, s, inserts(keys(20)), "11111111111111111111")
		d.sent()
		// Two requests that do nothing before each that does one key.
		d.leave = func(n, i int) bool { return n%3 != 0 || i != 0 }
		begin := time.Now()
		mustLoad(t, s, keys(4), 1, 2, 3, 4)
		if got, want := d.sent(), "get 4, get 4, get 4, get 3, get 3, get 3, get 2, get 2, get 2, get 1, get 1, get 1"; got != want {
			t.Error(got)
		}
		// Before the first key two futile pauses, of 25 and 50 ms, before the others a
		// short one as well.
		took(t, begin, (4*(25+50)+3*25)*time.Millisecond)

		// None is left out, in whatever order they are done.
		d.leave = func(n, i int) bool { return (n+i)%4 != 0 }
		mustLoad(t, s, keys(22), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 0, 0)

		d.sent()
		d.leave = func(int, int) bool { return true }
		fails(t, s.Load(t.Context(), keys(2), make([]envelope.Version, 2)), dynamostore.ErrBusy)
		if got := d.sent(); got != "get 2, get 2, get 2" {
			t.Error(got)
		}
	})
}

// again are the codes of statements that come at other times.
var again = []types.BatchStatementErrorCodeEnum{
	types.BatchStatementErrorCodeEnumProvisionedThroughputExceeded,
	types.BatchStatementErrorCodeEnumThrottlingError,
	types.BatchStatementErrorCodeEnumRequestLimitExceeded,
	types.BatchStatementErrorCodeEnumInternalServerError,
	types.BatchStatementErrorCodeEnumTransactionConflict,
}

// TestThrottledStatements has statements refused: only those are sent again.
func TestThrottledStatements(t *testing.T) {
	for _, code := range again {
		synctest.Test(t, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			s.Attempts = 3
			swaps := inserts(keys(4))
			mustSwap(t, s, swaps[1:2], "1")
			d.sent()
			d.code = func(n, i int) types.BatchStatementErrorCodeEnum {
				if n%3 != 0 || i != 0 {
					return code
				}
				return ""
			}
			begin := time.Now()
			mustSwap(t, s, swaps, "1011") // the second one is there
			if got, want := d.sent(), "execute 4, execute 4, execute 3, execute 3, execute 3, execute 2, execute 2, execute 2, execute 1, execute 1, execute 1"; got != want {
				t.Error(got)
			}
			took(t, begin, (25+3*(25+25+50))*time.Millisecond)
			mustLoad(t, s, keys(4), 1, 2, 3, 4)
			d.sent()

			d.code = func(int, int) types.BatchStatementErrorCodeEnum { return code }
			err := s.Swap(t.Context(), inserts(keys(6)))
			fails(t, err, dynamostore.ErrBusy)
			if cause, ok := errors.AsType[smithy.APIError](err); !ok || cause.ErrorCode() != string(code) {
				t.Errorf("without its cause: %v", err)
			}
			if got := d.sent(); got != "execute 6, execute 6, execute 6" {
				t.Error(got)
			}
		})
	}
}

// TestDoneAndNotSaid has statements done and reported as failed, and requests
// done whose answers are lost. Where the store or the client tries again, the
// swap is lost to itself.
func TestDoneAndNotSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := d.store()
		d.spoiled = true
		d.code = func(n, i int) types.BatchStatementErrorCodeEnum {
			if n == 1 && i != 2 {
				return types.BatchStatementErrorCodeEnumInternalServerError
			}
			return ""
		}
		all := keys(4)
		mustSwap(t, s, inserts(all[:3]), "001")
		mustLoad(t, s, all, 1, 2, 3, 0)
		d.code = nil

		d.lose = func(_ string, n int) error {
			if n == 3 {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
		mustSwap(t, s, inserts(all), "0000")
		mustLoad(t, s, all, 1, 2, 3, 4)

		cause := errors.New("connection reset")
		d.lose = func(string, int) error { return cause }
		swaps := inserts(all)
		for i := range swaps {
			swaps[i].Old, swaps[i].New = at(i+1), at(i+11)
		}
		fails(t, s.Swap(t.Context(), swaps), cause)
		d.lose = nil
		mustSwap(t, s, swaps, "0000")
		mustLoad(t, s, all, 11, 12, 13, 14)
	})
}

// refusals are errors that no attempt mends.
var refusals = []error{
	&types.ResourceNotFoundException{},
	&types.InternalServerError{},
	&smithy.GenericAPIError{Code: "AccessDeniedException"},
	&smithy.GenericAPIError{Code: "ValidationException"},
	&smithy.GenericAPIError{Code: "UnrecognizedClientException"},
	errors.New("connection reset"),
}

// TestRefusedRequests has requests fail that the client has tried often enough.
func TestRefusedRequests(t *testing.T) {
	for _, cause := range refusals {
		d := newDatabase()
		s := d.store()
		d.refuse = func(string, int) error { return cause }
		fails(t, s.Load(t.Context(), keys(2), make([]envelope.Version, 2)), cause)
		fails(t, s.Swap(t.Context(), inserts(keys(2))), cause)
		if got := d.sent(); got != "get 2, execute 2" {
			t.Error(got)
		}
	}
}

// TestRefusedStatements has one statement of several refused for good.
func TestRefusedStatements(t *testing.T) {
	for _, code := range append(types.BatchStatementErrorCodeEnum("").Values(), "ReplicatedWriteConflict", "Whatever") {
		if code == types.BatchStatementErrorCodeEnumConditionalCheckFailed || code == types.BatchStatementErrorCodeEnumDuplicateItem || slices.Contains(again, code) {
			continue
		}
		d := newDatabase()
		s := d.store()
		d.code = func(_, i int) types.BatchStatementErrorCodeEnum {
			if i == 1 {
				return code
			}
			return ""
		}
		err := s.Swap(t.Context(), inserts(keys(3)))
		fails(t, err)
		if cause, ok := errors.AsType[smithy.APIError](err); !ok || cause.ErrorCode() != string(code) || cause.ErrorMessage() != "as if" {
			t.Errorf("without its cause: %v", err)
		}
		if errors.Is(err, dynamostore.ErrBusy) || d.sent() != "execute 3" {
			t.Errorf("%s was tried again", code)
		}
	}
}

// TestLostStatements has each code that says that a swap is lost.
func TestLostStatements(t *testing.T) {
	for _, code := range []types.BatchStatementErrorCodeEnum{types.BatchStatementErrorCodeEnumConditionalCheckFailed, types.BatchStatementErrorCodeEnumDuplicateItem} {
		d := newDatabase()
		d.code = func(_, i int) types.BatchStatementErrorCodeEnum {
			if i == 1 {
				return code
			}
			return ""
		}
		swaps := inserts(keys(3))
		swaps[1].Done = true
		mustSwap(t, d.store(), swaps, "101")
		if got := d.sent(); got != "execute 3" {
			t.Error(got)
		}
	}
}

// TestPauseEnds has the context end in a pause.
func TestPauseEnds(t *testing.T) {
	for _, over := range []error{context.Canceled, context.DeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			s.Attempts = 1000
			cause := busy[0]
			d.refuse = func(string, int) error { return cause }
			for _, call := range []func(context.Context) error{
				func(ctx context.Context) error { return s.Swap(ctx, inserts(keys(60))) },
				func(ctx context.Context) error {
					return s.Load(ctx, keys(260), make([]envelope.Version, 260))
				},
			} {
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 17*time.Second)
				if over == context.Canceled {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(17*time.Second, cancel)
				}
				fails(t, call(ctx), over, dynamostore.ErrBusy, cause)
				if d := time.Since(begin); d != 17*time.Second {
					t.Errorf("it ended after %v", d)
				}
				cancel()
			}
		})
	}
}
