package dsql

import (
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// Causes of errors; test for them with [errors.Is].
var (
	// ErrPart says that a record is only a part of one: a fragment, or a main
	// record whose images are elsewhere. A Reassembler makes records of them.
	ErrPart = errors.New("part of a record that was split")

	// ErrNoPrimaryKey says that a delete names no row, since its table has no
	// primary key. It is an [envelope.ErrNoKey].
	ErrNoPrimaryKey error = noPrimaryKey{}

	// ErrConflict says that a record contradicts another one of the same image.
	ErrConflict = errors.New("conflicting records of one split image")

	// ErrIncomplete says that a store does not have all fragments of an image.
	ErrIncomplete = errors.New("fragments missing")

	// ErrChecksum says that a joined image is not what was cut: its CRC32C is
	// another.
	ErrChecksum = errors.New("wrong checksum of a joined image")

	// ErrRange says that a fragment's index is not below the announced total.
	ErrRange = errors.New("fragment index out of range")

	// ErrGivenUp says that an image of the record was given up before, at a limit,
	// for its age or for a fault.
	ErrGivenUp = errors.New("part of an image that was given up")

	// ErrUncommitted says that a limit is reached because of records that were
	// returned: commit them, and add the record again. It is not permanent.
	ErrUncommitted = errors.New("dsql: too much is returned and not committed")
)

type noPrimaryKey struct{}

func (noPrimaryKey) Error() string { return "delete from a table without a primary key" }
func (noPrimaryKey) Unwrap() error { return envelope.ErrNoKey }

// A PartError says that a part of a split record could not be used. It holds no
// row data.
type PartError struct {
	ChunkID string   // the image's; empty if the part does not tell it
	Lost    []Orphan // what was given up because of it
	Err     error    // a *envelope.DecodeError
}

// Error returns the cause and the image's ID.
func (e *PartError) Error() string {
	if e.ChunkID == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (chunk %s)", e.Err, e.ChunkID)
}

// Unwrap returns the cause.
func (e *PartError) Unwrap() error { return e.Err }
