package envelope_test

import (
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

func ExampleParseSchema() {
	s, err := envelope.ParseSchema([]byte(`{"type":"struct","name":"shop.public.orders.Value","fields":[` +
		`{"type":"int64","optional":false,"field":"id"},` +
		`{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"total"},` +
		`{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"paid"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range s.Fields {
		fmt.Println(f.Name, f.Type.String(), f.Optional)
	}
	var r envelope.RowReader
	if err := r.Read(s, envelope.Row(`{"id":2,"total":"OmY=","paid":1705318200000000}`)); err != nil {
		fmt.Println(err)
		return
	}
	for i := range r.Len() {
		fmt.Printf("%s ", r.Datum(i).AppendText(nil))
	}
	// Output:
	// id int64 false
	// total decimal(10,2) true
	// paid timestamp true
	// 2 149.50 2024-01-15T11:30:00
}

func ExampleParseTableChanges() {
	record := []byte(`{"source":{"connector":"mysql","db":"shop"},"ts_ms":1705318200125,"databaseName":"shop","schemaName":null,"ddl":"ALTER TABLE …",` +
		`"tableChanges":[{"type":"ALTER","id":"\"shop\".\"orders\"","table":{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":["id"],"columns":[` +
		`{"name":"id","jdbcType":-5,"typeName":"BIGINT UNSIGNED","typeExpression":"BIGINT UNSIGNED","charsetName":null,"length":20,"scale":null,"position":1,"optional":false},` +
		`{"name":"total","jdbcType":3,"typeName":"DECIMAL","typeExpression":"DECIMAL","charsetName":null,"length":10,"scale":2,"position":2,"optional":true}]}}]}`)
	changes, err := envelope.ParseTableChanges(record, envelope.ConnectorSettings{DecimalHandlingMode: "string"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Println(c.Type, c.Table, c.Schema.Key)
		for _, f := range c.Schema.Fields {
			fmt.Println(f.Name, f.Type.String())
		}
	}
	// Output:
	// ALTER shop.orders [id]
	// id uint
	// total decimal(10,2)
}

func ExampleParseTableDef() {
	table, s, err := envelope.ParseTableDef([]byte(`{"control":{"table-def":{"columns":{` +
		`"id":{"type":"INT8","nullable":false},"total":{"type":"NUMERIC","precision":10,"scale":2,"nullable":true}},"primary-key":["id"]}},` +
		`"metadata":{"record-type":"control","operation":"create-table","schema-name":"shop","table-name":"orders"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table, s.Key)
	for _, f := range s.Fields {
		fmt.Println(f.Name, f.Type.String(), f.Optional)
	}
	// Output:
	// shop.orders [id]
	// id int64 false
	// total decimal(10,2) true
}

func ExampleChange_schema() {
	record := []byte(`{"schema":{"type":"struct","fields":[` +
		`{"type":"struct","fields":[{"type":"int32","field":"id"},{"type":"int32","name":"io.debezium.time.Date","field":"due"}],"optional":true,"field":"after"},` +
		`{"type":"struct","fields":[],"field":"source"},{"type":"string","field":"op"}]},` +
		`"payload":{"after":{"id":1,"due":19737},"source":{},"op":"c"}}`)
	var d envelope.Debezium
	var c envelope.Change
	var r envelope.RowReader
	if err := d.Decode(&c, record); err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Read(c.Schema, c.After); err != nil {
		fmt.Println(err)
		return
	}
	due := c.Schema.Index("due")
	fmt.Println(r.Datum(due).Kind(), string(r.Datum(due).AppendText(nil)))
	// Output:
	// date 2024-01-15
}
