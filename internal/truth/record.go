package truth

import "encoding/json"

// A Record is what a transport would carry.
type Record struct {
	Topic   string
	Key     []byte            // nil for null
	Value   []byte            // nil for null: a tombstone
	Headers map[string]string // JSON text; nil if there are none
}

// parseRecord reads one line of records.jsonl. Record has no UnmarshalJSON:
// encoding/json would scan each line twice.
func parseRecord(line []byte) (Record, error) {
	var in struct {
		Topic      string
		Key, Value *string
		Headers    map[string]string
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return Record{}, err
	}
	return Record{Topic: in.Topic, Key: bytesOf(in.Key), Value: bytesOf(in.Value), Headers: in.Headers}, nil
}

func bytesOf(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

// A Row is one row as the database had it at the end.
type Row struct {
	Table string                     `json:"table"` // schema.name, MySQL and MariaDB: database.name
	Row   map[string]*string         `json:"row"`   // the database's text, nil for NULL
	Canon map[string]json.RawMessage `json:"canon"` // for some columns a neutral form: a string, or an object
	Hex   []string                   `json:"hex"`   // columns whose text in Row is hexadecimal digits of their bytes
}
