package committer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

// opens counts what is opened of a storage, and the bytes that are read.
type opens struct {
	iceio.IO
	files, bytes atomic.Int64
}

func (o *opens) Open(name string) (iceio.File, error) {
	o.files.Add(1)
	f, err := o.IO.Open(name)
	return opened{f, o}, err
}

type opened struct {
	iceio.File
	of *opens
}

func (f opened) ReadAt(p []byte, off int64) (int, error) {
	f.of.bytes.Add(int64(len(p)))
	return f.File.ReadAt(p, off)
}

// found returns where a table has the rows of keys, as text, and how many files it opens
// for that.
func found(t *testing.T, tbl *table.Table, d *iceberg.Delta) (places []string, files int64) {
	t.Helper()
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	counting := &opens{IO: fs}
	s, err := newSearch(tbl, counting, d)
	require.NoError(t, err)
	tasks, err := wholeFiles(t.Context(), tbl)
	require.NoError(t, err)
	at, err := s.locate(t.Context(), tasks)
	require.NoError(t, err)
	for _, p := range at {
		lower, err := ice.LiteralFromBytes(ice.PrimitiveTypes.Int32, p.task.File.LowerBoundValues()[2])
		if err != nil {
			lower, err = ice.LiteralFromBytes(ice.PrimitiveTypes.Int64, p.task.File.LowerBoundValues()[2])
		}
		require.NoError(t, err)
		places = append(places, fmt.Sprintf("%v: %v", lower, slices.Collect(p.rows.Positions())))
	}
	slices.Sort(places)
	return places, counting.files.Load()
}

// Files in which no key can be are not opened, those that may have one are, and of them
// the numbers of rows are right across row groups. The column v has the number of the
// delta that wrote a file.
func TestLocate(t *testing.T) {
	for name, sort := range sorts() {
		if name == "composite" {
			continue // below
		}
		t.Run(name, func(t *testing.T) {
			s := newShop(t, t.TempDir(), sort, Options{Properties: map[string]string{"write.parquet.row-group-limit": "2"}}, EqualityDeletes)
			commit := func(d *iceberg.Delta) {
				t.Helper()
				require.NoError(t, s.committers[0].Commit(t.Context(), d))
			}
			commit(s.delta(false, []int{2, 3}, nil))
			commit(s.delta(false, []int{9, 5, 6, 8, 7}, nil))
			commit(s.delta(false, []int{10, 11}, nil))
			commit(s.delta(false, []int{5}, nil))
			places, files := found(t, s.table(t), s.delta(false, []int{7, 8}, nil))
			require.Equal(t, []string{"2: [3 4]"}, places)
			require.EqualValues(t, 1, files)
			places, files = found(t, s.table(t), s.delta(false, nil, []int{5}))
			require.Equal(t, []string{"2: [1]", "4: [0]"}, places, "rows that are deleted are found as well")
			require.EqualValues(t, 2, files)
			places, files = found(t, s.table(t), s.delta(false, nil, []int{3, 11, 10}))
			require.Equal(t, []string{"1: [1]", "3: [0 1]"}, places)
			require.LessOrEqual(t, files, int64(2))
			commit(s.delta(false, []int{4}, nil)) // null, in one of them
			places, files = found(t, s.table(t), s.delta(false, nil, []int{4}))
			require.Contains(t, places, fmt.Sprintf("%d: [0]", s.n-1))
			require.Len(t, places, 1)
			require.EqualValues(t, 1, files)
			places, files = found(t, s.table(t), s.delta(false, nil, []int{0, 1}))
			require.Empty(t, places)
			require.Zero(t, files)
		})
	}
}

// Row groups in which no key can be are not read: the columns of such a file take fewer
// bytes to search.
func TestLocateInRowGroups(t *testing.T) {
	all := sorts()
	for _, name := range []string{"long", "text", "decimal", "small decimal"} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, t.TempDir(), all[name], Options{Properties: map[string]string{"write.parquet.row-group-limit": "1"}}, EqualityDeletes)
			require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{2, 3, 4, 5, 6, 7, 8, 9}, nil)))
			read := func(keys ...int) int64 {
				fs, err := s.table(t).FS(t.Context())
				require.NoError(t, err)
				counting := &opens{IO: fs}
				search, err := newSearch(s.table(t), counting, s.delta(false, nil, keys))
				require.NoError(t, err)
				tasks, err := wholeFiles(t.Context(), s.table(t))
				require.NoError(t, err)
				places, err := search.locate(t.Context(), tasks)
				require.NoError(t, err)
				require.Equal(t, keys, slices.Collect(func(yield func(int) bool) {
					for p := range places[0].rows.Positions() {
						if !yield(int(p) + 2) {
							return
						}
					}
				}))
				return counting.bytes.Load()
			}
			footer := read(2, 3) - (read(2, 3, 4)-read(2, 3))*2
			require.Less(t, footer, read(2))
			require.Less(t, read(3), read(3, 9))
			require.Less(t, read(3, 9), read(2, 3, 4, 5, 6, 7, 8, 9))
		})
	}
}

// A file that was written when the key was an int is searched for longs, without being
// written anew.
func TestLocateWhatWasNarrower(t *testing.T) {
	for _, name := range []string{"int", "decimal"} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, t.TempDir(), sorts()[name], Options{}, EqualityDeletes)
			require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{2, 3, 5}, nil)))
			require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{8, 9}, nil)))
			tx := s.table(t).NewTransaction()
			require.NoError(t, evolve(tx, &iceberg.Evolution{Widen: s.sort.widened}))
			tbl, err := tx.Commit(t.Context())
			require.NoError(t, err)
			places, files := found(t, tbl, s.delta(false, nil, []int{3, 5, 7}))
			require.Equal(t, []string{"1: [1 2]"}, places)
			require.EqualValues(t, 1, files)
		})
	}
}

// Columns of a key are found by their IDs, whatever they are called and wherever they
// are, and several of them.
func TestLocateComposite(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["composite"], Options{}, EqualityDeletes)
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{0, 1, 2, 3, 4, 5}, nil)))
	tbl := s.table(t)
	for _, names := range [][2]string{{"id", "was"}, {"part", "id"}} {
		tx := tbl.NewTransaction()
		require.NoError(t, tx.UpdateSchema(true, true).RenameColumn([]string{names[0]}, names[1]).Commit())
		var err error
		tbl, err = tx.Commit(t.Context())
		require.NoError(t, err)
	}
	d := s.delta(false, nil, []int{1, 4, 9})
	d.Schema = &iceberg.Schema{Columns: []iceberg.Column{column("id", true, icetype.String), column("was", true, icetype.UUID)}, Key: []string{"was", "id"}}
	tasks, err := wholeFiles(t.Context(), tbl)
	require.NoError(t, err)
	places, err := located(t.Context(), tbl, d)
	require.NoError(t, err)
	require.Len(t, places, len(tasks))
	require.Equal(t, []uint64{1, 4}, slices.Collect(places[0].rows.Positions()))
}

// foreign adds a file to a table that another program has written: without IDs of fields,
// or with times of another precision.
func foreign(t *testing.T, tbl *table.Table, r arrow.RecordBatch) *table.Table {
	t.Helper()
	var b bytes.Buffer
	w, err := pqarrow.NewFileWriter(r.Schema(), &b, parquet.NewWriterProperties(parquet.WithStats(true)), pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	require.NoError(t, w.Write(r))
	require.NoError(t, w.Close())
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	path := tbl.Location() + "/data/foreign.parquet"
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile(path, b.Bytes()))
	tx := tbl.NewTransaction()
	require.NoError(t, tx.AddFiles(t.Context(), []string{path}, nil, false))
	out, err := tx.Commit(t.Context())
	require.NoError(t, err)
	return out
}

// Files without IDs of fields are searched as readers read them: by the names that the
// table says they had.
func TestLocateByNames(t *testing.T) {
	for _, mode := range []Deletes{DeletionVectors, CopyOnWrite} {
		s := newShop(t, t.TempDir(), sorts()["long"], Options{Properties: map[string]string{"format-version": "3"}}, mode)
		require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, nil, nil)))
		r, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
			{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		}, nil), strings.NewReader(`[{"id": -1000, "v": 7}, {"id": 0, "v": 7}, {"id": 2000, "v": 7}]`))
		require.NoError(t, err)
		tbl := foreign(t, s.table(t), r)
		for _, k := range []int{2, 3, 5} {
			s.rows[k] = "7"
		}
		s.check(t)
		require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{2, 4}, []int{5})))
		s.check(t)
		require.NotEqual(t, tbl.MetadataLocation(), s.table(t).MetadataLocation())
	}
}

func TestSpan(t *testing.T) {
	long := func(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
	short := func(v int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
	ints := numbers(5, math.MaxInt64, -7, 5)
	withNull := numbers(5, 0)
	withNull.Null[1] = true
	decimals := iceberg.Vector{Null: make([]bool, 3), Decimals: []iceberg.Decimal{{Hi: -1, Lo: math.MaxUint64 - 299}, {Lo: 1 << 63}, {Hi: 1}}}
	text := texts("b", "", "bc\xff")
	tests := []struct {
		name         string
		kind         ice.Type
		values       iceberg.Vector
		lower, upper []byte
		full         bool
		want         bool
	}{
		{"on the lower bound", ice.PrimitiveTypes.Int64, ints, long(5), long(9), true, false},
		{"on the upper bound", ice.PrimitiveTypes.Int64, ints, long(-9), long(-7), true, false},
		{"between two", ice.PrimitiveTypes.Int64, ints, long(-6), long(4), true, true},
		{"between two, narrower", ice.PrimitiveTypes.Int64, ints, short(-6), short(4), true, true},
		{"among, narrower", ice.PrimitiveTypes.Int64, ints, short(-8), short(-7), true, false},
		{"the greatest", ice.PrimitiveTypes.Int64, ints, long(6), long(math.MaxInt64), true, false},
		{"above", ice.PrimitiveTypes.Date, numbers(5), short(6), short(7), true, true},
		{"below", ice.PrimitiveTypes.TimestampTz, numbers(5), long(3), long(4), true, true},
		{"of no known width", ice.PrimitiveTypes.Int64, ints, []byte{1}, []byte{2}, true, false},
		{"null, where none is", ice.PrimitiveTypes.Int64, withNull, long(6), long(7), true, true},
		{"null, where some may be", ice.PrimitiveTypes.Int64, withNull, long(6), long(7), false, false},
		{"no null", ice.PrimitiveTypes.Int64, numbers(5), long(6), long(7), false, true},
		{"negative decimal", ice.DecimalTypeOf(20, 0), decimals, []byte{0xfe, 0xd4}, []byte{0xfe, 0xd4}, true, false},
		{"beside a negative decimal", ice.DecimalTypeOf(20, 0), decimals, []byte{0xfe, 0xd5}, []byte{0x7f}, true, true},
		{"decimal beyond 63 bits", ice.DecimalTypeOf(20, 0), decimals, []byte{1}, []byte{0, 0x80, 0, 0, 0, 0, 0, 0, 0}, true, false},
		{"below a decimal beyond 63 bits", ice.DecimalTypeOf(20, 0), decimals, []byte{1}, []byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true, true},
		{"decimal of too many bytes", ice.DecimalTypeOf(20, 0), decimals, make([]byte, 17), make([]byte, 17), true, false},
		{"decimal of no bytes", ice.DecimalTypeOf(20, 0), decimals, nil, []byte{0}, true, false},
		{"text on the lower bound", ice.PrimitiveTypes.String, text, []byte("b"), []byte("bb"), true, false},
		{"text between two", ice.PrimitiveTypes.String, text, []byte("ba"), []byte("bb"), true, true},
		{"empty text", ice.PrimitiveTypes.String, text, nil, []byte("a"), true, false},
		{"a UUID", ice.PrimitiveTypes.UUID, texts("0123456789abcdef"), bytes.Repeat([]byte{9}, 16), bytes.Repeat([]byte{9}, 16), true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := spanOf(test.kind, &test.values)
			require.Equal(t, test.want, s.excludes(test.lower, test.upper, test.full))
		})
	}
}

// A search ends when it is told to.
func TestLocateCancelled(t *testing.T) {
	s := newShop(t, t.TempDir(), sorts()["long"], Options{}, EqualityDeletes)
	require.NoError(t, s.committers[0].Commit(t.Context(), s.delta(false, []int{2, 3}, nil)))
	tbl := s.table(t)
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	search, err := newSearch(tbl, fs, s.delta(false, nil, []int{2}))
	require.NoError(t, err)
	tasks, err := wholeFiles(t.Context(), tbl)
	require.NoError(t, err)
	for range cap(search.slots) {
		search.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = search.locate(ctx, tasks)
	require.ErrorIs(t, err, context.Canceled)
}

// Decimals that are whole numbers in a file have bounds of another form there.
func TestBoundsOfDecimalsAsWholes(t *testing.T) {
	for _, precision := range []int32{9, 18} {
		s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: &arrow.Decimal128Type{Precision: precision, Scale: 2}}}, nil)
		r, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(`[{"id": "-3.00"}, {"id": "70.00"}]`))
		require.NoError(t, err)
		var b bytes.Buffer
		w, err := pqarrow.NewFileWriter(s, &b, parquet.NewWriterProperties(parquet.WithStoreDecimalAsInteger(true)), pqarrow.DefaultWriterProps())
		require.NoError(t, err)
		require.NoError(t, w.Write(r))
		require.NoError(t, w.Close())
		reader, err := file.NewParquetReader(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		require.NotEqual(t, parquet.Types.FixedLenByteArray, reader.MetaData().Schema.Column(0).PhysicalType())
		for unscaled, excluded := range map[int64]bool{-301: true, -300: false, 5: false, 7000: false, 7001: true} {
			v := iceberg.Vector{Null: []bool{false}, Decimals: small([]int64{unscaled})}
			search := &search{spans: []span{spanOf(ice.DecimalTypeOf(int(precision), 2), &v)}}
			require.Equal(t, excluded, search.excludesGroup(reader.MetaData().RowGroup(0), []int{0}), unscaled)
		}
	}
}
