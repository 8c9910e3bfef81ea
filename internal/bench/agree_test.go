package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestDiffer(t *testing.T) {
	base := facts{envelope.OpUpdate, envelope.Table{DB: "d", Schema: "s", Name: "t"}, 1, "7", []byte(`{"a":1}`), []byte(`{"a":2}`)}
	if err := differ(base, base); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*facts)
	}{
		{"op", func(f *facts) { f.op = envelope.OpCreate }},
		{"table", func(f *facts) { f.table.Schema = "other" }},
		{"source.ts_ns", func(f *facts) { f.time++ }},
		{"source.txId", func(f *facts) { f.tx = "" }},
		{"before", func(f *facts) { f.before = []byte(`{"a": 1}`) }},
		{"before", func(f *facts) { f.before = nil }},
		{"after", func(f *facts) { f.after = []byte(`{"a":3}`) }},
		{"after", func(f *facts) { f.after = nil }},
	}
	for _, tt := range tests {
		other := base
		tt.change(&other)
		if err := differ(base, other); err == nil || !strings.HasPrefix(err.Error(), tt.name+": ") {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestDecodersAgree(t *testing.T) {
	for _, tt := range []struct {
		name    string
		decoder envelope.Decoder
		corpus  *corpus
		wrapped bool
	}{
		{"debezium", decodeDebezium(), debezium(100), false}, {"debezium-schema", decodeDebezium(), debeziumSchema(20), true},
		{"wide", decodeDebezium(), wide(10), false}, {"dsql", decodeDSQL(), dsqlFull(100), false},
		{"text", decodeDebezium(), text(2), false}, {"mixed", decodeDebezium(), mixed(100), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := append([]decoder{decodeOurs(tt.decoder)}, decodeRivals(tt.wrapped)...)
			if err := agree(tt.corpus.records, all); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAgreeFindsDisagreement(t *testing.T) {
	records := debezium(10).records
	honest := decodeOurs(decodeDebezium())
	careless := decodeTyped("careless", false, func(b []byte, v any) error {
		err := json.Unmarshal(b, v)
		if r := v.(*typedRecord); r.Op == "u" {
			r.Source.TSNS = int64(float32(r.Source.TSNS))
		}
		return err
	})
	if err := agree(records, []decoder{honest, careless}); err == nil || !strings.Contains(err.Error(), "source.ts_ns") {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	failing := decodeTyped("failing", false, func([]byte, any) error { return broken })
	if err := agree(records, []decoder{honest, failing}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestHandlersAgree(t *testing.T) {
	if err := answer(kinesisEvent(debezium(200).records), handlers()); err != nil {
		t.Error(err)
	}
}

func TestAnswerFindsDisagreement(t *testing.T) {
	event := kinesisEvent(debezium(20).records)
	tests := []struct {
		name   string
		want   string
		change func(*response)
	}{
		{"one record less", "20 and 19 records", func(r *response) { r.Records = r.Records[1:] }},
		{"order", "record 0: id ", func(r *response) { r.Records[0], r.Records[1] = r.Records[1], r.Records[0] }},
		{"result", "record 3: result Ok and Dropped", func(r *response) { r.Records[3].Result = "Dropped" }},
		{"operation", "record 3: metadata ", func(r *response) { r.Records[3].Metadata.Table.Operation = "upsert" }},
		{"table", "record 3: metadata ", func(r *response) { r.Records[3].Metadata.Table.Table = "Orders" }},
		{"no metadata", "record 3: metadata ", func(r *response) { r.Records[3].Metadata = nil }},
		{"row", "record 3: row ", func(r *response) { r.Records[3].Data = append(r.Records[3].Data, '\n') }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := handlers()
			all = append(all, handler{"other", true, func(event []byte) ([]byte, error) {
				b, err := handleTyped(event, json.Unmarshal, json.Marshal)
				if err != nil {
					return nil, err
				}
				var r response
				if err := json.Unmarshal(b, &r); err != nil {
					return nil, err
				}
				tt.change(&r)
				return json.Marshal(r)
			}})
			if err := answer(event, all); err == nil || !strings.HasPrefix(err.Error(), "rowdelta and other differ: "+tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A row that went through a map has its members in another order: equal in value, not byte for byte.
func TestAnswerComparesRowsAsAsked(t *testing.T) {
	event := kinesisEvent(debezium(20).records)
	all := []handler{handleOurs(), {"map", false, handleReference}}
	if err := answer(event, all); err != nil {
		t.Error(err)
	}
	all[1].exact = true
	if err := answer(event, all); err == nil || !strings.HasPrefix(err.Error(), "rowdelta and map differ: record 0: row ") {
		t.Errorf("got %v", err)
	}
}

func TestSameValue(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":"é"}`, `{"b":"\u00e9", "a":1}`, true},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":1`, `{"a":1`, false},
	}
	for _, tt := range tests {
		if got := sameValue([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("sameValue(%s, %s) = %t", tt.a, tt.b, got)
		}
	}
}
