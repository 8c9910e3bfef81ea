package committer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/rowdelta/rowdelta/iceberg"
)

// A writing is a delta on its way into its table.
type writing struct {
	c      *Committer
	source *iceberg.Delta // as it was given
	delta  *iceberg.Delta // with what it needs of the table
	empty  bool           // the table has no data files
	files  *files         // of an attempt that failed; nil if there are none
}

// files are what an attempt has written, and for which table that was. They serve the
// next attempt as well, unless they depend on the rows that the table had.
type files struct {
	table         string
	schema, spec  int
	rows, deletes []ice.DataFile
}

// attempt commits the delta, or finds that the table has it.
func (w *writing) attempt(ctx context.Context) error {
	t, err := w.table(ctx)
	if err != nil || t == nil {
		return err
	}
	has := progressOf(t)
	if has.has(w.source, w.c.suffix, w.c.options.Compare) {
		return nil
	}
	evolution, err := w.evolution(t)
	if err != nil {
		return err
	}
	mark := false
	if w.source.Schema != nil {
		if mark, err = w.checkKey(ctx, t, evolution); err != nil {
			return err
		}
	}
	if evolution.Rewrite {
		if err := w.c.widenKey(ctx, t, w.source.Schema, evolution); err != nil {
			return err
		}
		return errAgain
	}
	if w.empty, err = isEmpty(ctx, t); err != nil {
		return err
	}
	if w.delta, err = w.complete(ctx, t, has, evolution); err != nil {
		return err
	}
	tx := t.NewTransaction()
	// The fence: whoever else commits first, the table is read again before anything is
	// decided. The library's own retries would put the same files on top of another
	// state.
	if err := tx.AssertRefSnapshotID(""); err != nil {
		return err
	}
	if err := evolve(tx, evolution); err != nil {
		return err
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return err
	}
	next := has.with(w.source, w.c.suffix)
	if err := w.write(ctx, tx, t, staged.Table, ice.Properties(next)); err != nil {
		return err
	}
	properties := ice.Properties(maps.Clone(next))
	if mark {
		if properties[propertyKey], err = typesOf(staged.Table, w.source.Schema); err != nil {
			return err
		}
	}
	if err := tx.SetProperties(properties); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return overtaken(err)
}

// table returns the delta's table, which it makes if there is none; nil if there is
// nothing to do for want of one.
func (w *writing) table(ctx context.Context) (*table.Table, error) {
	t, err := w.c.load(ctx, w.source.Table)
	missing := errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace)
	switch {
	case !missing:
		return t, err
	case w.source.Schema == nil: // a truncate of nothing
		return nil, nil
	}
	return w.c.create(ctx, w.source)
}

// evolution returns how the table's columns must change.
func (w *writing) evolution(t *table.Table) (*iceberg.Evolution, error) {
	if w.source.Schema == nil {
		return new(iceberg.Evolution), nil
	}
	e, err := w.c.options.Evolution.Evolve(w.source.Table, schemaOf(t.Schema()), w.source.Schema)
	if err != nil {
		return nil, err
	}
	if err := partitioned(w.source, t); err != nil {
		return nil, err
	}
	if err := w.c.versioned(w.source, t.Metadata().Version()); err != nil {
		return nil, err
	}
	return e, nil
}

// write adds the delta's snapshots to a transaction on t; staged is the table with its
// columns as they will be.
func (w *writing) write(ctx context.Context, tx *table.Transaction, t, staged *table.Table, summary ice.Properties) error {
	d := w.delta
	switch {
	case d.Truncated && !w.empty:
		return w.overwrite(ctx, tx, t, staged, summary)
	case d.Rows.Len == 0 && (w.empty || d.Keys.Len == 0):
		return tx.AddFiles(ctx, nil, summary, false) // a snapshot for the position alone
	case w.empty || w.c.options.Deletes == EqualityDeletes:
		f, err := w.written(ctx, tx, staged, !w.empty)
		if err != nil {
			return err
		}
		return tx.NewRowDelta(summary).AddRows(f.rows...).AddDeletes(f.deletes...).Commit(ctx)
	}
	var f *files
	var places []place
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		f, err = w.written(inner, tx, staged, false)
		return err
	})
	g.Go(func() (err error) {
		places, err = located(inner, staged, d)
		return err
	})
	switch err := g.Wait(); {
	case err != nil:
		return err
	case w.c.options.Deletes == DeletionVectors:
		return mark(ctx, tx, staged, places, f.rows, summary)
	default:
		return replace(ctx, tx, staged, d, places, f.rows, summary)
	}
}

// overwrite adds a snapshot to a transaction that has the delta's rows and no others.
func (w *writing) overwrite(ctx context.Context, tx *table.Transaction, t, staged *table.Table, summary ice.Properties) error {
	tasks, err := wholeFiles(ctx, t)
	if err != nil {
		return err
	}
	var old, applied []ice.DataFile
	for _, task := range tasks {
		old, applied = append(old, task.File), append(applied, task.DeletionVectorFiles...)
	}
	f, err := w.written(ctx, tx, staged, false)
	if err != nil {
		return err
	}
	added, err := numbered(staged, f.rows)
	if err != nil {
		return err
	}
	return tx.ReplaceFiles(ctx, old, added, applied, summary)
}

// written writes the delta's files, or returns those of the attempt before.
func (w *writing) written(ctx context.Context, tx *table.Transaction, staged *table.Table, deletes bool) (*files, error) {
	spec := staged.Spec()
	f := &files{table: staged.Metadata().TableUUID().String(), schema: staged.Schema().ID, spec: spec.ID()}
	if w.files != nil && w.files.table == f.table && w.files.schema == f.schema && w.files.spec == f.spec && w.delta == w.source && deletes == (w.files.deletes != nil) {
		return w.files, nil
	}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		f.rows, err = writeRows(inner, staged, w.delta)
		return err
	})
	if deletes {
		g.Go(func() (err error) {
			f.deletes, err = writeKeys(inner, tx, staged, w.delta)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	w.files = f
	return f, nil
}

// required refuses nulls in a column that has none, which the library would write as 0
// or as an empty text.
func required(t *table.Table, d *iceberg.Delta) error {
	for i, c := range d.Schema.Columns {
		f, err := field(t, c.Name)
		if err != nil {
			return err
		}
		if f.Required && slices.Contains(d.Rows.Columns[i].Null, true) {
			return &iceberg.SchemaError{Table: d.Table, Column: c.Name, Err: iceberg.ErrRequired}
		}
	}
	return nil
}

// writeRows writes the delta's rows as data files.
func writeRows(ctx context.Context, t *table.Table, d *iceberg.Delta) ([]ice.DataFile, error) {
	if d.Rows.Len == 0 {
		return nil, nil
	}
	if err := required(t, d); err != nil {
		return nil, err
	}
	var fields []ice.NestedField
	var vectors []*iceberg.Vector
	for i, c := range d.Schema.Columns {
		f, err := field(t, c.Name)
		if err != nil {
			return nil, err
		}
		fields, vectors = append(fields, f), append(vectors, &d.Rows.Columns[i])
	}
	record, err := recordOf(fields, vectors, d.Rows.Len)
	if err != nil {
		return nil, err
	}
	// The library writes one file after the other; what is much is written as several at
	// once. Small files would cost readers more than this saves.
	const least = 40_000
	n := int64(max(1, min(runtime.GOMAXPROCS(0), d.Rows.Len/least)))
	parts := make([][]ice.DataFile, n)
	g, inner := errgroup.WithContext(ctx)
	for i := range n {
		part := record.NewSlice(i*record.NumRows()/n, (i+1)*record.NumRows()/n)
		g.Go(func() error {
			for f, err := range table.WriteRecords(inner, t, part.Schema(), slicesOf(part)) {
				if err != nil {
					return fmt.Errorf("committer: write rows: %w", err)
				}
				parts[i] = append(parts[i], f)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

// writeKeys writes the delta's keys as equality deletes.
func writeKeys(ctx context.Context, tx *table.Transaction, t *table.Table, d *iceberg.Delta) ([]ice.DataFile, error) {
	fields, err := keyFields(t, d.Schema)
	if err != nil {
		return nil, err
	}
	ids := make([]int, len(fields))
	for i, f := range fields {
		ids[i] = f.ID
	}
	// In the table's order, as the library writes them.
	slices.SortFunc(fields, func(a, b ice.NestedField) int { return order(t, a) - order(t, b) })
	vectors := make([]*iceberg.Vector, len(fields))
	for i, f := range fields {
		vectors[i] = &d.Keys.Columns[d.Schema.Index(f.Name)]
	}
	record, err := recordOf(fields, vectors, d.Keys.Len)
	if err != nil {
		return nil, err
	}
	out, err := tx.WriteEqualityDeletes(ctx, ids, slicesOf(record))
	if err != nil {
		return nil, fmt.Errorf("committer: write equality deletes: %w", err)
	}
	return out, nil
}

// slicesOf yields a record in parts of a size that the library writes well.
func slicesOf(record arrow.RecordBatch) iter.Seq2[arrow.RecordBatch, error] {
	const rows = 1 << 16
	return func(yield func(arrow.RecordBatch, error) bool) {
		for i := int64(0); i < record.NumRows(); i += rows {
			if !yield(record.NewSlice(i, min(i+rows, record.NumRows())), nil) {
				return
			}
		}
	}
}

// keyFields returns the key's columns as the table has them.
func keyFields(t *table.Table, s *iceberg.Schema) ([]ice.NestedField, error) {
	var out []ice.NestedField
	for _, name := range s.Key {
		f, err := field(t, name)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func field(t *table.Table, name string) (ice.NestedField, error) {
	f, ok := t.Schema().FindFieldByName(name)
	if !ok {
		return f, fmt.Errorf("committer: the table has no column %q", name)
	}
	return f, nil
}

// order returns the number of a field among the table's.
func order(t *table.Table, f ice.NestedField) int {
	return slices.IndexFunc(t.Schema().Fields(), func(g ice.NestedField) bool { return g.ID == f.ID })
}

// isEmpty reports whether the table has no data files. What the summary says is looked
// up: it is the writer's word, and a wrong one would leave old rows beside new ones.
func isEmpty(ctx context.Context, t *table.Table) (bool, error) {
	s := t.CurrentSnapshot()
	if s == nil {
		return true, nil
	}
	if s.Summary != nil && s.Summary.Properties["total-data-files"] != "0" {
		return false, nil
	}
	fs, err := t.FS(ctx)
	if err != nil {
		return false, err
	}
	manifests, err := s.Manifests(fs)
	if err != nil {
		return false, err
	}
	for _, m := range manifests {
		if m.ManifestContent() == ice.ManifestContentData && (m.HasAddedFiles() || m.HasExistingFiles()) {
			return false, nil
		}
	}
	return true, nil
}

// overtaken tells the library's errors that somebody else was faster from others. That
// of the SQL catalog for a stale base has no type. Whether a commit was done of which
// the answer was lost shows when the table is read for the next attempt.
func overtaken(err error) error {
	if errors.Is(err, table.ErrCommitFailed) {
		return fmt.Errorf("%w: %w", errOvertaken, err)
	}
	return err
}

var errOvertaken = errors.New("committer: another commit came first")

// create makes the delta's table.
func (c *Committer) create(ctx context.Context, d *iceberg.Delta) (*table.Table, error) {
	s, err := newSchema(d.Schema)
	if err != nil {
		return nil, err
	}
	properties := c.defaults(d.Schema)
	if err := c.versioned(d, properties.GetInt(table.PropertyFormatVersion, table.DefaultFormatVersion)); err != nil {
		return nil, err
	}

	options := []catalog.CreateTableOpt{catalog.WithProperties(properties)}
	if terms := c.options.Partition[d.Table]; terms != nil {
		spec, err := specOf(terms, s, d)
		if err != nil {
			return nil, err
		}
		options = append(options, catalog.WithPartitionSpec(spec))
	}
	id := c.identifier(d.Table)
	if c.location != nil {
		options = append(options, catalog.WithLocation(c.location(id)))
	}
	if err := c.catalog.CreateNamespace(ctx, id[:len(id)-1], nil); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		return nil, fmt.Errorf("committer: create namespace for %s: %w", d.Table, err)
	}
	t, err := c.catalog.CreateTable(ctx, id, s, options...)
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return c.load(ctx, d.Table)
	}
	if err != nil {
		return nil, fmt.Errorf("committer: create table for %s: %w", d.Table, err)
	}
	return t, nil
}
