package dsqltest_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The same Generator gives the same stream; another seed, or another value of
// any field, gives another one.
func TestDeterministic(t *testing.T) {
	g := dsqltest.Generator{Seed: 7, SplitAt: 600, FragmentBytes: 100, Repeats: 0.3, Reshards: 2, NoPrimaryKey: true, Large: 0.1}
	s := generate(t, g)
	require.Equal(t, s, generate(t, g))
	for name, change := range map[string]func(*dsqltest.Generator){
		"Seed":           func(g *dsqltest.Generator) { g.Seed++ },
		"Transactions":   func(g *dsqltest.Generator) { g.Transactions = 3 },
		"PerTransaction": func(g *dsqltest.Generator) { g.PerTransaction = 2 },
		"Rows":           func(g *dsqltest.Generator) { g.Rows = 2 },
		"NoPrimaryKey":   func(g *dsqltest.Generator) { g.NoPrimaryKey = false },
		"Cluster":        func(g *dsqltest.Generator) { g.Cluster = "other" },
		"Large":          func(g *dsqltest.Generator) { g.Large = 0.2 },
		"LargeBytes":     func(g *dsqltest.Generator) { g.LargeBytes = 5000 },
		"LargeKeys":      func(g *dsqltest.Generator) { g.LargeKeys = true },
		"SplitAt":        func(g *dsqltest.Generator) { g.SplitAt = 700 },
		"FragmentBytes":  func(g *dsqltest.Generator) { g.FragmentBytes = 101 },
		"Before":         func(g *dsqltest.Generator) { g.Before = true },
		"Preview":        func(g *dsqltest.Generator) { g.Preview = true },
		"Untyped":        func(g *dsqltest.Generator) { g.Untyped = true },
		"Shards":         func(g *dsqltest.Generator) { g.Shards = 3 },
		"Reshards":       func(g *dsqltest.Generator) { g.Reshards = 3 },
		"Lag":            func(g *dsqltest.Generator) { g.Lag = time.Hour },
		"Repeats":        func(g *dsqltest.Generator) { g.Repeats = 0.5 },
	} {
		_, ok := reflect.TypeFor[dsqltest.Generator]().FieldByName(name)
		require.True(t, ok, name)
		other := g
		change(&other)
		assert.False(t, reflect.DeepEqual(s, generate(t, other)), name)
	}
	assert.Equal(t, 18, reflect.TypeFor[dsqltest.Generator]().NumField())
}

// Rows bounds the rows of a table, PerTransaction those of a transaction.
func TestBounds(t *testing.T) {
	s := generate(t, dsqltest.Generator{Transactions: 200, Rows: 3, PerTransaction: 2})
	ids, perTx := map[string]bool{}, map[string]int{}
	for _, w := range whole(t, s) {
		ids[w.source.Table+rowID(t, s, w)] = true
		perTx[w.source.TxID]++
	}
	assert.Len(t, ids, 4*3)
	for _, n := range perTx {
		require.LessOrEqual(t, n, 2)
	}
}

func TestSettings(t *testing.T) {
	for name, g := range map[string]dsqltest.Generator{
		"Transactions":   {Transactions: -1},
		"PerTransaction": {PerTransaction: -1},
		"Rows":           {Rows: -1},
		"Shards":         {Shards: -1},
		"Reshards":       {Reshards: -1},
		"SplitAt":        {SplitAt: -1},
		"FragmentBytes":  {FragmentBytes: -1},
		"LargeBytes":     {LargeBytes: -1},
		"Large":          {Large: 1.1},
		"Large ":         {Large: math.NaN()},
		"Repeats":        {Repeats: -0.1},
		"Repeats ":       {Repeats: math.Inf(1)},
		"Lag":            {Lag: -time.Second},
		"Lag ":           {Lag: math.MaxInt64},
	} {
		s, err := g.Stream()
		assert.Nil(t, s, name)
		assert.ErrorContains(t, err, strings.TrimSpace(name), name)
	}
	s, err := dsqltest.Generator{Transactions: 1, PerTransaction: 1, Rows: 1, Lag: 365 * 24 * time.Hour, Repeats: 100, Shards: 1}.Stream()
	require.NoError(t, err)
	require.Len(t, s.Whole, 1)
}

// Merge gives every record once, each shard in its order and after its parents.
func TestMerge(t *testing.T) {
	ahead := 0
	var orders []string
	for seed := range uint64(20) {
		s := generate(t, dsqltest.Generator{Seed: seed % 4, Shards: 3, Reshards: int(seed % 3), Repeats: 0.3})
		merged := s.Merge(rand.New(rand.NewPCG(seed, 9)))
		require.Equal(t, merged, s.Merge(rand.New(rand.NewPCG(seed, 9))))
		left, parents := map[string][]dsql.Record{}, map[string][]string{}
		for _, shard := range s.Shards {
			left[shard.ID], parents[shard.ID] = shard.Records, shard.Parents
		}
		order := ""
		for i, r := range merged {
			require.NotEmpty(t, left[r.Shard])
			require.Equal(t, left[r.Shard][0], r)
			left[r.Shard] = left[r.Shard][1:]
			for _, p := range parents[r.Shard] {
				require.Empty(t, left[p])
			}
			order += r.Shard[len(r.Shard)-1:]
			if len(left[r.Shard]) == 0 && i < len(merged)/2 && len(s.Shards) == 3 {
				ahead++
			}
		}
		for id, rest := range left {
			require.Empty(t, rest, id)
		}
		orders = append(orders, order)
	}
	assert.Positive(t, ahead, "one shard is read to its end while others have half of their records")
	assert.NotEqual(t, orders[0], orders[12], "the same stream in two orders")
}

// A shard without records does not keep its children from being read.
func TestMergeEmptyShard(t *testing.T) {
	s := dsqltest.Stream{Shards: []dsqltest.Shard{
		{ID: "a", Closed: true, Records: []dsql.Record{{Shard: "a", Sequence: "1"}}},
		{ID: "b", Closed: true, Parents: []string{"a"}},
		{ID: "c", Parents: []string{"b"}, Records: []dsql.Record{{Shard: "c", Sequence: "2"}}},
	}}
	assert.Equal(t, []dsql.Record{{Shard: "a", Sequence: "1"}, {Shard: "c", Sequence: "2"}}, s.Merge(rand.New(rand.NewPCG(0, 0))))
}

func TestResume(t *testing.T) {
	s := generate(t, dsqltest.Generator{Shards: 2})
	shard := &s.Shards[1]
	n := len(shard.Records)
	require.Greater(t, n, 3)
	for i, r := range shard.Records {
		at, err := shard.Resume(dsql.Floor{Shard: shard.ID, Sequence: r.Sequence})
		require.NoError(t, err)
		require.Equal(t, i, at)
		behind, err := shard.Resume(dsql.Floor{Shard: shard.ID, Sequence: r.Sequence, After: true})
		require.NoError(t, err)
		require.Equal(t, i+1, behind)
	}
	for want, f := range map[int]dsql.Floor{0: {}, n: {Sequence: shard.Records[0].Sequence, End: true}} {
		f.Shard = shard.ID
		at, err := shard.Resume(f)
		require.NoError(t, err)
		assert.Equal(t, want, at)
	}
	for _, f := range []dsql.Floor{
		{Shard: s.Shards[0].ID},
		{Shard: s.Shards[0].ID, End: true},
		{Shard: shard.ID, Sequence: s.Shards[0].Records[0].Sequence},
	} {
		_, err := shard.Resume(f)
		assert.Error(t, err)
	}
}
