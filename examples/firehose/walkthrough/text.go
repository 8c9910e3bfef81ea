package main

const intro = `rowdelta turns change records into rows of lakehouse tables. Here are %d records that Debezium
made of the PostgreSQL database aurora_orders: a snapshot, then every change. They go through the
Amazon Data Firehose transform in batches of %d, as they would in AWS Lambda. At the end the
tables that come out are compared with the database.
`

const all = `
ALL RECORDS

Snapshot reads, creates and updates are sent as "update", which also inserts, so that a record
that comes twice leaves one row. Where a batch has several changes of a row, the newest
supersedes the others, since Firehose keeps no order.

`

const unusual = `
WHAT CANNOT BE SENT, AND WHAT IS NO ROW

These single records are of two other captured databases.

`

const failed = `
ProcessingFailed goes to the stream's error prefix in S3. The update lacks a large value that did
not change (TOAST) and would overwrite it; replica identity FULL brings the value. A truncate has
no operation in Firehose. The third table is in a schema that no rule names.
`

const equal = `
All %d rows of both tables are, column by column, what the database itself has in the end.
`
