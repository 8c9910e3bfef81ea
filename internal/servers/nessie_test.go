//go:build servers

package servers

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// rest sends a request to the catalog, with body as JSON unless it is nil, and reads the answer into out.
func rest(t *testing.T, n *Nessie, method, path string, body, out any) (status int) {
	t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, n.URI()+"/v1/"+path, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s %s: %s: %v in %s", method, path, resp.Status, err, answer)
	}
	return resp.StatusCode
}

// catalogProgram appends a row to a table of the catalog with pyiceberg and prints the data file's location and all rows.
const catalogProgram = `import json, sys
import pyarrow as pa
from pyiceberg.catalog import load_catalog

uri, properties, value = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
table = load_catalog("rest", type="rest", uri=uri, **properties).load_table("shop.orders")
table.append(pa.table({"id": pa.array([value], pa.int64())}))
(location,) = table.inspect.files()["file_path"].to_pylist()
print(location, sorted(r["id"] for r in table.scan().to_arrow().to_pylist()))
`

func TestNessie(t *testing.T) {
	s3 := StartVersity(t)
	n := StartNessie(t, s3, "lake-bucket")
	var config struct{ Defaults, Overrides map[string]string }
	if status := rest(t, n, http.MethodGet, "config?warehouse="+n.Warehouse(), nil, &config); status != 200 {
		t.Fatal("config:", status)
	}
	if got := config.Defaults["warehouse"]; got != n.Location() {
		t.Errorf("the warehouse is %q, want %q", got, n.Location())
	}
	if got := config.Overrides["s3.path-style-access"]; got != "true" {
		t.Errorf("path-style access is %q", got)
	}
	prefix := config.Defaults["prefix"] + "/"
	var namespaces struct{ Namespaces [][]string }
	list := func() [][]string {
		t.Helper()
		if status := rest(t, n, http.MethodGet, prefix+"namespaces", nil, &namespaces); status != 200 {
			t.Fatal("namespaces:", status)
		}
		return namespaces.Namespaces
	}
	if got := list(); len(got) > 0 {
		t.Error("a new catalog has the namespaces", got)
	}
	shop := map[string]any{"namespace": []string{"shop"}}
	var made map[string]any
	if status := rest(t, n, http.MethodPost, prefix+"namespaces", shop, &made); status != 200 {
		t.Fatal("create a namespace:", status, made)
	}
	if status := rest(t, n, http.MethodPost, prefix+"namespaces", shop, &made); status != 409 {
		t.Error("create it again:", status, made)
	}
	if got := list(); len(got) != 1 || len(got[0]) != 1 || got[0][0] != "shop" {
		t.Error("namespaces:", got)
	}
	orders := map[string]any{"name": "orders", "stage-create": false, "schema": map[string]any{"type": "struct", "fields": []any{
		map[string]any{"id": 1, "name": "id", "type": "long", "required": false},
	}}}
	var table struct{ Metadata struct{ Location string } }
	if status := rest(t, n, http.MethodPost, prefix+"namespaces/shop/tables", orders, &table); status != 200 {
		t.Fatal("create a table:", status)
	}
	if got := table.Metadata.Location; !strings.HasPrefix(got, n.Location()+"/") {
		t.Errorf("the table is at %q, want it in %s", got, n.Location())
	}

	properties, err := json.Marshal(n.Client())
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunPython(t, catalogProgram, n.URI(), string(properties), "9007199254740993")
	if err != nil {
		t.Fatal(err)
	}
	location, rows, _ := strings.Cut(strings.TrimSpace(out), " ")
	if rows != "[9007199254740993]" || !strings.HasPrefix(location, table.Metadata.Location+"/") {
		t.Errorf("pyiceberg has the rows %s in %s, want them below %s", rows, location, table.Metadata.Location)
	}
	if status, text := ask(t, s3, http.MethodGet, strings.TrimPrefix(location, "s3://"), "", s3.Secret()); status != 200 || !strings.HasPrefix(text, "PAR1") {
		t.Errorf("%s: status %d, %d bytes", location, status, len(text))
	}

	n.Kill()
	n.Restart()
	if got := list(); len(got) > 0 {
		t.Error("memory outlives the process:", got)
	}
}
