package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rowdelta/rowdelta/dsql"
)

// A checkpoint says from where each shard is read after a restart. It is written
// after the sink has everything before that, never before.
type checkpoint struct {
	Stream string
	Sink   int64                 // how far the sink was: one that is behind has lost rows that do not come again
	Shards map[string]dsql.Floor // a shard without one is read from its beginning

	path string
}

// loadCheckpoint reads a stream's checkpoint; without a file it is empty.
func loadCheckpoint(path, stream string) (*checkpoint, error) {
	c := &checkpoint{Stream: stream, Shards: make(map[string]dsql.Floor), path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Stream != stream {
		return nil, fmt.Errorf("%s is of stream %s, not of %s", path, c.Stream, stream)
	}
	return c, nil
}

// save stores new floors. Those of shards that have none among them stay as they
// are: a Reassembler knows only the shards of which it was given records.
func (c *checkpoint) save(sink int64, floors []dsql.Floor) error {
	c.Sink = sink
	for _, f := range floors {
		c.Shards[f.Shard] = f
	}
	text, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	return replace(c.path, append(text, '\n'))
}

// replace gives a file other contents. Whatever happens meanwhile, it has the old
// ones or the new ones.
func replace(path string, text []byte) error {
	next := path + ".next"
	f, err := os.Create(next)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return syncFolder(path)
}

// syncFolder makes the entry of a file in its folder durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
