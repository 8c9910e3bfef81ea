package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
)

// The checksums pin what is measured: ratios are compared over the years.
var corpora = []struct {
	name      string
	make      func(int) *corpus
	n         int
	mean, off int // bytes
	sum       string
}{
	{"debezium", debezium, 5000, 740, 4, "ec9c51a055f4a749"},
	{"debezium-schema", debeziumSchema, 700, 5475, 8, "cdc025a3e0d8ebb8"},
	{"wide", wide, 500, 7695, 16, "0ad47d4d5c2f2aec"},
	{"dsql", dsqlFull, 10_000, 373, 3, "b36da718e4593f14"},
	{"text", text, 64, 66_903, 64, "d70ee31cc3bbdb10"},
	{"values", values, 5000, 281, 3, "97b9c8585b226863"},
	{"mixed", mixed, 5000, 660, 4, "1a598c76b443b942"},
}

func TestCorpus(t *testing.T) {
	for _, tt := range corpora {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.make(tt.n)
			if len(c.records) != tt.n {
				t.Fatalf("%d records, want %d", len(c.records), tt.n)
			}
			for i, record := range c.records {
				if !json.Valid(record) {
					t.Fatalf("record %d is not valid JSON: %s", i, record)
				}
			}
			if mean := c.mean(); mean < tt.mean-tt.off || mean > tt.mean+tt.off {
				t.Errorf("%d bytes a record, want %d ± %d", mean, tt.mean, tt.off)
			}
			if sum := fmt.Sprintf("%x", sha256.Sum256(bytes.Join(c.records, []byte("\n"))))[:16]; sum != tt.sum {
				t.Errorf("checksum %s, want %s", sum, tt.sum)
			}
		})
	}
}

func TestCorpusHasEveryOperation(t *testing.T) {
	for _, make := range []func(int) *corpus{debezium, debeziumSchema, mixed} {
		all := bytes.Join(make(300).records, nil)
		for _, op := range []string{`"op":"c"`, `"op":"u"`, `"op":"d"`, `"op":"r"`} {
			if !bytes.Contains(all, []byte(op)) {
				t.Errorf("no %s", op)
			}
		}
	}
}

func TestCorpusRecordsCannotGrowIntoEachOther(t *testing.T) {
	c := debezium(2)
	second := string(c.records[1])
	_ = append(c.records[0], "overwritten"...)
	if string(c.records[1]) != second {
		t.Error("appending to a record changed the next one")
	}
}

func TestKinesisEvent(t *testing.T) {
	records := debezium(3000).records
	event := kinesisEvent(records)
	var in struct {
		Records []struct {
			RecordID string
			Data     []byte
		}
	}
	if err := json.Unmarshal(event, &in); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for i, r := range in.Records {
		ids[r.RecordID] = true
		if !bytes.Equal(r.Data, records[i]) {
			t.Errorf("record %d is not what went in", i)
		}
	}
	if len(ids) != len(records) {
		t.Errorf("%d ids for %d records", len(ids), len(records))
	}
	if limit := 6_291_556; len(event) > limit {
		t.Errorf("%d bytes, more than a Lambda function takes (%d)", len(event), limit)
	}
}
