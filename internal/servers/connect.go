package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// Connect is a Kafka Connect worker in standalone mode with Debezium 3.6.1.Final.
type Connect struct {
	server
	offsets    string
	address    string
	connectors []string
}

// StartConnect installs Kafka Connect and Debezium if need be and starts a worker with at least one connector. Keys and
// values are JSON without schemas unless the worker's properties say otherwise. tb ends with a failure, or all tasks of all
// connectors run; the snapshot of a database connector may still go on then.
func StartConnect(tb testing.TB, kafka *Kafka, worker Properties, connectors ...Properties) *Connect {
	tb.Helper()
	plugins, err := jars(tb.Context(), "debezium")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	c := &Connect{offsets: filepath.Join(dir, "offsets"), address: loopback(freePort(tb))}
	config := filepath.Join(dir, "worker.properties")
	Properties{
		"bootstrap.servers":              kafka.Bootstrap(),
		"listeners":                      "http://" + c.address,
		"plugin.path":                    plugins, // its folder lib is one plugin
		"plugin.discovery":               "service_load",
		"key.converter":                  "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable":   "false",
		"value.converter.schemas.enable": "false",
		"offset.storage.file.filename":   c.offsets,
	}.with(worker).write(tb, config)

	args := []string{"org.apache.kafka.connect.cli.ConnectStandalone", config}
	for i, p := range connectors {
		path := filepath.Join(dir, fmt.Sprintf("connector-%d.properties", i))
		p.write(tb, path)
		args = append(args, path)
		c.connectors = append(c.connectors, p["name"])
	}
	s := jvm(tb, "connect", kafka.jars, dir, args...)
	s.ready = c.ready
	c.server = launch(tb, s)
	return c
}

// OffsetFile returns the path of the file in which the worker keeps its connectors' positions. It is written every
// offset.flush.interval.ms, whole and in place, if there is anything new.
func (c *Connect) OffsetFile() string { return c.offsets }

// ready reports whether every task of every connector runs. A task that failed stays so.
func (c *Connect) ready(ctx context.Context) error {
	for _, name := range c.connectors {
		if err := c.running(ctx, name); err != nil {
			return fmt.Errorf("connector %s: %w", name, err)
		}
	}
	return nil
}

func (c *Connect) running(ctx context.Context, name string) error {
	type state struct{ State, Trace string }
	var status struct {
		Connector state
		Tasks     []state
	}
	if err := c.get(ctx, "/connectors/"+url.PathEscape(name)+"/status", &status); err != nil {
		return err
	}
	for _, s := range append(status.Tasks, status.Connector) {
		switch s.State {
		case "RUNNING":
		case "FAILED":
			trace, _, _ := strings.Cut(s.Trace, "\n\tat ")
			return permanentError{fmt.Errorf("failed: %s", trace)}
		default:
			return fmt.Errorf("state %q", s.State)
		}
	}
	if len(status.Tasks) == 0 {
		return errors.New("no task yet")
	}
	return nil
}

// get reads a JSON document of the worker's REST interface.
func (c *Connect) get(ctx context.Context, path string, into any) error {
	body, err := httpGet(ctx, "http://"+c.address+path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
