package truth_test

import (
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// A format is what a transform or a converter made of a variant's envelopes, as
// the connector was told to, and what the stream ends with.
type format struct {
	kind      kind
	fields    string  // flattened: add.fields, as in the connector's configuration
	prefix    string  // flattened: add.fields.prefix, empty for the default
	deletes   deletes // flattened
	connector string  // flattened: for rows without a position that tells it
	placed    bool    // all changes carry a position: every order of arrival ends alike

	end     wrong    // by Version.Compare, ties by arrival
	arrived wrong    // by arrival alone
	extra   []string // the rows of end that the database does not have
}

type kind uint8

const (
	application kind = iota // an application's own payloads (outbox): no changes of rows, so no decoder takes them
	flattened               // rows, by ExtractNewRecordState
	cloudEvents             // by CloudEventsConverter
)

// deletes says what becomes of a delete.
type deletes uint8

const (
	dropped    deletes = iota
	rewritten          // a row with the member deleted
	tombstones         // a null
)

const (
	everything = "op,table,lsn,txId,source.ts_ms,source.ts_ns,source.sequence,source.snapshot,ts_ms"
	binlog     = "op,db,table,source.ts_ms,source.ts_ns,source.file,source.pos,source.row,source.snapshot,source.gtid"

	// A char(5) key is padded in the record and not in the database's text: one
	// row missing and one extra, under its two spellings.
	padded = "datalake.customers A    "
)

// What a stream without deletes keeps: the rows that were deleted, and the old
// ones of changed keys.
var kept = []string{
	"datalake.cdc_events 1",           // deleted
	padded,                            // deleted and made again
	"datalake.customers ALFKI",        // now ALFK2
	"datalake.order_details 11075 76", // deleted
	"datalake.orders 10248",           // deleted, made again, now 10249
}

// notEnvelopes are the variants whose records are no Debezium envelopes, which
// Debezium refuses.
var notEnvelopes = map[string]format{
	"postgres/outbox":        {kind: application},
	"postgres/outbox-expand": {kind: application},

	"postgres/cloudevents":       {kind: cloudEvents, placed: true, end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},
	"postgres/cloudevents-2.7.3": {kind: cloudEvents, placed: true, end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},

	"mariadb/unwrap": {kind: flattened, fields: binlog, deletes: rewritten, placed: true},
	"mysql/unwrap":   {kind: flattened, fields: binlog, deletes: rewritten, placed: true},

	// The row's LSN without the sequence is no position: the changes of one
	// transaction are ties. A null follows the rewritten delete.
	"postgres/unwrap-northwind": {kind: flattened, fields: "op,db,table,schema,lsn,source.ts_ms", deletes: rewritten, connector: "postgresql"},

	"postgres/unwrap-rewrite": {kind: flattened, fields: everything, deletes: rewritten, placed: true,
		end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},
	"postgres/unwrap-rewrite-schemas": {kind: flattened, fields: everything, deletes: rewritten, placed: true,
		end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},
	// Nulls follow the rewritten deletes, and mean nothing more.
	"postgres/unwrap-rewrite-tombstone": {kind: flattened, fields: "op,lsn,sequence", deletes: rewritten, placed: true,
		end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},

	// Deletes leave no record: no order can remove these rows.
	"postgres/unwrap-drop": {kind: flattened, fields: everything, prefix: "meta.", deletes: dropped, placed: true,
		end: wrong{1, 5, 0}, arrived: wrong{1, 5, 0}, extra: kept},

	// Deletes are nulls, without a version. Where the rows have none either, all
	// are ties and arrival orders them. Where the rows have one, Compare takes each
	// delete for older than its row: these streams are for arrival alone.
	"postgres/unwrap-2.7.3-none": {kind: flattened, deletes: tombstones, connector: "postgresql",
		end: wrong{1, 1, 0}, arrived: wrong{1, 1, 0}, extra: []string{padded}},
	"postgres/unwrap-tombstone": {kind: flattened, fields: everything, deletes: tombstones,
		end: wrong{1, 5, 0}, arrived: wrong{1, 1, 0}, extra: kept},
	"postgres/unwrap-delete-to-tombstone": {kind: flattened, fields: everything, deletes: tombstones,
		end: wrong{1, 5, 0}, arrived: wrong{1, 1, 0}, extra: kept},
}

func isEnvelope(v truth.Variant) bool {
	_, other := notEnvelopes[v.String()]
	return !other
}

// decodable reports whether the records are changes, in a format that the
// library reads.
func (c *capture) decodable() bool { return isEnvelope(c.Variant) || c.format.kind != application }

// placed reports whether all changes carry a position.
func (c *capture) placed() bool { return isEnvelope(c.Variant) || c.format.placed }

func (f *format) carries(field string) bool {
	return slices.Contains(strings.Split(f.fields, ","), field)
}

// members returns the names of the metadata members by field, and that of
// deleted.
func (f *format) members() (byField map[string]string, deleted string) {
	prefix := f.prefix
	if prefix == "" {
		prefix = "__"
	}
	byField = map[string]string{}
	for field := range strings.SplitSeq(f.fields, ",") {
		if field != "" {
			byField[field] = prefix + strings.ReplaceAll(field, ".", "_")
		}
	}
	return byField, prefix + "deleted"
}

type decoder interface {
	DecodeKeyed(c *envelope.Change, key, value []byte) error
}

// decoders returns a function that gives the decoder for a topic: one for all,
// but where only the topic names the table.
func (c *capture) decoders(order envelope.Order) func(topic string) decoder {
	var one decoder
	switch {
	case isEnvelope(c.Variant):
		one = &envelope.Debezium{Order: order}
	case c.format.kind == cloudEvents:
		one = &envelope.CloudEvents{Order: order}
	}
	all := map[envelope.Table]decoder{}
	return func(topic string) decoder {
		if one != nil {
			return one
		}
		table := c.standIn(topic)
		if all[table] == nil {
			all[table] = &envelope.Flattened{Order: order, Prefix: c.format.prefix, Table: table,
				Connector: c.format.connector, TombstoneDeletes: c.format.deletes == tombstones}
		}
		return all[table]
	}
}

// standIn returns the parts of the table's name that the flattened rows of a
// topic do not carry. Nulls carry none.
func (c *capture) standIn(topic string) envelope.Table {
	table := c.tableOf(topic)
	if c.format.deletes == tombstones {
		return table
	}
	for field, part := range map[string]*string{"db": &table.DB, "schema": &table.Schema, "table": &table.Name} {
		if c.format.carries(field) {
			*part = ""
		}
	}
	return table
}

// tableOf returns the table of a topic, by the names that the connectors give
// and those of the captures' databases. The zero Table is none.
func (c *capture) tableOf(topic string) envelope.Table {
	parts := strings.Split(topic, ".")
	switch {
	case len(parts) != 3:
		return envelope.Table{}
	case c.DB == "postgres":
		return envelope.Table{DB: strings.NewReplacer("-", "_", ".", "_").Replace(c.Name), Schema: parts[1], Name: parts[2]}
	}
	return envelope.Table{DB: parts[1], Name: parts[2]}
}
