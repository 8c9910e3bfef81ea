package envelope_test

import (
	"fmt"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

var shipments = &envelope.Schema{Fields: []envelope.Field{
	{Name: "order_id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
	{Name: "total", Type: envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Precision: 10, Scale: 2}},
	{Name: "placed_at", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}},
	{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
}}

func ExampleAs() {
	type order struct {
		ID     int64            `row:"order_id"`
		Total  envelope.Decimal `row:"total"`
		Placed time.Time        `row:"placed_at"`
		Note   *string
	}
	row := envelope.Row(`{"order_id":2,"total":"OmY=","placed_at":1795233274120735,"note":null}`)
	o, err := envelope.As[order](shipments, row)
	fmt.Println(o.ID, o.Total, o.Placed, o.Note == nil, err)

	_, err = envelope.As[order](shipments, envelope.Row(`{"order_id":2,"total":null,"placed_at":0,"note":"gift"}`))
	fmt.Println(err)
	// Output:
	// 2 149.50 2026-11-21 03:54:34.120735 +0000 UTC true <nil>
	// envelope: member has the wrong type: null for Go type envelope.Decimal at /total (offset 22)
}

func ExampleRowReader_Decode() {
	var r envelope.RowReader // one for each goroutine
	var o struct {           // and one struct for all rows
		ID     int64 `row:"order_id"`
		Placed envelope.Moment
		At     envelope.Moment `row:"placed_at"`
	}
	fmt.Println(r.Decode(shipments, envelope.Row(`{}`), &o)) // no column is called placed
	var p struct {
		At envelope.Moment `row:"placed_at"`
	}
	for _, row := range []string{`{"placed_at":0}`, `{"placed_at":9223372036825200000}`} {
		err := r.Decode(shipments, envelope.Row(row), &p)
		fmt.Println(p.At.Time.Format(time.DateOnly), p.At.Infinity != 0, err)
	}
	// Output:
	// envelope: required member missing: no column for field Placed at /Placed (offset 0)
	// 1970-01-01 false <nil>
	// 0001-01-01 true <nil>
}

func ExampleOptional() {
	type order struct {
		ID   int64 `row:"order_id"`
		Note envelope.Optional[string]
	}
	for _, row := range []string{
		`{"order_id":1,"note":"gift"}`,
		`{"order_id":2,"note":null}`,
		`{"order_id":3,"note":"__debezium_unavailable_value"}`,
		`{"order_id":4}`,
	} {
		o, err := envelope.As[order](shipments, envelope.Row(row))
		note, ok := o.Note.Get()
		fmt.Printf("%d %v %q %t %v\n", o.ID, o.Note.State, note, ok, err)
	}
	// Output:
	// 1 set "gift" true <nil>
	// 2 null "" false <nil>
	// 3 unavailable "" false <nil>
	// 4 missing "" false <nil>
}

func ExampleRow_Decode() {
	row := envelope.Row(`{"order_id":9007199254740993,"total":"149.50","items":[{"sku":"a","qty":2}]}`)
	var o struct {
		ID    int64            `json:"order_id"`
		Total envelope.Decimal `json:"total"` // has UnmarshalText
		Items any              `json:"items"`
	}
	fmt.Println(row.Decode(&o), o)

	var p struct {
		ID int32 `json:"order_id"`
	}
	fmt.Println(row.Decode(&p))
	// Output:
	// <nil> {9007199254740993 149.50 [map[qty:2 sku:a]]}
	// envelope: member has the wrong type: the value does not fit Go type int32 at /order_id (offset 12)
}
