package route

import (
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
	switch {
	case err != nil:
		return err
	case end < 0 || jsonscan.Space(b, end) != len(b):
		if f := jsonscan.Diagnose(b); f.Err != nil {
			return eventError(f.Offset, jsonscan.Pointer(f.Path[:min(2, len(f.Path))]...), fmt.Errorf("%w: %w", envelope.ErrSyntax, f.Err))
		}
		return eventError(0, "", envelope.ErrType)
	case !found:
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
		r := rawRecord{}
		start := i
		end, err := members(b, i, func(name []byte, i int) (int, error) { return r.read(b, name, i) })
		if end < 0 || err != nil {
			return end, err
		}
		if r.id == nil {
			return -1, eventError(start, fmt.Sprintf("/records/%d/recordId", n), envelope.ErrMissing)
		}
		if err := record(r); err != nil {
			return -1, err
		}
		next, last := jsonscan.Next(b, end, ']')
		if last || next < 0 {
			return next, nil
		}
		i = next
	}
}

// A rawRecord is a record of an event as it is spelled there.
type rawRecord struct {
	id      []byte // the recordId, a JSON string with its quotes
	payload []byte // base64, between the quotes; nil if there is none
	kafka   bool   // the payload's name is kafkaRecordValue
}

func (r *rawRecord) read(b, name []byte, i int) (int, error) {
	kind := byte(0)
	if i < len(b) {
		kind = b[i]
	}
	switch {
	case kind == 'n':
	case jsonscan.TextIs(name, "recordId") && kind == '"':
		end := jsonscan.Skip(b, i)
		if end >= 0 {
			r.id = b[i:end:end]
		}
		return end, nil
	case kind == '"' && jsonscan.TextIs(name, "data"):
		return r.text(b, i), nil
	case kind == '"' && jsonscan.TextIs(name, "kafkaRecordValue"):
		r.kafka = true
		return r.text(b, i), nil
	}
	return jsonscan.Skip(b, i), nil
}

func (r *rawRecord) text(b []byte, i int) int {
	end := jsonscan.Skip(b, i)
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
