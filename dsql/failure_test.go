package dsql_test

import (
	"context"
	"errors"
	"iter"
	"math/big"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// pages makes a Read of what a shard has, page by page. It yields it all, whatever it is asked to start from. Between the
// pages it reuses the memory of their data.
func pages(all ...[]string) dsql.Read {
	return func(context.Context, string, string, string) iter.Seq2[dsql.Record, error] {
		return func(yield func(dsql.Record, error) bool) {
			var data []byte
			for _, page := range all {
				for _, sequence := range page {
					data = append(data[:0], sequence...)
					var err error
					if sequence == "fail" {
						err = errRead
					}
					if !yield(dsql.Record{Sequence: sequence, Data: data}, err) {
						return
					}
				}
			}
		}
	}
}

var errRead = errors.New("throughput exceeded")

// recovered returns what a failure's records are before the error.
func recovered(ctx context.Context, f dsql.Failure, read dsql.Read) (got []string, err error) {
	for r, failed := range f.Records(ctx, read) {
		if err != nil {
			return append(got, "more after an error"), err
		}
		if err = failed; err == nil {
			got = append(got, string(r.Data))
		}
	}
	return got, err
}

func TestFailureRecords(t *testing.T) {
	type list = []string
	for _, c := range []struct {
		name        string
		first, last string
		size        int
		shard       []string
		want        []string
		err         error
	}{
		{"one", "5", "5", 1, list{"5", "6"}, list{"5"}, nil},
		{"to the end", "9", "11", 3, list{"9", "10", "11"}, list{"9", "10", "11"}, nil},
		{"from before", "9", "11", 2, list{"2", "8", "9", "11", "100"}, list{"9", "11"}, nil},
		{"more than the batch", "9", "12", 2, list{"9", "10", "11", "12"}, list{"9", "10", "11", "12"}, nil},
		{"nothing behind is read", "5", "6", 2, list{"5", "6", "fail"}, list{"5", "6"}, nil},
		{"expired", "9", "11", 2, list{"10", "11"}, nil, dsql.ErrGone},
		{"expired behind others", "9", "11", 2, list{"8", "10", "11"}, nil, dsql.ErrGone},
		{"all expired", "9", "11", 2, list{"12", "13"}, nil, dsql.ErrGone},
		{"nothing there", "9", "11", 2, nil, nil, dsql.ErrGone},
		{"another shard", "9", "11", 2, list{"3", "5"}, nil, dsql.ErrGone},
		{"ends early", "9", "11", 2, list{"9", "10"}, list{"9", "10"}, dsql.ErrGone},
		{"last one missing", "9", "11", 2, list{"9", "10", "12"}, list{"9", "10"}, dsql.ErrGone},
		{"hole", "9", "20", 3, list{"9", "20"}, list{"9", "20"}, dsql.ErrGone},
		{"read fails at once", "9", "11", 2, list{"fail", "9"}, nil, errRead},
		{"read fails between", "9", "11", 2, list{"9", "fail", "11"}, list{"9"}, errRead},
		{"repeated", "9", "11", 2, list{"9", "9", "11"}, list{"9"}, dsql.ErrOrder},
		{"backwards", "9", "11", 2, list{"9", "8", "11"}, list{"9"}, dsql.ErrOrder},
		{"backwards before", "9", "11", 2, list{"8", "7", "9", "11"}, nil, dsql.ErrOrder},
		{"no number", "9", "11", 2, list{"9", "1O", "11"}, list{"9"}, dsql.ErrOrder},
		{"no sequence number", "9", "11", 2, list{""}, nil, dsql.ErrOrder},
		{"no range", "11", "9", 2, list{"9", "10", "11"}, nil, dsql.ErrOrder},
		{"no first", "", "9", 2, list{"8", "9"}, nil, dsql.ErrOrder},
		{"no last", "9", "LATEST", 2, list{"9"}, nil, dsql.ErrOrder},
	} {
		f := dsql.Failure{First: c.first, Last: c.last, BatchSize: c.size}
		got, err := recovered(t.Context(), f, pages(c.shard))
		require.ErrorIs(t, err, c.err, c.name)
		require.Equal(t, c.want, got, c.name)
	}
}

func TestFailureRecordsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errRead)
	f := dsql.Failure{First: "9", Last: "11", BatchSize: 2}
	for _, shard := range [][]string{nil, {"9"}, {"9", "10"}} {
		_, err := recovered(ctx, f, pages(shard))
		require.Equal(t, errRead, err, "that a read which was told to end did so says nothing of the shard")
	}
	_, err := recovered(ctx, f, pages([]string{"10"}))
	require.ErrorIs(t, err, dsql.ErrGone)
	got, err := recovered(ctx, f, pages([]string{"9", "11"}))
	require.NoError(t, err)
	require.Equal(t, []string{"9", "11"}, got)
}

func TestFailureRecordsRead(t *testing.T) {
	f, err := dsql.ParseFailure([]byte(failureDocument))
	require.NoError(t, err)
	var asked []string
	read := func(ctx context.Context, stream, shard, from string) iter.Seq2[dsql.Record, error] {
		require.Equal(t, t.Context(), ctx)
		asked = append(asked, stream+" "+shard+" "+from)
		return pages([]string{firstSequence, lastSequence})(ctx, stream, shard, from)
	}
	records := f.Records(t.Context(), read)
	require.Empty(t, asked, "nothing is read before somebody wants it")
	for range 2 {
		for r, err := range records {
			require.NoError(t, err)
			require.Equal(t, dsql.Record{Shard: "shardId-000000000001", Sequence: firstSequence, Data: []byte(firstSequence)}, r)
			break
		}
	}
	require.Equal(t, slices.Repeat([]string{"arn:aws:kinesis:us-east-2:123456789012:stream/mystream shardId-000000000001 " + firstSequence}, 2), asked)
}

// Whatever a shard has before, between and behind a batch, and however it is cut into pages, the records are those of the
// range; and if any of the batch are gone, or reading fails, there is an error.
func TestFailureRecordsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var shard []string
		at := new(big.Int).Exp(big.NewInt(10), big.NewInt(rapid.Int64Range(0, 60).Draw(t, "digits")), nil)
		for range rapid.IntRange(1, 30).Draw(t, "records") {
			at.Add(at, big.NewInt(rapid.Int64Range(1, 12).Draw(t, "step")))
			shard = append(shard, at.String())
		}
		first := rapid.IntRange(0, len(shard)-1).Draw(t, "first")
		last := rapid.IntRange(first, len(shard)-1).Draw(t, "last")
		f := dsql.Failure{First: shard[first], Last: shard[last]}
		f.BatchSize = last + 1 - first
		from := rapid.IntRange(0, last).Draw(t, "oldest") // below it all has left the stream
		to := rapid.IntRange(last, len(shard)-1).Draw(t, "newest")
		left := slices.Clone(shard[from : to+1])
		fail := rapid.IntRange(-10, len(left)).Draw(t, "fail at")
		if fail >= 0 {
			left = slices.Insert(left, fail, "fail")
		}
		var cut [][]string
		for len(left) > 0 {
			n := rapid.IntRange(0, len(left)).Draw(t, "page")
			cut, left = append(cut, left[:n]), left[n:]
		}

		got, err := recovered(context.Background(), f, pages(cut...))
		var want []string
		var wantErr error
		switch {
		case fail >= 0 && from+fail <= max(first, from):
			wantErr = errRead
		case from > first:
			wantErr = dsql.ErrGone
		case fail >= 0 && from+fail <= last:
			want, wantErr = shard[first:from+fail], errRead
		default:
			want = shard[first : last+1]
		}
		if !slices.Equal(got, want) || !errors.Is(err, wantErr) {
			t.Fatalf("%v, %v; want %v, %v", got, err, want, wantErr)
		}
	})
}

func TestFailureDone(t *testing.T) {
	f := dsql.Failure{Shard: "s", First: "9", Last: "11"}
	for _, c := range []struct {
		floors []dsql.Floor
		want   bool
	}{
		{nil, false},
		{[]dsql.Floor{{Shard: "t", Sequence: "11", After: true}}, false},
		{[]dsql.Floor{{Shard: "s", Sequence: "9"}}, false},
		{[]dsql.Floor{{Shard: "s", Sequence: "9", After: true}}, false},
		{[]dsql.Floor{{Shard: "s", Sequence: "11"}}, false},
		{[]dsql.Floor{{Shard: "r", Sequence: "11"}, {Shard: "s", Sequence: "11", After: true}, {Shard: "t", Sequence: "1"}}, true},
		{[]dsql.Floor{{Shard: "s", Sequence: "12"}}, true},
		{[]dsql.Floor{{Shard: "s", Sequence: "100", After: true}}, true},
		{[]dsql.Floor{{Shard: "s", Sequence: "9", End: true}}, true},
	} {
		require.Equal(t, c.want, f.Done(c.floors), "%v", c.floors)
	}
}
