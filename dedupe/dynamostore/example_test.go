package dynamostore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
)

// Two processes judge changes of one row by the marks that they share.
func ExampleStore() {
	client := newDatabase() // dynamodb.NewFromConfig(cfg)

	ctx := context.Background()
	open := func() *dedupe.Filter {
		return &dedupe.Filter{Store: &dynamostore.Store{Client: client, Table: "cdc-marks_1.test", Prefix: "orders"}}
	}
	consume := func(process string, filter *dedupe.Filter, position uint64) {
		change := envelope.Change{
			Op: envelope.OpUpdate, Table: envelope.Table{Schema: "public", Name: "orders"},
			Version: envelope.PositionVersion(0, 0, position),
			Key:     envelope.Row(`{"id":1}`), After: envelope.Row(`{"id":1}`),
		}
		batch, err := filter.Admit(ctx, []envelope.Change{change})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: the change at %d is %v\n", process, position, batch.Decisions[0].Verdict)
		// The sink takes what is admitted. Then:
		if err := filter.Commit(ctx, batch); err != nil {
			log.Fatal(err)
		}
	}

	one, two := open(), open()
	consume("one", one, 20)
	consume("two", two, 10)
	consume("two", two, 30)
	consume("one", one, 30)
	// Output:
	// one: the change at 20 is newer
	// two: the change at 10 is stale
	// two: the change at 30 is newer
	// one: the change at 30 is repeat
}
