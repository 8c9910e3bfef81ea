package dsql_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/require"
)

const lambdaLimit = 6_291_556

// A lambdaEvent is what of an event of one record can be short or long. All of it
// is JSON text already.
type lambdaEvent struct{ partitionKey, sequence, shard, role, stream, region, arrival, encryption string }

// The one that the developer guide shows, and the longest that the API allows.
var (
	guideEvent = lambdaEvent{
		partitionKey: "1", sequence: "49590338271490256608559692538361571095921575989136588898", shard: "shardId-000000000006",
		role: "arn:aws:iam::123456789012:role/lambda-role", stream: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
		region: "us-east-2", arrival: "1545084650.987",
	}
	longestEvent = lambdaEvent{
		partitionKey: strings.Repeat(`\ud83d\ude00`, 256), sequence: strings.Repeat("9", 129), shard: strings.Repeat("s", 128),
		role: strings.Repeat("r", 2048), stream: strings.Repeat("e", 2048),
		region: strings.Repeat("g", 32), arrival: "1.716369573887123456E+09", encryption: "NONE",
	}
)

// with returns the event of a record of n bytes.
func (e lambdaEvent) with(n int) string {
	var b strings.Builder
	b.WriteString(`{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"` + e.partitionKey + `","sequenceNumber":"` + e.sequence + `","data":"`)
	b.WriteString(base64.StdEncoding.EncodeToString(make([]byte, n)))
	b.WriteString(`","approximateArrivalTimestamp":` + e.arrival)
	if e.encryption != "" {
		b.WriteString(`,"encryptionType":"` + e.encryption + `"`)
	}
	b.WriteString(`},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"` + e.shard + ":" + e.sequence + `","eventName":"aws:kinesis:record",` +
		`"invokeIdentityArn":"` + e.role + `","awsRegion":"` + e.region + `","eventSourceARN":"` + e.stream + `"}]}`)
	return b.String()
}

func TestFitsLambda(t *testing.T) {
	const mebi = 1 << 20
	for _, e := range []lambdaEvent{guideEvent, longestEvent} {
		require.True(t, json.Valid([]byte(e.with(10))))
	}
	bound := sort.Search(20*mebi, func(n int) bool { return !dsql.FitsLambda(n) }) - 1
	require.Equal(t, 4_712_523, bound, "the number in the documentation")
	require.Equal(t, 7_923, len(longestEvent.with(0)), "the sum in the documentation")

	require.LessOrEqual(t, len(longestEvent.with(bound)), 6*mebi, "whatever the event has around the record, also under the round limit")
	require.Greater(t, len(longestEvent.with(bound+204)), lambdaLimit, "the bound gives nothing away")
	require.LessOrEqual(t, len(guideEvent.with(bound+5_600)), lambdaLimit, "what an ordinary event takes beyond it")
	require.Greater(t, len(guideEvent.with(bound+6*1024)), lambdaLimit, "what no event takes")

	for _, n := range []int{0, 1, mebi, 4 * mebi} {
		require.True(t, dsql.FitsLambda(n), n)
	}
	for _, n := range []int{4_718_592, 5 * mebi, 9 * mebi, 10 * mebi} {
		require.False(t, dsql.FitsLambda(n), n)
	}
}

const (
	firstSequence = "49601189658422359378836298521827638475320189012309704722"
	lastSequence  = "49601189658422359378836298522902373528957594348623495186"

	failureBatch = `{"shardId":"shardId-000000000001","startSequenceNumber":"` + firstSequence + `","endSequenceNumber":"` + lastSequence + `",` +
		`"approximateArrivalOfFirstRecord":"2019-11-14T00:38:04.835Z","approximateArrivalOfLastRecord":"2019-11-14T00:38:05.580Z",` +
		`"batchSize":500,"streamArn":"arn:aws:kinesis:us-east-2:123456789012:stream/mystream"}`
	failureRequest = `{"requestId":"c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5","functionArn":"arn:aws:lambda:us-east-2:123456789012:function:myfunction",` +
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":1}`

	// The document of the Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source".
	failureDocument = `{"requestContext":` + failureRequest + `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},` +
		`"version":"1.0","timestamp":"2019-11-14T00:38:06.021Z","KinesisBatchInfo":` + failureBatch + `}`
)

func guideFailure() dsql.Failure {
	return dsql.Failure{
		Stream: "arn:aws:kinesis:us-east-2:123456789012:stream/mystream", Shard: "shardId-000000000001",
		First: firstSequence, Last: lastSequence, BatchSize: 500,
		FirstArrival: time.Date(2019, 11, 14, 0, 38, 4, 835e6, time.UTC),
		LastArrival:  time.Date(2019, 11, 14, 0, 38, 5, 580e6, time.UTC),
		Time:         time.Date(2019, 11, 14, 0, 38, 6, 21e6, time.UTC),
		Function:     "arn:aws:lambda:us-east-2:123456789012:function:myfunction", Condition: "RetryAttemptsExhausted", Invocations: 1,
	}
}

// failureOf returns guideFailure after a change.
func failureOf(change func(*dsql.Failure)) dsql.Failure {
	f := guideFailure()
	change(&f)
	return f
}

// notified returns what SNS wraps around a document.
func notified(doc string) string {
	text, _ := json.Marshal(doc)
	return `{"Type":"Notification","MessageId":"22b80b92","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Message":` + string(text) + `,"Timestamp":"2019-11-14T00:38:07.000Z"}`
}

var (
	noRequest = func(f *dsql.Failure) { f.Function, f.Condition, f.Invocations = "", "", 0 }
	onlyBatch = func(f *dsql.Failure) { noRequest(f); f.Time = time.Time{} }
)

var failures = []struct {
	name, doc string
	want      dsql.Failure
}{
	{"queue", failureDocument, guideFailure()},
	{"notification", notified(failureDocument), guideFailure()},
	{"bucket", failureDocument[:len(failureDocument)-1] + `,"payload":"{\"Records\":[{\"kinesis\":{}}]}"}`, guideFailure()},
	{"payload as an object", failureDocument[:len(failureDocument)-1] + `,"payload":{"Records":[]}}`, guideFailure()},
	{"indented", indented(failureDocument), guideFailure()},
	{"not invoked", strings.Replace(failureDocument, `{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}`, "null", 1), guideFailure()},
	{"batch alone", `{"KinesisBatchInfo":` + failureBatch + `}`, failureOf(onlyBatch)},
	{"nulls", `{"requestContext":null,"timestamp":null,"DDBStreamBatchInfo":null,"Message":null,"KinesisBatchInfo":` + failureBatch + `}`, failureOf(onlyBatch)},
	{"nulls in the request", `{"requestContext":{"functionArn":null,"condition":null,"approximateInvokeCount":null},"timestamp":"2019-11-14T00:38:06.021Z","KinesisBatchInfo":` + failureBatch + `}`, failureOf(noRequest)},
	{"batch before message", `{"Message":"hello","KinesisBatchInfo":` + failureBatch + `}`, failureOf(onlyBatch)},
	{"one record", strings.ReplaceAll(failureDocument, lastSequence, firstSequence), failureOf(func(f *dsql.Failure) { f.Last = firstSequence })},
	{"whole seconds", strings.ReplaceAll(failureDocument, ".835Z", "Z"), failureOf(func(f *dsql.Failure) { f.FirstArrival = f.FirstArrival.Truncate(time.Second) })},
	{"another zone", strings.ReplaceAll(failureDocument, "T00:38:04.835Z", "T02:38:04.835+02:00"), guideFailure()},
	{"escapes", strings.NewReplacer(`"shardId"`, `"shard\u0049d"`, `"shardId-`, `"\u0073hardId-`).Replace(failureDocument), guideFailure()},
	{"consumer", strings.ReplaceAll(failureDocument, "stream/mystream", "stream/consumer/consumer/con1:1540591608"), failureOf(func(f *dsql.Failure) { f.Stream = "arn:aws:kinesis:us-east-2:123456789012:stream/consumer" })},
}

func indented(doc string) string {
	var b bytes.Buffer
	_ = json.Indent(&b, []byte(doc), " \t", "  ")
	return "\n" + b.String() + "\r\n"
}

func TestParseFailure(t *testing.T) {
	for _, c := range failures {
		doc := []byte(c.doc)
		got, err := dsql.ParseFailure(doc)
		require.NoError(t, err, c.name)
		clear(doc)
		require.Equal(t, c.want, got, c.name)
	}
}

func TestParseFailurePrefixes(t *testing.T) {
	for _, c := range failures {
		doc := strings.TrimSpace(c.doc)
		for i := range len(doc) {
			got, err := dsql.ParseFailure([]byte(doc[:i]))
			require.ErrorIs(t, err, envelope.ErrSyntax, "%s: %s", c.name, doc[:i])
			require.Empty(t, got)
		}
	}
}

// Each is the guide's document with something replaced.
var badFailures = []struct {
	old, new string
	path     string
	err      error
}{
	{`"KinesisBatchInfo"`, `"DDBStreamBatchInfo"`, "/KinesisBatchInfo", dsql.ErrNotKinesis},
	{`"KinesisBatchInfo"`, `"KafkaBatchInfo"`, "/KinesisBatchInfo", dsql.ErrNotKinesis},
	{`"KinesisBatchInfo"`, `"KinesisBatchInfo":null,"DDBStreamBatchInfo"`, "/KinesisBatchInfo", dsql.ErrNotKinesis},
	{`"KinesisBatchInfo"`, `"kinesisBatchInfo"`, "/KinesisBatchInfo", envelope.ErrMissing},
	{failureBatch, `null`, "/KinesisBatchInfo", envelope.ErrMissing},
	{failureBatch, `[]`, "/KinesisBatchInfo", envelope.ErrType},
	{failureBatch, failureBatch + `,"KinesisBatchInfo":` + failureBatch, "/KinesisBatchInfo", envelope.ErrDuplicate},
	{failureBatch, failureBatch + `,"timestamp":null`, "/timestamp", envelope.ErrDuplicate},
	{failureDocument, `{"Records":[{"body":"{}"}]}`, "/KinesisBatchInfo", envelope.ErrMissing},
	{failureDocument, `{"Message":1}`, "/KinesisBatchInfo", envelope.ErrMissing},
	{failureDocument, `[]`, "", envelope.ErrType},
	{failureDocument, ` "text"`, "", envelope.ErrType},
	{failureDocument, notified("You have chosen to subscribe"), "/Message", envelope.ErrSyntax},
	{failureDocument, notified("[]"), "/Message", envelope.ErrType},
	{failureDocument, notified(notified(failureDocument)), "/Message/KinesisBatchInfo", envelope.ErrMissing},
	{failureDocument, notified(`{"DDBStreamBatchInfo":{}}`), "/Message/KinesisBatchInfo", dsql.ErrNotKinesis},
	{failureDocument, notified(strings.Replace(failureDocument, "500", `"500"`, 1)), "/Message/KinesisBatchInfo/batchSize", envelope.ErrType},
	{failureDocument, `{"Message":"{}","Message":"{}"}`, "/Message", envelope.ErrDuplicate},
	{`"condition"`, `condition`, "/requestContext", envelope.ErrSyntax},
	{`"batchSize":500`, `"batchSize":5OO`, "/KinesisBatchInfo", envelope.ErrSyntax},
	{`"batchSize":500`, `"batchSize":-`, "/KinesisBatchInfo/batchSize", envelope.ErrSyntax},
	{`"version":"1.0"`, `"version":{"secret":nil}`, "/version", envelope.ErrSyntax},
	{`"shardId-`, "\"\xff", "/KinesisBatchInfo/shardId", envelope.ErrSyntax},
	{`"shardId"`, `"shardID"`, "/KinesisBatchInfo/shardId", envelope.ErrMissing},
	{`"shardId-000000000001"`, `""`, "/KinesisBatchInfo/shardId", envelope.ErrType},
	{`"shardId-000000000001"`, `null`, "/KinesisBatchInfo/shardId", envelope.ErrMissing},
	{`"shardId-000000000001"`, `1,"shard\u0049d":2`, "/KinesisBatchInfo/shardId", envelope.ErrDuplicate},
	{`"arn:aws:kinesis:us-east-2:123456789012:stream/mystream"`, `""`, "/KinesisBatchInfo/streamArn", envelope.ErrType},
	{`"streamArn"`, `"streamARN"`, "/KinesisBatchInfo/streamArn", envelope.ErrMissing},
	{`"` + firstSequence + `"`, `4960118965842235937`, "/KinesisBatchInfo/startSequenceNumber", envelope.ErrType},
	{firstSequence, ``, "/KinesisBatchInfo/startSequenceNumber", envelope.ErrType},
	{firstSequence, `TRIM_HORIZON`, "/KinesisBatchInfo/startSequenceNumber", envelope.ErrType},
	{firstSequence, lastSequence + "0", "/KinesisBatchInfo/endSequenceNumber", envelope.ErrType},
	{lastSequence, lastSequence + "x", "/KinesisBatchInfo/endSequenceNumber", envelope.ErrType},
	{`"endSequenceNumber"`, `"end"`, "/KinesisBatchInfo/endSequenceNumber", envelope.ErrMissing},
	{`"2019-11-14T00:38:04.835Z"`, `1573691884.835`, "/KinesisBatchInfo/approximateArrivalOfFirstRecord", envelope.ErrType},
	{`2019-11-14T00:38:05.580Z`, `2019-11-14`, "/KinesisBatchInfo/approximateArrivalOfLastRecord", envelope.ErrType},
	{`:500`, `:5e2`, "/KinesisBatchInfo/batchSize", envelope.ErrType},
	{`:500`, `:-1`, "/KinesisBatchInfo/batchSize", envelope.ErrType},
	{`:500`, `:4294967296`, "/KinesisBatchInfo/batchSize", envelope.ErrType},
	{`:500`, `:null`, "/KinesisBatchInfo/batchSize", envelope.ErrMissing},
	{failureRequest, `"lambda"`, "/requestContext", envelope.ErrType},
	{`"RetryAttemptsExhausted"`, `7`, "/requestContext/condition", envelope.ErrType},
	{`"approximateInvokeCount":1`, `"approximateInvokeCount":1.5`, "/requestContext/approximateInvokeCount", envelope.ErrType},
	{`"2019-11-14T00:38:06.021Z"`, `""`, "/timestamp", envelope.ErrType},
}

func TestParseFailureErrors(t *testing.T) {
	for _, c := range badFailures {
		doc := strings.Replace(failureDocument, c.old, c.new, 1)
		got, err := dsql.ParseFailure([]byte(doc))
		require.Empty(t, got, doc)
		require.ErrorIs(t, err, c.err, doc)
		fault, ok := errors.AsType[*envelope.DecodeError](err)
		require.True(t, ok, doc)
		require.Equal(t, c.path, fault.Path, doc)
		require.True(t, envelope.IsPermanent(err), doc)
		require.True(t, 0 <= fault.Offset && fault.Offset <= int64(len(doc)), "offset %d of %s", fault.Offset, doc)
		require.True(t, !strings.HasPrefix(c.path, "/Message") || strings.HasSuffix(doc[:fault.Offset], `"Message":`), "offset %d of %s", fault.Offset, doc)
	}
	doc := []byte(strings.Replace(failureDocument, ":500", `:"500"`, 1))
	_, err := dsql.ParseFailure(doc)
	fault, _ := errors.AsType[*envelope.DecodeError](err)
	require.True(t, bytes.HasPrefix(doc[fault.Offset:], []byte(`"500"`)), "the offset is that of the value")

	_, err = dsql.ParseFailure(append([]byte(failureDocument), make([]byte, 64<<20)...))
	require.ErrorIs(t, err, envelope.ErrLimit)
}

// naiveFailure is what encoding/json makes of a document.
func naiveFailure(doc []byte, depth int) (f dsql.Failure, ok bool) {
	top, ok := naiveMembers(doc, "Message", "timestamp", "requestContext", "KinesisBatchInfo", "DDBStreamBatchInfo", "KafkaBatchInfo")
	if !ok || !utf8.Valid(doc) {
		return f, false
	}
	var message string
	if top["KinesisBatchInfo"] == nil {
		if depth > 0 || top["Message"] == nil || json.Unmarshal(top["Message"], &message) != nil {
			return f, false
		}
		return naiveFailure([]byte(message), 1)
	}
	batch, ok := naiveMembers(top["KinesisBatchInfo"], "streamArn", "shardId", "startSequenceNumber", "endSequenceNumber", "batchSize",
		"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord")
	if !ok || len(batch) != 7 {
		return f, false
	}
	request := map[string]json.RawMessage{}
	if top["requestContext"] != nil {
		if request, ok = naiveMembers(top["requestContext"], "functionArn", "condition", "approximateInvokeCount"); !ok {
			return f, false
		}
	}
	read := func(from map[string]json.RawMessage, name string, into any) bool {
		return from[name] == nil || json.Unmarshal(from[name], into) == nil
	}
	when := func(from map[string]json.RawMessage, name string, into *time.Time) bool {
		var text string
		if from[name] == nil {
			return true
		}
		ok := read(from, name, &text)
		at, err := time.Parse(time.RFC3339Nano, text)
		*into = at.UTC()
		return ok && err == nil
	}
	ok = read(batch, "streamArn", &f.Stream) && read(batch, "shardId", &f.Shard) && read(batch, "startSequenceNumber", &f.First) &&
		read(batch, "endSequenceNumber", &f.Last) && read(batch, "batchSize", &f.BatchSize) &&
		when(batch, "approximateArrivalOfFirstRecord", &f.FirstArrival) && when(batch, "approximateArrivalOfLastRecord", &f.LastArrival) &&
		read(request, "functionArn", &f.Function) && read(request, "condition", &f.Condition) && read(request, "approximateInvokeCount", &f.Invocations) &&
		when(top, "timestamp", &f.Time)
	first, ok1 := natural(f.First)
	last, ok2 := natural(f.Last)
	for _, n := range []int{f.BatchSize, f.Invocations} {
		ok = ok && 0 <= n && n <= math.MaxInt32
	}
	ok = ok && ok1 && ok2 && first.Cmp(last) <= 0 && f.Stream != "" && f.Shard != "" && (f.Function != "" || request["functionArn"] == nil) &&
		(f.Condition != "" || request["condition"] == nil)
	f.Stream = consumerPart.ReplaceAllString(f.Stream, "$1")
	return f, ok
}

var consumerPart = regexp.MustCompile(`(?s)^(.+)/consumer/.*$`)

func natural(s string) (*big.Int, bool) {
	n, ok := new(big.Int).SetString(s, 10)
	return n, ok && strings.Trim(s, "0123456789") == ""
}

// naiveMembers returns those of the named members of an object that are not null; ok is false if it is none or one of
// them comes twice.
func naiveMembers(object []byte, names ...string) (map[string]json.RawMessage, bool) {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !json.Valid(object) {
		return nil, false
	}
	all, seen := map[string]json.RawMessage{}, map[string]bool{}
	for d.More() {
		name, _ := d.Token()
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, false
		}
		if name := name.(string); slices.Contains(names, name) {
			if seen[name] {
				return nil, false
			}
			seen[name] = true
			if string(v) != "null" {
				all[name] = v
			}
		}
	}
	return all, true
}

func FuzzParseFailure(f *testing.F) {
	for _, c := range failures {
		f.Add([]byte(c.doc))
	}
	for _, c := range badFailures {
		f.Add([]byte(strings.Replace(failureDocument, c.old, c.new, 1)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := dsql.ParseFailure(doc)
		want, ok := naiveFailure(doc, 0)
		if ok != (err == nil) {
			t.Fatalf("error %v, but encoding/json says %v: %q", err, ok, doc)
		}
		if fault, typed := errors.AsType[*envelope.DecodeError](err); err != nil && (!typed || fault.Offset < 0 || fault.Offset > int64(len(doc))) {
			t.Fatalf("error %#v of %q", err, doc)
		}
		if ok && got != want || !ok && got != (dsql.Failure{}) {
			t.Fatalf("got %+v, encoding/json %+v: %q", got, want, doc)
		}
	})
}
