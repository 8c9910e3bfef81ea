package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// A sink takes the changes. It is given each at least once, in any order, and
// besides by the stream's function, so that it keeps the one with the highest
// version of each row, and remembers that of a deleted one.
type sink interface {
	// Apply takes a change, which is valid until it returns. A permanent error is
	// about this change alone.
	Apply(ctx context.Context, c *envelope.Change) error
	// Flush returns once a crash would not undo what was applied.
	Flush(ctx context.Context) error
}

// Lines is the sink of this example: one line of JSON for each change. A
// function's standard output is a log, so that the line has the row's digest and
// not the row. A real sink is what the stream's function writes to.
type lines struct{ w io.Writer }

type line struct {
	Op      string    `json:"op"`
	DB      string    `json:"db"`
	Schema  string    `json:"schema"`
	Table   string    `json:"table"`
	Bytes   int       `json:"bytes"` // of the image: the row, or the key of one that was deleted
	Digest  string    `json:"sha256"`
	Version time.Time `json:"version"`
}

func (l lines) Apply(_ context.Context, c *envelope.Change) error {
	digest := sha256.Sum256(c.Image())
	text, err := json.Marshal(line{
		c.Op.String(), c.Table.DB, c.Table.Schema, c.Table.Name, len(c.Image()), hex.EncodeToString(digest[:]), c.Version.Time().UTC(),
	})
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(text, '\n'))
	return err
}

// Flush has nothing to do: Apply writes at once.
func (l lines) Flush(context.Context) error { return nil }
