package route_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tb is a test or a property.
type tb interface {
	rapid.TB
	Context() context.Context
}

// A shape is the name of the payload in an event's records.
type shape string

const (
	kinesis shape = "data" // Kinesis and Direct PUT
	msk     shape = "kafkaRecordValue"
)

var shapes = [...]shape{kinesis, msk}

// event returns an event with the values as its records, whose ids are r0, r1 and so on.
func (s shape) event(values ...[]byte) []byte {
	records := make([]string, len(values))
	for i, v := range values {
		records[i] = s.record(id(i), `"`+base64.StdEncoding.EncodeToString(v)+`"`)
	}
	return s.eventOf(records...)
}

// eventOf returns an event with records in JSON.
func (s shape) eventOf(records ...string) []byte {
	source := `"sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:123456789012:stream/cdc"`
	if s == msk {
		source = `"sourceMSKArn":"arn:aws:kafka:us-east-1:123456789012:cluster/cdc/1"`
	}
	return fmt.Appendf(nil, `{"invocationId":"2b4d1ad9","deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/cdc",%s,"region":"us-east-1","records":[%s]}`,
		source, strings.Join(records, ","))
}

// record returns a record in JSON. The payload is JSON too; "" leaves it out.
func (s shape) record(id, payload string) string {
	if payload != "" {
		payload = fmt.Sprintf(`,%q:%s`, string(s), payload)
	}
	if s == msk {
		return fmt.Sprintf(`{"recordId":%q,"approximateArrivalTimestamp":1716369573887,"mskRecordMetadata":{"offset":"0","partitionId":"1","approximateArrivalTimestamp":"1716369573887"}%s}`, id, payload)
	}
	return fmt.Sprintf(`{"recordId":%q,"approximateArrivalTimestamp":1716369573887%s,"kinesisRecordMetadata":{"shardId":"shardId-000000000000","partitionKey":"k","sequenceNumber":"49","subsequenceNumber":"","approximateArrivalTimestamp":1716369573887}}`, id, payload)
}

func id(i int) string { return "r" + strconv.Itoa(i) }

// change returns the record of a change of shop.public.<table> at the n-th position of PostgreSQL's log.
func change(op, table, before, after string, n int) []byte {
	return fmt.Appendf(nil, `{"before":%s,"after":%s,"source":{"version":"3.6.1.Final","connector":"postgresql","name":"pg","ts_ms":%d,"snapshot":"false","db":"shop",`+
		`"sequence":"[\"%d\",\"%d\"]","ts_us":%[3]d000,"ts_ns":%[3]d000000,"schema":"public","table":%[6]q,"txId":571,"lsn":%[5]d,"xmin":null},`+
		`"transaction":null,"op":%[7]q,"ts_ms":%[8]d,"ts_us":%[8]d000,"ts_ns":%[8]d000000}`,
		before, after, 1716369573000+n, 1000*n, 1000*n+8, table, op, 1716369573400+n)
}

func upsert(op, after string, n int) []byte { return change(op, "orders", "null", after, n) }
func remove(before string, n int) []byte    { return change("d", "orders", before, "null", n) }

// An answer is one record of a response.
type answer struct {
	ID, Result string
	Under      shape  // the payload's name; "" if there is none
	Payload    string // decoded
	To         string // database.table, "" without metadata
	Operation  string
}

// answers reads a response, by the documented format and nothing else, and checks what holds for each answer.
func answers(t tb, response []byte) []answer {
	t.Helper()
	var all struct {
		Records []struct {
			RecordID *string `json:"recordId"`
			Result   string  `json:"result"`
			Data     *string `json:"data"`
			Kafka    *string `json:"kafkaRecordValue"`
			Metadata *struct {
				OTF struct {
					Database  *string `json:"destinationDatabaseName"`
					Table     *string `json:"destinationTableName"`
					Operation *string `json:"operation"`
				} `json:"otfMetadata"`
			} `json:"metadata"`
		} `json:"records"`
	}
	dec := json.NewDecoder(bytes.NewReader(response))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&all), "%s", response)
	_, err := dec.Token()
	require.ErrorIs(t, err, io.EOF)
	require.NotNil(t, all.Records)
	out := make([]answer, 0, len(all.Records))
	for _, r := range all.Records {
		require.NotNil(t, r.RecordID)
		a := answer{ID: *r.RecordID, Result: r.Result}
		payload := r.Data
		switch {
		case r.Data != nil && r.Kafka != nil:
			t.Fatalf("%s: two payloads", a.ID)
		case r.Data != nil:
			a.Under = kinesis
		case r.Kafka != nil:
			a.Under, payload = msk, r.Kafka
		}
		if payload != nil {
			a.Payload = *payload // a failed record's need not be base64
			if b, err := base64.StdEncoding.Strict().DecodeString(*payload); err == nil {
				a.Payload = string(b)
			}
		}
		if r.Metadata != nil {
			otf := r.Metadata.OTF
			require.True(t, otf.Database != nil && otf.Table != nil && otf.Operation != nil, "%s: metadata with a part missing", a.ID)
			require.Contains(t, []string{"insert", "update", "delete"}, *otf.Operation)
			a.To, a.Operation = *otf.Database+"."+*otf.Table, *otf.Operation
		}
		switch a.Result {
		case "Ok":
			row, found := strings.CutSuffix(a.Payload, "\n")
			require.True(t, found, "%s: no newline after %q", a.ID, a.Payload)
			require.True(t, json.Valid([]byte(row)) && row[0] == '{' && row[len(row)-1] == '}', "%s: %q is not an object", a.ID, row)
		case "Dropped":
			require.Empty(t, a.Under, "%s: dropped with a payload", a.ID)
			require.Nil(t, r.Metadata, "%s: dropped with metadata", a.ID)
		case "ProcessingFailed":
			require.Nil(t, r.Metadata, "%s: failed with metadata", a.ID)
		default:
			t.Fatalf("%s: result %q", a.ID, a.Result)
		}
		out = append(out, a)
	}
	return out
}

// invoke returns the answers to an event.
func invoke(t tb, f *route.Firehose, event []byte) []answer {
	t.Helper()
	before := bytes.Clone(event)
	response, err := f.Invoke(t.Context(), event)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, event), "the event was changed")
	return answers(t, response)
}

// results returns the results of answers as one word.
func results(all []answer) string {
	var s strings.Builder
	for _, a := range all {
		s.WriteByte(a.Result[0])
	}
	return s.String()
}

// firehose returns a Firehose that says nothing and sends every table to lake.<table>.
func firehose(options ...func(*route.Firehose)) *route.Firehose {
	f := &route.Firehose{Router: &route.Rules{Default: &route.Destination{Database: "lake"}}, Logger: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(f)
	}
	return f
}

// to sends everything to one destination.
func to(d route.Destination) func(*route.Firehose) {
	return func(f *route.Firehose) {
		f.Router = route.Func(func(*envelope.Change) (route.Destination, error) { return d, nil })
	}
}

func mode(m route.Mode) func(*route.Firehose) {
	return to(route.Destination{Database: "lake", Table: "orders", Mode: m})
}

// An outcome is what Observe was told, kept.
type outcome struct {
	ID string
	route.Outcome
}

// observe keeps the outcomes of one event at a time.
func observe(all *[]outcome) func(*route.Firehose) {
	return func(f *route.Firehose) {
		f.Observe = func(o *route.Outcome) {
			kept := outcome{string(o.RecordID), *o}
			kept.RecordID = nil
			*all = append(*all, kept)
		}
	}
}

func reasons(all []outcome) []route.Reason {
	var out []route.Reason
	for _, o := range all {
		out = append(out, o.Reason)
	}
	return out
}

// lines reads the lines of a compressed file.
func lines[T any](t tb, name string) (all []T) {
	t.Helper()
	file, err := os.Open("testdata/" + name + ".jsonl.gz")
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	text, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var v T
		require.NoError(t, json.Unmarshal(line, &v))
		all = append(all, v)
	}
	require.NotEmpty(t, all)
	return all
}

// captured returns the values of a capture's records; a tombstone is nil.
func captured(t tb, name string) (all [][]byte) {
	for _, r := range lines[struct{ Value *string }](t, name) {
		if r.Value == nil {
			all = append(all, nil)
			continue
		}
		all = append(all, []byte(*r.Value))
	}
	return all
}

// A member is one member of a JSON object, read without the library.
type member struct {
	Name  string
	Value json.RawMessage
}

// members reads a JSON object, in order and with all members of one name. It returns false for anything else.
func members(b []byte) (all []member, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, false
		}
		m := member{Name: name.(string)}
		if err := dec.Decode(&m.Value); err != nil {
			return nil, false
		}
		all = append(all, m)
	}
	return all, json.Valid(b)
}

// named returns the values of a member, one for each time that it occurs.
func named(all []member, name string) (values []json.RawMessage) {
	for _, m := range all {
		if m.Name == name {
			values = append(values, slices.Clip(m.Value))
		}
	}
	return values
}
