// Package rowdelta is the root of a library that turns change-data-capture
// records into rows of lakehouse tables. It holds no code; import the packages
// below it.
//
// A record flows like this:
//
//	bytes ─▶ [dsql.Reassembler] ─▶ Decoder ─▶ envelope.Change ─▶ route.Firehose ─▶ response
//
// Bytes come in as a transport delivers them: the value, and for Kafka the key,
// of one Debezium record. A decoder of package envelope makes one
// [envelope.Change] of each: an operation, a table, a version that orders the
// changes of a row, and up to two row images, which alias the record. Package dsql
// does the same for Aurora DSQL, whose large records come in parts. Package
// route picks the destination table, and answers Amazon Data Firehose for
// streams into Apache Iceberg tables.
//
// Two rules hold for every program that is built of these parts.
//
// The replay rule: state that was consulted before the sink has the data must
// give the same answer when the same input comes again. Whoever remembers what
// was seen moves the mark after the sink has it, never before.
//
// The writer rule: versions make a stream of changes converge, they do not
// serialise writers. Let one writer write a table, or a sink that compares
// versions.
//
// [envelope.Change]: https://pkg.go.dev/github.com/rowdelta/rowdelta/envelope#Change
package rowdelta
