package dsql_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/fragtest"
	"github.com/rowdelta/rowdelta/envelope"
)

func TestMemory(t *testing.T) {
	fragtest.Run(t, func(*testing.T) dsql.FragmentStore { return new(dsql.Memory) })
}

// A flaky store fails before or after it did what it was asked to.
type flaky struct {
	dsql.FragmentStore
	fails func() (before, after bool)
}

var errFlaky = errors.New("store: 503")

func (s *flaky) try(do func() error) error {
	before, after := s.fails()
	if before {
		return errFlaky
	}
	if err := do(); err != nil {
		return err
	}
	if after {
		return errFlaky
	}
	return nil
}

func (s *flaky) Put(ctx context.Context, id string, index int, data envelope.Value) error {
	return s.try(func() error { return s.FragmentStore.Put(ctx, id, index, data) })
}

func (s *flaky) Join(ctx context.Context, dst []byte, id string, total int) (out []byte, err error) {
	out = dst
	err = s.try(func() error { out, err = s.FragmentStore.Join(ctx, dst, id, total); return err })
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (s *flaky) Forget(ctx context.Context, id string) error {
	return s.try(func() error { return s.FragmentStore.Forget(ctx, id) })
}

// While the store fails, the floor stays, and the record can be added again.
func TestStoreFails(t *testing.T) {
	failing := false
	store := &flaky{new(dsql.Memory), func() (bool, bool) { return failing, false }}
	f := newFeed(t, &dsql.Reassembler{Store: store})
	fails := func(shard string, data []byte) {
		t.Helper()
		failing = true
		out, err := f.try(shard, data)
		require.ErrorIs(t, err, errFlaky)
		require.False(t, envelope.IsPermanent(err))
		require.Nil(t, out)
		failing = false
	}
	fails("a", part("x", 1)) // a1
	fails("a", part("x", 1)) // a2
	f.commit()
	assert.Equal(t, "a@1", f.floors())
	f.n["a"] = 1
	f.add("a", whole()) // a2
	f.commit()
	assert.Equal(t, "a@1", f.floors(), "the caller went on without it")
	_, err := f.again("a", 2, whole())
	require.NoError(t, err)
	f.commit()
	assert.Equal(t, "a@1", f.floors())
	_, err = f.again("a", 1, part("x", 1))
	require.NoError(t, err)
	_, err = f.again("a", 2, whole())
	require.NoError(t, err)
	f.add("b", part("x", 2))
	fails("c", part("x", 0)) // Join
	f.commit()
	assert.Equal(t, "a@1 b@1 c@1", f.floors())
	n := 0
	for out, err := range f.r.Poll(ctx) {
		require.NoError(t, err)
		assert.Equal(t, image, string(decode(t, out).After))
		n++
	}
	assert.Equal(t, 1, n)
	failing = true
	assert.ErrorIs(t, f.r.Commit(ctx, nil), errFlaky)
	failing = false
	f.commit()
	_, err = f.again("c", 1, part("x", 0))
	require.NoError(t, err)
	f.commit()
	assert.Equal(t, "a+2 b+1 c+1", f.floors())
	_, err = store.Join(ctx, nil, "x", 2)
	assert.ErrorIs(t, err, dsql.ErrIncomplete, "it is forgotten in the end")
}

// What a durable store could not forget, it forgets at the next commit.
func TestForgettingFails(t *testing.T) {
	failing := true
	ids := newLedger()
	f := newFeed(t, &dsql.Reassembler{Store: durable{&flaky{ids, func() (bool, bool) { return failing && ids.ids["x"], false }}}})
	f.add("a", part("x", 1))
	failing = false
	f.add("a", part("x", 2))
	require.NotNil(t, f.add("a", part("x", 0)))
	failing = true
	for range 2 {
		assert.ErrorIs(t, f.r.Commit(ctx, func([]dsql.Floor) error { return nil }), errFlaky)
		assert.Equal(t, "a+3", f.floors())
		assert.NotEmpty(t, ids.has())
	}
	failing = false
	f.commit()
	assert.Empty(t, ids.has())
	f.commit()
	assert.Zero(t, ids.vain)
}

// A store that spoils what it has: a record that was right is not returned wrong
// when it comes again.
func TestStoreSpoils(t *testing.T) {
	spoiled := false
	f := newFeed(t, &dsql.Reassembler{Store: spoiling{new(dsql.Memory), &spoiled}})
	for i := range 2 {
		f.add("a", part("x", i+1))
	}
	require.NotNil(t, f.add("a", part("x", 0)))
	require.NoError(t, f.r.Check())
	spoiled = true
	fault := f.fails("a", part("x", 0), dsql.ErrChecksum)
	require.Len(t, fault.Lost, 1)
	require.NoError(t, f.r.Check())
	f.commit()
	require.NoError(t, f.r.Check())
	assert.Equal(t, "a+4", f.floors())
}

// A store that lost what it had taken is a failure of the store, not a record
// that is still to be completed.
func TestStoreLoses(t *testing.T) {
	var m dsql.Memory
	f := newFeed(t, &dsql.Reassembler{Store: &m})
	f.add("a", part("x", 1))
	f.add("a", part("x", 2))
	require.NoError(t, m.Forget(ctx, "x"))
	_, err := f.try("a", part("x", 0))
	require.ErrorIs(t, err, dsql.ErrIncomplete)
	assert.False(t, envelope.IsPermanent(err))
	f.commit()
	assert.Equal(t, "a@1", f.floors())
}

// What a store says it will never join is given up.
func TestStoreRefuses(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Store: durable{refusing{new(dsql.Memory)}}})
	f.add("a", part("x", 1))
	assert.Len(t, f.fails("a", part("x", 0), envelope.ErrLimit).Lost, 1)
	f.commit()
	assert.Equal(t, "a+2", f.floors())
	f.fails("a", fragment("y", 0, "too large"), envelope.ErrLimit)
}

type refusing struct{ dsql.FragmentStore }

func (s refusing) Put(ctx context.Context, id string, index int, data envelope.Value) error {
	if id == "y" {
		return &envelope.DecodeError{Err: envelope.ErrLimit}
	}
	return s.FragmentStore.Put(ctx, id, index, data)
}

func (refusing) Join(context.Context, []byte, string, int) ([]byte, error) {
	return nil, &envelope.DecodeError{Err: envelope.ErrLimit}
}

// Only when it is joined does it show how large an image is that others stored.
func TestDurableLimit(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Store: durable{new(dsql.Memory)}, Limits: dsql.Limits{ImageBytes: len(image) - 1}})
	f.add("a", part("x", 1))
	f.add("a", part("x", 2))
	assert.Len(t, f.fails("a", part("x", 0), envelope.ErrLimit).Lost, 1)
	require.NoError(t, f.r.Check())
}

type spoiling struct {
	dsql.FragmentStore
	spoiled *bool
}

func (s spoiling) Join(ctx context.Context, dst []byte, id string, total int) ([]byte, error) {
	out, err := s.FragmentStore.Join(ctx, dst, id, total)
	if *s.spoiled {
		out[len(out)-2] ^= 1
	}
	return out, err
}

// Fragments that a durable store has hold no floor, and what other processes
// put there completes a record.
func TestDurable(t *testing.T) {
	ids := newLedger()
	store := durable{ids}
	one, two := newFeed(t, &dsql.Reassembler{Store: store}), newFeed(t, &dsql.Reassembler{Store: store})
	one.add("a", part("x", 1))
	one.commit()
	assert.Equal(t, "a+1", one.floors())
	assert.Empty(t, one.r.Pending())
	assert.Nil(t, two.add("b", part("x", 0)))
	two.commit()
	assert.Equal(t, "b@1", two.floors())
	for range two.r.Poll(ctx) {
		t.Fatal("it is not complete")
	}
	one.add("a", part("x", 2))
	one.commit()
	for out, err := range two.r.Poll(ctx) {
		require.NoError(t, err)
		assert.Equal(t, image, string(decode(t, out).After))
	}
	assert.Equal(t, "b@1", two.floors())

	failed := errors.New("disk full")
	assert.ErrorIs(t, two.r.Commit(ctx, func([]dsql.Floor) error { return failed }), failed)
	assert.NotEmpty(t, ids.has(), "after a restart it is needed")
	two.commit()
	assert.Equal(t, "b+1", two.floors())
	assert.Empty(t, ids.has())

	// The last fragment comes through the process that has the main record.
	one.add("a", part("y", 1))
	two.add("b", part("y", 0))
	assert.Equal(t, image, string(decode(t, two.add("b", part("y", 2))).After))
	require.NoError(t, two.r.Commit(ctx, nil))
	assert.NotEmpty(t, ids.has(), "nobody knows of a checkpoint")

	// Or it is the main record.
	one.add("a", part("z", 1))
	one.add("a", part("z", 2))
	assert.Equal(t, image, string(decode(t, two.add("b", part("z", 0))).After))
	two.commit()

	// A conflict is the store's to find.
	one.add("a", part("w", 1))
	two.fails("b", fragment("w", 0, "other"), dsql.ErrConflict)
	two.fails("b", fragment("w", 1024, "far"), envelope.ErrLimit)

	// What is given up stays there.
	two.add("b", part("w", 0))
	orphans, err := two.r.Expire(ctx, time.Unix(1<<40, 0))
	require.NoError(t, err)
	assert.Len(t, orphans, 1)
	two.commit()
	assert.True(t, ids.ids["w"])
}

// Several processes read the shards of one stream, share a store, and crash.
func TestSharedStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, repeats := drawStream(t)
		want := wholes(t, s)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 2))
		crash := rapid.SampledFrom([]float64{0, 0.01}).Draw(t, "crash")
		trouble := rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "trouble")
		store := newLedger()
		process := make([]*consumer, 3)
		for i := range process {
			process[i] = newConsumer(t, s, dsql.Limits{})
			process[i].shares(&flaky{store, func() (bool, bool) { p := r.Float64(); return p < trouble/2, p > 1-trouble/2 }})
			if i > 0 {
				process[i].sink = process[0].sink
			}
		}
		var busy []int
		for step := 0; ; step++ {
			busy = busy[:0]
			for i, c := range process {
				for _, shard := range c.left() {
					if shard%len(process) == i {
						busy = append(busy, shard)
					}
				}
			}
			if len(busy) == 0 {
				break
			}
			shard := busy[r.IntN(len(busy))]
			c := process[shard%len(process)]
			c.read(shard)
			switch p := r.Float64(); {
			case p < 0.1:
				c.poll()
				c.commit()
			case p < 0.1+crash && step < 2000:
				c.restart()
			}
		}
		trouble = 0
		for _, c := range process {
			c.poll()
			c.commit()
		}
		require.Equal(t, want, process[0].sink)
		for _, c := range process {
			if !repeats {
				require.Empty(t, c.r.Pending())
			}
		}
	})
}
