package committer_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

var (
	orders = envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	schema = &envelope.Schema{Key: []string{"id"}, Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "status", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	}}
)

// record is a change as Debezium writes it.
func record(op string, lsn int, before, after string) []byte {
	return fmt.Appendf(nil, `{"before":%s,"after":%s,"op":%q,"ts_ms":1,"source":{"connector":"postgresql","db":"shop","schema":"public","table":"orders","ts_ns":%d,"sequence":"[\"%d\",\"%d\"]","lsn":%d}}`,
		before, after, op, lsn, lsn, lsn, lsn)
}

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lake")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tables, err := committer.Local(dir, committer.Options{Compare: strings.Compare})
	if err != nil {
		log.Fatal(err)
	}
	defer tables.Close()

	builder := iceberg.Builder{Schemas: map[envelope.Table]*envelope.Schema{orders: schema}}
	var decoder envelope.Debezium
	write := func(from, to string, records ...[]byte) {
		for _, r := range records {
			var change envelope.Change
			if err := decoder.Decode(&change, r); err != nil {
				log.Fatal(err)
			}
			if err := builder.Add(&change); err != nil {
				log.Fatal(err)
			}
		}
		for _, delta := range builder.Flush(from, to) {
			if err := tables.Commit(ctx, delta); err != nil {
				log.Fatal(err)
			}
		}
	}
	write("000", "002",
		record("c", 10, "null", `{"id":1,"status":"new"}`),
		record("c", 20, "null", `{"id":2,"status":"new"}`))
	for range 2 { // the second time, as after a crash, it is left out
		write("002", "004",
			record("u", 30, "null", `{"id":1,"status":"paid"}`),
			record("d", 40, `{"id":2,"status":null}`, "null"))
	}

	info, err := tables.Info(ctx, orders)
	if err != nil {
		log.Fatal(err)
	}
	for _, snapshot := range info.Snapshots {
		fmt.Println(snapshot.Operation)
		for rows, err := range tables.Rows(ctx, orders, snapshot.ID) {
			if err != nil {
				log.Fatal(err)
			}
			for i := range rows.Len {
				fmt.Printf("  %d %s\n", rows.Columns[0].Ints[i], rows.Columns[1].Value(i))
			}
		}
	}
	position, err := tables.Position(ctx, orders)
	fmt.Println("position", position, err)

	done, err := tables.Maintain(ctx, orders, committer.Maintenance{Files: 2, Deletes: 1})
	fmt.Println("data files", done.Rewritten, "→", done.Written, err)
	// Output:
	// append
	//   1 new
	//   2 new
	// overwrite
	//   1 paid
	// position 004 <nil>
	// data files 2 → 1 <nil>
}
