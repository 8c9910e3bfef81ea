package s3fragments_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
)

// Two consumers, each of one shard, share the fragments of one image.
func ExampleStore() {
	backend := s3mem.New() // S3, for this example
	if err := backend.CreateBucket("cdc-state"); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	client := newClient(server.URL, "key", "secret", server.Client().Transport, 3)

	ctx := context.Background()
	open := func() *dsql.Reassembler {
		return &dsql.Reassembler{Store: &s3fragments.Store{Client: client, Bucket: "cdc-state", Prefix: "fragments/"}}
	}
	checkpoint := func(floors []dsql.Floor) error {
		for _, f := range floors {
			fmt.Println(f.Shard, "is read to", f.Sequence)
		}
		return nil
	}

	one, two := open(), open()
	for i, data := range []string{
		`{"type":"fragment","chunk_id":"c-1","index":1,"data":"nine megabytes\"}"}`,
		`{"type":"fragment","chunk_id":"c-1","index":0,"data":"{\"id\":1,\"body\":\"of "}`,
	} {
		if _, err := one.Add(ctx, dsql.Record{Shard: "shard-1", Sequence: fmt.Sprint(41 + i), Data: []byte(data)}); err != nil {
			log.Fatal(err)
		}
	}
	// The fragments are in the bucket, so that shard-1 need not be read again.
	if err := one.Commit(ctx, checkpoint); err != nil {
		log.Fatal(err)
	}

	main := `{"type":"chunked","op":"c","before":null,"source":{"ts_ns":1},"chunked":{"after":{"chunk_id":"c-1","total_fragments":2,"crc32c":"1438354599"}}}`
	record, err := two.Add(ctx, dsql.Record{Shard: "shard-2", Sequence: "7", Data: []byte(main)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", record)
	if err := two.Commit(ctx, checkpoint); err != nil {
		log.Fatal(err)
	}
	list, err := backend.ListBucket("cdc-state", nil, gofakes3.ListBucketPage{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(list.Contents), "fragments left")
	// Output:
	// shard-1 is read to 42
	// {"after":{"id":1,"body":"of nine megabytes"},"type":"full","op":"c","before":null,"source":{"ts_ns":1},"chunked":null}
	// shard-2 is read to 7
	// 0 fragments left
}
