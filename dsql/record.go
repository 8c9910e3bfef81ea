package dsql

import "time"

// A Record is one record of a stream as Kinesis delivers it. A Reassembler
// keeps the strings, and copies what it needs of Data.
type Record struct {
	Shard    string    // the shard's ID; empty if nothing is to be checkpointed
	Sequence string    // the sequence number within the shard, decimal digits
	Arrival  time.Time // when the stream got it (ApproximateArrivalTimestamp); zero means now
	Data     []byte    // one JSON object
}

// A Floor says from where a shard must be read again after a restart: nothing
// before it is needed any more. It can be stored as JSON: the names of its
// fields will not change.
type Floor struct {
	Shard    string
	Sequence string // a sequence number; empty if the shard was closed before a record of it was added
	After    bool   // resume behind Sequence (AFTER_SEQUENCE_NUMBER); otherwise with it (AT_SEQUENCE_NUMBER)
	End      bool   // the shard was closed and nothing of it is needed any more
}

// An Orphan describes an image that lacks fragments, or fragments that lack
// their main record. It holds identifiers, counts and times, no row data.
type Orphan struct {
	ChunkID string
	Main    bool      // the main record has come
	Have    int       // fragments that have come; with a DurableStore, only those that came to this Reassembler behind the main record
	Total   int       // fragments that the main record announced; 0 until it has come
	Bytes   int64     // of the fragments, as spelled
	First   time.Time // the earliest arrival of its records
	Last    time.Time // the latest
	Where   []Span    // where in the stream its records are
}

// A Span is a range of sequence numbers of one shard, ends included.
type Span struct{ Shard, First, Last string }
