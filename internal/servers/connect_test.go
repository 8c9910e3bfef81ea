//go:build servers

package servers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// forget has the worker forget which topics the connector has written to.
func forget(t *testing.T, c *Connect, name string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+c.address+"/connectors/"+name+"/topics/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
}

// eventually waits until got returns want.
func eventually(t *testing.T, what string, got func() string, want string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(poll) {
		g := got()
		if g == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: got %q, want %q", what, g, want)
		}
	}
}

// topics returns the topics that the connector has written to since the worker's start or since forget.
func topics(t *testing.T, c *Connect, name string) string {
	t.Helper()
	var answer map[string]struct{ Topics []string }
	if err := c.get(t.Context(), "/connectors/"+name+"/topics", &answer); err != nil {
		t.Fatal(err)
	}
	return strings.Join(answer[name].Topics, " ")
}

func TestConnect(t *testing.T) {
	pg := StartPostgres(t)
	sql(t, pg, "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)")
	kafka := StartKafka(t)
	connect := StartConnect(t, kafka, Properties{"offset.flush.interval.ms": "200"},
		pg.Connector("orders", Properties{"topic.prefix": "shop", "publication.autocreate.mode": "filtered", "table.include.list": "public.orders"}))

	for i, crash := range []func(){func() {}, connect.Kill, kafka.Kill, pg.Kill} {
		crash()
		switch i {
		case 1:
			connect.Restart()
		case 2:
			kafka.Restart()
		case 3:
			// Debezium retries by itself, but its pauses are long.
			connect.Kill()
			pg.Restart()
			connect.Restart()
		}
		if i > 0 {
			forget(t, connect, "orders")
			sql(t, pg, "INSERT INTO orders SELECT max(id) + 1 FROM orders")
		}
		life := fmt.Sprintf("life %d: ", i)
		eventually(t, life+"topics", func() string { return topics(t, connect, "orders") }, "shop.public.orders")
		eventually(t, life+"slots", func() string { return sql(t, pg, "SELECT plugin, active FROM pg_replication_slots") }, "pgoutput|t")
	}
	if !exists(connect.OffsetFile()) {
		t.Error("no offsets were stored")
	}
}

// A connector that cannot work must not look like a slow one.
func TestConnectorThatFails(t *testing.T) {
	kafka := StartKafka(t)
	s := &spy{TB: t}
	s.during(func() {
		StartConnect(s, kafka, nil, Properties{"name": "none", "connector.class": "no.such.Connector"})
		t.Error("the test went on")
	})
	if !s.failed || !strings.Contains(s.said(), "no.such.Connector") {
		t.Errorf("failed %v, said:\n%s", s.failed, s.said())
	}
}
