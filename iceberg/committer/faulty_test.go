package committer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer/internal/seam"
)

// A fault is what goes wrong with one of a catalog's calls.
type fault int

const (
	none          fault = iota
	conflict            // refused, with the library's type
	requirement         // refused, without one (T3)
	unavailable         // no answer, and nothing was done
	answerLost          // no answer, and it was done
	lostUnderRows       // the same, and another writer adds rows
	cancels             // the caller gives up before it is done
	cancelsAfter        // or after
	rivalDelta          // another process commits the same delta first
	rivalRows           // another writer adds rows of its own first
	rivalColumn         // another writer adds a column first
	rivalFiles          // maintenance rewrites the files first
	faults
)

// A faultyCatalog has faults, in turn, whenever it loads or commits a table.
type faultyCatalog struct {
	catalog.Catalog
	plan   []fault
	loads  []bool // whether one fails
	cancel context.CancelFunc
	rival  func(fault)
	had    map[fault]int
	count  int  // of faults
	typed  bool // says of a stale base what REST catalogs say, and the library knows
}

func (f *faultyCatalog) LoadTable(ctx context.Context, id table.Identifier) (*table.Table, error) {
	if len(f.loads) > 0 {
		fails := f.loads[0]
		f.loads = f.loads[1:]
		if fails {
			f.had[faults]++
			f.count++
			return nil, errors.New("503 service unavailable")
		}
	}
	t, err := f.Catalog.LoadTable(ctx, id)
	if err != nil {
		return nil, err
	}
	return table.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), t.FS, f), nil
}

func (f *faultyCatalog) CreateTable(ctx context.Context, id table.Identifier, s *ice.Schema, o ...catalog.CreateTableOpt) (*table.Table, error) {
	next := f.next()
	switch next {
	case unavailable, conflict, requirement:
		return nil, errors.New("503 service unavailable")
	case cancels:
		f.cancel()
		return nil, ctx.Err()
	case rivalDelta:
		f.rival(next)
	}
	t, err := f.Catalog.CreateTable(ctx, id, s, o...)
	if err != nil {
		return nil, err
	}
	switch next {
	case answerLost:
		return nil, errors.New("504 gateway timeout")
	case cancelsAfter:
		f.cancel()
		return nil, ctx.Err()
	}
	return table.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), t.FS, f), nil
}

func (f *faultyCatalog) CommitTable(ctx context.Context, id table.Identifier, requirements []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	next := f.next()
	switch next {
	case conflict:
		return nil, "", fmt.Errorf("%w: table moved", table.ErrCommitFailed)
	case requirement:
		return nil, "", errors.New("requirement failed: branch main has changed: expected id 1, found 2")
	case unavailable:
		return nil, "", errors.New("503 service unavailable")
	case cancels:
		f.cancel()
		return nil, "", ctx.Err()
	case rivalDelta, rivalRows, rivalColumn, rivalFiles:
		f.rival(next)
	}
	m, location, err := f.Catalog.CommitTable(ctx, id, requirements, updates)
	switch {
	case err != nil && f.typed && strings.HasPrefix(err.Error(), "requirement failed"):
		err = fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	case err == nil && next == answerLost:
		return nil, "", errors.New("504 gateway timeout")
	case err == nil && next == lostUnderRows:
		f.rival(rivalRows)
		return nil, "", errors.New("504 gateway timeout")
	case err == nil && next == cancelsAfter:
		f.cancel()
		return nil, "", ctx.Err()
	}
	return m, location, err
}

func (f *faultyCatalog) next() fault {
	if len(f.plan) == 0 {
		return none
	}
	next := f.plan[0]
	f.plan = f.plan[1:]
	f.had[next]++
	if next != none {
		f.count++
	}
	return next
}

var memories atomic.Int64

// inMemory returns a catalog that is gone with the test.
func inMemory() (catalog.Catalog, *sql.DB, error) {
	n := memories.Add(1)
	db, err := sql.Open("sqlite", fmt.Sprintf("file:faulty%d?mode=memory&cache=shared", n))
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	c, err := sqlcat.NewCatalog("rowdelta", db, sqlcat.SQLite, ice.Properties{"warehouse": fmt.Sprintf("mem://faulty%d", n)})
	return c, db, err
}

const attempts = 3

// A trial is changes that are committed while much goes wrong.
type trial struct {
	*rand.Rand // for what the property did not draw
	log        *log
	deletes    Deletes
	disordered bool
	typed      bool
	retries    string // of the library, which replays what it has over whatever there is
	cuts       []int  // how many changes a delta has, in turn
	plan       []fault
	loads      []bool
	had        map[fault]int

	catalog catalog.Catalog
	faulty  *faultyCatalog
	c       *Committer
	delta   *iceberg.Delta // that is being committed
	foreign int            // rows of another writer
}

// committer returns another Committer, as a process that starts anew has it.
func (tr *trial) committer(c catalog.Catalog) *Committer {
	out, err := New(&seam.Source{Catalog: c}, Options{Deletes: tr.deletes, Attempts: attempts, Properties: map[string]string{
		// The library's compressors have channels of their own, which must not be used in a
		// bubble of synctest and outside of it.
		table.ParquetCompressionKey: "uncompressed",
		"commit.retry.num-retries":  tr.retries,
	}})
	if err != nil {
		panic(err)
	}
	return out
}

// run commits all changes and says what is wrong with the table.
func (tr *trial) run(ctx context.Context) error {
	inner, db, err := inMemory()
	if err != nil {
		return err
	}
	defer db.Close()
	tr.catalog = inner
	tr.faulty = &faultyCatalog{Catalog: inner, plan: tr.plan, loads: tr.loads, had: tr.had, typed: tr.typed}
	tr.faulty.rival = func(f fault) {
		if err := tr.interfere(ctx, f); err != nil {
			panic(err)
		}
	}
	tr.c = tr.committer(tr.faulty)
	b := &iceberg.Builder{Disordered: tr.disordered}
	var ends []string
	for at, n := 0, 0; at < len(tr.log.changes); n++ {
		end := tr.log.whole(at + tr.cuts[n%len(tr.cuts)])
		if err := tr.add(b, at, end); err != nil {
			return err
		}
		for _, d := range b.Flush(placed(at), placed(end)) {
			if err := tr.commit(ctx, d); err != nil {
				return err
			}
			if d.Schema != nil || len(ends) > 0 {
				ends = append(ends, d.To)
			}
		}
		at = end
	}
	return tr.check(ctx, ends)
}

// add adds changes to the Builder: in order with some of them again, or in any order and
// as often.
func (tr *trial) add(b *iceberg.Builder, at, end int) error {
	var order []int
	for i := at; i < end; i++ {
		order = append(order, i)
		if tr.IntN(4) == 0 { // the stream goes back
			for j := at + tr.IntN(i-at+1); j <= i; j++ {
				order = append(order, j)
			}
		}
	}
	if tr.disordered {
		tr.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	for _, i := range order {
		c := tr.log.changes[i].Clone()
		if err := b.Add(&c); err != nil {
			return err
		}
	}
	return nil
}

// commit commits a delta, again after each error, also as another process.
func (tr *trial) commit(ctx context.Context, d *iceberg.Delta) error {
	tr.delta = d
	var last error
	for range 50 {
		once, cancel := context.WithCancel(ctx)
		tr.faulty.cancel = cancel
		before := tr.faulty.count
		last = tr.c.Commit(once, d)
		gaveUp := once.Err() == nil
		cancel()
		if last == nil {
			return nil
		}
		if n := tr.faulty.count - before; gaveUp && n < attempts {
			return fmt.Errorf("the delta up to %s: given up after %d faults: %w", d.To, n, last)
		}
		if permanent(last) {
			break
		}
		if tr.IntN(2) == 0 {
			tr.c = tr.committer(tr.faulty)
		}
	}
	return fmt.Errorf("the delta up to %s: %w", d.To, last)
}

// interfere is what others do to the table.
func (tr *trial) interfere(ctx context.Context, f fault) error {
	rival := tr.committer(tr.catalog)
	if f == rivalDelta {
		return rival.Commit(ctx, tr.delta)
	}
	t, err := rival.load(ctx, parcels)
	if err != nil {
		return err
	}
	switch f {
	case rivalRows:
		tr.foreign++
		s := &iceberg.Schema{Key: []string{"id"}, Columns: schemaOf(t.Schema()).Columns[:1]}
		rows := iceberg.Rows{Len: 1, Columns: []iceberg.Vector{{Null: []bool{false}, Ints: []int64{int64(1000 + tr.foreign)}}}}
		files, err := writeRows(ctx, t, &iceberg.Delta{Table: parcels, Schema: s, Rows: rows})
		if err != nil {
			return err
		}
		tx := t.NewTransaction()
		if err := tx.NewRowDelta(nil).AddRows(files...).Commit(ctx); err != nil {
			return err
		}
		_, err = tx.Commit(ctx)
		return err
	case rivalColumn:
		tx := t.NewTransaction()
		name := fmt.Sprintf("other_%d", len(t.Schema().Fields()))
		if err := tx.UpdateSchema(true, false).AddColumn([]string{name}, ice.PrimitiveTypes.String, "", false, nil).Commit(); err != nil {
			return err
		}
		_, err := tx.Commit(ctx)
		return err
	}
	_, err = rival.Maintain(ctx, parcels, Maintenance{Files: 2, NoExpiry: true, NoOrphans: true})
	return err
}

// check compares the table with the source's, and its snapshots with the deltas.
func (tr *trial) check(ctx context.Context, ends []string) error {
	c := tr.committer(tr.catalog)
	if len(ends) == 0 {
		return nil
	}
	position, err := c.Position(ctx, parcels)
	if err != nil || position != placed(len(tr.log.changes)) {
		return fmt.Errorf("the table is at %q: %w", position, err)
	}
	got, err := parcelsOf(ctx, c)
	if err != nil {
		return err
	}
	all := len(got)
	maps.DeleteFunc(got, func(id int64, _ parcel) bool { return id > 1000 })
	if want := tr.log.state(position); !maps.Equal(got, want) {
		return fmt.Errorf("the table has %v, want %v", got, want)
	}
	foreign := all - len(got)
	if !slices.ContainsFunc(tr.log.changes, func(c envelope.Change) bool { return c.Op == envelope.OpTruncate }) && foreign != tr.foreign {
		return fmt.Errorf("%d rows of another writer, want %d", foreign, tr.foreign)
	}
	t, err := c.load(ctx, parcels)
	if err != nil {
		return err
	}
	// A snapshot of another writer says nothing of a position; one of maintenance that of
	// its parent.
	var seen []string
	for s := t.CurrentSnapshot(); s != nil; {
		to := s.Summary.Properties[propertyTo]
		if to != "" && s.Summary.Operation != table.OpReplace {
			seen = append(seen, to)
		}
		if s.ParentSnapshotID == nil {
			break
		}
		s = t.SnapshotByID(*s.ParentSnapshotID)
	}
	slices.Reverse(seen)
	if !slices.Equal(seen, ends) {
		return fmt.Errorf("deltas up to %v are snapshots, want those up to %v", seen, ends)
	}
	return nil
}

// Whatever the changes, in any order and repeated, cut into any deltas, and whatever goes
// wrong before, during and after their commits: the table is the source's, and each delta
// is one snapshot. Time stands still where a Committer waits.
func TestFaultyCatalog(t *testing.T) {
	had := map[fault]int{}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		tr := &trial{
			Rand:       rand.New(rand.NewPCG(seed, 5)),
			deletes:    rapid.SampledFrom([]Deletes{EqualityDeletes, EqualityDeletes, DeletionVectors, CopyOnWrite}).Draw(rt, "deletes"),
			disordered: rapid.Bool().Draw(rt, "disordered"),
			typed:      rapid.Bool().Draw(rt, "typed"),
			retries:    rapid.SampledFrom([]string{"0", "3"}).Draw(rt, "retries"),
			cuts:       rapid.SliceOfN(rapid.IntRange(1, 12), 1, 8).Draw(rt, "cuts"),
			plan: rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(faults)+3), func(n int) fault {
				return map[bool]fault{true: fault(n)}[n < int(faults)]
			}), 0, 40).Draw(rt, "faults"),
			loads: rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 5), func(n int) bool { return n == 5 }), 0, 12).Draw(rt, "loads"),
			had:   had,
		}
		tr.log = logOf(seed, rapid.IntRange(1, 60).Draw(rt, "changes"), map[bool]int{false: 100}[tr.disordered])
		var err error
		synctest.Test(t, func(t *testing.T) { err = tr.run(t.Context()) })
		if err != nil {
			rt.Fatal(err)
		}
	})
	if t.Failed() {
		return
	}
	for f := none; f <= faults; f++ { // loads count as faults
		require.NotZero(t, had[f], "nothing is shown of fault %d", f)
	}
}
