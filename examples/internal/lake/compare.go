package lake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
)

// Compare holds the Lake against the rows that the database has, row by row and
// column by column, by the meaning of the values: integers as numbers, decimals
// and texts as text, timestamps in microseconds. It returns one line for each
// difference, sorted; none means equal.
func (l *Lake) Compare(truth []captured.Row) []string {
	var all []string
	expected := make(map[string]bool)
	for _, want := range truth {
		_, table, _ := strings.Cut(want.Table, ".")
		key, err := integer(want.Text(l.Keys[table]))
		if err != nil {
			all = append(all, fmt.Sprintf("%s: a row of the database has no key: %v", table, err))
			continue
		}
		name := fmt.Sprintf("%s %d", table, key)
		if expected[name] {
			all = append(all, name+": twice in the database")
		}
		expected[name] = true
		row, ok := l.tables[table][key]
		if !ok {
			all = append(all, name+": missing")
			continue
		}
		for _, difference := range compare(row, want) {
			all = append(all, name+": "+difference)
		}
	}
	for table, rows := range l.tables {
		for key := range rows {
			if name := fmt.Sprintf("%s %d", table, key); !expected[name] {
				all = append(all, name+": not in the database")
			}
		}
	}
	slices.Sort(all)
	return all
}

func compare(row envelope.Row, want captured.Row) (all []string) {
	columns := 0
	for column, err := range row.Columns() {
		if err != nil {
			return append(all, err.Error())
		}
		columns++
		name := string(column.AppendName(nil))
		if _, ok := want.Columns[name]; !ok {
			all = append(all, "the database has no column "+name)
		} else if text := want.Text(name); !equal(column.Value, text) {
			all = append(all, fmt.Sprintf("%s is %s, in the database %s", name, column.Value, quote(text)))
		}
	}
	if columns != len(want.Columns) {
		all = append(all, fmt.Sprintf("%d columns, in the database %d", columns, len(want.Columns)))
	}
	return all
}

// equal compares a value with the database's text, nil for NULL.
func equal(v envelope.Value, text *string) bool {
	switch v.Kind() {
	case 'n':
		return text == nil
	case '0':
		got, err := v.Int64()
		if err != nil {
			return false
		}
		want, err := integer(text)
		return err == nil && got == want
	case '"':
		return text != nil && string(v.AppendText(nil)) == *text
	default: // the tables have no other types
		return false
	}
}

func integer(text *string) (int64, error) {
	if text == nil {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(*text, 10, 64)
}

func quote(text *string) string {
	if text == nil {
		return "NULL"
	}
	return strconv.Quote(*text)
}
