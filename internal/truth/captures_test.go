package truth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/rowdelta/rowdelta/internal/truth"
)

// A capture is a variant in memory. The judges share it and leave it as it is.
type capture struct {
	truth.Variant
	records []truth.Record
	rows    []truth.Row
	report  *report
	format  *format // nil for envelopes

	meanings []meaning // the oracle's, by record; none where nothing decodes them
	read     *history  // by history
	fed      *feed     // by feed
}

// The judges of one variant. They run in turn on one loaded capture: loading
// it takes longer than most of them, and all captures at once would take too
// much memory.
var judges = []struct {
	name  string
	judge func(*testing.T, *capture)
}{
	{"decode", judgeDecode},
	{"prefixes", judgePrefixes},
	{"identity", judgeIdentity},
	{"order", judgeOrder},
	{"end", judgeEnd},
	{"passed on", judgePassedOn},
	{"deleted", judgeDeleted},
	{"log", judgeLog},
	{"halves", judgeHalves},
	{"repeats", judgeRepeats},
	{"binary", judgeBinary},
	{"dedupe", judgeDedupe},
	{"disorder", judgeDisorder},
	{"fill", judgeFill},
	{"audit", judgeAudit},
	{"images", judgeImages},
}

func TestCaptures(t *testing.T) {
	variants, err := truth.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, v := range variants {
		names[v.String()] = true
		if _, ok := expected[v.String()]; ok != isEnvelope(v) {
			t.Errorf("%v: to be judged by its order: %v", v, ok)
		}
	}
	for _, name := range slices.Concat(sortedKeys(expected), sortedKeys(notEnvelopes)) {
		if !names[name] {
			t.Errorf("%s is expected but not there", name)
		}
	}
	tables := newReport()
	t.Run("of", func(t *testing.T) { // returns when all parallel subtests have
		for _, v := range variants {
			t.Run(v.String(), func(t *testing.T) {
				t.Parallel()
				c := load(t, v)
				c.report = tables
				for _, j := range judges {
					t.Run(j.name, func(t *testing.T) { j.judge(t, c) })
				}
			})
		}
	})
	tables.log(t)
	judgeTotals(t, tables)
	judgeRival(t, tables)
}

func load(t *testing.T, v truth.Variant) *capture {
	t.Helper()
	records, err := v.Records()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := v.Rows()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) == 0 {
		t.Fatal("no records")
	}
	c := &capture{Variant: v, records: records, rows: rows}
	if f, ok := notEnvelopes[v.String()]; ok {
		c.format = &f
	}
	if !c.decodable() {
		return c
	}
	c.meanings = make([]meaning, len(records))
	for i, r := range records {
		if c.meanings[i], err = c.mean(r); err != nil {
			t.Fatalf("line %d: the oracle does not know it: %v", i+1, err)
		}
	}
	return c
}

// A report collects one line per variant and table, for the reader of
// go test -v and for what is asserted over all variants.
type report struct {
	mu       sync.Mutex
	lines    map[string]map[string]string // by table and variant
	shuffled map[string]map[string]wrong  // by rule and variant
}

func newReport() *report {
	return &report{lines: map[string]map[string]string{}, shuffled: map[string]map[string]wrong{}}
}

// add appends tab-separated cells to a variant's line in the named table.
func (r *report) add(table string, c *capture, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines[table] == nil {
		r.lines[table] = map[string]string{}
	}
	r.lines[table][c.String()] += "\t" + fmt.Sprintf(format, args...)
}

func (r *report) addShuffled(rule string, c *capture, w wrong) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shuffled[rule] == nil {
		r.shuffled[rule] = map[string]wrong{}
	}
	r.shuffled[rule][c.String()] = w
}

func (r *report) log(t *testing.T) {
	for _, table := range sortedKeys(r.lines) {
		var out strings.Builder
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		for _, variant := range sortedKeys(r.lines[table]) {
			fmt.Fprintf(w, "%s%s\n", variant, r.lines[table][variant])
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s:\n%s", table, out.String())
	}
}
