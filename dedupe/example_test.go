package dedupe_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// record is a Debezium record of PostgreSQL, with the key beside it.
func record(op string, id int, lsn, seen int, image string) (key, value string) {
	before, after := "null", image
	if op == "d" {
		before, after = image, "null"
	}
	return fmt.Sprintf(`{"id":%d}`, id), fmt.Sprintf(`{"before":%s,"after":%s,"source":{"version":"3.6.1.Final","connector":"postgresql","ts_ms":1795233200000,`+
		`"db":"shop","sequence":"[\"%d\",\"%d\"]","schema":"public","table":"orders","lsn":%d},"op":"%s","ts_ms":%d}`, before, after, lsn-8, lsn, lsn, op, 1795233200000+int64(seen))
}

func decode(records ...[2]string) []envelope.Change {
	var d envelope.Debezium
	changes := make([]envelope.Change, len(records))
	for i, r := range records {
		if err := d.DecodeKeyed(&changes[i], []byte(r[0]), []byte(r[1])); err != nil {
			log.Fatal(err)
		}
	}
	return changes
}

func pair(key, value string) [2]string { return [2]string{key, value} }

func ExampleFilter() {
	ctx := context.Background()
	filter := &dedupe.Filter{Store: new(dedupe.Memory)}
	compact := new(dedupe.Compactor)
	table := map[string]string{}

	// Two batches as they were polled. The second one repeats a record, as a connector
	// does after a restart, and brings an older one late.
	for _, changes := range [][]envelope.Change{
		decode(
			pair(record("c", 1, 100, 1, `{"id":1,"status":"new"}`)),
			pair(record("u", 1, 300, 2, `{"id":1,"status":"paid"}`)),
		),
		decode(
			pair(record("u", 1, 300, 9, `{"id":1,"status":"paid"}`)),
			pair(record("u", 1, 200, 3, `{"id":1,"status":"open"}`)),
			pair(record("c", 2, 400, 9, `{"id":2,"status":"new"}`)),
		),
	} {
		batch, err := filter.Admit(ctx, changes)
		if err != nil {
			log.Fatal(err) // the store's: try again
		}
		for i, d := range batch.Decisions {
			fmt.Println(changes[i].Op, string(changes[i].Key), d.Verdict)
		}
		finals, failed := compact.Compact(changes, batch.Decisions)
		if len(failed) > 0 {
			log.Fatal(failed[0].Err) // a record without a key, for the dead letters
		}
		for _, f := range finals {
			switch f.Effect() {
			case envelope.Upsert:
				table[string(f.Key)] = string(f.After)
			case envelope.Delete:
				delete(table, string(f.Key))
			}
		}
		if err := filter.Commit(ctx, batch); err != nil { // the table has it
			log.Fatal(err)
		}
	}
	fmt.Println(table)
	// Output:
	// create {"id":1} newer
	// update {"id":1} newer
	// update {"id":1} repeat
	// update {"id":1} stale
	// create {"id":2} newer
	// map[{"id":1}:{"id":1,"status":"paid"} {"id":2}:{"id":2,"status":"new"}]
}

// A column that an update did not touch is filled from the change before it, also
// where the key was changed in between.
func ExampleCompactor() {
	changes := decode(
		pair(record("u", 1, 100, 1, `{"id":1,"status":"new","note":"a long text"}`)),
		pair(record("d", 1, 200, 2, `{"id":1,"status":null,"note":null}`)),
		pair(record("c", 7, 200, 2, `{"id":7,"status":"new","note":"__debezium_unavailable_value"}`)),
		pair(record("u", 7, 300, 3, `{"id":7,"status":"paid","note":"__debezium_unavailable_value"}`)),
		pair(record("u", 8, 400, 3, `{"id":8,"status":"paid","note":"__debezium_unavailable_value"}`)),
	)
	var c dedupe.Compactor
	finals, _ := c.Compact(changes, nil)
	for _, f := range finals {
		fmt.Println(f.Effect(), string(f.Key), string(f.After), f.Unavailable)
	}
	// Output:
	// delete {"id":1}  []
	// upsert {"id":7} {"id":7,"status":"paid","note":"a long text"} []
	// upsert {"id":8} {"id":8,"status":"paid","note":"__debezium_unavailable_value"} [note]
}

func ExampleAudit() {
	ctx := context.Background()
	audit := &dedupe.Audit{Store: new(dedupe.Memory)}
	batch, err := audit.Admit(ctx, decode(
		pair(record("u", 1, 200, 2, `{"id":1,"status":"open"}`)),
		pair(record("c", 1, 100, 1, `{"id":1,"status":"new"}`)),
		pair(record("u", 1, 200, 9, `{"id":1,"status":"open"}`)),
	))
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range batch.Entries {
		fmt.Println(e.Change.Op, string(e.Change.After), e.Verdict)
	}
	if err := audit.Commit(ctx, batch); err != nil { // the log has it
		log.Fatal(err)
	}
	fmt.Println(batch.Stats.Verdicts[dedupe.Repeat], "repeat; read on behind record", batch.Settled)
	// Output:
	// create {"id":1,"status":"new"} newer
	// update {"id":1,"status":"open"} newer
	// 1 repeat; read on behind record 3
}

// AWS DMS sends a changed key as one update. In two parts each touches one row.
func ExampleSplit() {
	orders := envelope.Table{Schema: "public", Name: "orders"}
	keys := envelope.KeyColumns(map[envelope.Table][]string{orders: {"id"}})
	moved := envelope.Change{
		Op: envelope.OpUpdate, Table: orders, Version: envelope.PositionVersion(1795233200_000000000, 1, 2),
		Before: envelope.Row(`{"id":1,"status":"new"}`), After: envelope.Row(`{"id":2,"status":"new"}`),
	}
	changes, err := dedupe.Split(nil, &moved, keys)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range changes {
		fmt.Println(c.Op, string(c.Image()))
	}
	// Output:
	// delete {"id":1,"status":"new"}
	// create {"id":2,"status":"new"}
}
