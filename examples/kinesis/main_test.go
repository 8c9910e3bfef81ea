package main

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

func TestSettings(t *testing.T) {
	for args, want := range map[string]string{
		"":                          "-stream is missing",
		"-stream s more":            "unexpected argument",
		"-stream s -poll 0":         "must be positive",
		"-stream s -commit -1s":     "must be positive",
		"-stream s -answers 0":      "must be positive",
		"-stream s -age 1ms":        "must be positive",
		"-stream s -memory -1":      "must be positive",
		"-stream s -keys none.json": "no such file",
	} {
		var stderr bytes.Buffer
		if err := run(t.Context(), strings.Fields(args), nil, &stderr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, nil, &stderr); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	if !strings.Contains(stderr.String(), "pause between two reads") {
		t.Error("no help:", stderr.String())
	}
}

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	for text, want := range map[string]string{
		`{"public":{"orders":["id"],"lines":["order","line"]},"a.b":{"c":["d"]}}`: "",
		`{"public":{"orders":[]}}`: "no columns for public.orders",
		`{"public":["orders"]}`:    path,
		`[`:                        path,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := loadKeys(path)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil || !maps.EqualFunc(keys, map[envelope.Table][]string{
			{Schema: "public", Name: "orders"}: {"id"}, {Schema: "public", Name: "lines"}: {"order", "line"}, {Schema: "a.b", Name: "c"}: {"d"},
		}, slices.Equal) {
			t.Errorf("%s: %v, %v", text, keys, err)
		}
	}
}
