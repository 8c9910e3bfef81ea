package committer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/rowdelta/rowdelta/envelope"
)

// ErrBusy is the cause of an error of Maintain when other processes changed the table
// so often that what was prepared never fitted. Nothing is lost by it.
var ErrBusy = errors.New("committer: other processes keep changing the table")

// Maintenance is what Maintain does to a table. The zero value does everything, with
// limits that suit a table into which deltas are committed all day.
type Maintenance struct {
	// FileSize is how many bytes a data file should have; 0 means the table's property
	// write.target-file-size-bytes, or else 128 MiB. About as much is read and written
	// at a time.
	FileSize int64

	// SmallFile is below how many bytes a data file is small; 0 means three quarters of
	// FileSize. Files is how many small ones of a partition are written together; with
	// fewer of them it is not worth it. 0 means 5.
	SmallFile int64
	Files     int

	// Deletes is with how many delete files a data file is written anew, whatever its
	// size: a reader must look into all of them. 0 means 5. Deleted is the same for the
	// share of its rows that a deletion vector marks; 0 means 0.3.
	Deletes int
	Deleted float64

	// Manifests is with how many small manifests they are merged; 0 means 32.
	Manifests int

	// Snapshots and Age are how many snapshots stay at least, and up to which age all of
	// them do; what is in neither expires, and its files are removed. 0 means 20
	// snapshots and 6 hours. A reader that needs longer than that for a snapshot does not
	// find its files any more. Branches and tags with limits of their own keep them.
	Snapshots int
	Age       time.Duration

	// Orphan is from which age on a file is removed that no snapshot names; 0 means 3
	// days. All files of a delta are orphans until it is committed: it must be much
	// longer than any commit takes.
	Orphan time.Duration

	// These leave steps out. Orphans are found by listing all files of the table and
	// reading all manifests: for large tables, once a day is enough.
	NoCompaction, NoManifests, NoExpiry, NoOrphans bool
}

// Maintained is what Maintain did.
type Maintained struct {
	Rewritten int // data files that were written anew
	Written   int // data files that were made of them
	Deletes   int // delete files and deletion vectors that were dropped since they apply to nothing any more
	Manifests int // manifests that were merged into others
	Snapshots int // snapshots that expired
	Orphans   int // files that were removed since no snapshot named them
}

// Maintain keeps a table fast to read and to commit to. It writes small data files and
// those with many deletes together, drops deletes that apply to nothing, merges small
// manifests, lets old snapshots expire and removes files that nothing names, each in
// commits of its own. It neither changes rows nor positions.
//
// It may run at any time, beside commits of deltas too: it reads and writes without
// stopping them, and stops those of this Committer only while it commits itself. Rows
// that are deleted meanwhile stay deleted. With DeletionVectors and CopyOnWrite, files
// that deltas change while they are being read are read again, this time with the
// table's lock: the next delta waits until FileSize bytes are written. That only works
// in the process that commits the deltas; from another one, [ErrBusy] is likely for as
// long as there are deltas all the time.
//
// A step that fails does not keep the others from being done. What was done is also
// returned with an error. A table that does not exist needs nothing.
func (c *Committer) Maintain(ctx context.Context, source envelope.Table, m Maintenance) (*Maintained, error) {
	done := new(Maintained)
	t, err := c.load(ctx, source)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	w := &maintaining{c: c, source: source, Maintenance: m.defaults(t), done: done}
	var errs []error
	for _, step := range []struct {
		name string
		out  bool
		do   func(context.Context) error
	}{
		{"compact", m.NoCompaction, w.compact},
		{"merge manifests", m.NoManifests, w.mergeManifests},
		{"expire snapshots", m.NoExpiry, w.expire},
		{"remove orphans", m.NoOrphans, w.removeOrphans},
	} {
		if step.out || ctx.Err() != nil {
			continue
		}
		if err := step.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("committer: %s of table %s: %w", step.name, source, err))
		}
	}
	return done, cmp.Or(errors.Join(errs...), ctx.Err())
}

func (m Maintenance) defaults(t *table.Table) Maintenance {
	m.FileSize = cmp.Or(m.FileSize, int64(t.Properties().GetInt(table.WriteTargetFileSizeBytesKey, 128<<20)))
	m.SmallFile = cmp.Or(m.SmallFile, m.FileSize/4*3)
	m.Files = cmp.Or(m.Files, 5)
	m.Deletes = cmp.Or(m.Deletes, 5)
	m.Deleted = cmp.Or(m.Deleted, 0.3)
	m.Manifests = cmp.Or(m.Manifests, 32)
	m.Snapshots = cmp.Or(m.Snapshots, 20)
	m.Age = cmp.Or(m.Age, 6*time.Hour)
	m.Orphan = cmp.Or(m.Orphan, 72*time.Hour)
	return m
}

// A maintaining is one run of Maintain.
type maintaining struct {
	c      *Committer
	source envelope.Table
	Maintenance
	done *Maintained
}

// lock takes the table's lock.
func (w *maintaining) lock() (unlock func()) { return w.c.lock(w.source) }

// contend commits what stage makes of the table as it is, each time anew, until it
// succeeds. stage returns nil if there is nothing to commit. The first time, only the
// commit is done with the lock; when that was too late, all is.
//
// That somebody in another process was faster shows by the table's head too: of the
// errors for it not all have a type.
func (w *maintaining) contend(ctx context.Context, lock func() (unlock func()), stage func(context.Context, *table.Table) (commit func() error, err error)) error {
	var head *int64
	moved := false
	for n := 1; ; n++ {
		err := func() error {
			if n > 1 {
				defer lock()()
			}
			t, err := w.c.load(ctx, w.source)
			if err != nil {
				return err
			}
			now := headOf(t)
			moved, head = head != nil && *head != now, &now
			commit, err := stage(ctx, t)
			if err != nil || commit == nil {
				return err
			}
			if n == 1 {
				defer lock()()
			}
			return commit()
		}()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case n == 1:
			continue
		case n < 2*w.c.options.Attempts:
		case moved || isConflict(err):
			return fmt.Errorf("%w: %w", ErrBusy, err)
		default:
			return err
		}
		// Never long: the others have pauses, of which one must be hit, and the more they
		// commit until then, the longer an attempt takes.
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(rand.N(50 * time.Millisecond)):
		}
	}
}

// isConflict reports whether an error says that somebody else was faster, and so that
// nothing was committed. The SQL catalog's for a stale base has no type.
func isConflict(err error) bool {
	return errors.Is(err, table.ErrCommitFailed) || strings.HasPrefix(err.Error(), "requirement failed")
}

// headOf returns the ID of the newest snapshot, or 0.
func headOf(t *table.Table) int64 {
	if s := t.CurrentSnapshot(); s != nil {
		return s.SnapshotID
	}
	return 0
}
