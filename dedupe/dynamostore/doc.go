// Package dynamostore keeps the marks of a [dedupe.Filter] in Amazon DynamoDB, so
// that they outlive a process and several processes can share them.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	...
//	store := &dynamostore.Store{Client: dynamodb.NewFromConfig(cfg), Table: "cdc-marks", Prefix: "orders"}
//	err = store.Check(ctx)
//	...
//	filter := &dedupe.Filter{Store: store}
//
// # Table
//
// One mark is one item, and its only key is a partition key. [Store.CreateTable]
// makes this table:
//
//	Type: AWS::DynamoDB::Table
//	DeletionPolicy: Retain
//	Properties:
//	  TableName: cdc-marks
//	  BillingMode: PAY_PER_REQUEST
//	  AttributeDefinitions: [{AttributeName: row, AttributeType: B}]
//	  KeySchema: [{AttributeName: row, KeyType: HASH}]
//	  TimeToLiveSpecification: {AttributeName: expires, Enabled: true} # with Keep only
//
// Its items:
//
//	row      00 06 "orders" and the key       of at most 512 bytes
//	         01 06 "orders" and its SHA-256   of a longer key
//	         │  └ length of Prefix, which follows
//	         └ 0: the key itself, 1: its digest
//	version  the 32 bytes of the mark
//	expires  a number: seconds since the Unix epoch; with Keep only
//
// DynamoDB takes keys of 2,048 bytes. But an item of more than 1 KB costs twice,
// and so longer keys are replaced by their digest before that.
//
// # Requests
//
// Load is BatchGetItem with ConsistentRead, 100 keys a request. Swap is
// BatchExecuteStatement, 25 statements a request, each with a condition of its
// own: an INSERT fails if there is an item, an UPDATE unless its version is Old.
// Each statement fails or succeeds by itself. Some requests are under way at
// once, see [Store].
//
// Rejected: a conditional PutItem for each mark costs the same capacity, and 25
// times as many requests. With 5 ms to the server and eight requests at a time,
// 1,000 marks take DynamoDB Local 0.3 s by BatchExecuteStatement and 0.8 s by
// PutItem; one at a time, 0.4 s and 6.5 s. TransactWriteItems is all or nothing,
// so that one lost swap undoes 99, costs twice the capacity, and fails for other
// transactions on its items. BatchWriteItem has no conditions: the last writer
// wins.
//
// What the table leaves unprocessed or throttles is sent again, alone, after a
// pause of 25 ms that doubles up to 5 s with each attempt that does nothing. This
// comes on top of the client's own attempts, which are for requests that fail as
// a whole. A swap that was made although its answer was lost is lost to itself
// when it is sent again: Done is cleared, and the filter finds its own version
// when it loads the mark.
//
// # Cost
//
// A key that is loaded costs one read unit, whether it has a mark or not. A swap
// costs one write unit, also one that is lost. So a new change costs one of each,
// and a repeat the read alone; changes of one row in one batch count once. A new
// table that is billed on demand takes 4,000 writes and 12,000 reads a second;
// the first large batches are throttled, and take longer, unless it is warmed up.
//
// # Permissions
//
// dynamodb:BatchGetItem, dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate on the
// table; dynamodb:DescribeTable for Check, with Keep also
// dynamodb:DescribeTimeToLive; and dynamodb:CreateTable and
// dynamodb:UpdateTimeToLive for CreateTable.
//
// # Expiry
//
// A table without expiry grows with every row that ever changed. With
// [Store.Keep], DynamoDB removes a mark that long after it was last raised, or
// after the commit time of its version if that is later, and removals are free.
// What that costs: for a row whose mark is gone, any change is new, however old.
// Where streams are replayed, or connectors take snapshots again, an old image
// then stands in the place of a newer one. So Keep is longer than any record can
// be under way: the retention of every topic and queue before the filter, and a
// margin. A filter calls changes older than that Late if they have no mark.
//
// A repeat does not renew a mark. DynamoDB removes late, by days under load, and
// a mark holds until then. A longer Keep is for marks that are raised after it
// was set; until then those of before go as early as they would have, and what
// is Late is not told for sure.
//
// # What breaks it
//
// A mark that goes back lets an older change in. These are ways:
//
//   - Global tables whose replicas are eventually consistent, which is the
//     default. Each region checks conditions against its own replica, and of two
//     writes the one with the later internal timestamp wins: both swaps are done,
//     and the older version may stay. Reads of another region are stale. All
//     stores must use one region then, and after a failover the last marks are
//     missing. Check refuses such tables. Replicas with strong consistency across
//     regions check conditions against the latest write; this package was not run
//     with them, and they do not support Keep.
//   - DynamoDB Accelerator (DAX), or any client that caches reads.
//   - Restoring a backup, or moving items between tables, while changes flow. The
//     restored table is as old as the backup: replay the stream from before that.
//   - Other writers. Nothing but this package may write below a Prefix.
//
// [dedupe.Filter]: https://pkg.go.dev/github.com/rowdelta/rowdelta/dedupe#Filter
package dynamostore
