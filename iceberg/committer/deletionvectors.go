package committer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/apache/iceberg-go/table/dv"
	"golang.org/x/sync/errgroup"

	"github.com/rowdelta/rowdelta/iceberg"
)

// versioned refuses a table that cannot have the deletes which the Committer writes.
func (c *Committer) versioned(d *iceberg.Delta, version int) error {
	if c.options.Deletes == DeletionVectors && version < 3 {
		return &iceberg.SchemaError{Table: d.Table, Err: fmt.Errorf("%w: the table has version %d of the format", ErrVersion, version)}
	}
	return nil
}

// mark adds a snapshot to a transaction in which the rows at the places are deleted by
// deletion vectors, and others added.
func mark(ctx context.Context, tx *table.Transaction, t *table.Table, places []place, rows []ice.DataFile, summary ice.Properties) error {
	fs, err := t.FS(ctx)
	if err != nil {
		return err
	}
	writable, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return errors.New("committer: the storage cannot be written to")
	}
	if places, err = alive(ctx, fs, places, true); err != nil {
		return err
	}
	if len(places)+len(rows) == 0 {
		return tx.AddFiles(ctx, nil, summary, false) // for the position alone
	}
	change := tx.NewRowDelta(summary).AddRows(rows...)
	w := dv.NewDVWriter(writable, func(id int32) *ice.PartitionSpec { return t.Metadata().PartitionSpecByID(int(id)) })
	for _, p := range places {
		w.Load(p.task.File.FilePath(), p.rows, p.task.File.SpecID(), p.task.File.Partition())
		// A data file has one vector: the one that it has goes, and it would not be
		// readable otherwise.
		change.RemoveDeletes(p.task.DeletionVectorFiles...)
	}
	locations, err := t.LocationProvider()
	if err != nil {
		return err
	}
	vectors, err := w.Flush(ctx, locations.NewDataLocation(rand.Text()+"-deletes.puffin"))
	if err != nil {
		return fmt.Errorf("committer: write deletion vectors: %w", err)
	}
	return change.AddDeletes(vectors...).Commit(ctx)
}

// alive returns the places without those of which all rows are deleted by position
// already: a key that is updated over and over has a row in many files, all dead but
// one, and their vectors would all be written each time. With all, the places that are
// left have the rows that were deleted before as well.
func alive(ctx context.Context, fs iceio.IO, places []place, all bool) ([]place, error) {
	dead := make([]*dv.RoaringPositionBitmap, len(places))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(16) // they are small, so that it is the storage that takes the time
	for i, p := range places {
		g.Go(func() (err error) {
			if inner.Err() != nil {
				return inner.Err()
			}
			if dead[i], err = deleted(inner, fs, p.task); err != nil {
				return fmt.Errorf("committer: read deletes of %s: %w", p.task.File.FilePath(), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []place
	for i, p := range places {
		before := dead[i].Cardinality()
		dead[i].Or(p.rows)
		if dead[i].Cardinality() == before {
			continue
		}
		if all {
			p.rows = dead[i]
		}
		out = append(out, p)
	}
	return out, nil
}

// deleted returns the rows of a data file that are deleted by position: by a vector, or
// in tables that had version 2 of the format by files of positions. Of a file that has a
// vector, readers need not look at the latter, so that a new vector must have them.
func deleted(ctx context.Context, fs iceio.IO, task table.FileScanTask) (*dv.RoaringPositionBitmap, error) {
	if len(task.DeletionVectorFiles) > 0 {
		return dv.ReadDV(fs, task.DeletionVectorFiles[0])
	}
	rows := dv.NewRoaringPositionBitmap()
	for _, f := range task.DeleteFiles {
		if err := addPositions(ctx, fs, f.FilePath(), task.File.FilePath(), rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// addPositions adds the rows of a data file that a file of positions has.
func addPositions(ctx context.Context, fs iceio.IO, path, of string, rows *dv.RoaringPositionBitmap) error {
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	reader, err := file.NewParquetReader(f)
	if err != nil {
		return err
	}
	columns := make([]int, 0, 2)
	for _, name := range []string{"file_path", "pos"} {
		n := reader.MetaData().Schema.ColumnIndexByName(name)
		if n < 0 {
			return fmt.Errorf("a file of positions without %s: %s", name, path)
		}
		columns = append(columns, n)
	}
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: 1 << 14}, nil)
	if err != nil {
		return err
	}
	records, err := arrows.GetRecordReader(ctx, columns, nil)
	if err != nil {
		return err
	}
	defer records.Release()
	for records.Next() {
		var paths, positions iceberg.Vector
		if err := errors.Join(appendArray(&paths, records.RecordBatch().Column(0)), appendArray(&positions, records.RecordBatch().Column(1))); err != nil {
			return err
		}
		for i, row := range positions.Ints {
			if row >= 0 && string(paths.Value(i)) == of {
				rows.Set(uint64(row))
			}
		}
	}
	return records.Err()
}
