package committer

import (
	"context"
	"fmt"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/apache/iceberg-go/table/compaction"
)

// A liveFile is a data file that a snapshot has.
type liveFile struct {
	path      string
	spec      int32
	partition map[int]any
	sequence  int64
}

// live are the files that a snapshot has.
type live struct {
	data    map[string]liveFile // by path
	deletes []ice.ManifestEntry
}

// A manifestCache is what manifests say. They never change, so that of a newer snapshot
// only the new ones are read.
type manifestCache map[string]*live

// read returns what a table has, and keeps its manifests only.
func (m *manifestCache) read(ctx context.Context, t *table.Table) (*live, error) {
	out := &live{data: make(map[string]liveFile)}
	s := t.CurrentSnapshot()
	if s == nil {
		return out, nil
	}
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	manifests, err := s.Manifests(fs)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	next := make(manifestCache, len(manifests))
	for _, manifest := range manifests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := (*m)[manifest.FilePath()]
		if part == nil {
			part = &live{data: make(map[string]liveFile)}
			for e, err := range manifest.Entries(fs, true) {
				if err != nil {
					return nil, fmt.Errorf("read manifest: %w", err)
				}
				part.add(e)
			}
		}
		next[manifest.FilePath()] = part
		for path, f := range part.data {
			out.data[path] = f
		}
		out.deletes = append(out.deletes, part.deletes...)
	}
	*m = next
	return out, nil
}

func (l *live) add(e ice.ManifestEntry) {
	f := e.DataFile()
	if f.ContentType() != ice.EntryContentData {
		l.deletes = append(l.deletes, e)
		return
	}
	l.data[f.FilePath()] = liveFile{f.FilePath(), f.SpecID(), f.Partition(), e.SequenceNum()}
}

// has reports whether a group's files are still as they were read: none is gone, and
// none has other deletes that name rows by their place. Equality deletes that are newer
// do not matter: they apply to what was made of the files as well.
func (l *live) has(g *group, place map[string]bool) bool {
	sources, known := map[string]bool{}, map[string]bool{}
	for _, task := range g.tasks {
		f, ok := l.data[task.File.FilePath()]
		if !ok || f.sequence != sequence(task) {
			return false
		}
		sources[f.path] = true
		for _, v := range task.DeletionVectorFiles {
			known[placeOf(v)] = true
		}
	}
	for _, e := range l.deletes {
		f := e.DataFile()
		if f.ContentType() != ice.EntryContentPosDeletes {
			continue
		}
		ref := f.ReferencedDataFile()
		switch {
		case table.IsDeletionVector(f):
			if ref != nil && sources[*ref] && !known[placeOf(f)] {
				return false
			}
		case !place[placeOf(f)] && (ref == nil || sources[*ref]):
			return false // of which files it has rows only its content tells
		}
	}
	return true
}

// places returns the deletes there are that name rows by their place.
func (l *live) places() map[string]bool {
	out := map[string]bool{}
	for _, e := range l.deletes {
		if f := e.DataFile(); f.ContentType() == ice.EntryContentPosDeletes {
			out[placeOf(f)] = true
		}
	}
	return out
}

// placeOf tells delete files apart. Several deletion vectors can be in one file.
func placeOf(f ice.DataFile) string {
	if offset := f.ContentOffset(); offset != nil {
		return fmt.Sprintf("%d %s", *offset, f.FilePath())
	}
	return f.FilePath()
}

// dead returns the deletes that apply to nothing once groups, read at a sequence number,
// are replaced by what was made of them.
//
// The library's CollectDeadEqualityDeletes is not enough: it takes what is made for
// newer than all deletes, and so drops those that were committed since it was read.
func (l *live) dead(ctx context.Context, t *table.Table, groups []*group, read int64) ([]ice.DataFile, error) {
	gone := map[string]struct{}{}
	survey := compaction.NewSurvivorSurvey()
	for _, g := range groups {
		for _, task := range g.tasks {
			gone[task.File.FilePath()] = struct{}{}
		}
		if len(g.made) > 0 {
			f := g.tasks[0].File
			survey.AddSurvivorWithSpec(f.SpecID(), f.Partition(), read)
		}
	}
	for path, f := range l.data {
		if _, ok := gone[path]; !ok {
			survey.AddSurvivorWithSpec(f.spec, f.partition, f.sequence)
		}
	}
	var keys []ice.ManifestEntry
	var out []ice.DataFile
	places := false
	for _, e := range l.deletes {
		f := e.DataFile()
		switch {
		case f.ContentType() == ice.EntryContentEqDeletes:
			keys = append(keys, e)
		case !table.IsDeletionVector(f):
			places = true
		default:
			ref := f.ReferencedDataFile()
			if ref == nil {
				continue
			}
			_, isGone := gone[*ref]
			if _, ok := l.data[*ref]; !ok || isGone {
				out = append(out, f)
			}
		}
	}
	equality, err := compaction.DecideDeadEqualityDeletesWithSpecs(survey, keys, t.Metadata())
	if err != nil {
		return nil, err
	}
	out = append(out, equality...)
	if !places || len(gone) == 0 {
		return out, nil
	}
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	positions, err := table.CollectDeadPositionDeletes(ctx, fs, t.CurrentSnapshot(), gone)
	if err != nil {
		return nil, err
	}
	return append(out, positions...), nil
}
