package committer

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/apache/iceberg-go/table/dv"
	"golang.org/x/sync/errgroup"

	"github.com/rowdelta/rowdelta/iceberg"
)

// A search finds the rows of a table that have certain keys. Of the data files it reads
// the columns of the key, and no file, and no row group, in which by its bounds no key
// can be. Memory that grows with the table it needs for the places that it finds: at
// most one bit for each row, and much less most often.
//
// It looks at data files alone. Rows that equality deletes, position deletes or deletion
// vectors already cover are found as well: to delete them again changes nothing, and to
// know them would take reading all deletes.
type search struct {
	table  *table.Table
	fs     iceio.IO
	fields []ice.NestedField // the key's columns, in its order
	keys   *keys
	spans  []span // of the fields
	slots  chan struct{}
}

// A place is the rows of one data file that have one of the keys, by their numbers among
// all that were ever written to the file.
type place struct {
	task table.FileScanTask
	rows *dv.RoaringPositionBitmap
}

// located returns where a table has the keys of a delta. In columns it is as it will be,
// in rows as it was.
func located(ctx context.Context, t *table.Table, d *iceberg.Delta) ([]place, error) {
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newSearch(t, fs, d)
	if err != nil {
		return nil, err
	}
	tasks, err := wholeFiles(ctx, t)
	if err != nil {
		return nil, err
	}
	return s.locate(ctx, tasks)
}

func newSearch(t *table.Table, fs iceio.IO, d *iceberg.Delta) (*search, error) {
	fields, err := keyFields(t, d.Schema)
	if err != nil {
		return nil, err
	}
	columns := keyColumns(d.Schema, &d.Keys)
	s := &search{table: t, fs: fs, fields: fields, keys: keysOf(columns, d.Keys.Len), slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	for i := range fields {
		s.spans = append(s.spans, spanOf(fields[i].Type, &columns[i]))
	}
	return s, nil
}

// wholeFiles returns the data files of a table with their deletes. The library plans
// large files in parts, each of which would count its rows from its own beginning.
func wholeFiles(ctx context.Context, t *table.Table) ([]table.FileScanTask, error) {
	tasks, err := t.Scan().PlanFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("committer: plan: %w", err)
	}
	var out []table.FileScanTask
	seen := make(map[string]bool, len(tasks))
	for _, task := range tasks {
		if path := task.File.FilePath(); !seen[path] {
			seen[path] = true
			task.Start, task.Length = 0, task.File.FileSizeBytes()
			out = append(out, task)
		}
	}
	return out, nil
}

// locate searches files. Several are open at once, and several of their row groups are
// read at once, as many as there are processors.
func (s *search) locate(ctx context.Context, tasks []table.FileScanTask) ([]place, error) {
	found := make([]*dv.RoaringPositionBitmap, len(tasks))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(cap(s.slots))
	for i, task := range tasks {
		if s.excludes(task.File) {
			continue
		}
		g.Go(func() (err error) {
			if found[i], err = s.file(inner, task); err != nil {
				return fmt.Errorf("committer: look for keys in %s: %w", task.File.FilePath(), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []place
	for i, rows := range found {
		if rows != nil && !rows.IsEmpty() {
			out = append(out, place{tasks[i], rows})
		}
	}
	return out, nil
}

// file returns which rows of a data file have one of the keys.
func (s *search) file(ctx context.Context, task table.FileScanTask) (*dv.RoaringPositionBitmap, error) {
	if task.File.FileFormat() != ice.ParquetFile {
		return s.scan(ctx, task)
	}
	f, err := s.fs.Open(task.File.FilePath())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	reader, err := file.NewParquetReader(f)
	if err != nil {
		return nil, err
	}
	columns, ok := s.columns(reader)
	if !ok {
		return s.scan(ctx, task)
	}
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: 1 << 14}, nil)
	if err != nil {
		return nil, err
	}
	rows := dv.NewRoaringPositionBitmap()
	var mu sync.Mutex
	g, inner := errgroup.WithContext(ctx)
	first := int64(0)
	for n := range reader.NumRowGroups() {
		group, start := reader.MetaData().RowGroup(n), first
		first += group.NumRows()
		if s.excludesGroup(group, columns) {
			continue
		}
		g.Go(func() error {
			select {
			case s.slots <- struct{}{}:
				defer func() { <-s.slots }()
			case <-inner.Done():
				return inner.Err()
			}
			some, err := s.group(inner, arrows, n, columns, start)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			rows.Or(some)
			return nil
		})
	}
	return rows, g.Wait()
}

// group returns which rows of a row group have one of the keys. first is the number of
// its first row.
func (s *search) group(ctx context.Context, reader *pqarrow.FileReader, group int, columns []int, first int64) (*dv.RoaringPositionBitmap, error) {
	records, err := reader.GetRecordReader(ctx, columns, []int{group})
	if err != nil {
		return nil, err
	}
	defer records.Release()
	m := s.matching(first)
	for records.Next() {
		if err := m.add(records.RecordBatch().Columns()); err != nil {
			return nil, err
		}
	}
	return m.rows, records.Err()
}

// scan returns which rows of a data file have one of the keys, read as the library reads
// files of all kinds: such as have no IDs of fields, lack a column, or have one in
// another form.
func (s *search) scan(ctx context.Context, task table.FileScanTask) (*dv.RoaringPositionBitmap, error) {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.Name
	}
	bare := table.FileScanTask{File: task.File, Length: task.File.FileSizeBytes()}
	_, records, err := s.table.Scan(table.WithSelectedFields(names...), table.WithMaxConcurrency(1)).ReadTasks(ctx, []table.FileScanTask{bare})
	if err != nil {
		return nil, err
	}
	m := s.matching(0)
	for record, err := range records {
		if err != nil {
			return nil, err
		}
		arrays := make([]arrow.Array, len(names))
		for i, name := range names {
			arrays[i] = record.Column(record.Schema().FieldIndices(name)[0])
		}
		err = m.add(arrays)
		record.Release()
		if err != nil {
			return nil, err
		}
	}
	return m.rows, nil
}

// columns returns the numbers of the key's columns in a file. It is not OK if the file
// lacks one or has one in another form than the library writes it.
func (s *search) columns(reader *file.Reader) (columns []int, ok bool) {
	types := reader.MetaData().Schema
	for i := range s.fields {
		n := 0
		for ; n < types.NumColumns(); n++ {
			c := types.Column(n)
			if int(c.SchemaNode().FieldID()) == s.fields[i].ID && len(c.ColumnPath()) == 1 {
				break
			}
		}
		if n == types.NumColumns() {
			return nil, false
		}
		columns = append(columns, n)
	}
	shown, err := pqarrow.FromParquet(types, nil, reader.MetaData().KeyValueMetadata())
	if err != nil {
		return nil, false
	}
	for i, n := range columns {
		at := types.Root().FieldIndexByField(types.ColumnRoot(n))
		if at < 0 || !plain(shown.Field(at).Type, s.fields[i].Type) {
			return nil, false
		}
	}
	return columns, true
}

// plain reports whether values of a column of a file mean what the same values of a
// table's column mean. Whole numbers and decimals may be narrower: the table's column
// was widened after the file was written.
func plain(in arrow.DataType, t ice.Type) bool {
	switch t := t.(type) {
	case ice.BooleanType:
		return in.ID() == arrow.BOOL
	case ice.Int32Type:
		return in.ID() == arrow.INT32
	case ice.Int64Type:
		return in.ID() == arrow.INT32 || in.ID() == arrow.INT64
	case ice.DateType:
		return in.ID() == arrow.DATE32
	case ice.TimeType:
		in, ok := in.(*arrow.Time64Type)
		return ok && in.Unit == arrow.Microsecond
	case ice.TimestampType, ice.TimestampTzType:
		in, ok := in.(*arrow.TimestampType)
		return ok && in.Unit == arrow.Microsecond
	case ice.TimestampNsType, ice.TimestampTzNsType:
		in, ok := in.(*arrow.TimestampType)
		return ok && in.Unit == arrow.Nanosecond
	case ice.DecimalType:
		in, ok := in.(*arrow.Decimal128Type)
		return ok && int(in.Scale) == t.Scale()
	case ice.StringType:
		return in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING
	case ice.BinaryType:
		return in.ID() == arrow.BINARY || in.ID() == arrow.LARGE_BINARY
	case ice.UUIDType:
		_, ok := in.(*extensions.UUIDType)
		return ok || in.ID() == arrow.FIXED_SIZE_BINARY
	case ice.FixedType:
		return in.ID() == arrow.FIXED_SIZE_BINARY
	}
	return false
}

// A matching finds keys among rows of a file that come one after another.
type matching struct {
	keys    *keys
	next    int64 // number of the next row
	rows    *dv.RoaringPositionBitmap
	columns []iceberg.Vector
	scratch []byte
}

func (s *search) matching(first int64) *matching {
	return &matching{keys: s.keys, next: first, rows: dv.NewRoaringPositionBitmap(), columns: make([]iceberg.Vector, len(s.fields))}
}

// add looks at rows.
func (m *matching) add(arrays []arrow.Array) error {
	for i, a := range arrays {
		v := &m.columns[i]
		v.Null, v.Ints, v.Decimals, v.Bytes = v.Null[:0], v.Ints[:0], v.Decimals[:0], v.Bytes[:0]
		if v.Ends != nil {
			v.Ends = append(v.Ends[:0], 0)
		}
		if err := appendArray(v, a); err != nil {
			return err
		}
	}
	n := arrays[0].Len()
	for i := range n {
		if _, ok := m.keys.find(m.columns, i, &m.scratch); ok {
			m.rows.Set(uint64(m.next) + uint64(i))
		}
	}
	m.next += int64(n)
	return nil
}
