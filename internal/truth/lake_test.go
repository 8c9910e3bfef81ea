//go:build servers

package truth_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// A lake is a folder of Iceberg tables into which changes are written as a consumer
// does it. What it writes is read by programs that share no code with it.
type lake struct {
	*committer.Committer
	builder iceberg.Builder
	mode    committer.Deletes
	order   []envelope.Table // of which there are Iceberg tables, as they came
	keys    map[envelope.Table][]string
	refused map[envelope.Table]int // changes of tables that have no key
	rekeyed map[envelope.Table]int // deltas with a key that the table's rows do not have
	changes int
	commits int
	gaps    int // columns that were to be read from the table
}

var modes = []committer.Deletes{committer.EqualityDeletes, committer.DeletionVectors, committer.CopyOnWrite}

var modeNames = []string{"equality deletes", "deletion vectors", "copy on write"}

func newLake(t *testing.T, o committer.Options) *lake {
	t.Helper()
	o.Compare = strings.Compare
	c, err := committer.Local(filepath.Join(t.TempDir(), "lake"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lake{Committer: c, mode: o.Deletes, keys: map[envelope.Table][]string{}, refused: map[envelope.Table]int{}, rekeyed: map[envelope.Table]int{}}
}

// add gives a change to the Builder. Changes of tables without a key are counted.
func (l *lake) add(t *testing.T, c *envelope.Change) {
	t.Helper()
	l.changes++
	err := l.builder.Add(c)
	switch {
	case errors.Is(err, iceberg.ErrNoKey):
		l.refused[c.Table]++
	case err != nil:
		t.Fatalf("change %d, %v of %v: %v", l.changes, c.Op, c.Table, err)
	}
}

// flush commits what was added since the change number from.
func (l *lake) flush(t *testing.T, from int) {
	t.Helper()
	position := func(n int) string { return fmt.Sprintf("%08d", n) }
	for _, d := range l.builder.Flush(position(from), position(l.changes)) {
		for _, g := range d.Gaps {
			l.gaps += len(g.Columns)
		}
		err := l.Commit(t.Context(), d)
		if errors.Is(err, iceberg.ErrKey) {
			l.rekeyed[d.Table]++
			continue
		}
		if err != nil {
			t.Fatalf("changes %s to %s of %v: %v", d.From, d.To, d.Table, err)
		}
		l.commits++
		if d.Schema == nil {
			continue
		}
		if l.keys[d.Table] == nil {
			l.order = append(l.order, d.Table)
		}
		l.keys[d.Table] = d.Schema.Key
	}
}

// write writes changes in batches of about that size, whose ends are never between the
// halves of a changed key.
func (l *lake) write(t *testing.T, changes []envelope.Change, size int) {
	t.Helper()
	from := l.changes
	for i := range changes {
		l.add(t, &changes[i])
		if l.changes-from >= size && !halves(&changes[i], changes[i+1:]) {
			l.flush(t, from)
			from = l.changes
		}
	}
	l.flush(t, from)
}

// A lakeRow is a row as readers spell it, by column.
type lakeRow = map[string]any

// lakeRows are what a reader finds in a lake, by table as the truth calls it and by key.
type lakeRows map[string]map[string]lakeRow

// lakeCounts are what was read and compared.
type lakeCounts struct {
	tables, rows, cells int
	misfits             int // cells that are null, since their type has nothing for the value
	duck, left          int // tables that DuckDB read too, and those too large for it
}

func (n *lakeCounts) add(m lakeCounts) {
	n.tables += m.tables
	n.rows += m.rows
	n.cells += m.cells
	n.misfits += m.misfits
	n.duck += m.duck
	n.left += m.left
}

// DuckDB compares every row with every key that was deleted by an equality delete. What
// it reads in no time is below this product of both, by what the table's files hold.
const duckLimit = 300_000

// read reads all tables with the Java reference, and with DuckDB those that it reads
// quickly.
func (l *lake) read(t *testing.T, counts *lakeCounts) lakeRows {
	t.Helper()
	all := lakeRows{}
	for _, table := range l.order {
		info, err := l.Info(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		rows := servers.ReadIceberg(t, info.Metadata)
		counts.tables++
		counts.rows += len(rows)
		if l.small(t, info) {
			counts.duck++
			l.readDuck(t, table, info.Metadata, rows)
		} else {
			counts.left++
		}
		name := tableName(table)
		if all[name] != nil {
			t.Fatalf("two tables %s", name)
		}
		all[name] = byKeyText(t, name, l.keys[table], rows)
	}
	return all
}

func (l *lake) small(t *testing.T, info *committer.Info) bool {
	t.Helper()
	summary := info.Snapshots[len(info.Snapshots)-1].Summary
	product := 1
	for _, name := range []string{"total-records", "total-equality-deletes"} {
		n, err := strconv.Atoi(summary[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		product *= n + 1
	}
	return product <= duckLimit
}

func (l *lake) readDuck(t *testing.T, table envelope.Table, metadata string, want []servers.Row) {
	t.Helper()
	rows, err := servers.DuckReader(t).Read(t.Context(), metadata)
	if err != nil {
		t.Errorf("%v: %v", table, err)
		return
	}
	got, lines := servers.Lines(rows), servers.Lines(want)
	if !slices.Equal(got, lines) {
		t.Errorf("%v: DuckDB reads other rows than Java: %s", table, firstDifference(got, lines))
	}
}

// firstDifference shows two lists of lines where they part.
func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("%d and %d lines, the first that differs:\n%.600s\n%.600s", len(got), len(want), g, w)
		}
	}
	return "none"
}

// byKeyText returns rows by the text of their key. Two rows of one key are an error.
func byKeyText(t *testing.T, table string, key []string, rows []servers.Row) map[string]lakeRow {
	t.Helper()
	all := map[string]lakeRow{}
	for _, row := range rows {
		text := keyOfRow(key, row)
		if all[text] != nil {
			t.Errorf("%s: row %q is there twice", table, text)
		}
		all[text] = row
	}
	return all
}

// keyOfRow returns the columns of a row's key, in the order of their names.
func keyOfRow(key []string, row lakeRow) string {
	parts := make([]string, len(key))
	for i, name := range slices.Sorted(slices.Values(key)) {
		parts[i] = fmt.Sprint(row[name])
	}
	return strings.Join(parts, ",")
}

// compareLake compares what was read with what ought to be there. It returns one line for
// all rows of a table that are missing or extra, and one for each cell that is another:
//
//	missing public.late: 3 7
//	public.late.note of 3: <nil>
func compareLake(got, want lakeRows, counts *lakeCounts) (differences []string) {
	for _, table := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(sortedKeys(got), sortedKeys(want))))) {
		add := func(what string, rows []string) {
			if len(rows) > 0 {
				differences = append(differences, fmt.Sprintf("%s %s: %s", what, table, strings.Join(rows, " ")))
			}
		}
		var missing, extra []string
		for _, key := range slices.SortedFunc(maps.Keys(want[table]), byLength) {
			row, ok := got[table][key]
			if !ok {
				missing = append(missing, key)
				continue
			}
			for _, name := range sortedKeys(want[table][key]) {
				counts.cells++
				if cell, there := row[name]; !there || !sameCell(cell, want[table][key][name]) {
					differences = append(differences, fmt.Sprintf("%s.%s of %s: %.200v", table, name, key, cell))
				}
			}
		}
		beyond := map[string]bool{} // columns that the database does not have
		for _, key := range slices.SortedFunc(maps.Keys(got[table]), byLength) {
			row, ok := want[table][key]
			if !ok {
				extra = append(extra, key)
				continue
			}
			for name := range got[table][key] {
				if _, known := row[name]; !known {
					beyond[name] = true
				}
			}
		}
		add("missing", missing)
		add("extra", extra)
		add("columns beyond", sortedKeys(beyond))
	}
	return differences
}

func byLength(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// A document is JSON that is compared by what it says.
type document string

func sameCell(got, want any) bool {
	if d, ok := want.(document); ok {
		text, isText := got.(string)
		return isText && sameJSON(text, string(d))
	}
	return got == want
}
