package restcatalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// columnIDs adds last-column-id, the highest ID of the columns, to the schemas that
// commits add: the protocol has made it optional, and the library does not send it, but
// Nessie 0.99 answers 400 without it.
type columnIDs struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (c columnIDs) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.Body == nil || !strings.Contains(r.URL.Path, "/tables/") {
		return c.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	body = withColumnIDs(body)
	r = r.Clone(r.Context())
	r.ContentLength = int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
	return c.next.RoundTrip(r)
}

// withColumnIDs returns a commit with what lacks. What is no commit stays as it is.
func withColumnIDs(body []byte) []byte {
	var commit map[string]json.RawMessage
	var updates []json.RawMessage
	if json.Unmarshal(body, &commit) != nil || json.Unmarshal(commit["updates"], &updates) != nil {
		return body
	}
	changed := false
	for i, raw := range updates {
		var update map[string]json.RawMessage
		if json.Unmarshal(raw, &update) != nil || string(update["action"]) != `"add-schema"` || update["last-column-id"] != nil {
			continue
		}
		var schema any
		d := json.NewDecoder(bytes.NewReader(update["schema"]))
		d.UseNumber()
		if d.Decode(&schema) != nil {
			continue
		}
		last, err := json.Marshal(lastColumn(schema))
		if err != nil {
			continue
		}
		update["last-column-id"] = last
		if next, err := json.Marshal(update); err == nil {
			updates[i], changed = next, true
		}
	}
	if !changed {
		return body
	}
	next, err := json.Marshal(updates)
	if err != nil {
		return body
	}
	commit["updates"] = next
	if next, err = json.Marshal(commit); err != nil {
		return body
	}
	return next
}

// lastColumn returns the highest ID in a schema: of a column, or of a part of a nested
// one.
func lastColumn(schema any) (last int64) {
	switch v := schema.(type) {
	case []any:
		for _, part := range v {
			last = max(last, lastColumn(part))
		}
	case map[string]any:
		for name, part := range v {
			switch name {
			case "id", "element-id", "key-id", "value-id":
				if n, ok := part.(json.Number); ok {
					id, _ := n.Int64()
					last = max(last, id)
				}
			default:
				last = max(last, lastColumn(part))
			}
		}
	}
	return last
}
