// Command quickstart shows what rowdelta does, without a server and without a
// cloud account:
//
//	go run ./examples/quickstart [-dir folder]
//
// It writes two streams of change records into Apache Iceberg tables in a folder:
// what Debezium made of a real PostgreSQL database, and what Aurora DSQL would send,
// with rows so large that they come in parts. Records come twice and in the wrong
// order. Then it reads the tables and compares every row and column with what the
// databases have. The exit status is 1 if they differ.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

func main() {
	dir := flag.String("dir", "", "the folder for the tables; run again with the same one, and nothing is written twice (default a new temporary folder)")
	flag.Parse()
	if err := start(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func start(dir string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "rowdelta-"); err != nil {
			return err
		}
	}
	data, err := captured.Load()
	if err != nil {
		return err
	}
	stream, err := generator.Stream()
	if err != nil {
		return err
	}
	return run(context.Background(), os.Stdout, dir, data, stream)
}

// options say how the tables are written.
var options = committer.Options{
	// DuckDB and pyiceberg read deletion vectors. Equality deletes, the default, are
	// cheaper to write, but pyiceberg does not read them.
	Deletes: committer.DeletionVectors,

	// Positions are numbers of records, written such that they compare as text. What a
	// table has already is left out.
	Compare: strings.Compare,
}

// run tells the whole story.
func run(ctx context.Context, stdout io.Writer, dir string, data captured.Data, stream *dsqltest.Stream) (err error) {
	w := bufio.NewWriter(stdout) // keeps the first error until Flush
	defer func() { err = errors.Join(err, w.Flush()) }()
	tables, err := committer.Local(dir, options) // a catalog in SQLite, and files beside it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tables.Close()) }()

	// Debezium's records, as they come from a topic after retries, into two tables.
	records := deliver(data.Orders)
	fmt.Fprintf(w, intro, len(data.Orders), len(records), batchSize)
	if err := printExample(w, records[afterSnapshot]); err != nil {
		return err
	}
	p := newPipeline(tables)
	last, err := writeRecords(ctx, p, records, 0)
	if err != nil {
		return err
	}
	fmt.Fprint(w, all)
	if err := p.counts.print(w); err != nil {
		return err
	}
	if err := printSnapshots(ctx, w, tables); err != nil {
		return err
	}
	if err := writeAgain(ctx, w, tables, records, last); err != nil {
		return err
	}
	if err := printTables(ctx, w, tables); err != nil {
		return err
	}

	// Aurora DSQL's records into a third table.
	p = newPipeline(tables)
	seen, err := writeDocuments(ctx, p, stream)
	if err != nil {
		return err
	}
	if err := printDocuments(ctx, w, tables, p, seen); err != nil {
		return err
	}

	// What do the tables hold?
	documents, err := truthOf(stream)
	if err != nil {
		return err
	}
	truth := slices.Concat(data.Truth, documents)
	differences, err := compare(ctx, tables, truth)
	if err != nil {
		return err
	}
	if len(differences) > 0 {
		fmt.Fprintf(w, "\nThe tables are not what the databases have:\n  %s\n", strings.Join(differences, "\n  "))
		return fmt.Errorf("%d differences from the databases", len(differences))
	}
	fmt.Fprintf(w, equal, len(truth))
	return printPlaces(ctx, w, dir, tables)
}

// writeAgain writes the last batch as a program does that was killed before it had noted
// that the batch was written.
func writeAgain(ctx context.Context, w io.Writer, tables *committer.Committer, records [][]byte, last int) error {
	before, err := tables.Info(ctx, orders)
	if err != nil {
		return err
	}
	if _, err := writeRecords(ctx, newPipeline(tables), records[last:], last); err != nil {
		return err
	}
	after, err := tables.Info(ctx, orders)
	if err != nil {
		return err
	}
	has, err := tables.Position(ctx, orders)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, again, len(records)-last, has, len(before.Snapshots), len(after.Snapshots))
	return nil
}
