package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// printSnapshots shows the snapshots of orders.
func printSnapshots(ctx context.Context, w io.Writer, tables *committer.Committer) error {
	info, err := tables.Info(ctx, orders)
	if err != nil {
		return err
	}
	fmt.Fprint(w, snapshots)
	out := newTable(w)
	fmt.Fprintln(out, "  snapshot\ttime (UTC)\toperation\trows written\trows deleted\tposition")
	for _, s := range info.Snapshots {
		// A file's new deletion vector replaces the one before, with all that it had.
		deleted := number(s, "added-position-deletes") - number(s, "removed-position-deletes")
		fmt.Fprintf(out, "  %-19d\t%s\t%s\t%12d\t%12d\t%s\n", s.ID, s.Time.UTC().Format("15:04:05.000"), s.Operation,
			number(s, "added-records"), deleted, s.Summary["rowdelta.position"])
	}
	return out.Flush()
}

// number returns a number that the writer of a snapshot tells, 0 if it does not.
func number(s committer.Snapshot, name string) int {
	n, err := strconv.Atoi(s.Summary[name])
	if err != nil {
		return 0
	}
	return n
}

// printTables shows orders as they were, and the last rows of both tables as they are.
func printTables(ctx context.Context, w io.Writer, tables *committer.Committer) error {
	info, err := tables.Info(ctx, orders)
	if err != nil {
		return err
	}
	first := info.Snapshots[0]
	fmt.Fprintf(w, travel, first.ID)
	if _, err := printLast(ctx, w, tables, orders, first.ID, 7); err != nil {
		return err
	}
	for _, table := range []envelope.Table{orders, products} {
		var last strings.Builder
		n, err := printLast(ctx, &last, tables, table, 0, 4)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\nTHE LAST OF %d ROWS OF %s\n\n%s", n, strings.ToUpper(table.Name), &last)
	}
	return nil
}

// printLast shows the last n rows of a snapshot by their key and returns how many rows
// there are.
func printLast(ctx context.Context, w io.Writer, tables *committer.Committer, table envelope.Table, snapshot int64, n int) (int, error) {
	schema, rows, err := read(ctx, tables, table, snapshot)
	if err != nil {
		return 0, err
	}
	out := newTable(w)
	printRow := func(cell func(column int) string) {
		var cells []string
		for i, c := range schema.Columns {
			if c.Name != "created_at" { // the lines would be too long
				cells = append(cells, cell(i))
			}
		}
		fmt.Fprintln(out, "  "+strings.Join(cells, "\t"))
	}
	printRow(func(i int) string { return schema.Columns[i].Name })
	for _, row := range rows[max(0, len(rows)-n):] {
		printRow(func(i int) string {
			if row[i] == nil {
				return "NULL"
			}
			return *row[i]
		})
	}
	return len(rows), out.Flush()
}

// printDocuments tells what came of DSQL's stream. The values are not for the eye.
func printDocuments(ctx context.Context, w io.Writer, tables *committer.Committer, p *pipeline, n seen) error {
	fmt.Fprintf(w, fragments, generator.FragmentBytes, generator.SplitAt, n.records, n.shards, n.whole, n.parts, n.joined, n.others)
	if err := p.counts.print(w); err != nil {
		return err
	}
	schema, rows, err := read(ctx, tables, documents, 0)
	if err != nil {
		return err
	}
	body := schema.Index("body")
	var large []int
	for _, row := range rows {
		if row[body] != nil && len(*row[body]) > generator.SplitAt {
			large = append(large, len(*row[body]))
		}
	}
	if len(large) == 0 {
		return fmt.Errorf("none of %d documents is large", len(rows))
	}
	fmt.Fprintf(w, bodies, len(rows), len(large), slices.Min(large), slices.Max(large))
	return nil
}

// printPlaces tells where the tables are.
func printPlaces(ctx context.Context, w io.Writer, dir string, tables *committer.Committer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, places, dir)
	out := newTable(w)
	for _, table := range []envelope.Table{orders, products, documents} {
		info, err := tables.Info(ctx, table)
		if err != nil {
			return err
		}
		place, err := url.Parse(info.Metadata) // file:///…
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s.%s\t%s\n", info.Namespace, info.Name, filepath.FromSlash(place.Path))
	}
	return out.Flush()
}
