//go:build servers

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/iceberg/committer/restcatalog"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// A lake is a REST catalog with its tables' files in S3. Each test has a namespace of its own.
//
// Nessie tells clients of no snapshot but the newest, and of none's being the parent of another. It has nothing of
// version 3 of the format, and makes tables of version 2 where another one is asked for. It takes a commit that wants the
// table to have no snapshot also if there is one: no test has two writers of a table without.
type lake struct {
	*servers.Nessie
	s3     *servers.Versity
	places atomic.Int64
}

// TestRESTCatalog writes into a catalog through restcatalog, which fails and is overtaken.
func TestRESTCatalog(t *testing.T) {
	v := servers.StartVersity(t)
	l := &lake{Nessie: servers.StartNessie(t, v, "lake"), s3: v}
	t.Run("Deltas", l.takesDeltas)
	t.Run("Version", l.hasNoVectors)
	t.Run("Faults", l.fails)
	t.Run("FaultsOfNewTables", l.failsAtFirst)
	t.Run("StaleWriter", l.isOvertaken)
	t.Run("Writers", l.hasManyWriters)
	t.Run("Signed", l.isSigned)
	t.Run("Properties", l.needsLittle)
}

// A place is a namespace of the lake, and how it is reached.
type place struct {
	*lake
	namespace string
}

func (l *lake) place() *place { return &place{l, fmt.Sprint("place", l.places.Add(1))} }

// catalog is where the lake's catalog is.
func (l *lake) catalog(transport http.RoundTripper) restcatalog.Catalog {
	return restcatalog.Catalog{URI: l.URI(), Warehouse: l.Warehouse(), Properties: maps.Clone(l.Client()), Transport: transport}
}

// open returns a new Committer for the place's tables.
func (p *place) open(t *testing.T, transport http.RoundTripper, o committer.Options) *committer.Committer {
	t.Helper()
	return p.connect(t, p.catalog(transport), o)
}

func (p *place) connect(t *testing.T, at restcatalog.Catalog, o committer.Options) *committer.Committer {
	t.Helper()
	o.Name = func(source envelope.Table) (namespace, name string) { return p.namespace, source.Name }
	c, err := restcatalog.Open(t.Context(), at, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// snapshots returns how many snapshots the table of sales has had: each has the next sequence number.
func (p *place) snapshots(t *testing.T) int {
	t.Helper()
	var config struct{ Defaults, Overrides map[string]string }
	p.get(t, "config?warehouse="+p.Warehouse(), &config)
	prefix := config.Defaults["prefix"]
	if prefix == "" {
		prefix = config.Overrides["prefix"]
	}
	if unescaped, err := url.PathUnescape(prefix); err == nil {
		prefix = url.PathEscape(unescaped)
	}
	var table struct {
		Metadata struct {
			Last *int `json:"last-sequence-number"`
		}
	}
	p.get(t, prefix+"/namespaces/"+p.namespace+"/tables/"+sales.Name, &table)
	if table.Metadata.Last == nil {
		t.Fatal("a table without sequence numbers")
	}
	return *table.Metadata.Last
}

func (l *lake) get(t *testing.T, path string, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URI()+"/v1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %s", path, resp.Status, err, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
}

// isCommit reports whether a request commits to a table.
func isCommit(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/tables/")
}
