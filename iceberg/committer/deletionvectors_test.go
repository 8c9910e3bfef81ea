package committer

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/apache/iceberg-go/table/dv"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

// vectorsOf returns the rows that deletion vectors mark, by the number of rows of their
// data file.
func vectorsOf(t *testing.T, tbl *table.Table) map[int64][]uint64 {
	t.Helper()
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	tasks, err := wholeFiles(t.Context(), tbl)
	require.NoError(t, err)
	out := make(map[int64][]uint64)
	for _, task := range tasks {
		for _, f := range task.DeletionVectorFiles {
			rows, err := dv.ReadDV(fs, f)
			require.NoError(t, err)
			out[task.File.Count()] = slices.Collect(rows.Positions())
			require.EqualValues(t, f.Count(), len(out[task.File.Count()]))
		}
	}
	return out
}

// Several deltas on one file make one vector that has all rows (T6); a vector to which
// nothing is added stays as it is.
func TestDeletionVectors(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{}, DeletionVectors)
	commit := func(puts, deletes []int) *table.Table {
		t.Helper()
		require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, puts, deletes)))
		s.check(t)
		return s.table(t)
	}
	tbl := commit([]int{0, 1, 2, 3, 4, 5}, nil)
	require.Equal(t, 3, tbl.Metadata().Version())
	require.Equal(t, table.OpAppend, tbl.CurrentSnapshot().Summary.Operation)
	tbl = commit([]int{6, 2}, []int{4})
	require.Equal(t, map[int64][]uint64{6: {2, 4}}, vectorsOf(t, tbl))
	require.Equal(t, table.OpOverwrite, tbl.CurrentSnapshot().Summary.Operation)
	tbl = commit([]int{2, 7, 8}, []int{0})
	require.Equal(t, map[int64][]uint64{6: {0, 2, 4}, 2: {1}}, vectorsOf(t, tbl))
	require.Equal(t, "4", tbl.CurrentSnapshot().Summary.Properties["total-position-deletes"])
	tbl = commit(nil, []int{8, 11})
	require.Equal(t, map[int64][]uint64{6: {0, 2, 4}, 2: {1}, 3: {2}}, vectorsOf(t, tbl))
	require.Equal(t, table.OpDelete, tbl.CurrentSnapshot().Summary.Operation)
	require.Equal(t, "1", tbl.CurrentSnapshot().Summary.Properties["added-delete-files"])
	require.Empty(t, tbl.CurrentSnapshot().Summary.Properties["removed-delete-files"], "the vectors of 2 and 4 are as before")
	before := len(tbl.Metadata().Snapshots())
	tbl = commit(nil, []int{8, 11}) // nothing is there any more
	require.Len(t, tbl.Metadata().Snapshots(), before+1)
	position, err := s.committers[0].Position(t.Context(), goods)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(s.n), position)
	tbl = commit([]int{8, 11}, nil)
	require.Equal(t, map[int64][]uint64{6: {0, 2, 4}, 2: {1}, 3: {2}}, vectorsOf(t, tbl))
	require.Equal(t, table.OpAppend, tbl.CurrentSnapshot().Summary.Operation)
}

// A table that cannot have vectors is refused, before anything of it is changed.
func TestDeletionVectorsNeedVersion3(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["int"], Options{Properties: map[string]string{"format-version": "2"}}, EqualityDeletes, DeletionVectors)
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{1, 2}, nil)))
	before := s.table(t).MetadataLocation()
	rows := fmt.Sprint(s.rows)
	s.schema = &iceberg.Schema{Columns: []iceberg.Column{s.sort.widened[0], column("v", false, icetype.Long), column("new", false, icetype.Long)}, Key: s.sort.names}
	err := s.committers[1].Commit(t.Context(), s.delta(false, []int{1}, []int{2}))
	var schema *iceberg.SchemaError
	require.ErrorAs(t, err, &schema)
	require.Equal(t, goods, schema.Table)
	require.ErrorIs(t, err, ErrVersion)
	require.Equal(t, before, s.table(t).MetadataLocation())
	require.Equal(t, "map[1:1 2:1]", rows)
}

// Vectors carry the partition of their data file, and reach no other.
func TestDeletionVectorsOfPartitions(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{Partition: map[envelope.Table][]string{goods: {"bucket[4](id)"}}}, DeletionVectors)
	for _, d := range []*iceberg.Delta{
		s.delta(false, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, nil), s.delta(false, []int{3, 5}, []int{8, 9}), s.delta(false, []int{8, 1}, []int{3}),
	} {
		require.NoError(t, s.committers[0].Commit(t.Context(), d))
	}
	s.check(t)
	tasks, err := wholeFiles(t.Context(), s.table(t))
	require.NoError(t, err)
	seen := 0
	for _, task := range tasks {
		for _, f := range task.DeletionVectorFiles {
			require.Equal(t, task.File.Partition(), f.Partition())
			require.Equal(t, task.File.SpecID(), f.SpecID())
			require.NotEmpty(t, f.Partition())
			seen++
		}
	}
	require.Greater(t, seen, 1)
}

// positions adds a file of positions, as version 2 of the format has them, for a row of
// each of the table's data files, by how many rows it has.
func positions(t *testing.T, tbl *table.Table, rows map[int64]int64) *table.Table {
	t.Helper()
	tasks, err := wholeFiles(t.Context(), tbl)
	require.NoError(t, err)
	b := array.NewRecordBuilder(memory.DefaultAllocator, table.PositionalDeleteArrowSchema)
	slices.SortFunc(tasks, func(a, b table.FileScanTask) int {
		return bytes.Compare([]byte(a.File.FilePath()), []byte(b.File.FilePath()))
	})
	for _, task := range tasks {
		b.Field(0).(*array.StringBuilder).Append(task.File.FilePath())
		b.Field(1).(*array.Int64Builder).Append(rows[task.File.Count()])
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(table.PositionalDeleteArrowSchema, &out, parquet.NewWriterProperties(parquet.WithStats(true)), pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	require.NoError(t, w.Write(b.NewRecordBatch()))
	require.NoError(t, w.Close())
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	path := tbl.Location() + "/data/positions.parquet"
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile(path, out.Bytes()))
	reader, err := file.NewParquetReader(bytes.NewReader(out.Bytes()))
	require.NoError(t, err)
	f, err := table.DataFileFromMetadata(table.DataFileArgs{
		Schema: ice.PositionalDeleteSchema, Spec: tbl.Spec(), Format: ice.ParquetFile, Metadata: reader.MetaData(), FilePath: path,
		FileSize: int64(out.Len()), Content: ice.EntryContentPosDeletes, FormatVersion: tbl.Metadata().Version(),
	})
	require.NoError(t, err)
	tx := tbl.NewTransaction()
	require.NoError(t, tx.NewRowDelta(nil).AddDeletes(f).Commit(t.Context()))
	changed, err := tx.Commit(t.Context())
	require.NoError(t, err)
	return changed
}

// A table that had version 2 may have files of positions. Readers look at them no more
// where there is a vector, so that the vector must have what they have.
func TestDeletionVectorsOverPositions(t *testing.T) {
	for _, mode := range []int{1, 2} {
		s := newShop(t, t.TempDir(), sorts()["long"], Options{Properties: map[string]string{"format-version": "2"}}, EqualityDeletes, DeletionVectors, CopyOnWrite)
		require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{0, 1, 2}, nil)))
		require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{5, 6, 7, 8}, nil)))
		tbl := positions(t, s.table(t), map[int64]int64{3: 1, 4: 2})
		delete(s.rows, 1)
		delete(s.rows, 7)
		s.check(t)
		tx := tbl.NewTransaction()
		require.NoError(t, tx.UpgradeFormatVersion(3))
		_, err := tx.Commit(t.Context())
		require.NoError(t, err)
		s.check(t)
		require.NoError(t, s.committers[mode].Commit(t.Context(), s.delta(false, nil, []int{8, 1})))
		s.check(t)
		if mode == 1 {
			require.Equal(t, map[int64][]uint64{4: {2, 3}}, vectorsOf(t, s.table(t)), "the other file's row is deleted already")
		}
		sane(t, s.table(t))
		require.NoError(t, s.committers[mode].Commit(t.Context(), s.delta(false, []int{1, 5}, []int{0})))
		s.check(t)
		sane(t, s.table(t))
	}
}
