package committer

import (
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// Only files with rows that are touched are written anew; nothing is left of deletes.
func TestCopyOnWrite(t *testing.T) {
	for _, version := range []string{"2", "3"} {
		s := newShop(t, t.TempDir(), sorts()["long"], Options{Properties: map[string]string{"format-version": version}}, CopyOnWrite)
		commit := func(puts, deletes []int) map[string]bool {
			t.Helper()
			require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, puts, deletes)))
			s.check(t)
			sane(t, s.table(t))
			tasks, err := wholeFiles(t.Context(), s.table(t))
			require.NoError(t, err)
			out := make(map[string]bool)
			for _, task := range tasks {
				require.Empty(t, task.EqualityDeleteFiles)
				require.Empty(t, task.DeletionVectorFiles)
				out[task.File.FilePath()] = true
			}
			return out
		}
		operation := func() table.Operation { return s.table(t).CurrentSnapshot().Summary.Operation }
		first := commit([]int{0, 1, 2}, nil)
		require.Equal(t, table.OpAppend, operation())
		second := commit([]int{6, 7, 8}, nil)
		require.Equal(t, table.OpAppend, operation())
		third := commit([]int{7}, []int{3})
		require.Equal(t, table.OpOverwrite, operation())
		require.Len(t, third, 3)
		for f := range second {
			require.Equal(t, first[f], third[f], "the file of 0 to 2 stays, that of 6 to 8 goes")
		}
		fourth := commit(nil, []int{0, 1, 2})
		require.Equal(t, table.OpOverwrite, operation())
		require.Len(t, fourth, 2)
		before := len(s.table(t).Metadata().Snapshots())
		require.Equal(t, fourth, commit(nil, []int{0, 1, 2}))
		require.Len(t, s.table(t).Metadata().Snapshots(), before+1)
		require.Empty(t, commit(nil, []int{6, 7, 8}))
	}
}

// Rows that stay keep their numbers and the time of their last change (version 3).
func TestCopyOnWriteKeepsRows(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{}, DeletionVectors, CopyOnWrite)
	lineage := func() map[int64][2]int64 {
		t.Helper()
		tbl := s.table(t)
		tasks, err := wholeFiles(t.Context(), tbl)
		require.NoError(t, err)
		_, records, err := tbl.Scan(table.WithRowLineage()).ReadTasks(t.Context(), tasks)
		require.NoError(t, err)
		out := make(map[int64][2]int64)
		for record, err := range records {
			require.NoError(t, err)
			rows, err := rowsOf(record, []string{"id", "_row_id", "_last_updated_sequence_number"})
			require.NoError(t, err)
			for i, id := range rows.Columns[0].Ints {
				out[id] = [2]int64{rows.Columns[1].Ints[i], rows.Columns[2].Ints[i]}
			}
		}
		return out
	}
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{3, 4, 5, 6}, nil)))
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{5}, []int{3})))
	before := lineage()
	require.NoError(t, s.committers[1].Commit(t.Context(), s.delta(false, []int{4, 9}, nil)))
	after := lineage()
	s.check(t)
	sane(t, s.table(t))
	require.Len(t, after, 4)
	require.Equal(t, before[3000], after[3000], "6 stays where it was")
	require.Equal(t, before[2000], after[2000], "5 stays in a file that is not touched")
	require.Greater(t, after[1000][1], before[1000][1])
	require.NoError(t, s.committers[1].Commit(t.Context(), s.delta(false, nil, []int{4})))
	require.Equal(t, before[3000], lineage()[3000], "and again")
}

// A file that the library plans in parts is one file, all of whose rows stay or go.
func TestCopyOnWriteOfParts(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{Properties: map[string]string{
		"write.parquet.row-group-limit": "2", "read.split.target-size": "1",
	}}, CopyOnWrite)
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{0, 1, 2, 3, 4, 5}, nil)))
	planned, err := s.table(t).Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	require.Len(t, planned, 3)
	tasks, err := wholeFiles(t.Context(), s.table(t))
	require.NoError(t, err)
	require.Len(t, tasks, 1)
	require.Equal(t, [2]int64{0, tasks[0].File.FileSizeBytes()}, [2]int64{tasks[0].Start, tasks[0].Length})
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{4}, []int{1})))
	s.check(t)
}

// Rows of several new files have numbers of their own (version 3).
func TestCopyOnWriteOfPartitions(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{
		Properties: map[string]string{"format-version": "3"}, Partition: map[envelope.Table][]string{goods: {"bucket[4](id)"}},
	}, CopyOnWrite)
	for _, d := range []*iceberg.Delta{
		s.delta(false, []int{0, 1, 2, 3, 4, 5}, nil), s.delta(false, []int{5, 6, 7, 8, 9, 10}, []int{1}), s.delta(false, []int{0, 3, 6, 11}, []int{2}),
	} {
		require.NoError(t, s.committers[0].Commit(t.Context(), d))
		sane(t, s.table(t))
	}
	s.check(t)
}
