package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/lines"
)

func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// printExample shows one record and the change in it.
func printExample(w io.Writer, record []byte) error {
	var decoder envelope.Debezium
	var change envelope.Change
	if err := decoder.Decode(&change, record); err != nil {
		return err
	}
	head, rest, _ := strings.Cut(string(record), `"source":`)
	_, tail, _ := strings.Cut(rest, `"op":`)
	committed := time.Unix(0, change.Time).UTC().Format(time.RFC3339Nano)
	fmt.Fprintf(w, "\nONE RECORD AND ITS CHANGE\n\n")
	fmt.Fprintln(w, "  record ", lines.Fold(head+`"source":{…},…,"op":`+tail))
	fmt.Fprintf(w, "  change  %s of %s, committed %s\n", change.Op, change.Table, committed)
	fmt.Fprintln(w, "  row    ", lines.Fold(string(change.After)))
	return nil
}

// counts tell what became of the changes of each table.
type counts map[envelope.Table]*count

type count struct {
	ops      map[envelope.Op]int
	verdicts map[dedupe.Verdict]int
}

func (all counts) add(c *envelope.Change, v dedupe.Verdict) {
	n := all[c.Table]
	if n == nil {
		n = &count{make(map[envelope.Op]int), make(map[dedupe.Verdict]int)}
		all[c.Table] = n
	}
	n.ops[c.Op]++
	n.verdicts[v]++
}

func (all counts) print(w io.Writer) error {
	out := newTable(w)
	fmt.Fprintln(out, "  source table\tread\tcreate\tupdate\tdelete\tnewer\trepeat\tstale")
	byName := func(a, b envelope.Table) int { return cmp.Compare(a.String(), b.String()) }
	for _, table := range slices.SortedFunc(maps.Keys(all), byName) {
		n := all[table]
		fmt.Fprintf(out, "  %s\t%4d\t%6d\t%6d\t%6d\t%5d\t%6d\t%5d\n", table,
			n.ops[envelope.OpRead], n.ops[envelope.OpCreate], n.ops[envelope.OpUpdate], n.ops[envelope.OpDelete],
			n.verdicts[dedupe.Newer], n.verdicts[dedupe.Repeat], n.verdicts[dedupe.Stale])
	}
	return out.Flush()
}
