package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/lines"
	"github.com/rowdelta/rowdelta/route"
)

// printExample shows one record, the change in it, the answer to Firehose and
// the row in that.
func printExample(w io.Writer, record []byte, answer route.Answer) error {
	var decoder envelope.Debezium
	var change envelope.Change
	if err := decoder.Decode(&change, record); err != nil {
		return err
	}
	reply, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	head, rest, _ := strings.Cut(string(record), `"source":`)
	_, tail, _ := strings.Cut(rest, `"op":`)
	payload := base64.StdEncoding.EncodeToString(answer.KafkaRecordValue)
	committed := time.Unix(0, change.Time).UTC().Format(time.RFC3339Nano)
	fmt.Fprintf(w, "\nONE RECORD AND ITS ANSWER\n\n")
	fmt.Fprintln(w, "  record ", lines.Fold(head+`"source":{…},…,"op":`+tail))
	fmt.Fprintf(w, "  change  %s of %s, committed %s\n", change.Op, change.Table, committed)
	fmt.Fprintln(w, "  answer ", lines.Fold(strings.Replace(string(reply), payload[24:], "…", 1)))
	fmt.Fprintln(w, "  row    ", lines.Fold(strings.TrimSpace(string(answer.KafkaRecordValue))))
	return nil
}

// A summary counts what became of the records of each table.
type summary map[envelope.Table]*counts

type counts struct {
	to      route.Destination
	ops     map[envelope.Op]int
	results map[route.Result]int
	why     map[route.Reason]bool // of what was not sent
}

// add is told of each record by the transform.
func (s summary) add(o *route.Outcome) {
	c := s[o.Table]
	if c == nil {
		c = &counts{o.Destination, make(map[envelope.Op]int), make(map[route.Result]int), make(map[route.Reason]bool)}
		s[o.Table] = c
	}
	c.ops[o.Op]++
	c.results[o.Result]++
	if o.Result != route.Ok {
		c.why[o.Reason] = true
	}
}

func (s summary) print(w io.Writer) error {
	fmt.Fprint(w, all)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  source table\tdestination\tread\tcreate\tupdate\tdelete\tsent\tdrop\tfail\twhy")
	byName := func(a, b envelope.Table) int { return cmp.Compare(a.String(), b.String()) }
	for _, from := range slices.SortedFunc(maps.Keys(s), byName) {
		c := s[from]
		fmt.Fprintf(table, "  %s.%s\t%s.%s\t%4d\t%6d\t%6d\t%6d\t%4d\t%4d\t%4d", from.Schema, from.Name, c.to.Database, c.to.Table,
			c.ops[envelope.OpRead], c.ops[envelope.OpCreate], c.ops[envelope.OpUpdate], c.ops[envelope.OpDelete],
			c.results[route.Ok], c.results[route.Dropped], c.results[route.ProcessingFailed])
		for _, reason := range slices.Sorted(maps.Keys(c.why)) {
			fmt.Fprintf(table, "\t%s", reason)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// printUnusual sends records of the kinds that the stream does not have.
func printUnusual(w io.Writer, records [][]byte) error {
	fmt.Fprint(w, unusual)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  record\tsource table\tanswer\twhy")
	transform := newTransform(func(o *route.Outcome) {
		from := strings.TrimPrefix(o.Table.Schema+"."+o.Table.Name, ".")
		why := o.Reason.String()
		if o.Err != nil {
			why += ": " + strings.TrimPrefix(o.Err.Error(), "route: ")
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", o.Op, from, o.Result, why)
	})
	if _, err := invoke(transform, records); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, failed)
	return err
}
