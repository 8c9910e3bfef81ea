// Command kinesis consumes the change stream of an Aurora DSQL cluster from
// Kinesis Data Streams and keeps the newest state of each row:
//
//	shards ─▶ reader ─┐
//	shards ─▶ reader ─┼─▶ consumer: dsql.Reassembler ─▶ dsql.Decoder ─▶ sink
//	shards ─▶ reader ─┘      └─▶ checkpoint, after the sink has the rows
//
// Records come in any order, more than once, and the largest of them in pieces
// that are spread over the shards. The program can be killed at any moment: what
// it does after the next start follows from two files, which it writes so that
// the first never lacks what the second says is done.
//
//	main.go        settings
//	consumer.go    the loop that all records go through
//	reader.go      reads one shard
//	pace.go        keeps the shards together when memory gets scarce
//	shards.go      which shards can be read: resharding
//	checkpoint.go  from where to read after a restart
//	table.go       the sink: the newest state of each row, in a file
//	print.go       one line for each change
//
// The README beside it says how to run it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "kinesis:", err)
		os.Exit(1)
	}
}

// settings are the command's flags.
type settings struct {
	stream, region, endpoint string
	keys, checkpoint, state  string
	poll, commit, age        time.Duration
	answers                  int
	memory                   int64
	all                      bool
}

func parse(args []string, stderr io.Writer) (s settings, err error) {
	f := flag.NewFlagSet("kinesis", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.stream, "stream", "", "`name` of the stream")
	f.StringVar(&s.region, "region", "", "AWS region, unless the environment says it")
	f.StringVar(&s.endpoint, "endpoint", "", "`URL` of another implementation of Kinesis")
	f.StringVar(&s.keys, "keys", "keys.json", "`file` with the primary keys: {schema: {table: [column, …]}}")
	f.StringVar(&s.checkpoint, "checkpoint", "checkpoint.json", "`file` that says from where to read")
	f.StringVar(&s.state, "state", "rows.jsonl", "`file` with the rows")
	f.DurationVar(&s.poll, "poll", 500*time.Millisecond, "pause between two reads of a shard, which takes five a second from all its consumers")
	f.DurationVar(&s.commit, "commit", time.Second, "time between two checkpoints")
	f.DurationVar(&s.age, "age", dsql.DefaultAge, "longest time between the arrivals of two parts of a record in the stream; then it is given up")
	f.IntVar(&s.answers, "answers", 4, "how many answers of the service, of up to 10 MiB each, may be in memory")
	f.Int64Var(&s.memory, "memory", dsql.DefaultPendingBytes>>20, "`MiB` for parts of records that wait for others; beyond it such records are given up")
	f.BoolVar(&s.all, "all", false, "print also the changes that are older than their row, and repeats")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	switch {
	case f.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case s.stream == "":
		return s, errors.New("-stream is missing")
	case s.poll <= 0 || s.commit <= 0 || s.age < time.Second || s.answers <= 0 || s.memory <= 0:
		return s, errors.New("-poll, -commit, -age, -answers and -memory must be positive, -age at least a second")
	}
	return s, nil
}

// run consumes the stream until ctx is done, then commits what it has.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	keys, err := loadKeys(s.keys)
	if err != nil {
		return err
	}
	saved, err := loadCheckpoint(s.checkpoint, s.stream)
	if err != nil {
		return err
	}
	rows, err := openTable(s.state, saved.Sink, envelope.KeyColumns(keys))
	if err != nil {
		return err
	}
	defer rows.Close()
	client, err := connect(ctx, s)
	if err != nil {
		return err
	}
	c := consumer{
		api:     client,
		stream:  s.stream,
		sink:    rows,
		saved:   saved,
		printer: printer{w: stdout, keys: keys, all: s.all},
		log:     slog.New(slog.NewTextHandler(stderr, nil)),
		poll:    s.poll,
		every:   s.commit,
		age:     s.age,
		answers: s.answers,
		memory:  s.memory << 20,
	}
	return c.run(ctx)
}

func connect(ctx context.Context, s settings) (*kinesis.Client, error) {
	var options []func(*config.LoadOptions) error
	if s.region != "" {
		options = append(options, config.WithRegion(s.region))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	return kinesis.NewFromConfig(c, func(o *kinesis.Options) {
		if s.endpoint != "" {
			o.BaseEndpoint = &s.endpoint
		}
	}), nil
}

// loadKeys reads which columns identify the rows of each table.
func loadKeys(path string) (map[envelope.Table][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var schemas map[string]map[string][]string
	if err := json.Unmarshal(text, &schemas); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	keys := make(map[envelope.Table][]string)
	for schema, tables := range schemas {
		for name, columns := range tables {
			if len(columns) == 0 {
				return nil, fmt.Errorf("%s: no columns for %s.%s", path, schema, name)
			}
			keys[envelope.Table{Schema: schema, Name: name}] = columns
		}
	}
	return keys, nil
}
