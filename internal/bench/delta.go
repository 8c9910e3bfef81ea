package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	ice "github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// A purchase is a row of the table that deltas are written to.
type purchase struct {
	id, customer     int64
	status           string
	cents            int64
	created, updated int64 // µs
	note             string
}

func (g generator) purchase(id int64) purchase {
	return purchase{
		id: id, customer: g.Int64N(100_000), status: pick(g, statuses), cents: g.Int64N(1e7),
		created: 1_700_000_000_000_000 + id*1000, updated: 1_760_000_000_000_000 + g.Int64N(1<<40),
		note: fmt.Sprintf("note %d of %s", g.IntN(1<<30), pick(g, cities)),
	}
}

var (
	purchases      = envelope.Table{DB: "shop", Schema: "public", Name: "purchases"}
	purchaseSchema = &envelope.Schema{Key: []string{"order_id"}, Fields: []envelope.Field{
		{Name: "order_id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "customer_id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}, Optional: true},
		{Name: "status", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
		{Name: "amount", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 12, Scale: 2}, Optional: true},
		{Name: "created_at", Type: envelope.Type{Kind: envelope.KindInstant}, Optional: true},
		{Name: "updated_at", Type: envelope.Type{Kind: envelope.KindInstant}, Optional: true},
		{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	}}
)

// A touch is a row that a delta writes, or whose key it deletes.
type touch struct {
	purchase
	deleted bool
}

// touches draws rows of the first so many, none twice. Every tenth is deleted.
func (g generator) touches(rows, keys int) []touch {
	out := make([]touch, keys)
	for i, id := range g.Perm(rows)[:keys] {
		out[i] = touch{g.purchase(int64(id)), i%10 == 0}
	}
	return out
}

// record appends what Debezium makes of it.
func (t *touch) record(dst []byte) []byte {
	const micros = "2006-01-02T15:04:05.000000Z"
	row := fmt.Sprintf(`{"order_id":%d,"customer_id":%d,"status":"%s","amount":"%d.%02d","created_at":"%s","updated_at":"%s","note":%s}`,
		t.id, t.customer, t.status, t.cents/100, t.cents%100, time.UnixMicro(t.created).UTC().Format(micros), time.UnixMicro(t.updated).UTC().Format(micros), quote(t.note))
	before, after, op := "null", row, "u"
	if t.deleted {
		before, after, op = fmt.Sprintf(`{"order_id":%d,"customer_id":null,"status":null,"amount":null,"created_at":null,"updated_at":null,"note":null}`, t.id), "null", "d"
	}
	return fmt.Appendf(dst, `{"before":%s,"after":%s,"source":{"version":"3.6.1.Final","connector":"postgresql","name":"shop","ts_ms":1760000000000,"snapshot":"false","db":"shop","sequence":"[\"%d\",\"%d\"]","ts_us":1760000000000000,"ts_ns":1760000000000000000,"schema":"public","table":"purchases","txId":7,"lsn":%d,"xmin":null},"transaction":null,"op":"%s","ts_ms":1760000000100,"ts_us":1760000000100000,"ts_ns":1760000000100000000}`,
		before, after, 1000+t.id, 1000+t.id, 1000+t.id, op)
}

// changesOf returns the changes that the touches are, decoded.
func changesOf(touches []touch) ([]envelope.Change, error) {
	var d envelope.Debezium
	var records []byte
	ends := make([]int, len(touches))
	for i := range touches {
		records = touches[i].record(records)
		ends[i] = len(records)
	}
	changes, start := make([]envelope.Change, len(touches)), 0
	for i, end := range ends {
		if err := d.Decode(&changes[i], records[start:end:end]); err != nil {
			return nil, err
		}
		start = end
	}
	return changes, nil
}

// A lakehouse is a table in a folder of its own, to which deltas are written.
type lakehouse struct {
	dir       string
	committer *committer.Committer
	builder   iceberg.Builder
	n         int
}

func openLakehouse(rows int, properties map[string]string) (*lakehouse, error) {
	dir, err := os.MkdirTemp("", "rowdelta-bench-")
	if err != nil {
		return nil, err
	}
	c, err := committer.Local(dir, committer.Options{Properties: properties})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	l := &lakehouse{dir: dir, committer: c, builder: iceberg.Builder{Schemas: map[envelope.Table]*envelope.Schema{purchases: purchaseSchema}}}
	g := newGenerator(11)
	for first := 0; first < rows; first += 100_000 {
		batch := make([]touch, min(100_000, rows-first))
		for i := range batch {
			batch[i] = touch{purchase: g.purchase(int64(first + i))}
		}
		changes, err := changesOf(batch)
		if err == nil {
			err = l.write(changes)
		}
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	_, err = c.Maintain(context.Background(), purchases, committer.Maintenance{})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lakehouse) close() error { return errors.Join(l.committer.Close(), os.RemoveAll(l.dir)) }

// write is our way from changes to a snapshot.
func (l *lakehouse) write(changes []envelope.Change) error {
	for i := range changes {
		if err := l.builder.Add(&changes[i]); err != nil {
			return err
		}
	}
	l.n++
	for _, d := range l.builder.Flush(strconv.Itoa(l.n-1), strconv.Itoa(l.n)) {
		if err := l.committer.Commit(context.Background(), d); err != nil {
			return err
		}
	}
	return nil
}

// sum returns how many rows the table has, and a sum over all their values.
func (l *lakehouse) sum() (n int, sum uint64, err error) {
	for rows, err := range l.committer.Rows(context.Background(), purchases, 0) {
		if err != nil {
			return 0, 0, err
		}
		n += rows.Len
		for i := range rows.Len {
			h := uint64(rows.Columns[0].Ints[i])
			for j := range rows.Columns {
				switch v := &rows.Columns[j]; {
				case v.Ints != nil:
					h = h*31 + uint64(v.Ints[i])
				case v.Decimals != nil:
					h = h*31 + v.Decimals[i].Lo
				default:
					for _, b := range v.Value(i) {
						h = h*31 + uint64(b)
					}
				}
			}
			sum += h
		}
	}
	return n, sum, nil
}

// An arrowDelta is the same as batches that the library takes.
type arrowDelta struct{ keys, rows arrow.RecordBatch }

func arrowOf(t *table.Table, touches []touch) (*arrowDelta, error) {
	s, err := table.SchemaToArrowSchema(t.Schema(), nil, true, false)
	if err != nil {
		return nil, err
	}
	keys := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(s.Fields()[:1], nil))
	rows := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range touches {
		p := &touches[i]
		keys.Field(0).(*array.Int64Builder).Append(p.id)
		if p.deleted {
			continue
		}
		rows.Field(0).(*array.Int64Builder).Append(p.id)
		rows.Field(1).(*array.Int64Builder).Append(p.customer)
		rows.Field(2).(*array.StringBuilder).Append(p.status)
		rows.Field(3).(*array.Decimal128Builder).Append(decimal128.FromI64(p.cents))
		rows.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(p.created))
		rows.Field(5).(*array.TimestampBuilder).Append(arrow.Timestamp(p.updated))
		rows.Field(6).(*array.StringBuilder).Append(p.note)
	}
	return &arrowDelta{keys.NewRecordBatch(), rows.NewRecordBatch()}, nil
}

// write is the library's way from batches to a snapshot.
func (d *arrowDelta) write(t *table.Table) (*table.Table, error) {
	ctx := context.Background()
	tx := t.NewTransaction()
	if err := tx.AssertRefSnapshotID(""); err != nil {
		return nil, err
	}
	deletes, err := tx.WriteEqualityDeletes(ctx, []int{1}, only(d.keys))
	if err != nil {
		return nil, err
	}
	delta := tx.NewRowDelta(ice.Properties{"position": "1"}).AddDeletes(deletes...)
	for f, err := range table.WriteRecords(ctx, t, d.rows.Schema(), only(d.rows)) {
		if err != nil {
			return nil, err
		}
		delta.AddRows(f)
	}
	if err := delta.Commit(ctx); err != nil {
		return nil, err
	}
	return tx.Commit(ctx)
}

// loadTable opens the table of a lakehouse with the library.
func loadTable(dir string) (*table.Table, func() error, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "catalog.db")+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, nil, err
	}
	c, err := sqlcat.NewCatalog("rowdelta", db, sqlcat.SQLite, ice.Properties{"warehouse": "file://" + filepath.Join(dir, "warehouse")})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	t, err := c.LoadTable(context.Background(), table.Identifier{purchases.Schema, purchases.Name})
	return t, db.Close, err
}

func only(r arrow.RecordBatch) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		r.Retain()
		yield(r, nil)
	}
}

// deltaJob measures deltas of so many keys into a table of so many rows: ours from changes, the library's from batches
// that are ready. Each has a table of its own, and both write equality deletes.
func deltaJob(rows, keys int) func() (*prepared, error) {
	return func() (*prepared, error) {
		touches := newGenerator(13).touches(rows, keys)
		changes, err := changesOf(touches)
		if err != nil {
			return nil, err
		}
		p := &prepared{ops: keys}
		var tables [2]*lakehouse
		// The library's table has the library's defaults.
		properties := [2]map[string]string{1: {table.ParquetCompressionLevelKey: "-1", "write.parquet.dict-encoding-enabled.column.order_id": "true"}}
		for i := range tables {
			if tables[i], err = openLakehouse(rows, properties[i]); err != nil {
				return nil, errors.Join(err, p.close())
			}
			p.closers = append(p.closers, tables[i].close)
		}
		their, done, err := loadTable(tables[1].dir)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.closers = append(p.closers, done)
		batches, err := arrowOf(their, touches)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.contenders = []contender{
			{ours, func() error { return tables[0].write(changes) }},
			{"iceberg-go", func() (err error) { their, err = batches.write(their); return err }},
		}
		return p, deltaAgree(p, tables)
	}
}

var errDelta = errors.New("the tables differ")

// deltaAgree has both write once and compares the tables.
func deltaAgree(p *prepared, tables [2]*lakehouse) error {
	for _, c := range p.contenders {
		if err := c.pass(); err != nil {
			return err
		}
	}
	n, sum, err := tables[0].sum()
	if err != nil {
		return err
	}
	m, other, err := tables[1].sum()
	if err != nil {
		return err
	}
	if n != m || sum != other {
		return fmt.Errorf("%w: %d and %d rows, sums %x and %x", errDelta, n, m, sum, other)
	}
	return nil
}

// scanJob measures how long a table is read that took so many small deltas, with maintenance after each so many, and
// the same table after all of it was written anew. An op is one row.
func scanJob(rows, deltas, keys, every int) func() (*prepared, error) {
	return func() (*prepared, error) {
		p := new(prepared)
		l, err := openLakehouse(rows, nil)
		if err != nil {
			return nil, err
		}
		p.closers = append(p.closers, l.close)
		g := newGenerator(17)
		for i := range deltas {
			changes, err := changesOf(g.touches(rows, keys))
			if err == nil {
				err = l.write(changes)
			}
			if err == nil && (i+1)%every == 0 {
				_, err = l.committer.Maintain(context.Background(), purchases, committer.Maintenance{})
			}
			if err != nil {
				return nil, errors.Join(err, p.close())
			}
		}
		fresh, err := l.rewritten()
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.closers = append(p.closers, fresh.close)
		n, sum, err := l.sum()
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		m, other, err := fresh.sum()
		if err != nil || n != m || sum != other {
			return nil, errors.Join(errDelta, err, p.close())
		}
		p.ops = n
		p.contenders = []contender{{ours, l.scan}, {"compacted", fresh.scan}}
		return p, nil
	}
}

// rewritten returns a lakehouse with the same rows, written at once.
func (l *lakehouse) rewritten() (*lakehouse, error) {
	fresh, err := openLakehouse(0, nil)
	if err != nil {
		return nil, err
	}
	info, err := l.committer.Info(context.Background(), purchases)
	if err != nil {
		return nil, errors.Join(err, fresh.close())
	}
	for rows, err := range l.committer.Rows(context.Background(), purchases, 0) {
		if err == nil {
			d := &iceberg.Delta{Table: purchases, Schema: info.Schema, Rows: *rows, Keys: iceberg.Rows{Len: rows.Len, Columns: make([]iceberg.Vector, len(rows.Columns))}}
			d.Keys.Columns[0] = rows.Columns[0]
			err = fresh.committer.Commit(context.Background(), d)
		}
		if err != nil {
			return nil, errors.Join(err, fresh.close())
		}
	}
	_, err = fresh.committer.Maintain(context.Background(), purchases, committer.Maintenance{Files: 2})
	return fresh, err
}

// scan reads all there is.
func (l *lakehouse) scan() error {
	for _, err := range l.committer.Rows(context.Background(), purchases, 0) {
		if err != nil {
			return err
		}
	}
	return nil
}
