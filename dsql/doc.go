// Package dsql turns the change records of Amazon Aurora DSQL into one
// [envelope.Change] each.
//
// A stream of DSQL is a Kinesis data stream whose records are JSON objects:
//
//	{"type": "full", "op": "c"|"u"|"d", "before": key|null, "after": row|null,
//	 "source": {"ts_ns": commit time, "txId": …, "schema": …, "table": …,
//	            "db": "postgres", "cluster": …}, "ts_ns": when it was handled, …}
//
// A record of more than 9 MiB is split: its images are cut into fragments, which
// are records of their own, and the main record tells how to join them:
//
//	{"type": "chunked", …, "chunked": {"after": {"chunk_id": id, "total_fragments": 3, "crc32c": "2073618257"}}}
//	{"type": "fragment", "chunk_id": id, "index": 0, "data": a piece of the image's JSON text}
//
// Records come in any order, on any shard and more than once. A [Reassembler]
// makes whole records of parts, a [Decoder] makes changes of whole records:
//
//	stream record ─▶ Reassembler.Add ─▶ whole record ─▶ Decoder.Decode ─▶ envelope.Change ─▶ sink
//	                                                                                         │
//	checkpoints ◀─ floors ◀─ Reassembler.Commit ◀────────────────────────────────────────────┘
//
// The formats are those of the Aurora DSQL user guide: of general availability,
// and of the preview, in which c stood for updates too.
//
// # Order
//
// source.ts_ns orders all transactions, and a transaction has at most one record
// for each row. So the newest ts_ns of a row wins, and the same ts_ns again is a
// repeat: that is the change's Version. Keep the version of a deleted row, or an
// older update that comes late brings the row back.
//
// A table without a primary key gives no way to tell which row a delete took:
// see [ErrNoPrimaryKey].
//
// # Consuming
//
// A Reassembler has to see all shards of the stream, unless it shares a
// [DurableStore] with those that see the others: fragments and main records of
// one change are spread over all of them. It keeps what is incomplete, in
// memory or in a store, and nothing that it returned is forgotten before
// [Reassembler.Commit] says that the sink has it.
//
// A checkpoint is a [Floor]: the first record of a shard that is still needed.
// After a restart at the floors every record that the sink does not have is
// returned; some that it has come again, as repeats do anyway. Checkpoints of
// one's own, such as the last record that was read, lose the changes whose parts
// lie on both sides of them.
//
// # Lambda
//
// An invocation of a Lambda function sees one shard, and no record of more than
// some 4.5 MiB ([FitsLambda]). Larger ones, most fragments among them, reach no
// function but only its on-failure destination, as a document that says where
// they were. [ParseFailure] and [Failure.Records] read them again, as
// examples/recover does. A function gives Commit no save: Lambda checkpoints after
// the answer, and a main record that comes again needs its fragments. A consumer that
// polls Kinesis itself, such as examples/kinesis, has none of this to care for.
//
// # Limits
//
// What is kept is bounded by [Limits]. Beyond them a split record is given up,
// with a [PartError] that says where in the stream its parts are, and the rest
// goes on. No error holds row data; [envelope.IsPermanent] tells bad records from
// failures worth another try.
package dsql
