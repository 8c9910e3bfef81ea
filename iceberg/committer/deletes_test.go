package committer

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer/internal/seam"
)

var goods = envelope.Table{Schema: "shop", Name: "goods"}

// scratchCatalog returns a catalog whose files are not made durable.
func scratchCatalog(t require.TestingT, dir string) catalog.Catalog {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "catalog.db")+"?_pragma=synchronous(OFF)")
	require.NoError(t, err)
	c, err := sqlcat.NewCatalog("test", db, sqlcat.SQLite, ice.Properties{"warehouse": "file://" + filepath.Join(dir, "warehouse")})
	require.NoError(t, err)
	return c
}

// A sort is a kind of tables: with some keys, which are numbers here.
type sort struct {
	key     []iceberg.Column
	names   []string // of the key's columns, in its order
	values  []iceberg.Vector
	widened []iceberg.Column // of the key, at some time; nil if never
}

const keysOfSort = 12

func column(name string, required bool, kind icetype.Kind) iceberg.Column {
	return iceberg.Column{Name: name, Type: icetype.Type{Kind: kind}, Required: required}
}

func texts(values ...string) (v iceberg.Vector) {
	v.Ends = []int32{0}
	for _, s := range values {
		v.Null, v.Bytes = append(v.Null, false), append(v.Bytes, s...)
		v.Ends = append(v.Ends, int32(len(v.Bytes)))
	}
	return v
}

func numbers(values ...int64) iceberg.Vector {
	return iceberg.Vector{Null: make([]bool, len(values)), Ints: values}
}

func sorts() map[string]sort {
	some := make([]int64, keysOfSort)
	var long, ids []string
	var decimals []iceberg.Decimal
	for k := range some {
		some[k] = int64(k-3) * 1000
		long = append(long, fmt.Sprintf("a prefix of more than sixteen bytes é %d", k/3))
		ids = append(ids, fmt.Sprintf("%015d", k%3)+string([]byte{byte(k * 31)}))
		decimals = append(decimals, iceberg.Decimal{Hi: int64(k - 3), Lo: uint64(k) << 60})
	}
	nullable := numbers(slices.Clone(some)...)
	nullable.Null[4], nullable.Ints[4] = true, 0
	text := texts(long...)
	unique := make([]string, keysOfSort)
	for k := range unique {
		unique[k] = fmt.Sprintf("%02d and more than sixteen bytes", k)
	}
	unique[0], unique[1] = "", "\U0010ffff\U0010ffff\U0010ffff\U0010ffff\U0010ffff"
	return map[string]sort{
		"long":      {[]iceberg.Column{column("id", true, icetype.Long)}, []string{"id"}, []iceberg.Vector{numbers(some...)}, nil},
		"int":       {[]iceberg.Column{column("id", true, icetype.Int)}, []string{"id"}, []iceberg.Vector{numbers(some...)}, []iceberg.Column{column("id", true, icetype.Long)}},
		"nullable":  {[]iceberg.Column{column("id", false, icetype.Long)}, []string{"id"}, []iceberg.Vector{nullable}, nil},
		"text":      {[]iceberg.Column{column("id", true, icetype.String)}, []string{"id"}, []iceberg.Vector{texts(unique...)}, nil},
		"date":      {[]iceberg.Column{column("id", true, icetype.Date)}, []string{"id"}, []iceberg.Vector{numbers(some...)}, nil},
		"timestamp": {[]iceberg.Column{column("id", true, icetype.TimestampTZ)}, []string{"id"}, []iceberg.Vector{numbers(some...)}, nil},
		"decimal": {
			[]iceberg.Column{{Name: "id", Type: icetype.Type{Kind: icetype.Decimal, Precision: 30}, Required: true}}, []string{"id"},
			[]iceberg.Vector{{Null: make([]bool, keysOfSort), Decimals: decimals}},
			[]iceberg.Column{{Name: "id", Type: icetype.Type{Kind: icetype.Decimal, Precision: 35}, Required: true}},
		},
		"small decimal": {
			[]iceberg.Column{{Name: "id", Type: icetype.Type{Kind: icetype.Decimal, Precision: 9, Scale: 2}, Required: true}}, []string{"id"},
			[]iceberg.Vector{{Null: make([]bool, keysOfSort), Decimals: small(some)}}, nil,
		},
		"composite": {
			[]iceberg.Column{column("part", true, icetype.String), column("id", true, icetype.UUID)}, []string{"id", "part"},
			[]iceberg.Vector{texts(ids...), text}, nil,
		},
	}
}

func small(values []int64) (out []iceberg.Decimal) {
	for _, v := range values {
		out = append(out, iceberg.Decimal{Hi: v >> 63, Lo: uint64(v)})
	}
	return out
}

// A shop is a table as it should be, and the Committers that write it.
type shop struct {
	sort       sort
	committers []*Committer
	schema     *iceberg.Schema
	rows       map[int]string
	n          int
}

func newShop(t require.TestingT, dir string, s sort, o Options, modes ...Deletes) *shop {
	c := scratchCatalog(t, dir)
	out := &shop{sort: s, rows: make(map[int]string)}
	for _, m := range modes {
		o.Deletes = m
		committer, err := New(&seam.Source{Catalog: c}, o)
		require.NoError(t, err)
		out.committers = append(out.committers, committer)
	}
	out.schema = &iceberg.Schema{Columns: slices.Concat(s.key, []iceberg.Column{column("v", false, icetype.Long)}), Key: s.names}
	return out
}

// delta returns one that puts rows and deletes others, by the numbers of their keys.
func (s *shop) delta(truncated bool, puts, deletes []int) *iceberg.Delta {
	s.n++
	d := &iceberg.Delta{ID: fmt.Sprint(s.n), Table: goods, Schema: s.schema, From: fmt.Sprint(s.n - 1), To: fmt.Sprint(s.n), Truncated: truncated}
	if truncated {
		clear(s.rows)
	}
	keys := slices.Concat(puts, deletes)
	d.Keys = iceberg.Rows{Len: len(keys), Columns: make([]iceberg.Vector, len(s.schema.Columns))}
	d.Rows = iceberg.Rows{Len: len(puts), Columns: make([]iceberg.Vector, len(s.schema.Columns))}
	for i, name := range s.sort.names {
		at := s.schema.Index(name)
		for _, k := range keys {
			appendValue(&d.Keys.Columns[at], &s.sort.values[i], k)
		}
		for _, k := range puts {
			appendValue(&d.Rows.Columns[at], &s.sort.values[i], k)
		}
	}
	for _, k := range puts {
		s.rows[k] = fmt.Sprint(s.n)
		for i := len(s.sort.key); i < len(s.schema.Columns); i++ {
			v := numbers(int64(s.n))
			appendValue(&d.Rows.Columns[i], &v, 0)
		}
	}
	for _, k := range deletes {
		delete(s.rows, k)
	}
	return d
}

// check compares the table with what it should be.
func (s *shop) check(t require.TestingT) {
	index := keysOf(s.sort.values, keysOfSort)
	var got, want []string
	columns := append(slices.Clone(s.sort.names), "v")
	for rows, err := range s.committers[0].Rows(context.Background(), goods, 0, columns...) {
		require.NoError(t, err)
		var scratch []byte
		for i := range rows.Len {
			k, ok := index.find(rows.Columns[:len(s.sort.names)], i, &scratch)
			require.True(t, ok)
			got = append(got, fmt.Sprintf("%d=%d", k, rows.Columns[len(s.sort.names)].Ints[i]))
		}
	}
	for k, v := range s.rows {
		want = append(want, fmt.Sprintf("%d=%s", k, v))
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)
}

func (s *shop) table(t require.TestingT) *table.Table {
	out, err := s.committers[0].load(context.Background(), goods)
	require.NoError(t, err)
	return out
}

// TestDeletes compares tables with maps after each of many deltas, whichever way each of
// them deletes rows.
func TestDeletes(t *testing.T) {
	all := sorts()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		s := all[rapid.SampledFrom(names).Draw(t, "sort")]
		version := rapid.SampledFrom([]string{"2", "3"}).Draw(t, "version")
		modes := []Deletes{EqualityDeletes, CopyOnWrite, DeletionVectors}
		if version == "2" {
			modes = modes[:2]
		}
		o := Options{Properties: map[string]string{
			"format-version":                     version,
			"write.parquet.row-group-limit":      rapid.SampledFrom([]string{"2", "1000"}).Draw(t, "rows of a group"),
			"read.split.target-size":             rapid.SampledFrom([]string{"1", "100000"}).Draw(t, "bytes of a split"),
			"commit.manifest-merge.enabled":      rapid.SampledFrom([]string{"true", "false"}).Draw(t, "merge manifests"),
			"commit.manifest.min-count-to-merge": "2",
		}}
		if rapid.Bool().Draw(t, "partitioned") {
			o.Partition = map[envelope.Table][]string{goods: {"bucket[4](id)"}}
		}
		dir, err := os.MkdirTemp("", "deletes")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		shop := newShop(t, dir, s, o, modes...)
		several := rapid.SliceOfNDistinct(rapid.IntRange(0, keysOfSort-1), 0, keysOfSort, rapid.ID)
		for range rapid.IntRange(2, 8).Draw(t, "deltas") {
			if rapid.IntRange(0, 4).Draw(t, "evolve") == 0 {
				next := *shop.schema
				next.Columns = append(slices.Clone(next.Columns), column(fmt.Sprintf("more%d", len(next.Columns)), false, icetype.Long))
				if s.widened != nil {
					copy(next.Columns, s.widened)
				}
				shop.schema = &next
			}
			touched := several.Draw(t, "keys")
			deleted := rapid.IntRange(0, len(touched)).Draw(t, "deleted")
			truncated := rapid.IntRange(0, 9).Draw(t, "truncate") == 0
			d := shop.delta(truncated, touched[deleted:], touched[:deleted])
			c := shop.committers[rapid.IntRange(0, len(modes)-1).Draw(t, "mode")]
			require.NoError(t, c.Commit(context.Background(), d))
			shop.check(t)
			position, err := c.Position(context.Background(), goods)
			require.NoError(t, err)
			require.Equal(t, d.To, position)
			sane(t, shop.table(t))
		}
	})
}

// sane checks that what a snapshot counts is what it has, that each data file has one
// vector at most, and that no two rows have one number.
func sane(t require.TestingT, tbl *table.Table) {
	tasks, err := wholeFiles(context.Background(), tbl)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(len(tasks)), tbl.CurrentSnapshot().Summary.Properties["total-data-files"])
	if tbl.Metadata().Version() < 3 {
		return
	}
	_, records, err := tbl.Scan(table.WithRowLineage()).ReadTasks(context.Background(), tasks)
	require.NoError(t, err)
	seen := make(map[int64]bool)
	for record, err := range records {
		require.NoError(t, err)
		rows, err := rowsOf(record, []string{ice.RowIDColumnName, ice.LastUpdatedSequenceNumberColumnName})
		require.NoError(t, err)
		for i, id := range rows.Columns[0].Ints {
			require.False(t, rows.Columns[0].Null[i] || rows.Columns[1].Null[i])
			require.False(t, seen[id], "two rows have a number")
			require.Less(t, id, tbl.Metadata().NextRowID())
			seen[id] = true
		}
	}
}
