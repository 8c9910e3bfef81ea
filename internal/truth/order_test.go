package truth_test

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// wrong counts the rows that are not the database's.
type wrong struct{ missing, extra, different int }

func (w wrong) sum() int { return w.missing + w.extra + w.different }

func (w wrong) String() string { return fmt.Sprintf("(%d, %d, %d)", w.missing, w.extra, w.different) }

func (w *wrong) add(v wrong) {
	w.missing += v.missing
	w.extra += v.extra
	w.different += v.different
}

// A rule says whether a is older than, tied with or newer than b, and what it
// leaves wrong in delivered order.
type rule struct {
	name    string
	compare func(a, b *change) int
	want    func(expectation) wrong
	stable  func(variant string) bool // does every order of arrival end alike?
}

func always(string) bool { return true }

var rules = []rule{
	{"rule", func(a, b *change) int { return a.Version.Compare(b.Version) }, func(e expectation) wrong { return e.rule }, always},
	{"by time", func(a, b *change) int { return a.byTime.Compare(b.byTime) }, func(e expectation) wrong { return e.byTime }, always},
	{"blind", func(a, b *change) int { return a.blind.Compare(b.blind) }, func(e expectation) wrong { return e.blind },
		func(variant string) bool { return !blindCircles[variant] }},
	{"ts_ns", func(a, b *change) int { return cmp.Compare(a.Time, b.Time) }, func(e expectation) wrong { return e.tsNS },
		func(string) bool { return false }}, // changes of one transaction tie
	{"lsn", func(a, b *change) int { return cmp.Compare(a.lsn, b.lsn) }, func(e expectation) wrong { return e.lsn }, always},
}

// judgeOrder keeps the newest change of each row by each rule and compares what
// is left with the database: in delivered order, and in shuffled order with a
// third of the changes twice.
func judgeOrder(t *testing.T, c *capture) {
	if !isEnvelope(c.Variant) {
		return
	}
	want := expected[c.String()]
	h := c.history(t)
	c.report.add("order", c, "%d changes\t%d rows", len(h.changes), len(h.truth))
	inOrder, streams := h.streams(c.String())
	for _, r := range rules {
		if r.name == "lsn" && c.DB != "postgres" {
			continue
		}
		delivered := h.newest(inOrder, r)
		got := h.wrong(t, delivered)
		if want := r.want(want); got != want {
			t.Errorf("%s: delivered order leaves %v wrong (missing, extra, different), want %v", r.name, got, want)
		}
		var sum wrong
		for k, stream := range streams {
			end := h.newest(stream, r)
			w := h.wrong(t, end)
			sum.add(w)
			if !r.stable(c.String()) {
				continue
			}
			if w != got {
				t.Errorf("%s: shuffle %d leaves %v wrong, delivered order %v", r.name, k, w, got)
			}
			h.same(t, fmt.Sprintf("%s: shuffle %d", r.name, k), end, delivered)
		}
		c.report.add("order", c, "%s %v shuffled %v", r.name, got, sum)
		c.report.addShuffled(r.name, c, sum)
		if r.name == "rule" && ofPlainTypes(c) {
			h.compareColumns(t, delivered)
		}
	}
}

// ofPlainTypes reports whether the columns of a capture's tables are of types
// that contradicts knows: not where types, large values or odd tables are the
// subject.
func ofPlainTypes(c *capture) bool {
	return !slices.ContainsFunc([]string{"types-", "toast-", "other", "heartbeat-table"},
		func(prefix string) bool { return strings.HasPrefix(c.Name, prefix) })
}

const shuffles = 5

// streams returns all changes in delivered order, and streams of them in random
// order, a third of them twice. The seed is the variant's name.
func (h *history) streams(name string) (inOrder []*change, shuffled [shuffles][]*change) {
	for i := range h.changes {
		inOrder = append(inOrder, &h.changes[i])
	}
	seed := fnv.New64a()
	seed.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed.Sum64(), 1))
	for i := range shuffled {
		stream := slices.Clone(inOrder)
		for _, j := range random.Perm(len(inOrder))[:len(inOrder)/3] {
			stream = append(stream, inOrder[j])
		}
		random.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
		shuffled[i] = stream
	}
	return inOrder, shuffled
}

// newest returns the newest change of each row by a rule; of ties the one that
// arrived later.
func (h *history) newest(stream []*change, r rule) []*change {
	last := make([]*change, len(h.rows))
	for _, one := range stream {
		if held := &last[one.row]; *held == nil || r.compare(one, *held) >= 0 {
			*held = one
		}
	}
	return last
}

// same asserts that each row ends in the same state.
func (h *history) same(t *testing.T, what string, got, want []*change) {
	t.Helper()
	for row := range h.rows {
		if g, w := got[row], want[row]; g.Effect() != w.Effect() || !bytes.Equal(g.After, w.After) {
			t.Errorf("%s ends %.100q with line %d (%v), delivered order with line %d (%v)",
				what, h.rows[row], g.line, g.Version, w.line, w.Version)
		}
	}
}

// wrong compares the rows that the newest changes leave with the database's.
func (h *history) wrong(t *testing.T, newest []*change) (w wrong) {
	t.Helper()
	found := 0
	for row, last := range newest {
		if last.Effect() == envelope.Delete {
			continue
		}
		want, ok := h.truth[h.rows[row]]
		if !ok {
			w.extra++
			continue
		}
		found++
		if last.agrees == nil {
			last.agrees = new(!differs(t, last.After, want))
		}
		if !*last.agrees {
			w.different++
		}
	}
	w.missing = len(h.truth) - found
	return w
}

// compareColumns compares all columns of the rows that the database has too.
func (h *history) compareColumns(t *testing.T, newest []*change) {
	t.Helper()
	compared := 0
	for row, last := range newest {
		want, ok := h.truth[h.rows[row]]
		if !ok || last.Effect() == envelope.Delete {
			continue
		}
		compared++
		if column := contradicts(t, last.After, want); column != "" {
			t.Errorf("line %d, the last of %.100q: column %s is not the database's", last.line, h.rows[row], column)
		}
	}
	if compared == 0 {
		t.Error("no row was compared")
	}
}

// judgeTotals asserts over all variants what single shuffles cannot: how much
// the other rules leave wrong depends on the random generator, but it is more.
func judgeTotals(t *testing.T, r *report) {
	if len(r.shuffled["rule"]) != len(expected) {
		t.Logf("%d of %d variants were judged: no totals", len(r.shuffled["rule"]), len(expected))
		return
	}
	for _, other := range rules[1:] {
		var ours, theirs wrong
		for variant, w := range r.shuffled[other.name] { // lsn is of PostgreSQL alone
			theirs.add(w)
			ours.add(r.shuffled["rule"][variant])
		}
		t.Logf("shuffled, in all: %s %v where the rule leaves %v", other.name, theirs, ours)
		if theirs.sum() <= ours.sum() {
			t.Errorf("%s leaves %v wrong, no more than the rule: %v", other.name, theirs, ours)
		}
	}
	// The changes of one transaction tie by time, or those of one second.
	for _, variant := range []string{"mariadb/concurrent", "mariadb/crash-restart", "mysql/concurrent", "mysql/crash-restart",
		"postgres/concurrent", "postgres/concurrent-2.7.3", "postgres/crash-restart", "postgres/crash-restart-far"} {
		if w := r.shuffled["ts_ns"][variant]; w.sum() == 0 {
			t.Errorf("%s: ts_ns leaves nothing wrong, so nothing was shuffled", variant)
		}
	}
}
