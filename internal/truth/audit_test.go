package truth_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A trail is a log that keeps every change that an Audit passes on.
type trail struct {
	store  faulty
	random *rand.Rand
	faults bool
	reuses bool // the memory of the changes, as soon as Admit has returned

	entries []dedupe.Entry // Seq is the place in the delivery
	known   map[int64]bool // the same
	counts
}

// run delivers d in batches of up to size changes to an Audit with that window,
// and at the end what is held back.
func (l *trail) run(t *testing.T, d *delivery, size, window int) {
	t.Helper()
	ctx := t.Context()
	l.store.Store = new(dedupe.Memory)
	l.entries, l.known, l.counts = nil, map[int64]bool{}, counts{}
	audit := &dedupe.Audit{Store: &l.store, Window: window}
	first, settled := int64(0), int64(0) // in d: what the Audit counts from, and where the consumer's position is
	pos := 0
	for flushed := false; !flushed; {
		end := min(len(d.changes), pos+1+l.random.IntN(size))
		var b *dedupe.AuditBatch
		var err error
		l.store.fail = l.now(20)
		if flushed = pos == len(d.changes); flushed {
			b, err = audit.Flush(ctx)
		} else {
			b, err = l.admit(ctx, audit, d.changes[pos:end])
		}
		if err == nil {
			err = l.pass(t, audit, b, first)
		}
		l.store.fail = false
		switch {
		case err == nil:
			l.batches++
			for v, n := range b.Stats.Verdicts {
				l.verdicts[v] += n
			}
			settled, pos = first+b.Settled, end
			continue
		case !errors.Is(err, errLost):
			t.Fatal(err)
		case l.now(2): // the process lives: its Audit goes on with its numbers
			audit.Discard()
		default:
			audit, first = &dedupe.Audit{Store: &l.store, Window: window}, settled
		}
		l.failures++
		pos, flushed = int(settled), false
	}
	if held := audit.Held(); held > 0 || settled != int64(len(d.changes)) {
		t.Errorf("%d of %d changes are settled and %d held back", settled, len(d.changes), held)
	}
}

func (l *trail) admit(ctx context.Context, audit *dedupe.Audit, changes []envelope.Change) (*dedupe.AuditBatch, error) {
	if !l.reuses {
		return audit.Admit(ctx, changes)
	}
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i] = changes[i].Clone()
	}
	b, err := audit.Admit(ctx, changes)
	for i := range changes {
		c := &changes[i]
		for _, bytes := range [][]byte{c.TxID, c.Key, c.Before, c.After} {
			scribble(bytes)
		}
		*c = envelope.Change{}
	}
	return b, err
}

// pass gives a batch to the log and commits it, or fails at any point of that.
func (l *trail) pass(t *testing.T, audit *dedupe.Audit, b *dedupe.AuditBatch, first int64) error {
	taken := len(b.Entries)
	crash := l.now(12)
	if crash {
		taken = l.random.IntN(taken + 1)
	}
	for _, e := range b.Entries[:taken] { // the log has some already, by their numbers
		if e.Seq += first; !l.known[e.Seq] {
			l.known[e.Seq] = true
			l.entries = append(l.entries, e)
		}
	}
	if crash {
		return errLost
	}
	l.store.fail = l.now(12)
	return audit.Commit(t.Context(), b)
}

// now reports true once in n times, if there are failures at all.
func (l *trail) now(n int) bool { return l.faults && l.random.IntN(n) == 0 }

// judgeAudit: an Audit passes on every change of the capture once. In delivered
// order, and in any disorder that its window can hold, those of each row are in
// order.
func judgeAudit(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	f := c.feed(t)
	l := &trail{random: c.randomOf(4)}
	l.store.random = l.random
	var d delivery
	d.inOrder(f)
	l.reuses = true
	l.run(t, &d, 300, 0)
	l.reuses = false
	l.judge(t, f, &d, "in order", true)
	repeats := l.verdicts[dedupe.Repeat]
	if want := f.verdicts(); repeats != want[dedupe.Repeat]+want[dedupe.Stale] {
		t.Errorf("%d repeats, want %d", repeats, want[dedupe.Repeat]+want[dedupe.Stale])
	}
	late, failures := 0, 0
	for k := range max(2, f.runs(2, 6)) {
		l.faults = k%2 == 0
		d.inOrder(f)
		l.run(t, &d, 100, 20*(k%3))
		l.judge(t, f, &d, "in order", true)
		failures += l.failures

		d.twice(f, l.random)
		d.displace(40, l.random)
		d.fill(f)
		l.run(t, &d, 100, 40)
		l.judge(t, f, &d, "displaced", true)
		failures += l.failures

		l.run(t, &d, 100, 3)
		l.judge(t, f, &d, "displaced by more than the window", false)
		late += l.verdicts[dedupe.Stale]
		failures += l.failures

		d.shuffle(f, k, l.random)
		l.run(t, &d, 1+len(d.changes)/2, 1<<30)
		l.judge(t, f, &d, "shuffled", true)
		failures += l.failures
	}
	c.report.add("audit", c, "%d records\t%d repeats dropped\t%d failures and crashes\tlate for a short window %d", len(f.all), repeats, failures, late)
}

// judge compares the log with what the records alone say: each of the feed's
// different changes is there once and whole, and the verdict on it tells whether
// newer ones of its row are in front of it. Repeats of what is no row's, or has no
// key, are not known as such.
func (l *trail) judge(t *testing.T, f *feed, d *delivery, what string, ordered bool) {
	t.Helper()
	rank := map[identity]int{} // in delivered order, from 1
	want := 0
	for i := range f.all {
		if at, ok := f.identity(i); ok && rank[at] == 0 {
			rank[at] = i + 1
			want++
		}
	}
	for _, i := range d.of {
		if _, ok := f.identity(i); !ok {
			want++
		}
	}
	if len(l.entries) != want {
		t.Fatalf("%s: %d changes are passed on, want %d", what, len(l.entries), want)
	}
	passed := map[identity]bool{}
	newest := map[row]int{}
	for _, e := range l.entries {
		i := d.of[e.Seq]
		original := &f.all[i]
		if c := &e.Change; c.Op != original.Op || c.Table != original.Table || c.Version != original.Version ||
			!bytes.Equal(c.Key, original.Key) || !bytes.Equal(c.Before, original.Before) || !bytes.Equal(c.After, original.After) {
			t.Fatalf("%s: number %d is not record %d", what, e.Seq, i+1)
		}
		at, ok := f.identity(i)
		verdict := dedupe.Newer
		switch {
		case original.Effect() == envelope.None:
			verdict = dedupe.Rowless
		case !ok:
			verdict = dedupe.Failed
		case passed[at]:
			t.Fatalf("%s: record %d is passed on again", what, i+1)
		case newest[at.row] > rank[at]:
			verdict = dedupe.Stale
		default:
			newest[at.row] = rank[at]
		}
		passed[at] = true
		if ordered && verdict == dedupe.Stale {
			t.Fatalf("%s: record %d is behind a newer one of its row", what, i+1)
		}
		if e.Verdict != verdict && !l.faults {
			t.Fatalf("%s: record %d is %v, want %v", what, i+1, e.Verdict, verdict)
		}
	}
}
