package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/captured"
)

// documents is the table with large values. The stream has three others.
var documents = envelope.Table{Schema: "public", Name: "documents"}

// documentsSchema is its columns, since DSQL's records tell no types.
var documentsSchema = mustParse(`CREATE TABLE public.documents (
	title  text,
	path   text PRIMARY KEY,
	body   json,
	digest bytea NOT NULL,
	owner  oid,
	tags   oidvector NOT NULL)`)

func mustParse(createTable string) *envelope.Schema {
	s, err := dsql.ParseSchema(createTable)
	if err != nil {
		panic(err)
	}
	return s
}

// generator makes what DSQL would send. The service splits records above 9 MiB into
// fragments of up to 10 MiB; here they are smaller, so that there is less to wait for.
var generator = dsqltest.Generator{
	Seed: 6, Transactions: 100, Rows: 20, Shards: 3, Repeats: 0.2,
	Large: 0.5, LargeBytes: 100_000, SplitAt: 40_000, FragmentBytes: 16_000,
}

// seen counts the records of the stream.
type seen struct{ shards, records, whole, joined, parts, others int }

// writeDocuments writes DSQL's records of one table.
func writeDocuments(ctx context.Context, p *pipeline, stream *dsqltest.Stream) (n seen, err error) {
	var parts dsql.Reassembler
	var decoder dsql.Decoder
	n.shards = len(stream.Shards)
	records := stream.Merge(rand.New(rand.NewPCG(generator.Seed, 0))) // as a reader of all shards gets them
	for batch := range slices.Chunk(records, batchSize) {
		var changes []envelope.Change
		for _, r := range batch {
			record, err := parts.Add(ctx, r)
			switch {
			case err != nil:
				return n, err
			case record == nil: // a part: kept until the others are there
				n.parts++
				continue
			case len(record) > len(r.Data):
				n.joined++
				n.parts++
			default:
				n.whole++
			}
			var c envelope.Change
			if err := decoder.Decode(&c, bytes.Clone(record)); err != nil { // the Reassembler uses its memory again
				return n, err
			}
			if c.Table.Name != documents.Name {
				n.others++
				continue
			}
			changes = append(changes, c)
		}
		if err := p.write(ctx, changes, n.records, n.records+len(batch)); err != nil {
			return n, err
		}
		n.records += len(batch)
		// The tables have what was returned. A consumer of Kinesis stores the floors as its
		// checkpoints here: see examples/kinesis.
		if err := parts.Commit(ctx, func([]dsql.Floor) error { return nil }); err != nil {
			return n, err
		}
	}
	return n, nil
}

// truthOf returns the rows of the table as the generator's database has them.
func truthOf(stream *dsqltest.Stream) (all []captured.Row, err error) {
	for _, image := range stream.Truth[documents] {
		columns := make(map[string]*string)
		var row map[string]any
		d := json.NewDecoder(bytes.NewReader(image))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			return nil, err
		}
		for name, v := range row {
			columns[name] = nil
			switch v := v.(type) {
			case string:
				columns[name] = &v
			case json.Number:
				number := v.String()
				columns[name] = &number
			case []any:
				list, err := json.Marshal(v)
				if err != nil {
					return nil, err
				}
				text := string(list)
				columns[name] = &text
			}
		}
		all = append(all, captured.Row{Table: documents.String(), Columns: columns})
	}
	return all, nil
}
