// Package committest is the conformance suite of [iceberg.Committer]. Who implements one
// calls [Run] in a test:
//
//	func TestCommitter(t *testing.T) {
//		committest.Run(t, func(t *testing.T) func() committest.Sink {
//			dir := t.TempDir()
//			return func() committest.Sink { return open(t, dir) }
//		})
//	}
//
// The suite holds a committer to what the interface says and to this:
//
//   - Where a table and a delta do not agree on columns, it does what the zero
//     [iceberg.Policy] says.
//   - Values come back as they went in: infinities, the sign of zero, NUL characters, and
//     what is empty is not null. Only NaNs are all alike.
//   - Any column that is no float can be of the key, and may be null there: two nulls
//     are the same then.
//   - A value that the source did not send is read from the table as it was before the
//     delta, be the column of another type there; where no row has it, the delta is
//     refused.
//   - A delta that is refused leaves no trace, and the next one can be committed. Whether
//     the table is made of one that is refused is left open.
//   - Deltas are committed again, all those of a flush from the first on, after the
//     process has ended. Nothing of that shows in the table, at no moment.
//   - No error holds any of a row's values: errors are logged, row data is not.
//   - A Commit whose context is over may do its work or return an error that wraps the
//     context's. It does no harm: the same call again does what is left.
//
// The positions of the suite's deltas have the order of their bytes. A Committer that
// compares positions may know that, but need not.
package committest

import (
	"context"
	"iter"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// A Sink is a Committer with a way to read its tables back.
type Sink interface {
	iceberg.Committer

	// Schema returns the columns of a table, or nil if there is none.
	Schema(ctx context.Context, table envelope.Table) (*iceberg.Schema, error)

	// Rows yields the rows of a table that is there, some at a time and in any order. It
	// has a Vector for each of the Schema's columns.
	Rows(ctx context.Context, table envelope.Table) iter.Seq2[*iceberg.Rows, error]
}

// A Counter is a Sink that can tell how often it wrote. With it the suite sees that a
// delta is one snapshot, no more; without it, only what deltas do to the rows.
type Counter interface {
	// Snapshots returns how many snapshots a table had so far. None of the suite's tables
	// is maintained.
	Snapshots(ctx context.Context, table envelope.Table) (int, error)
}

// Run checks a committer. place makes a new, empty place for tables, such as a folder,
// which is used until t ends. Each call of open returns another Sink over it, as a
// process does that starts anew: it shares no memory with those before it, which are not
// used any more.
func Run(t *testing.T, place func(t *testing.T) (open func() Sink)) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(newSubject(t, place(t))) })
	}
}

// A check tests one thing that a committer must do, in a place that is its alone.
type check struct {
	name string
	run  func(s *subject)
}

var checks = []check{
	{"Create", create},
	{"Insert", insert},
	{"Update", update},
	{"Delete", deletes},
	{"ChangedKey", changedKey},
	{"Nothing", nothing},
	{"Tables", tables},
	{"Truncate", truncate},
	{"TruncateNothing", truncateNothing},
	{"TruncateAndRows", truncateAndRows},
	{"Again", again},
	{"AgainTruncated", againTruncated},
	{"AgainMore", againMore},
	{"AgainMoved", againMoved},
	{"Position", positions},
	{"AddColumn", addColumn},
	{"Widen", widen},
	{"Narrower", narrower},
	{"Relax", relax},
	{"Dropped", dropped},
	{"Reordered", reordered},
	{"WidenKey", widenKey},
	{"WidenDecimalKey", widenDecimalKey},
	{"Incompatible", incompatible},
	{"Types", types},
	{"Keys", keys},
	{"WideKey", wideKey},
	{"Text", text},
	{"Wide", wide},
	{"Large", large},
	{"Gaps", gaps},
	{"GapsOfKeys", gapsOfKeys},
	{"GapsWidened", gapsWidened},
	{"GapsUnknown", gapsUnknown},
	{"GapsOwn", gapsOwn},
	{"Sweep", sweep},
	{"Cancelled", cancelled},
	{"Model", model},
}
