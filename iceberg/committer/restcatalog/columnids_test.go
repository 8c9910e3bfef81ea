package restcatalog

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestColumnIDs(t *testing.T) {
	const nested = `{"type":"struct","schema-id":9,"fields":[{"id":1,"name":"id","type":"long","required":true},` +
		`{"id":2,"name":"l","type":{"type":"list","element-id":7,"element":{"type":"map","key-id":3,"key":"int","value-id":12,"value":{"type":"struct","fields":[{"id":5,"name":"id","type":"int"}]}}}}],"identifier-field-ids":[99]}`
	for _, tt := range []struct{ name, body, want string }{
		{"a schema",
			`{"requirements":[{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":6426845457678251148}],"updates":[{"action":"add-schema","schema":` + nested + `},{"action":"set-current-schema","schema-id":-1}]}`,
			`{"requirements":[{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":6426845457678251148}],"updates":[{"action":"add-schema","last-column-id":12,"schema":` + nested + `},{"action":"set-current-schema","schema-id":-1}]}`},
		{"one that has it", `{"updates":[{"action":"add-schema","schema":{"fields":[{"id":1}]},"last-column-id":4}]}`, ""},
		{"none", `{"updates":[{"action":"set-properties","updates":{"id":"x"}}]}`, ""},
		{"no updates", `{"name":"t"}`, ""},
		{"no commit", `[1,2`, ""},
		{"nothing", ``, ""},
	} {
		if tt.want == "" {
			tt.want = tt.body
		}
		require.Equal(t, tt.want, string(withColumnIDs([]byte(tt.body))), tt.name)
	}
}

type sent struct {
	body   string
	length int64
}

func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.body, s.length = string(b), r.ContentLength
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestTransport(t *testing.T) {
	const commit = `{"updates":[{"action":"add-schema","schema":{"fields":[{"id":3}]}}]}`
	for _, tt := range []struct {
		method, path string
		changed      bool
	}{
		{http.MethodPost, "/v1/main/namespaces/n/tables/t", true},
		{http.MethodPost, "/v1/main/namespaces/n/tables", false},
		{http.MethodPut, "/v1/main/namespaces/n/tables/t", false},
	} {
		s := new(sent)
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "http://catalog"+tt.path, strings.NewReader(commit))
		require.NoError(t, err)
		_, err = columnIDs{s}.RoundTrip(r)
		require.NoError(t, err)
		require.Equal(t, tt.changed, strings.Contains(s.body, `"last-column-id":3`), tt.path)
		require.EqualValues(t, len(s.body), s.length)
	}
	_, err := columnIDs{new(sent)}.RoundTrip(&http.Request{Method: http.MethodPost})
	require.NoError(t, err)
}
