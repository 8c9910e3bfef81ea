package committer

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// Info is what a table is at the moment.
type Info struct {
	Namespace, Name string
	Schema          *iceberg.Schema
	Metadata        string // where the file is that describes it, which readers without the catalog open
	Snapshots       []Snapshot
}

// A Snapshot is a state of a table.
type Snapshot struct {
	ID        int64
	Time      time.Time
	Operation string            // append, delete, overwrite or replace
	Summary   map[string]string // what the writer says of it, such as added-records
}

// Info returns what a table is, with its snapshots from the oldest that it still has.
func (c *Committer) Info(ctx context.Context, source envelope.Table) (*Info, error) {
	t, err := c.load(ctx, source)
	if err != nil {
		return nil, err
	}
	info := &Info{Schema: schemaOf(t.Schema()), Metadata: t.MetadataLocation()}
	info.Namespace, info.Name = c.options.Name(source)
	for _, s := range t.Metadata().Snapshots() {
		out := Snapshot{ID: s.SnapshotID, Time: time.UnixMilli(s.TimestampMs)}
		if s.Summary != nil {
			out.Operation, out.Summary = string(s.Summary.Operation), s.Summary.Properties
		}
		info.Snapshots = append(info.Snapshots, out)
	}
	slices.SortStableFunc(info.Snapshots, func(a, b Snapshot) int { return a.Time.Compare(b.Time) })
	return info, nil
}

// Rows yields the rows of a table, some at a time, in no order: of a snapshot, or the
// newest ones if that is 0. Their columns are the named ones, or all of the Schema
// that Info returns. What it yields is not used again.
func (c *Committer) Rows(ctx context.Context, source envelope.Table, snapshot int64, columns ...string) iter.Seq2[*iceberg.Rows, error] {
	return func(yield func(*iceberg.Rows, error) bool) {
		t, err := c.load(ctx, source)
		if err != nil {
			yield(nil, err)
			return
		}
		if len(columns) == 0 {
			for _, f := range t.Schema().Fields() {
				columns = append(columns, f.Name)
			}
		}
		options := []table.ScanOption{table.WithSelectedFields(columns...)}
		if snapshot != 0 {
			options = append(options, table.WithSnapshotID(snapshot))
		}
		for rows, err := range scan(ctx, t, columns, options...) {
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

// scan reads columns of a table.
func scan(ctx context.Context, t *table.Table, columns []string, options ...table.ScanOption) iter.Seq2[*iceberg.Rows, error] {
	return func(yield func(*iceberg.Rows, error) bool) {
		_, records, err := t.Scan(options...).ToArrowRecords(ctx)
		if err != nil {
			yield(nil, fmt.Errorf("committer: read: %w", err))
			return
		}
		for record, err := range records {
			if err != nil {
				yield(nil, fmt.Errorf("committer: read: %w", err))
				return
			}
			rows, err := rowsOf(record, columns)
			record.Release()
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

// rowsOf returns the named columns of a record.
func rowsOf(record arrow.RecordBatch, columns []string) (*iceberg.Rows, error) {
	rows := &iceberg.Rows{Len: int(record.NumRows()), Columns: make([]iceberg.Vector, len(columns))}
	for i, name := range columns {
		numbers := record.Schema().FieldIndices(name)
		if len(numbers) != 1 {
			return nil, fmt.Errorf("committer: read: %d columns %q", len(numbers), name)
		}
		if err := appendArray(&rows.Columns[i], record.Column(numbers[0])); err != nil {
			return nil, fmt.Errorf("committer: read: column %q: %w", name, err)
		}
	}
	return rows, nil
}
