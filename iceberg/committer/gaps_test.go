package committer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// Values that were not sent are read from the table, in whichever file they are, under
// the row's old key where it changed, and for many rows at once.
func TestGaps(t *testing.T) {
	for _, key := range []string{"int", "text"} {
		t.Run(key, func(t *testing.T) {
			c := open(t, Options{})
			f := feed{schema: ints(64, "id", "n", "m")}
			id := func(n int) string { return fmt.Sprint(n) }
			if key == "text" {
				f.schema.Fields[0].Type = envelope.Type{Kind: envelope.KindText}
				id = func(n int) string { return fmt.Sprintf(`"k%d"`, n) }
			}
			for part := range 3 {
				for n := part * 10; n < part*10+10; n++ {
					f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":%s,"n":%d,"m":null}`, id(n), 100+n))
				}
				require.NoError(t, c.Commit(t.Context(), f.flush(t)))
			}
			f.change(t, envelope.OpUpdate, fmt.Sprintf(`{"id":%s,"m":1}`, id(7)))
			f.change(t, envelope.OpUpdate, fmt.Sprintf(`{"id":%s,"n":2}`, id(8)))
			f.change(t, envelope.OpUpdate, fmt.Sprintf(`{"id":%s,"m":3}`, id(25)))
			f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":%s,"n":4,"m":4}`, id(30)))
			require.NoError(t, c.Commit(t.Context(), f.flush(t)))
			got := rows(t, c, "n", "m")
			require.Len(t, got, 31)
			for _, want := range []string{"107 1", "2 null", "125 3", "4 4", "109 null"} {
				require.Contains(t, got, want)
			}
		})
	}
}

// A row that the table does not have leaves nothing to take values from.
func TestGapWithoutRow(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(64, "id", "n", "m")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1,"m":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	f.change(t, envelope.OpUpdate, `{"id":2,"n":2}`)
	d := f.flush(t)
	var gap *iceberg.GapError
	require.ErrorAs(t, c.Commit(t.Context(), d), &gap)
	require.Equal(t, iceberg.GapError{Table: stock, Column: "m", Rows: 1}, *gap)
	require.Equal(t, []string{"1 1 1"}, rows(t, c), "nothing of it is written")

	c.options.Unknown = UnknownNull
	require.NoError(t, c.Commit(t.Context(), d))
	require.Equal(t, []string{"1 2 1", "2 2 null"}, rows(t, c))
}

// A column that the delta brings with it has no values in the table.
func TestGapInNewColumn(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(64, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.schema = ints(64, "id", "n", "m")
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	require.ErrorIs(t, c.Commit(t.Context(), f.flush(t)), iceberg.ErrGap)
}

// A row takes another one's key in a delta that the table has, and that comes again with
// more behind it: the table has the row under its new key.
func TestGapInRepeatedDelta(t *testing.T) {
	for _, o := range []Options{{Compare: strings.Compare}, {}} {
		c := open(t, o)
		f := feed{schema: ints(64, "id", "n")}
		f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
		f.change(t, envelope.OpCreate, `{"id":2,"n":2}`)
		require.NoError(t, c.Commit(t.Context(), f.flush(t)))
		add := func(op envelope.Op, row string, at int) {
			c := envelope.Change{Op: op, Table: stock, Schema: f.schema, Version: envelope.PositionVersion(int64(at), uint64(at), 0)}
			if op == envelope.OpDelete {
				c.Before = envelope.Row(row)
			} else {
				c.After = envelope.Row(row)
			}
			require.NoError(t, f.builder.Add(&c))
		}
		move := func() {
			add(envelope.OpDelete, `{"id":2}`, 9)
			add(envelope.OpDelete, `{"id":1}`, 10)
			add(envelope.OpCreate, `{"id":2,"n":"__debezium_unavailable_value"}`, 10)
		}
		move()
		require.NoError(t, c.Commit(t.Context(), f.builder.Flush("000002", "000003")[0]))
		require.Equal(t, []string{"2 1"}, rows(t, c))

		move()
		add(envelope.OpCreate, `{"id":3,"n":3}`, 11)
		err := c.Commit(t.Context(), f.builder.Flush("000002", "000004")[0])
		if o.Compare == nil { // what the table has under the key could be the row that was deleted
			require.ErrorIs(t, err, iceberg.ErrGap)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []string{"2 1", "3 3"}, rows(t, c))
	}
}

// A completed snapshot takes what it did not show.
func TestSweep(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(64, "id", "n"), builder: iceberg.Builder{Sweep: true}}
	for id := range 6 {
		f.change(t, envelope.OpCreate, fmt.Sprintf(`{"id":%d,"n":%d}`, id, id))
	}
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	read := func(id int, s envelope.Snapshot) {
		f.n++
		require.NoError(t, f.builder.Add(&envelope.Change{Op: envelope.OpRead, Table: stock, Schema: f.schema, Snapshot: s,
			After: envelope.Row(fmt.Sprintf(`{"id":%d,"n":%d}`, id, 10+id)), Version: envelope.PositionVersion(int64(f.n), uint64(f.n), 0)}))
	}
	read(1, envelope.SnapshotFirst)
	read(2, envelope.SnapshotBetween)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Len(t, rows(t, c), 6)
	read(4, envelope.SnapshotLast)
	d := f.flush(t)
	keys := d.Keys.Len
	require.NoError(t, c.Commit(t.Context(), d))
	require.Equal(t, keys, d.Keys.Len, "the delta is as it was")
	require.Equal(t, []string{"1 11", "2 12", "4 14"}, rows(t, c))

	// One of which the table has all there is to write.
	for _, c := range []envelope.Change{
		{Snapshot: envelope.SnapshotFirst, After: envelope.Row(`{"id":1,"n":11}`)},
		{Snapshot: envelope.SnapshotLast, After: envelope.Row(`{"id":4,"n":14}`)},
	} {
		c.Op, c.Table, c.Schema = envelope.OpRead, stock, f.schema
		require.NoError(t, f.builder.Skip(&c))
	}
	f.n++
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	require.Equal(t, []string{"1 11", "4 14"}, rows(t, c))
}
