package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/examples/internal/sandbox"
)

// The built function answers in the form that Lambda reads. What it does with
// good documents is tested against servers.
func TestFunction(t *testing.T) {
	s := sandbox.Start(t, "FRAGMENTS_BUCKET=fragments", "AWS_REGION=us-east-1")
	for event, want := range map[string]string{
		`{"Records":[]}`: `{"batchItemFailures":[]}`,
		`{"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","body":"{}","eventSource":"aws:sqs"}]}`: `{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830a7d"}]}`,
	} {
		if r := s.Invoke([]byte(event)); r.Kind != "response" || string(r.Body) != want {
			t.Errorf("%s with %s, want %s", r.Kind, r.Body, want)
		}
	}
}

func TestSettings(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"FRAGMENTS_BUCKET": {},
		"LOG_LEVEL":        {"FRAGMENTS_BUCKET": "b", "LOG_LEVEL": "loud"},
	} {
		if _, err := newHandler(t.Context(), func(name string) string { return settings[name] }, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error about %s", err, name)
		}
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	c := envelope.Change{
		Op: envelope.OpCreate, Table: envelope.Table{DB: "c1", Schema: "public", Name: "notes"}, After: envelope.Row(`{"body":"secret"}`),
		Version: envelope.TimeVersion(1705318200000000002),
	}
	sink := lines{&out}
	if err := sink.Apply(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	want := `{"op":"create","db":"c1","schema":"public","table":"notes","bytes":17,` +
		`"sha256":"1b52fb4e283d4e79e58b0ce2422ae86900ca1e28c46fffcf4cc5fbfe5b40657c","version":"2024-01-15T11:30:00.000000002Z"}` + "\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
	var l line
	if err := json.Unmarshal(out.Bytes(), &l); err != nil || l.Version.UnixNano() != 1705318200000000002 || l.Version.Location() != time.UTC {
		t.Errorf("got %+v, %v", l, err)
	}
}
