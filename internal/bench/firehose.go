package main

import (
	"bytes"
	"context"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"reflect"

	goccy "github.com/goccy/go-json"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// database is where all rows go.
const database = "aurora_cdc"

// A handler is a contender in the firehose job: it turns an event into a response. exact says that its rows are the
// record's bytes; otherwise they are only equal in value, as with everything that goes through a map.
type handler struct {
	name   string
	exact  bool
	handle func(event []byte) ([]byte, error)
}

// handleOurs returns this library's transform. Its default writes every change as an update, which a redelivery
// cannot double; what the rivals do is Literal.
func handleOurs() handler {
	f := &route.Firehose{Router: &route.Rules{Tables: map[envelope.Table]route.Destination{
		{DB: "ecommerce", Schema: "public", Name: "orders"}: {Database: database, Table: "orders", Mode: route.Literal},
	}}}
	return handler{ours, true, func(event []byte) ([]byte, error) { return f.Invoke(context.Background(), event) }}
}

// handlers returns all contenders, ours first.
func handlers() []handler {
	return []handler{
		handleOurs(),
		{"goccy", true, func(event []byte) ([]byte, error) { return handleTyped(event, unmarshalGoccy, goccy.Marshal) }},
		{"encoding/json", true, func(event []byte) ([]byte, error) {
			return handleTyped(event, stdjson.Unmarshal, stdjson.Marshal)
		}},
		{"reference", false, handleReference},
	}
}

// kinesisEvent builds the event that Firehose sends for records from a Kinesis stream.
func kinesisEvent(records [][]byte) []byte {
	const stream = "arn:aws:kinesis:us-east-1:123456789012:stream/cdc"
	e := []byte(`{"invocationId":"2b4d1ad9-2f48-94bd-a088-767c317e994a",` +
		`"deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/cdc-to-iceberg",` +
		`"sourceKinesisStreamArn":"` + stream + `","region":"us-east-1","records":[`)
	for i, record := range records {
		if i > 0 {
			e = append(e, ',')
		}
		at := 1_760_000_000_000 + i
		e = fmt.Appendf(e, `{"recordId":"4954698684448025792264467430795640465820280453131796480%05d000000","approximateArrivalTimestamp":%d,"data":"`, i, at)
		e = base64.StdEncoding.AppendEncode(e, record)
		e = fmt.Appendf(e, `","kinesisRecordMetadata":{"shardId":"shardId-000000000000","partitionKey":"%d","approximateArrivalTimestamp":%d,`+
			`"sequenceNumber":"49546986683135544286507457936321625675700192471156%06d","subsequenceNumber":""}}`, i*7919%100_003, at, i)
	}
	return append(e, "]}"...)
}

// A response is what Firehose reads of an answer.
type response struct {
	Records []responseRecord `json:"records"`
}

type responseRecord struct {
	RecordID string    `json:"recordId"`
	Result   string    `json:"result"`
	Data     []byte    `json:"data"`
	Metadata *metadata `json:"metadata,omitempty"`
}

type metadata struct {
	Table tableMetadata `json:"otfMetadata"`
}

func (m *metadata) String() string {
	if m == nil {
		return "none"
	}
	return fmt.Sprintf("%+v", m.Table)
}

type tableMetadata struct {
	Database  string `json:"destinationDatabaseName"`
	Table     string `json:"destinationTableName"`
	Operation string `json:"operation"`
}

// operations says what Firehose shall do for an op; what is not in it is an insert.
var operations = map[string]string{"c": "insert", "r": "insert", "u": "update", "d": "delete"}

// answer checks that all handlers answer the event alike: the same records in the same order, each with the same
// result, destination, operation and row.
func answer(event []byte, handlers []handler) error {
	var want response
	for n, h := range handlers {
		b, err := h.handle(event)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		var got response
		if err := stdjson.Unmarshal(b, &got); err != nil {
			return fmt.Errorf("%s: response: %w", h.name, err)
		}
		if n == 0 {
			want = got
			continue
		}
		if err := differResponse(want, got, h.exact); err != nil {
			return fmt.Errorf("%s and %s differ: %w", handlers[0].name, h.name, err)
		}
	}
	return nil
}

// differResponse compares two responses and names the first difference.
func differResponse(a, b response, exact bool) error {
	if len(a.Records) != len(b.Records) || len(a.Records) == 0 {
		return fmt.Errorf("%d and %d records", len(a.Records), len(b.Records))
	}
	for i, x := range a.Records {
		y := b.Records[i]
		switch {
		case x.RecordID != y.RecordID:
			return fmt.Errorf("record %d: id %s and %s", i, x.RecordID, y.RecordID)
		case x.Result != y.Result:
			return fmt.Errorf("record %d: result %s and %s", i, x.Result, y.Result)
		case !reflect.DeepEqual(x.Metadata, y.Metadata):
			return fmt.Errorf("record %d: metadata %s and %s", i, x.Metadata, y.Metadata)
		case exact && !bytes.Equal(x.Data, y.Data), !exact && !sameValue(x.Data, y.Data):
			return fmt.Errorf("record %d: row %.60q and %.60q", i, x.Data, y.Data)
		}
	}
	return nil
}

// sameValue compares JSON texts by their values, numbers by their digits.
func sameValue(a, b []byte) bool {
	decode := func(text []byte) (v any, err error) {
		d := stdjson.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&v)
		return v, err
	}
	x, err1 := decode(a)
	y, err2 := decode(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// firehoseJob makes the job of answering an event with n records of a corpus, one event an operation.
func firehoseJob(corpus func(int) *corpus, n int) func() (*prepared, error) {
	return func() (*prepared, error) {
		event, all := kinesisEvent(corpus(n).records), handlers()
		if err := answer(event, all); err != nil {
			return nil, err
		}
		p := &prepared{ops: 1}
		for _, h := range all {
			p.contenders = append(p.contenders, contender{h.name, func() error {
				_, err := h.handle(event)
				return err
			}})
		}
		return p, nil
	}
}
