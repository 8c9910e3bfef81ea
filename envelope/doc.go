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
// # Values
//
// A [Row] is the JSON that came; what its columns mean, JSON does not tell: "AQ==" is
// text, or bytes, or a decimal, and 19000 a number, or a date. A [Schema] tells. It
// comes with the record ([Change.Schema], where the converter sends schemas), from
// the connector's schema changes ([ParseTableChanges]), from AWS DMS
// ([ParseTableDef]), from Aurora DSQL's tables (dsql.ParseSchema), or by hand. A
// [RowReader] reads a row's columns by it, [As] decodes a row into a struct. Nothing
// is guessed from how a value looks. Each column is in one of four states: Set, Null,
// Unavailable (the connector did not have it) or Missing (the row does not have it).
//
// Values go no further than their source: integers are exact, decimals have all their
// digits, times all that was sent, and infinity is infinity. What the connectors lose
// on the way no reader can bring back. Their settings can:
//
//   - A NULL in a column with a default arrives as the default. Set
//     replace.null.with.default=false in the converters (value.converter.…).
//   - Decimals as doubles lose digits (decimal.handling.mode=double), and NaN and
//     infinities of PostgreSQL's numeric are null in the default mode, precise. With
//     string all of them come, and are text: declare the column a decimal by hand.
//   - BIGINT UNSIGNED beyond 2⁶³ is negative by default (MySQL, MariaDB):
//     bigint.unsigned.handling.mode=precise, or declare the column a KindUint.
//   - time.precision.mode=connect cuts microseconds, and turns times of MySQL outside
//     of a day into null; isostring writes 24:00:00 as 00:00:00; nanoseconds makes
//     null of what is outside of the years 1677 to 2262. The default modes keep all.
//   - Intervals are microseconds by default, in which a month is 30.4375 days and the
//     last digit can be lost: interval.handling.mode=string.
//   - bytea that an update leaves as it was is null, and not the placeholder, where
//     binary.handling.mode is base64 or base64-url-safe: leave it at bytes. For arrays
//     of numeric, float, boolean and timestamps, and for numeric, bit and geometry
//     columns, it is null in any mode: replica identity FULL.
//   - The dates of a snapshot before 1582-10-15 are off by days, and lose their era
//     (PostgreSQL, Debezium up to 3.6.1); those of the stream are right. FLOATs have six
//     digits in a snapshot and all in the stream (MySQL, MariaDB).
//   - Years below 100 are moved to this century (MySQL, MariaDB):
//     enable.time.adjuster=false. A zero date is null, or the epoch if the column is
//     NOT NULL, and YEAR 0000 is 1900: no setting keeps these.
//   - varbit(n) and bit(n) have one type, and arrive without their highest zeros:
//     for the one they are data.
//   - Columns of type name are null in the stream, arrays of more than one dimension
//     are no use, and the time of an array has its microseconds cut (PostgreSQL).
//
// # Errors
//
// A record that cannot be decoded gives a [*DecodeError] with the offset and
// the JSON Pointer of the fault, over one of the sentinels below it. No error
// holds row data. [IsPermanent] tells them from failures worth retrying.
package envelope
