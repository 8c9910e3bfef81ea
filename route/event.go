package route

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// An Event is what Firehose calls the transform with: a batch of records.
type Event struct {
	InvocationID           string   `json:"invocationId"`
	DeliveryStreamARN      string   `json:"deliveryStreamArn"`
	SourceKinesisStreamARN string   `json:"sourceKinesisStreamArn,omitempty"`
	SourceMSKARN           string   `json:"sourceMSKArn,omitempty"`
	Region                 string   `json:"region"`
	Records                []Record `json:"records"`
}

// A Record is one record of an Event. From Kinesis and Direct PUT it has Data,
// from MSK KafkaRecordValue; a tombstone has neither.
type Record struct {
	RecordID                    string `json:"recordId"`
	ApproximateArrivalTimestamp int64  `json:"approximateArrivalTimestamp"` // ms since the Unix epoch
	Data                        []byte `json:"data,omitempty"`
	KafkaRecordValue            []byte `json:"kafkaRecordValue,omitempty"`
}

// A Response answers an Event: one answer for each record, in the same order.
type Response struct {
	Records []Answer `json:"records"`
}

// An Answer is what becomes of one record. The payload has the name that it
// came in with.
type Answer struct {
	RecordID         string    `json:"recordId"`
	Result           Result    `json:"result"`
	Data             []byte    `json:"data,omitempty"`
	KafkaRecordValue []byte    `json:"kafkaRecordValue,omitempty"`
	Metadata         *Metadata `json:"metadata,omitempty"`
}

// Metadata routes an answer's row to an Iceberg table.
type Metadata struct {
	OTF OTFMetadata `json:"otfMetadata"`
}

// OTFMetadata names the open-table-format destination of a row.
type OTFMetadata struct {
	Database  string    `json:"destinationDatabaseName"`
	Table     string    `json:"destinationTableName"`
	Operation Operation `json:"operation"`
}

// Result says what Firehose does with a record.
type Result string

// The results.
const (
	Ok               Result = "Ok"               // delivered
	Dropped          Result = "Dropped"          // counts as processed, goes nowhere
	ProcessingFailed Result = "ProcessingFailed" // goes to the error prefix of the stream's bucket
)

// Operation is what Firehose does to the destination's row.
type Operation string

// The operations.
const (
	OperationInsert Operation = "insert"
	OperationUpdate Operation = "update"
	OperationDelete Operation = "delete"
)

// readEvent finds the records of an event and calls record for each. All slices
// alias b. The event is validated as a whole; its other members are not looked
// at.
func readEvent(b []byte, record func(rawRecord) error) error {
	found := false
	end, err := members(b, jsonscan.Space(b, 0), func(name []byte, i int) (int, error) {
		if !jsonscan.TextIs(name, "records") {
			return jsonscan.Skip(b, i), nil
		}
		if found {
			return -1, eventError(i, "/records", envelope.ErrDuplicate)
		}
		found = true
		return readRecords(b, i, record)
	})
	if err != nil && !envelope.IsPermanent(err) {
		return err // not of the event: the context's, say
	}
	if end < 0 || err != nil || jsonscan.Space(b, end) != len(b) {
		if f := jsonscan.Diagnose(b); f.Err != nil {
			return eventError(f.Offset, jsonscan.Pointer(f.Path[:min(2, len(f.Path))]...), fmt.Errorf("%w: %w", envelope.ErrSyntax, f.Err))
		}
		if err == nil {
			err = eventError(0, "", envelope.ErrType)
		}
		return err
	}
	if !found {
		return eventError(end, "/records", envelope.ErrMissing)
	}
	return nil
}

// readRecords reads the array of records at b[i].
func readRecords(b []byte, i int, record func(rawRecord) error) (int, error) {
	if i >= len(b) || b[i] != '[' {
		return -1, eventError(i, "/records", envelope.ErrType)
	}
	if i = jsonscan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for n := 0; ; n++ {
		if i < len(b) && b[i] != '{' {
			return -1, eventError(i, fmt.Sprintf("/records/%d", n), envelope.ErrType)
		}
		end, err := readRecord(b, i, record, true)
		if end < 0 {
			end, err = readRecord(b, i, record, false)
		}
		switch {
		case errors.Is(err, errNoID):
			return -1, eventError(i, fmt.Sprintf("/records/%d/recordId", n), envelope.ErrMissing)
		case end < 0 || err != nil:
			return end, err
		}
		next, last := jsonscan.Next(b, end, ']')
		if last || next < 0 {
			return next, nil
		}
		i = next
	}
}

var (
	errNoID  = errors.New("no recordId")
	errTrust = errors.New("not the base64 it was taken for")
)

// readRecord reads the record at b[i]. With trust a payload is taken to end at
// the next quote and to be nothing but base64, which decoding it shows; that
// spares one look at most of the event's bytes. If it was not so, the index is
// -1 and the record must be read without.
func readRecord(b []byte, i int, record func(rawRecord) error, trust bool) (int, error) {
	r := rawRecord{trusted: trust}
	end, err := members(b, i, func(name []byte, i int) (int, error) { return r.read(b, name, i), nil })
	if end < 0 || err != nil {
		return -1, err
	}
	if r.id == nil {
		return 0, errNoID
	}
	if err := record(r); errors.Is(err, errTrust) {
		return -1, nil
	} else if err != nil {
		return 0, err
	}
	return end, nil
}

// A rawRecord is a record of an event as it is spelled there.
type rawRecord struct {
	id      []byte // the recordId, a JSON string with its quotes
	payload []byte // base64, between the quotes; nil if there is none
	kafka   bool   // the payload's name is kafkaRecordValue
	trusted bool   // the payload was not looked at
}

// read reads the value of a member at b[i] and returns the index after it. A
// value of another type than the member should have is no value.
func (r *rawRecord) read(b, name []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return jsonscan.Skip(b, i)
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		name = jsonscan.AppendText(nil, name)
	}
	switch string(name) {
	case "recordId":
		end := jsonscan.Skip(b, i)
		if end >= 0 {
			r.id = b[i:end:end]
		}
		return end
	case "data":
		return r.text(b, i)
	case "kafkaRecordValue":
		r.kafka = true
		return r.text(b, i)
	}
	return jsonscan.Skip(b, i)
}

func (r *rawRecord) text(b []byte, i int) int {
	end := -1
	if !r.trusted {
		end = jsonscan.Skip(b, i)
	} else if n := bytes.IndexByte(b[i+1:], '"'); n >= 0 {
		end = i + 1 + n + 1
	}
	if end >= 0 {
		r.payload = b[i+1 : end-1 : end-1]
	}
	return end
}

// members calls value for each member of the object at b[i], which returns the
// index after it. The result is the index after the object, or -1 if it is not
// valid.
func members(b []byte, i int, value func(name []byte, i int) (int, error)) (int, error) {
	if i >= len(b) || b[i] != '{' {
		return -1, nil
	}
	if i = jsonscan.Space(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		start := i + 1
		end, at := jsonscan.Name(b, i)
		if end < 0 {
			return -1, nil
		}
		after, err := value(b[start:end], at)
		if after < 0 || err != nil {
			return -1, err
		}
		next, last := jsonscan.Next(b, after, '}')
		if last || next < 0 {
			return next, nil
		}
		i = next
	}
}

func eventError(offset int, path string, err error) error {
	return fmt.Errorf("route: event: %w", &envelope.DecodeError{Offset: int64(offset), Path: path, Err: err})
}
