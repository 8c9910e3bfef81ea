package truth_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/internal/truth"
)

// write makes a variant of the given lines.
func write(t *testing.T, dir, records, rows string) {
	t.Helper()
	folder := filepath.Join(dir, "db", "variant")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"records": records, "truth": rows} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".jsonl.gz"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVariant(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, `{"topic":"a","key":null,"value":"{\"x\": 1}","headers":{"h":"\"r\""}}
{"topic":"b","key":"","value":null}`, // the last line need not end
		`{"table":"db.t","row":{"id":"1","v":null},"canon":{"g":{"srid":null}},"hex":["b"]}`+"\n")
	variants, err := truth.Open(dir)
	if err != nil || len(variants) != 1 || variants[0].String() != "db/variant" {
		t.Fatalf("Open gives %v, %v", variants, err)
	}
	records, err := variants[0].Records()
	if err != nil || len(records) != 2 {
		t.Fatalf("Records gives %v, %v", records, err)
	}
	if r := records[0]; r.Topic != "a" || r.Key != nil || string(r.Value) != `{"x": 1}` || r.Headers["h"] != `"r"` {
		t.Errorf("the first record is %q", r)
	}
	if r := records[1]; r.Key == nil || len(r.Key) != 0 || r.Value != nil || r.Headers != nil {
		t.Errorf("the second record is %q", r)
	}
	rows, err := variants[0].Rows()
	if err != nil || len(rows) != 1 {
		t.Fatalf("Rows gives %v, %v", rows, err)
	}
	row := rows[0]
	if v, ok := row.Row["v"]; row.Table != "db.t" || *row.Row["id"] != "1" || !ok || v != nil ||
		string(row.Canon["g"]) != `{"srid":null}` || len(row.Hex) != 1 {
		t.Errorf("the row is %v", row)
	}
}

func TestVariantFaults(t *testing.T) {
	if _, err := truth.Open(t.TempDir()); err == nil {
		t.Error("a folder without variants is no error")
	}
	dir := t.TempDir()
	write(t, dir, "{\"topic\":\"a\"}\n{\"topic\":", "[]\n")
	variants, err := truth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := variants[0].Records(); err == nil || !strings.Contains(err.Error(), "records.jsonl.gz:2:") {
		t.Errorf("a broken line gives %v", err)
	}
	if _, err := variants[0].Rows(); err == nil || !strings.Contains(err.Error(), "truth.jsonl.gz:1:") {
		t.Errorf("a line that is no row gives %v", err)
	}
	path := filepath.Join(dir, "db", "variant", "records.jsonl.gz")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := variants[0].Records(); err == nil {
		t.Error("a file cut short is no error")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := variants[0].Records(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}
