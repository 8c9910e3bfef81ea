package truth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// deliveries returns the changes of each row in delivered order, with a rank:
// that of the change among the row's different ones. Repeats have the rank of
// what they repeat. What makes two deliveries one change is the same operation
// and the same source block, byte for byte.
func (h *history) deliveries() (rows [][]*change, ranks [][]int) {
	rows, ranks = make([][]*change, len(h.rows)), make([][]int, len(h.rows))
	known := make([]map[string]int, len(h.rows))
	for i := range h.changes {
		one := &h.changes[i]
		if known[one.row] == nil {
			known[one.row] = map[string]int{}
		}
		id := one.Op.String() + one.source
		rank, again := known[one.row][id]
		if !again {
			rank = len(known[one.row])
			known[one.row][id] = rank
		}
		rows[one.row], ranks[one.row] = append(rows[one.row], one), append(ranks[one.row], rank)
	}
	return rows, ranks
}

// judgeLog: Compare is a total order of each row's changes, the one in which
// they were first delivered, and it says so of every delivery of each. All pairs
// are compared, so that no circle can hide behind neighbours in order. It holds
// across failovers too, and without the connector's clock within one log.
func judgeLog(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	rows, ranks := c.history(t).deliveries()
	pairs, blind := 0, 0
	for row, changes := range rows {
		for j, b := range changes {
			for i, a := range changes[:j] {
				older, newer := a, b
				switch {
				case ranks[row][i] == ranks[row][j]:
					continue
				case ranks[row][i] > ranks[row][j]: // a repeat of what came before a
					older, newer = b, a
				}
				pairs++
				if x, y := older.Version.Compare(newer.Version), newer.Version.Compare(older.Version); x != -1 || y != 1 {
					t.Errorf("line %d (%v) compares as %d with line %d (%v), and that as %d",
						older.line, older.Version, x, newer.line, newer.Version, y)
				}
				x, y := older.blind.Compare(newer.blind), newer.blind.Compare(older.blind)
				if x != -y {
					t.Errorf("without the clock line %d compares as %d with line %d, and that as %d", older.line, x, newer.line, y)
				}
				if x >= 0 {
					blind++
				}
			}
		}
	}
	c.report.add("log", c, "%d pairs\tblind contradicts %d", pairs, blind)
	if (blind > 0) != blindContradicts[c.String()] {
		t.Errorf("without the clock %d pairs are not in delivered order, expected some: %v", blind, blindContradicts[c.String()])
	}
}

// judgeHalves: a changed key comes as the delete of the old one and the create of
// the new, with one source block. To a consumer that knows the row by another
// column both are changes of one row: the delete is older, and neither repeats
// the other.
func judgeHalves(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	changes := c.history(t).changes
	halves := 0
	for i := 1; i < len(changes); i++ {
		d, made := &changes[i-1], &changes[i]
		if d.Op != envelope.OpDelete || made.Op != envelope.OpCreate || d.source != made.source {
			continue
		}
		halves++
		for _, v := range [][2]envelope.Version{{d.Version, made.Version}, {d.blind, made.blind}, {d.byTime, made.byTime}} {
			if x, y := v[0].Compare(v[1]), v[1].Compare(v[0]); x != -1 || y != 1 || v[0].Repeats(v[1]) || v[1].Repeats(v[0]) {
				t.Errorf("lines %d and %d, two halves: they compare as %d and %d, or repeat each other (%v, %v)",
					d.line, made.line, x, y, v[0], v[1])
			}
		}
	}
	c.report.add("log", c, "%d changed keys", halves)
}

// judgeRepeats: Repeats is true between two deliveries of one change and never
// between two changes of a row, with the connector's clock and without it.
func judgeRepeats(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	rows, ranks := c.history(t).deliveries()
	naive, found := 0, 0
	for row, changes := range rows {
		for j, b := range changes {
			if slices.Contains(ranks[row][:j], ranks[row][j]) {
				naive++
			}
			repeats := false
			for i, a := range changes[:j] {
				want := ranks[row][i] == ranks[row][j]
				for _, got := range []bool{a.Version.Repeats(b.Version), b.Version.Repeats(a.Version),
					a.blind.Repeats(b.blind), a.byTime.Repeats(b.byTime)} {
					if got != want {
						t.Errorf("line %d (%v) repeats line %d (%v): %v, want %v", b.line, b.Version, a.line, a.Version, got, want)
					}
					repeats = repeats || got
				}
				if want && a.Version != b.Version && a.Version.Compare(b.Version) != -1 {
					t.Errorf("line %d repeats line %d and was handled later, but does not compare so", b.line, a.line)
				}
			}
			if repeats {
				found++
			}
		}
	}
	c.report.add("repeats", c, "%d repeated records", found)
	if found != naive {
		t.Errorf("%d repeated records, want %d", found, naive)
	}
	if strings.HasPrefix(c.Name, "crash-restart") && naive == 0 {
		t.Error("a capture of restarts without a repeated record")
	}
}

// judgeBinary: a version survives its 32 bytes.
func judgeBinary(t *testing.T, c *capture) {
	if !c.placed() {
		return
	}
	resolution := time.Nanosecond
	if c.DB != "postgres" {
		resolution = time.Millisecond
	}
	var before, beforeAgain envelope.Version
	for i := range c.history(t).changes {
		one := &c.read.changes[i]
		if at := one.Version.Time(); !at.Equal(time.Unix(0, one.Time).Truncate(resolution)) {
			t.Errorf("line %d: the version's time is %v, the change's %v", one.line, at, time.Unix(0, one.Time).UTC())
		}
		for _, v := range []envelope.Version{one.blind, one.byTime, one.Version} {
			if v.IsZero() {
				t.Errorf("line %d: a version that knows nothing", one.line)
			}
			b, err := v.AppendBinary([]byte("before"))
			if err != nil || len(b) != len("before")+32 || string(b[:len("before")]) != "before" {
				t.Fatalf("line %d: AppendBinary gives %q, %v", one.line, b, err)
			}
			b = b[len("before"):]
			var again envelope.Version
			if err := again.UnmarshalBinary(b); err != nil || again != v {
				t.Errorf("line %d: %v comes back as %v, %v", one.line, v, again, err)
			}
			if err := again.UnmarshalBinary(b[:31]); err == nil || again != v {
				t.Errorf("line %d: 31 bytes give %v, %v", one.line, again, err)
			}
			if v != one.Version || i == 0 {
				continue
			}
			if x, y := before.Compare(v), beforeAgain.Compare(again); x != y {
				t.Errorf("line %d: compares with the one before as %d, and as %d after its bytes", one.line, x, y)
			}
		}
		before, beforeAgain = one.Version, reread(t, one.Version)
	}
}

func reread(t *testing.T, v envelope.Version) (again envelope.Version) {
	t.Helper()
	b, err := v.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return again
}
