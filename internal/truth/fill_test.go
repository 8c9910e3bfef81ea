package truth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// A filling counts columns of final changes that came with the placeholder.
type filling struct {
	filled  int // from what the batch holds
	lacking int // not filled, so that the sink has to
	unknown int // not known at the end to the sink either
}

// judgeFill: in delivered order, however the batches are cut and whatever fails, a
// column that came with the placeholder ends with the value that the row really
// has, or is known to be unknown. In one batch every column is known.
func judgeFill(t *testing.T, c *capture) {
	if !c.decodable() {
		return
	}
	f, end, p := c.feed(t), c.end(t), c.placeholder()
	want, after := f.fold(t, p)
	lacks := make([]bool, len(f.rows))
	for row := range f.rows {
		lacks[row] = placeholders(p, end[row].after) > 0
		if (want[row] == nil) != (end[row].after == nil) {
			t.Errorf("row %.100q: is it there? the fold says %v", f.rows[row], want[row] != nil)
		}
	}
	var d delivery
	d.inOrder(f)
	l := newPipeline(f, c.randomOf(3), p)
	l.sink.merges = true
	l.after = after
	var got [4]filling
	for i, size := range [...]cut{whole, of(100), of(1), f.pairs} {
		l.clear()
		l.run(t, &d, size)
		unknown, faults := l.known(t, end, want, lacks)
		got[i] = filling{l.filled, l.lacking, unknown}
		if len(faults) > 0 {
			t.Errorf("cut %d: %v", i, faults)
		}
		if i == 0 {
			c.judgeRows(t, l.sink.rows, lacks)
		}
	}
	if expected := fillings[c.String()]; [3]filling(got[:3]) != expected {
		t.Errorf("columns (filled, lacking, unknown) %v, want %v", got[:3], expected)
	}
	if got[0].unknown > 0 || got[3].unknown > 0 {
		t.Errorf("columns are unknown though both halves of each changed key came together: %v", got)
	}
	c.report.add("columns that are not there", c, "one batch %v\tof 100 %v\tof 1 %v\tpairs %v", got[0], got[1], got[2], got[3])

	otherwise, failures, unknown := 0, 0, 0
	runs := f.runs(20, 40)
	switch {
	case len(f.all) < 100: // few batches, and so few failures
		runs = 200
	case strings.HasPrefix(c.Name, "crash-restart"): // batches have to end among the repeats
		runs = f.runs(100, 100)
	}
	for k := range runs {
		l.clear()
		l.faults, l.saves = k%4 != 0, k%4 == 1
		l.run(t, &d, l.upTo(sizes[k%len(sizes)]))
		n, faults := l.known(t, end, want, lacks)
		unknown += n
		failures += l.failures
		if len(faults) > 0 {
			otherwise++
			if !outOfStep[c.String()] {
				t.Errorf("run %d, after %d failures: %v", k, l.failures, faults)
			}
		}
	}
	if outOfStep[c.String()] != (otherwise > 0) {
		t.Errorf("%d of %d runs end otherwise", otherwise, runs)
	}
	c.report.add("columns that are not there", c, "%d runs\t%d failures and crashes\tunknown %d\tend otherwise %d", runs, failures, unknown, otherwise)
}

// pairs cuts batches of one change, but leaves the delete and the create of a
// changed key together, and the tombstone between them.
func (f *feed) pairs(pos int) int {
	id := created(f.id[pos])
	for n := 1; n < 3 && pos+n < len(f.all) && f.all[pos].Op == envelope.OpDelete; n++ {
		if f.id[pos+n] == id {
			return n + 1
		}
	}
	return 1
}

// outOfStep are streams that do not outlive a crash. Their deletes are nulls,
// which have no version: delivered again they are applied again, and what came
// behind them is then a repeat.
var outOfStep = map[string]bool{
	"postgres/unwrap-tombstone":           true,
	"postgres/unwrap-delete-to-tombstone": true,
}

// known compares the sink's rows with those of a fold, and says of how many
// columns the sink knows that it does not know them. What it had in between counts
// too. lacks tells in which rows the
// newest change does not have all columns.
func (l *pipeline) known(t *testing.T, end []held, want []object, lacks []bool) (unknown int, faults []string) {
	t.Helper()
	faults = l.wrong
	for row, got := range l.sink.rows {
		name := fmt.Sprintf("row %.100q", l.sink.feed.rows[row])
		switch {
		case (got.after == nil) != (want[row] == nil):
			faults = append(faults, fmt.Sprintf("%s is there: %v", name, got.after != nil))
		case got.after == nil:
		case !lacks[row]:
			if !bytes.Equal(got.after, end[row].after) {
				faults = append(faults, fmt.Sprintf("%s is of %v", name, got.version))
			}
		default:
			columns, lacking := unlike(l.sink.placeholder, got.after, want[row])
			unknown += lacking
			if len(columns) > 0 {
				faults = append(faults, fmt.Sprintf("%s, columns %v", name, columns))
			}
		}
	}
	return unknown, faults
}

// judgeRows compares rows whose columns were filled with the database's.
func (c *capture) judgeRows(t *testing.T, rows []held, lacks []bool) {
	t.Helper()
	f := c.fed
	if ofPlainTypes(c) {
		for row, got := range rows {
			want, ok := f.truth[f.rows[row]]
			if !lacks[row] || got.after == nil || !ok {
				continue
			}
			if column := contradicts(t, got.after, want); column != "" {
				t.Errorf("row %.100q: column %s is not the database's", f.rows[row], column)
			}
		}
	}
	if want, ok := largeValues[c.String()]; ok {
		if got := c.large(t, rows); got != want {
			t.Errorf("large values (compared, without a sign, wrong) %v, want %v", got, want)
		}
	}
}

// A large counts columns of large values.
type large struct {
	compared int
	unsigned int // null, where the connector has no form of the placeholder for the type
	wrong    int // what the database has looks like the placeholder, and so was filled
}

// large compares the tables lean and whole, which the database has with the same
// rows. The connector had the large values of lean only where they changed, and
// always had those of whole.
func (c *capture) large(t *testing.T, rows []held) (count large) {
	t.Helper()
	byKey := map[string]envelope.Row{}
	for row, got := range rows {
		if got.after != nil {
			byKey[c.fed.rows[row]] = got.after
		}
	}
	for key, after := range byKey {
		id, ok := strings.CutPrefix(key, rowText("public.lean", []string{""}))
		if !ok {
			continue
		}
		complete := rowText("public.whole", []string{id})
		lean, whole := columnsOf(t, after), columnsOf(t, byKey[complete])
		for name, text := range c.fed.truth[key].Row {
			other := c.fed.truth[complete].Row[name]
			if (text == nil) != (other == nil) || text != nil && *text != *other {
				continue
			}
			count.compared++
			switch {
			case text != nil && notNull(lean[name]) == nil:
				count.unsigned++
			case string(lean[name]) != string(whole[name]):
				count.wrong++
			case name == "txt" && text != nil: // a text is in the record as it is in the database
				for _, raw := range []json.RawMessage{lean[name], whole[name]} {
					if string(raw) != `"`+*text+`"` {
						count.wrong++
					}
				}
			}
		}
	}
	return count
}
