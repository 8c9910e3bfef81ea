package main

import (
	"context"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
)

// The tables of the PostgreSQL database.
var (
	orders   = envelope.Table{Schema: "public", Name: "orders"}
	products = envelope.Table{Schema: "public", Name: "products"}
)

// shopSchemas are their columns. Records with their schema (schemas.enable=true) need
// none of this.
var shopSchemas = map[envelope.Table]*envelope.Schema{
	orders: {Name: "orders", Key: []string{"order_id"}, Fields: []envelope.Field{
		{Name: "order_id", Type: integer},
		{Name: "customer_id", Type: integer, Optional: true},
		{Name: "order_date", Type: text, Optional: true}, // varchar(50) in the database
		{Name: "total_amount", Type: decimal(12, 2), Optional: true},
		{Name: "status", Type: text, Optional: true},
		{Name: "created_at", Type: timestamp, Optional: true},
		{Name: "updated_at", Type: timestamp, Optional: true},
	}},
	products: {Name: "products", Key: []string{"product_id"}, Fields: []envelope.Field{
		{Name: "product_id", Type: integer},
		{Name: "product_name", Type: text, Optional: true},
		{Name: "category", Type: text, Optional: true},
		{Name: "price", Type: decimal(10, 2), Optional: true},
		{Name: "stock_quantity", Type: integer, Optional: true},
		{Name: "created_at", Type: timestamp, Optional: true},
		{Name: "updated_at", Type: timestamp, Optional: true},
	}},
}

var (
	integer   = envelope.Type{Kind: envelope.KindInt, Bits: 32}
	text      = envelope.Type{Kind: envelope.KindText}
	timestamp = envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}
)

// decimal is a decimal that is written as text (decimal.handling.mode=string).
func decimal(precision, scale int) envelope.Type {
	return envelope.Type{Kind: envelope.KindDecimal, Precision: precision, Scale: scale}
}

// afterSnapshot is the number of the first change after the connector's snapshot.
const afterSnapshot = 14

// deliver returns records as a topic has them after a bad day: the third hundred comes
// before the second, and fifty records come again behind records that are newer.
func deliver(r [][]byte) [][]byte {
	return slices.Concat(r[:100], r[200:300], r[100:200], r[150:200], r[300:])
}

// writeRecords writes Debezium's records, of which the first has the position from,
// and returns where the last batch begins. The connector's snapshot is a batch of its
// own.
func writeRecords(ctx context.Context, p *pipeline, records [][]byte, from int) (last int, err error) {
	var decoder envelope.Debezium
	var changes []envelope.Change
	for i, record := range records {
		var c envelope.Change
		if err := decoder.Decode(&c, record); err != nil {
			return from, err
		}
		changes = append(changes, c)
		if len(changes) == batchSize || c.Snapshot == envelope.SnapshotLast || i == len(records)-1 {
			last = from
			from += len(changes)
			if err := p.write(ctx, changes, last, from); err != nil {
				return last, err
			}
			changes = changes[:0]
		}
	}
	return last, nil
}
