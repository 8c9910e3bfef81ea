// Package envelope decodes change-data-capture records into one [Change] each.
//
// A record is what a transport carries for one change of one row: a JSON
// envelope, possibly inside the schema/payload wrapper of Kafka Connect's JSON
// converter. [Debezium] decodes the records of Debezium's connectors, versions
// 1.9 to 3.6:
//
//	{"before": row|null, "after": row|null,
//	 "source": {"connector": "postgresql", "db": …, "schema": …, "table": …,
//	            "ts_ns": commit time, "sequence": "[last commit LSN, LSN]", …},
//	 "op": "c"|"u"|"d"|"r"|"t"|"m", "ts_ns": the connector's clock, …}
//
// Everything else that its topics carry is named, not refused: tombstones,
// heartbeats, transaction boundaries, schema changes, notifications, logical
// messages. [Flattened] decodes the rows that Debezium's ExtractNewRecordState
// transform makes of envelopes, and [CloudEvents] the events that its
// CloudEventsConverter does. Which of the three a topic carries is a matter of
// its configuration; a decoder is chosen for it, and does not guess.
//
// # Memory
//
// Decoding copies no row bytes. A [Change] aliases the record that it was
// decoded from and is valid as long as that is left alone; [Change.Clone] is
// the one way out. All slices have clipped capacity, so that appending to one
// cannot write into the record.
//
// # Order
//
// [Version] orders the changes of one row. It is more than the commit time:
// see its documentation for why.
//
// # Errors
//
// A record that cannot be decoded gives a [*DecodeError] with the offset and
// the JSON Pointer of the fault, over one of the sentinels below it. No error
// holds row data. [IsPermanent] tells them from failures worth retrying.
package envelope
