//go:build servers

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/internal/servers"
)

var costs = flag.Bool("costs", false, "let TestCosts measure what iceberg/committer/COSTS.md says, for some 20 minutes")

// TestCosts measures what the modes of deleting cost the writer and the readers: each table against one without deltas
// that is read in turns with it, since other work shares the machine. Without -costs the tables are small, and only
// what the readers read counts. Figures are only logged.
func TestCosts(t *testing.T) {
	rows, keys, rounds := 2_000, 50, []int{1, 4}
	if *costs {
		rows, keys, rounds = 100_000, 1_000, []int{1, 10, 100}
	}
	var base ledger
	first := map[int64]int64{}
	for id := range int64(rows) {
		first[id] = 1
	}
	start := base.delta(first)
	fresh := open(t, committer.EqualityDeletes)
	if err := fresh.Commit(t.Context(), start); err != nil {
		t.Fatal(err)
	}

	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(format string, values ...any) {
		t.Logf(format, values...) // it takes long
		fmt.Fprintf(w, format+"\n", values...)
	}
	line("deletes\tdeltas\tcommit ms\tbytes\ticeberg-go\tJava\tDuckDB\tpyiceberg")
	for _, mode := range modes {
		c := open(t, mode.deletes)
		if err := c.Commit(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		l := ledger{maps.Clone(base.versions), base.at}
		rng := rand.New(rand.NewPCG(7, 7))
		done := 0
		for _, upTo := range rounds {
			var took []time.Duration
			for ; done < upTo; done++ {
				d := l.delta(l.changes(rng, keys))
				began := time.Now()
				if err := c.Commit(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took[max(0, len(took)-10):]) // the last ones: it depends on what is there
			commit := took[max(0, len(took)-10)]
			scans := readAll(t, fresh, c, &l, mode.deletes == committer.EqualityDeletes)
			line("%s\t%d\t%d\t%d\t%s", mode.name, done, commit.Milliseconds(), c.size(t), scans)
		}
		began := time.Now()
		if _, err := c.Maintain(t.Context(), sales, committer.Maintenance{Files: 2, Deletes: 1, Snapshots: 1, Age: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
		maintained := time.Since(began)
		scans := readAll(t, fresh, c, &l, false)
		line("%s\tMaintain\t%d\t%d\t%s", mode.name, maintained.Milliseconds(), c.size(t), scans)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the fresh table has %d bytes; scans are of %d rows, as multiples of its own\n%s", fresh.size(t), rows, out.String())
}

// folder is a Committer whose tables are in a folder.
type folder struct {
	*committer.Committer
	dir string
}

func open(t *testing.T, deletes committer.Deletes) *folder {
	t.Helper()
	dir := t.TempDir()
	c, err := committer.Local(dir, committer.Options{Deletes: deletes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &folder{c, dir}
}

// size returns the bytes of all data and delete files, also of those that only older snapshots have.
func (f *folder) size(t *testing.T) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) != "data" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func (f *folder) metadata(t *testing.T) string {
	t.Helper()
	info, err := f.Info(t.Context(), sales)
	if err != nil {
		t.Fatal(err)
	}
	return info.Metadata
}

// changes returns those of a delta of so many keys: nine of ten are updates, and of the others as many are deleted as
// inserted.
func (l *ledger) changes(rng *rand.Rand, keys int) map[int64]int64 {
	ids := slices.Sorted(maps.Keys(l.versions))
	rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	next := slices.Max(ids) + 1
	out := map[int64]int64{}
	for i := range keys {
		switch {
		case i%20 == 0:
			out[ids[i]] = 0
		case i%20 == 1:
			out[next+int64(i)] = 1
		default:
			out[ids[i]] = l.versions[ids[i]] + 1
		}
	}
	return out
}

// readAll reads both tables with all readers, and checks what they read of the second one. It returns the ratios of
// the times, tabs between them.
func readAll(t *testing.T, fresh, c *folder, l *ledger, equality bool) string {
	t.Helper()
	text := func(r reading) string {
		return fmt.Sprintf("%.1f (%.0f ms)", r.table.Seconds()/r.fresh.Seconds(), float64(r.table)/1e6)
	}
	check := func(reader string, n int, sum int64) {
		t.Helper()
		if n != len(l.versions) || sum != l.sum() {
			t.Errorf("%s reads %d rows with the sum %d, want %d and %d", reader, n, sum, len(l.versions), l.sum())
		}
	}
	before, after := fresh.metadata(t), c.metadata(t)
	own := alternate(t, 5, func(table bool) {
		f := fresh
		if table {
			f = c
		}
		n, sum := 0, int64(0)
		for rows, err := range f.Rows(t.Context(), sales, 0) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows.Len {
				n, sum = n+1, sum+rows.Columns[0].Ints[i]*rows.Columns[1].Ints[i]
			}
		}
		if table {
			check("iceberg-go", n, sum)
		}
	})
	java := alternate(t, 3, func(table bool) {
		metadata := before
		if table {
			metadata = after
		}
		rows := servers.ReadIceberg(t, metadata)
		if !table {
			return
		}
		sum := int64(0)
		for _, r := range rows {
			id, err := r["id"].(json.Number).Int64()
			version, err2 := r["version"].(json.Number).Int64()
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			sum += id * version
		}
		check("Java", len(rows), sum)
	})
	duck := text(timed(t, "duckdb", before, after, check))
	py := "refuses"
	if !equality {
		py = text(timed(t, "pyiceberg", before, after, check))
	} else if _, err := servers.RunPython(t, timing, "pyiceberg", before, after); err == nil || !strings.Contains(err.Error(), "does not yet support equality deletes") {
		t.Errorf("pyiceberg: %v, want a refusal of equality deletes", err)
	}
	return strings.Join([]string{text(own), text(java), duck, py}, "\t")
}

// A reading is the shortest times in which two tables were read.
type reading struct{ fresh, table time.Duration }

func alternate(t *testing.T, times int, read func(table bool)) reading {
	t.Helper()
	best := reading{time.Hour, time.Hour}
	for range times {
		began := time.Now()
		read(false)
		best.fresh = min(best.fresh, time.Since(began))
		began = time.Now()
		read(true)
		best.table = min(best.table, time.Since(began))
	}
	return best
}

// timing reads two tables in turns and prints the shortest time of each, in nanoseconds, and of the second one the
// number of rows and the sum that tells its state.
const timing = `import sys, time

library, fresh, table = sys.argv[1:]
if library == "duckdb":
    import duckdb
    duckdb.sql("LOAD avro")
    duckdb.sql("LOAD iceberg")
    read = lambda path: duckdb.sql(f"SELECT * FROM iceberg_scan('{path}')").to_arrow_table()
else:
    from pyiceberg.table import StaticTable
    read = lambda path: StaticTable.from_metadata(path).scan().to_arrow()

def timed(path):
    began = time.perf_counter_ns()
    rows = read(path)
    return time.perf_counter_ns() - began, rows

best = {}
for _ in range(10):
    for path in fresh, table:
        took, rows = timed(path)
        best[path] = min(best.get(path, took), took)
    if best[table] > 1_000_000_000:
        break
total = sum(i * v for i, v in zip(rows["id"].to_pylist(), rows["version"].to_pylist()))
print(best[fresh], best[table], rows.num_rows, total)
`

func timed(t *testing.T, library, before, after string, check func(reader string, n int, sum int64)) reading {
	t.Helper()
	out, err := servers.RunPython(t, timing, library, before, after)
	if err != nil {
		t.Fatal(err)
	}
	var fresh, table, sum int64
	var n int
	if _, err := fmt.Sscan(out, &fresh, &table, &n, &sum); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	check(library, n, sum)
	return reading{time.Duration(fresh), time.Duration(table)}
}
