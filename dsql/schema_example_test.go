package dsql_test

import (
	"fmt"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

func ExampleParseSchema() {
	s, err := dsql.ParseSchema(`
		CREATE TABLE IF NOT EXISTS public.orders (
			order_id bigint PRIMARY KEY,
			total    numeric(10, 2) NOT NULL DEFAULT 0,
			paid     timestamp with time zone -- null until then
		)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Name, s.Key)
	var r envelope.RowReader
	if err := r.Read(s, envelope.Row(`{"order_id":2,"total":"149.50","paid":1705318200000000}`)); err != nil {
		fmt.Println(err)
		return
	}
	for i, f := range s.Fields {
		fmt.Printf("%s %v %s\n", f.Name, f.Type.Kind, r.Datum(i).AppendText(nil))
	}
	// Output:
	// public.orders [order_id]
	// order_id int 2
	// total decimal 149.50
	// paid instant 2024-01-15T11:30:00Z
}

func ExampleColumnType() {
	for _, name := range []string{"varchar(10)", "timestamptz", "interval", "jsonb"} {
		t, err := dsql.ColumnType(name)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(t.Name, t.Kind)
	}
	// Output:
	// character varying text
	// timestamp with time zone instant
	// interval duration
	// dsql: unknown type "jsonb" (offset 0)
}
