package route

import (
	"errors"

	"github.com/rowdelta/rowdelta/envelope"
)

// Mode says which operations a destination's rows go out with.
type Mode uint8

// The modes.
const (
	// Upsert sends every row that is there after the change as update, which
	// inserts it where it is missing, and a deleted one as delete. Redelivery and
	// repeated snapshots leave no duplicates. The destination needs unique keys.
	Upsert Mode = iota

	// Literal sends creates and snapshot reads as insert. It spares the
	// destination the search for an old row, and takes a duplicate row for each
	// redelivered create.
	Literal

	// AppendOnly sends rows without an operation, for a stream that only adds
	// rows. A delete cannot be said there and fails, unless the Router drops it.
	AppendOnly
)

// A Destination is where a change goes.
type Destination struct {
	Database, Table string
	Mode            Mode
	Drop            bool // the change goes nowhere, and nothing is wrong with that
}

// A Router picks the destination of a change that has an effect. It must be
// safe for concurrent use and must not retain c. An error fails the record.
type Router interface {
	Route(c *envelope.Change) (Destination, error)
}

// Func adapts a function to a Router.
type Func func(c *envelope.Change) (Destination, error)

// Route calls f.
func (f Func) Route(c *envelope.Change) (Destination, error) { return f(c) }

// ErrNoRoute says that no rule names the change's table.
var ErrNoRoute = errors.New("route: no rule for table")
