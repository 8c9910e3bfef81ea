package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// batchSize is how many records become one snapshot of each table.
const batchSize = 100

// A pipeline takes changes to the tables.
type pipeline struct {
	filter  dedupe.Filter
	builder iceberg.Builder
	tables  *committer.Committer
	counts  counts
}

// newPipeline returns a pipeline that knows nothing of what came before.
func newPipeline(tables *committer.Committer) *pipeline {
	schemas := maps.Clone(shopSchemas)
	schemas[documents] = documentsSchema
	keys := make(map[envelope.Table][]string)
	for table, schema := range schemas {
		keys[table] = schema.Key
	}
	return &pipeline{
		// The newest change of each row, wherever it comes in the stream. Memory is gone
		// with the process, so that this program reads its streams from the start each
		// time; with a store that lasts it would go on at the tables' position.
		filter: dedupe.Filter{Store: new(dedupe.Memory), Keys: envelope.KeyColumns(keys)},
		// The records tell no types. The changes of a row are not in order.
		builder: iceberg.Builder{Schemas: schemas, Disordered: true},
		tables:  tables,
		counts:  make(counts),
	}
}

// write takes a batch of changes to the tables: the input from one position to
// another. A batch that fails, or that a crash cuts off, can be written again.
func (p *pipeline) write(ctx context.Context, changes []envelope.Change, from, to int) error {
	batch, err := p.filter.Admit(ctx, changes)
	if err != nil {
		return err
	}
	for i, d := range batch.Decisions {
		p.counts.add(&changes[i], d.Verdict)
		if d.Err != nil {
			return d.Err
		}
		if d.Verdict.Admitted() { // neither repeated nor older than what the table has
			if err := p.builder.Add(&changes[i]); err != nil {
				return err
			}
		}
	}
	for _, delta := range p.builder.Flush(position(from), position(to)) { // one for each table
		if err := p.tables.Commit(ctx, delta); err != nil { // one snapshot: rows, deletes and position
			return err
		}
	}
	return p.filter.Commit(ctx, batch) // the tables have it, so the marks may move
}

// position returns the number of records before a place in the input.
func position(n int) string { return fmt.Sprintf("%09d", n) }
