package envelope

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLogHasNoRowData(t *testing.T) {
	c := Change{Op: OpUpdate, Table: Table{"d", "s", "t"}, TxID: []byte("571"), Key: Row(`{"id":"secret"}`), Before: Row(`{"id":"secret"}`), After: Row(`{"id":"secret","n":1}`)}
	for name, logged := range map[string]any{"pointer": &c, "value": c, "clone": c.Clone()} {
		for format, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var out bytes.Buffer
			slog.New(handler(&out)).Info("change", "change", logged)
			// c2VjcmV0 is secret in base64, the form that JSON gives to bytes.
			if s := out.String(); strings.Contains(s, "secret") || strings.Contains(s, "c2VjcmV0") || strings.Contains(s, "InNlY3Jl") || !strings.Contains(s, "d.s.t") || !strings.Contains(s, "update") {
				t.Errorf("%s as %s: %s", name, format, s)
			}
		}
	}
}

func TestTableString(t *testing.T) {
	for want, table := range map[string]Table{"": {}, "d.s.t": {"d", "s", "t"}, "d.t": {"d", "", "t"}, "s.t": {"", "s", "t"}, "t": {"", "", "t"}} {
		if got := table.String(); got != want {
			t.Errorf("%v: %s, want %s", [3]string{table.DB, table.Schema, table.Name}, got, want)
		}
	}
}
