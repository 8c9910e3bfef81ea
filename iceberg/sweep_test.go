package iceberg_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A lossy source changes while nobody streams.
type lossy struct {
	rows    map[int]item
	at      int
	changes []envelope.Change
	hidden  int // changes recorded before the last that nobody saw
}

func (s *lossy) record(op envelope.Op, id int, marker envelope.Snapshot) {
	c := change(op, 0, id, "")
	c.Version, c.Snapshot = envelope.PositionVersion(0, 0, uint64(len(s.changes)+1)), marker
	if c.After = nil; op != remove && op != empty {
		c.After = envelope.Row(s.rows[id].json(id, true))
	}
	s.changes = append(s.changes, *c)
}

// write makes a random change of a row, which is streamed or not.
func (s *lossy) write(t *rapid.T, streamed bool) {
	s.at++
	id, op := rapid.IntRange(1, 6).Draw(t, "id"), update
	if _, ok := s.rows[id]; ok && rapid.Bool().Draw(t, "delete") {
		delete(s.rows, id)
		op = remove
	} else {
		s.rows[id] = item{n: s.at, big: "b"}
	}
	if streamed {
		s.record(op, id, envelope.SnapshotNone)
	} else {
		s.hidden = len(s.changes)
	}
}

// snapshot shows rows as Debezium marks them: the only row of a table is its last. One
// that is cut short does not come to its end.
func (s *lossy) snapshot(t *rapid.T) {
	ids := slices.Sorted(maps.Keys(s.rows))
	short := rapid.IntRange(0, 9).Draw(t, "short")
	first := rapid.SampledFrom([]envelope.Snapshot{envelope.SnapshotFirst, envelope.SnapshotFirstOf}).Draw(t, "first")
	last := rapid.SampledFrom([]envelope.Snapshot{envelope.SnapshotLast, envelope.SnapshotLastOf}).Draw(t, "last")
	for i, id := range ids {
		marker := envelope.SnapshotBetween
		switch i {
		case len(ids) - 1:
			marker = last
		case 0:
			marker = first
		}
		if i == short {
			return
		}
		s.record(envelope.OpRead, id, marker)
	}
}

// Of what a snapshot did not show, and the stream did not bring after its begin, nothing
// stays; all else does. The oracle folds the records one by one.
func TestSweepConverges(t *testing.T) {
	swept := 0
	rapid.Check(t, func(t *rapid.T) {
		src := &lossy{rows: map[int]item{1: {n: 1}, 2: {n: 2}, 3: {n: 3}}}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0, 1:
				src.write(t, false)
			case 2, 3, 4:
				src.snapshot(t)
			case 5:
				if id := rapid.IntRange(1, 6).Draw(t, "id"); src.rows[id].n != 0 {
					src.record(envelope.OpRead, id, envelope.SnapshotIncremental)
				}
			case 6:
				clear(src.rows)
				src.record(empty, 0, envelope.SnapshotNone)
			default:
				src.write(t, true)
			}
		}
		b, got, want := &iceberg.Builder{Sweep: true}, table{}, map[int]item{}
		for id := range 9 { // what an earlier load left
			got[id], want[id] = item{n: 1000}, item{n: 1000}
		}
		var stay map[int]bool    // nil where the snapshot's begin was not seen
		held := map[int]bool{}   // since the last flush
		ended, begun := false, 0 // changes before the snapshot
		complete := -1           // the same, of the last one that took effect
		flushed := func() {
			if ended { // unless another snapshot has begun since
				maps.DeleteFunc(want, func(id int, _ item) bool { return !stay[id] })
				stay, complete = nil, begun
				swept++
			}
			ended = false
			clear(held)
			flush(t, b, got)
			require.Empty(t, cmp.Diff(map[int]item(got), want, cmp.AllowUnexported(item{})))
		}
		for i := range src.changes {
			c := src.changes[i].Clone()
			id := 0
			if c.Key != nil {
				_, err := fmt.Sscanf(string(c.Key), `{"ID":%d}`, &id)
				require.NoError(t, err)
			}
			require.NoError(t, b.Add(&c))
			switch c.Snapshot {
			case envelope.SnapshotFirst, envelope.SnapshotFirstOf:
				stay, begun, ended = map[int]bool{}, i, false
			}
			held[id] = true
			switch c.Op {
			case empty:
				clear(want)
			case remove:
				delete(want, id)
			default:
				want[id] = parsed(t, src.changes[i].After)
			}
			if stay != nil && c.Op != empty {
				stay[id] = true
			}
			if stay != nil && (c.Snapshot == envelope.SnapshotLast || c.Snapshot == envelope.SnapshotLastOf) {
				maps.DeleteFunc(want, func(id int, _ item) bool { return held[id] && !stay[id] })
				ended = true
			}
			scribble(&c)
			if rapid.IntRange(0, 3).Draw(t, "flush") == 0 {
				flushed()
				if rapid.IntRange(0, 5).Draw(t, "lose") == 0 {
					b, stay = &iceberg.Builder{Sweep: true}, nil
				}
			}
		}
		flushed()
		if complete >= src.hidden { // then nothing is lost
			require.Empty(t, cmp.Diff(map[int]item(got), src.rows, cmp.AllowUnexported(item{})))
		}
	})
	require.NotZero(t, swept)
}

// parsed reads back what item.json wrote.
func parsed(t require.TestingT, row envelope.Row) item {
	var r envelope.RowReader
	require.NoError(t, r.Read(itemSchema, row))
	n, _ := r.Datum(1).Int64()
	big, _ := r.Datum(2).Bytes()
	blob, _ := r.Datum(3).Bytes()
	return item{int(n), string(big), string(blob)}
}

func marked(c *envelope.Change, s envelope.Snapshot) *envelope.Change {
	c.Snapshot = s
	return c
}

func reads(ids ...int) (changes []*envelope.Change) {
	for i, id := range ids {
		c := change(envelope.OpCreate, 10+i, id, row(id, 1, `"a"`))
		c.Op, c.Snapshot = envelope.OpRead, envelope.SnapshotBetween
		switch i {
		case 0:
			c.Snapshot = envelope.SnapshotFirst
		case len(ids) - 1:
			c.Snapshot = envelope.SnapshotLastOf
		}
		changes = append(changes, c)
	}
	return changes
}

func TestSweep(t *testing.T) {
	widened := &envelope.Schema{Fields: slices.Clone(itemSchema.Fields)}
	widened.Fields[0].Type = envelope.Type{Kind: envelope.KindInt, Bits: 32}
	renamed := &envelope.Schema{Key: []string{"n"}, Fields: slices.Clone(itemSchema.Fields)}
	renamed.Fields[1].Type.Bits = 64
	more := &envelope.Schema{Fields: append([]envelope.Field{{Name: "new", Type: envelope.Type{Kind: envelope.KindInt}, Optional: true}}, itemSchema.Fields...)}
	with := func(s *envelope.Schema, changes []*envelope.Change, which ...int) []*envelope.Change {
		for _, i := range which {
			changes[i].Schema = s
		}
		return changes
	}
	bad := change(update, 11, 2, row(2, 1, `1`))
	for _, tt := range []struct {
		name    string
		builder iceberg.Builder
		changes []*envelope.Change
		flush   int    // after so many changes, unless 0
		want    string // the last delta, and which of 1 to 5 stay
	}{
		{"all of it", iceberg.Builder{}, reads(1, 2, 3), 0, "delete [1 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"over two flushes", iceberg.Builder{}, reads(1, 2, 3), 2, "delete [3]; 3=a stay [1 2 3]"},
		{"not asked for", iceberg.Builder{MaxShown: -1}, reads(1, 2, 3), 0, "delete [1 2 3]; 1=a 2=a 3=a"},
		{"not ended", iceberg.Builder{}, reads(1, 2, 3)[:2], 0, "delete [1 2]; 1=a 2=a"},
		{"from the middle on", iceberg.Builder{}, reads(1, 2, 3)[1:], 0, "delete [2 3]; 2=a 3=a"},
		{"one row", iceberg.Builder{}, reads(1, 2)[1:], 0, "delete [2]; 2=a"},
		{"disordered", iceberg.Builder{Disordered: true}, reads(1, 2, 3), 0, "delete [1 2 3]; 1=a 2=a 3=a"},
		{"as many keys as fit", iceberg.Builder{MaxShown: 3}, reads(1, 2, 2, 3, 3), 0, "delete [1 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"too many keys", iceberg.Builder{MaxShown: 2}, reads(1, 2, 3, 1), 0, "delete [1 2 3]; 1=a 2=a 3=a"},
		{"once more", iceberg.Builder{MaxShown: 3}, append(reads(1, 4, 5)[:2], reads(1, 2, 3)...), 0, "delete [1 4 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"twice", iceberg.Builder{MaxShown: 3}, append(reads(1, 4, 5), reads(1, 2, 3)...), 0, "delete [1 4 5 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"twice, with a flush", iceberg.Builder{MaxShown: 3}, append(reads(1, 4, 5), reads(1, 2, 3)...), 3, "delete [1 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"streamed", iceberg.Builder{}, append(reads(1, 2, 3), change(update, 20, 4, row(4, 1, `"d"`)), change(remove, 21, 1, "")), 0, "delete [1 2 3 4]; 2=a 3=a 4=d stay [1 2 3 4]"},
		{"streamed before", iceberg.Builder{}, append([]*envelope.Change{change(update, 1, 4, row(4, 1, `"d"`)), change(remove, 2, 5, "")}, reads(1, 2, 3)...), 0, "delete [4 5 1 2 3]; 1=a 2=a 3=a stay [1 2 3]"},
		{"incremental", iceberg.Builder{}, []*envelope.Change{reads(1, 2)[0], marked(reads(1, 2)[1], envelope.SnapshotIncremental)}, 0, "delete [1 2]; 1=a 2=a"},
		{"a delete is no part of it", iceberg.Builder{}, append(reads(1, 2, 3)[:2], marked(change(remove, 20, 3, ""), envelope.SnapshotLast)), 0, "delete [1 2 3]; 1=a 2=a"},
		{"truncated", iceberg.Builder{}, slices.Insert(reads(1, 2, 3), 1, change(empty, 11, 0, "")), 0, "truncate; delete [2 3]; 2=a 3=a stay [1 2 3]"},
		{"older than a truncate", iceberg.Builder{}, append([]*envelope.Change{change(empty, 11, 0, "")}, reads(1, 2, 3)...), 0, "truncate; delete [2 3]; 2=a 3=a"},
		{"another column", iceberg.Builder{}, with(more, reads(1, 2, 3), 2), 0, "delete [3]; 3=a stay [1 2 3]"},
		{"another column behind a flush", iceberg.Builder{}, with(more, reads(1, 2, 3), 2), 2, "delete [3]; 3=a stay [1 2 3]"},
		{"another key", iceberg.Builder{}, with(widened, reads(1, 2, 3), 2), 0, "delete [3]; 3=a"},
		{"another key behind a flush", iceberg.Builder{}, with(widened, reads(1, 2, 3), 2), 2, "delete [3]; 3=a"},
		{"another column as key", iceberg.Builder{}, with(renamed, reads(1, 2, 3), 2), 0, "delete []; 3=a"},
		{"a record that fails", iceberg.Builder{}, slices.Insert(reads(1, 2, 3), 1, bad), 0, "delete [1 2 3]; 1=a 2=a 3=a"},
		{"its first one fails", iceberg.Builder{}, slices.Insert(reads(1, 2, 3)[1:], 0, marked(bad, envelope.SnapshotFirst)), 0, "delete [2 3]; 2=a 3=a"},
		{"no values of a row that is gone", iceberg.Builder{}, append(append([]*envelope.Change{change(update, 1, 4, row(4, 1, `"d"`))}, reads(1, 2)...), change(remove, 20, 4, ""), change(create, 20, 2, row(2, 1, lacking))),
			0, "delete [4 1 2]; 1=a 2=a stay [1 2 4]"},
		{"nor of one that is not held", iceberg.Builder{}, append(reads(1, 2), change(remove, 20, 4, ""), change(create, 20, 2, row(2, 1, lacking))), 0, "delete [1 2 4]; 1=a 2=a stay [1 2 4]"},
	} {
		b := &tt.builder
		b.Sweep = b.MaxShown >= 0
		var last *iceberg.Delta
		for i, c := range tt.changes {
			err := b.Add(c)
			require.Equal(t, c == bad, err != nil, "%s: %v", tt.name, err)
			if i+1 == tt.flush || i+1 == len(tt.changes) {
				deltas := b.Flush("", "")
				for _, d := range deltas[:len(deltas)-1] {
					require.Nil(t, d.Shown, tt.name)
				}
				last = deltas[len(deltas)-1]
			}
		}
		got := showAs(last)
		if last.Shown != nil {
			var stay []int
			at := last.Schema.Index("id")
			for id := 1; id <= 5; id++ {
				keys := iceberg.Rows{Len: 1, Columns: make([]iceberg.Vector, len(last.Schema.Columns))}
				keys.Columns[at] = iceberg.Vector{Null: []bool{false}, Ints: []int64{int64(id)}}
				if last.Shown.Has(&keys, 0) {
					stay = append(stay, id)
				}
			}
			require.Equal(t, len(stay), last.Shown.Len(), tt.name)
			got += fmt.Sprintf(" stay %v", stay)
		}
		require.Equal(t, tt.want, got, tt.name)
		require.Nil(t, b.Flush("", ""), tt.name)
	}
}

// showAs writes a delta of items whose columns may have others before them.
func showAs(d *iceberg.Delta) string {
	from := d.Schema.Index("id")
	shifted := *d
	shifted.Keys.Columns, shifted.Rows.Columns = d.Keys.Columns[from:], d.Rows.Columns[from:]
	return show(&shifted)
}

// The same key is found whatever its columns are.
func TestShownKeys(t *testing.T) {
	fields := []envelope.Field{
		{Name: "t", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
		{Name: "d", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 30, Scale: 2}, Optional: true},
		{Name: "u", Type: envelope.Type{Kind: envelope.KindUUID}},
		{Name: "b", Type: envelope.Type{Kind: envelope.KindBool}},
	}
	s := &envelope.Schema{Key: []string{"u", "b", "t", "d"}, Fields: fields}
	b := iceberg.Builder{Sweep: true}
	add := func(marker envelope.Snapshot, texts, decimals []string) {
		for i, text := range texts {
			for _, d := range decimals {
				row := fmt.Sprintf(`{"t":%s,"d":%s,"u":"00000000-0000-0000-0000-00000000ff01","b":%v}`, text, d, i%2 == 0)
				require.NoError(t, b.Add(&envelope.Change{Op: envelope.OpRead, Table: items, Schema: s, After: envelope.Row(row), Snapshot: marker}))
			}
		}
	}
	add(envelope.SnapshotFirst, []string{`""`}, []string{`"0"`})
	add(envelope.SnapshotBetween, []string{`""`, `null`, `"a\n"`, `"é"`, `"a"`}, []string{`null`, `"-1.5"`, `"9999999999999999999999999999.99"`, `"1e3"`})
	add(envelope.SnapshotLast, []string{`"z"`}, []string{`"0"`})
	shown := b.Flush("", "")[0].Shown
	require.Equal(t, 22, shown.Len())
	add(envelope.SnapshotNone, []string{`""`, `null`, `"a\n"`, `"é"`, `"a"`}, []string{`null`, `"-1.50"`, `"9999999999999999999999999999.99"`, `"1000"`})
	has := b.Flush("", "")[0]
	add(envelope.SnapshotNone, []string{`"b"`, `"A"`}, []string{`null`, `"-1.51"`, `"0.01"`})
	add(envelope.SnapshotNone, []string{`""`}, []string{`"1"`})
	hasNot := b.Flush("", "")[0]
	require.Equal(t, 20, has.Keys.Len)
	for i := range has.Keys.Len {
		require.True(t, shown.Has(&has.Keys, i))
		require.True(t, shown.Has(&has.Rows, i))
	}
	for i := range hasNot.Keys.Len {
		require.False(t, shown.Has(&hasNot.Keys, i))
	}
}

// Many keys, of many tables at once, none of which is found in another's.
func TestShownMany(t *testing.T) {
	const keys = 20_000
	b := iceberg.Builder{Sweep: true, MaxShown: 2 * keys}
	for i := range keys {
		for _, name := range []string{"even", "odd"} {
			id := 2 * i
			if name == "odd" {
				id++
			}
			c := reads(id, id)[0]
			c.Table.Name = name
			switch i {
			case 0:
			case keys - 1:
				c.Snapshot = envelope.SnapshotLastOf
			default:
				c.Snapshot = envelope.SnapshotBetween
			}
			c.Version = envelope.PositionVersion(0, 0, uint64(i+1))
			require.NoError(t, b.Add(c))
		}
		if i%7000 == 0 {
			b.Flush("", "")
			b.Flush("", "") // of nothing: it forgets no snapshot
		}
	}
	for parity, d := range b.Flush("", "") {
		require.Equal(t, keys, d.Shown.Len())
		for id := range 2 * keys {
			require.Equal(t, id%2 == parity, d.Shown.Has(keyOf(d, id), 0))
		}
	}
}

// What a filter of repeats holds back is shown all the same, and nothing of it is
// written.
func TestSkip(t *testing.T) {
	for _, sweep := range []bool{true, false} {
		b := iceberg.Builder{Sweep: sweep}
		all := reads(1, 2, 3, 4)
		for i, c := range all {
			if i%2 == 1 {
				require.NoError(t, b.Skip(c))
			} else {
				require.NoError(t, b.Add(c))
			}
		}
		require.Equal(t, 2, b.Len())
		require.NoError(t, b.Skip(change(empty, 20, 0, "")))
		d := b.Flush("", "")
		require.Len(t, d, 1)
		require.Equal(t, "delete [1 3]; 1=a 3=a", show(d[0]))
		require.Equal(t, sweep, d[0].Shown != nil)
		for id := 1; sweep && id <= 5; id++ {
			require.Equal(t, id <= 4, d[0].Shown.Has(keyOf(d[0], id), 0), id)
		}
	}
	b := iceberg.Builder{Sweep: true}
	for _, c := range reads(1, 2, 3) {
		require.NoError(t, b.Skip(c))
	}
	d := b.Flush("", "")
	require.Len(t, d, 1, "there is nothing to write, and something to sweep")
	require.Equal(t, "delete [];", show(d[0]))
	require.Equal(t, 3, d[0].Shown.Len())
	require.Empty(t, b.Flush("", ""))
	require.ErrorIs(t, b.Skip(&envelope.Change{Op: update, Table: envelope.Table{Name: "unknown"}, After: envelope.Row(`{}`)}), iceberg.ErrNoSchema)
}
