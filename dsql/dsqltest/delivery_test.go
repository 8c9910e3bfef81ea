package dsqltest_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// disorder is the share of pairs of records that are not in the order of their
// changes.
func disorder(records []delivered) float64 {
	n, wrong := 0, 0
	for i, a := range records {
		for _, b := range records[:i] {
			if a.change == b.change {
				continue
			}
			n++
			if b.change > a.change {
				wrong++
			}
		}
	}
	return float64(wrong) / float64(n)
}

// Records of a row, of a transaction and of an image are on all shards, in any
// order; a short Lag keeps the order of the transactions.
func TestScatter(t *testing.T) {
	g := dsqltest.Generator{SplitAt: 1, FragmentBytes: 100, Transactions: 60}
	s := generate(t, g)
	records := arrivals(all(t, s))
	assert.InDelta(t, 0.5, disorder(records), 0.2, "a half is chance")

	place := map[int]int{} // of the first record of each change, as a share of the stream
	farthest := 0
	for i, d := range records {
		if _, ok := place[d.change]; !ok {
			place[d.change] = i
		}
		if d.kind == "fragment" {
			farthest = max(farthest, i-place[d.change])
		}
	}
	assert.Greater(t, farthest, len(records)/2, "an image's parts are far from one another")

	sorted, mains, lasts := 0, 0, 0
	used := map[int]map[int]bool{}
	at := map[int]int{} // fragments so far
	high := map[string]int{}
	for _, d := range records {
		if used[d.change] == nil {
			used[d.change] = map[int]bool{}
		}
		used[d.change][d.shard] = true
		switch {
		case d.kind == "fragment":
			if d.index >= high[d.chunkID] {
				sorted++
			}
			high[d.chunkID] = max(high[d.chunkID], d.index)
			at[d.change]++
		case at[d.change] == 0:
			mains++
		default:
			lasts++
		}
	}
	assert.Less(t, sorted, len(records)*3/4, "fragments come in any order")
	assert.Positive(t, mains, "a main record precedes its fragments")
	assert.Positive(t, lasts, "a main record follows fragments")
	many := 0
	for _, shards := range used {
		if len(shards) > 1 {
			many++
		}
	}
	assert.Greater(t, many, len(used)/2)
	for _, shard := range s.Shards {
		assert.Greater(t, len(shard.Records), len(records)/8)
	}

	g.Lag = time.Nanosecond
	s = generate(t, g)
	last := int64(0)
	wholes := whole(t, s)
	for _, shard := range s.Shards {
		last = 0
		for _, change := range shard.Changes {
			require.GreaterOrEqual(t, wholes[change].commit(t), last)
			last = wholes[change].commit(t)
		}
	}
}

// The mean of what comes again is what was asked for; repeats come at once or
// much later, on any shard, and some say that they were processed later.
func TestRepeats(t *testing.T) {
	for _, mean := range []float64{0, 0.25, 2} {
		s := generate(t, dsqltest.Generator{Repeats: mean, SplitAt: 500, FragmentBytes: 100, Transactions: 150})
		type id struct {
			change int
			chunk  string
			index  int
		}
		first := map[id]delivered{}
		place := map[id]int{}
		again := map[string]int{}
		elsewhere, later, same, longest := 0, 0, 0, 0
		records := arrivals(all(t, s))
		for i, d := range records {
			k := id{d.change, d.chunkID, d.index}
			old, ok := first[k]
			if !ok {
				first[k], place[k] = d, i
				continue
			}
			again[d.kind]++
			longest = max(longest, i-place[k])
			if d.shard != old.shard {
				elsewhere++
			}
			switch {
			case string(d.raw) == string(old.raw):
				same++
			default:
				require.NotEqual(t, "fragment", d.kind)
				require.Greater(t, integer(t, d.tsNs), integer(t, parse(t, s.Whole[d.change]).tsNs))
				later++
			}
		}
		repeated := len(records) - len(first)
		assert.InDelta(t, mean, float64(repeated)/float64(len(first)), mean/5)
		if mean == 0 {
			continue
		}
		assert.Greater(t, elsewhere, repeated/2)
		assert.Less(t, elsewhere, repeated)
		assert.Greater(t, longest, len(records)/2)
		mains := again["full"] + again["chunked"]
		assert.InDelta(t, 0.5, float64(later)/float64(mains), 0.15)
		assert.Len(t, again, 3, "every type repeats")
	}
}

var sequence = regexp.MustCompile(`^[1-9][0-9]{55}$`)

// Sequence numbers and arrival times increase within each shard.
func TestShards(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		want := v.g.Shards
		if want == 0 {
			want = 4
		}
		if v.g.Reshards == 0 {
			require.Len(t, v.s.Shards, want)
		}
		ids := map[string]bool{}
		for i, shard := range v.s.Shards {
			require.Regexp(t, `^shardId-\d{12}$`, shard.ID)
			require.False(t, ids[shard.ID])
			ids[shard.ID] = true
			if i < want {
				require.Empty(t, shard.Parents)
			}
			if v.g.Reshards == 0 {
				require.False(t, shard.Closed)
			}
			for k, r := range shard.Records {
				if !sequence.MatchString(r.Sequence) || r.Arrival.UnixNano()%1e6 != 0 {
					require.Fail(t, "sequence number or arrival time", "%s %s", r.Sequence, r.Arrival)
				}
				if k == 0 {
					continue
				}
				last := shard.Records[k-1]
				if r.Sequence <= last.Sequence || !r.Arrival.After(last.Arrival) {
					require.Fail(t, "out of order", "%s %s, %s %s", last.Sequence, last.Arrival, r.Sequence, r.Arrival)
				}
			}
		}
	})
}

// A closed shard has two children of its own or one that it shares, which begin
// after it ended.
func TestReshards(t *testing.T) {
	splits, merges := 0, 0
	most, fewest := 0, 8
	for seed := range uint64(20) {
		g := dsqltest.Generator{Seed: seed, Shards: 3, Reshards: 5}
		s := generate(t, g)
		byID := map[string]dsqltest.Shard{}
		children := map[string][]dsqltest.Shard{}
		for _, shard := range s.Shards {
			byID[shard.ID] = shard
			for _, p := range shard.Parents {
				parent, ok := byID[p]
				require.True(t, ok, "parents precede their children")
				require.True(t, parent.Closed)
				children[p] = append(children[p], shard)
				if n := len(parent.Records); n > 0 && len(shard.Records) > 0 {
					require.Greater(t, shard.Records[0].Sequence, parent.Records[n-1].Sequence)
					require.True(t, shard.Records[0].Arrival.After(parent.Records[n-1].Arrival))
				}
			}
		}
		done, open := 0, 0
		for _, shard := range s.Shards {
			mine := children[shard.ID]
			if !shard.Closed {
				open++
			}
			require.Equal(t, shard.Closed, len(mine) > 0)
			switch {
			case len(mine) == 2:
				require.Len(t, mine[0].Parents, 1)
				require.Len(t, mine[1].Parents, 1)
				splits++
				done += 2
			case len(mine) == 1:
				require.Len(t, mine[0].Parents, 2)
				merges++
				done++
			}
		}
		require.Equal(t, 2*g.Reshards, done)
		most, fewest = max(most, open), min(fewest, open)
	}
	assert.Positive(t, splits)
	assert.Positive(t, merges)
	assert.Greater(t, most, 4, "there come to be many")
	assert.Less(t, fewest, 3, "there come to be few")
}

// Some records of the resharded stream's images lie on both sides of a
// resharding.
func TestReshardsCutImages(t *testing.T) {
	s := generate(t, dsqltest.Generator{SplitAt: 1, FragmentBytes: 50, Shards: 1, Reshards: 1})
	sides := map[int]map[bool]bool{}
	for _, shard := range s.Shards {
		for _, change := range shard.Changes {
			if sides[change] == nil {
				sides[change] = map[bool]bool{}
			}
			sides[change][shard.Closed] = true
		}
	}
	require.True(t, slices.ContainsFunc(s.Shards, func(s dsqltest.Shard) bool { return s.Closed }))
	both := 0
	for _, s := range sides {
		if len(s) == 2 {
			both++
		}
	}
	assert.Greater(t, both, 10)
}
