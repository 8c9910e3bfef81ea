//go:build servers

package truth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// Captures that are written in every way of deleting rows. Each other one is written in
// one of them.
var lakeEveryMode = []string{"mariadb/crash-restart", "mariadb/types-default", "mysql/records-other", "postgres/cloudevents", "postgres/crash-resnapshot",
	"postgres/other-schemas", "postgres/pk-moves", "postgres/toast-bytes", "postgres/types-precise"}

// TestLakeCaptures: what a capture leaves in Iceberg tables is, by the Java reference and
// by DuckDB, what the database has, column by column.
func TestLakeCaptures(t *testing.T) {
	variants, err := truth.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	out := &lakeReport{lines: map[string]string{}}
	t.Run("of", func(t *testing.T) {
		n := 0
		for _, v := range variants {
			c := &capture{Variant: v, report: newReport()}
			if f, ok := notEnvelopes[v.String()]; ok {
				c.format = &f
			}
			if !c.decodable() {
				continue
			}
			in := modes
			if n++; !slices.Contains(lakeEveryMode, v.String()) {
				in = modes[n%3 : n%3+1]
			}
			for _, mode := range in {
				t.Run(v.String()+" "+modeNames[mode], func(t *testing.T) {
					t.Parallel()
					_, ofValues := valueVariants[v.String()]
					if ofValues {
						judgeLakeValues(t, c.Variant, mode, out)
					} else {
						judgeLake(t, &capture{Variant: v, format: c.format}, mode, out)
					}
				})
			}
		}
	})
	out.log(t)
	out.judge(t)
}

func judgeLake(t *testing.T, c *capture, mode committer.Deletes, out *lakeReport) {
	var err error
	if c.records, err = c.Records(); err != nil {
		t.Fatal(err)
	}
	changes := c.lakeChanges(t)
	repeats := strings.HasPrefix(c.Name, "crash-restart")
	if repeats {
		changes = withoutRepeats(t, changes)
	}
	l := newLake(t, committer.Options{Deletes: mode, Evolution: iceberg.Policy{Incompatible: iceberg.IncompatibleRename}})
	l.builder = iceberg.Builder{Placeholder: c.placeholder(), Sweep: !repeats}
	l.write(t, changes, min(max(len(changes)/8, 12), 1500))
	var counts lakeCounts
	got := l.read(t, &counts)
	rows, err := c.Rows()
	if err != nil {
		t.Fatal(err)
	}
	want := lakeRows{}
	for _, table := range l.order {
		want[tableName(table)] = map[string]lakeRow{}
	}
	for _, row := range rows {
		key := []string{}
		for _, table := range l.order {
			if tableName(table) == row.Table {
				key = l.keys[table]
			}
		}
		if want[row.Table] == nil {
			want[row.Table] = map[string]lakeRow{}
		}
		one := plainRow(t, c.Variant, row)
		text := keyOfRow(key, one)
		if len(key) == 0 {
			text = fmt.Sprint(len(want[row.Table]))
		}
		if want[row.Table][text] != nil {
			t.Errorf("%s: the database has two rows %s", row.Table, text)
		}
		want[row.Table][text] = one
	}
	out.compare(t, l, c.String(), got, want, counts)
}

// lakeChanges returns the capture's changes with their schemas: those of the records, or
// of the connector's records about statements, or of a capture of the same statements
// whose records have them, or as the tables were declared.
func (c *capture) lakeChanges(t *testing.T) []envelope.Change {
	t.Helper()
	changes := make([]envelope.Change, len(c.records))
	decoderOf := c.decoders(envelope.ByPosition)
	var twin func(envelope.Table) *envelope.Schema
	if c.Name == "other" || c.Name == "other-2.7.3" {
		twin = lakeTwin(t, "postgres/other-schemas")
	}
	known := map[envelope.Table]*envelope.Schema{}
	for i, r := range c.records {
		change := &changes[i]
		if err := decoderOf(r.Topic).DecodeKeyed(change, r.Key, r.Value); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if change.Op == envelope.OpSchemaChange {
			tables, err := envelope.ParseTableChanges(r.Value, envelope.ConnectorSettings{})
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			for _, one := range tables {
				known[one.Table] = one.Schema
			}
		}
		if change.Schema != nil || change.Effect() != envelope.Upsert && change.Effect() != envelope.Delete {
			continue
		}
		change.After, change.Before = c.bare(t, change.After), c.bare(t, change.Before)
		if twin != nil {
			change.Schema = twin(change.Table)
			continue
		}
		table := change.Table
		if known[table] == nil {
			known[table] = plainSchema(c.Variant, tableName(table))
		}
		change.Schema = known[table]
	}
	return changes
}

// withoutRepeats leaves out what a connector delivers again after a crash. An update that
// comes when the table has its row under another key already finds none to take unsent
// values from.
func withoutRepeats(t *testing.T, changes []envelope.Change) (kept []envelope.Change) {
	t.Helper()
	filter := dedupe.Filter{Store: new(dedupe.Memory)}
	for batch := range slices.Chunk(changes, 500) {
		b, err := filter.Admit(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range b.Decisions {
			if d.Verdict != dedupe.Repeat && d.Verdict != dedupe.Stale {
				kept = append(kept, batch[i])
			}
		}
		if err := filter.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) == len(changes) {
		t.Error("nothing was delivered again")
	}
	return kept
}

// lakeTwin returns a function that gives the schema of the n-th change of a table at its
// n-th call for that.
func lakeTwin(t *testing.T, name string) func(envelope.Table) *envelope.Schema {
	t.Helper()
	twin := &capture{Variant: variantOf(t, name)}
	var err error
	if twin.records, err = twin.Records(); err != nil {
		t.Fatal(err)
	}
	schemas := map[string][]*envelope.Schema{}
	for _, change := range twin.lakeChanges(t) {
		if change.Schema != nil {
			schemas[tableName(change.Table)] = append(schemas[tableName(change.Table)], change.Schema)
		}
	}
	return func(table envelope.Table) *envelope.Schema {
		name := tableName(table)
		if name == `public.Odd Nￃﾤme` { // 2.7.3 spells it so
			name = "public.Odd Näme"
		}
		if len(schemas[name]) == 0 {
			t.Fatalf("the twin has fewer changes of %s", name)
		}
		s := schemas[name][0]
		schemas[name] = schemas[name][1:]
		return s
	}
}

// A lakeReport collects what was compared, for the reader of go test -v and for the
// totals.
type lakeReport struct {
	mu     sync.Mutex
	lines  map[string]string // by variant and mode
	counts [3]lakeCounts     // by mode
}

// compare judges one capture.
func (r *lakeReport) compare(t *testing.T, l *lake, variant string, got, want lakeRows, counts lakeCounts) {
	t.Helper()
	differences := compareLake(got, want, &counts)
	for table, n := range l.refused {
		differences = append(differences, fmt.Sprintf("no key in %s: %d changes", tableName(table), n))
	}
	for table, n := range l.rekeyed {
		differences = append(differences, fmt.Sprintf("another key for %s: %d deltas", tableName(table), n))
	}
	slices.Sort(differences)
	expected := lakeDifferences(variant)
	for _, line := range differences {
		if !slices.Contains(expected, line) {
			t.Errorf("%s", line)
		}
	}
	for _, line := range expected {
		if !slices.Contains(differences, line) {
			t.Errorf("listed, and not found: %s", line)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[l.mode].add(counts)
	r.lines[variant+" "+modeNames[l.mode]] = fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t  %s, %s", l.changes, l.commits, counts.tables, counts.rows,
		counts.cells, counts.misfits, len(differences), l.gaps, counts.duck, counts.left, variant, modeNames[l.mode])
}

func (r *lakeReport) log(t *testing.T) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "changes\tcommits\ttables\trows\tcells\tmisfits\tdifferences\tgaps\tDuckDB\ttoo large\t  ")
	for _, name := range sortedKeys(r.lines) {
		fmt.Fprintln(w, r.lines[name])
	}
	for mode, n := range r.counts {
		fmt.Fprintf(w, "\t\t%d\t%d\t%d\t%d\t\t\t%d\t%d\t  all, %s\n", n.tables, n.rows, n.cells, n.misfits, n.duck, n.left, modeNames[mode])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", out.String())
}

// judge compares the totals, if no capture was left out.
func (r *lakeReport) judge(t *testing.T) {
	if len(r.lines) != lakeRuns {
		t.Logf("%d of %d captures and modes were judged: no totals", len(r.lines), lakeRuns)
		return
	}
	for mode, got := range r.counts {
		if want := lakeTotals[mode]; got != want {
			t.Errorf("%s: %+v, want %+v", modeNames[mode], got, want)
		}
	}
}

const lakeRuns = 101

// lakeTotals are what was compared in all, by mode.
var lakeTotals = [3]lakeCounts{
	committer.EqualityDeletes: {tables: 246, rows: 6710, cells: 40407, misfits: 252, duck: 242, left: 4},
	committer.DeletionVectors: {tables: 219, rows: 8079, cells: 54200, misfits: 167, duck: 219},
	committer.CopyOnWrite:     {tables: 224, rows: 6820, cells: 46190, misfits: 349, duck: 224},
}
