package route

import "github.com/rowdelta/rowdelta/envelope"

// Policy says what becomes of a change that Firehose cannot express.
type Policy uint8

// The policies.
const (
	Fail Policy = iota // ProcessingFailed: the record goes to the stream's error prefix
	Drop               // Dropped
	Send               // sent as it is
)

// Reason says why a record was answered as it was.
type Reason uint8

// The reasons.
const (
	Delivered     Reason = iota // Ok
	NotARow                     // Dropped: a tombstone, heartbeat, transaction boundary, message, …
	Unwanted                    // Dropped: the Router says so
	Superseded                  // Dropped: a newer change of the same row is in the batch
	Stale                       // Dropped: a newer change of the same row was answered before
	Truncated                   // a truncate, which Firehose has no operation for
	Unavailable                 // a column holds the placeholder of a value that the connector did not have
	Undecodable                 // ProcessingFailed: not base64, or not a record of the decoder's format
	Unrouted                    // ProcessingFailed: the Router gave an error
	NoImage                     // ProcessingFailed: the record has no image of the row
	NoKey                       // ProcessingFailed: Keys does not know the table, the image lacks a key column, or the table has no key
	Inexpressible               // ProcessingFailed: a delete for an append-only destination
	TooLarge                    // ProcessingFailed: the response would have exceeded Lambda's limit
	Untyped                     // ProcessingFailed: with Encode, no schema, a row that is not one of it, or a column with no way into its destination
	Unfit                       // ProcessingFailed: with Encode, a value that its destination's type cannot hold
)

var reasonNames = [...]string{"delivered", "not a row", "unwanted", "superseded", "stale", "truncate", "unavailable value", "undecodable", "no route",
	"no row image", "no key", "delete in append-only table", "response too large", "untyped row", "value does not fit"}

// String returns the reason in a few words.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// An Outcome is what became of one record. It holds no row data. All but
// RecordID may be kept.
type Outcome struct {
	RecordID    []byte         // between the quotes as in the event; valid until Observe returns
	Table       envelope.Table // the source table; zero if the record could not be decoded
	Op          envelope.Op
	Destination Destination // zero unless the record was routed
	Result      Result
	Operation   Operation // empty unless Result is Ok, and for append-only destinations
	Reason      Reason
	Err         error // the cause, if there is one beyond the reason
}

// An UnavailableError is the Err of an Outcome with the reason Unavailable.
type UnavailableError struct {
	Column string // the first column without a value
}

// Error names the column.
func (e *UnavailableError) Error() string { return "no value in column " + e.Column }
