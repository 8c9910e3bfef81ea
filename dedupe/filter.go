package dedupe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// A Filter judges each change against what the sink has, by the marks in a
// Store, and against the changes before it in its batch:
//
//	batch, err := filter.Admit(ctx, changes)
//	…
//	for i, d := range batch.Decisions { … } // apply what is d.Verdict.Admitted(), in its order
//	…
//	err = filter.Commit(ctx, batch) // the sink has it
//
// Admit only reads. Marks move with Commit, after the sink has the data: a crash
// in between gives the same verdicts again when the same changes are delivered
// again. A batch that never reaches the sink is discarded, and its changes must
// be delivered again.
//
// Batches that touch the same rows go one after the other: commit or discard one
// before the next is admitted. Of two in flight at once neither knows the other,
// and the older change may be applied last. [Stats.Contended] tells that it
// happened. What makes it safe is one writer for each row, as one partition of a
// Kafka topic is, or a sink that compares versions.
//
// Deletes raise marks as any change does, so that an older change cannot bring a
// row back. A truncate raises a mark of its table: what is older than it is
// Stale, whatever the row.
//
// A Filter is safe for concurrent use. Its fields must not change after the first
// call.
type Filter struct {
	Store Store

	// Keys tells rows apart; nil means the transport's key, by
	// [envelope.Change.AppendKey] without columns.
	Keys envelope.KeyFunc

	// SharedPlaces says that different changes of a row may have one position, as they
	// do in a transaction that MySQL compressed (binlog_transaction_compression). What
	// has the position of a row's mark is then not taken for a Repeat, but applied.
	SharedPlaces bool

	// Attempts is how often a swap that another writer was faster with is decided
	// again before Commit gives up; 0 means DefaultAttempts.
	Attempts int

	mu     sync.Mutex
	epochs map[envelope.Table]envelope.Version // as last seen
}

// DefaultAttempts is how often a lost swap is decided again unless a Filter says
// otherwise.
const DefaultAttempts = 16

var (
	// ErrMoved says that an update changes its row's key and so touches two rows.
	// Split makes two changes of it. Debezium does so itself.
	ErrMoved = errors.New("dedupe: the change moves its row to another key")

	// ErrContended says that other writers kept raising the same marks. The marks
	// that could be raised are; Commit may be tried again.
	ErrContended = errors.New("dedupe: other writers keep raising the same marks")

	// ErrFinished says that a batch was committed or discarded before, or is of
	// another Filter.
	ErrFinished = errors.New("dedupe: the batch is not in flight")

	errNoStore = errors.New("dedupe: Filter has no Store")
)

// A floor is what a Store may have that forgets old marks.
type floor interface{ Floor() time.Time }

// Admit judges a batch of changes in the order of their arrival. It does not keep
// them, and it changes nothing.
//
// A change without a key, or with one that cannot be read, is Failed, and the
// others are judged. An error is the Store's or the context's, and the batch can
// be tried again.
func (f *Filter) Admit(ctx context.Context, changes []envelope.Change) (*Batch, error) {
	if f.Store == nil {
		return nil, errNoStore
	}
	b := &Batch{Decisions: make([]Decision, len(changes)), filter: f}
	for range f.attempts() {
		b.gather(changes)
		current, err := b.load(ctx)
		if err != nil {
			return nil, fmt.Errorf("dedupe: load: %w", err)
		}
		if !current { // another process called Forget: the keys are others
			continue
		}
		b.judge(changes)
		return b, nil
	}
	return nil, fmt.Errorf("dedupe: load: %w", ErrContended)
}

func (f *Filter) attempts() int {
	if f.Attempts > 0 {
		return f.Attempts
	}
	return DefaultAttempts
}

// source returns the from of a mark that was loaded.
func (f *Filter) source() int {
	if f.SharedPlaces {
		return unsure
	}
	return inStore
}

// appendKey appends the key of a change of one row.
func (f *Filter) appendKey(dst []byte, c *envelope.Change) ([]byte, error) {
	if f.Keys == nil {
		return c.AppendKey(dst)
	}
	return f.Keys(dst, c)
}

// Discard ends a batch that did not reach the sink, or not as a whole. Nothing is
// recorded. The changes must be delivered again.
func (f *Filter) Discard(b *Batch) {
	if b.filter == f {
		b.finish()
	}
}
