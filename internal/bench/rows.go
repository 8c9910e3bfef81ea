package main

import (
	"fmt"
	"strings"
)

func (g generator) order(dst []byte, id int) []byte {
	address := fmt.Sprintf("%d %s, Apt %d, %05d %s, ring the bell twice",
		g.IntN(9999), pick(g, streets), g.IntN(99), g.IntN(99999), pick(g, cities))
	return fmt.Appendf(dst, `{"id":%d,"customer_id":%d,"status":"%s","total_amount":"%d.%02d","shipping_address":%s,"created_at":%d,"updated_at":%d}`,
		id, g.IntN(1_000_000), pick(g, statuses), g.IntN(5000), g.IntN(100), quote(address), 1_760_000_000_000_000-g.Int64N(1e9), int64(1_760_000_000_000_000))
}

func (g generator) customer(dst []byte, id int) []byte {
	return fmt.Appendf(dst, `{"customer_id":%d,"email":"user%d@example.com","name":%s,"city":%s,"vip":%t,"score":%.2f,"created_at":%d}`,
		id, id, quote("Jane "+pick(g, words)), quote(pick(g, cities)), g.IntN(2) == 0, g.Float64()*100, 1_760_000_000_000_000+g.Int64N(1e12))
}

func (g generator) item(dst []byte, id int) []byte {
	return fmt.Appendf(dst, `{"item_id":%d,"order_id":%d,"sku":"SKU-%05d","qty":%d,"price":"%d.%02d","discount":null}`,
		id, g.IntN(1e7), g.IntN(1e5), g.IntN(9), g.IntN(100), g.IntN(100))
}

func (g generator) payment(dst []byte, id int) []byte {
	return fmt.Appendf(dst, `{"payment_id":"%s","order_id":%d,"method":"%s","amount":"%d.00","meta":"{\"ip\":\"10.0.0.%d\",\"ok\":true}","at":%d}`,
		g.uuid(), id, pick(g, methods), g.IntN(1000), g.IntN(255), 1_760_000_000_000+g.Int64N(1e9))
}

func (g generator) uuid() string {
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", g.Uint32(), g.IntN(1<<16), g.IntN(1<<16), g.IntN(1<<16), g.Int64N(1<<48))
}

// wideRow appends an id and 99 columns, ten kinds in turn.
func (g generator) wideRow(dst []byte, id int) []byte {
	kinds := []struct {
		suffix string
		value  func(dst []byte) []byte
	}{
		{"name", func(dst []byte) []byte { return append(dst, quote(pick(g, cities)+" "+pick(g, streets))...) }},
		{"flag", func(dst []byte) []byte { return fmt.Appendf(dst, "%t", g.IntN(2) == 0) }},
		{"amount", func(dst []byte) []byte { return fmt.Appendf(dst, `"%d.%02d"`, g.IntN(100_000), g.IntN(100)) }},
		{"ts", func(dst []byte) []byte { return fmt.Appendf(dst, "%d", 1_760_000_000_000_000+g.Int64N(1e12)) }},
		{"note", func(dst []byte) []byte {
			return append(dst, quote(strings.Repeat("lorem ipsum dolor sit ", 1+g.IntN(4))+`"quoted"`)...)
		}},
		{"ratio", func(dst []byte) []byte { return fmt.Appendf(dst, "%g", g.Float64()*1000) }},
		{"ref", func(dst []byte) []byte { return fmt.Appendf(dst, `"%s"`, g.uuid()) }},
		{"cnt", func(dst []byte) []byte { return fmt.Appendf(dst, "%d", g.IntN(1000)) }},
		{"code", func(dst []byte) []byte {
			return fmt.Appendf(dst, `"%c%c%d"`, 'A'+g.IntN(26), 'A'+g.IntN(26), g.IntN(1000))
		}},
		{"opt", func(dst []byte) []byte { return append(dst, null...) }},
	}
	dst = fmt.Appendf(dst, `{"id":%d`, id)
	for i := 1; i < 100; i++ {
		k := kinds[i%len(kinds)]
		dst = fmt.Appendf(dst, `,"column_%02d_%s":`, i, k.suffix)
		dst = k.value(dst)
	}
	return append(dst, '}')
}

// connectSchema returns the schema that Kafka Connect's JSON converter puts into each record of the table of orders,
// with the source's column types as parameters.
func connectSchema() string {
	column := func(kind, semantic, name, dbType string, length int) string {
		if semantic != "" {
			semantic = fmt.Sprintf(`"name":"%s","version":1,`, semantic)
		}
		return fmt.Sprintf(`{"type":"%s","optional":true,%s"parameters":{"__debezium.source.column.type":"%s","__debezium.source.column.length":"%d","__debezium.source.column.name":"%s"},"field":"%s"}`,
			kind, semantic, dbType, length, name, name)
	}
	columns := strings.Join([]string{
		column("int32", "", "id", "INT4", 10),
		column("int32", "", "customer_id", "INT4", 10),
		column("string", "", "status", "VARCHAR", 32),
		column("string", "", "total_amount", "NUMERIC", 12),
		column("string", "", "shipping_address", "TEXT", 2147483647),
		column("int64", "io.debezium.time.MicroTimestamp", "created_at", "TIMESTAMP", 29),
		column("int64", "io.debezium.time.MicroTimestamp", "updated_at", "TIMESTAMP", 29),
	}, ",")
	image := func(name string) string {
		return fmt.Sprintf(`{"type":"struct","fields":[%s],"optional":true,"name":"aurora_cdc.public.orders.Value","field":"%s"}`, columns, name)
	}
	field := func(kind string, optional bool, name string) string {
		return fmt.Sprintf(`{"type":"%s","optional":%t,"field":"%s"}`, kind, optional, name)
	}
	source := strings.Join([]string{
		field("string", false, "version"), field("string", false, "connector"), field("string", false, "name"), field("int64", false, "ts_ms"),
		`{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"}`,
		field("string", false, "db"), field("string", true, "sequence"), field("int64", true, "ts_us"), field("int64", true, "ts_ns"),
		field("string", false, "schema"), field("string", false, "table"), field("int64", true, "txId"), field("int64", true, "lsn"), field("int64", true, "xmin"),
	}, ",")
	transaction := strings.Join([]string{
		field("string", false, "id"), field("int64", false, "total_order"), field("int64", false, "data_collection_order"),
	}, ",")
	return fmt.Sprintf(`{"type":"struct","fields":[%s],"optional":false,"name":"aurora_cdc.public.orders.Envelope","version":2}`,
		strings.Join([]string{
			image("before"), image("after"),
			`{"type":"struct","fields":[` + source + `],"optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"}`,
			`{"type":"struct","fields":[` + transaction + `],"optional":true,"name":"event.block","version":1,"field":"transaction"}`,
			field("string", false, "op"), field("int64", true, "ts_ms"), field("int64", true, "ts_us"), field("int64", true, "ts_ns"),
		}, ","))
}
