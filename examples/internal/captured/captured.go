// Package captured holds what the examples work on: records that Debezium made
// of real databases, and the final state of one of them as the database itself
// had it. testdata/*/SOURCE says where they come from.
package captured

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

//go:embed testdata
var files embed.FS

// Data is all that the package has.
type Data struct {
	// Orders has the values of all records of the database aurora_orders, in
	// delivered order. Its tables public.orders and public.products share one
	// topic.
	Orders [][]byte

	// Unusual has the values of single records of other databases, of the kinds
	// that Orders lacks. A nil value is a tombstone.
	Unusual [][]byte

	// Truth has the rows of aurora_orders as the database had them after the last
	// record of Orders.
	Truth []Row
}

// Load reads the data. The caller owns it.
func Load() (d Data, err error) {
	if d.Orders, err = values("testdata/aurora-orders/records.jsonl.gz"); err != nil {
		return d, err
	}
	if d.Unusual, err = values("testdata/unusual/records.jsonl.gz"); err != nil {
		return d, err
	}
	d.Truth, err = decode[Row]("testdata/aurora-orders/truth.jsonl.gz")
	return d, err
}

// A Row is a row as the database had it.
type Row struct {
	Table   string             `json:"table"` // schema.name
	Columns map[string]*string `json:"row"`   // the database's text; nil for NULL
	Canon   map[string]string  `json:"canon"` // timestamps in µs since the Unix epoch
}

// Text returns a column as text, a timestamp in microseconds since the Unix
// epoch. It is nil for NULL.
func (r Row) Text(column string) *string {
	if canon, ok := r.Canon[column]; ok {
		return &canon
	}
	return r.Columns[column]
}

func values(name string) ([][]byte, error) {
	records, err := decode[struct{ Value *string }](name)
	if err != nil {
		return nil, err
	}
	all := make([][]byte, len(records))
	for i, r := range records {
		if r.Value != nil {
			all[i] = []byte(*r.Value)
		}
	}
	return all, nil
}

// decode reads a compressed file of JSON lines.
func decode[T any](name string) (all []T, err error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("captured: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("captured: %s: %w", name, err)
	}
	lines := json.NewDecoder(z)
	for {
		var line T
		switch err := lines.Decode(&line); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("captured: %s: %w", name, err)
		}
		all = append(all, line)
	}
}
