// Package lake is the far end of the examples: the tables that Firehose writes,
// held in memory.
package lake

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// A Lake does with the answers of a transform what Firehose does with them, one
// after the other. It is used by one goroutine.
type Lake struct {
	// Keys names the unique key of each table, one integer column, as a Firehose
	// stream's destination table configuration does. No other table takes rows.
	Keys map[string]string

	tables map[string]Table
}

// A Table has its rows by their unique key.
type Table map[int64]envelope.Row

// Table returns the named table. It is the Lake's own; a table without rows is
// nil.
func (l *Lake) Table(name string) Table { return l.tables[name] }

// Apply writes the rows of a response and keeps them. What was dropped or failed
// leaves no trace here. An error says which answer Firehose could not use;
// the answers before it are applied.
func (l *Lake) Apply(r route.Response) error {
	for _, answer := range r.Records {
		if answer.Result != route.Ok {
			continue
		}
		if err := l.apply(answer); err != nil {
			return fmt.Errorf("lake: record %s: %w", answer.RecordID, err)
		}
	}
	return nil
}

func (l *Lake) apply(answer route.Answer) error {
	if answer.Metadata == nil {
		return errors.New("no destination")
	}
	name, operation := answer.Metadata.OTF.Table, answer.Metadata.OTF.Operation
	column, ok := l.Keys[name]
	if !ok {
		return fmt.Errorf("no table %s", name)
	}
	row := envelope.Row(bytes.TrimSuffix(answer.KafkaRecordValue, []byte("\n")))
	value, ok := row.Get(column)
	if !ok {
		return fmt.Errorf("no column %s", column)
	}
	key, err := value.Int64()
	if err != nil {
		return fmt.Errorf("column %s: %w", column, err)
	}
	if l.tables == nil {
		l.tables = make(map[string]Table)
	}
	if l.tables[name] == nil {
		l.tables[name] = make(Table)
	}
	table := l.tables[name]
	switch operation {
	case route.OperationInsert:
		if _, ok := table[key]; ok {
			return fmt.Errorf("a second row %s %d", name, key)
		}
		table[key] = row
	case route.OperationUpdate: // inserts a row that is missing
		table[key] = row
	case route.OperationDelete:
		delete(table, key)
	default:
		return fmt.Errorf("operation %q", operation)
	}
	return nil
}
