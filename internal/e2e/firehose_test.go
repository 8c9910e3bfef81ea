//go:build servers

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// The parts of Firehose's contract for an MSK source that the test speaks itself.
type (
	mskEvent struct {
		InvocationID      string      `json:"invocationId"`
		SourceMSKARN      string      `json:"sourceMSKArn"`
		DeliveryStreamARN string      `json:"deliveryStreamArn"`
		Region            string      `json:"region"`
		Records           []mskRecord `json:"records"`
	}
	mskRecord struct {
		RecordID string      `json:"recordId"`
		Arrival  int64       `json:"approximateArrivalTimestamp"`
		Metadata mskMetadata `json:"mskRecordMetadata"`
		Value    []byte      `json:"kafkaRecordValue"`
	}
	mskMetadata struct {
		Offset      string `json:"offset"`
		PartitionID string `json:"partitionId"`
		Arrival     string `json:"approximateArrivalTimestamp"`
	}
	answer struct {
		RecordID string `json:"recordId"`
		Result   string `json:"result"`
		Value    []byte `json:"kafkaRecordValue"`
		Metadata *struct {
			OTF struct {
				Database  string `json:"destinationDatabaseName"`
				Table     string `json:"destinationTableName"`
				Operation string `json:"operation"`
			} `json:"otfMetadata"`
		} `json:"metadata"`
	}
)

// responseLimit is Lambda's.
const responseLimit = 6291556

// delivered is the library's second way of use: Firehose hands the records to the transform in batches and applies what
// comes back to the tables that it names. The batches come in order. Within one, Firehose promises none; with coalescing
// that must not matter, and without it the test is kinder than Firehose.
func delivered(t *testing.T, records []record, coalesce bool, rng *rand.Rand) rows {
	t.Helper()
	destinations, keys := map[envelope.Table]route.Destination{}, map[envelope.Table][]string{}
	for _, tab := range tables {
		source := envelope.Table{DB: "postgres", Schema: "public", Name: tab.name}
		destinations[source] = route.Destination{Database: "aurora_cdc", Table: tab.name}
		keys[source] = []string{tab.key}
	}
	f := &route.Firehose{Router: &route.Rules{Tables: destinations}, Coalesce: coalesce, Keys: envelope.KeyColumns(keys)}

	all := rows{}
	batches, dropped := 0, 0
	for len(records) > 0 {
		n := min(1+rng.IntN(400), len(records))
		answers := invoke(t, f, records[:n])
		records = records[n:]
		if coalesce {
			rng.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
		}
		for _, a := range answers {
			if a.Result == "Dropped" && coalesce && a.Metadata == nil {
				dropped++
				continue
			}
			all.apply(t, a)
		}
		batches++
	}
	t.Logf("Firehose, coalescing %v: %d batches, %d records dropped", coalesce, batches, dropped)
	if coalesce == (dropped == 0) {
		t.Errorf("coalescing %v, and %d records were dropped", coalesce, dropped)
	}
	return all
}

// invoke hands over one batch and returns the answers, of which there is one to each record, in order.
func invoke(t *testing.T, f *route.Firehose, batch []record) []answer {
	t.Helper()
	event := mskEvent{SourceMSKARN: "arn:aws:kafka:us-east-1:123456789012:cluster/orders", Region: "us-east-1",
		DeliveryStreamARN: "arn:aws:firehose:us-east-1:123456789012:deliverystream/orders"}
	for _, r := range batch {
		event.Records = append(event.Records, mskRecord{
			RecordID: fmt.Sprint("record-", r.offset),
			Arrival:  1716369573887,
			Metadata: mskMetadata{strconv.FormatInt(r.offset, 10), "0", "1716369573887"},
			Value:    r.value,
		})
	}
	in, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Invoke(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) > responseLimit {
		t.Fatalf("a response of %d bytes", len(out))
	}
	var response struct {
		Records []answer `json:"records"`
	}
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatal(err)
	}
	if len(response.Records) != len(batch) {
		t.Fatalf("%d answers to %d records", len(response.Records), len(batch))
	}
	for i, a := range response.Records {
		if sent := event.Records[i].RecordID; a.RecordID != sent {
			t.Fatalf("record %s is answered as %s", sent, a.RecordID)
		}
	}
	return response.Records
}

// apply does what Firehose does with an answer.
func (all rows) apply(t *testing.T, a answer) {
	t.Helper()
	if a.Result != "Ok" || a.Metadata == nil || a.Metadata.OTF.Database != "aurora_cdc" {
		t.Fatalf("answer %+v", a)
	}
	image := document(t, a.Value)
	name := all.name(t, a.Metadata.OTF.Table, image)
	switch a.Metadata.OTF.Operation {
	case "update":
		all[name] = image
	case "delete":
		delete(all, name)
	default: // an insert that comes twice is two rows
		t.Fatalf("%s: operation %q", a.RecordID, a.Metadata.OTF.Operation)
	}
}

// document reads a flat JSON object, without the library.
func document(t *testing.T, b []byte) row {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		t.Fatal(err)
	}
	r := row{}
	for name, v := range members {
		switch v := v.(type) {
		case nil:
			r[name] = cell{null: true}
		case string:
			r[name] = cell{text: v}
		case json.Number:
			r[name] = cell{text: v.String()}
		default:
			t.Fatalf("column %s: %T", name, v)
		}
	}
	return r
}
