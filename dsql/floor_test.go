package dsql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
)

// part returns one of the parts of a record with two fragments: the main record
// (0) or a fragment.
func part(id string, i int) []byte {
	if i == 0 {
		return mainRecord(`"after":` + described(id, image, 2))
	}
	return fragments(id, image, 2)[i-1]
}

func whole() []byte { return []byte(records[0].in) }

func TestFloors(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	assert.Equal(t, "", f.floors())
	f.add("b", whole())
	f.add("b", whole())
	assert.Equal(t, "b@1", f.floors(), "nothing is committed")
	f.commit()
	assert.Equal(t, "b+2", f.floors())
	f.add("b", part("x", 0))
	f.add("b", whole())
	f.add("a", part("x", 1))
	f.add("a", whole())
	assert.Equal(t, "a@1 b@3", f.floors())
	f.commit()
	assert.Equal(t, "a@1 b@3", f.floors(), "the record is incomplete")
	assert.NotNil(t, f.add("b", part("x", 2)))
	assert.Equal(t, "a@1 b@3", f.floors(), "it is not committed")
	f.commit()
	assert.Equal(t, "a+2 b+5", f.floors())
}

// Sequence numbers are compared as numbers.
func TestFloorsCompareNumbers(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.n["a"] = 8
	f.add("a", part("x", 0)) // 9
	f.add("a", part("y", 0)) // 10
	f.commit()
	assert.Equal(t, "a@9", f.floors())
	f.n["b"] = 98
	f.add("b", part("x", 1))
	f.add("b", part("x", 2))
	f.commit()
	assert.Equal(t, "a@10 b+100", f.floors())
}

// A committed record of which one part will be read again is needed as a whole,
// which can make another one be read again in part, and so on.
func TestFloorsChain(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", part("stuck", 1)) // a1
	ids := strings.Split("stuvwxyz", "")
	for i, id := range ids {
		from, to := string(rune('a'+i)), string(rune('b'+i))
		f.add(to, part(id, 2)) // first in the next shard
		f.add(from, part(id, 1))
		require.NotNil(t, f.add(from, part(id, 0)))
	}
	f.commit()
	assert.Equal(t, "a@1 b@1 c@1 d@1 e@1 f@1 g@1 h@1 i@1", f.floors())
	for _, id := range ids {
		assert.Nil(t, f.add("z", part(id, 1)), "it is committed nevertheless")
	}
	f.commit()
	assert.Equal(t, "a@1 b@1 c@1 d@1 e@1 f@1 g@1 h@1 i@1 z@1", f.floors())
	f.add("a", part("stuck", 2))
	require.NotNil(t, f.add("a", part("stuck", 0)))
	f.commit()
	assert.Equal(t, "a+5 b+3 c+3 d+3 e+3 f+3 g+3 h+3 i+1 z+8", f.floors())
	for _, id := range append(ids, "stuck") {
		assert.Nil(t, f.add("z", part(id, 2)), "a repeat")
	}
	assert.Empty(t, f.r.Pending())
}

// Of several parts in one shard the last one counts.
func TestFloorsLastPart(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", part("x", 1))     // a1
	f.add("a", part("stuck", 1)) // a2
	f.add("b", part("x", 2))     // b1
	require.NotNil(t, f.add("a", part("x", 0)))
	f.commit()
	assert.Equal(t, "a@1 b@1", f.floors())
	f.r.Discard()
	require.NoError(t, f.r.Check(), "what was committed stays so")
	assert.Len(t, f.r.Pending(), 1)
}

// Of several parts in one shard the first one counts, also if it comes later.
func TestFloorsFirstPart(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.n["a"] = 4
	f.add("a", part("x", 1))
	_, err := f.again("a", 3, part("x", 1))
	require.NoError(t, err)
	f.commit()
	assert.Equal(t, "a@3", f.floors())
}

// A shard that is read again from an earlier record: what lies behind it is not
// read yet.
func TestFloorsOfRereading(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", whole())      // 1
	f.add("a", whole())      // 2
	f.add("a", part("x", 0)) // 3
	f.add("b", part("y", 0)) // b1
	f.add("a", part("y", 1)) // 4
	require.NotNil(t, f.add("a", part("y", 2)))
	f.commit()
	assert.Equal(t, "a@3 b@1", f.floors(), "y will be read again in a")
	_, err := f.again("a", 1, whole())
	require.NoError(t, err)
	assert.Equal(t, "a@1 b@1", f.floors())
	f.commit()
	assert.Equal(t, "a+1 b@1", f.floors())
	for n, data := range [][]byte{whole(), part("x", 0), part("y", 1), part("y", 2)} {
		_, err := f.again("a", n+2, data)
		require.NoError(t, err)
	}
	f.commit()
	assert.Equal(t, "a@3 b@1", f.floors())
}

func TestClose(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", part("x", 0))
	f.r.Close("a")
	f.r.Close("b") // of which nothing was read
	assert.Equal(t, "a@1 b+.", f.floors())
	f.commit()
	assert.Equal(t, "a@1", f.floors(), "b was reported and is gone")
	f.add("c", part("x", 1))
	f.add("c", part("x", 2))
	var got []dsql.Floor
	require.NoError(t, f.r.Commit(ctx, func(floors []dsql.Floor) error { got = floors; return nil }))
	assert.Equal(t, []dsql.Floor{{Shard: "a", Sequence: "1", After: true, End: true}, {Shard: "c", Sequence: "2", After: true}}, got)
	assert.Equal(t, "c+2", f.floors())
	f.add("a", whole()) // it was not the end
	assert.Equal(t, "a@2 c+2", f.floors())
	f.r.Close("a")
	f.add("a", whole())
	f.commit()
	assert.Equal(t, "a+3 c+2", f.floors())
	f.r.Close("a")
	f.commit()
	assert.Equal(t, "c+2", f.floors())
	f.add("a", whole())
	assert.Equal(t, "a@4 c+2", f.floors())
}

// Nothing of a closed shard is dropped before its floor was stored.
func TestCloseUnsaved(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", whole())
	f.r.Close("a")
	require.NoError(t, f.r.Commit(ctx, nil))
	assert.Equal(t, "a+1.", f.floors())
	failed := errors.New("disk full")
	assert.ErrorIs(t, f.r.Commit(ctx, func([]dsql.Floor) error { return failed }), failed)
	assert.Equal(t, "a+1.", f.floors())
}

// A sink that fails: what was returned comes again as the shards are read again.
func TestDiscard(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", whole())
	f.commit()
	for i := range 3 {
		out := f.add([]string{"a", "b"}[i%2], part("x", i)) // a2 b1 a3
		require.Equal(t, i == 2, out != nil)
	}
	f.add("b", whole()) // b2
	f.r.Discard()
	assert.Equal(t, "a@2 b@1", f.floors())
	f.commit()
	assert.Equal(t, "a@2 b@1", f.floors(), "nothing was returned since")
	assert.Len(t, f.r.Pending(), 1)
	_, err := f.again("b", 1, part("x", 1))
	require.NoError(t, err)
	out, err := f.again("b", 2, whole())
	require.NoError(t, err)
	require.NotNil(t, out)
	f.commit()
	assert.Equal(t, "a@2 b@1", f.floors(), "x is not returned again yet")
	out, err = f.again("a", 2, part("x", 0))
	require.NoError(t, err)
	assert.Equal(t, image, string(decode(t, out).After))
	_, err = f.again("a", 3, part("x", 2))
	require.NoError(t, err)
	f.commit()
	assert.Equal(t, "a+3 b+2", f.floors())
	f.r.Discard()
	assert.Equal(t, "a+3 b+2", f.floors())
}

// What was given up is not taken up again.
func TestDiscardLost(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", part("x", 1))
	f.add("a", fragment("x", 1, "wrong"))
	f.fails("a", part("x", 0), dsql.ErrChecksum)
	f.r.Discard()
	require.NoError(t, f.r.Check())
	assert.Empty(t, f.r.Pending())
	assert.Equal(t, "a@1", f.floors())
	_, err := f.again("a", 1, part("x", 1))
	assert.ErrorIs(t, err, dsql.ErrGivenUp)
}
