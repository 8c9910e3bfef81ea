package dsql_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

func ExampleDecoder() {
	record := []byte(`{"type":"full","op":"u","before":null,"after":{"id":7,"total":"19.90"},
		"source":{"version":"1.0","ts_ms":1705318200000,"ts_ns":1705318200000000017,"txId":"ffthunp5stx6ffs2vyfqoatmfu",
			"schema":"public","table":"orders","db":"postgres","cluster":"kmabugltfmjdaj2siqr2qbxgju"},
		"ts_ms":1705318200125,"ts_ns":1705318200125483291}`)

	var d dsql.Decoder // one for each goroutine
	var c envelope.Change
	if err := d.Decode(&c, record); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Effect(), c.Table, string(c.After))
	fmt.Println(c.Time)
	// Output:
	// upsert postgres.public.orders {"id":7,"total":"19.90"}
	// 1705318200000000017
}

// A table without a primary key says that a row is gone, but not which.
func ExampleDecoder_noPrimaryKey() {
	record := []byte(`{"type":"full","op":"d","before":null,"after":null,
		"source":{"ts_ns":1705318200000000017,"schema":"public","table":"events","db":"postgres"}}`)

	var d dsql.Decoder
	var c envelope.Change
	err := d.Decode(&c, record)
	fmt.Println(errors.Is(err, dsql.ErrNoPrimaryKey), c.Effect(), c.Table)
	// Output: true delete postgres.public.events
}

// Three records from two shards become one.
func ExampleReassembler() {
	stream := []dsql.Record{
		{Shard: "shardId-000000000001", Sequence: "49590338271490256608559692538361571095921575989136588898",
			Data: []byte(`{"type":"fragment","chunk_id":"5f0c","index":1,"data":"\"long text\"}"}`)},
		{Shard: "shardId-000000000000", Sequence: "49590338271490256608559692540925702759324208523137515618",
			Data: []byte(`{"type":"chunked","op":"c","before":null,"after":null,
				"chunked":{"after":{"chunk_id":"5f0c","total_fragments":2,"crc32c":"2185235572"}},
				"source":{"ts_ns":1705318200000000017,"schema":"public","table":"documents","db":"postgres"}}`)},
		{Shard: "shardId-000000000000", Sequence: "49590338271490256608559692540925702759324208523137515619",
			Data: []byte(`{"type":"fragment","chunk_id":"5f0c","index":0,"data":"{\"id\":1,\"body\":"}`)},
	}

	ctx := context.Background()
	var r dsql.Reassembler
	var d dsql.Decoder
	var c envelope.Change
	for _, in := range stream {
		record, err := r.Add(ctx, in)
		if err != nil {
			fmt.Println(err) // a bad record if envelope.IsPermanent(err); otherwise add it again
			continue
		}
		if record == nil {
			fmt.Println("a part")
			continue
		}
		if err := d.Decode(&c, record); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(c.Effect(), c.Table, string(c.After)) // give it to the sink
	}

	// The sink has everything: move the checkpoints.
	err := r.Commit(ctx, func(floors []dsql.Floor) error {
		for _, f := range floors {
			fmt.Println(f.Shard, "resume behind its last record:", f.After)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// a part
	// a part
	// upsert postgres.public.documents {"id":1,"body":"long text"}
	// shardId-000000000000 resume behind its last record: true
	// shardId-000000000001 resume behind its last record: true
}

// Several processes, each with some of the shards, share a store.
func ExampleDurableStore() {
	var store dsql.DurableStore = inS3{new(dsql.Memory)} // module dsql/s3fragments has one
	ctx := context.Background()
	one, two := dsql.Reassembler{Store: store}, dsql.Reassembler{Store: store}

	_, err := two.Add(ctx, dsql.Record{Shard: "b", Sequence: "1", Data: []byte(`{"type":"chunked","op":"d","before":null,"after":null,
		"chunked":{"before":{"chunk_id":"77","total_fragments":1,"crc32c":"2965396564"}},
		"source":{"ts_ns":1705318200000000017,"schema":"public","table":"documents","db":"postgres"}}`)})
	fmt.Println(err)
	_, err = one.Add(ctx, dsql.Record{Shard: "a", Sequence: "1", Data: []byte(`{"type":"fragment","chunk_id":"77","index":0,"data":"{\"id\":1}"}`)})
	fmt.Println(err)

	var d dsql.Decoder
	var c envelope.Change
	for record, err := range two.Poll(ctx) { // now and then
		if err == nil {
			err = d.Decode(&c, record)
		}
		fmt.Println(err, c.Effect(), string(c.Before))
	}
	// Output:
	// <nil>
	// <nil>
	// <nil> delete {"id":1}
}

type inS3 struct{ dsql.FragmentStore }

func (inS3) Durable() bool { return true }
