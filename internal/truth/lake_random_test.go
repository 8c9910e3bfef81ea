//go:build servers

package truth_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// What random workloads make in all, which is never nothing.
type randomCounts struct {
	creates, updates, deletes, moves, truncates, repeats int
	unsent, snapshots, rewritten, tables, rows           int
}

// TestLakeRandom: after random changes of rows, keys and columns, the Java reference and
// DuckDB read what a map has to which the same was done; also of a snapshot in between.
func TestLakeRandom(t *testing.T) {
	const seeds, steps = 2, 14
	for seed := range uint64(seeds) {
		for _, mode := range modes {
			for _, disordered := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d %s disordered %v", seed, modeNames[mode], disordered), func(t *testing.T) {
					t.Parallel()
					w := newRandomWorld(t, seed, mode, disordered)
					w.l.builder = iceberg.Builder{Disordered: disordered}
					for step := range steps {
						w.step(t, step, steps)
						switch {
						case step == steps/3, step == steps/2: // before columns change, and just then
							w.judge(t)
							w.remember(t)
						case step%4 == 3:
							w.maintain(t)
						}
					}
					w.judge(t)
					w.judgeRemembered(t)
					w.log(t)
				})
			}
		}
	}
}

// A randomWorld is tables, the changes that are made of them, and a lake.
type randomWorld struct {
	l          *lake
	random     *rand.Rand
	tables     []*randomTable
	disordered bool
	version    uint64
	batch      []envelope.Change
	kept       []remembered
	counts     randomCounts
}

// A remembered snapshot has the rows that the table had then.
type remembered struct {
	table    *randomTable
	snapshot int64
	lines    []string
}

func newRandomWorld(t *testing.T, seed uint64, mode committer.Deletes, disordered bool) *randomWorld {
	w := &randomWorld{random: rand.New(rand.NewPCG(seed, uint64(mode)<<1|uint64(btoi(disordered)))), disordered: disordered}
	for _, declared := range []struct{ name, columns string }{
		{"numbered", "*id int; n bigint; price decimal; note text?; ok boolean"},
		{"regional", "*region text; *slot int; f double; big text?; day date"},
		{"coded", "*code uuid; at timestamp; bin bytea?; n int"},
	} {
		w.tables = append(w.tables, newRandomTable(declared.name, declared.columns))
	}
	o := committer.Options{Deletes: mode}
	if seed == 1 {
		o.Partition = map[envelope.Table][]string{w.tables[0].table: {"bucket[3](id)"}, w.tables[1].table: {"truncate[1](region)"}}
	}
	w.l = newLake(t, o)
	return w
}

// step makes some changes of each table and commits them.
func (w *randomWorld) step(t *testing.T, step, steps int) {
	t.Helper()
	w.batch = w.batch[:0]
	for _, r := range w.tables {
		begins := len(w.batch)
		for range 10 + w.random.IntN(60) {
			w.change(r)
		}
		switch {
		case r != w.tables[0]:
		case step == steps/2:
			r.alter("id bigint") // in the middle of a batch
		case step == steps/2+2:
			r.alter("price wide")
			r.add("extra date")
		case step == steps/2+4:
			r.drop("ok")
		}
		if r == w.tables[1] && step == steps/2+1 {
			r.add("more text?")
			r.alter("slot bigint")
		}
		if !w.disordered { // a stream goes back some changes, and over them again
			back := begins + w.random.IntN(len(w.batch)-begins)
			w.counts.repeats += len(w.batch) - back
			w.batch = append(w.batch, w.batch[back:]...)
		}
		for range 10 + w.random.IntN(60) {
			w.change(r)
		}
	}
	if w.disordered {
		w.disorder()
	}
	for i := range w.batch {
		w.l.add(t, &w.batch[i])
	}
	w.l.flush(t, w.l.changes-len(w.batch))
}

// disorder shuffles the changes between two changes of columns, and repeats some.
func (w *randomWorld) disorder() {
	var all []envelope.Change
	for from := 0; from < len(w.batch); {
		to := from
		for to < len(w.batch) && w.batch[to].Schema == w.batch[from].Schema && w.batch[to].Table == w.batch[from].Table {
			to++
		}
		piece := slices.Clone(w.batch[from:to])
		for range len(piece) / 3 {
			piece = append(piece, piece[w.random.IntN(len(piece))])
			w.counts.repeats++
		}
		w.random.Shuffle(len(piece), func(i, j int) { piece[i], piece[j] = piece[j], piece[i] })
		all = append(all, piece...)
		from = to
	}
	w.batch = all
}

// change makes one change of a row, or two where its key changes.
func (w *randomWorld) change(r *randomTable) {
	w.version++
	ids := sortedKeys(r.rows)
	kind := w.random.IntN(100)
	if len(ids) == 0 {
		kind = 0
	}
	id := ""
	if len(ids) > 0 {
		id = ids[w.random.IntN(len(ids))]
	}
	switch {
	case kind < 35:
		row := r.fresh(w.random)
		w.counts.creates++
		w.put(r, envelope.OpCreate, row, nil)
	case kind < 75:
		row := r.changed(w.random, r.rows[id], false)
		w.counts.updates++
		w.put(r, envelope.OpUpdate, row, r.rows[id])
	case kind < 85:
		w.counts.deletes++
		w.take(r, id)
	case kind < 99 || w.random.IntN(3) > 0:
		row, older := r.changed(w.random, r.rows[id], true), r.rows[id]
		if r.rows[r.idOf(row)] != nil { // which another row has
			return
		}
		w.counts.moves++
		w.take(r, id) // both at one place of the log
		w.put(r, envelope.OpCreate, row, older)
	default:
		w.counts.truncates++
		r.rows = map[string]randomRow{}
		w.batch = append(w.batch, envelope.Change{Op: envelope.OpTruncate, Table: r.table, Schema: r.schema, Version: w.at()})
	}
}

func (w *randomWorld) at() envelope.Version {
	return envelope.PositionVersion(int64(w.version), w.version, 0)
}

func (w *randomWorld) take(r *randomTable, id string) {
	w.batch = append(w.batch, envelope.Change{Op: envelope.OpDelete, Table: r.table, Schema: r.schema, Version: w.at(), Key: r.image(r.rows[id], true, nil)})
	delete(r.rows, id)
}

// put makes a row what it is. What is as it was before may be unsent, where the column is
// of the kind and changes are in order.
func (w *randomWorld) put(r *randomTable, op envelope.Op, row, before randomRow) {
	unsent := map[string]bool{}
	for _, c := range r.columns {
		if c.large && before != nil && !w.disordered && before[c.name] != nil && before[c.name] == row[c.name] && w.random.IntN(4) > 0 {
			unsent[c.name] = true
			w.counts.unsent++
		}
	}
	w.batch = append(w.batch, envelope.Change{Op: op, Table: r.table, Schema: r.schema, Version: w.at(), Key: r.image(row, true, nil), After: r.image(row, false, unsent)})
	r.rows[r.idOf(row)] = row
}

// maintain does what nobody ought to see in the rows.
func (w *randomWorld) maintain(t *testing.T) {
	t.Helper()
	for _, r := range w.tables {
		done, err := w.l.Maintain(t.Context(), r.table, committer.Maintenance{Files: 2, Deletes: 1, Manifests: 3})
		if err != nil {
			t.Fatal(err)
		}
		w.counts.rewritten += done.Rewritten
	}
}

// remember keeps what the tables are.
func (w *randomWorld) remember(t *testing.T) {
	t.Helper()
	for _, r := range w.tables {
		info, err := w.l.Info(t.Context(), r.table)
		if err != nil {
			t.Fatal(err)
		}
		w.kept = append(w.kept, remembered{r, info.Snapshots[len(info.Snapshots)-1].ID, r.lines()})
	}
}

func (w *randomWorld) judge(t *testing.T) {
	t.Helper()
	for _, r := range w.tables {
		info, err := w.l.Info(t.Context(), r.table)
		if err != nil {
			t.Fatal(err)
		}
		w.compare(t, r, func(reader *servers.Reader) ([]servers.Row, error) { return reader.Read(t.Context(), info.Metadata) }, r.lines())
	}
}

func (w *randomWorld) judgeRemembered(t *testing.T) {
	t.Helper()
	for _, k := range w.kept {
		info, err := w.l.Info(t.Context(), k.table.table)
		if err != nil {
			t.Fatal(err)
		}
		w.counts.snapshots++
		w.compare(t, k.table, func(reader *servers.Reader) ([]servers.Row, error) {
			return reader.ReadSnapshot(t.Context(), info.Metadata, k.snapshot)
		}, k.lines)
	}
}

func (w *randomWorld) compare(t *testing.T, r *randomTable, read func(*servers.Reader) ([]servers.Row, error), want []string) {
	t.Helper()
	for name, reader := range map[string]*servers.Reader{"Java": servers.JavaReader(t), "DuckDB": servers.DuckReader(t)} {
		rows, err := read(reader)
		if err != nil {
			t.Fatalf("%s: %v", r.table.Name, err)
		}
		if got := servers.Lines(rows); !slices.Equal(got, want) {
			t.Errorf("%s reads other rows of %s: %s", name, r.table.Name, firstDifference(got, want))
		}
	}
	w.counts.tables++
	w.counts.rows += len(want)
}

func (w *randomWorld) log(t *testing.T) {
	t.Helper()
	t.Logf("%d changes in %d commits: %+v", w.l.changes, w.l.commits, w.counts)
	c := w.counts
	for name, n := range map[string]int{"creates": c.creates, "updates": c.updates, "deletes": c.deletes, "changed keys": c.moves, "truncates": c.truncates,
		"repeats": c.repeats, "rows": c.rows, "snapshots": c.snapshots, "files written anew": c.rewritten} {
		if n == 0 {
			t.Errorf("no %s", name)
		}
	}
	if (c.unsent > 0) == w.disordered {
		t.Errorf("%d columns are not sent", c.unsent)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lines are a table's rows as readers have them.
func (r *randomTable) lines() []string {
	rows := make([]servers.Row, 0, len(r.rows))
	for _, row := range r.rows {
		out := servers.Row{}
		for _, name := range r.all {
			out[name] = nil
			if v := row[name]; v != nil {
				out[name] = v.read
			}
		}
		rows = append(rows, out)
	}
	return servers.Lines(rows)
}

// idOf returns the text of a row's key.
func (r *randomTable) idOf(row randomRow) string {
	var parts []string
	for _, c := range r.columns {
		if c.inKey {
			parts = append(parts, fmt.Sprint(row[c.name].read))
		}
	}
	return strings.Join(parts, ",")
}

// changed returns a row with other values, and another key if that is to change.
func (r *randomTable) changed(random *rand.Rand, older randomRow, key bool) randomRow {
	row := maps.Clone(older)
	for _, c := range r.columns {
		if c.inKey && key && random.IntN(2) == 0 || !c.inKey && random.IntN(2) == 0 {
			row[c.name] = c.random(random)
		}
	}
	for name := range row { // what the table no longer has is null from now on
		if !slices.ContainsFunc(r.columns, func(c randomColumn) bool { return c.name == name }) {
			delete(row, name)
		}
	}
	return row
}
