package truth_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A pipeline is what a consumer is: a Filter, a Compactor and a sink, which it
// feeds in batches. After a crash it goes on as a consumer does, from the last
// position that it stored.
type pipeline struct {
	store     faulty
	compactor dedupe.Compactor
	sink      sink
	random    *rand.Rand
	faults    bool     // failures and crashes, now and then
	saves     bool     // the marks do not outlive a crash, but are saved with the position
	after     []object // by change in the feed: the row that it left, if it did not have all columns
	counts
}

// counts are of the batches that were committed.
type counts struct {
	verdicts [dedupe.Failed + 1]int
	finals   int
	filled   int // columns of final changes
	lacking  int // the same, that stayed unavailable
	batches  int
	failures int      // crashes among them
	wrong    []string // rows of the sink that are not what the change left
}

func newPipeline(f *feed, random *rand.Rand, p *envelope.Placeholder) *pipeline {
	l := &pipeline{compactor: dedupe.Compactor{Placeholder: p}, random: random}
	l.sink = sink{feed: f, placeholder: p}
	l.store.random = random
	l.clear()
	return l
}

// clear empties the store and the sink.
func (l *pipeline) clear() {
	l.store.Store = new(dedupe.Memory)
	l.sink.clear()
	l.counts = counts{}
}

// A cut says how many changes the batch has that begins at pos.
type cut func(pos int) int

func whole(int) int { return 1 << 30 }

// of cuts batches of n changes.
func of(n int) cut { return func(int) int { return n } }

// upTo cuts batches of up to n changes.
func (l *pipeline) upTo(n int) cut { return func(int) int { return 1 + l.random.IntN(n) } }

// run delivers d in batches.
func (l *pipeline) run(t *testing.T, d *delivery, size cut) {
	t.Helper()
	ctx := t.Context()
	filter := &dedupe.Filter{Store: &l.store}
	stored, pos := 0, 0 // positions in d
	var saved bytes.Buffer
	for pos < len(d.changes) {
		end := pos + min(size(pos), len(d.changes)-pos)
		fault := l.fault()
		l.store.fail = fault == noLoad
		b, err := filter.Admit(ctx, d.changes[pos:end])
		if fault == noLoad && errors.Is(err, errLost) {
			l.failures++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p := portion{d.changes[pos:end], d.of[pos:end]}
		finals, failed := l.compactor.Compact(p.changes, b.Decisions)
		if len(failed) > 0 {
			t.Fatalf("Compact fails: %v", failed)
		}
		if fault == discarded {
			l.failures++
			filter.Discard(b)
			if err := filter.Commit(ctx, b); !errors.Is(err, dedupe.ErrFinished) {
				t.Fatalf("a discarded batch is committed: %v", err)
			}
			continue
		}
		taken := len(finals)
		if fault == crashWithin {
			taken = l.random.IntN(taken + 1)
		}
		l.sink.apply(finals[:taken], p)
		if fault == crashWithin || !l.commit(t, filter, b, fault) {
			l.failures++
			filter, pos = &dedupe.Filter{Store: &l.store}, stored
			if l.saves {
				l.restore(t, saved.Bytes())
			}
			continue
		}
		l.count(p, finals, b)
		pos = end
		seldom := 3
		if l.saves { // it takes longer
			seldom = 12
		}
		if l.random.IntN(seldom) == 0 {
			stored = pos
			if l.saves {
				saved.Reset()
				if err := l.store.Store.(*dedupe.Memory).Save(&saved); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// restore sets the store to what was saved, if anything was.
func (l *pipeline) restore(t *testing.T, saved []byte) {
	t.Helper()
	m := new(dedupe.Memory)
	if len(saved) > 0 {
		if err := m.Restore(bytes.NewReader(saved)); err != nil {
			t.Fatal(err)
		}
	}
	l.store.Store = m
}

// commit reports false if the process ends instead.
func (l *pipeline) commit(t *testing.T, filter *dedupe.Filter, b *dedupe.Batch, fault fault) bool {
	t.Helper()
	if fault == crashBehind {
		return false
	}
	l.store.fail = fault == noSwap || fault == crashInCommit
	err := filter.Commit(t.Context(), b)
	l.store.fail = false // where nothing was to be swapped
	if errors.Is(err, errLost) {
		if fault == crashInCommit {
			return false
		}
		l.failures++
		err = filter.Commit(t.Context(), b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

type fault uint8

const (
	noFault       fault = iota
	noLoad              // the store does not answer; the batch is cut anew
	discarded           // the sink refuses; so is it
	crashWithin         // while the sink takes the batch
	crashBehind         // before Commit
	crashInCommit       // when some marks are raised
	noSwap              // the same, but the process lives and tries again
	faults
)

func (l *pipeline) fault() fault {
	often := 8
	if len(l.sink.feed.all) < 100 {
		often = 3
	}
	if !l.faults || l.random.IntN(often) > 0 {
		return noFault
	}
	return 1 + fault(l.random.IntN(int(faults)-1))
}

func (l *pipeline) count(p portion, finals []dedupe.Final, b *dedupe.Batch) {
	for v, n := range b.Stats.Verdicts {
		l.verdicts[v] += n
	}
	l.batches++
	l.finals += len(finals)
	if l.compactor.Disordered {
		return
	}
	for i := range finals {
		f := &finals[i]
		if f.Effect() != envelope.Upsert {
			continue
		}
		l.lacking += len(f.Unavailable)
		if &f.After[0] != &p.changes[f.Index].After[0] { // memory of its own: filled
			l.filled += placeholders(l.sink.placeholder, p.changes[f.Index].After) - len(f.Unavailable)
		}
		if l.after == nil || l.after[p.of[f.Index]] == nil {
			continue
		}
		row := l.sink.feed.row[p.of[f.Index]]
		if columns, _ := unlike(l.sink.placeholder, l.sink.rows[row].after, l.after[p.of[f.Index]]); len(columns) > 0 {
			l.wrong = append(l.wrong, fmt.Sprintf("line %d leaves row %.100q with columns %v", p.of[f.Index]+1, l.sink.feed.rows[row], columns))
		}
	}
}

// placeholders counts the columns of which a row has but the placeholder.
func placeholders(p *envelope.Placeholder, row envelope.Row) (n int) {
	for c, err := range row.Columns() {
		if err == nil && p.Is(c.Value) {
			n++
		}
	}
	return n
}
