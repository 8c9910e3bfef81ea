package iceberg_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// orderRecord is what Debezium's connector for PostgreSQL sends of an updated row, with
// the schema as Kafka Connect's JSON converter writes it.
const orderRecord = `{"schema":{"type":"struct","fields":[%[1]s"field":"before"},%[1]s"field":"after"},` +
	`{"type":"struct","fields":[{"type":"string","optional":false,"field":"connector"}],"optional":false,"field":"source"},{"type":"string","optional":false,"field":"op"}],"optional":false,"name":"shop.public.orders.Envelope"},` +
	`"payload":{"before":null,"after":{"order_id":%[2]d,"customer_id":%[3]d,"status":%[4]q,"amount":%[5]q,"created_at":%[6]q,"updated_at":%[7]q,"note":%[8]q},` +
	`"source":{"version":"3.6.1.Final","connector":"postgresql","name":"shop","ts_ms":1795233213840,"snapshot":"false","db":"shop","sequence":"[\"%[9]d\",\"%[9]d\"]","schema":"public","table":"orders","txId":771,"lsn":%[9]d,"xmin":null,"ts_ns":1795233213840122000},"op":"u","ts_ms":1795233213900}}`

const orderFields = `{"type":"struct","fields":[{"type":"int64","optional":false,"field":"order_id"},{"type":"int64","optional":false,"field":"customer_id"},{"type":"string","optional":false,"field":"status"},` +
	`{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"12"},"field":"amount"},` +
	`{"type":"string","optional":false,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"created_at"},{"type":"string","optional":false,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"updated_at"},` +
	`{"type":"string","optional":true,"field":"note"}],"optional":true,"name":"shop.public.orders.Value",`

// orders returns decoded changes of so many rows of seven columns.
func orders(b *testing.B, keys int) []envelope.Change {
	var d envelope.Debezium
	changes := make([]envelope.Change, keys)
	for i := range changes {
		amount := binary.BigEndian.AppendUint32(nil, uint32(1999+37*i))
		record := fmt.Sprintf(orderRecord, orderFields, 1_000_000+i, i*7919%50_000,
			[...]string{"new", "paid", "shipped", "delivered"}[i%4], base64.StdEncoding.EncodeToString(amount),
			fmt.Sprintf("2026-11-%02dT08:%02d:%02d.%06dZ", 1+i%28, i%60, i/60%60, i%1_000_000), fmt.Sprintf("2026-11-21T18:%02d:%02d.%06dZ", i%60, i/60%60, i%1_000_000),
			"left at the door "+strings.Repeat("z", i%32), 58575872+56*i)
		var c envelope.Change
		if err := d.DecodeKeyed(&c, fmt.Appendf(nil, `{"order_id":%d}`, 1_000_000+i), []byte(record)); err != nil {
			b.Fatal(err)
		}
		changes[i] = c.Clone()
	}
	return changes
}

// What a change costs from the decoded record to the delta, of a Builder that is new and
// of one that has flushed as much before; and what of it is the RowReader's.
func BenchmarkBuilder(b *testing.B) {
	const keys = 100_000
	changes := orders(b, keys)
	perKey := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key") }
	run := func(b *testing.B, build *iceberg.Builder) {
		for i := range changes {
			if err := build.Add(&changes[i]); err != nil {
				b.Fatal(err)
			}
		}
		if d := build.Flush("", ""); len(d) != 1 || d[0].Rows.Len != keys || len(d[0].Schema.Columns) != 7 {
			b.Fatal(len(d))
		}
	}
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			run(b, new(iceberg.Builder))
		}
		perKey(b)
	})
	b.Run("again", func(b *testing.B) {
		build := new(iceberg.Builder)
		run(b, build)
		b.ReportAllocs()
		for b.Loop() {
			run(b, build)
		}
		perKey(b)
	})
	b.Run("reading", func(b *testing.B) {
		var r envelope.RowReader
		b.ReportAllocs()
		for b.Loop() {
			for i := range changes {
				if err := r.Read(changes[i].Schema, changes[i].After); err != nil {
					b.Fatal(err)
				}
			}
		}
		perKey(b)
	})
}
