package route_test

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// Three events, as Firehose may bring them: a change, an older one of the same row, and the first again, as its answer
// was lost. All instances of a Lambda function must share the store; a dedupe.Memory is for one process.
func ExampleFirehose_admission() {
	orders := envelope.Table{DB: "shop", Name: "orders"}
	keys := envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}})
	f := &route.Firehose{
		Router:    &route.Rules{Database: "lake", Tables: map[envelope.Table]route.Destination{orders: {}}},
		Keys:      keys,
		Coalesce:  true,
		Admission: &dedupe.Filter{Store: new(dedupe.Memory), Keys: keys},
		Observe: func(o *route.Outcome) {
			fmt.Printf("%s %s: %s, %s\n", o.Op, o.RecordID, o.Result, o.Reason)
		},
	}
	change := func(status string, pos int) route.Event {
		return route.Event{Records: []route.Record{{RecordID: status, Data: fmt.Appendf(nil, `{"op":"u","after":{"order_id":1,"status":%q},
			"source":{"connector":"mysql","db":"shop","table":"orders","ts_ms":1716369573887,"file":"binlog.000003","pos":%d,"row":0}}`, status, pos)}}}
	}
	for _, event := range []route.Event{change("SHIPPED", 2048), change("PAID", 1024), change("SHIPPED", 2048)} {
		if _, err := f.Handle(context.Background(), event); err != nil {
			fmt.Println(err) // the store's: Firehose tries again
		}
	}
	// Output:
	// update SHIPPED: Ok, delivered
	// update PAID: Dropped, stale
	// update SHIPPED: Ok, delivered
}
