//go:build servers

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// modes are the ways to delete rows, by their names.
var modes = []struct {
	name    string
	deletes committer.Deletes
}{
	{"EqualityDeletes", committer.EqualityDeletes},
	{"DeletionVectors", committer.DeletionVectors},
	{"CopyOnWrite", committer.CopyOnWrite},
}

var sales = envelope.Table{DB: "shop", Schema: "public", Name: "sales"}

// saleSchema has seven columns. What is in them follows from the id and the version, see fill.
var saleSchema = &iceberg.Schema{Key: []string{"id"}, Columns: []iceberg.Column{
	{Name: "id", Type: icetype.Type{Kind: icetype.Long}, Required: true},
	{Name: "version", Type: icetype.Type{Kind: icetype.Int}, Required: true},
	{Name: "customer", Type: icetype.Type{Kind: icetype.Long}},
	{Name: "amount", Type: icetype.Type{Kind: icetype.Decimal, Precision: 12, Scale: 2}},
	{Name: "status", Type: icetype.Type{Kind: icetype.String}},
	{Name: "day", Type: icetype.Type{Kind: icetype.Date}},
	{Name: "updated", Type: icetype.Type{Kind: icetype.TimestampTZ}},
}}

// fill appends the row of an id and a version.
func fill(r *iceberg.Rows, id, version int64) {
	text := fmt.Sprintf("%s in step %d of %d", []string{"new", "paid", "sent", "back"}[(id+version)%4], version, id)
	c := r.Columns
	c[0].Ints, c[1].Ints, c[2].Ints = append(c[0].Ints, id), append(c[1].Ints, version), append(c[2].Ints, id*7919%10_007)
	c[3].Decimals = append(c[3].Decimals, iceberg.Decimal{Lo: uint64(id*104_729 + version)})
	if c[4].Ends == nil {
		c[4].Ends = []int32{0}
	}
	c[4].Bytes = append(c[4].Bytes, text...)
	c[4].Ends = append(c[4].Ends, int32(len(c[4].Bytes)))
	c[5].Ints, c[6].Ints = append(c[5].Ints, 20_000+id%900), append(c[6].Ints, 1_790_000_000_000_000+id*1_000_003+version)
	for i := range c {
		c[i].Null = append(c[i].Null, false)
	}
	r.Len++
}

// A ledger is what the table of sales must hold: versions by id. It makes the deltas that lead there.
type ledger struct {
	versions map[int64]int64
	at       int // the end of the last delta
}

func position(n int) string { return fmt.Sprintf("%06d", n) }

// delta returns the delta in which rows get other versions, or go if that is 0.
func (l *ledger) delta(changes map[int64]int64) *iceberg.Delta {
	if l.versions == nil {
		l.versions = map[int64]int64{}
	}
	d := &iceberg.Delta{Table: sales, Schema: saleSchema, From: position(l.at), To: position(l.at + 1), ID: fmt.Sprintf("delta%d", l.at)}
	l.at++
	d.Keys.Columns, d.Rows.Columns = make([]iceberg.Vector, len(saleSchema.Columns)), make([]iceberg.Vector, len(saleSchema.Columns))
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		d.Keys.Columns[0].Ints, d.Keys.Columns[0].Null = append(d.Keys.Columns[0].Ints, id), append(d.Keys.Columns[0].Null, false)
		d.Keys.Len++
		if version := changes[id]; version == 0 {
			delete(l.versions, id)
		} else {
			l.versions[id] = version
			fill(&d.Rows, id, version)
		}
	}
	return d
}

// sum is what tells one state of a ledger from another, beside the number of rows.
func (l *ledger) sum() (sum int64) {
	for id, version := range l.versions {
		sum += id * version
	}
	return sum
}

// holds compares all rows and columns of the table with the ledger.
func (l *ledger) holds(t testing.TB, c *committer.Committer) {
	t.Helper()
	seen := map[int64]bool{}
	for rows, err := range c.Rows(t.Context(), sales, 0, "id", "version", "customer", "amount", "status", "day", "updated") {
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows.Len {
			id := rows.Columns[0].Ints[i]
			want := iceberg.Rows{Columns: make([]iceberg.Vector, len(saleSchema.Columns))}
			fill(&want, id, l.versions[id])
			if seen[id] || l.versions[id] == 0 || !same(rows, i, &want) {
				t.Fatalf("the table has the row %d with version %d, want %d; seen before: %v", id, rows.Columns[1].Ints[i], l.versions[id], seen[id])
			}
			seen[id] = true
		}
	}
	if len(seen) != len(l.versions) {
		t.Fatalf("the table has %d rows, want %d", len(seen), len(l.versions))
	}
}

// same compares the i-th row with the only one of want.
func same(rows *iceberg.Rows, i int, want *iceberg.Rows) bool {
	for col := range want.Columns {
		got, want := &rows.Columns[col], &want.Columns[col]
		switch {
		case got.Null[i]:
			return false
		case want.Decimals != nil:
			if got.Decimals[i] != want.Decimals[0] {
				return false
			}
		case want.Ends != nil:
			if string(got.Value(i)) != string(want.Value(0)) {
				return false
			}
		case got.Ints[i] != want.Ints[0]:
			return false
		}
	}
	return true
}
