package dsql_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A kinesisStream stands for a client of Kinesis: the records of each shard, whose sequence numbers here are their
// indexes.
type kinesisStream map[string][]string

// getRecords answers as GetRecords does: with no records for a while, then with some, and with the iterator for what
// follows. behind is MillisBehindLatest.
func (s kinesisStream) getRecords(shard string, iterator, attempt int) (page []dsql.Record, next int, behind int64) {
	if attempt%2 == 0 {
		return nil, iterator, 1000
	}
	page = append(page, dsql.Record{Sequence: fmt.Sprint(iterator), Data: []byte(s[shard][iterator])})
	if next = iterator + 1; next < len(s[shard]) {
		behind = 1000
	}
	return page, next, behind
}

// read is the Read of a client: an iterator at the sequence number, and pages until the shard's tip.
func (s kinesisStream) read(_ context.Context, _, shard, from string) iter.Seq2[dsql.Record, error] {
	return func(yield func(dsql.Record, error) bool) {
		var iterator int // GetShardIterator with AT_SEQUENCE_NUMBER
		if _, err := fmt.Sscan(from, &iterator); err != nil {
			yield(dsql.Record{}, err)
			return
		}
		for attempt := 0; ; attempt++ {
			page, next, behind := s.getRecords(shard, iterator, attempt)
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if iterator = next; behind == 0 { // or if there is no next one
				return
			}
		}
	}
}

// A durableMemory stands for a store that the function shares, such as that of module dsql/s3fragments.
type durableMemory struct{ dsql.Memory }

func (*durableMemory) Durable() bool { return true }

// An image was split in two. Its main record and the first fragment are in one shard, and Lambda gave both up; the other
// fragment is in another shard. The document that comes first has to wait for the other.
func ExampleFailure() {
	ctx := context.Background()
	stream := kinesisStream{
		"shardId-000000000000": {
			`{"type":"full","op":"c","after":{"id":1},"source":{"ts_ns":1705318200000000001,"schema":"public","table":"notes","db":"postgres"}}`,
			`{"type":"fragment","chunk_id":"c7","index":0,"data":"{\"id\":7,\"body\":\"hello "}`,
			`{"type":"chunked","op":"c","chunked":{"after":{"chunk_id":"c7","total_fragments":2,"crc32c":"3773887392"}},` +
				`"source":{"ts_ns":1705318200000000002,"schema":"public","table":"notes","db":"postgres"}}`,
			`{"type":"full","op":"c","after":{"id":2},"source":{"ts_ns":1705318200000000003,"schema":"public","table":"notes","db":"postgres"}}`,
		},
		"shardId-000000000001": {`{"type":"fragment","chunk_id":"c7","index":1,"data":"lakehouse\"}"}`},
	}
	document := func(shard, first, last string, size int) string { // as the queue has it
		return fmt.Sprintf(`{"requestContext":{"condition":"RetryAttemptsExhausted"},"version":"1.0","timestamp":"2024-01-15T11:30:04.100Z",
			"KinesisBatchInfo":{"shardId":%q,"startSequenceNumber":%q,"endSequenceNumber":%q,"batchSize":%d,
				"approximateArrivalOfFirstRecord":"2024-01-15T11:30:00.210Z","approximateArrivalOfLastRecord":"2024-01-15T11:30:00.350Z",
				"streamArn":"arn:aws:kinesis:us-east-1:123456789012:stream/cdc"}}`, shard, first, last, size)
	}
	queue := []string{document("shardId-000000000000", "1", "2", 2), document("shardId-000000000001", "0", "0", 1)}
	store := new(durableMemory)

	recovery := func(message string) error {
		f, err := dsql.ParseFailure([]byte(message))
		if err != nil {
			return err
		}
		fmt.Println("recovering", f.Shard, f.First, "to", f.Last)
		r := &dsql.Reassembler{Store: store}
		var d dsql.Decoder
		for record, err := range f.Records(ctx, stream.read) {
			if err != nil {
				return err
			}
			data, err := r.Add(ctx, record)
			switch {
			case envelope.IsPermanent(err):
				fmt.Println("to the dead letters:", err)
				continue
			case err != nil:
				return err
			case data == nil: // a part
				continue
			}
			var c envelope.Change
			if err := d.Decode(&c, data); err != nil {
				fmt.Println("to the dead letters:", err)
				continue
			}
			fmt.Println("to the sink:", c.Op, c.Table, string(c.After))
		}
		return r.Commit(ctx, func(floors []dsql.Floor) error {
			if !f.Done(floors) {
				return errors.New("a record waits for fragments")
			}
			queue = slices.DeleteFunc(queue, func(m string) bool { return m == message }) // DeleteMessage
			return nil
		})
	}
	for len(queue) > 0 {
		for _, message := range slices.Clone(queue) { // ReceiveMessage, and again after the visibility timeout
			if err := recovery(message); err != nil {
				fmt.Println("keeping the message:", err)
			}
		}
	}
	// Output:
	// recovering shardId-000000000000 1 to 2
	// keeping the message: a record waits for fragments
	// recovering shardId-000000000001 0 to 0
	// recovering shardId-000000000000 1 to 2
	// to the sink: create postgres.public.notes {"id":7,"body":"hello lakehouse"}
}
