package dsql_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
)

// A consumer reads all shards of a generated stream, with a sink and
// checkpoints that outlive its crashes.
type consumer struct {
	t      require.TestingT
	stream *dsqltest.Stream
	limits dsql.Limits
	store  *ledger            // of the present Reassembler
	common dsql.FragmentStore // if the store is not its own

	// What outlives a crash.
	sink   map[string]bool
	floors map[string]dsql.Floor

	// What does not.
	r     *dsql.Reassembler
	d     *dsql.Decoder
	next  []int // per shard, the index of the record to read next
	batch []string
}

// A ledger is a Memory that knows whose fragments it has.
type ledger struct {
	dsql.Memory
	ids  map[string]bool // false if it has forgotten them
	vain int             // how often it was to forget again what it had forgotten
}

func (l *ledger) has() (ids []string) {
	for id, has := range l.ids {
		if has {
			ids = append(ids, id)
		}
	}
	return ids
}

func newLedger() *ledger { return &ledger{ids: map[string]bool{}} }

func (l *ledger) Put(ctx context.Context, id string, index int, data envelope.Value) error {
	l.ids[id] = true
	return l.Memory.Put(ctx, id, index, data)
}

func (l *ledger) Forget(ctx context.Context, id string) error {
	if has, known := l.ids[id]; known && !has {
		l.vain++
	}
	l.ids[id] = false
	return l.Memory.Forget(ctx, id)
}

// text tells all that a decoded change says of its record.
func text(c *envelope.Change) string {
	return fmt.Sprintf("%s %s %d %s %s %s", c.Op, c.Table, c.Time, c.TxID, c.Before, c.After)
}

// wholes returns the changes of the records that were never cut.
func wholes(t require.TestingT, s *dsqltest.Stream) map[string]bool {
	var d dsql.Decoder
	want := map[string]bool{}
	for _, record := range s.Whole {
		var c envelope.Change
		if err := d.Decode(&c, record); !errors.Is(err, dsql.ErrNoPrimaryKey) {
			require.NoError(t, err)
		}
		want[text(&c)] = true
	}
	return want
}

func newConsumer(t require.TestingT, s *dsqltest.Stream, limits dsql.Limits) *consumer {
	c := &consumer{t: t, stream: s, limits: limits, sink: map[string]bool{}, floors: map[string]dsql.Floor{}}
	c.restart()
	return c
}

// A durable store is another one that says so.
type durable struct{ dsql.FragmentStore }

func (durable) Durable() bool { return true }

// shares makes the consumer use a durable store, from now on.
func (c *consumer) shares(store dsql.FragmentStore) {
	c.common = store
	c.restart()
}

func (c *consumer) restart() {
	c.store = newLedger()
	c.r = &dsql.Reassembler{Limits: c.limits, Store: c.store}
	if c.common != nil {
		c.r.Store = durable{c.common}
	}
	c.d = new(dsql.Decoder)
	c.batch = nil
	c.next = make([]int, len(c.stream.Shards))
	c.seek(c.floors)
}

func (c *consumer) seek(floors map[string]dsql.Floor) {
	for i := range c.stream.Shards {
		s := &c.stream.Shards[i]
		f, ok := floors[s.ID]
		if !ok {
			f = dsql.Floor{Shard: s.ID}
		}
		at, err := s.Resume(f)
		require.NoError(c.t, err)
		c.next[i] = at
	}
}

// left returns the shards that have records.
func (c *consumer) left() (shards []int) {
	for i, at := range c.next {
		if at < len(c.stream.Shards[i].Records) {
			shards = append(shards, i)
		}
	}
	return shards
}

func (c *consumer) read(shard int) {
	s := &c.stream.Shards[shard]
	record := s.Records[c.next[shard]]
	out, err := c.r.Add(context.Background(), record)
	if errors.Is(err, dsql.ErrUncommitted) {
		require.Nil(c.t, out)
		c.commit()
		out, err = c.r.Add(context.Background(), record)
	}
	for errors.Is(err, errFlaky) {
		out, err = c.r.Add(context.Background(), record)
	}
	require.NoError(c.t, err)
	if c.next[shard]++; c.next[shard] == len(s.Records) && s.Closed {
		c.r.Close(s.ID)
	}
	c.take(out)
}

func (c *consumer) take(out []byte) {
	if out == nil {
		return
	}
	var change envelope.Change
	if err := c.d.Decode(&change, out); !errors.Is(err, dsql.ErrNoPrimaryKey) {
		require.NoError(c.t, err)
	}
	c.batch = append(c.batch, text(&change))
}

func (c *consumer) poll() {
	for out, err := range c.r.Poll(context.Background()) {
		if !errors.Is(err, errFlaky) {
			require.NoError(c.t, err)
		}
		c.take(out)
	}
}

// commit hands the batch to the sink and stores the floors.
func (c *consumer) commit() {
	for _, change := range c.batch {
		c.sink[change] = true
	}
	c.batch = nil
	err := c.r.Commit(context.Background(), func(floors []dsql.Floor) error {
		for _, f := range floors {
			c.floors[f.Shard] = f
		}
		return nil
	})
	if !errors.Is(err, errFlaky) {
		require.NoError(c.t, err)
	}
}

// discard is a sink that fails: the consumer goes back to the floors.
func (c *consumer) discard() {
	c.batch = nil
	c.r.Discard()
	c.seek(c.now())
}

// now returns the floors of this moment.
func (c *consumer) now() map[string]dsql.Floor {
	floors := maps.Clone(c.floors)
	for _, f := range c.r.Floors() {
		floors[f.Shard] = f
	}
	return floors
}

// rewind reads a shard again from its floor, as after a lost iterator.
func (c *consumer) rewind(shard int) {
	s := &c.stream.Shards[shard]
	if f, ok := c.now()[s.ID]; ok {
		at, err := s.Resume(f)
		require.NoError(c.t, err)
		c.next[shard] = min(c.next[shard], at)
	}
}

// end commits, gives up what is left, which must be repeats, and commits again.
func (c *consumer) end(want map[string]bool, repeats bool) {
	c.poll()
	c.commit()
	require.Equal(c.t, want, c.sink)
	orphans, err := c.r.Expire(context.Background(), time.Now().AddDate(100, 0, 0))
	require.NoError(c.t, err)
	if !repeats {
		require.Empty(c.t, orphans, "parts were read again without the others")
	}
	require.Empty(c.t, c.store.has(), "fragments were left behind")
	require.Zero(c.t, c.store.vain)
	c.commit()
	require.Empty(c.t, c.r.Pending())
	for _, s := range c.stream.Shards {
		f := c.floors[s.ID]
		if len(s.Records) == 0 {
			continue
		}
		require.Equal(c.t, dsql.Floor{Shard: s.ID, Sequence: s.Records[len(s.Records)-1].Sequence, After: true, End: s.Closed}, f)
	}
}

func drawStream(t *rapid.T) (s *dsqltest.Stream, repeats bool) {
	g := dsqltest.Generator{
		Seed:           rapid.Uint64().Draw(t, "seed"),
		Transactions:   rapid.IntRange(1, 30).Draw(t, "transactions"),
		NoPrimaryKey:   rapid.Bool().Draw(t, "no primary key"),
		SplitAt:        rapid.SampledFrom([]int{1, 300, 600}).Draw(t, "split at"),
		FragmentBytes:  rapid.SampledFrom([]int{7, 40, 200, 10000}).Draw(t, "fragment bytes"),
		Before:         rapid.Bool().Draw(t, "before"),
		Preview:        rapid.Bool().Draw(t, "preview"),
		Untyped:        rapid.Bool().Draw(t, "untyped"),
		Large:          rapid.Float64Range(0, 1).Draw(t, "large"),
		Shards:         rapid.IntRange(1, 5).Draw(t, "shards"),
		Reshards:       rapid.IntRange(0, 3).Draw(t, "reshards"),
		Repeats:        rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "repeats"),
		PerTransaction: 3,
	}
	s, err := g.Stream()
	require.NoError(t, err)
	return s, g.Repeats > 0
}

// Whatever is cut, however it is spread, ordered and repeated, wherever the
// consumer crashes or its sink fails: with the floors it gets every record.
func TestConsumer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, repeats := drawStream(t)
		want := wholes(t, s)
		c := newConsumer(t, s, dsql.Limits{})
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		crash := rapid.SampledFrom([]float64{0, 0.002, 0.01}).Draw(t, "crash")
		fail := rapid.SampledFrom([]float64{0, 0.002, 0.01}).Draw(t, "fail")
		rewind := rapid.SampledFrom([]float64{0, 0.01}).Draw(t, "rewind")
		commit := rapid.SampledFrom([]float64{0.01, 0.1, 1}).Draw(t, "commit")
		run(c, r, crash, fail, rewind, commit)
		c.end(want, repeats && crash > 0)
	})
}

// run reads the stream to its end, a few dozen records of a shard at a time.
func run(c *consumer, r *rand.Rand, crash, fail, rewind, commit float64) {
	shard, more := 0, 0
	for trouble := 0; ; {
		left := c.left()
		if len(left) == 0 {
			return
		}
		if more == 0 || c.next[shard] >= len(c.stream.Shards[shard].Records) {
			shard, more = left[r.IntN(len(left))], 1+r.IntN(30)
		}
		c.read(shard)
		more--
		require.NoError(c.t, c.r.Check())
		switch p := r.Float64(); {
		case p < commit:
			c.commit()
		case trouble > 20:
		case p < commit+crash:
			trouble++
			c.restart()
		case p < commit+crash+fail:
			trouble++
			c.discard()
		case p < commit+crash+fail+rewind:
			trouble++
			c.rewind(r.IntN(len(c.next)))
		}
	}
}
