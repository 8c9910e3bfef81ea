package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rowdelta/rowdelta/envelope"
)

// A table is the sink of this example: last writer wins, over all tables of the
// database. It appends each newer state of a row to a file, one line of JSON,
// and remembers the rows' versions, those of deleted ones too: an older insert
// can come after the delete. The last line of a row is its state.
//
// The file only grows, and a version per row that ever was stays in memory. A
// real sink is a table of a lakehouse or a database, which compares versions
// itself or is written by one program.
type table struct {
	file     *os.File
	w        *bufio.Writer
	size     int64 // of the file, with what w holds
	keys     envelope.KeyFunc
	versions map[string]envelope.Version // by the row's identity
	key      []byte
}

// state is a line of the file: what a row became.
type state struct {
	Op      string `json:"op"` // upsert or delete
	DB      string `json:"db"`
	Schema  string `json:"schema"`
	Table   string `json:"table"`
	Version []byte `json:"version"`
}

// openTable opens the file and reads what it has. Of a file that was committed
// with at least size bytes, those must be there; behind them a crash can have
// left half a line, which is cut off and comes again from the stream.
func openTable(path string, size int64, keys envelope.KeyFunc) (*table, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	t := &table{file: f, keys: keys, versions: make(map[string]envelope.Version)}
	err = t.load()
	if err == nil && t.size < size {
		err = fmt.Errorf("it has %d good bytes, the checkpoint was made with %d: rows are lost that do not come again", t.size, size)
	}
	if err == nil {
		err = f.Truncate(t.size)
	}
	if err == nil {
		_, err = f.Seek(t.size, io.SeekStart)
	}
	if err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	t.w = bufio.NewWriterSize(f, 1<<16)
	return t, nil
}

// load reads the file up to the first line that is not whole.
func (t *table) load() error {
	r := bufio.NewReaderSize(t.file, 1<<20)
	for {
		text, err := r.ReadBytes('\n')
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		var line struct {
			state
			Row json.RawMessage `json:"row"`
		}
		if json.Unmarshal(text, &line) != nil {
			return nil
		}
		c := envelope.Change{
			Op:    envelope.OpUpdate,
			Table: envelope.Table{DB: line.DB, Schema: line.Schema, Name: line.Table},
			After: envelope.Row(line.Row),
		}
		if line.Op == envelope.Delete.String() {
			c.Op, c.Before, c.After = envelope.OpDelete, c.After, nil
		}
		if err := c.Version.UnmarshalBinary(line.Version); err != nil {
			return err
		}
		if _, err := t.newer(&c); err != nil {
			return fmt.Errorf("byte %d: %w", t.size, err)
		}
		t.size += int64(len(text))
	}
}

// newer reports whether the change is newer than its row, which it then is.
func (t *table) newer(c *envelope.Change) (bool, error) {
	var err error
	if t.key, err = t.keys(t.key[:0], c); err != nil {
		return false, err
	}
	if old, ok := t.versions[string(t.key)]; ok && c.Version.Compare(old) <= 0 {
		return false, nil
	}
	t.versions[string(t.key)] = c.Version
	return true, nil
}

// Apply implements sink.
func (t *table) Apply(c *envelope.Change) (bool, error) {
	if newer, err := t.newer(c); err != nil || !newer {
		return false, err
	}
	version, err := c.Version.MarshalBinary()
	if err != nil {
		return false, err
	}
	head, err := json.Marshal(state{c.Effect().String(), c.Table.DB, c.Table.Schema, c.Table.Name, version})
	if err != nil {
		return false, err
	}
	// The row goes in as it is, not by encoding/json, which would respell it. It
	// has line ends only between its members, where spaces do as well.
	row := bytes.ReplaceAll(c.Image(), []byte("\n"), []byte(" "))
	for _, part := range [][]byte{head[:len(head)-1], []byte(`,"row":`), row, []byte("}\n")} {
		n, err := t.w.Write(part)
		t.size += int64(n)
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// Flush implements sink. The mark is the file's size.
func (t *table) Flush() (int64, error) {
	if err := t.w.Flush(); err != nil {
		return 0, err
	}
	return t.size, t.file.Sync()
}

// Close closes the file. What was not flushed is lost.
func (t *table) Close() error { return t.file.Close() }
