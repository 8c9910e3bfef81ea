package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// The connector sends dates as days, decimals as base64 of their bytes and timestamps as milliseconds. The destination
// was made with a string for the order's number.
func ExampleEncoder() {
	orders := envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	schema := &envelope.Schema{Fields: []envelope.Field{
		{Name: "Order_ID", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "total", Type: envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Precision: 10, Scale: 2}},
		{Name: "day", Type: envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}},
		{Name: "changed_at", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMillis}},
		{Name: "tags", Type: envelope.Type{Kind: envelope.KindList, Elem: &envelope.Type{Kind: envelope.KindText}}},
	}}
	e := &route.Encoder{Types: map[envelope.Table]map[string]string{orders: {"Order_ID": "string"}}, Nested: true}
	if err := e.Check(orders, schema); err != nil {
		fmt.Println(err)
		return
	}
	row, err := e.AppendRow(nil, orders, schema, envelope.Row(
		`{"Order_ID":9007199254740993,"total":"dS8=","day":19865,"changed_at":1716369573887,"tags":["a","b"]}`))
	fmt.Println(string(row), err)

	// A day that PostgreSQL calls infinity is none that Iceberg has.
	_, err = e.AppendRow(nil, orders, schema, envelope.Row(`{"Order_ID":1,"day":2147483647}`))
	misfit, ok := errors.AsType[*route.MisfitError](err)
	fmt.Println(ok, misfit)
	// Output:
	// {"order_id":"9007199254740993","total":"299.99","day":19865,"changed_at":1716369573887000,"tags":["a","b"]} <nil>
	// true date into date: an infinity
}

// Records without schemas are encoded by those that are given here. The row of a table that has none fails, to be
// seen, and does not go out half typed.
func ExampleFirehose_encode() {
	orders := envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	f := &route.Firehose{
		Router: &route.Rules{Database: "lake", Default: &route.Destination{}},
		Encode: new(route.Encoder),
		Schemas: map[envelope.Table]*envelope.Schema{orders: {Fields: []envelope.Field{
			{Name: "order_id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
			{Name: "changed_at", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMillis}},
		}}},
		Observe: func(o *route.Outcome) { fmt.Println(o.Table, o.Result, o.Reason) },
	}
	change := func(table string) []byte {
		return fmt.Appendf(nil, `{"op":"c","after":{"order_id":1,"changed_at":1716369573887},
			"source":{"connector":"postgresql","db":"shop","schema":"public","table":%q}}`, table)
	}
	answer, err := f.Handle(context.Background(), route.Event{Records: []route.Record{
		{RecordID: "r0", Data: change("orders")},
		{RecordID: "r1", Data: change("items")},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", answer.Records[0].Data)
	// Output:
	// shop.public.orders Ok delivered
	// shop.public.items ProcessingFailed untyped row
	// {"order_id":1,"changed_at":1716369573887000}
}
