package iceberg

import (
	"context"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// A Committer writes deltas into tables. Package committest has the tests that an
// implementation must pass.
type Committer interface {
	// Commit makes a delta one snapshot of its table, or none at all, and gives the
	// snapshot the delta's To as the table's position. It makes the table if there is
	// none, and changes its columns to hold what the delta brings. When it has returned
	// nil the delta is there to stay, and a delta that the table has already is left
	// out: after any error, a crash included, the same delta may be committed again.
	//
	// The deltas of one table are committed one after another, in the order of the
	// input. Commit neither changes nor keeps the delta.
	//
	// A delta that cannot be committed as it is gives a [*SchemaError] or a [*GapError],
	// and nothing of it is written.
	Commit(ctx context.Context, d *Delta) error

	// Position returns up to where in the input the table has everything: To of the last
	// delta behind which no More follows. It is empty if there was none.
	Position(ctx context.Context, table envelope.Table) (string, error)
}

// ErrGap is the cause of every GapError.
var ErrGap = errors.New("the table has no row to take unsent values from")

// A GapError says that a delta's rows lack values that the source did not send and that
// the table does not have either: the stream begins in the middle, or changes are
// missing.
type GapError struct {
	Table  envelope.Table
	Column string // one of those that lack values
	Rows   int    // how many rows lack some
}

// Error names the table, the column and the number of rows.
func (e *GapError) Error() string {
	return fmt.Sprintf("iceberg: table %s: %d rows lack values, of column %q or others: %v", e.Table, e.Rows, e.Column, ErrGap)
}

// Unwrap returns ErrGap.
func (e *GapError) Unwrap() error { return ErrGap }
