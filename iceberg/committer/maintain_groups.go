package committer

import (
	"cmp"
	"fmt"
	"slices"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// A group is data files of one partition that are written together.
type group struct {
	tasks []table.FileScanTask
	bytes int64
	made  []ice.DataFile
}

// groups returns which of a table's data files are worth writing anew, in groups of
// about FileSize bytes each. Written like that, they are not worth it again.
func (m *Maintenance) groups(t *table.Table, tasks []table.FileScanTask) []*group {
	now := t.Spec()
	spec := int32(now.ID())
	small, worn := map[string][]table.FileScanTask{}, map[string][]table.FileScanTask{}
	for _, task := range tasks {
		// Files of former partitions stay: they would be written into those of today, where
		// deletes that another process commits meanwhile for the former ones miss them.
		if task.File.SpecID() != spec {
			continue
		}
		at := partitionOf(task.File)
		switch {
		case m.isWorn(task):
			worn[at] = append(worn[at], task)
		case task.File.FileSizeBytes() < m.SmallFile:
			small[at] = append(small[at], task)
		}
	}
	var out []*group
	for at, some := range small {
		worn[at] = append(worn[at], m.worth(some, worn[at])...)
	}
	for _, some := range worn {
		// In the order in which they came, so that rows that belong together stay together.
		slices.SortFunc(some, func(a, b table.FileScanTask) int {
			return cmp.Or(cmp.Compare(sequence(a), sequence(b)), cmp.Compare(a.File.FilePath(), b.File.FilePath()))
		})
		out = append(out, m.pack(some)...)
	}
	slices.SortFunc(out, func(a, b *group) int {
		return cmp.Compare(a.tasks[0].File.FilePath(), b.tasks[0].File.FilePath())
	})
	return out
}

// isWorn reports whether a data file has so many deletes that it is worth writing anew
// by itself.
func (m *Maintenance) isWorn(task table.FileScanTask) bool {
	if len(task.DeleteFiles)+len(task.EqualityDeleteFiles)+len(task.DeletionVectorFiles) >= m.Deletes {
		return true
	}
	deleted := int64(0)
	for _, v := range task.DeletionVectorFiles {
		deleted += v.Count()
	}
	return deleted > 0 && float64(deleted) >= m.Deleted*float64(task.File.Count())
}

// worth returns which of the small files of a partition are worth writing together with
// each other and with the worn ones: those that are not larger than all that are smaller
// still. So a file that grew by being written with others waits until there is as much
// again, and a row is written anew as often as the logarithm of their number, not for
// each few deltas.
func (m *Maintenance) worth(small, worn []table.FileScanTask) []table.FileScanTask {
	if len(small)+len(worn) < m.Files {
		return nil
	}
	slices.SortFunc(small, func(a, b table.FileScanTask) int {
		return cmp.Or(cmp.Compare(a.File.FileSizeBytes(), b.File.FileSizeBytes()), cmp.Compare(a.File.FilePath(), b.File.FilePath()))
	})
	total := int64(0)
	for _, task := range worn {
		total += task.File.FileSizeBytes()
	}
	for i, task := range small {
		if i+len(worn) >= m.Files && task.File.FileSizeBytes() > total {
			return small[:i]
		}
		total += task.File.FileSizeBytes()
	}
	return small
}

// pack cuts files into groups of about FileSize bytes.
func (m *Maintenance) pack(tasks []table.FileScanTask) []*group {
	var out []*group
	for _, task := range tasks {
		size := task.File.FileSizeBytes()
		last := len(out) - 1
		if last < 0 || out[last].bytes+size > m.FileSize {
			out = append(out, new(group))
			last++
		}
		out[last].tasks = append(out[last].tasks, task)
		out[last].bytes += size
	}
	return slices.DeleteFunc(out, func(g *group) bool { return len(g.tasks) == 1 && !m.isWorn(g.tasks[0]) })
}

// partitionOf returns the same for files of the same partition only. fmt sorts a map's
// keys.
func partitionOf(f ice.DataFile) string { return fmt.Sprintf("%#v", f.Partition()) }

func sequence(task table.FileScanTask) int64 {
	if task.DataSequenceNumber == nil {
		return 0
	}
	return *task.DataSequenceNumber
}
