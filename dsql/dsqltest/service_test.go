package dsqltest_test

import (
	"bytes"
	"testing"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

// By default an image of 30 MiB is cut into fragments whose records are as
// large as the service's: below 10 MiB, and all but the last just below.
func TestServiceLimits(t *testing.T) {
	s := generate(t, dsqltest.Generator{Seed: 3, Transactions: 1, PerTransaction: 1, Large: 1, LargeBytes: 30 * mib})
	records := all(t, s)
	total := 0
	for _, d := range records {
		if d.kind == "chunked" {
			total = d.chunked[after].Total
			require.Less(t, len(d.raw), 2000)
		}
	}
	require.GreaterOrEqual(t, total, 4)
	require.Len(t, records, total+1)
	for _, d := range records {
		if d.kind != "fragment" {
			continue
		}
		require.Less(t, len(d.raw), 10*mib)
		if d.index < total-1 {
			require.Greater(t, len(d.raw), 10*mib-2048)
		}
	}
	for _, d := range joined(t, records) {
		require.Greater(t, len(d.images[after]), 30*mib)
		require.True(t, bytes.Contains(s.Whole[0], d.images[after]))
	}
}

// A record of 9 MiB or a little less is not cut.
func TestServiceThreshold(t *testing.T) {
	s := generate(t, dsqltest.Generator{Transactions: 1, PerTransaction: 1, Large: 1, LargeBytes: 9*mib - 8192})
	records := all(t, s)
	require.Len(t, records, 1)
	require.Equal(t, "full", records[0].kind)
	require.Greater(t, len(records[0].raw), 9*mib-10_000)
}

// SplitAt is the largest size that is not cut.
func TestThreshold(t *testing.T) {
	g := dsqltest.Generator{Transactions: 1, PerTransaction: 1, Large: 1, LargeBytes: 5000}
	g.SplitAt = len(generate(t, g).Whole[0])
	require.Len(t, all(t, generate(t, g)), 1)
	g.SplitAt--
	require.Greater(t, len(all(t, generate(t, g))), 1)
}

// Large keys are in every record of their rows, so that deletes are cut; the
// deletes of other rows are not.
func TestLargeKeys(t *testing.T) {
	s := generate(t, dsqltest.Generator{Transactions: 200, SplitAt: 4000, FragmentBytes: 3000, LargeKeys: true})
	documents := envelope.Table{Schema: "public", Name: "documents"}
	cut, full := 0, 0
	rows := map[string]bool{}
	for _, d := range joined(t, all(t, s)) {
		if d.op == "d" && d.kind == "chunked" {
			require.Equal(t, documents, d.table())
			require.Contains(t, d.chunked, before)
			require.NotContains(t, d.chunked, after)
			require.Greater(t, len(d.images[before]), 4000)
			cut++
		} else if d.op == "d" {
			full++
		}
		if id := rowID(t, s, d.parsed); len(id) > 4000 {
			rows[id] = true
		}
	}
	assert.Greater(t, cut, 3)
	assert.Greater(t, full, 30)
	assert.Len(t, rows, 3, "a quarter of the twelve")

	s = generate(t, dsqltest.Generator{LargeKeys: true, LargeBytes: 1, Rows: 500})
	assert.NotEmpty(t, s.Whole, "however short, there are enough different keys")
}
