package main

import (
	stdjson "encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestValues(t *testing.T) {
	readings := []reading{readOurs(), readStruct(), readJSON("goccy", unmarshalGoccy), readJSON("aliasing", unmarshalAliasing), readJSON("json", stdjson.Unmarshal)}
	if err := readAlike(values(300).records, readings); err != nil {
		t.Error(err)
	}
	row := []byte(`{"id":-1,"customer_id":2,"warehouse":3,"insured":true,"weight":1.25,"ratio":0.1,"address":"a\nb","label":"c","price":"/jw=","due":-1,` +
		`"created_at":-1,"seen_at":"2026-01-02T03:04:05.6Z"}`)
	price, err := envelope.ParseDecimal("-4.52")
	if err != nil {
		t.Fatal(err)
	}
	want := shipment{-1, 2, 3, true, 1.25, 0.1, "a\nb", "c", price, time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)}
	for _, r := range readings {
		if err := r.read(row); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if got := r.shipment(); want.differs(&got) != "" {
			t.Errorf("%s: %s of %+v", r.name, want.differs(&got), got)
		}
		for _, bad := range []string{`"price":"-4.52"`, `"due":"x"`} {
			name, _, _ := strings.Cut(bad, ":")
			_, rest, _ := strings.Cut(string(row), name+":")
			_, rest, _ = strings.Cut(rest, ",")
			before, _, _ := strings.Cut(string(row), name)
			if err := r.read([]byte(before + bad + "," + rest)); err == nil {
				t.Errorf("%s takes %s", r.name, bad)
			}
		}
	}
}

func TestValuesFindsDisagreement(t *testing.T) {
	rows := values(5).records
	price, err := envelope.ParseDecimal("1.0")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(s *shipment){
		"id":          func(s *shipment) { s.ID++ },
		"customer_id": func(s *shipment) { s.Customer++ },
		"warehouse":   func(s *shipment) { s.Warehouse++ },
		"insured":     func(s *shipment) { s.Insured = !s.Insured },
		"weight":      func(s *shipment) { s.Weight *= 2 },
		"ratio":       func(s *shipment) { s.Ratio += 1 },
		"address":     func(s *shipment) { s.Address += " " },
		"label":       func(s *shipment) { s.Label = s.Label[1:] },
		"price":       func(s *shipment) { s.Price = price },
		"due":         func(s *shipment) { s.Due = s.Due.Add(1) },
		"created_at":  func(s *shipment) { s.Created = s.Created.Add(1) },
		"seen_at":     func(s *shipment) { s.Seen = s.Seen.In(time.FixedZone("", 0)) },
	}
	for column, change := range tests {
		strange := readStruct()
		honest := strange.shipment
		strange.name, strange.shipment = "other", func() shipment { s := honest(); change(&s); return s }
		want := "row 0: rowdelta and other differ in " + column
		if err := readAlike(rows, []reading{readOurs(), strange}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := readAlike([][]byte{[]byte(`{"id":1}`)}, []reading{readOurs()}); err == nil || err.Error() != "row 0: rowdelta: column 1: missing" {
		t.Error(err)
	}
}
