package redisstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/redisstore"
	"github.com/rowdelta/rowdelta/envelope"
)

// Two processes share the marks: what one has delivered the other one knows.
func ExampleStore() {
	server := miniredis.NewMiniRedis() // Redis, for this example
	if err := server.Start(); err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx := context.Background()
	deliver := func(process string, records ...string) {
		client := redis.NewClient(&redis.Options{Addr: server.Addr()})
		defer client.Close()
		filter := &dedupe.Filter{Store: &redisstore.Store{Client: client, Prefix: "{cdc:orders}:"}}

		var decoder envelope.Debezium
		changes := make([]envelope.Change, len(records))
		for i, record := range records {
			if err := decoder.DecodeKeyed(&changes[i], []byte(`{"id":1}`), []byte(record)); err != nil {
				log.Fatal(err)
			}
		}
		batch, err := filter.Admit(ctx, changes)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range batch.Admitted(changes) {
			fmt.Printf("%s delivers %s\n", process, c.After)
		}
		if err := filter.Commit(ctx, batch); err != nil {
			log.Fatal(err)
		}
	}

	const (
		paid    = `{"op":"u","before":null,"after":{"id":1,"status":"paid"},"source":{"connector":"postgresql","db":"shop","schema":"public","table":"orders","ts_ns":1795233274120735000,"lsn":63003624,"sequence":"[\"63003568\",\"63003624\"]"},"ts_ms":1795233274380}`
		shipped = `{"op":"u","before":null,"after":{"id":1,"status":"shipped"},"source":{"connector":"postgresql","db":"shop","schema":"public","table":"orders","ts_ns":1795233275120735000,"lsn":63003800,"sequence":"[\"63003700\",\"63003800\"]"},"ts_ms":1795233275380}`
	)
	deliver("one", paid)
	deliver("two", paid, shipped)
	deliver("one", paid, shipped)
	// Output:
	// one delivers {"id":1,"status":"paid"}
	// two delivers {"id":1,"status":"shipped"}
}
