package truth_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// Settings are what a connector was told about values, and what is to be found.
type settings struct {
	twin      string // the variant whose schemas serve, where the records have none
	mysql     bool   // MySQL or MariaDB
	jsonText  bool   // JSON is text there (MariaDB)
	decimals  string // decimal.handling.mode, if not precise
	bytes     string // binary.handling.mode, if not bytes
	intervals string // interval.handling.mode, if not numeric
	millis    bool   // time.precision.mode=connect
	hstoreMap bool   // hstore.handling.mode=map
	unsigned  bool   // bigint.unsigned.handling.mode=precise

	want tally
}

// A tally counts cells of final rows.
type tally struct {
	values  int // the library reads what the database has
	rounded int // the same but for what the connector's settings cut off: to milliseconds, to a double
	nulls   int // NULL, and null
	altered int // the connector altered it; each is listed
}

func variantOf(t *testing.T, name string) truth.Variant {
	t.Helper()
	variants, err := truth.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(variants, func(v truth.Variant) bool { return v.String() == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return variants[i]
}

// TestValues: every column of every final row decodes to what the database has, but
// where the connector altered it.
func TestValues(t *testing.T) {
	variants, err := truth.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var counts typeCounts
	t.Run("of", func(t *testing.T) {
		for _, v := range variants {
			_, ok := valueVariants[v.String()]
			seen[v.String()] = true
			if ofValues := strings.HasPrefix(v.Name, "types-") || strings.HasPrefix(v.Name, "toast-"); ofValues != ok {
				t.Errorf("%v: to be judged by its values: %v", v, ok)
			}
			if !ok {
				continue
			}
			t.Run(v.String(), func(t *testing.T) {
				t.Parallel()
				judgeValues(t, newReading(t, v), &counts)
			})
		}
	})
	for name := range valueVariants {
		if !seen[name] {
			t.Errorf("%s is expected but not there", name)
		}
	}
	counts.log(t)
	if counts.variants == len(valueVariants) { // none was left out, or broke off
		counts.judge(t)
	}
}

func judgeValues(t *testing.T, r *reading, counts *typeCounts) {
	truths, err := r.Rows()
	if err != nil {
		t.Fatal(err)
	}
	rows := r.fold(t)
	ledger := newLedger(t, r.String())
	var got tally
	for _, row := range truths {
		key := row.Row["id"]
		if key == nil {
			key = row.Row["specimen_no"]
		}
		name := rowText(row.Table, []string{*key})
		end, ok := rows[name]
		if !ok {
			t.Errorf("%s %s: no row", row.Table, *key)
			continue
		}
		delete(rows, name)
		got.add(r.judgeRow(t, row, *key, end, ledger, counts))
	}
	for name := range rows {
		t.Errorf("%q: the database has no such row", name)
	}
	ledger.judge(t)
	counts.done()
	if got != r.set.want {
		t.Errorf("values, rounded, nulls, altered %v, want %v", got, r.set.want)
	}
}

func (a *tally) add(b tally) {
	a.values += b.values
	a.rounded += b.rounded
	a.nulls += b.nulls
	a.altered += b.altered
}

// judgeRow compares the columns of one row.
func (r *reading) judgeRow(t *testing.T, row truth.Row, key string, end final, ledger *ledger, counts *typeCounts) (got tally) {
	t.Helper()
	declared := columnsOfTable(row.Table)
	if len(declared) != len(row.Row) {
		t.Errorf("%s has %d columns, not %d", row.Table, len(row.Row), len(declared))
	}
	names := slices.SortedFunc(maps.Keys(row.Row), func(a, b string) int { return strings.Compare(fmt.Sprint(end[a])+a, fmt.Sprint(end[b])+b) })
	last := -1
	for _, name := range names {
		from, has := end[name]
		var d envelope.Datum
		if has {
			if from != last {
				r.read(t, from)
				last = from
			}
			d = r.datum(from, name)
		}
		printed := row.Row[name]
		var err error
		rounded := false
		switch {
		case declared[name] == "":
			err = fmt.Errorf("the statements do not declare it")
		case printed == nil && d.State() == envelope.Null:
			got.nulls++
			continue
		case printed == nil, !d.IsSet():
			err = fmt.Errorf("%v", d.State())
		default:
			c := newCell(d, declared[name], *printed, r.set)
			c.canon, c.hex = row.Canon[name], slices.Contains(row.Hex, name)
			err, rounded = c.compare(), c.rounded
		}
		if err == nil {
			if rounded {
				got.rounded++
			} else {
				got.values++
			}
			counts.add(r.String(), d.Type())
			continue
		}
		if ledger.has(row.Table, name, key, said(d)) {
			got.altered++
			continue
		}
		t.Errorf("%s.%s of row %s: %v; the record says %.200q, the database %.200q", row.Table, name, key, err, said(d), show(printed))
	}
	return got
}

// said is what a record says of a column: its canonical text, or what it is instead.
func said(d envelope.Datum) string {
	if !d.IsSet() {
		return d.State().String()
	}
	return "=" + string(d.AppendText(nil))
}

func show(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

// typeCounts counts values by variant and by what the library takes their column for.
type typeCounts struct {
	mu       sync.Mutex
	variants int                       // that were read to their end
	values   map[string]map[string]int // by type and variant
}

func (n *typeCounts) done() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.variants++
}

func (n *typeCounts) add(variant string, typ *envelope.Type) {
	name := typ.Kind.String()
	if typ.Name != "" {
		name += " " + typ.Name[strings.LastIndexByte(typ.Name, '.')+1:]
	}
	if typ.Kind == envelope.KindList {
		name = "list of " + typ.Elem.Kind.String()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.values == nil {
		n.values = map[string]map[string]int{}
	}
	if n.values[name] == nil {
		n.values[name] = map[string]int{}
	}
	n.values[name][variant]++
}

func (n *typeCounts) log(t *testing.T) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', tabwriter.AlignRight)
	variants := sortedKeys(valueVariants)
	for i, v := range variants {
		fmt.Fprintf(&out, "%d %s\n", i+1, v)
		fmt.Fprintf(w, "%d\t", i+1)
	}
	fmt.Fprintln(w, "all\t  ")
	for _, typ := range sortedKeys(n.values) {
		all := 0
		for _, v := range variants {
			count := n.values[typ][v]
			all += count
			if count == 0 {
				fmt.Fprint(w, "\t")
				continue
			}
			fmt.Fprintf(w, "%d\t", count)
		}
		fmt.Fprintf(w, "%d\t  %s\n", all, typ)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("values by type:\n%s", out.String())
}

// judge compares the sums over all variants.
func (n *typeCounts) judge(t *testing.T) {
	got := map[string]int{}
	for typ, by := range n.values {
		for _, count := range by {
			got[typ] += count
		}
	}
	for _, typ := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(sortedKeys(got), sortedKeys(typeTotals))))) {
		if got[typ] != typeTotals[typ] {
			t.Errorf("%d values of %s, want %d", got[typ], typ, typeTotals[typ])
		}
	}
}
