package dsql

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

const (
	// lambdaPayload is how large an invocation's payload may be, in bytes: what
	// the service's own message names. Its guides say 6 MB and 6 MiB, 100 bytes
	// less, which the allowance below leaves room for.
	lambdaPayload = 6_291_556

	// lambdaAround is what an event of one record has around the record's base64
	// at most, rounded up from 7,923 bytes. See FitsLambda.
	lambdaAround = 8 << 10

	// lambdaRecord is the largest record that fits: 4,712,523 bytes.
	lambdaRecord = (lambdaPayload - lambdaAround) / 4 * 3
)

// FitsLambda reports whether a Kinesis record with n bytes of data can reach a
// Lambda function through an event source mapping: whether n is at most
// 4,712,523, about 4.49 MiB.
//
// DSQL splits a record only above 9 MiB, and a stream takes records of up to
// 10 MiB. So whole records from about 4.5 MiB to 9 MiB, and nearly all
// fragments, never reach a function. Lambda goes on behind them and sends the
// mapping's on-failure destination, if there is one, a document that says where
// in the stream they are, without their data. See [Failure] for how to read them
// from there. Without a destination they are discarded.
//
// The bound is what is left of an invocation's payload of 6,291,556 bytes, which
// holds the record as base64, four bytes for three, inside an event:
//
//	{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"…","sequenceNumber":"…","data":"…",
//	"approximateArrivalTimestamp":1545084650.987,"encryptionType":"…"},"eventSource":"aws:kinesis","eventVersion":"1.0",
//	"eventID":"<shard>:<sequence number>","eventName":"aws:kinesis:record","invokeIdentityArn":"…","awsRegion":"…","eventSourceARN":"…"}]}
//
// Without data that is at most 7,923 bytes:
//
//	  309  names, punctuation and constants
//	3,072  partition key: 256 characters, each two \u escapes
//	  258  sequence number, twice: 129 digits
//	  128  shard ID
//	4,096  two ARNs: 2,048 characters each
//	   60  region (32), arrival (24), encryption type (4)
//
// The lengths are those that the API references of Kinesis and IAM allow; the
// members are those of the example in Lambda's developer guide, "Using Lambda to
// process records from Amazon Kinesis Data Streams", and encryptionType, which
// its libraries decode. An event has some 550 bytes in practice, so that a record
// of up to 5.6 kB more may get through: true is certain, false is not. With a
// tumbling window an event carries the window's state besides, which is not
// counted here. What becomes of records that do not fit is in the developer guide
// of Kinesis, "Handle large records".
//
// A batch is no matter: Lambda ends a batch before the record that would exceed
// the payload.
//
// # Settings of the event source mapping
//
// DestinationConfig.OnFailure is needed in any case. A queue or a topic gets the
// document; a bucket gets it with the event besides, which no page promises for
// records that are too large for one.
//
// MaximumRetryAttempts and MaximumRecordAgeInSeconds are unlimited by default: a
// batch that fails for any cause holds up its shard until its records leave the
// stream, and then nothing can recover them. Give both a limit that is well below
// the stream's retention, say 10 attempts and an hour. No page says whether a
// record that is too large uses up either of them first, nor which condition its
// document names; with a Kafka topic it is MaximumPayloadSizeExceeded.
//
// BisectBatchOnFunctionError halves a batch when the function has returned an
// error, which narrows other failures. It does nothing for a record that is too
// large: that one never reached the function, and cannot be halved.
//
// A ParallelizationFactor above 1 and filters put only some of a range's records
// into a batch. The others come again with the recovery of that batch.
func FitsLambda(n int) bool { return n <= lambdaRecord }

// ErrNotKinesis says that a document describes a failure of another event
// source: a DynamoDB stream or a Kafka topic.
var ErrNotKinesis = errors.New("dsql: the failure is not one of a Kinesis stream")

// maxFailure is the largest document accepted. One with a payload holds an event
// of 6 MB as a string.
const maxFailure = 64 << 20

// ParseFailure parses an on-failure document. It takes the document itself,
//
//	{"requestContext":{"requestId":"…","functionArn":"arn:aws:lambda:…","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},
//	 "responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
//	 "version":"1.0","timestamp":"2019-11-14T00:38:06.021Z",
//	 "KinesisBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"4960…","endSequenceNumber":"4960…",
//	  "approximateArrivalOfFirstRecord":"2019-11-14T00:38:04.835Z","approximateArrivalOfLastRecord":"2019-11-14T00:38:05.580Z",
//	  "batchSize":500,"streamArn":"arn:aws:kinesis:…"},
//	 "payload":"…"}
//
// which is the body of a message in an SQS queue, the text of one from an SNS
// topic, and an object in an S3 bucket, only there with a payload. And it takes
// what SNS wraps around it, the document as a string in the member Message: the
// body of a message in a queue that subscribes to a topic without raw delivery,
// and Records[].Sns of a function's event. It does not take a function's event as
// a whole, which has several documents, in Records[].body or Records[].Sns.
//
// All of KinesisBatchInfo is required, as it is always there. The other members
// can be absent or null, as responseContext is if the function was not invoked;
// unknown ones are skipped. f keeps nothing of doc. ParseFailure is safe for
// concurrent use.
//
// Errors are of type [*envelope.DecodeError], over one of its causes; that of
// another event source's document is over [ErrNotKinesis] too, and that of a
// document of more than 64 MiB over ErrLimit. f is empty then.
func ParseFailure(doc []byte) (f Failure, err error) {
	if len(doc) > maxFailure {
		return Failure{}, tooLarge(maxFailure)
	}
	d := document{b: doc}
	top := d.open()
	message := top.raw("Message")
	if d.err != nil || message.Kind() != '"' || top.raw("KinesisBatchInfo") != nil {
		return top.failure()
	}
	inner := document{b: message.AppendText(nil)} // in which Message has no meaning: SNS wraps once
	f, err = inner.open().failure()
	if fault, ok := errors.AsType[*envelope.DecodeError](err); ok {
		fault.Path = "/Message" + fault.Path
		fault.Offset = int64(top.At[top.Names["Message"]].Start) // escapes hide where in it
	}
	return f, err
}

// The members of a document that are read, by section.
var (
	documentMembers = members("Message", "timestamp", "requestContext", "KinesisBatchInfo", "DDBStreamBatchInfo", "KafkaBatchInfo")
	requestMembers  = members("functionArn", "condition", "approximateInvokeCount")
	batchMembers    = members("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber", "batchSize",
		"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord")
)

func members(names ...string) map[string]jsonscan.Field {
	m := make(map[string]jsonscan.Field, len(names))
	for i, name := range names {
		m[name] = jsonscan.Field(i + 1)
	}
	return m
}

// A document is read to its end even if something is wrong with it; err is what
// was wrong first.
type document struct {
	b   []byte
	err error
}

// A section is one object of a document.
type section struct {
	jsonscan.Object
	*document
	at       int
	path     string // JSON Pointer
	required bool   // its members are
}

// open returns the outermost section, an empty one if the document is no object.
func (d *document) open() *section {
	start := jsonscan.Space(d.b, 0)
	switch {
	case !jsonscan.Valid(d.b):
		d.err = syntaxError(jsonscan.Diagnose(d.b), "KinesisBatchInfo", "requestContext") // what is elsewhere can be an event's
	case d.b[start] != '{':
		d.fail(start, "", envelope.ErrType)
	default:
		return d.section(start, "", documentMembers)
	}
	return &section{document: d}
}

// section reads the object at d.b[at]. The document is valid JSON.
func (d *document) section(at int, path string, names map[string]jsonscan.Field) *section {
	s := &section{Object: jsonscan.Object{Names: names}, document: d, at: at, path: path}
	s.Read(d.b, at)
	for name, field := range names {
		if field == s.Duplicate {
			s.fault(name, envelope.ErrDuplicate)
		}
	}
	return s
}

func (d *document) fail(at int, path string, err error) {
	if d.err == nil {
		d.err = &envelope.DecodeError{Offset: int64(at), Path: path, Err: err}
	}
}

// fault says what is wrong with a member.
func (s *section) fault(name string, err error) {
	at := s.at
	if f := s.Names[name]; s.Has(f) {
		at = int(s.At[f].Start)
	}
	s.fail(at, s.path+"/"+name, err)
}

// raw returns a member, nil if it is absent or null.
func (s *section) raw(name string) envelope.Value { return s.Raw(s.b, s.Names[name]) }

// value is raw for a member of one kind, which is that of [envelope.Value].
func (s *section) value(name string, kind byte) envelope.Value {
	v := s.raw(name)
	switch {
	case v == nil && s.required:
		s.fault(name, envelope.ErrMissing)
	case v != nil && v.Kind() != kind:
		s.fault(name, envelope.ErrType)
		return nil
	}
	return v
}

// text returns a string that is as valid says.
func (s *section) text(name string, valid func(string) bool) string {
	v := s.value(name, '"')
	if v == nil {
		return ""
	}
	text := string(v.AppendText(nil))
	if !valid(text) {
		s.fault(name, envelope.ErrType)
	}
	return text
}

func (s *section) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339, s.text(name, isTime))
	return t.UTC()
}

func (s *section) count(name string) int {
	v := s.value(name, '0')
	if v == nil {
		return 0
	}
	n, err := v.Int64()
	if err != nil || n < 0 || n > math.MaxInt32 {
		s.fault(name, envelope.ErrType)
	}
	return int(n)
}

// nested returns the section that is a member, nil if it is absent.
func (s *section) nested(name string, names map[string]jsonscan.Field) *section {
	if s.value(name, '{') == nil {
		return nil
	}
	return s.section(int(s.At[s.Names[name]].Start), s.path+"/"+name, names)
}

// failure reads the document's members from its outermost section.
func (s *section) failure() (f Failure, err error) {
	if batch := s.nested("KinesisBatchInfo", batchMembers); batch != nil {
		batch.required = true
		f.Stream = batch.text("streamArn", something)
		if i := strings.LastIndex(f.Stream, "/consumer/"); i > 0 { // no name has a slash
			f.Stream = f.Stream[:i]
		}
		f.Shard = batch.text("shardId", something)
		f.First, f.Last = batch.text("startSequenceNumber", isSequence), batch.text("endSequenceNumber", isSequence)
		if compareSequence(f.First, f.Last) > 0 {
			batch.fault("endSequenceNumber", fmt.Errorf("%w: before startSequenceNumber", envelope.ErrType))
		}
		f.FirstArrival, f.LastArrival = batch.time("approximateArrivalOfFirstRecord"), batch.time("approximateArrivalOfLastRecord")
		f.BatchSize = batch.count("batchSize")
	} else if s.raw("DDBStreamBatchInfo") != nil || s.raw("KafkaBatchInfo") != nil {
		s.fault("KinesisBatchInfo", fmt.Errorf("%w: %w", envelope.ErrMissing, ErrNotKinesis))
	} else {
		s.fault("KinesisBatchInfo", envelope.ErrMissing)
	}
	if request := s.nested("requestContext", requestMembers); request != nil {
		f.Function, f.Condition = request.text("functionArn", something), request.text("condition", something)
		f.Invocations = request.count("approximateInvokeCount")
	}
	f.Time = s.time("timestamp")
	if s.err != nil {
		return Failure{}, s.err
	}
	return f, nil
}

func something(s string) bool { return s != "" }

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}
