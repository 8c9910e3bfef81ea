package truth_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An alteration is what a connector made of values on their way. Each is listed, cell
// by cell, and has to be found.
type alteration struct {
	in      []string // variants
	columns string   // tables' columns, separated by spaces
	cells   []string // a row's key and what the record says; or "*", a number of rows and what the records say in these
	cause   string
}

// A ledger holds the alterations that one variant ought to have.
type ledger struct {
	cells   map[string]string // by column and row, what the record says
	columns map[string]column // by column, where most rows are altered
	used    map[string]int
}

type column struct {
	rows int
	says string
}

func newLedger(t *testing.T, variant string) *ledger {
	l := &ledger{map[string]string{}, map[string]column{}, map[string]int{}}
	for _, a := range alterations {
		if a.cause == "" || len(a.cells) == 0 {
			t.Errorf("%s: without a cause, or cells", a.columns)
		}
		if !slices.Contains(a.in, variant) {
			continue
		}
		for name := range strings.FieldsSeq(a.columns) {
			for _, cell := range a.cells {
				row, says, ok := strings.Cut(cell, " ")
				count, whole := strings.CutPrefix(row, "*")
				rows, _ := strconv.Atoi(count)
				_, twice := l.cells[name+" "+row]
				if _, also := l.columns[name]; !ok || whole && (rows == 0 || also) || twice {
					t.Errorf("%s %s: listed twice, or not as it ought to be", name, cell)
				}
				if whole {
					l.columns[name] = column{rows, says}
				} else {
					l.cells[name+" "+row] = says
				}
			}
		}
	}
	return l
}

// has reports whether the connector is known to have made says of a cell.
func (l *ledger) has(table, name, row, says string) bool {
	_, table, _ = strings.Cut(table, ".")
	name = table + "." + name
	if want, ok := l.cells[name+" "+row]; ok {
		l.used[name+" "+row]++
		return matches(want, says)
	}
	if want, ok := l.columns[name]; ok && matches(want.says, says) {
		l.used[name]++
		return true
	}
	return false
}

// matches compares what a record says with a text, or with a pattern after a tilde.
func matches(want, says string) bool {
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(says)
	}
	return want == says
}

// judge: whatever is listed was found.
func (l *ledger) judge(t *testing.T) {
	t.Helper()
	for _, name := range sortedKeys(l.cells) {
		if l.used[name] != 1 {
			t.Errorf("%s is listed as altered, and is not", name)
		}
	}
	for _, name := range sortedKeys(l.columns) {
		if want := l.columns[name].rows; l.used[name] != want {
			t.Errorf("%s is altered in %d rows, not %d", name, l.used[name], want)
		}
	}
}
