package route_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// A Lambda function hands f to lambda.Start. Here it answers an event of two records from Amazon MSK: an update and
// the tombstone of another row.
func ExampleFirehose() {
	f := &route.Firehose{
		Router: &route.Rules{
			Tables: map[envelope.Table]route.Destination{
				{DB: "shop", Schema: "public", Name: "orders"}: {Database: "lake", Table: "orders"},
			},
		},
	}
	record := base64.StdEncoding.EncodeToString([]byte(`{
		"before": null,
		"after": {"order_id":1,"status":"PAID","total_amount":"299.99"},
		"source": {"connector":"postgresql","version":"3.6.1.Final","db":"shop","schema":"public","table":"orders",
			"ts_ns":1716369573887000000,"lsn":63002960,"sequence":"[\"63002904\",\"63002960\"]"},
		"op": "u", "ts_ms": 1716369574120}`))
	event := `{"invocationId":"","sourceMSKArn":"arn:aws:kafka:us-east-1:123456789012:cluster/cdc/1",
		"deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/cdc","region":"us-east-1","records":[
		{"recordId":"r0","approximateArrivalTimestamp":1716369573887,"kafkaRecordValue":"` + record + `"},
		{"recordId":"r1","approximateArrivalTimestamp":1716369573888,"kafkaRecordValue":""}]}`

	response, err := f.Invoke(context.Background(), []byte(event))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(response), `{"recordId"`, "\n"+`{"recordId"`))
	// Output:
	// {"records":[
	// {"recordId":"r0","result":"Ok","kafkaRecordValue":"eyJvcmRlcl9pZCI6MSwic3RhdHVzIjoiUEFJRCIsInRvdGFsX2Ftb3VudCI6IjI5OS45OSJ9Cg==","metadata":{"otfMetadata":{"destinationDatabaseName":"lake","destinationTableName":"orders","operation":"update"}}},
	// {"recordId":"r1","result":"Dropped"}]}
}

// Two changes of one row in one delivery: Firehose would apply them in any order, so that only the newest may go out.
func ExampleFirehose_coalesce() {
	orders := envelope.Table{DB: "shop", Name: "orders"}
	f := &route.Firehose{
		Router:   &route.Rules{Database: "lake", Tables: map[envelope.Table]route.Destination{orders: {}}},
		Keys:     envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}}),
		Coalesce: true,
		Observe: func(o *route.Outcome) {
			fmt.Printf("%s %s %s: %s, %s\n", o.RecordID, o.Op, o.Table, o.Result, o.Reason)
		},
	}
	change := func(status string, pos int) []byte {
		return fmt.Appendf(nil, `{"op":"u","after":{"order_id":1,"status":%q},
			"source":{"connector":"mysql","db":"shop","table":"orders","ts_ms":1716369573887,"file":"binlog.000003","pos":%d,"row":0}}`, status, pos)
	}
	answer, err := f.Handle(context.Background(), route.Event{Records: []route.Record{
		{RecordID: "r0", Data: change("SHIPPED", 2048)},
		{RecordID: "r1", Data: change("PAID", 1024)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", answer.Records[0].Data)
	// Output:
	// r0 update shop.orders: Ok, delivered
	// r1 update shop.orders: Dropped, superseded
	// {"order_id":1,"status":"SHIPPED"}
}

// An S3 table bucket takes lower-case names. The shards shop_1, shop_2 and so on go to one database, the log tables
// are never updated, temporary tables are not wanted, and whatever else comes fails, to be seen.
func ExampleRules() {
	rules := &route.Rules{
		Database: "{db}_cdc",
		Lower:    true,
		Tables: map[envelope.Table]route.Destination{
			{DB: "crm", Schema: "public", Name: "Customer"}: {Table: "customers"},
		},
		Patterns: []route.Pattern{
			{Name: "tmp_*", To: route.Destination{Drop: true}},
			{Name: "*_log", To: route.Destination{Mode: route.AppendOnly}},
			{DB: "shop_*", To: route.Destination{Database: "shop_cdc", Table: "{schema}_{table}"}},
		},
	}
	for _, t := range []envelope.Table{
		{DB: "crm", Schema: "public", Name: "Customer"},
		{DB: "shop_1", Schema: "eu", Name: "Orders"},
		{DB: "shop_2", Schema: "eu", Name: "Orders"},
		{DB: "shop_2", Schema: "eu", Name: "access_log"},
		{DB: "shop_2", Schema: "eu", Name: "tmp_import"},
		{DB: "hr", Schema: "public", Name: "salaries"},
	} {
		to, err := rules.Route(&envelope.Change{Table: t})
		switch {
		case errors.Is(err, route.ErrNoRoute):
			fmt.Println(err)
		case to.Drop:
			fmt.Println(t, "is dropped")
		default:
			fmt.Printf("%s to %s.%s, append-only %t\n", t, to.Database, to.Table, to.Mode == route.AppendOnly)
		}
	}
	// Output:
	// crm.public.Customer to crm_cdc.customers, append-only false
	// shop_1.eu.Orders to shop_cdc.eu_orders, append-only false
	// shop_2.eu.Orders to shop_cdc.eu_orders, append-only false
	// shop_2.eu.access_log to shop_2_cdc.access_log, append-only true
	// shop_2.eu.tmp_import is dropped
	// route: no rule for table hr.public.salaries
}

// A router may look at the row: here the tenants have a database each.
func ExampleFunc() {
	router := route.Func(func(c *envelope.Change) (route.Destination, error) {
		tenant, ok := c.Image().Get("tenant")
		if !ok {
			return route.Destination{}, errors.New("no column tenant")
		}
		return route.Destination{Database: "tenant_" + string(tenant.AppendText(nil)), Table: c.Table.Name}, nil
	})
	f := &route.Firehose{Router: router}
	answer, err := f.Handle(context.Background(), route.Event{Records: []route.Record{
		{RecordID: "r0", Data: []byte(`{"op":"d","before":{"tenant":"acme","id":7},"after":null,"source":{"db":"app","table":"users"}}`)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	metadata, err := json.Marshal(answer.Records[0].Metadata)
	fmt.Println(string(metadata), err)
	// Output:
	// {"otfMetadata":{"destinationDatabaseName":"tenant_acme","destinationTableName":"users","operation":"delete"}} <nil>
}
