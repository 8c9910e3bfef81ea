package committer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
)

func mustFS(t *testing.T, k *keeper) iceio.IO {
	t.Helper()
	fs, err := k.load(t).FS(t.Context())
	require.NoError(t, err)
	return fs
}

// compactForeign is a service that compacts: its snapshots have no positions.
func compactForeign(t *testing.T, k *keeper) {
	t.Helper()
	now := k.load(t)
	tasks, err := now.Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	tx := now.NewTransaction()
	require.NoError(t, rewrite(t.Context(), tx, now, tasks, nil))
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
}

// The snapshots that had the position are gone: those of the foreign compaction stay,
// and behind them the table's properties.
func TestExpiryKeepsPosition(t *testing.T) {
	ctx := t.Context()
	k := newKeeper(t, t.TempDir(), Options{})
	for i := range int64(8) {
		require.NoError(t, k.commit(ctx, []int64{i % 3}, map[int64]int64{i % 3: i}))
	}
	for range 3 {
		compactForeign(t, k)
	}
	one := Maintenance{Snapshots: 1, Age: time.Nanosecond, NoCompaction: true, NoManifests: true}
	time.Sleep(5 * time.Millisecond)
	done := k.maintain(t, one)
	require.Equal(t, &Maintained{Snapshots: 10}, done)
	snapshots := k.load(t).Metadata().Snapshots()
	require.Len(t, snapshots, 1)
	require.Empty(t, ours(snapshots[0].Summary.Properties))
	k.check(t)
	// The delta that was committed last is still left out.
	k.n--
	require.NoError(t, k.commit(ctx, []int64{0}, map[int64]int64{0: -1}))
	k.rows[0] = 6
	k.check(t)

	require.Equal(t, new(Maintained), k.maintain(t, one))
	require.NoError(t, k.commit(ctx, []int64{5}, map[int64]int64{5: 5}))
	k.check(t)
}

// Merging manifests leaves the position, the rows and, in version 3, what tells rows
// apart.
func TestMergedManifests(t *testing.T) {
	for _, version := range []string{"2", "3"} {
		t.Run(version, func(t *testing.T) {
			k := newKeeper(t, t.TempDir(), Options{Properties: map[string]string{table.PropertyFormatVersion: version}})
			r := seeded(3)
			for range 8 {
				require.NoError(t, k.some(t.Context(), r, 20, 60))
			}
			before := lineage(t, k)
			m := Maintenance{NoCompaction: true, Manifests: 8, Snapshots: 1, Age: time.Nanosecond}
			done := k.maintain(t, m)
			require.Equal(t, &Maintained{Manifests: 8, Snapshots: 8}, done)
			manifests, err := k.load(t).CurrentSnapshot().Manifests(mustFS(t, k))
			require.NoError(t, err)
			require.Len(t, slices.DeleteFunc(manifests, func(m ice.ManifestFile) bool {
				return m.ManifestContent() != ice.ManifestContentData
			}), 1)
			require.Empty(t, ours(k.load(t).CurrentSnapshot().Summary.Properties))
			k.check(t)
			require.Equal(t, before, lineage(t, k))
			require.NoError(t, k.some(t.Context(), r, 20, 60))
			k.check(t)
			require.Equal(t, new(Maintained), k.maintain(t, Maintenance{NoCompaction: true, Manifests: 8}))
		})
	}
}

// lineage returns the number and the last change of each row; nil before version 3.
func lineage(t *testing.T, k *keeper) map[int64][2]int64 {
	t.Helper()
	now := k.load(t)
	if now.Metadata().Version() < 3 {
		return nil
	}
	out := make(map[int64][2]int64)
	columns := []string{"id", ice.RowIDColumnName, ice.LastUpdatedSequenceNumberColumnName}
	for rows, err := range scan(t.Context(), now, columns, table.WithRowLineage()) {
		require.NoError(t, err)
		for i, id := range rows.Columns[0].Ints {
			require.False(t, rows.Columns[1].Null[i] || rows.Columns[2].Null[i])
			out[id] = [2]int64{rows.Columns[1].Ints[i], rows.Columns[2].Ints[i]}
		}
	}
	return out
}

// In version 3, a row keeps its number and the number of its last change when its file
// is written anew, and no two rows have the same.
func TestCompactionKeepsLineage(t *testing.T) {
	ctx := t.Context()
	k := newKeeper(t, t.TempDir(), Options{Properties: map[string]string{table.PropertyFormatVersion: "3"}})
	r := seeded(4)
	for range 7 {
		require.NoError(t, k.some(ctx, r, 20, 60))
	}
	before := lineage(t, k)
	require.Len(t, before, len(k.rows))
	require.Equal(t, 7, k.maintain(t, Maintenance{}).Rewritten)
	require.Equal(t, before, lineage(t, k))
	for range 7 {
		require.NoError(t, k.some(ctx, r, 20, 60))
	}
	before = lineage(t, k)
	require.Equal(t, 8, k.maintain(t, Maintenance{Files: 2, Deletes: 1}).Rewritten)
	require.Equal(t, before, lineage(t, k))
	numbers := map[int64]bool{}
	for _, l := range before {
		require.False(t, numbers[l[0]])
		numbers[l[0]] = true
	}
}

// filesOf returns the table's files, by their names below its location.
func filesOf(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	root := filepath.Join(dir, "warehouse")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(root, path)
			out = append(out, path)
		}
		return err
	}))
	return out
}

// With no age limit at all, the orphans that are put there are removed, and nothing else:
// all snapshots are still there to be read, with what belongs to them.
func TestOrphans(t *testing.T) {
	for _, test := range []struct {
		name, folder, version string
		partition             []string
	}{
		{"equality deletes", "plain", "2", nil},
		{"vectors", "plain", "3", nil},
		{"a name with blanks", "a b%20c#d?e+ä", "3", nil},
		{"partitions", "plain", "2", []string{"bucket[2](id)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			dir := filepath.Join(t.TempDir(), test.folder)
			o := Options{Properties: map[string]string{
				table.PropertyFormatVersion: test.version, table.WriteDeleteModeKey: table.WriteModeMergeOnRead,
				table.MetadataPreviousVersionsMaxKey: "3",
			}}
			if test.partition != nil {
				o.Partition = map[envelope.Table][]string{kept: test.partition}
			}
			k := newKeeper(t, dir, o)
			r := seeded(5)
			for range 6 {
				require.NoError(t, k.some(ctx, r, 20, 60))
			}
			var id int64
			for id = range k.rows {
				break
			}
			_, err := k.load(t).Delete(ctx, ice.EqualTo(ice.Reference("id"), id), ice.Properties(progressOf(k.load(t))))
			require.NoError(t, err)
			delete(k.rows, id)
			statistics(t, k)

			// The catalog by itself leaves the metadata behind that it no longer names.
			young := Maintenance{Orphan: time.Nanosecond, NoCompaction: true, NoExpiry: true, NoManifests: true}
			time.Sleep(5 * time.Millisecond)
			require.Equal(t, &Maintained{Orphans: 1}, k.maintain(t, young))
			readAll(t, k)

			// Nothing else is an orphan, however young it may be.
			before := filesOf(t, dir)
			require.Equal(t, new(Maintained), k.maintain(t, young))
			require.Equal(t, before, filesOf(t, dir))

			// Of what is put there, the old is one.
			root := filepath.Join(dir, "warehouse", "public.db", "kept")
			put := func(name string, age time.Duration) string {
				path := filepath.Join(root, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
				at := time.Now().Add(-age)
				require.NoError(t, os.Chtimes(path, at, at))
				return path
			}
			old := 73 * time.Hour
			orphans := []string{
				put("data/lost.parquet", old), put("data/id_bucket=1/lost.parquet", old), put("metadata/lost.avro", old),
				put("metadata/00001-0.metadata.json", old), put("data/lost.puffin", old),
			}
			others := []string{put("data/young.parquet", time.Hour), put("metadata/young.avro", 71*time.Hour), put("nested/data/other.parquet", old), put("notes.txt", old)}
			require.Equal(t, &Maintained{Orphans: len(orphans)}, k.maintain(t, Maintenance{NoCompaction: true}))
			for _, path := range orphans {
				require.NoFileExists(t, path)
			}
			for _, path := range others {
				require.FileExists(t, path)
				require.NoError(t, os.Remove(path))
			}
			require.Equal(t, before, filesOf(t, dir))
			readAll(t, k)

			// With everything that maintenance does, only what is named is left.
			time.Sleep(5 * time.Millisecond)
			done := k.maintain(t, Maintenance{Files: 2, Deletes: 1, Snapshots: 2, Age: time.Nanosecond, Orphan: time.Nanosecond})
			require.Positive(t, done.Snapshots)
			require.Positive(t, done.Deletes)
			readAll(t, k)
			require.NoError(t, k.some(ctx, r, 20, 60))
			k.check(t)
			time.Sleep(5 * time.Millisecond)
			k.maintain(t, Maintenance{Files: 2, Deletes: 1, Snapshots: 1, Age: time.Nanosecond, Orphan: time.Nanosecond})
			k.maintain(t, Maintenance{Files: 2, Deletes: 1, Snapshots: 1, Age: time.Nanosecond, Orphan: time.Nanosecond})
			readAll(t, k)
			parquet := slices.DeleteFunc(filesOf(t, dir), func(name string) bool { return !strings.HasSuffix(name, ".parquet") })
			data, deletes := k.counts(t)
			require.Len(t, parquet, data)
			require.Zero(t, deletes)
		})
	}
}

// statistics gives the newest snapshot a file of statistics.
func statistics(t *testing.T, k *keeper) {
	t.Helper()
	now := k.load(t)
	path := now.Location() + "/metadata/statistics.puffin"
	require.NoError(t, mustFS(t, k).(iceio.WriteFileIO).WriteFile(path, []byte("PFA1")))
	_, _, err := k.c.catalog.CommitTable(t.Context(), now.Identifier(), nil, []table.Update{
		table.NewSetStatisticsUpdate(table.StatisticsFile{SnapshotID: headOf(now), StatisticsPath: path, FileSizeInBytes: 4, FileFooterSizeInBytes: 1, BlobMetadata: []table.BlobMetadata{}}),
	})
	require.NoError(t, err)
}

// readAll reads all snapshots, and opens all else that the table names.
func readAll(t *testing.T, k *keeper) {
	t.Helper()
	now := k.load(t)
	for _, s := range now.Metadata().Snapshots() {
		for _, err := range scan(t.Context(), now, []string{"id"}, table.WithSnapshotID(s.SnapshotID)) {
			require.NoError(t, err, fmt.Sprint(s.Summary))
		}
	}
	names := []string{now.MetadataLocation()}
	for previous := range now.Metadata().PreviousFiles() {
		names = append(names, previous.MetadataFile)
	}
	for s := range now.Metadata().Statistics() {
		names = append(names, s.StatisticsPath)
	}
	for _, name := range names {
		f, err := mustFS(t, k).Open(name)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	k.check(t)
}

// Tables whose files others may have too keep all of them.
func TestMaintainWithoutCollection(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	k := newKeeper(t, dir, Options{Properties: map[string]string{table.GCEnabledKey: "false"}})
	for i := range int64(7) {
		require.NoError(t, k.commit(ctx, []int64{i}, map[int64]int64{i: i}))
	}
	lost := filepath.Join(dir, "warehouse", "public.db", "kept", "data", "lost.parquet")
	require.NoError(t, os.WriteFile(lost, []byte("x"), 0o644))
	before := len(filesOf(t, dir))
	time.Sleep(5 * time.Millisecond)
	done := k.maintain(t, Maintenance{Snapshots: 1, Age: time.Nanosecond, Orphan: time.Nanosecond})
	require.Equal(t, &Maintained{Rewritten: 7, Written: 1, Deletes: 6}, done)
	require.Greater(t, len(filesOf(t, dir)), before)
	require.FileExists(t, lost)
	k.check(t)
}

// Small deltas with maintenance after every 30 leave one file, however many they are.
func TestMaintainedCounts(t *testing.T) {
	ctx := t.Context()
	k := newKeeper(t, t.TempDir(), Options{})
	r := seeded(6)
	const every = 30
	for i := range 90 {
		require.NoError(t, k.some(ctx, r, 100, 5000))
		if i%every == every-1 {
			done := k.maintain(t, Maintenance{Snapshots: 5, Age: time.Nanosecond, NoOrphans: true})
			require.GreaterOrEqual(t, done.Deletes, every-1)
			data, deletes := k.counts(t)
			require.Equal(t, [2]int{1, 0}, [2]int{data, deletes}, strconv.Itoa(i))
			require.Len(t, k.load(t).Metadata().Snapshots(), 5)
			manifests, err := k.load(t).CurrentSnapshot().Manifests(mustFS(t, k))
			require.NoError(t, err)
			require.LessOrEqual(t, len(manifests), 3)
		}
	}
	k.check(t)
}
