package main

const intro = `rowdelta turns change records into rows of lakehouse tables. Here are %d records that Debezium
made of the PostgreSQL database aurora_orders: a snapshot, then every change. They come as from a
topic after a bad day: a hundred before those that precede them, and fifty again, %d in all. They
go into Apache Iceberg tables in batches of up to %d, of which each is one snapshot of a table. At
the end the tables are read and compared with the database.
`

const all = `
WHAT BECAME OF ALL RECORDS

Of each row the newest change wins, by its place in the database's log. A repeat is the newest
change once more. What is stale is older than what is known.

`

const snapshots = `
THE SNAPSHOTS OF ORDERS

Each has the rows and deletes of a batch, and the number of records up to which the table has
everything. The connector's own snapshot is a batch by itself.

`

const again = `
The last %d records come again, to a program that does not know of them, as after a crash. The
table's position, %s, says that it has them: it has %d snapshots before and %d after.
`

const travel = `
ORDERS BEFORE THE UPDATES: SNAPSHOT %d

`

const fragments = `
LARGE ROWS OF AURORA DSQL

DSQL sends rows that make records of more than 9 MiB in parts, on any shard, in any order. This
stream is generated, and has parts of up to %d bytes of records above %d. It goes into a
third table.

  %6d records of %d shards, of which
  %6d are whole, and
  %6d are parts, of which %d records were made;
  %6d records are of other tables, and left out.

`

const bodies = `
The table has %d rows. %d of them came in parts and have a body of %d to %d bytes.
`

const equal = `
All %d rows of the three tables are, column by column, what the databases have in the end.
`

const places = `
OPEN THE TABLES

They stay in %s
until you delete the folder. The README shows how to open them with DuckDB and pyiceberg.

`
