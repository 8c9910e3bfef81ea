package committer

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

var kept = envelope.Table{DB: "shop", Schema: "public", Name: "kept"}

// A keeper writes deltas of a table of two numbers, of which one is the key, and knows
// what must be in it.
type keeper struct {
	c    *Committer
	rows map[int64]int64
	n    int // deltas so far; the position is the same number
}

func newKeeper(t *testing.T, dir string, o Options) *keeper {
	t.Helper()
	return &keeper{c: openKept(t, dir, o), rows: make(map[int64]int64)}
}

func openKept(t *testing.T, dir string, o Options) *Committer {
	t.Helper()
	c, err := Local(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// commit commits a delta: the keys are deleted, and those with a row are written.
func (k *keeper) commit(ctx context.Context, keys []int64, rows map[int64]int64) error {
	schema := &iceberg.Schema{
		Columns: []iceberg.Column{{Name: "id", Type: icetype.Type{Kind: icetype.Long}, Required: true}, {Name: "v", Type: icetype.Type{Kind: icetype.Long}}},
		Key:     []string{"id"},
	}
	d := &iceberg.Delta{ID: "d" + strconv.Itoa(k.n), Table: kept, Schema: schema, From: strconv.Itoa(k.n), To: strconv.Itoa(k.n + 1)}
	d.Keys = iceberg.Rows{Len: len(keys), Columns: []iceberg.Vector{{Ints: keys, Null: make([]bool, len(keys))}, {}}}
	ids := slices.Sorted(maps.Keys(rows))
	values := make([]int64, len(ids))
	for i, id := range ids {
		values[i] = rows[id]
	}
	d.Rows = iceberg.Rows{Len: len(ids), Columns: []iceberg.Vector{{Ints: ids, Null: make([]bool, len(ids))}, {Ints: values, Null: make([]bool, len(ids))}}}
	if err := k.c.Commit(ctx, d); err != nil {
		return err
	}
	k.n++
	for _, id := range keys {
		delete(k.rows, id)
	}
	maps.Copy(k.rows, rows)
	return nil
}

// some commits a delta of n keys below a limit, of which a part is deleted.
func (k *keeper) some(ctx context.Context, r *rand.Rand, n int, limit int64) error {
	keys, rows := map[int64]bool{}, map[int64]int64{}
	for len(keys) < n {
		id := r.Int64N(limit)
		keys[id] = true
		if r.IntN(4) > 0 {
			rows[id] = int64(k.n)<<20 | id
		} else {
			delete(rows, id)
		}
	}
	return k.commit(ctx, slices.Sorted(maps.Keys(keys)), rows)
}

// check compares the table with what must be in it.
func (k *keeper) check(t *testing.T) {
	t.Helper()
	got := make(map[int64]int64)
	for rows, err := range k.c.Rows(t.Context(), kept, 0, "id", "v") {
		require.NoError(t, err)
		for i, id := range rows.Columns[0].Ints {
			_, twice := got[id]
			require.False(t, twice, "a row twice")
			got[id] = rows.Columns[1].Ints[i]
		}
	}
	require.Equal(t, k.rows, got)
	position, err := k.c.Position(t.Context(), kept)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(k.n), position)
}

func (k *keeper) load(t *testing.T) *table.Table {
	t.Helper()
	out, err := k.c.load(t.Context(), kept)
	require.NoError(t, err)
	return out
}

// counts returns how many data files and how many deletes the table has.
func (k *keeper) counts(t *testing.T) (data, deletes int) {
	t.Helper()
	var cache manifestCache
	l, err := cache.read(t.Context(), k.load(t))
	require.NoError(t, err)
	return len(l.data), len(l.deletes)
}

func (k *keeper) maintain(t *testing.T, m Maintenance) *Maintained {
	t.Helper()
	done, err := k.c.Maintain(t.Context(), kept, m)
	require.NoError(t, err)
	return done
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func TestMaintainOfNoTable(t *testing.T) {
	k := newKeeper(t, t.TempDir(), Options{})
	require.Equal(t, new(Maintained), k.maintain(t, Maintenance{}))
}

// What is maintained once needs nothing a second time.
func TestMaintainTwice(t *testing.T) {
	k := newKeeper(t, t.TempDir(), Options{})
	r := seeded(1)
	for range 12 {
		require.NoError(t, k.some(t.Context(), r, 50, 200))
	}
	done := k.maintain(t, Maintenance{})
	require.Equal(t, &Maintained{Rewritten: 12, Written: 1, Deletes: 11}, done)
	data, deletes := k.counts(t)
	require.Equal(t, [2]int{1, 0}, [2]int{data, deletes})
	k.check(t)
	s := k.load(t).CurrentSnapshot()
	require.Equal(t, table.OpReplace, s.Summary.Operation)
	require.Equal(t, "12", s.Summary.Properties[propertyPosition])

	require.Equal(t, new(Maintained), k.maintain(t, Maintenance{}))
	require.Equal(t, s.SnapshotID, k.load(t).CurrentSnapshot().SnapshotID)
	require.Equal(t, new(Maintained), k.maintain(t, Maintenance{NoCompaction: true, NoExpiry: true, NoManifests: true, NoOrphans: true}))
}

// All rows are deleted: nothing is made of the files, and nothing is left of the table.
func TestMaintainOfEmptyRows(t *testing.T) {
	k := newKeeper(t, t.TempDir(), Options{})
	ctx := t.Context()
	for i := range int64(6) {
		require.NoError(t, k.commit(ctx, []int64{i}, map[int64]int64{i: i}))
	}
	require.NoError(t, k.commit(ctx, []int64{0, 1, 2, 3, 4, 5}, nil))
	done := k.maintain(t, Maintenance{})
	require.Equal(t, &Maintained{Rewritten: 6, Deletes: 6}, done)
	k.check(t)
	require.NoError(t, k.commit(ctx, []int64{1}, map[int64]int64{1: 7}))
	k.check(t)
}

// The writer commits while what it wrote is maintained, in the same process or in
// another.
func TestMaintainBesideWriter(t *testing.T) {
	for _, test := range []struct {
		name   string
		deltas int
		other  bool // another Committer, which knows nothing of the first one's locks
		o      Options
	}{
		{"one", 120, false, Options{}},
		{"two", 60, true, Options{Attempts: 40}},
		{"vectors", 40, false, Options{Deletes: DeletionVectors}},
		{"copies", 40, false, Options{Deletes: CopyOnWrite}},
		{"partitions", 50, false, Options{Partition: map[envelope.Table][]string{kept: {"bucket[3](id)"}}}},
		{"version 3", 50, false, Options{Properties: map[string]string{table.PropertyFormatVersion: "3"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			k := newKeeper(t, dir, test.o)
			keeps := k.c
			if test.other {
				keeps = openKept(t, dir, Options{Attempts: 40})
			}
			r := seeded(2)
			require.NoError(t, k.some(t.Context(), r, 300, 600))
			var total Maintained
			var beside atomic.Int64
			stop := make(chan struct{})
			var maintainer sync.WaitGroup
			maintainer.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					done, err := keeps.Maintain(t.Context(), kept, Maintenance{Files: 4, Deletes: 3, Snapshots: 3, Age: time.Nanosecond, Manifests: 4})
					assert.NoError(t, err)
					total.Rewritten += done.Rewritten
					total.Deletes += done.Deletes
					total.Snapshots += done.Snapshots
					if done.Rewritten > 0 {
						beside.Add(1)
					}
				}
			})
			// Copies leave no deletes and few files: there may be nothing to rewrite.
			enough := func() bool { return beside.Load() > 0 || test.o.Deletes == CopyOnWrite }
			for i := 0; i < test.deltas || !enough() && i < 20*test.deltas; i++ {
				require.NoError(t, k.some(t.Context(), r, 30, 600))
				if test.other { // it has pauses, and another process can only use those
					time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
				}
				if i%40 == 39 {
					k.check(t)
				}
			}
			close(stop)
			maintainer.Wait()
			k.check(t)
			assert.True(t, enough(), "nothing was rewritten beside the writer")
			k.maintain(t, Maintenance{Files: 2, Deletes: 1})
			k.check(t)
			_, deletes := k.counts(t)
			assert.Zero(t, deletes)
			t.Log(fmt.Sprint("maintained beside ", beside.Load(), " times: ", total))
		})
	}
}

// staged returns a rewriting of all the table's files that is written, not committed.
func (k *keeper) staged(t *testing.T) *rewriting {
	t.Helper()
	now := k.load(t)
	w := &maintaining{c: k.c, source: kept, Maintenance: Maintenance{Files: 1, Deletes: 1}.defaults(now), done: new(Maintained)}
	base, groups, err := w.plan(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, groups)
	r := &rewriting{maintaining: w, base: base, groups: groups}
	require.NoError(t, r.write(t.Context()))
	return r
}

// A delta is committed between reading and committing.
func TestMaintainAfterDelta(t *testing.T) {
	k := newKeeper(t, t.TempDir(), Options{})
	ctx := t.Context()
	require.NoError(t, k.commit(ctx, []int64{1, 2}, map[int64]int64{1: 10, 2: 20}))
	require.NoError(t, k.commit(ctx, []int64{1, 3}, map[int64]int64{1: 11, 3: 30}))
	r := k.staged(t)
	require.NoError(t, k.commit(ctx, []int64{2, 3}, map[int64]int64{3: 31}))
	require.NoError(t, r.replace(ctx, r.lock))
	k.check(t)
	require.Equal(t, &Maintained{Rewritten: 2, Written: 1, Deletes: 1}, r.done) // the newer delete stays
	data, deletes := k.counts(t)
	require.Equal(t, [2]int{2, 1}, [2]int{data, deletes})
	k.maintain(t, Maintenance{Files: 2, Deletes: 1})
	k.check(t)
	_, deletes = k.counts(t)
	require.Zero(t, deletes)
}

// What a rewriting does not fit any more it gives up, together with what it wrote.
func TestMaintainGivesUp(t *testing.T) {
	ctx := t.Context()
	setup := func(t *testing.T, version string) (*keeper, *rewriting) {
		k := newKeeper(t, t.TempDir(), Options{Properties: map[string]string{
			table.PropertyFormatVersion: version, table.WriteDeleteModeKey: table.WriteModeMergeOnRead,
		}})
		require.NoError(t, k.commit(ctx, []int64{1, 2, 4}, map[int64]int64{1: 10, 2: 20, 4: 40}))
		require.NoError(t, k.commit(ctx, []int64{1, 3}, map[int64]int64{1: 11, 3: 30}))
		return k, k.staged(t)
	}
	foreign := func(t *testing.T, k *keeper, id int64) {
		_, err := k.load(t).Delete(ctx, ice.EqualTo(ice.Reference("id"), id), ice.Properties(progressOf(k.load(t))))
		require.NoError(t, err)
		delete(k.rows, id)
	}
	for _, test := range []struct {
		name, version string
		change        func(*testing.T, *keeper)
	}{
		{"position deletes", "2", func(t *testing.T, k *keeper) { foreign(t, k, 2) }},
		{"deletion vectors", "3", func(t *testing.T, k *keeper) { foreign(t, k, 2) }},
		{"other files", "2", func(t *testing.T, k *keeper) {
			require.Equal(t, 2, k.maintain(t, Maintenance{Files: 1, Deletes: 1}).Rewritten)
		}},
		{"other columns", "2", func(t *testing.T, k *keeper) {
			tx := k.load(t).NewTransaction()
			u := tx.UpdateSchema(true, false)
			u.AddColumn([]string{"more"}, ice.PrimitiveTypes.Int32, "", false, nil)
			require.NoError(t, u.Commit())
			_, err := tx.Commit(ctx)
			require.NoError(t, err)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k, r := setup(t, test.version)
			made := r.groups[0].made
			test.change(t, k)
			require.NoError(t, r.replace(ctx, r.lock))
			require.Equal(t, 1, r.stale)
			require.Zero(t, *r.done)
			for _, f := range made {
				_, err := mustFS(t, k).Open(f.FilePath())
				require.Error(t, err)
			}
			k.check(t)
			// Done again, it is right.
			k.maintain(t, Maintenance{Files: 2, Deletes: 1})
			k.check(t)
			_, deletes := k.counts(t)
			require.Zero(t, deletes)
		})
	}
}

// Where deltas change the files all the time, it is done with the lock at last.
func TestMaintainAlone(t *testing.T) {
	ctx := t.Context()
	k := newKeeper(t, t.TempDir(), Options{})
	for i := range int64(6) {
		require.NoError(t, k.commit(ctx, []int64{i}, map[int64]int64{i: i}))
	}
	w := &maintaining{c: k.c, source: kept, Maintenance: Maintenance{}.defaults(k.load(t)), done: new(Maintained)}
	require.NoError(t, w.compactAlone(ctx, 3))
	require.Equal(t, &Maintained{Rewritten: 6, Written: 1, Deletes: 5}, w.done)
	k.check(t)
}

// The library plans a large file as several tasks; it is one file all the same.
func TestMaintainSplitFiles(t *testing.T) {
	k := newKeeper(t, t.TempDir(), Options{Properties: map[string]string{"read.split.target-size": "1", table.ParquetRowGroupLimitKey: "2"}})
	rows := map[int64]int64{}
	for i := range int64(9) {
		rows[i] = i
	}
	require.NoError(t, k.commit(t.Context(), nil, rows))
	for i := range int64(3) {
		require.NoError(t, k.commit(t.Context(), []int64{i}, map[int64]int64{i: 10 + i}))
	}
	tasks, err := k.load(t).Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(tasks), 4, "no file is planned in parts")
	require.Equal(t, &Maintained{Rewritten: 4, Written: 1, Deletes: 3}, k.maintain(t, Maintenance{Files: 2, Deletes: 1}))
	k.check(t)
}
