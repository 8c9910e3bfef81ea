package main

import stdjson "encoding/json"

// handleTyped is a handler by structs and raw images: it declares no more than it needs, and the row goes out as it
// came in.
func handleTyped(event []byte, unmarshal func([]byte, any) error, marshal func(any) ([]byte, error)) ([]byte, error) {
	var in struct {
		Records []struct {
			RecordID string `json:"recordId"`
			Data     []byte `json:"data"`
		} `json:"records"`
	}
	if err := unmarshal(event, &in); err != nil {
		return nil, err
	}
	out := response{Records: make([]responseRecord, 0, len(in.Records))}
	for _, r := range in.Records {
		var change struct {
			Op     string             `json:"op"`
			Before stdjson.RawMessage `json:"before"`
			After  stdjson.RawMessage `json:"after"`
			Source struct {
				Table string `json:"table"`
			} `json:"source"`
		}
		if err := unmarshal(r.Data, &change); err != nil {
			out.Records = append(out.Records, responseRecord{RecordID: r.RecordID, Result: "ProcessingFailed", Data: r.Data})
			continue
		}
		row := change.After
		if change.Op == "d" {
			row = change.Before
		}
		if image(row) == nil {
			out.Records = append(out.Records, responseRecord{RecordID: r.RecordID, Result: "Dropped", Data: r.Data})
			continue
		}
		out.Records = append(out.Records, okRecord(r.RecordID, row, change.Source.Table, change.Op))
	}
	return marshal(&out)
}

// handleReference is the handler that one writes first, in any language: everything becomes a map, and the row is
// written anew.
func handleReference(event []byte) ([]byte, error) {
	var in struct {
		Records []struct {
			RecordID string `json:"recordId"`
			Data     []byte `json:"data"`
		} `json:"records"`
	}
	if err := stdjson.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	var out response
	for _, r := range in.Records {
		var change map[string]any
		if err := stdjson.Unmarshal(r.Data, &change); err != nil {
			out.Records = append(out.Records, responseRecord{RecordID: r.RecordID, Result: "ProcessingFailed", Data: r.Data})
			continue
		}
		op, _ := change["op"].(string)
		source, _ := change["source"].(map[string]any)
		table, _ := source["table"].(string)
		row, _ := change["after"].(map[string]any)
		if op == "d" {
			row, _ = change["before"].(map[string]any)
		}
		if row == nil {
			out.Records = append(out.Records, responseRecord{RecordID: r.RecordID, Result: "Dropped", Data: r.Data})
			continue
		}
		data, err := stdjson.Marshal(row)
		if err != nil {
			return nil, err
		}
		out.Records = append(out.Records, okRecord(r.RecordID, data, table, op))
	}
	return stdjson.Marshal(out)
}

// okRecord is the answer for a row that goes on: with a newline, as ours, so that the objects that Firehose delivers
// stand on lines of their own.
func okRecord(id string, row []byte, table, op string) responseRecord {
	operation, ok := operations[op]
	if !ok {
		operation = "insert"
	}
	return responseRecord{RecordID: id, Result: "Ok", Data: append(row, '\n'), Metadata: &metadata{tableMetadata{database, table, operation}}}
}
