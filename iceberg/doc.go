// Package iceberg turns changes into row deltas for Apache Iceberg tables. It needs no
// Iceberg library: what it makes is columns of plain Go values.
//
//	Change ─▶ Builder.Add ─▶ Builder.Flush ─▶ Delta ─▶ one snapshot of the table
//
// A [Delta] is what the changes between two positions of the input do to one table: the
// keys of all rows that are touched, which are deleted first, and the rows as they are
// in the end. That is right wherever a key is deleted that is not there, and a row is
// written once. A writer that commits both in one snapshot, together with the position,
// and looks for that position before it commits again, writes each change exactly once.
//
// # Types
//
// A [Mapping] gives each column of the source the Iceberg type that holds what its
// values mean, by the schema of the record. A value that does not fit fails its change,
// or is null; it is never rounded or cut.
//
// # What the source did not send
//
// A column that an update left alone is taken from what the Builder has of the row, also
// under the row's former key. What it has not is a [Gap], which tells where in the table
// the value is. For both, the changes of each row must come in order, as from one
// partition of a topic, repeats included; see Builder.Disordered. Do not flush between
// the delete and the create of a changed key: what the create lacks is in the row that
// the delete takes.
package iceberg
