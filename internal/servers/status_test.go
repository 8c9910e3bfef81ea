package servers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestConnectIsReady(t *testing.T) {
	const task = `{"id":0,"state":"RUNNING","worker_id":"w"}`
	for _, c := range []struct {
		answer    string // about connector b; a runs
		err       string
		permanent bool
	}{
		{`{"name":"b","connector":{"state":"RUNNING"},"tasks":[` + task + `,` + task + `]}`, "", false},
		{`{"name":"b","connector":{"state":"RUNNING"},"tasks":[]}`, "connector b: no task yet", false},
		{`{"name":"b","connector":{"state":"UNASSIGNED"},"tasks":[` + task + `]}`, `connector b: state "UNASSIGNED"`, false},
		{`{"name":"b","connector":{"state":"RUNNING"},"tasks":[` + task + `,{"id":1,"state":"FAILED","trace":"no slot\n\tat io.X\n\tat io.Y"}]}`,
			"connector b: failed: no slot", true},
		{`{"name":"b","connector":{"state":"FAILED","trace":"no class"},"tasks":[]}`, "connector b: failed: no class", true},
		{"", "connector b: /connectors/b/status: 404 Not Found", false},
		{"starting", "connector b: invalid character", false},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /connectors/a/status", func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"name":"a","connector":{"state":"RUNNING"},"tasks":[` + task + `]}`))
		})
		if c.answer != "" {
			mux.HandleFunc("GET /connectors/b/status", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(c.answer)) })
		}
		worker := httptest.NewServer(mux)
		connect := &Connect{address: strings.TrimPrefix(worker.URL, "http://"), connectors: []string{"a", "b"}}
		err := connect.ready(t.Context())
		worker.Close()
		var permanent permanentError
		switch {
		case c.err == "" && err == nil:
		case c.err == "" || err == nil || !strings.HasPrefix(err.Error(), c.err) || errors.As(err, &permanent) != c.permanent:
			t.Errorf("%s: got %v, permanent %v; want %q, %v", c.answer, err, errors.As(err, &permanent), c.err, c.permanent)
		}
	}
}
