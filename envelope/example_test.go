package envelope_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
)

var record = []byte(`{"before":null,"after":{"order_id":2,"status":"delivered","total":"149.50"},` +
	`"source":{"version":"2.7.3.Final","connector":"postgresql","db":"shop","schema":"public","table":"orders",` +
	`"ts_ms":1795233274120,"ts_ns":1795233274120735000,"sequence":"[\"63003568\",\"63003624\"]","txId":2072,"lsn":63003624},` +
	`"op":"u","ts_ms":1795233274380}`)

func ExampleDebezium() {
	var d envelope.Debezium // ready to use; one for each goroutine
	var c envelope.Change
	if err := d.Decode(&c, record); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Op, c.Effect(), c.Table)
	fmt.Println(c.Version)
	fmt.Println(string(c.After))
	// Output:
	// update upsert shop.public.orders
	// 2026-11-21T03:54:34.120735Z lsn 0/3C15BE8 after 0/3C15BB0
	// {"order_id":2,"status":"delivered","total":"149.50"}
}

func ExampleDebezium_DecodeKeyed() {
	var d envelope.Debezium
	var c envelope.Change
	key := []byte(`{"order_id":2,"__dbz__physicalTableIdentifier":"shop.public.orders"}`)
	if err := d.DecodeKeyed(&c, key, record); err != nil {
		fmt.Println(err)
		return
	}
	identity, err := c.AppendKey(nil) // the columns of the key, without the router's
	fmt.Printf("%q %v\n", identity, err)

	err = d.DecodeKeyed(&c, key, nil) // a tombstone
	fmt.Println(c.Op, c.Effect(), err)
	// Output:
	// "\x04shop\x06public\x06orders\border_id0\x012\x00" <nil>
	// tombstone none <nil>
}

func ExampleDecodeError() {
	var d envelope.Debezium
	var c envelope.Change
	err := d.Decode(&c, []byte(`{"op":"c","after":{"id":1,"note":"a`+"\n"+`b"}}`))
	fmt.Println(err)
	fmt.Println(errors.Is(err, envelope.ErrSyntax), envelope.IsPermanent(err))
	// Output:
	// envelope: invalid JSON: unexpected byte at /after/note (offset 35)
	// true true
}

func ExampleRow() {
	row := envelope.Row(`{"id":9007199254740993,"note":"caf\u00e9","gone":null}`)
	for col, err := range row.Columns() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s\n", col.Name, col.Value.AppendText(nil))
	}
	id, _ := row.Get("id")
	n, err := id.Int64() // exact: it never passes through a float
	fmt.Println(n, err)
	// Output:
	// id: 9007199254740993
	// note: café
	// gone: null
	// 9007199254740993 <nil>
}

func ExampleVersion() {
	// A snapshot taken under load: its reads carry the time at which it ended, and
	// a change that is newer than what they show can carry an earlier one.
	decode := func(op, source string) envelope.Version {
		var d envelope.Debezium
		var c envelope.Change
		if err := d.Decode(&c, fmt.Appendf(nil, `{"op":%q,"after":{"id":1},"source":{"connector":"postgresql",%s}}`, op, source)); err != nil {
			fmt.Println(err)
		}
		return c.Version
	}
	read := decode("r", `"snapshot":"true","ts_ms":1795233755809,"lsn":602244848,"sequence":"[null,\"602244848\"]"`)
	change := decode("u", `"snapshot":"false","ts_ms":1795233755540,"lsn":602239264,"sequence":"[\"602245568\",\"602239264\"]"`)
	fmt.Println("by time:   ", change.Time().Compare(read.Time()))
	fmt.Println("by version:", change.Compare(read))
	// Output:
	// by time:    -1
	// by version: 1
}

func ExampleVersion_Compare() {
	versions := []envelope.Version{
		envelope.PositionVersion(1_000, 7, 2),
		envelope.PositionVersion(2_000, 7, 1), // the position counts, not the time
	}
	slices.SortStableFunc(versions, envelope.Version.Compare)
	for _, v := range versions {
		fmt.Println(v)
	}
	// Output:
	// 1970-01-01T00:00:00.000002Z at 7,1
	// 1970-01-01T00:00:00.000001Z at 7,2
}

func ExampleKeyColumns() {
	orders := envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	keys := envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}})
	c := envelope.Change{Op: envelope.OpUpdate, Table: orders, After: envelope.Row(`{"order_id":2,"status":"new"}`)}
	key, err := keys(nil, &c)
	fmt.Printf("%q %v\n", key, err)

	c.Table.Name = "other"
	_, err = keys(nil, &c)
	fmt.Println(err)
	// Output:
	// "\x04shop\x06public\x06orders\border_id0\x012\x00" <nil>
	// envelope: no key for table shop.public.other
}

func ExamplePlaceholder() {
	p := envelope.NewPlaceholder(envelope.DefaultPlaceholder)
	row := envelope.Row(`{"id":1,"document":"__debezium_unavailable_value"}`)
	if col, ok := p.Column(row); ok {
		fmt.Printf("no value in %s\n", col.Name)
	}
	// Output:
	// no value in document
}

func ExampleChange_Clone() {
	var d envelope.Debezium
	var c envelope.Change
	buffer := append([]byte(nil), record...)
	if err := d.Decode(&c, buffer); err != nil {
		fmt.Println(err)
		return
	}
	kept := c.Clone()
	clear(buffer) // the transport reuses its buffer
	fmt.Println(string(kept.After))
	// Output:
	// {"order_id":2,"status":"delivered","total":"149.50"}
}

func ExampleFlattened() {
	d := envelope.Flattened{Table: envelope.Table{DB: "shop", Schema: "public"}} // what the rows do not carry
	var c envelope.Change
	row := []byte(`{"order_id":2,"status":"new","__deleted":"true","__op":"d","__table":"orders","__source_ts_ms":1795233274120}`)
	if err := d.Decode(&c, row); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Effect(), c.Table)
	key, err := c.AppendKey(nil, "order_id")
	fmt.Printf("%q %v\n", key, err)
	// Output:
	// delete shop.public.orders
	// "\x04shop\x06public\x06orders\border_id0\x012\x00" <nil>
}

func ExampleCloudEvents() {
	var d envelope.CloudEvents
	var c envelope.Change
	event := []byte(`{"id":"name:pg;lsn:30","specversion":"1.0","type":"io.debezium.connector.postgresql.DataChangeEvent",` +
		`"iodebeziumop":"c","iodebeziumdb":"shop","iodebeziumschema":"public","iodebeziumtable":"orders","iodebeziumtsms":"1795233274120",` +
		`"data":{"before":null,"after":{"order_id":2}}}`)
	if err := d.Decode(&c, event); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Op, c.Table, string(c.After))
	// Output:
	// create shop.public.orders {"order_id":2}
}
