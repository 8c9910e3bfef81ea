package committer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer/internal/seam"
)

// Options are what a Committer does beyond the default.
type Options struct {
	// Name returns the namespace and the name of the Iceberg table for a table of the
	// source. Nil means [Name].
	Name func(envelope.Table) (namespace, name string)

	// Deletes says how rows are deleted. The zero value is EqualityDeletes.
	Deletes Deletes

	// Input is the name of the input that the positions of deltas are in. Several inputs
	// of a table, such as the partitions of a topic that different processes read, need
	// different names; each has a position of its own. It is made of letters, digits, '-'
	// and '_'.
	Input string

	// Compare orders positions: it is negative if a is before b. With it, a delta that
	// ends where the table is already, or before, is left out, also if it was cut
	// otherwise before a crash. Without it, only the same delta is.
	Compare func(a, b string) int

	// Evolution says what becomes of columns on which a table and a delta do not agree.
	Evolution iceberg.Policy

	// Unknown says what becomes of values that neither the source sent nor the table has.
	// An incremental snapshot can bring the row of an update after that: with UnknownNull
	// such values are null until then.
	Unknown Unknown

	// Properties are properties of tables that are made, in addition to or in place of
	// the Committer's own.
	Properties map[string]string

	// Partition tells how a table that is made is partitioned: of columns of its key
	// only, such as bucket[16](id) or truncate[4](code).
	Partition map[envelope.Table][]string

	// Attempts is how often a commit is tried that another one overtakes, or that fails
	// in the catalog or the storage; 0 means 8. Between two attempts it waits, 50 ms at
	// first and twice as long each time, up to 5 s.
	Attempts int
}

// Unknown says what becomes of values that neither the source sent nor the table has.
type Unknown uint8

// What becomes of them.
const (
	UnknownFail Unknown = iota // the delta is refused with an [*iceberg.GapError]
	UnknownNull                // they are null
)

// Name is the default for the name of a table: the source's schema, or else its
// database, as the namespace and its table's name, both in lower case.
func Name(t envelope.Table) (namespace, name string) {
	return strings.ToLower(cmp.Or(t.Schema, t.DB, "default")), strings.ToLower(t.Name)
}

// A Committer writes deltas into tables of one catalog. It implements
// [iceberg.Committer].
//
// It is safe for concurrent use: deltas of different tables are committed side by side,
// those of one table one after another.
type Committer struct {
	catalog catalog.Catalog
	closers []io.Closer
	options Options
	suffix  string // of its properties

	// location returns where the files of a table go that is made; nil leaves that to the
	// catalog.
	location func(table.Identifier) string

	mu    sync.Mutex
	locks map[string]*sync.Mutex // by table
}

var _ iceberg.Committer = (*Committer)(nil)

// New returns a Committer for a catalog that another package of this module knows to
// open, such as restcatalog. See [Local] for the embedded one.
func New(s *seam.Source, o Options) (*Committer, error) {
	suffix := ""
	if o.Input != "" {
		suffix = "." + o.Input
	}
	if strings.ContainsFunc(o.Input, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return nil, fmt.Errorf("committer: name of the input: %q", o.Input)
	}
	if o.Name == nil {
		o.Name = Name
	}
	o.Attempts = cmp.Or(o.Attempts, 8)
	return &Committer{catalog: s.Catalog, closers: s.Closers, options: o, suffix: suffix, locks: make(map[string]*sync.Mutex)}, nil
}

// Close closes the catalog's connections.
func (c *Committer) Close() error {
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer.Close())
	}
	return errors.Join(errs...)
}

// Commit implements [iceberg.Committer].
//
// Whether a commit of which the catalog gave no clear answer was done is found out by
// reading the table again. If even that fails, so does Commit, and the same delta can be
// committed again: it is left out if it is there.
func (c *Committer) Commit(ctx context.Context, d *iceberg.Delta) error {
	unlock := c.lock(d.Table)
	defer unlock()
	w := &writing{c: c, source: d}
	return c.retry(ctx, func() error { return w.attempt(ctx) })
}

// Position implements [iceberg.Committer].
func (c *Committer) Position(ctx context.Context, source envelope.Table) (string, error) {
	t, err := c.load(ctx, source)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return progressOf(t)[propertyPosition+c.suffix], nil
}

// lock takes the lock of a table.
func (c *Committer) lock(source envelope.Table) (unlock func()) {
	namespace, name := c.options.Name(source)
	key := namespace + "\x00" + name
	c.mu.Lock()
	l := c.locks[key]
	if l == nil {
		l = new(sync.Mutex)
		c.locks[key] = l
	}
	c.mu.Unlock()
	l.Lock()
	return l.Unlock
}

func (c *Committer) identifier(source envelope.Table) table.Identifier {
	namespace, name := c.options.Name(source)
	return append(catalog.ToIdentifier(namespace), name)
}

func (c *Committer) load(ctx context.Context, source envelope.Table) (*table.Table, error) {
	t, err := c.catalog.LoadTable(ctx, c.identifier(source))
	if err != nil {
		return nil, fmt.Errorf("committer: load table for %s: %w", source, err)
	}
	return t, nil
}

// errAgain says that an attempt did a part of its work, or that somebody was faster.
var errAgain = errors.New("committer: another attempt is needed")

// retry calls attempt until it succeeds or it makes no sense any more.
func (c *Committer) retry(ctx context.Context, attempt func() error) error {
	wait := 50 * time.Millisecond
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || permanent(err) || ctx.Err() != nil || n == c.options.Attempts {
			return err
		}
		if errors.Is(err, errAgain) {
			continue
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(wait/2 + rand.N(wait/2)): // apart from others that wait
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// permanent reports whether a delta can never be committed as it is.
func permanent(err error) bool {
	if _, ok := errors.AsType[*iceberg.SchemaError](err); ok {
		return true
	}
	_, ok := errors.AsType[*iceberg.GapError](err)
	return ok
}
