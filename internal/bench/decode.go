package main

import (
	stdjson "encoding/json"
	"fmt"

	goccy "github.com/goccy/go-json"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A decoder is a contender in decoding: decode is what is measured, facts tells what the last call of it found.
type decoder struct {
	name   string
	decode func(record []byte) error
	facts  func() facts
}

// decodeOurs returns this library's decoder.
func decodeOurs(d envelope.Decoder) decoder {
	var c envelope.Change
	return decoder{
		name:   ours,
		decode: func(record []byte) error { return d.Decode(&c, record) },
		facts: func() facts {
			return facts{c.Op, c.Table, c.Time, string(c.TxID), c.Before, c.After}
		},
	}
}

// decodeTyped returns a rival that decodes into a struct of the members that a Change is made of, no others. The
// struct is a new one for each record, as the images must outlive the next record: a Change of ours lives as long as
// the record it aliases.
func decodeTyped(name string, wrapped bool, unmarshal func([]byte, any) error) decoder {
	var last typedRecord
	decode := func(record []byte) error {
		var r typedRecord
		err := unmarshal(record, &r)
		last = r
		return err
	}
	if wrapped {
		decode = func(record []byte) error {
			var r struct {
				Payload typedRecord `json:"payload"`
			}
			err := unmarshal(record, &r)
			last = r.Payload
			return err
		}
	}
	return decoder{name: name, decode: decode, facts: func() facts { return last.facts() }}
}

func decodeDebezium() envelope.Decoder { return new(envelope.Debezium) }

func decodeDSQL() envelope.Decoder { return new(dsql.Decoder) }

// decodeRivals returns the rivals of a job.
func decodeRivals(wrapped bool) []decoder {
	return []decoder{
		decodeTyped("goccy", wrapped, unmarshalGoccy),
		decodeTyped("encoding/json", wrapped, stdjson.Unmarshal),
	}
}

// unmarshalGoccy drops the options that goccy's function takes.
func unmarshalGoccy(b []byte, v any) error { return goccy.Unmarshal(b, v) }

// A typedRecord is an envelope as one declares it for a library that fills structs. The position stays text, which
// spares the rivals a step that ours does.
type typedRecord struct {
	Op     string             `json:"op"`
	TSNS   int64              `json:"ts_ns"`
	Before stdjson.RawMessage `json:"before"`
	After  stdjson.RawMessage `json:"after"`
	Source struct {
		DB       string             `json:"db"`
		Schema   string             `json:"schema"`
		Table    string             `json:"table"`
		TSNS     int64              `json:"ts_ns"`
		TxID     stdjson.RawMessage `json:"txId"`
		Sequence string             `json:"sequence"`
	} `json:"source"`
}

func (r *typedRecord) facts() facts {
	f := facts{
		table:  envelope.Table{DB: r.Source.DB, Schema: r.Source.Schema, Name: r.Source.Table},
		time:   r.Source.TSNS,
		tx:     string(r.Source.TxID),
		before: image(r.Before),
		after:  image(r.After),
	}
	switch r.Op {
	case "c":
		f.op = envelope.OpCreate
	case "u":
		f.op = envelope.OpUpdate
	case "d":
		f.op = envelope.OpDelete
	case "r":
		f.op = envelope.OpRead
	}
	if len(f.tx) >= 2 && f.tx[0] == '"' {
		f.tx = f.tx[1 : len(f.tx)-1]
	}
	return f
}

// image returns nil for JSON's null, which the libraries leave as nil or as text.
func image(raw []byte) []byte {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return raw
}

// agree checks that all decoders get the same out of every record.
func agree(records [][]byte, decoders []decoder) error {
	for i, record := range records {
		var want facts
		for n, d := range decoders {
			if err := d.decode(record); err != nil {
				return fmt.Errorf("record %d: %s: %w", i, d.name, err)
			}
			if n == 0 {
				want = d.facts()
				continue
			}
			if err := differ(want, d.facts()); err != nil {
				return fmt.Errorf("record %d: %s and %s differ in %w", i, decoders[0].name, d.name, err)
			}
		}
	}
	return nil
}

// decodeJob makes a job of decoding a corpus, one record an operation.
func decodeJob(d func() envelope.Decoder, corpus func(int) *corpus, n int, wrapped bool) func() (*prepared, error) {
	return func() (*prepared, error) {
		records := corpus(n).records
		decoders := append([]decoder{decodeOurs(d())}, decodeRivals(wrapped)...)
		if err := agree(records, decoders); err != nil {
			return nil, err
		}
		p := &prepared{ops: n}
		for _, d := range decoders {
			p.contenders = append(p.contenders, contender{d.name, func() error {
				for _, record := range records {
					if err := d.decode(record); err != nil {
						return err
					}
				}
				return nil
			}})
		}
		return p, nil
	}
}
