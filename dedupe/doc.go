// Package dedupe keeps the newest change of each row, once, under duplicates,
// disorder, snapshots, retries and crashes.
//
//	changes ─▶ Filter.Admit ─▶ Compactor.Compact ─▶ the sink ─▶ Filter.Commit
//	              │ Load                                             │ Swap
//	              └───────────────── Store ◀─────────────────────────┘
//
// A [Store] holds a mark for each row: the version of the newest change that the
// sink has. A [Filter] judges changes against the marks, by
// [envelope.Version.Compare] and nothing else, and a [Compactor] makes one final
// change for each row of a batch. An [Audit] keeps every change instead and drops
// repeats alone.
//
// # Stores
//
// [Memory] is for one process: fast, and gone with it unless it is saved. Modules
// of their own are dedupe/pebblestore, durable on one machine,
// dedupe/redisstore, for Redis or Valkey, and dedupe/dynamostore, for Amazon
// DynamoDB. A store of one's own proves itself by package storetest.
//
// # Two rules
//
// Replay rule: state that is consulted before the sink has the data must give the
// same answer when the same input is replayed. So Admit changes nothing, and
// marks move with Commit, after the sink. A crash between the sink and Commit
// makes the batch come again, and it is admitted again: applying it twice must
// leave the same rows, as upserts and deletes by key do.
//
// Writer rule: marks make a stream converge, they do not serialise writers. One
// writer for each row, or a sink that compares versions. With two, both admit a
// change of one row, and which of them the sink applies last is chance.
//
// # What it does not mend
//
// Changes without a version are kept in the order of their arrival
// (envelope.Flattened's deletes by tombstone): delivered again after what followed
// them was committed, they are applied again, and that is not. A truncate has no order against
// rows that come by other partitions of its topic. A column that an update did
// not carry (an unchanged TOAST value) is right only if the change before it is
// there: where changes arrive out of order, the older one that brought the value
// is stale when it comes. Use replica identity FULL there.
package dedupe
