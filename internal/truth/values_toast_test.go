package truth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// The columns of lean and whole that the statements change one after the other, in
// their order. All hold large values, which PostgreSQL keeps apart and does not log
// where an update leaves them as they are.
var toastColumns = strings.Fields("txt vc ch ci js jb xm by ta va ja ba i2a ia la da tsa na fa boa ua h nu bi tv ge lt po")

// A statement of the workload, as far as its records go.
type statement struct {
	op      envelope.Op
	row     string
	changed []string
}

// toastStatements returns what makes the records of one of the tables, in order. Its
// deletes have tombstones behind them, which are not listed.
func toastStatements(table string) (all []statement) {
	all = []statement{{envelope.OpRead, "50", nil}, {envelope.OpCreate, "1", nil}, {envelope.OpCreate, "2", nil}, {envelope.OpCreate, "3", nil},
		{envelope.OpUpdate, "1", []string{"v"}}, {envelope.OpUpdate, "3", []string{"v"}}, {envelope.OpUpdate, "50", []string{"v"}}}
	for _, name := range toastColumns {
		all = append(all, statement{envelope.OpUpdate, "1", []string{name}})
	}
	if table == "public.lean" {
		for _, name := range toastColumns {
			all = append(all, statement{envelope.OpUpdate, "2", []string{name}}) // to NULL
		}
	}
	return append(all, []statement{{envelope.OpUpdate, "50", []string{"v"}}, {envelope.OpUpdate, "50", []string{"v", "txt"}}, {envelope.OpUpdate, "50", []string{"v"}},
		{envelope.OpDelete, "50", nil}, {envelope.OpCreate, "60", nil}, {envelope.OpUpdate, "3", []string{"txt"}}, {envelope.OpDelete, "1", nil}}...)
}

// signless says of which columns the placeholder has no form in a variant: they are
// null where they are unavailable.
func signless(name string) []string {
	columns := strings.Fields("i2a tsa na fa boa nu bi ge")
	switch name {
	case "toast-base64", "toast-base64url":
		return append(columns, "by", "ba")
	case "toast-hex":
		return append(columns, "ba")
	}
	return columns
}

// states are those of the columns that a record ought to have, by the statements
// alone: no record says what is behind a placeholder.
type states map[string]envelope.State

// A size says where PostgreSQL has a value.
type size uint8

const (
	isNull  size = iota
	isSmall      // in the row
	isLarge      // apart
)

// A toastRow is what the database has in a row's columns.
type toastRow map[string]size

// TestToastStates: each image of lean and whole has the states that the statements
// leave, of the default replica identity and of FULL.
func TestToastStates(t *testing.T) {
	variants, err := truth.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, v := range variants {
		if !strings.HasPrefix(v.Name, "toast-") {
			continue
		}
		seen++
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			judgeToast(t, newReading(t, v))
		})
	}
	if seen != 8 {
		t.Errorf("%d variants, want 8", seen)
	}
}

func judgeToast(t *testing.T, r *reading) {
	var got, want [4]int // by state
	for _, table := range []string{"public.lean", "public.whole"} {
		rest := toastStatements(table)
		rows := map[string]toastRow{}
		for i := range r.changes {
			change := &r.changes[i]
			if tableName(change.Table) != table || change.Op == envelope.OpTombstone {
				continue
			}
			key := r.key(t, i)[0]
			if len(rest) == 0 || rest[0].op != change.Op || rest[0].row != key {
				t.Fatalf("line %d: %v of row %s is not what the statements make", i+1, change.Op, key)
			}
			before, after := r.expect(table, rest[0], rows)
			rest = rest[1:]
			r.judgeStates(t, i, "before", change.Before, before, &got)
			r.judgeStates(t, i, "after", change.After, after, &got)
			for _, image := range []states{before, after} {
				for _, state := range image {
					want[state]++
				}
			}
		}
		if len(rest) != 0 {
			t.Errorf("%s: %d statements have no record", table, len(rest))
		}
	}
	if got != want || got != toastCounts[r.Name] {
		t.Errorf("columns missing, null, unavailable, set: %v, the statements make %v, listed are %v", got, want, toastCounts[r.Name])
	}
}

// expect runs a statement and returns the states in its record's images, nil for none.
func (r *reading) expect(table string, s statement, rows map[string]toastRow) (before, after states) {
	full := table == "public.whole"
	old := rows[s.row]
	row := toastRow{}
	switch s.op {
	case envelope.OpDelete:
		rows["moved"] = old
		delete(rows, s.row)
		if full {
			return r.stated(old, nil, true), nil
		}
		before = states{}
		for name := range old { // the columns that are NOT NULL have invented values
			before[name] = envelope.Null
			if slices.Contains([]string{"id", "v", "must"}, name) {
				before[name] = envelope.Set
			}
		}
		r.leaveOut(before)
		return before, nil
	case envelope.OpCreate, envelope.OpRead:
		if row = rows["moved"]; s.row != "60" {
			row = toastRow{"id": isSmall, "v": isSmall, "must": isLarge}
			for _, name := range toastColumns {
				row[name] = isLarge
				if s.row == "3" {
					row[name] = isNull
				}
			}
			if s.row == "3" {
				row["txt"], row["must"] = isSmall, isSmall
			}
		}
		rows[s.row] = row
		return nil, r.stated(row, nil, full || s.row != "60")
	}
	for name, size := range old {
		row[name] = size
	}
	for _, name := range s.changed {
		switch {
		case s.row == "2":
			row[name] = isNull
		case s.row == "50" && name == "txt", s.row == "3":
			row[name] = isSmall
		}
	}
	rows[s.row] = row
	if after = r.stated(row, s.changed, full); s.row == "3" && s.changed[0] == "txt" && !strings.Contains(r.Name, "placeholder") {
		after["txt"] = envelope.Unavailable // its new value is the placeholder's text
	}
	if full {
		before = r.stated(old, nil, true)
	}
	return before, after
}

// stated returns the states of a row's columns. complete says that the connector has
// all values, not just the changed ones and those that are small.
func (r *reading) stated(row toastRow, changed []string, complete bool) states {
	all := states{}
	for name, size := range row {
		switch {
		case size == isNull:
			all[name] = envelope.Null
		case size == isSmall, complete, slices.Contains(changed, name):
			all[name] = envelope.Set
		case slices.Contains(signless(r.Name), name):
			all[name] = envelope.Null
		default:
			all[name] = envelope.Unavailable
		}
	}
	r.leaveOut(all)
	return all
}

// leaveOut takes away what the connector does not capture.
func (r *reading) leaveOut(all states) {
	delete(all, "po")
	if r.Name == "toast-2.7.3" {
		all["tv"] = envelope.Missing // in the schema, which is of a later version
	}
}

func (r *reading) judgeStates(t *testing.T, i int, name string, image envelope.Row, want states, got *[4]int) {
	t.Helper()
	if (image == nil) != (want == nil) {
		t.Errorf("line %d: there is an image %s: %v", i+1, name, image != nil)
	}
	if image == nil {
		return
	}
	schema := r.schemas[i]
	if err := r.reader.Read(schema, image); err != nil {
		t.Errorf("line %d: %s: %v", i+1, name, err)
		return
	}
	if r.reader.Len() != len(want) {
		t.Errorf("line %d: %s has %d columns, want %d", i+1, name, r.reader.Len(), len(want))
	}
	for k := range schema.Fields {
		column := schema.Fields[k].Name
		d := r.reader.Datum(k)
		got[d.State()]++
		if expected, ok := want[column]; !ok || d.State() != expected {
			t.Errorf("line %d: %s: %s is %v, want %v", i+1, name, column, d.State(), expected)
		}
		if d.State() != envelope.Set && (d.AppendText(nil) != nil || d.Reference() != nil || d.IsSet()) {
			t.Errorf("line %d: %s: %s is %v and has a value", i+1, name, column, d.State())
		}
	}
}

// toastCounts are the columns of all images: missing, null, unavailable, set.
var toastCounts = map[string][4]int{
	"toast-2.7.3":            {147, 1069, 830, 2364},
	"toast-base64":           {0, 1167, 803, 2440},
	"toast-base64url":        {0, 1167, 803, 2440},
	"toast-bytes":            {0, 1083, 887, 2440},
	"toast-bytes-bare":       {0, 1083, 887, 2440},
	"toast-hex":              {0, 1127, 843, 2440},
	"toast-placeholder-hex":  {0, 1083, 885, 2442},
	"toast-placeholder-text": {0, 1083, 885, 2442},
}
