package committer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// mergeManifests merges small manifests of data files if there are many. The snapshot
// that does it has no position, since the library takes no properties for it:
// progressOf goes past it.
func (w *maintaining) mergeManifests(ctx context.Context) error {
	t, err := w.c.load(ctx, w.source)
	if err != nil || t.CurrentSnapshot() == nil {
		return err
	}
	target := int64(t.Properties().GetInt(table.ManifestTargetSizeBytesKey, table.ManifestTargetSizeBytesDefault))
	isSmall := func(m ice.ManifestFile) bool {
		return m.ManifestContent() == ice.ManifestContentData && m.Length() < target/2
	}
	storage, err := t.FS(ctx)
	if err != nil {
		return err
	}
	manifests, err := t.CurrentSnapshot().Manifests(storage)
	if err != nil {
		return err
	}
	manifests = slices.DeleteFunc(manifests, func(m ice.ManifestFile) bool { return !isSmall(m) })
	if len(manifests) < w.Manifests {
		return nil
	}
	return w.contend(ctx, w.lock, func(ctx context.Context, t *table.Table) (func() error, error) {
		tx := t.NewTransaction()
		if err := tx.AssertRefSnapshotID(""); err != nil {
			return nil, err
		}
		done, err := tx.RewriteManifests(ctx, table.WithRewriteManifestPredicate(isSmall))
		if err != nil || done.IsNoOp() {
			return nil, err
		}
		return func() error {
			if _, err := tx.Commit(ctx); err != nil {
				return err
			}
			w.done.Manifests += len(done.RewrittenManifests)
			return nil
		}, nil
	})
}

// expire lets snapshots expire, and removes the files that only they had.
func (w *maintaining) expire(ctx context.Context) error {
	var before, after *table.Table
	var ids []int64
	err := w.contend(ctx, w.lock, func(ctx context.Context, t *table.Table) (func() error, error) {
		if !collects(t) {
			return nil, nil
		}
		tx := t.NewTransaction()
		if err := tx.AssertRefSnapshotID(""); err != nil {
			return nil, err
		}
		// The files are removed later, without the table's lock.
		if err := tx.ExpireSnapshots(table.WithRetainLast(w.Snapshots), table.WithOlderThan(w.Age), table.WithPostCommit(false)); err != nil {
			return nil, err
		}
		staged, err := tx.StagedTable()
		if err != nil {
			return nil, err
		}
		if ids = expired(t, staged.Table); len(ids) == 0 {
			return nil, nil
		}
		return func() (err error) {
			before = t
			after, err = tx.Commit(ctx)
			return err
		}, nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	w.done.Snapshots += len(ids)
	err = table.NewRemoveSnapshotsUpdate(ids, true).PostCommit(ctx, before, after)
	return withoutMissing(err)
}

// expired returns the snapshots that a table has and another state of it has not.
func expired(before, after *table.Table) []int64 {
	var ids []int64
	for _, s := range before.Metadata().Snapshots() {
		if after.SnapshotByID(s.SnapshotID) == nil {
			ids = append(ids, s.SnapshotID)
		}
	}
	return ids
}

// withoutMissing leaves out of an error that files are not there: the library removes
// what compaction replaced once for each snapshot that tells of it, and somebody else
// may be removing the same.
func withoutMissing(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, withoutMissing(e))
		}
		return errors.Join(rest...)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeOrphans removes old files that no snapshot has.
//
// Only the two folders are looked into where a table has its files: below its location
// there may be another table's.
func (w *maintaining) removeOrphans(ctx context.Context) error {
	t, err := w.c.load(ctx, w.source)
	if err != nil || !collects(t) {
		return err
	}
	for _, folder := range []string{"/data", "/metadata"} {
		done, err := t.DeleteOrphanFiles(ctx,
			table.WithLocation(strings.TrimSuffix(t.Location(), "/")+folder),
			table.WithFilesOlderThan(w.Orphan))
		w.done.Orphans += len(done.DeletedFiles)
		if err = withoutMissing(err); err != nil {
			return fmt.Errorf("%s: %w", folder[1:], err)
		}
	}
	return nil
}

// collects reports whether files of the table may be removed. They may not if other
// tables have them too.
func collects(t *table.Table) bool {
	return strings.EqualFold(t.Properties().Get(table.GCEnabledKey, "true"), "true")
}
