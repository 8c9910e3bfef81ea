// Command recover is a Lambda function that recovers what another one never got
// of the change stream of an Aurora DSQL cluster:
//
//	stream ─▶ event source mapping ─▶ the stream's function ──▶ sink
//	  │                │                         ╲               ▲
//	  │         on-failure destination     s3fragments.Store     │
//	  │                ▼                         ╱               │
//	  └──────────────▶ queue, redrive ─▶ this function ──────────┘
//
// Records of more than some 4.5 MiB reach no function, and what keeps failing is
// given up. What is left of them is a document in a queue that says where in the
// stream they are. This function reads them from there.
//
//	main.go     settings
//	handler.go  the documents of an event, one after the other
//	read.go     reads a shard from a sequence number on
//	sink.go     one line for each change
//
// The README beside it says how to configure the mapping, the queue and the
// bucket.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
)

func main() {
	h, err := newHandler(context.Background(), os.Getenv, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "recover:", err)
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

// newHandler returns the function's handler. Its settings are environment
// variables, besides those of the SDK:
//
//	FRAGMENTS_BUCKET               the bucket that the stream's function keeps fragments in
//	FRAGMENTS_PREFIX  fragments/   how their names begin there
//	LOG_LEVEL         INFO         DEBUG, INFO, WARN or ERROR
func newHandler(ctx context.Context, getenv func(string) string, changes, logs io.Writer) (*handler, error) {
	bucket := getenv("FRAGMENTS_BUCKET")
	if bucket == "" {
		return nil, errors.New("FRAGMENTS_BUCKET is missing")
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cmp.Or(getenv("LOG_LEVEL"), "INFO"))); err != nil {
		return nil, fmt.Errorf("LOG_LEVEL: %w", err)
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr}))
	return &handler{
		reader: reader{api: kinesis.NewFromConfig(c), log: log},
		store:  &s3fragments.Store{Client: s3.NewFromConfig(c), Bucket: bucket, Prefix: cmp.Or(getenv("FRAGMENTS_PREFIX"), "fragments/")},
		sink:   lines{changes},
		log:    log,
	}, nil
}
