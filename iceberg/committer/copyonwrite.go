package committer

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/rowdelta/rowdelta/iceberg"
)

// replace adds a snapshot to a transaction in which the data files that have rows at the
// places are replaced by others without them, and rows are added. staged is the table
// with its columns as they will be.
func replace(ctx context.Context, tx *table.Transaction, staged *table.Table, d *iceberg.Delta, places []place, rows []ice.DataFile, summary ice.Properties) error {
	fs, err := staged.FS(ctx)
	if err != nil {
		return err
	}
	if places, err = alive(ctx, fs, places, false); err != nil {
		return err
	}
	switch {
	case len(places) > 0:
	case len(rows) > 0:
		return tx.NewRowDelta(summary).AddRows(rows...).Commit(ctx)
	default:
		return tx.AddFiles(ctx, nil, summary, false) // for the position alone
	}
	var tasks []table.FileScanTask
	var old, applied []ice.DataFile
	for _, p := range places {
		tasks, old = append(tasks, p.task), append(old, p.task.File)
		applied = append(applied, p.task.DeletionVectorFiles...)
		for _, f := range p.task.DeleteFiles {
			// Those of several files may still be needed.
			if of := f.ReferencedDataFile(); of != nil && *of == p.task.File.FilePath() {
				applied = append(applied, f)
			}
		}
	}
	fields, err := keyFields(staged, d.Schema)
	if err != nil {
		return err
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	kept, err := rewritten(ctx, staged, tasks, names, keysOf(keyColumns(d.Schema, &d.Keys), d.Keys.Len))
	if err != nil {
		return err
	}
	added, err := numbered(staged, append(kept, rows...))
	if err != nil {
		return err
	}
	return tx.ReplaceFiles(ctx, old, added, applied, summary)
}

// rewritten writes what is left of data files, all deletes applied, without the rows
// that have one of the keys in the named columns; index is nil if there are none. Each of
// several writers has one file to read and, in each partition, one to write at a time, so
// that its memory does not depend on the files' sizes.
func rewritten(ctx context.Context, t *table.Table, tasks []table.FileScanTask, names []string, index *keys) ([]ice.DataFile, error) {
	parts := shares(tasks, runtime.GOMAXPROCS(0))
	out := make([][]ice.DataFile, len(parts))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, part := range parts {
		g.Go(func() (err error) {
			out[i], err = rewriteWithout(inner, t, part, names, index)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(out...), nil
}

// shares divides files among writers. Small ones of a writer become one; the rows of
// some files have numbers of their own, and those of others none yet, which do not go
// into one file.
func shares(tasks []table.FileScanTask, writers int) [][]table.FileScanTask {
	tasks = slices.Clone(tasks)
	slices.SortStableFunc(tasks, func(a, b table.FileScanTask) int { return cmp.Compare(b.File.FileSizeBytes(), a.File.FileSizeBytes()) })
	var out [][]table.FileScanTask
	for _, numbered := range []bool{true, false} {
		parts, sizes := make([][]table.FileScanTask, writers), make([]int64, writers)
		for _, task := range tasks {
			if (task.FirstRowID != nil) == numbered {
				least := slices.Index(sizes, slices.Min(sizes))
				parts[least] = append(parts[least], task)
				sizes[least] += task.File.FileSizeBytes()
			}
		}
		out = append(out, slices.DeleteFunc(parts, func(p []table.FileScanTask) bool { return len(p) == 0 })...)
	}
	return out
}

// rewriteWithout writes the rows of files that have none of the keys. They keep what the
// format from version 3 on knows of a row: its number, and when it was changed last.
func rewriteWithout(ctx context.Context, t *table.Table, tasks []table.FileScanTask, names []string, index *keys) ([]ice.DataFile, error) {
	scan := []table.ScanOption{table.WithMaxConcurrency(1), table.WithArrowBatchSize(1 << 15)}
	write := []table.WriteRecordOption{table.WithRecordBatchBufferSize(4), table.WithMaxWriteWorkers(1)}
	numbered := tasks[0].FirstRowID != nil
	if numbered {
		scan = append(scan, table.WithRowLineage())
	}
	s, records, err := t.Scan(scan...).ReadTasks(ctx, tasks)
	if err != nil {
		return nil, fmt.Errorf("committer: read rows that stay: %w", err)
	}
	if numbered {
		whole := ice.SchemaWithRowLineage(t.Schema())
		s, err = table.SchemaToArrowSchemaWithOptions(whole, table.ArrowSchemaOptions{IncludeFieldIDs: true, TableProperties: t.Properties()})
		if err != nil {
			return nil, err
		}
		write = append(write, table.WithPreserveRowLineage(whole))
	}
	var out []ice.DataFile
	for f, err := range table.WriteRecords(ctx, t, s, without(ctx, records, names, index), write...) {
		if err != nil {
			return nil, fmt.Errorf("committer: write rows that stay: %w", err)
		}
		out = append(out, f)
	}
	return out, nil
}

// without yields records without the rows that have one of the keys. Records are the
// receiver's to release, as those that it takes are its own.
func without(ctx context.Context, records iter.Seq2[arrow.RecordBatch, error], names []string, index *keys) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		var scratch []byte
		for record, err := range records {
			if err == nil && index != nil {
				record, err = filtered(ctx, record, names, index, &scratch)
			}
			if err == nil && record.NumRows() == 0 {
				record.Release()
				continue
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// filtered returns a record without the rows that have one of the keys, in place of it.
func filtered(ctx context.Context, record arrow.RecordBatch, names []string, index *keys, scratch *[]byte) (arrow.RecordBatch, error) {
	columns, err := rowsOf(record, names)
	if err != nil {
		record.Release()
		return nil, err
	}
	bits, kept := make([]byte, bitutil.BytesForBits(int64(columns.Len))), 0
	for i := range columns.Len {
		if _, gone := index.find(columns.Columns, i, scratch); !gone {
			bitutil.SetBit(bits, i)
			kept++
		}
	}
	if kept == columns.Len {
		return record, nil
	}
	defer record.Release()
	mask := array.NewBoolean(columns.Len, memory.NewBufferBytes(bits), nil, 0)
	defer mask.Release()
	// Slices of the record between the rows that go would be a dozen rows long each, and
	// the writer has work to do for each.
	return compute.FilterRecordBatch(ctx, record, mask, compute.DefaultFilterOptions())
}

// numbered returns files with the numbers of their first rows, which the library wants
// to be told where files are replaced, from version 3 of the format on. They are those
// that the snapshot would give them.
func numbered(t *table.Table, files []ice.DataFile) ([]ice.DataFile, error) {
	if t.Metadata().Version() < 3 {
		return files, nil
	}
	next := t.Metadata().NextRowID()
	out := make([]ice.DataFile, len(files))
	for i, f := range files {
		spec := t.Metadata().PartitionSpecByID(int(f.SpecID()))
		if spec == nil {
			return nil, fmt.Errorf("committer: no partition spec %d", f.SpecID())
		}
		b, err := ice.NewDataFileBuilder(*spec, f.ContentType(), f.FilePath(), f.FileFormat(), f.Partition(), nil, nil, f.Count(), f.FileSizeBytes())
		if err != nil {
			return nil, err
		}
		b.ColumnSizes(f.ColumnSizes()).ValueCounts(f.ValueCounts()).NullValueCounts(f.NullValueCounts()).NaNValueCounts(f.NaNValueCounts())
		b.LowerBoundValues(f.LowerBoundValues()).UpperBoundValues(f.UpperBoundValues()).SplitOffsets(f.SplitOffsets())
		if id := f.SortOrderID(); id != nil {
			b.SortOrderID(*id)
		}
		out[i] = b.FirstRowID(next).Build()
		next += f.Count()
	}
	return out, nil
}
