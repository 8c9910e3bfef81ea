package committer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// The traps of the Iceberg library, and of tables that others made: each test fails
// without the guard that it names.

var stock = envelope.Table{DB: "shop", Schema: "public", Name: "stock"}

// A feed makes deltas of changes of one table, whose key is the column id.
type feed struct {
	builder iceberg.Builder
	schema  *envelope.Schema
	n       int
}

func (f *feed) change(t *testing.T, op envelope.Op, row string) {
	t.Helper()
	f.n++
	c := envelope.Change{Op: op, Table: stock, Schema: f.schema, Version: envelope.PositionVersion(int64(f.n), uint64(f.n), 0)}
	if op == envelope.OpDelete {
		c.Before = envelope.Row(row)
	} else {
		c.After = envelope.Row(row)
	}
	require.NoError(t, f.builder.Add(&c))
}

// flush returns the one delta of what was added.
func (f *feed) flush(t *testing.T) *iceberg.Delta {
	t.Helper()
	deltas := f.builder.Flush(fmt.Sprintf("%06d", f.n-1), fmt.Sprintf("%06d", f.n))
	require.Len(t, deltas, 1)
	return deltas[0]
}

func ints(bits int, names ...string) *envelope.Schema {
	s := &envelope.Schema{Key: []string{"id"}}
	for _, name := range names {
		s.Fields = append(s.Fields, envelope.Field{Name: name, Type: envelope.Type{Kind: envelope.KindInt, Bits: bits}, Optional: name != "id"})
	}
	return s
}

func open(t *testing.T, o Options) *Committer {
	t.Helper()
	c, err := Local(t.TempDir(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// rows returns the rows of the table as text, sorted.
func rows(t *testing.T, c *Committer, columns ...string) []string {
	t.Helper()
	var out []string
	for r, err := range c.Rows(t.Context(), stock, 0, columns...) {
		require.NoError(t, err)
		for i := range r.Len {
			var line []string
			for j := range r.Columns {
				v := &r.Columns[j]
				switch {
				case v.Null[i]:
					line = append(line, "null")
				case v.Ends != nil:
					line = append(line, string(v.Value(i)))
				default:
					line = append(line, fmt.Sprint(v.Ints[i]))
				}
			}
			out = append(out, strings.Join(line, " "))
		}
	}
	slices.Sort(out)
	return out
}

// After a key column became a long, equality deletes must still find the rows that were
// written as ints: all data files are rewritten with the new type (T1). A filter on the
// column, as the filling of gaps uses, must work (T2).
func TestKeyBecomesLong(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	for id := range 4 {
		f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":%d,"n":%d}`, id, id))
	}
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.schema = ints(64, "id", "n")
	f.change(t, envelope.OpUpdate, `{"id":1,"n":10}`)
	f.change(t, envelope.OpDelete, `{"id":2}`)
	f.change(t, envelope.OpCreate, `{"id":4294967298,"n":5}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"0 0", "1 10", "3 3", "4294967298 5"}, rows(t, c))

	f.change(t, envelope.OpUpdate, `{"id":3}`) // without n
	f.change(t, envelope.OpUpdate, `{"id":4294967298}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"0 0", "1 10", "3 3", "4294967298 5"}, rows(t, c))
	position, err := c.Position(t.Context(), stock)
	require.NoError(t, err)
	require.Equal(t, "000009", position)
}

// The same where somebody else widened the column, and where it becomes one of the key
// after that. All is rewritten once.
func TestKeyWasWidened(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	f.schema.Fields[1].Optional = false
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	f.change(t, envelope.OpCreate, `{"id":2,"n":2}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	widen := func(column string) {
		table, err := c.load(t.Context(), stock)
		require.NoError(t, err)
		tx := table.NewTransaction()
		require.NoError(t, tx.UpdateSchema(true, false).UpdateColumn([]string{column}, wide).Commit())
		_, err = tx.Commit(t.Context())
		require.NoError(t, err)
	}
	widen("id")
	f.change(t, envelope.OpUpdate, `{"id":1,"n":3}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"1 3", "2 2"}, rows(t, c))

	widen("n")
	f.change(t, envelope.OpUpdate, `{"id":2,"n":5}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.schema = ints(64, "id", "n")
	f.schema.Key, f.schema.Fields[1].Optional = []string{"n"}, false
	f.change(t, envelope.OpUpdate, `{"id":11,"n":3}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"11 3", "2 5"}, rows(t, c))

	before, err := c.Info(t.Context(), stock)
	require.NoError(t, err)
	f.change(t, envelope.OpUpdate, `{"id":12,"n":3}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	after, err := c.Info(t.Context(), stock)
	require.NoError(t, err)
	require.Len(t, after.Snapshots, len(before.Snapshots)+1)
}

// Rows that are older than a column of the key have nothing in it, and no delete by the
// key would reach them.
func TestKeyColumnIsNew(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.schema = ints(32, "id", "n", "m")
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2,"m":2}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))

	f.schema = ints(32, "id", "n", "m")
	f.schema.Key = []string{"id", "m"}
	f.change(t, envelope.OpUpdate, `{"id":1,"n":3,"m":2}`)
	require.ErrorIs(t, c.Commit(t.Context(), f.flush(t)), iceberg.ErrKey)
	require.Equal(t, []string{"1 2 2"}, rows(t, c))

	truncate := envelope.Change{Op: envelope.OpTruncate, Table: stock, Version: envelope.PositionVersion(int64(f.n), uint64(f.n), 1)}
	require.NoError(t, f.builder.Add(&truncate))
	for n := range 3 { // once the table was empty, it is right
		f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":1,"n":%d,"m":2}`, n))
		require.NoError(t, c.Commit(t.Context(), f.flush(t)))
		require.Equal(t, []string{fmt.Sprint("1 ", n, " 2")}, rows(t, c))
	}
}

var wide = table.ColumnUpdate{FieldType: ice.Optional[ice.Type]{Valid: true, Val: ice.PrimitiveTypes.Int64}}

// The same key twice in one delta would leave two rows (T4): a Builder never makes one.
func TestKeyTwice(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	f.change(t, envelope.OpDelete, `{"id":1}`)
	f.change(t, envelope.OpCreate, `{"id":1,"n":3}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"1 3"}, rows(t, c))
}

// Where a partition does not follow from the key, deletes miss rows without a word (T5).
func TestPartition(t *testing.T) {
	f := feed{schema: ints(32, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	d := f.flush(t)
	for _, term := range []string{"n", "bucket[4](n)", "missing", "twist[4](id)"} {
		c := open(t, Options{Partition: map[envelope.Table][]string{stock: {term}}})
		err := c.Commit(t.Context(), d)
		var refused *iceberg.SchemaError
		require.ErrorAs(t, err, &refused, term)
		require.ErrorIs(t, err, ErrPartition, term)
		_, err = c.Info(t.Context(), stock)
		require.ErrorIs(t, err, catalog.ErrNoSuchTable, "no table is made")
	}

	c := open(t, Options{Partition: map[envelope.Table][]string{stock: {"bucket[4](id)"}}})
	require.NoError(t, c.Commit(t.Context(), d))
	want := map[int]int{1: 1}
	for id := range 20 {
		f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":%d,"n":%d}`, id, id))
		want[id] = id
	}
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	for id := range 20 {
		if id%3 == 0 {
			f.change(t, envelope.OpDelete, fmt.Sprintf(`{"id":%d}`, id))
			delete(want, id)
		} else {
			f.change(t, envelope.OpUpdate, fmt.Sprintf(`{"id":%d,"n":%d}`, id, 100+id))
			want[id] = 100 + id
		}
	}
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	var lines []string
	for id, n := range want {
		lines = append(lines, fmt.Sprint(id, n))
	}
	slices.Sort(lines)
	require.Equal(t, lines, rows(t, c))

	// Tables that others made are judged by what they are, not by the options.
	c.options.Partition = nil
	other := open(t, Options{})
	other.catalog = c.catalog
	f.change(t, envelope.OpCreate, `{"id":50,"n":50}`)
	require.NoError(t, other.Commit(t.Context(), f.flush(t)))
	require.Contains(t, rows(t, c), "50 50")
}

// A table that somebody else partitioned by another column is refused, and stays as it was.
func TestPartitionedByOthers(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	table, err := c.load(t.Context(), stock)
	require.NoError(t, err)
	tx := table.NewTransaction()
	require.NoError(t, tx.UpdateSpec(true).AddIdentity("n").Commit())
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	require.ErrorIs(t, c.Commit(t.Context(), f.flush(t)), ErrPartition)
	require.Equal(t, []string{"1 1"}, rows(t, c))
}

// The library writes a null in a required column as 0 (T7). A Builder refuses it; what
// nobody knows can be null too.
func TestNullWhereRequired(t *testing.T) {
	schema := ints(32, "id", "n")
	schema.Fields[1].Optional = false
	f := feed{schema: schema}
	c := envelope.Change{Op: envelope.OpCreate, Table: stock, Schema: schema, After: envelope.Row(`{"id":1,"n":null}`)}
	require.ErrorIs(t, f.builder.Add(&c), iceberg.ErrRequired)

	sink := open(t, Options{Unknown: UnknownNull})
	f.change(t, envelope.OpUpdate, `{"id":1}`)
	require.ErrorIs(t, sink.Commit(t.Context(), f.flush(t)), iceberg.ErrRequired)
	f.change(t, envelope.OpUpdate, `{"id":1,"n":1}`)
	require.NoError(t, sink.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"1 1"}, rows(t, sink))
}

// The incremental changelog scan fails on tables with delete files (T9).
func TestNoChangelogScan(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, name := range sources {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotContains(t, string(text), "NewIncremental"+"ChangelogScan", name)
	}
}

// The library never makes local files durable (T10): ours must be what writes a table's
// data, its manifests and its metadata.
func TestDurable(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	var mu sync.Mutex
	synced := make(map[string]bool)
	syncFile = func(f *os.File) error {
		mu.Lock()
		defer mu.Unlock()
		synced[f.Name()] = true
		return f.Sync()
	}
	defer func() { syncFile = (*os.File).Sync }()
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	info, err := c.Info(context.Background(), stock)
	require.NoError(t, err)
	folder := filepath.Dir(filepath.Dir(strings.TrimPrefix(info.Metadata, "file://")))
	files := 0
	require.NoError(t, filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		require.True(t, synced[path], path)
		if !d.IsDir() {
			files++
		}
		return nil
	}))
	require.GreaterOrEqual(t, files, 3+2*3, "data, deletes, manifests and lists of them, metadata")
}

// The library lets go of a column that identifies rows (T11).
func TestKeyColumnDropped(t *testing.T) {
	c := open(t, Options{Evolution: iceberg.Policy{Dropped: iceberg.DroppedDelete}})
	schema := ints(32, "id", "n", "m")
	schema.Key, schema.Fields[1].Optional = []string{"id", "n"}, false
	f := feed{schema: schema}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1,"m":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.schema = ints(32, "id", "n")
	f.schema.Fields[1].Name = "m"
	f.change(t, envelope.OpUpdate, `{"id":1,"m":2}`)
	require.ErrorIs(t, c.Commit(t.Context(), f.flush(t)), iceberg.ErrKey)
	require.Equal(t, []string{"1 1 1"}, rows(t, c))

	f.schema = ints(32, "id", "n")
	f.schema.Key, f.schema.Fields[1].Optional = []string{"id", "n"}, false
	f.change(t, envelope.OpUpdate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)), "m goes")
	require.Equal(t, []string{"1 1"}, rows(t, c))
}

// A column gets a type that does not hold its values: they stay under another name, and
// the table's older snapshots are as they were.
func TestIncompatible(t *testing.T) {
	for _, optional := range []bool{true, false} {
		c := open(t, Options{})
		f := feed{schema: ints(64, "id", "n")}
		f.schema.Fields[1].Optional = optional
		f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
		f.change(t, envelope.OpCreate, `{"id":2,"n":2}`)
		require.NoError(t, c.Commit(t.Context(), f.flush(t)))
		f.schema = ints(64, "id", "n", "m")
		f.schema.Fields[1].Type = envelope.Type{Kind: envelope.KindText}
		f.change(t, envelope.OpUpdate, `{"id":1,"n":"one","m":7}`)
		d := f.flush(t)
		require.ErrorIs(t, c.Commit(t.Context(), d), iceberg.ErrIncompatible)
		require.Equal(t, []string{"1 1", "2 2"}, rows(t, c))
		c.options.Evolution.Incompatible = iceberg.IncompatibleRename
		require.NoError(t, c.Commit(t.Context(), d))
		require.Equal(t, []string{"1 one 7 null", "2 null null 2"}, rows(t, c, "id", "n", "m", "n_1"))
	}
}

// Vectors need version 3, and a table that could not take them is not made.
func TestVersion(t *testing.T) {
	c := open(t, Options{Deletes: DeletionVectors, Properties: map[string]string{"format-version": "2"}})
	f := feed{schema: ints(64, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.ErrorIs(t, c.Commit(t.Context(), f.flush(t)), ErrVersion)
	_, err := c.Info(t.Context(), stock)
	require.ErrorIs(t, err, catalog.ErrNoSuchTable)
}
