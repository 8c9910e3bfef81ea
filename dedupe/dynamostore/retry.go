package dynamostore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	firstPause = 25 * time.Millisecond
	lastPause  = 5 * time.Second
)

// batches calls f for each run of at most size of n things, some of them at a
// time. It returns when all calls have returned, with the error of the first
// that failed; the others' contexts end with it.
func (s *Store) batches(ctx context.Context, n, size int, f func(ctx context.Context, from, to int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		once   sync.Once
		failed error
	)
	count := (n + size - 1) / size
	for range min(s.concurrency(), count) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				err := ctx.Err()
				if err == nil {
					err = f(ctx, i*size, min((i+1)*size, n))
				}
				if err != nil {
					once.Do(func() { failed = err })
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// throttled reports whether the client gave up on a request that would have been
// taken at another time.
func throttled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}

// retries are the attempts at one request. The client's retryer knows nothing of
// requests that are done in part.
type retries struct {
	limit, futile int
}

func (s *Store) retries() *retries { return &retries{limit: s.attempts()} }

// wait waits before the next attempt: twice as long after each that made no
// progress, and shortly after one that did. The part left to chance keeps
// requests that were throttled together from coming back together.
func (r *retries) wait(ctx context.Context, progress bool, cause error) error {
	if progress {
		r.futile = 0
	} else if r.futile++; r.futile >= r.limit {
		return fmt.Errorf("%w: %d attempts: %w", ErrBusy, r.limit, cause)
	}
	const most = 10 // more would overflow in the end
	pause := min(firstPause<<min(max(r.futile-1, 0), most), lastPause)
	if err := sleep(ctx, pause/2+rand.N(pause/2)); err != nil {
		return fmt.Errorf("%w: %w: %w", err, ErrBusy, cause)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
