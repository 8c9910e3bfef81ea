package dsql_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// At each limit the record that hits it and the image that it belongs to are
// given up, with a report; another one, begun before, goes on.
func TestLimits(t *testing.T) {
	big := strings.Repeat("x", 3000)
	for _, tt := range []struct {
		name   string
		limits dsql.Limits
		before [][]byte
		in     []byte
		lost   []dsql.Orphan // without times and places
	}{
		{"bytes pending, a new image", dsql.Limits{PendingBytes: 5500}, nil, fragment("y", 0, big), []dsql.Orphan{{ChunkID: "y"}}},
		{"bytes pending, an old image", dsql.Limits{PendingBytes: 5500}, [][]byte{fragment("y", 0, "x")}, fragment("y", 1, big),
			[]dsql.Orphan{{ChunkID: "y", Have: 1, Bytes: 3}}},
		{"bytes pending, a main record", dsql.Limits{PendingBytes: 5500}, [][]byte{fragment("y", 0, "x")},
			mainRecord(`"after":` + described("y", "xx", 2) + `,"before":` + described("z", "xx", 2) + strings.Repeat(" ", 3000)),
			[]dsql.Orphan{{ChunkID: "y", Have: 1, Bytes: 3}, {ChunkID: "z"}}},
		{"records pending, a fragment", dsql.Limits{Pending: 1}, nil, fragment("y", 0, "x"), []dsql.Orphan{{ChunkID: "y"}}},
		{"records pending, a main record", dsql.Limits{Pending: 1}, nil, mainRecord(`"after":` + described("y", "xx", 2)), []dsql.Orphan{{ChunkID: "y"}}},
		{"bytes in an image", dsql.Limits{ImageBytes: 3500}, [][]byte{fragment("y", 0, big), mainRecord(`"after":` + described("y", "xx", 2))}, fragment("y", 1, big),
			[]dsql.Orphan{{ChunkID: "y", Main: true, Have: 1, Total: 2, Bytes: 3002}}},
		{"fragments", dsql.Limits{Fragments: 3}, [][]byte{fragment("y", 0, "x")}, mainRecord(`"after":` + described("y", "xx", 4)),
			[]dsql.Orphan{{ChunkID: "y", Have: 1, Bytes: 3}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFeed(t, &dsql.Reassembler{Limits: tt.limits})
			pieces := fragments("x", image, 3)
			f.add("a", pieces[0])
			f.add("a", mainRecord(`"after":`+described("x", image, 3)))
			for _, b := range tt.before {
				f.add("b", b)
			}
			fault := f.fails("b", tt.in, envelope.ErrLimit)
			for i := range fault.Lost {
				assert.NotZero(t, fault.Lost[i].Last)
				where := fault.Lost[i].Where
				assert.Equal(t, sequence(f.n["b"]), where[len(where)-1].Last, "the record that hit the limit")
				fault.Lost[i].First, fault.Lost[i].Last, fault.Lost[i].Where = time.Time{}, time.Time{}, nil
			}
			assert.Equal(t, tt.lost, fault.Lost)
			for i := range 2 {
				assert.Empty(t, f.fails("b", fragment("y", 1, "x"), dsql.ErrGivenUp).Lost)
				assert.Empty(t, f.fails("b", mainRecord(`"after":`+described("y", "xx", 2)), dsql.ErrGivenUp).Lost)
				if tt.limits.Pending == 0 { // its other image is lost too
					other := fmt.Sprint("other", i)
					f.add("b", fragment(other, 0, "x"))
					fault := f.fails("b", mainRecord(`"before":`+described(other, "xx", 2)+`,"after":`+described("y", "xx", 2)), dsql.ErrGivenUp)
					assert.Equal(t, "y", fault.ChunkID)
					require.Len(t, fault.Lost, 1)
					assert.Equal(t, other, fault.Lost[0].ChunkID)
				}
				// That of another main record is not.
				fault := f.fails("b", mainRecord(`"before":`+described("x", image, 3)+`,"after":`+described("y", "xx", 2)), dsql.ErrGivenUp)
				assert.Empty(t, fault.Lost)
				require.NoError(t, f.r.Check())
				f.commit()
			}
			f.add("a", pieces[1])
			assert.Equal(t, image, string(decode(t, f.add("a", pieces[2])).After))
			f.commit()
			assert.Equal(t, fmt.Sprintf("a+4 b+%d", f.n["b"]), f.floors())
		})
	}
}

// An index that no image can have is an error of its record alone: one bad
// record must not cost a good one.
func TestIndexBeyondLimit(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Limits: dsql.Limits{Fragments: 3}})
	fault := f.fails("a", fragment("x", 3, "x"), envelope.ErrLimit)
	assert.Empty(t, fault.Lost)
	for _, part := range fragments("x", image, 3) {
		f.add("a", part)
	}
	assert.Equal(t, image, string(decode(t, f.add("a", mainRecord(`"after":`+described("x", image, 3)))).After))
}

// What was returned and not committed counts too, but costs nothing to settle.
func TestUncommitted(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Limits: dsql.Limits{PendingBytes: 6000}})
	f.add("a", fragment("x", 0, `{"x":"`+strings.Repeat("x", 1000)+`"}`))
	assert.Greater(t, f.r.Bytes(), int64(1000))
	require.NotNil(t, f.add("a", mainRecord(`"after":`+described("x", `{"x":"`+strings.Repeat("x", 1000)+`"}`, 1))))
	assert.Greater(t, f.r.Bytes(), int64(1000))
	big := fragment("y", 0, strings.Repeat("y", 2500))
	out, err := f.try("b", big)
	require.ErrorIs(t, err, dsql.ErrUncommitted)
	assert.False(t, envelope.IsPermanent(err))
	assert.Nil(t, out)
	assert.Equal(t, "a@1 b@1", f.floors())
	f.commit()
	assert.Equal(t, "a+2 b@1", f.floors(), "it is still to be added")
	assert.Zero(t, f.r.Bytes())
	out, err = f.again("b", 1, big)
	require.NoError(t, err)
	assert.Nil(t, out)
	f.fails("b", fragment("y", 1, strings.Repeat("y", 2500)), envelope.ErrLimit)
}

// What describes a fragment counts too.
func TestTinyFragments(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Limits: dsql.Limits{PendingBytes: 100_000}})
	for i := range 1000 {
		if _, err := f.try("a", fragment("x", i, "")); err != nil {
			require.ErrorIs(t, err, envelope.ErrLimit)
			assert.Less(t, i, 800)
			return
		}
	}
	t.Error("no limit")
}

func TestExpire(t *testing.T) {
	f := newFeed(t, &dsql.Reassembler{Limits: dsql.Limits{Age: time.Minute}})
	at := func(seconds int64, shard string, sequence int, data []byte) {
		out, err := f.r.Add(ctx, dsql.Record{Shard: shard, Sequence: fmt.Sprint(sequence), Arrival: time.Unix(seconds, 0), Data: data})
		require.NoError(t, err)
		require.Nil(t, out)
	}
	at(100, "a", 7, fragment("x", 1, "xx"))
	at(90, "b", 5, fragment("x", 0, "x"))
	at(120, "b", 6, mainRecord(`"after":`+described("y", image, 3)))
	f.commit()
	assert.Equal(t, "a@7 b@5", f.floors())
	require.NoError(t, f.r.Check())
	orphans, err := f.r.Expire(ctx, time.Unix(160, 0))
	require.NoError(t, err)
	assert.Empty(t, orphans)
	assert.Len(t, f.r.Pending(), 2)
	orphans, err = f.r.Expire(ctx, time.Unix(161, 0))
	require.NoError(t, err)
	assert.Equal(t, []dsql.Orphan{{
		ChunkID: "x", Have: 2, Bytes: 7, First: time.Unix(90, 0), Last: time.Unix(100, 0), Where: []dsql.Span{{"a", "7", "7"}, {"b", "5", "5"}},
	}}, orphans)
	assert.Equal(t, "a@7 b@5", f.floors(), "until the caller has dealt with it")
	f.commit()
	assert.Equal(t, "a+7 b@6", f.floors())
	orphans, err = f.r.Expire(ctx, time.Unix(181, 0))
	require.NoError(t, err)
	assert.Equal(t, []dsql.Orphan{{
		ChunkID: "y", Main: true, Total: 3, First: time.Unix(120, 0), Last: time.Unix(120, 0), Where: []dsql.Span{{"b", "6", "6"}},
	}}, orphans)
	f.commit()
	assert.Empty(t, f.r.Pending())
	_, err = f.r.Add(ctx, dsql.Record{Data: fragment("x", 2, "x")})
	assert.ErrorIs(t, err, dsql.ErrGivenUp)
}

// The main record's arrival is not all that counts.
func TestExpireAfterMain(t *testing.T) {
	var r dsql.Reassembler
	for seconds, data := range map[int64][]byte{90: fragments("x", image, 3)[0], 110: fragments("x", image, 3)[1]} {
		_, err := r.Add(ctx, dsql.Record{Arrival: time.Unix(seconds, 0), Data: data})
		require.NoError(t, err)
	}
	_, err := r.Add(ctx, dsql.Record{Arrival: time.Unix(100, 0), Data: mainRecord(`"after":` + described("x", image, 3))})
	require.NoError(t, err)
	orphans, err := r.Expire(ctx, time.Unix(110, 0).Add(dsql.DefaultAge))
	require.NoError(t, err)
	assert.Empty(t, orphans)
	orphans, err = r.Expire(ctx, time.Unix(111, 0).Add(dsql.DefaultAge))
	require.NoError(t, err)
	require.Len(t, orphans, 1)
	assert.Equal(t, time.Unix(90, 0), orphans[0].First)
	assert.Equal(t, time.Unix(110, 0), orphans[0].Last)
}

// A record without an arrival time arrives now.
func TestArrivalNow(t *testing.T) {
	var r dsql.Reassembler
	_, err := r.Add(ctx, dsql.Record{Data: fragment("x", 0, "x")})
	require.NoError(t, err)
	orphans, err := r.Expire(ctx, time.Now().Add(dsql.DefaultAge-time.Minute))
	require.NoError(t, err)
	assert.Empty(t, orphans)
	orphans, err = r.Expire(ctx, time.Now().Add(dsql.DefaultAge+time.Minute))
	require.NoError(t, err)
	assert.Len(t, orphans, 1)
}

// No stream takes more memory than the limit, whatever it is made of.
func TestHostileStreams(t *testing.T) {
	const limit = 8 << 20
	for _, tt := range []struct {
		name string
		next func(i int) []byte
	}{
		{"tiny fragments of one image each", func(i int) []byte { return fragment(fmt.Sprint(i), 0, "") }},
		{"tiny fragments of few images", func(i int) []byte { return fragment(fmt.Sprint(i/1000), i%1000, "") }},
		{"the last fragments", func(i int) []byte { return fragment(fmt.Sprint(i), 1023, "") }},
		{"long IDs", func(i int) []byte { return fragment(fmt.Sprintf("%0256d", i), 0, "") }},
		{"escapes", func(i int) []byte { return fragment(fmt.Sprint(i), 0, strings.Repeat("\x01", 100)) }},
		{"main records", func(i int) []byte {
			return mainRecord(fmt.Sprintf(`"after":{"chunk_id":"a%d","total_fragments":9,"crc32c":"1"},"before":{"chunk_id":"b%d","total_fragments":9,"crc32c":"1"}`, i, i))
		}},
		{"large main records", func(i int) []byte {
			return mainRecord(fmt.Sprintf(`"after":{"chunk_id":"a%d","total_fragments":9,"crc32c":"1"}%2000s`, i, ""))
		}},
		{"complete ones", func(i int) []byte {
			if i%2 == 0 {
				return fragment(fmt.Sprint(i/2), 0, "{}")
			}
			return mainRecord(`"after":` + described(fmt.Sprint(i/2), "{}", 1))
		}},
		{"strays", func(i int) []byte {
			if i%2 == 0 {
				return fragment(fmt.Sprint(i/2), 1, "{}")
			}
			return mainRecord(`"after":` + described(fmt.Sprint(i/2), "{}", 1))
		}},
		{"wrong checksums", func(i int) []byte {
			if i%2 == 0 {
				return fragment(fmt.Sprint(i/2), 0, "{}")
			}
			return mainRecord(fmt.Sprintf(`"after":{"chunk_id":"%d","total_fragments":1,"crc32c":"1"}`, i/2))
		}},
	} {
		for _, pending := range []int{1000, 1 << 30} {
			t.Run(fmt.Sprintf("%s, %d", tt.name, pending), func(t *testing.T) {
				r := &dsql.Reassembler{Limits: dsql.Limits{PendingBytes: limit, Pending: pending}}
				before := heap()
				for i := range 30_000 {
					_, _ = r.Add(ctx, dsql.Record{Shard: "a", Sequence: fmt.Sprint(i), Data: tt.next(i)})
					if i%5000 == 0 {
						require.NoError(t, r.Check())
					}
				}
				require.NoError(t, r.Check())
				// The IDs that are remembered come on top: 16,384 of up to 256 bytes.
				assert.Less(t, heap()-before, int64(limit+8<<20))
				runtime.KeepAlive(r)
			})
		}
	}
}

// While one record that stays incomplete holds the floors, what is known of
// committed ones is bounded.
func TestManyCommitted(t *testing.T) {
	f := newFeed(t, new(dsql.Reassembler))
	f.add("a", fragment("stuck", 0, "x"))
	for i := range 17_000 {
		id := fmt.Sprint(i)
		f.add("a", fragment(id, 0, "{}"))
		require.NotNil(t, f.add("a", mainRecord(`"after":`+described(id, "{}", 1))))
		if i%1000 == 999 {
			f.commit()
		}
	}
	require.NoError(t, f.r.Check())
	assert.Equal(t, "a@1", f.floors())
	assert.Nil(t, f.add("a", fragment("0", 0, "{}")), "a repeat")

	_, err := f.r.Expire(ctx, time.Unix(1<<40, 0))
	require.NoError(t, err)
	f.commit()
	require.NoError(t, f.r.Check(), "the IDs of all of them are more than is remembered")
	assert.Nil(t, f.add("a", fragment("16999", 0, "{}")), "a repeat")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
