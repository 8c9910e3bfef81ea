// Command firehose is a Lambda function for Amazon Data Firehose. It is the
// transform of this pipeline:
//
//	Aurora PostgreSQL ─▶ Debezium, ByLogicalTableRouter ─▶ one MSK topic ─▶ Firehose with this function ─▶ S3 Tables
//
// The README beside it says how to build it, and which settings of the connector
// and of the Firehose stream matter.
package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

func main() {
	handler, err := newHandler(os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "firehose:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

// The source tables, of whichever database, and their primary keys.
var (
	orders   = envelope.Table{Schema: "public", Name: "orders"}
	products = envelope.Table{Schema: "public", Name: "products"}
	keys     = map[envelope.Table][]string{orders: {"order_id"}, products: {"product_id"}}
)

// newHandler returns the function's handler. Its settings are environment
// variables, each with a default:
//
//	DESTINATION_DATABASE     aurora_cdc                     the S3 Tables namespace
//	UNAVAILABLE_PLACEHOLDER  __debezium_unavailable_value   the connector's unavailable.value.placeholder
//	LOG_LEVEL                INFO                           DEBUG, INFO, WARN or ERROR
func newHandler(getenv func(string) string, logs io.Writer) (*route.Firehose, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cmp.Or(getenv("LOG_LEVEL"), "INFO"))); err != nil {
		return nil, fmt.Errorf("LOG_LEVEL: %w", err)
	}
	return &route.Firehose{
		Router: &route.Rules{
			Database: cmp.Or(getenv("DESTINATION_DATABASE"), "aurora_cdc"),
			Tables: map[envelope.Table]route.Destination{
				orders:   {Table: "orders"},
				products: {Table: "products"},
			},
		},
		Keys:        envelope.KeyColumns(keys),
		Coalesce:    true,
		Placeholder: getenv("UNAVAILABLE_PLACEHOLDER"),
		Logger:      slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr})),
	}, nil
}
