package envelope_test

import (
	"fmt"
	"math/big"

	"github.com/rowdelta/rowdelta/envelope"
)

// A schema by hand, for records that come without one.
var orders = &envelope.Schema{Name: "orders", Fields: []envelope.Field{
	{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
	{Name: "total", Type: envelope.Type{Kind: envelope.KindDecimal, Form: envelope.FormUnscaled, Precision: 10, Scale: 2}},
	{Name: "placed", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}},
	{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	{Name: "scan", Type: envelope.Type{Kind: envelope.KindBytes}, Optional: true},
}}

func ExampleRowReader() {
	row := envelope.Row(`{"id":7,"total":"Omw=","placed":1795233274120735,"note":null,"scan":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="}`)
	var r envelope.RowReader // one for each goroutine
	if err := r.Read(orders, row); err != nil {
		fmt.Println(err)
		return
	}
	for i, f := range orders.Fields {
		d := r.Datum(i)
		fmt.Printf("%-7s %-13v %-11v %q\n", f.Name, d.Type(), d.State(), d.AppendText(nil))
	}
	total, _ := r.Datum(1).Decimal()
	placed, _ := r.Datum(2).Time()
	fmt.Println(total.Unscaled(), total.Scale(), placed)
	// Output:
	// id      int64         set         "7"
	// total   decimal(10,2) set         "149.56"
	// placed  timestamp     set         "2026-11-21T03:54:34.120735"
	// note    text          null        ""
	// scan    bytes         unavailable ""
	// 14956 2 2026-11-21 03:54:34.120735 +0000 UTC
}

func ExampleRowReader_errors() {
	var r envelope.RowReader
	fmt.Println(r.Read(orders, envelope.Row(`{"id":7,"total":true}`)))
	fmt.Println(r.Read(orders, envelope.Row(`{"id":7,"surprise":1}`)), len(r.Others()))
	// Output:
	// envelope: member has the wrong type: a boolean in place of decimal(10,2) at /total (offset 16)
	// <nil> 1
}

func ExampleDatum_Any() {
	list := envelope.Type{Kind: envelope.KindList, Elem: &envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}}
	s := &envelope.Schema{Fields: []envelope.Field{{Name: "holidays", Type: list}}}
	var r envelope.RowReader
	if err := r.Read(s, envelope.Row(`{"holidays":[20454,null,-2147472692]}`)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Datum(0).Any())
	fmt.Printf("%s\n", r.Datum(0).AppendText(nil))
	// Output:
	// [2026-01-01 00:00:00 +0000 UTC <nil> infinity]
	// ["2026-01-01",null,"infinity"]
}

func ExampleDecimal() {
	d := envelope.NewDecimal(big.NewInt(14956), 2)
	e, _ := envelope.ParseDecimal("149.5600")
	fmt.Println(d, e, d.Cmp(e))
	e, exact := e.Rescale(1)
	fmt.Println(e, exact)
	// Output:
	// 149.56 149.5600 0
	// 0 false
}

func ExampleInterval() {
	i, err := envelope.ParseInterval("P1Y2M3DT4H5M6.78S")
	fmt.Println(i.Months, i.Days, i.Micros, err)
	fmt.Println(envelope.Interval{Months: -1, Days: 40})
	// Output:
	// 14 3 14706780000 <nil>
	// P-1M40D
}

func ExamplePlaceholder_Reference() {
	p := envelope.NewPlaceholder(envelope.DefaultPlaceholder)
	v := envelope.Value(`"__debezium:s3:ref:v1:large-values|orders/7/scan"`)
	reference, ok := p.Reference(v)
	fmt.Printf("%s %v %v\n", reference, ok, p.Is(v))
	// Output:
	// large-values|orders/7/scan true false
}
