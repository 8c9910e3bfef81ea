package dsqltest_test

import (
	"cmp"
	"hash/crc32"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var txID = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Every record of every stream has the members of its type, and values as the
// format has them.
func TestRecords(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		g, s := v.g, v.s
		for _, d := range v.records {
			switch d.kind {
			case "fragment":
				if !slices.Equal(d.members, []string{"type", "chunk_id", "index", "data"}) {
					require.Fail(t, "members of a fragment", "%q", d.members)
				}
				continue
			case "chunked":
				require.Subset(t, d.members, []string{"type", "op", "source", "chunked", "ts_ms", "ts_ns"})
				for _, name := range []string{before, after} {
					if _, split := d.chunked[name]; split {
						require.NotContains(t, d.images, name, "a split image is not inline")
					} else {
						require.Contains(t, d.members, name)
					}
				}
				require.NotEmpty(t, d.chunked)
				require.Subset(t, []string{before, after}, slices.Collect(maps.Keys(d.chunked)))
			case "full":
				require.False(t, g.Untyped)
				require.ElementsMatch(t, []string{"type", "op", before, after, "source", "ts_ms", "ts_ns"}, d.members)
			default:
				require.True(t, g.Untyped)
				require.ElementsMatch(t, []string{"op", before, after, "source", "ts_ms", "ts_ns"}, d.members)
			}
			checkTimes(t, d)
			require.Equal(t, "1.0", d.source.Version)
			require.Equal(t, "postgres", d.source.DB)
			require.Equal(t, cmp.Or(g.Cluster, "dsqltestdsqltestdsqltest26"), d.source.Cluster)
			require.Regexp(t, txID, d.source.TxID)
			require.Contains(t, columns, d.table())
		}
		for _, w := range v.whole {
			require.Equal(t, g.Untyped, w.kind == "")
			require.Empty(t, w.chunked)
			checkImages(t, g, s, w)
		}
	})
}

// checkTimes: committed, then processed, then delivered.
func checkTimes(t *testing.T, d delivered) {
	require.Equal(t, d.commit(t)/1e6, integer(t, d.source.TsMs))
	processed := integer(t, d.tsNs)
	require.Equal(t, processed/1e6, integer(t, d.tsMs))
	require.Greater(t, processed, d.commit(t))
	require.GreaterOrEqual(t, d.arrival, processed)
}

// checkImages: which images a change has, and their columns.
func checkImages(t *testing.T, g dsqltest.Generator, s *dsqltest.Stream, w *parsed) {
	names := func(name string) []string {
		if w.images[name] == nil {
			return nil
		}
		out, _ := members(t, w.images[name])
		return out
	}
	switch w.op {
	case "d":
		require.Nil(t, w.images[after])
		require.Equal(t, s.Keys[w.table()], names(before), "a delete shows the key columns alone")
	case "u":
		require.False(t, g.Preview)
		fallthrough
	case "c":
		require.Equal(t, columns[w.table()], names(after))
		if !g.Before || w.op == "c" && !g.Preview {
			require.Nil(t, w.images[before])
		} else if w.op == "u" {
			require.Equal(t, columns[w.table()], names(before))
		}
	default:
		require.Fail(t, "unknown op", w.op)
	}
}

// A part is one fragment of an image.
type part struct {
	id    string
	index int
}

// Fragments are alike whenever repeated, valid by themselves, and as long as
// allowed but not longer, unless they are of one character.
func TestFragments(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		type fragment struct {
			spelled string
			change  int
		}
		seen := map[part]fragment{}
		for _, d := range v.records {
			if d.kind != "fragment" {
				continue
			}
			p, f := part{d.chunkID, d.index}, fragment{d.spelled, d.change}
			if old, ok := seen[p]; ok && old != f {
				require.Equal(t, old, f)
			}
			seen[p] = f
			if len(f.spelled) > v.g.FragmentBytes {
				require.Equal(t, 1, utf8.RuneCountInString(d.data))
			}
			require.NotEmpty(t, f.spelled)
		}
		for p, f := range seen {
			next, ok := seen[part{p.id, p.index + 1}]
			if ok && len(f.spelled)+firstSpelled(next.spelled) <= v.g.FragmentBytes {
				require.Fail(t, "the next fragment's first character would have fitted", "%q %q", f, next)
			}
		}
	})
}

// firstSpelled is the length of an image's first character as spelled. The
// image is JSON: nothing else than quotes and backslashes is escaped in it.
func firstSpelled(spelled string) int {
	if spelled[0] == '\\' {
		return 2
	}
	_, size := utf8.DecodeRuneInString(spelled)
	return size
}

// Every split image has all its fragments, no others, an id of its own, and the
// checksum of its text.
func TestImages(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		text, owner := map[part]string{}, map[string]int{}
		left := map[part]bool{}
		for _, d := range v.records {
			if d.kind == "fragment" {
				p := part{d.chunkID, d.index}
				text[p], owner[d.chunkID], left[p] = d.data, d.change, true
			}
		}
		images := map[string]string{} // the change and the image of each id
		for _, d := range v.records {
			for name, c := range d.chunked {
				require.Equal(t, owner[c.ChunkID], d.change)
				what := strconv.Itoa(d.change) + name
				if old, ok := images[c.ChunkID]; ok {
					require.Equal(t, old, what)
				}
				images[c.ChunkID] = what
				var whole []byte
				for i := range c.Total {
					p := part{c.ChunkID, i}
					if _, ok := text[p]; !ok {
						require.Fail(t, "missing", "%v", p)
					}
					whole = append(whole, text[p]...)
					delete(left, p)
				}
				require.Equal(t, c.CRC, strconv.FormatUint(uint64(crc32.Checksum(whole, crc32.MakeTable(crc32.Castagnoli))), 10))
			}
		}
		require.Empty(t, left, "fragments that belong to no image")
	})
}

// Records are cut exactly if they are too long, the larger image first, the
// other only if that was not enough.
func TestCut(t *testing.T) {
	kinds := map[string]int{}
	each(t, func(t *testing.T, v variant) {
		g := v.g
		limit := cmp.Or(g.SplitAt, 9<<20)
		for _, d := range v.records {
			w := v.whole[d.change]
			switch {
			case d.kind == "fragment":
				continue
			case d.kind != "chunked":
				require.True(t, len(d.raw) <= limit || len(w.images) == 0)
				continue
			}
			require.Greater(t, len(w.raw), limit)
			require.Subset(t, slices.Collect(maps.Keys(w.images)), slices.Collect(maps.Keys(d.chunked)), "null is not split")
			for name := range d.chunked {
				kinds[name]++
				if slices.Contains(d.members, name) {
					kinds["null"]++
				} else {
					kinds["absent"]++
				}
			}
			b, a := len(w.images[before]), len(w.images[after])
			switch {
			case len(w.images) == 2 && len(d.chunked) == 2:
				kinds["both"]++
				inline := len(d.raw) + min(a, b) - 120 // the description of an image, or a little more
				require.Greater(t, inline, limit-60)
			case len(w.images) == 2:
				kinds["one of two"]++
				require.LessOrEqual(t, len(d.raw), limit)
				if a != b {
					require.Equal(t, b > a, d.chunked[before].Total > 0, "the larger one is split")
				}
			}
		}
	})
	for _, kind := range []string{before, after, "null", "absent", "both", "one of two"} {
		assert.Positive(t, kinds[kind], kind)
	}
}

// What the records say of each change, joined, is the logical record, byte for
// byte in its images; and no change is missing.
func TestWhole(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		s := v.s
		seen := map[int]bool{}
		for _, d := range joined(t, v.records) {
			w := v.whole[d.change]
			require.Equal(t, w.op, d.op)
			require.Equal(t, w.source, d.source)
			require.Len(t, d.images, len(w.images))
			for name := range w.images {
				require.Equal(t, string(w.images[name]), string(d.images[name]))
			}
			if string(w.tsNs) == string(d.tsNs) {
				seen[d.change] = true
			}
			require.GreaterOrEqual(t, integer(t, d.tsNs), integer(t, w.tsNs), "the first delivery is the first processed")
		}
		require.Len(t, seen, len(s.Whole))
	})
}
