package dedupe_test

import (
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIntegerKey(t *testing.T) {
	exact := dedupe.IntegerKey(orders, "a/b")
	anyDB := dedupe.IntegerKey(envelope.Table{Schema: "public", Name: "orders"}, "a/b")
	change := func(key, after string) *envelope.Change {
		c := &envelope.Change{Op: envelope.OpUpdate, Table: orders, After: envelope.Row(after)}
		if key != "" {
			c.Key = envelope.Row(key)
		}
		return c
	}
	for _, c := range []struct{ key, after, want string }{
		{`{"a/b":1}`, `{"a/b":2}`, "\x00\x00\x00\x00\x00\x00\x00\x01"},
		{"", `{"a/b":258}`, "\x00\x00\x00\x00\x00\x00\x01\x02"},
		{"", `{"a/b":-1}`, "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"", `{"a/b":-9223372036854775808}`, "\x80\x00\x00\x00\x00\x00\x00\x00"},
	} {
		for _, keys := range []envelope.KeyFunc{exact, anyDB} {
			got, err := keys([]byte(">"), change(c.key, c.after))
			require.NoError(t, err)
			assert.Equal(t, ">"+c.want, string(got))
		}
	}
	for _, c := range []struct {
		after string
		cause error
	}{{`{"b":1}`, envelope.ErrMissing}, {`{"a/b":null}`, envelope.ErrType}, {`{"a/b":"1"}`, envelope.ErrType}, {`{"a/b":9223372036854775808}`, envelope.ErrType}, {`{"a/b":1.0}`, envelope.ErrType}} {
		got, err := exact([]byte(">"), change("", c.after))
		assert.Equal(t, ">", string(got))
		require.ErrorIs(t, err, c.cause)
		var fault *envelope.DecodeError
		require.ErrorAs(t, err, &fault)
		assert.Equal(t, "/a~1b", fault.Path)
	}
	for _, table := range []envelope.Table{{DB: "x", Schema: "public", Name: "orders"}, {DB: "shop", Schema: "x", Name: "orders"}, {DB: "shop", Schema: "public", Name: "x"}} {
		c := change("", `{"a/b":1}`)
		c.Table = table
		_, err := exact(nil, c)
		assert.ErrorIs(t, err, envelope.ErrNoKey)
		_, err = anyDB(nil, c)
		assert.Equal(t, table.DB != "x", err != nil)
	}
}

// forgetful is a store that has forgotten what is older than its floor.
type forgetful struct {
	marks
	floor time.Time
}

func (s *forgetful) Floor() time.Time { return s.floor }

func TestLate(t *testing.T) {
	s := &forgetful{}
	f := &dedupe.Filter{Store: s}
	changes := []envelope.Change{
		upsert(orders, 1, envelope.TimeVersion(99), ""), upsert(orders, 2, envelope.TimeVersion(100), ""), upsert(orders, 3, envelope.TimeVersion(99), ""),
		upsert(orders, 3, envelope.TimeVersion(100), ""), upsert(orders, 3, envelope.TimeVersion(98), ""), upsert(orders, 4, envelope.Version{}, ""),
		upsert(orders, 5, envelope.TimeVersion(90), ""), upsert(orders, 5, envelope.TimeVersion(95), ""),
	}
	n, l, tie, stale := dedupe.Newer, dedupe.Late, dedupe.Tie, dedupe.Stale
	assert.Equal(t, []dedupe.Verdict{n, n, n, n, stale, tie, n, n}, verdicts(admit(t, f, changes...)))
	s.floor = time.Unix(0, 100)
	b := admit(t, f, changes...)
	assert.Equal(t, []dedupe.Verdict{l, n, l, n, stale, tie, l, n}, verdicts(b))
	assert.Len(t, b.Admitted(changes), 7)
	require.NoError(t, f.Commit(t.Context(), b))
	assert.Equal(t, []dedupe.Verdict{tie, tie, stale, tie, stale, tie, stale, tie}, verdicts(admit(t, f, changes...)))
}

func TestOrder(t *testing.T) {
	f := &dedupe.Filter{Store: new(marks)}
	changes := []envelope.Change{
		upsert(orders, 1, at(2), `,"v":2`), upsert(orders, 1, at(1), ""), upsert(orders, 1, at(2), `,"v":2`), upsert(orders, 1, at(3), ""),
		{Op: envelope.OpDelete, Table: orders}, upsert(orders, 2, at(9), ""), {Op: envelope.OpHeartbeat}, truncate(items, at(4)), truncate(items, at(5)),
	}
	order, errs := []int{7, 7, 7, 7, 7, 7, 7, 7, 7}, make([]error, len(changes))
	errs[0] = assert.AnError
	raise, err := f.Order(t.Context(), changes, order, errs)
	require.NoError(t, err)
	// Newer than what is known of the row is 0 too: it may be there.
	assert.Equal(t, []int{1, -1, 0, 0, 0, 1, 0, 0, 0}, order)
	for i, err := range errs {
		assert.Equal(t, i == 4, err != nil, i)
	}
	// Of row 1 version 3 was not sent, of row 2 nothing, and the second truncate was not.
	require.NoError(t, raise(t.Context(), []bool{true, false, true, false, false, false, true, true, false}))
	n, r, s := dedupe.Newer, dedupe.Repeat, dedupe.Stale
	assert.Equal(t, []dedupe.Verdict{r, s, r, n, dedupe.Failed, n, dedupe.Rowless, r, n}, verdicts(admit(t, f, changes...)))
	assert.ErrorIs(t, raise(t.Context(), make([]bool, len(changes))), dedupe.ErrFinished)

	cause := assert.AnError
	f.Store.(*marks).before = func(string, int) error { return cause }
	_, err = f.Order(t.Context(), changes, order, errs)
	assert.ErrorIs(t, err, cause)
}
