package iceberg_test

import (
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

func ExampleBuilder() {
	orders := &envelope.Schema{Name: "orders", Key: []string{"id"}, Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "total", Type: envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Precision: 10, Scale: 2}, Optional: true},
		{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	}}
	table := envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	changes := []envelope.Change{ // as a decoder makes them
		{Op: envelope.OpCreate, After: envelope.Row(`{"id":1,"total":"Omw=","note":"gift"}`)},
		{Op: envelope.OpUpdate, After: envelope.Row(`{"id":1,"total":"AGQ=","note":"__debezium_unavailable_value"}`)},
		{Op: envelope.OpDelete, Key: envelope.Row(`{"id":2}`)},
		{Op: envelope.OpUpdate, After: envelope.Row(`{"id":3,"total":null,"note":"__debezium_unavailable_value"}`)},
	}
	var b iceberg.Builder
	for i := range changes {
		c := &changes[i]
		c.Table, c.Schema, c.Version = table, orders, envelope.PositionVersion(1_795_233_274e9, 0, uint64(i+1))
		if err := b.Add(c); err != nil {
			fmt.Println(err)
		}
	}
	for _, d := range b.Flush("offset 40", "offset 44") {
		fmt.Println(d.Table, d.From, "to", d.To)
		for _, c := range d.Schema.Columns {
			fmt.Println(c.Name, c.Type, c.Required)
		}
		fmt.Println("keys", d.Keys.Columns[0].Ints)
		id, total, note := &d.Rows.Columns[0], &d.Rows.Columns[1], &d.Rows.Columns[2]
		for i := range d.Rows.Len {
			fmt.Printf("row %d %d %v %q\n", id.Ints[i], total.Decimals[i].Lo, total.Null[i], note.Value(i))
		}
		for _, g := range d.Gaps {
			fmt.Printf("row %d lacks %s of key %d\n", id.Ints[g.Row], d.Schema.Columns[g.Columns[0]].Name, d.Keys.Columns[0].Ints[g.Key])
		}
	}
	// Output:
	// shop.public.orders offset 40 to offset 44
	// id long true
	// total decimal(10,2) false
	// note string false
	// keys [1 2 3]
	// row 1 100 false "gift"
	// row 3 0 true ""
	// row 3 lacks note of key 3
}

func ExampleMapping_SchemaOf() {
	m := iceberg.Mapping{Types: map[string]string{"Amount": "decimal(20,4)"}}
	s, err := m.SchemaOf(envelope.Table{Name: "payments"}, &envelope.Schema{Fields: []envelope.Field{
		{Name: "ID", Type: envelope.Type{Kind: envelope.KindUUID}},
		{Name: "Amount", Type: envelope.Type{Kind: envelope.KindText}}, // decimal.handling.mode=string
		{Name: "At", Type: envelope.Type{Kind: envelope.KindInstant}, Optional: true},
	}}, "ID")
	fmt.Println(s.Columns, s.Key, err)
	// Output:
	// [{id uuid true} {amount decimal(20,4) true} {at timestamptz false}] [id] <nil>
}
