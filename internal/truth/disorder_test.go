package truth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// sizes are those up to which batches are cut.
var sizes = []int{300, 1, 30, 1000, 10, 100, 1 << 30}

// runs returns how many runs of a feed are judged: most, of a large feed fewer,
// but always least.
func (f *feed) runs(least, most int) int {
	return min(most, max(least, most*2000/len(f.all))) / slowdown
}

// judgeDisorder: in any order, with a third of the changes twice, however the
// batches are cut and whatever fails, the stream ends exactly as in delivered
// order.
func judgeDisorder(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	f, end := c.feed(t), c.end(t)
	var d delivery
	l := c.disordered(f)
	var sum counts
	shuffles := f.runs(50, 200)
	for k := range shuffles {
		l.clear()
		l.faults, l.saves = k/4%2 == 0, k/4%4 == 0
		d.shuffle(f, k, l.random)
		l.run(t, &d, l.upTo(sizes[k%len(sizes)]))
		l.compare(t, fmt.Sprintf("shuffle %d", k), end)
		sum.batches += l.batches
		sum.failures += l.failures
	}
	l.again(t, &d)
	if sum.failures == 0 {
		t.Error("nothing failed")
	}
	c.report.add("disorder", c, "%d changes\t%d shuffles\t%d batches\t%d failures and crashes", len(f.all), shuffles, sum.batches, sum.failures)

	// The same without all but the time.
	w := f.left(t, end)
	var ours, theirs wrong
	for k := range rivals {
		l.clear()
		d.shuffle(f, k, l.random)
		d.byTime()
		l.run(t, &d, l.upTo(sizes[k%len(sizes)]))
		ours.add(w)
		theirs.add(f.left(t, l.sink.rows))
	}
	c.report.add("disorder", c, "of %d: wrong %v\tnewest ts_ns %v", rivals, ours, theirs)
	c.report.addShuffled(anyhow+"rule", c, ours)
	c.report.addShuffled(anyhow+"ts_ns", c, theirs)
}

// judgeRival asserts over all variants that the newest ts_ns leaves more wrong
// rows, through the same Filter, Compactor and sink.
func judgeRival(t *testing.T, r *report) {
	for _, order := range []string{delivered, anyhow} {
		var ours, theirs wrong
		for variant, w := range r.shuffled[order+"rule"] {
			ours.add(w)
			theirs.add(r.shuffled[order+"ts_ns"][variant])
		}
		t.Logf("%snewest ts_ns %v where the rule leaves %v", order, theirs, ours)
		if len(r.shuffled[order+"rule"]) < len(expected) {
			t.Log("not all variants were judged: no totals")
			continue
		}
		if theirs.sum() <= ours.sum() {
			t.Errorf("%snewest ts_ns leaves %v wrong, no more than the rule: %v", order, theirs, ours)
		}
	}
}

// placeholder is what the connector was told to send for a value that it does not
// have.
func (c *capture) placeholder() *envelope.Placeholder {
	switch {
	case strings.HasSuffix(c.Name, "-placeholder-hex"):
		return envelope.NewPlaceholder("hex:00ff10fe")
	case strings.HasSuffix(c.Name, "-placeholder-text"):
		return envelope.NewPlaceholder("<<kept>>")
	}
	return envelope.NewPlaceholder(envelope.DefaultPlaceholder)
}
