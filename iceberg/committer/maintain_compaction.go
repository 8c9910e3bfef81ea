package committer

import (
	"context"
	"fmt"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// atOnce is how many times FileSize are committed at once: so little that not much is
// lost when it fails, and so much that many small partitions are one snapshot.
const atOnce = 8

// compact writes data files together that are small or have many deletes.
func (w *maintaining) compact(ctx context.Context) error {
	stale, err := w.compactBeside(ctx)
	if err != nil || stale == 0 {
		return err
	}
	return w.compactAlone(ctx, stale)
}

// compactBeside does it without the table's lock. It returns how many groups it had to
// give up since somebody changed their files meanwhile.
func (w *maintaining) compactBeside(ctx context.Context) (stale int, err error) {
	t, groups, err := w.plan(ctx)
	if err != nil {
		return 0, err
	}
	if len(groups) == 0 {
		return 0, w.dropDead(ctx, t)
	}
	for len(groups) > 0 {
		n, bytes := 0, int64(0)
		for n < len(groups) && (n == 0 || bytes+groups[n].bytes <= atOnce*w.FileSize) {
			bytes += groups[n].bytes
			n++
		}
		r := &rewriting{maintaining: w, base: t, groups: groups[:n]}
		if err := r.write(ctx); err != nil {
			return stale, err
		}
		if err := r.replace(ctx, w.lock); err != nil {
			return stale, err
		}
		stale += r.stale
		groups = groups[n:]
	}
	return stale, nil
}

// compactAlone does it with the table's lock, one group after another.
func (w *maintaining) compactAlone(ctx context.Context, groups int) error {
	stale := 0
	for range groups {
		done, err := w.compactOne(ctx, &stale)
		if err != nil || done {
			return err
		}
	}
	if stale > 0 {
		return fmt.Errorf("%w: %d groups of data files are as they were", ErrBusy, stale)
	}
	return nil
}

// compactOne does it with one group, and reports whether there is none left.
func (w *maintaining) compactOne(ctx context.Context, stale *int) (done bool, err error) {
	defer w.lock()()
	t, groups, err := w.plan(ctx)
	if err != nil || len(groups) == 0 {
		return true, err
	}
	r := &rewriting{maintaining: w, base: t, groups: groups[:1]}
	if err := r.write(ctx); err != nil {
		return false, err
	}
	err = r.replace(ctx, func() func() { return func() {} })
	*stale += r.stale
	return false, err
}

// plan returns the table as it is, and what is to be written anew.
func (w *maintaining) plan(ctx context.Context) (*table.Table, []*group, error) {
	t, err := w.c.load(ctx, w.source)
	if err != nil || t.CurrentSnapshot() == nil {
		return t, nil, err
	}
	tasks, err := wholeFiles(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	return t, w.groups(t, tasks), nil
}

// dropDead drops deletes that apply to nothing, if there are some.
func (w *maintaining) dropDead(ctx context.Context, t *table.Table) error {
	var cache manifestCache
	l, err := cache.read(ctx, t)
	if err != nil {
		return err
	}
	dead, err := l.dead(ctx, t, nil, 0)
	if err != nil || len(dead) == 0 {
		return err
	}
	r := &rewriting{maintaining: w, base: t, cache: cache}
	return r.replace(ctx, w.lock)
}

// A rewriting is groups of data files on the way to be replaced.
type rewriting struct {
	*maintaining
	base   *table.Table // as it was when the groups were read
	groups []*group
	stale  int // groups that were given up
	cache  manifestCache
	places map[string]bool
	tried  bool // a commit may have been done without an answer
}

// write writes the groups' files, with the deletes applied that base has.
func (r *rewriting) write(ctx context.Context) error {
	was, err := r.cache.read(ctx, r.base)
	if err != nil {
		return err
	}
	r.places = was.places()
	for _, g := range r.groups {
		// What is in memory at a time is rows of a few files and of a few batches.
		done, err := table.ExecuteCompactionGroup(ctx, r.base, table.CompactionTaskGroup{
			PartitionKey: partitionOf(g.tasks[0].File), Tasks: g.tasks, TotalSizeBytes: g.bytes,
		},
			table.WithCompactionTargetFileSize(r.FileSize),
			table.WithCompactionScanConcurrency(2),
			table.WithCompactionArrowBatchSize(1<<14),
			table.WithCompactionRecordBatchBufferSize(4))
		g.made = done.NewDataFiles
		if err != nil {
			r.remove(context.WithoutCancel(ctx), r.groups...)
			return err
		}
	}
	return nil
}

// replace replaces the groups in the table, each attempt with a lock. If it fails, what
// was written is removed.
func (r *rewriting) replace(ctx context.Context, lock func() (unlock func())) error {
	err := r.contend(ctx, lock, r.stage)
	if err != nil {
		r.remove(context.WithoutCancel(ctx), r.groups...)
	}
	return err
}

// stage replaces the groups in the table as it is now, if they are still in it as they
// were read.
func (r *rewriting) stage(ctx context.Context, now *table.Table) (commit func() error, err error) {
	l, err := r.cache.read(ctx, now)
	if err != nil {
		return nil, err
	}
	if r.landed(l) {
		r.count(0)
		return nil, nil
	}
	r.sort(ctx, now, l)
	// What was made of the files is as old as the snapshot they were read from: equality
	// deletes that were committed since apply to it, as they did to the files.
	read := int64(0)
	if s := r.base.CurrentSnapshot(); s != nil {
		read = s.SequenceNumber
	}
	dead, err := l.dead(ctx, now, r.groups, read)
	if err != nil || len(dead)+len(r.groups) == 0 {
		return nil, err
	}
	tx := now.NewTransaction()
	if err := tx.AssertRefSnapshotID(""); err != nil {
		return nil, err
	}
	rewrite := tx.NewRewrite(ice.Properties(progressOf(now)))
	for _, g := range r.groups {
		for _, task := range g.tasks {
			rewrite.DeleteFile(task.File)
		}
		for _, f := range g.made {
			rewrite.AddDataFile(f)
		}
	}
	if len(r.groups) > 0 && now.Metadata().Version() > 1 {
		rewrite.DataSequenceNumber(read)
	}
	for _, f := range dead {
		rewrite.DeleteFile(f)
	}
	if err := rewrite.Commit(ctx); err != nil {
		return nil, err
	}
	return func() error {
		if _, err := tx.Commit(ctx); err != nil {
			r.tried = r.tried || !isConflict(err)
			return err
		}
		r.count(len(dead))
		return nil
	}, nil
}

// landed reports whether a commit was done of which the answer was lost.
func (r *rewriting) landed(l *live) bool {
	for _, g := range r.groups {
		for _, f := range g.made {
			if _, ok := l.data[f.FilePath()]; ok {
				return true
			}
		}
	}
	return false
}

// sort gives groups up that do not fit any more.
func (r *rewriting) sort(ctx context.Context, now *table.Table, l *live) {
	same := now.Metadata().TableUUID() == r.base.Metadata().TableUUID() &&
		now.Schema().ID == r.base.Schema().ID && now.Spec().Equals(r.base.Spec())
	var fit []*group
	for _, g := range r.groups {
		if same && l.has(g, r.places) {
			fit = append(fit, g)
			continue
		}
		r.stale++
		r.remove(ctx, g)
	}
	r.groups = fit
}

// remove removes what was made of groups, unless it might be in the table after all;
// then it is left to be an orphan.
func (r *rewriting) remove(ctx context.Context, groups ...*group) {
	if r.tried {
		return
	}
	fs, err := r.base.FS(ctx)
	if err != nil {
		return
	}
	for _, g := range groups {
		for _, f := range g.made {
			_ = fs.Remove(f.FilePath()) // what stays is an orphan
		}
	}
}

func (r *rewriting) count(deletes int) {
	r.done.Deletes += deletes
	for _, g := range r.groups {
		r.done.Rewritten += len(g.tasks)
		r.done.Written += len(g.made)
	}
}
