package committer

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	iceio "github.com/apache/iceberg-go/io"
)

// propertyDurable is a catalog's property that makes its local files durable.
const propertyDurable = "rowdelta.durable"

// The library's local files are left to the operating system to write: after a power
// cut, a table can point to files that are empty. Its registry of file systems is the
// one way to have others, and it is the process's; so what it has for local files is
// replaced by a choice, which changes nothing for other users of the library.
func init() {
	iceio.Unregister("file")
	iceio.Register("file", func(_ context.Context, _ *url.URL, properties map[string]string) (iceio.IO, error) {
		if properties[propertyDurable] == "true" {
			return durableFS{}, nil
		}
		return iceio.LocalFS{}, nil
	})
}

// syncFile is replaced by tests that watch it.
var syncFile = (*os.File).Sync

// durableFS is local files that are on the disk when they are closed, together with
// the folders that lead to them.
type durableFS struct{ iceio.LocalFS }

// Create creates a file.
func (d durableFS) Create(name string) (iceio.FileWriter, error) {
	w, err := d.LocalFS.Create(name)
	if err != nil {
		return nil, err
	}
	f, ok := w.(*os.File)
	if !ok {
		return nil, errors.Join(errors.New("committer: a local file of another kind"), w.Close())
	}
	return durableFile{f}, nil
}

// WriteFile creates a file with a content.
func (d durableFS) WriteFile(name string, content []byte) error {
	w, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return errors.Join(err, w.Close())
}

// WalkDir walks a folder as the library's file system does.
func (d durableFS) WalkDir(root string, fn fs.WalkDirFunc) error { return d.LocalFS.WalkDir(root, fn) }

// durableFile is a file that Close writes to the disk.
type durableFile struct{ *os.File }

// Close makes the file and its name durable. The folder's own name may be new as well,
// and so on up to one that is older than the file: three levels are more than a table's
// files have below the warehouse's folder at once.
func (f durableFile) Close() error {
	err := errors.Join(syncFile(f.File), f.File.Close())
	dir := filepath.Dir(f.Name())
	for range 3 {
		if err == nil {
			err = syncDir(dir)
		}
		dir = filepath.Dir(dir)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncFile(d), d.Close())
}
