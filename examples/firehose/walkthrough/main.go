// Command walkthrough shows what the transform for Amazon Data Firehose does, without a
// server and without a cloud account:
//
//	go run ./examples/firehose/walkthrough
//
// It takes the change records that Debezium made of a real PostgreSQL database,
// hands them to the transform that Amazon Data Firehose calls, does with the
// answers what Firehose does, and compares the tables that come out with those
// of the database. The exit status is 1 if they differ.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/examples/internal/lake"
	"github.com/rowdelta/rowdelta/route"
)

var (
	orders   = envelope.Table{Schema: "public", Name: "orders"}
	products = envelope.Table{Schema: "public", Name: "products"}
)

// batchSize is how many records come in one event.
const batchSize = 100

func main() {
	data, err := captured.Load()
	if err == nil {
		err = run(os.Stdout, data)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "walkthrough:", err)
		os.Exit(1)
	}
}

// newTransform returns the transform. In AWS Lambda it is started with
// lambda.Start(transform): see examples/firehose.
func newTransform(observe func(*route.Outcome)) *route.Firehose {
	return &route.Firehose{
		// All tables of the schema public go to the database aurora_cdc, under their own names.
		Router: &route.Rules{
			Patterns: []route.Pattern{{Schema: "public", To: route.Destination{Database: "aurora_cdc", Table: "{table}"}}},
		},
		// Of several changes of a row in a batch only the newest is sent: Firehose keeps no order.
		Coalesce: true,
		Keys:     envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}, products: {"product_id"}}),
		Observe:  observe,
		Logger:   slog.New(slog.DiscardHandler), // failures are printed instead
	}
}

// invoke does what Firehose does: it sends a batch of records as an event in
// JSON and reads the response.
func invoke(transform *route.Firehose, batch [][]byte) (response route.Response, err error) {
	event := route.Event{InvocationID: "walkthrough", Region: "us-east-1"}
	for i, value := range batch {
		event.Records = append(event.Records, route.Record{RecordID: fmt.Sprintf("%06d", i), KafkaRecordValue: value})
	}
	request, err := json.Marshal(event)
	if err != nil {
		return response, err
	}
	answer, err := transform.Invoke(context.Background(), request)
	if err != nil {
		return response, err
	}
	return response, json.Unmarshal(answer, &response)
}

// run tells the whole story.
func run(stdout io.Writer, data captured.Data) (err error) {
	w := bufio.NewWriter(stdout) // keeps the first error until Flush
	defer func() { err = errors.Join(err, w.Flush()) }()
	fmt.Fprintf(w, intro, len(data.Orders), batchSize)

	sum := make(summary)
	transform := newTransform(sum.add)
	tables := lake.Lake{Keys: map[string]string{"orders": "order_id", "products": "product_id"}}
	var answers []route.Answer
	for batch := range slices.Chunk(data.Orders, batchSize) {
		response, err := invoke(transform, batch)
		if err != nil {
			return err
		}
		if err := tables.Apply(response); err != nil {
			return err
		}
		answers = append(answers, response.Records...)
	}

	const example = 14 // the first change after the snapshot of 14 rows
	if err := printExample(w, data.Orders[example], answers[example]); err != nil {
		return err
	}
	if err := sum.print(w); err != nil {
		return err
	}
	if err := printUnusual(w, data.Unusual); err != nil {
		return err
	}
	for _, name := range []string{"orders", "products"} {
		fmt.Fprintf(w, "\nTHE LAST OF %d ROWS OF %s\n\n", len(tables.Table(name)), strings.ToUpper(name))
		if err := tables.Table(name).PrintLast(w, 4, "created_at"); err != nil {
			return err
		}
	}

	differences := tables.Compare(data.Truth)
	if len(differences) > 0 {
		fmt.Fprintf(w, "\nThe tables are not what the database has:\n  %s\n", strings.Join(differences, "\n  "))
		return fmt.Errorf("%d differences from the database", len(differences))
	}
	fmt.Fprintf(w, equal, len(data.Truth))
	return nil
}
