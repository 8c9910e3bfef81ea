package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// compare holds the tables against the rows that the databases have, row by row and
// column by column. It returns one line for each difference; none means equal.
func compare(ctx context.Context, tables *committer.Committer, truth []captured.Row) (all []string, err error) {
	rowsOf := make(map[string][]captured.Row)
	for _, want := range truth {
		rowsOf[want.Table] = append(rowsOf[want.Table], want)
	}
	for _, table := range []envelope.Table{orders, products, documents} {
		schema, rows, err := read(ctx, tables, table, 0)
		if err != nil {
			return nil, err
		}
		wanted := make(map[string]captured.Row)
		for _, want := range rowsOf[table.String()] {
			key := want.Columns[schema.Key[0]]
			if key == nil {
				all = append(all, table.Name+": a row of the database has no key")
				continue
			}
			if _, ok := wanted[*key]; ok {
				all = append(all, fmt.Sprintf("%s %q: twice in the database", table.Name, *key))
			}
			wanted[*key] = want
		}
		found := make(map[string]bool)
		for _, row := range rows {
			key := *row[schema.Index(schema.Key[0])]
			name := fmt.Sprintf("%s %q", table.Name, key)
			want, ok := wanted[key]
			switch {
			case found[key]:
				all = append(all, name+": twice")
			case !ok:
				all = append(all, name+": not in the database")
			default:
				for _, difference := range row.compare(schema, want) {
					all = append(all, name+": "+difference)
				}
			}
			found[key] = true
		}
		for key := range wanted {
			if !found[key] {
				all = append(all, fmt.Sprintf("%s %q: missing", table.Name, key))
			}
		}
		delete(rowsOf, table.String())
	}
	for table := range rowsOf {
		all = append(all, table+": no such table")
	}
	slices.Sort(all)
	return all, nil
}

func (r row) compare(schema *iceberg.Schema, want captured.Row) (all []string) {
	for i, c := range schema.Columns {
		text, ok := want.Columns[c.Name]
		switch {
		case !ok:
			all = append(all, "the database has no column "+c.Name)
		case (text == nil) != (r[i] == nil), text != nil && *text != *r[i]:
			all = append(all, fmt.Sprintf("%s is %s, in the database %s", c.Name, quote(r[i]), quote(text)))
		}
	}
	if len(schema.Columns) != len(want.Columns) {
		all = append(all, fmt.Sprintf("%d columns, in the database %d", len(schema.Columns), len(want.Columns)))
	}
	return all
}

// quote returns the beginning of a text.
func quote(text *string) string {
	switch {
	case text == nil:
		return "NULL"
	case len(*text) > 60:
		return fmt.Sprintf("%q… (%d bytes)", (*text)[:60], len(*text))
	}
	return strconv.Quote(*text)
}
