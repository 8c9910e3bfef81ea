// Package committer writes row deltas into Apache Iceberg tables, with apache/iceberg-go:
// into a folder with [Local], which needs no server, or into the tables of a REST catalog
// such as Amazon S3 Tables with package restcatalog. It is a module of its own, since the
// library is large.
//
//	Change ─▶ iceberg.Builder ─▶ iceberg.Delta ─▶ Committer.Commit ─▶ one snapshot
//
// # Exactly once
//
// Each snapshot's summary says up to where in the input the table has everything, and
// which delta it is. Commit looks there before it writes, and again after any error: a
// catalog that answers with a 5xx, or not at all, may have done the commit. Every commit
// is fenced, which means that it fails if anybody else's came in between; then the table
// is read again, and only what it lacks is committed. A delta is one snapshot: readers
// see all of it or nothing.
//
// Start reading where the input's own offsets say, and commit those after the deltas. A
// crash in between makes the input repeat itself; a delta that the table has is left out
// if it was cut the same, or if Options.Compare tells that it is older. Where neither
// holds, as when it was cut otherwise and reaches further, it is committed: it has the
// newest state of each of its rows, so that the table is right again behind it. Without
// Compare, one that repeats the change of a key may end in a GapError.
//
// Changes that the source itself repeats, as Debezium does after a restart, are new
// positions to the table: it goes back in time with them, and forth again. A dedupe.Filter
// in front of the Builder drops them.
//
// Several writers of one table do not harm each other's commits, but they do not order
// each other's rows: let the changes of a row come through one of them.
//
// # How rows are deleted
//
// EqualityDeletes, the default, writes keys and reads nothing of the table; its readers
// pay, the more the longer nothing is compacted, and some cannot read such tables at
// all: pyiceberg 0.12 and Snowflake refuse them, DuckDB 1.5 takes long.
// DeletionVectors looks for the rows in the columns of the key; every reader of version 3
// of the format takes them. CopyOnWrite writes files anew. Maintain turns the first two
// into plain data files from time to time. COSTS.md has figures.
//
// # Columns
//
// Commit changes a table's columns in the commit of the delta that needs it. New columns
// are optional; int becomes long, float double, a decimal gets more digits, a column that
// has nulls becomes optional. What would lose values is refused, unless
// Options.Evolution says otherwise. When a column of the key gets another type, all data
// files are rewritten first, in one commit with the change.
//
// # What the source did not send
//
// The gaps of a delta (values of unchanged TOAST columns, for instance) are read from
// the table: from those data files in which the rows can be. That is why the deltas of a
// table are committed in order. A row that is not there gives an [*iceberg.GapError].
package committer
