package route

// An Event is what Firehose calls the transform with: a batch of records.
type Event struct {
	InvocationID           string   `json:"invocationId"`
	DeliveryStreamARN      string   `json:"deliveryStreamArn"`
	SourceKinesisStreamARN string   `json:"sourceKinesisStreamArn,omitempty"`
	SourceMSKARN           string   `json:"sourceMSKArn,omitempty"`
	Region                 string   `json:"region"`
	Records                []Record `json:"records"`
}

// A Record is one record of an Event, without its metadata. From Kinesis and Direct PUT it has Data,
// from MSK KafkaRecordValue; a tombstone has neither.
type Record struct {
	RecordID                    string `json:"recordId"`
	ApproximateArrivalTimestamp int64  `json:"approximateArrivalTimestamp,omitempty"` // ms since the Unix epoch
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
