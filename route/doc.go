// Package route sends changes to their tables and answers Amazon Data Firehose.
//
// A [Router] picks the destination of each change; [Rules] is one made of
// tables and patterns. [Firehose] is the transform that Firehose calls through
// AWS Lambda for streams into Apache Iceberg tables. It decodes each record and
// answers it with the row, the table and the operation:
//
//	{"records":[{"recordId":"…","data":"<base64 of the envelope>"}]}
//	─▶ {"records":[{"recordId":"…","result":"Ok","data":"<base64 of the row and a newline>",
//	     "metadata":{"otfMetadata":{"destinationDatabaseName":"…","destinationTableName":"…","operation":"update"}}}]}
//
// Firehose delivers at least once and keeps no order among the records of a
// delivery. Rows therefore go out as update, which inserts a row that is not
// there: a record that is delivered twice leaves one row. See [Mode] and
// [Firehose.Coalesce].
//
// Rows go out as the connector spells them, or, with [Firehose.Encode], as Firehose
// takes them for the types of the destination's columns: an [Encoder] knows what each
// value means by the schema of its table.
//
// The formats are those of the Amazon Data Firehose developer guide: data
// transformation, routing to Iceberg tables, and supported data types.
package route
