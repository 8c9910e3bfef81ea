package dedupe_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// entries gives one word for each entry: its number and the verdict.
func entries(b *dedupe.AuditBatch) (out []string) {
	for _, e := range b.Entries {
		out = append(out, fmt.Sprintf("%d %v", e.Seq, e.Verdict))
	}
	return out
}

func TestAudit(t *testing.T) {
	store := new(marks)
	a := dedupe.Audit{Store: store, Window: 2}
	up := func(id, n int) envelope.Change { return upsert(orders, id, at(n), fmt.Sprintf(`,"v":%d`, n)) }
	run := func(changes ...envelope.Change) *dedupe.AuditBatch {
		t.Helper()
		b, err := a.Admit(t.Context(), changes)
		require.NoError(t, err)
		_, err = a.Admit(t.Context(), nil)
		require.ErrorIs(t, err, dedupe.ErrInFlight)
		require.NoError(t, a.Commit(t.Context(), b))
		require.ErrorIs(t, a.Commit(t.Context(), b), dedupe.ErrFinished)
		return b
	}
	// Numbers 0 and 1 are due. Of row 1 what is older than number 0 goes with it.
	b := run(up(1, 3), up(2, 1), up(1, 1), up(1, 4))
	assert.Equal(t, []string{"2 newer", "1 newer", "0 newer"}, entries(b))
	assert.Equal(t, int64(3), b.Settled)
	assert.Equal(t, 1, a.Held())

	b = run(up(1, 3), up(1, 2), envelope.Change{Op: envelope.OpHeartbeat}, up(1, 4))
	// Number 4 repeats 0; 5 comes too late, and 3 goes on after it; 7 repeats 3, which is held.
	assert.Equal(t, []string{"5 stale", "3 newer"}, entries(b))
	assert.Equal(t, int64(6), b.Settled)
	assert.Equal(t, 2, b.Stats.Verdicts[dedupe.Repeat])

	b, err := a.Flush(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"6 rowless"}, entries(b))
	assert.Equal(t, int64(8), b.Settled)
	require.NoError(t, a.Commit(t.Context(), b))
	assert.Equal(t, 0, a.Held())
}

func TestAuditOfOthers(t *testing.T) {
	a := dedupe.Audit{Store: new(marks)}
	same := upsert(orders, 1, envelope.TimeVersion(5), "")
	changes := []envelope.Change{
		same, same, // perhaps a repeat, perhaps not
		upsert(orders, 2, at(1), `,"v":1`), upsert(orders, 2, at(1), `,"v":2`), // one position, two changes
		remove(orders, 3, at(1)), op(envelope.OpCreate, upsert(orders, 3, at(1), "")),
		{Op: envelope.OpDelete, Table: orders, Version: at(1)}, truncate(orders, at(1)), truncate(orders, at(1)), truncate(items, at(1)),
		upsert(orders, 4, envelope.Version{}, ""),
	}
	want := []string{"0 newer", "1 tie", "2 newer", "3 tie", "4 newer", "5 tie", "6 failed", "7 newer", "9 newer", "10 tie"}
	b, err := a.Admit(t.Context(), changes)
	require.NoError(t, err)
	assert.Equal(t, want, entries(b))
	assert.ErrorIs(t, b.Entries[6].Err, envelope.ErrNoKey)
	for i := range changes {
		clear(changes[i].After)
	}
	assert.Equal(t, `{"id":1}`, string(b.Entries[0].Change.After)) // of its own
	a.Discard()
	require.ErrorIs(t, a.Commit(t.Context(), b), dedupe.ErrFinished)

	var none dedupe.Audit
	_, err = none.Admit(t.Context(), changes)
	assert.Error(t, err)
}

func TestAuditStoreFails(t *testing.T) {
	store := new(marks)
	a := dedupe.Audit{Store: store}
	store.before = func(string, int) error { return assert.AnError }
	changes := []envelope.Change{upsert(orders, 1, at(1), "")}
	_, err := a.Admit(t.Context(), changes)
	require.ErrorIs(t, err, assert.AnError)
	assert.Equal(t, 0, a.Held())
	store.before = nil
	b, err := a.Admit(t.Context(), changes)
	require.NoError(t, err)
	assert.Equal(t, []string{"0 newer"}, entries(b))
	store.before = func(string, int) error { return assert.AnError }
	require.ErrorIs(t, a.Commit(t.Context(), b), assert.AnError)
	store.before = nil
	require.NoError(t, a.Commit(t.Context(), b))
	assert.Equal(t, 2, b.Stats.Marks)
}

// Every change is passed on once, whatever the window, the cuts, the repeats and
// the kills before the sink; each row's in order or marked as not; and what is
// settled needs no second reading.
func TestAuditProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDatabase(rt, 4, true, true)
		stream := slices.Clone(d.log)
		for range rapid.IntRange(0, 10).Draw(rt, "repeats") {
			again := rapid.SampledFrom(d.log).Draw(rt, "again")
			stream = slices.Insert(stream, rapid.IntRange(0, len(stream)).Draw(rt, "at"), again)
		}
		if rapid.Bool().Draw(rt, "shuffled") {
			stream = rapid.Permutation(stream).Draw(rt, "order")
		}
		window := rapid.SampledFrom([]int{0, 1, 3, 10, 1000}).Draw(rt, "window")
		store := new(marks)
		a := &dedupe.Audit{Store: store, Window: window}
		var log []dedupe.Entry
		base, next := 0, 0 // the position of a's number 0, and the one to read
		settled := 0
		kills := 0
		for ended := false; !ended; {
			n := min(len(stream)-next, rapid.IntRange(1, 9).Draw(rt, "batch"))
			var b *dedupe.AuditBatch
			var err error
			if ended = n == 0; ended {
				b, err = a.Flush(t.Context())
			} else {
				b, err = a.Admit(t.Context(), stream[next:next+n])
			}
			require.NoError(rt, err)
			next += n
			switch fate := rapid.IntRange(0, 9).Draw(rt, "fate"); {
			case fate == 0 && kills < 5: // the sink fails
				kills++
				a.Discard()
				next, ended = settled, false
			case fate == 1 && kills < 5: // the process ends
				kills++
				a = &dedupe.Audit{Store: store, Window: window}
				base, next, ended = settled, settled, false
			default:
				require.NoError(rt, a.Commit(t.Context(), b))
				log = append(log, b.Entries...)
				settled = base + int(b.Settled)
			}
		}
		if settled != len(stream) || a.Held() != 0 {
			rt.Fatalf("%d of %d settled, %d held", settled, len(stream), a.Held())
		}
		passed := map[string]int{}
		last := map[string]envelope.Version{}
		for _, e := range log {
			passed[fmt.Sprint(e.Change.Version, e.Change.Op, string(e.Change.Key))]++
			row := string(e.Change.Key)
			order := e.Change.Version.Compare(last[row])
			if e.Change.Op == envelope.OpCreate && order == 0 || e.Verdict == dedupe.Newer && order <= 0 || e.Verdict == dedupe.Stale && order >= 0 {
				rt.Fatalf("%v is %v after %v", e.Change.Version, e.Verdict, last[row])
			}
			if order > 0 {
				last[row] = e.Change.Version
			} else if window >= len(stream) {
				rt.Fatal("out of order in a window that holds all")
			}
		}
		for i := range d.log {
			c := &d.log[i]
			if n := passed[fmt.Sprint(c.Version, c.Op, string(c.Key))]; n != 1 {
				rt.Fatalf("%v of %s passed %d times", c.Version, c.Key, n)
			}
		}
		if len(passed) != len(d.log) {
			rt.Fatal(len(passed))
		}
	})
}
