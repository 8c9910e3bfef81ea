package dedupe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/keyindex"
)

// An Audit passes on every change once, for logs that keep them all. It drops
// nothing but repeats, puts the changes of each row in the order of their
// versions as far as its Window reaches, and says of the others that they came
// too late for it.
//
// A repeat has the place in the source's log, the operation and the images of a
// change that was passed on before. For that the Store holds a mark for each
// change, not only for each row: bound it (see [Memory]) by the time after which
// nothing is delivered again. Where a source gives no places ([envelope.Version.Place])
// a repeat cannot be told from another change, and both are passed on, as Tie.
//
// One batch is in flight at a time: it is committed once the sink has it, or
// discarded. The zero Audit with a Store is ready to use, by one goroutine at a
// time. Let one Audit read a partition.
type Audit struct {
	Store Store

	// Keys tells rows apart; nil means the transport's key.
	Keys envelope.KeyFunc

	// Window is how many changes are held back for others that belong before them. 0
	// orders the changes of one Admit among themselves.
	Window int

	held    []auditEntry
	given   int64 // changes that Admit took
	settled int64 // of the last batch that was committed
	flying  *AuditBatch
}

// ErrInFlight says that a batch of an Audit is neither committed nor discarded.
var ErrInFlight = errors.New("dedupe: a batch is in flight")

// An Entry is a change that is passed on, in memory of its own.
type Entry struct {
	Change envelope.Change

	// Seq is the number of the change among those that were given to Admit, from 0.
	Seq int64

	// Verdict is Newer for a change in order; Tie if it could not be ordered against
	// the one before it; Stale if newer ones of its row were passed on before; Rowless;
	// or Failed, if it has no key to order it by.
	Verdict Verdict
	Err     error // of Failed
}

// An AuditBatch is what an Audit passes on.
type AuditBatch struct {
	// Entries are the changes in their order: those of each row by their versions,
	// rows among themselves as they arrived.
	Entries []Entry

	// Settled is how many of the changes given to Admit so far, from the first one on
	// and without a gap, are passed on or were repeats. After Commit the consumer's
	// position may be stored as far as there: what follows is held back and has to be
	// read again after a crash.
	Settled int64

	// Stats counts the verdicts, repeats among them, and the marks.
	Stats Stats

	audit *Audit
	kept  []auditEntry // what is held back from then on
	given int64
	swaps []Swap
	rows  *keyindex.Index
	marks []mark
}

// An auditEntry is a change on its way through an Audit.
type auditEntry struct {
	Entry
	key  []byte // of its row; nil if it has none
	seen []byte // of the change itself; nil if it has no place
}

// Admit takes changes in the order of their arrival and returns those that need
// not wait any longer. It keeps copies.
//
// An error is the Store's, the context's or ErrInFlight; the changes are not taken
// then, and can be given again.
func (a *Audit) Admit(ctx context.Context, changes []envelope.Change) (*AuditBatch, error) {
	return a.pass(ctx, changes, a.Window)
}

// Flush returns all that is held back.
func (a *Audit) Flush(ctx context.Context) (*AuditBatch, error) { return a.pass(ctx, nil, 0) }

// Held returns how many changes are held back.
func (a *Audit) Held() int { return len(a.held) }

func (a *Audit) pass(ctx context.Context, changes []envelope.Change, window int) (*AuditBatch, error) {
	switch {
	case a.Store == nil:
		return nil, errNoStore
	case a.flying != nil:
		return nil, ErrInFlight
	}
	b := &AuditBatch{audit: a, rows: keyindex.New(len(changes)), given: a.given + int64(len(changes))}
	pending := a.take(changes, &b.Stats)
	released, kept := release(pending, max(0, len(pending)-window))
	if err := b.load(ctx, released); err != nil {
		return nil, fmt.Errorf("dedupe: load: %w", err)
	}
	b.kept, b.Settled = kept, b.given
	if len(kept) > 0 {
		b.Settled = kept[0].Seq
	}
	a.flying = b
	return b, nil
}

// take returns what is held and, behind it, copies of the changes, without what
// repeats one of these.
func (a *Audit) take(changes []envelope.Change, stats *Stats) []auditEntry {
	pending := slices.Clone(a.held)
	seen := map[string]bool{}
	for _, e := range pending {
		seen[string(e.seen)] = true
	}
	for i := range changes {
		e := auditEntry{Entry: Entry{Seq: a.given + int64(i)}}
		e.identify(&changes[i], a.Keys)
		if e.seen != nil && seen[string(e.seen)] {
			stats.Verdicts[Repeat]++
			continue
		}
		seen[string(e.seen)] = true
		e.Change = changes[i].Clone()
		pending = append(pending, e)
	}
	return pending
}

// identify finds the keys of a change: its row's and its own.
func (e *auditEntry) identify(c *envelope.Change, keys envelope.KeyFunc) {
	var err error
	switch effect := c.Effect(); {
	case effect == envelope.None:
		e.Verdict = Rowless
		return
	case effect == envelope.Truncate:
		e.key = appendSpecial(nil, 'T', c.Table)
	case keys == nil:
		e.key, err = c.AppendKey(append([]byte(special), 'R'))
	default:
		e.key, err = keys(append([]byte(special), 'R'), c)
	}
	if err != nil {
		e.key, e.Verdict, e.Err = nil, Failed, err
		return
	}
	place, ok := c.Version.Place()
	if !ok {
		return
	}
	h := sha256.New()
	write := func(part []byte) {
		var size [9]byte
		if part != nil {
			size[8] = 1
		}
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	write(e.key)
	at, _ := place.AppendBinary([]byte{byte(c.Op)}) // never fails
	write(at)
	write(c.Before)
	write(c.After)
	e.seen = h.Sum(append([]byte(special), 'S'))
}

// release divides what is pending into what is passed on and what is held back.
// The first due changes have waited long enough; with them goes what belongs in
// front of them. Each row's changes are put in order, at the places that they had
// among all.
func release(pending []auditEntry, due int) (released, kept []auditEntry) {
	rows := keyindex.New(len(pending))
	var newest []int // due, by row
	row := make([]int, len(pending))
	for i := range pending {
		e := &pending[i]
		row[i] = none
		if e.key == nil {
			continue
		}
		var isNew bool
		if row[i], isNew = rows.Add(e.key); isNew {
			newest = append(newest, none)
		}
		if at := &newest[row[i]]; i < due && (*at == none || !precedes(e, &pending[*at])) {
			*at = i
		}
	}
	places := make([][]int, rows.Len()) // of the released changes of each row
	for i := range pending {
		e := &pending[i]
		if i >= due && (row[i] == none || newest[row[i]] == none || !precedes(e, &pending[newest[row[i]]])) {
			kept = append(kept, *e)
			continue
		}
		released = append(released, *e)
		if row[i] != none {
			places[row[i]] = append(places[row[i]], len(released)-1)
		}
	}
	for _, at := range places {
		// By insertion: nearly all are in order, and versions can form a circle, which a
		// sort must not meet.
		for i := range at {
			for j := i; j > 0 && precedes(&released[at[j]], &released[at[j-1]]); j-- {
				released[at[j]], released[at[j-1]] = released[at[j-1]], released[at[j]]
			}
		}
	}
	return released, kept
}

// precedes reports whether x is older than y for certain.
func precedes(x, y *auditEntry) bool {
	v, w := x.Change.Version, y.Change.Version
	return !v.IsZero() && !w.IsZero() && v.Compare(w) < 0
}

// load makes the entries of what is released, without what was passed on before.
func (b *AuditBatch) load(ctx context.Context, released []auditEntry) error {
	var keys [][]byte
	for i := range released {
		if e := &released[i]; e.seen != nil {
			keys = append(keys, e.seen)
		}
		if e := &released[i]; e.key != nil {
			b.rows.Add(e.key)
		}
	}
	seen := len(keys)
	keys = b.rows.AppendKeys(keys)
	held := make([]envelope.Version, len(keys))
	if len(keys) > 0 {
		if err := b.audit.Store.Load(ctx, keys, held); err != nil {
			return err
		}
	}
	for _, v := range held[seen:] {
		b.marks = append(b.marks, mark{v, v, inStore})
	}
	n := 0
	for i := range released {
		e := &released[i]
		if e.seen != nil {
			n++
			if !held[n-1].IsZero() {
				b.Stats.Verdicts[Repeat]++
				continue
			}
			b.swaps = append(b.swaps, Swap{Key: e.seen, New: e.Change.Version})
		}
		if e.key != nil {
			row, _ := b.rows.Add(e.key)
			e.Verdict = b.marks[row].raise(e.Change.Version)
		}
		b.Stats.Verdicts[e.Verdict]++
		b.Entries = append(b.Entries, e.Entry)
	}
	for i, m := range b.marks {
		if m.now != m.held {
			b.swaps = append(b.swaps, Swap{Key: b.rows.Key(i), Old: m.held, New: m.now})
		}
	}
	return nil
}

// Commit records that the sink has the batch. On an error it may be tried again;
// see [Filter.Commit] for which there are.
func (a *Audit) Commit(ctx context.Context, b *AuditBatch) error {
	if a.flying != b || b == nil {
		return ErrFinished
	}
	f := Filter{Store: a.Store}
	if err := f.raise(ctx, slices.Clone(b.swaps), &b.Stats); err != nil {
		return err
	}
	a.held, a.given, a.settled, a.flying = b.kept, b.given, b.Settled, nil
	return nil
}

// Discard gives up the batch in flight, if there is one, and what is held back.
// The input has to be given again from the first change that was not settled by
// the last batch that was committed; numbers go on from there.
func (a *Audit) Discard() { a.held, a.given, a.flying = nil, a.settled, nil }
