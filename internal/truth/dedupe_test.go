package truth_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// The judges of package dedupe run what a consumer runs: batches through a
// Filter and a Compactor into a sink, with failures and crashes. What the sink
// has at the end is compared with the database's rows.

// truncated counts the rows of expected's extra ones that a truncate removed. The
// order rule alone, which those numbers are of, cannot remove them.
var truncated = map[string]int{
	"mariadb/records-other":  2,
	"mysql/records-other":    2,
	"postgres/other":         8,
	"postgres/other-2.7.3":   8,
	"postgres/other-schemas": 8,
}

// ends returns what the capture's stream leaves wrong at the end, and what the
// newest ts_ns leaves wrong in delivered order.
func (c *capture) ends() (rule, byTime wrong) {
	if !isEnvelope(c.Variant) {
		return c.format.arrived, c.format.arrived
	}
	want := expected[c.String()]
	rule, byTime = want.rule, want.tsNS
	rule.extra -= truncated[c.String()]
	byTime.extra -= truncated[c.String()]
	return rule, byTime
}

// end returns the rows with which the stream ends in delivered order, in one
// batch, as nothing but the newest changes of the rows.
func (c *capture) end(t *testing.T) []held {
	t.Helper()
	var d delivery
	f := c.feed(t)
	d.inOrder(f)
	l := c.disordered(f)
	l.run(t, &d, whole)
	return l.sink.rows
}

// disordered returns a pipeline for changes in any order.
func (c *capture) disordered(f *feed) *pipeline {
	l := newPipeline(f, c.randomOf(2), c.placeholder())
	l.compactor.Disordered, l.sink.compares = true, true
	return l
}

// judgeDedupe: in delivered order, in one batch and in many, each change is judged
// as the records alone say, and the rows are the database's but for those that
// are counted.
func judgeDedupe(t *testing.T, c *capture) {
	if !c.decodable() {
		return
	}
	f := c.feed(t)
	end := c.end(t)
	want, byTime := c.ends()
	if got := f.left(t, end); got != want {
		t.Errorf("%v wrong (missing, extra, different), want %v", got, want)
	}
	var d delivery
	d.inOrder(f)
	l := c.disordered(f)
	for _, size := range []int{1 << 30, 300, 30, 3} {
		l.clear()
		l.run(t, &d, l.upTo(size))
		l.compare(t, fmt.Sprintf("in batches of up to %d", size), end)
		if verdicts := f.verdicts(); c.placed() && l.verdicts != verdicts {
			t.Errorf("in batches of up to %d: verdicts %v, want %v", size, l.verdicts, verdicts)
		}
	}
	c.report.add("dedupe", c, "%d records\t%s\t%v", len(f.all), verdictText(l.verdicts), want)
	if c.placed() {
		l.again(t, &d)
	}

	l.clear()
	d.byTime()
	l.run(t, &d, whole)
	got := f.left(t, l.sink.rows)
	if got != byTime {
		t.Errorf("newest ts_ns: %v wrong, want %v", got, byTime)
	}
	c.report.add("dedupe", c, "newest ts_ns %v", got)
	c.report.addShuffled(delivered+"rule", c, want)
	c.report.addShuffled(delivered+"ts_ns", c, got)
}

// The keys of the rival's table in a report.
const (
	delivered = "in batches, delivered: "
	anyhow    = "in batches, shuffled: "
	rivals    = 10 // shuffles
)

// again delivers everything once more. The marks are in place: nothing is new.
func (l *pipeline) again(t *testing.T, d *delivery) {
	t.Helper()
	l.counts, l.faults, l.saves = counts{}, false, false
	l.run(t, d, l.upTo(100))
	if l.finals > 0 || l.verdicts[dedupe.Newer]+l.verdicts[dedupe.Tie]+l.verdicts[dedupe.Late] > 0 {
		t.Errorf("delivered again: %s, %d final changes", verdictText(l.verdicts), l.finals)
	}
}

// compare asserts that the sink has exactly the rows of want.
func (l *pipeline) compare(t *testing.T, what string, want []held) {
	t.Helper()
	faults := 0
	for row, w := range want {
		if got := l.sink.rows[row]; (got.after == nil) != (w.after == nil) || !bytes.Equal(got.after, w.after) {
			if faults++; faults < 10 {
				t.Errorf("%s, row %.100q ends with %v, want %v", what, l.sink.feed.rows[row], got.version, w.version)
			}
		}
	}
	if faults > 0 {
		t.Fatalf("%s: %d rows are others, after %d failures", what, faults, l.failures)
	}
}

// left compares the rows of a sink with the database's.
func (f *feed) left(t *testing.T, rows []held) (w wrong) {
	t.Helper()
	found := 0
	for row, got := range rows {
		if got.after == nil {
			continue
		}
		want, ok := f.truth[f.rows[row]]
		if !ok {
			w.extra++
			continue
		}
		found++
		if differs(t, got.after, want) {
			w.different++
		}
	}
	w.missing = len(f.truth) - found
	return w
}

// verdicts says what a Filter has to find in delivered order, by what the records
// alone tell: the same source block and operation are the same change. New ones
// are newer, what is repeated is a repeat of its row's newest or stale, and so is
// what comes again from before a truncate.
func (f *feed) verdicts() (count [dedupe.Failed + 1]int) {
	known, newest := map[identity]bool{}, map[row]string{}
	for i := range f.all {
		c := &f.all[i]
		at, ok := f.identity(i)
		verdict := dedupe.Stale
		switch {
		case c.Effect() == envelope.None:
			verdict = dedupe.Rowless
		case !ok:
			verdict = dedupe.Failed
		case !known[at]:
			verdict = dedupe.Newer
			known[at], newest[at.row] = true, at.id
			if c.Effect() == envelope.Truncate {
				for _, number := range f.ofTable[c.Table] {
					delete(newest, row{c.Table, number})
				}
			}
		case newest[at.row] == at.id:
			verdict = dedupe.Repeat
		}
		count[verdict]++
	}
	return count
}

func verdictText(counts [dedupe.Failed + 1]int) string {
	var out []string
	for v, n := range counts[1:] {
		out = append(out, fmt.Sprintf("%v %d", dedupe.Verdict(v+1), n))
	}
	return strings.Join(out, "\t")
}
