package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/examples/internal/captured"
	"github.com/rowdelta/rowdelta/examples/internal/lake"
	"github.com/rowdelta/rowdelta/examples/internal/sandbox"
	"github.com/rowdelta/rowdelta/route"
)

func load(t *testing.T) captured.Data {
	t.Helper()
	data, err := captured.Load()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mskEvent is an event as Firehose sends it from an MSK topic.
func mskEvent(t *testing.T, offset int, values [][]byte) []byte {
	t.Helper()
	records := make([]map[string]any, len(values))
	for i, value := range values {
		records[i] = map[string]any{
			"recordId":                    recordID(i),
			"approximateArrivalTimestamp": 1795233274631,
			"mskRecordMetadata": map[string]any{
				"offset": fmt.Sprint(offset + i), "partitionId": "0", "approximateArrivalTimestamp": "1795233274631",
			},
		}
		if value != nil { // a tombstone has no value
			records[i]["kafkaRecordValue"] = value
		}
	}
	event, err := json.Marshal(map[string]any{
		"invocationId":      "",
		"sourceMSKArn":      "arn:aws:kafka:us-east-1:123456789012:cluster/aurora/1",
		"deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/aurora",
		"region":            "us-east-1",
		"records":           records,
	})
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func recordID(i int) string {
	return fmt.Sprintf("4954698668313554428650745793632162567570019247115678515%07d", i)
}

// startSandbox starts the function with its defaults, whatever the test's
// environment says.
func startSandbox(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return sandbox.Start(t, "DESTINATION_DATABASE=", "UNAVAILABLE_PLACEHOLDER=", "LOG_LEVEL=")
}

// readResponse reads a response, which must answer n records, each once and in
// order.
func readResponse(t *testing.T, r sandbox.Result, n int) route.Response {
	t.Helper()
	if r.Kind != "response" || !r.Took {
		t.Fatalf("%s of %d bytes, accepted: %t: %.500s", r.Kind, len(r.Body), r.Took, r.Body)
	}
	return parseResponse(t, r.Body, n)
}

func parseResponse(t *testing.T, body []byte, n int) (response route.Response) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(&response); err != nil {
		t.Fatal(err)
	}
	if len(response.Records) != n {
		t.Fatalf("%d answers to %d records", len(response.Records), n)
	}
	for i, answer := range response.Records {
		if answer.RecordID != recordID(i) {
			t.Fatalf("answer %d has the id %s", i, answer.RecordID)
		}
	}
	return response
}

// The built function gets all captured records in several events, with a
// malformed one in between. What comes out is what the database has, in
// whatever order Firehose applies the answers of one event.
func TestFunction(t *testing.T) {
	data := load(t)
	s := startSandbox(t)
	keys := map[string]string{"orders": "order_id", "products": "product_id"}
	inOrder, reversed := lake.Lake{Keys: keys}, lake.Lake{Keys: keys}
	offset := 0
	for batch := range slices.Chunk(data.Orders, 90) {
		r := s.Invoke(mskEvent(t, offset, batch))
		response := readResponse(t, r, len(batch))
		const want = `"metadata":{"otfMetadata":{"destinationDatabaseName":"aurora_cdc","destinationTableName":"orders","operation":"update"}}`
		if !bytes.Contains(r.Body, []byte(want)) {
			t.Errorf("no answer has %s", want)
		}
		for i, answer := range response.Records {
			if answer.Result == route.ProcessingFailed {
				t.Errorf("record %d failed", offset+i)
			}
		}
		if err := inOrder.Apply(response); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(response.Records)
		if err := reversed.Apply(response); err != nil {
			t.Fatal(err)
		}
		if offset += len(batch); offset == 180 {
			event := mskEvent(t, offset, batch)
			expectError(t, s.Invoke(event[:len(event)/2]))
		}
	}
	for _, difference := range inOrder.Compare(data.Truth) {
		t.Error(difference)
	}
	for _, difference := range reversed.Compare(data.Truth) {
		t.Error("reversed: " + difference)
	}

	var answers []string
	for _, answer := range readResponse(t, s.Invoke(mskEvent(t, 0, data.Unusual)), len(data.Unusual)).Records {
		answers = append(answers, string(answer.Result))
	}
	// An unavailable value, another database's truncate and row; a tombstone, a heartbeat, a transaction's begin, a message.
	want := []string{"ProcessingFailed", "ProcessingFailed", "ProcessingFailed", "Dropped", "Dropped", "Dropped", "Dropped"}
	if !slices.Equal(answers, want) {
		t.Errorf("got %s, want %s", answers, want)
	}
}

// A malformed event is an error of the invocation, which shows no row data.
func expectError(t *testing.T, r sandbox.Result) {
	t.Helper()
	if r.Kind != "error" || !r.Took {
		t.Fatalf("%s to a malformed event", r.Kind)
	}
	var report struct{ ErrorMessage, ErrorType string }
	if err := json.Unmarshal(r.Body, &report); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(report.ErrorMessage, "invalid JSON") || report.ErrorType == "" {
		t.Errorf("error report: %+v", report)
	}
	if strings.Contains(report.ErrorMessage, "eyJ") {
		t.Errorf("the error report has a payload: %s", report.ErrorMessage)
	}
}

// The largest event that Lambda takes can have an answer that is too large,
// since an answer names the destination. Its records are the barest that a
// connector can send; what Firehose and Debezium add to them in practice gives
// the answer more room.
func TestLimit(t *testing.T) {
	var event bytes.Buffer
	n := 0
	event.WriteString(`{"records":[`)
	for {
		value := fmt.Appendf(nil, `{"after":{"order_id":%d,"status":"%s"},"source":{"db":"aurora_orders","schema":"public","table":"orders"},"op":"c"}`,
			n, strings.Repeat("x", n%2000))
		record, err := json.Marshal(route.Record{RecordID: recordID(n), KafkaRecordValue: value})
		if err != nil {
			t.Fatal(err)
		}
		record = bytes.Replace(record, []byte(`"approximateArrivalTimestamp":0,`), nil, 1)
		if event.Len()+len(record)+len(`,]}`) > sandbox.MaxPayload {
			break
		}
		if n > 0 {
			event.WriteByte(',')
		}
		event.Write(record)
		n++
	}
	event.WriteString(`]}`)

	r := startSandbox(t).Invoke(event.Bytes())
	largestSent, failed := 0, 0
	smallestFailed := len(r.Body)
	for i, answer := range readResponse(t, r, n).Records {
		size := i % 2000
		switch {
		case answer.Result == route.Ok && len(answer.KafkaRecordValue) > size:
			largestSent = max(largestSent, size)
		case answer.Result == route.ProcessingFailed && answer.KafkaRecordValue == nil:
			smallestFailed = min(smallestFailed, size)
			failed++
		default:
			t.Fatalf("answer %d is %s with %d bytes", i, answer.Result, len(answer.KafkaRecordValue))
		}
	}
	switch {
	case failed == 0:
		t.Error("the response would have fitted: nothing was tested")
	case smallestFailed < largestSent-1: // the key has up to four digits, which count too
		t.Errorf("a row of %d bytes failed, one of %d was sent", smallestFailed, largestSent)
	case len(r.Body) < sandbox.MaxPayload-4000:
		t.Errorf("the response has only %d bytes: more failed than must", len(r.Body))
	}
	t.Logf("event of %d bytes, response of %d, %d of %d records failed", event.Len(), len(r.Body), failed, n)
}

func TestSettings(t *testing.T) {
	data := load(t)
	settings := map[string]string{"DESTINATION_DATABASE": "elsewhere"}
	var logs bytes.Buffer
	handler, err := newHandler(func(name string) string { return settings[name] }, &logs)
	if err != nil {
		t.Fatal(err)
	}
	// Rows of another schema have no rule; of the database any name will do.
	values := [][]byte{
		bytes.ReplaceAll(data.Orders[0], []byte(`"schema":"public"`), []byte(`"schema":"private"`)),
		bytes.ReplaceAll(data.Orders[0], []byte("aurora_orders"), []byte("other")),
	}
	body, err := handler.Invoke(t.Context(), mskEvent(t, 0, values))
	if err != nil {
		t.Fatal(err)
	}
	answers := parseResponse(t, body, len(values)).Records
	if got := answers[0]; got.Result != route.ProcessingFailed || !bytes.Equal(got.KafkaRecordValue, values[0]) {
		t.Errorf("another schema's row: got %s with %d bytes", got.Result, len(got.KafkaRecordValue))
	}
	if got := answers[1]; got.Result != route.Ok || got.Metadata.OTF != (route.OTFMetadata{Database: "elsewhere", Table: "orders", Operation: route.OperationUpdate}) {
		t.Errorf("got %s to %v", got.Result, got.Metadata)
	}

	// One line for the record that failed, in the form that CloudWatch reads.
	var line struct{ Timestamp, Level, Message, RecordID, Reason, Table string }
	if err := json.Unmarshal(logs.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, logs.Bytes())
	}
	if line.Timestamp == "" || line.Level != "WARN" || line.Message == "" || line.RecordID != recordID(0) ||
		line.Reason != route.Unrouted.String() || line.Table != "aurora_orders.private.orders" {
		t.Errorf("got the line %s", logs.Bytes())
	}
	if strings.Contains(logs.String(), "299.99") {
		t.Errorf("the log has row data: %s", logs.Bytes())
	}
}

// What can be known before it is deployed: the tables and keys are such that S3
// Tables and Firehose take them.
func TestPreflight(t *testing.T) {
	check := func(database string) error {
		handler, err := newHandler(func(name string) string { return map[string]string{"DESTINATION_DATABASE": database}[name] }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var targets []route.Target
		for table, key := range keys {
			targets = append(targets, route.Target{Source: table, Key: key})
		}
		return route.Preflight(handler.Router, route.S3Tables, targets...)
	}
	if err := check(""); err != nil {
		t.Error(err)
	}
	if err := check("Aurora-CDC"); err == nil {
		t.Error("a database name that S3 Tables refuses passes")
	}
}

func TestLogLevel(t *testing.T) {
	data := load(t)
	for level, lines := range map[string]int{"": 3, "debug": 3, "WARN": 3, "ERROR": 0} {
		var logs bytes.Buffer
		handler, err := newHandler(func(name string) string { return map[string]string{"LOG_LEVEL": level}[name] }, &logs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := handler.Invoke(t.Context(), mskEvent(t, 0, data.Unusual)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(logs.String(), "\n"); got != lines {
			t.Errorf("level %q: %d lines, want %d", level, got, lines)
		}
	}
	if _, err := newHandler(func(string) string { return "loud" }, nil); err == nil {
		t.Error("no error for an unknown LOG_LEVEL")
	}
}
