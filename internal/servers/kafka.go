package servers

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// Kafka is one node of Kafka 4.3.0 that is broker and controller (KRaft). Topics come into being when they are first
// written to, with one partition.
type Kafka struct {
	server
	jars string // Connect has its classes from here too
	port int
}

// StartKafka installs Kafka if need be and starts a new, empty cluster. tb ends with a failure, or the server is ready.
func StartKafka(tb testing.TB) *Kafka {
	tb.Helper()
	lib, err := jars(tb.Context(), "kafka")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	k := &Kafka{jars: lib, port: freePort(tb)}
	config := filepath.Join(dir, "kafka.properties")
	k.config(dir, freePort(tb)).write(tb, config)

	format := jvm(tb, "kafka-format", lib, dir, "kafka.tools.StorageTool", "format",
		"--cluster-id", "AAAAAAAAQACAAAAAAAAAAQ", "--config", config)
	if err := output(tb.Context(), nil, format.path, format.args...); err != nil {
		tb.Fatal(err)
	}
	s := jvm(tb, "kafka", lib, dir, "kafka.Kafka", config)
	s.ready = k.ready
	k.server = launch(tb, s)
	return k
}

func (k *Kafka) config(dir string, controller int) Properties {
	return Properties{
		"process.roles":                            "broker,controller",
		"node.id":                                  "1",
		"controller.quorum.voters":                 "1@" + loopback(controller),
		"listeners":                                "PLAINTEXT://" + k.Bootstrap() + ",CONTROLLER://" + loopback(controller),
		"advertised.listeners":                     "PLAINTEXT://" + k.Bootstrap(),
		"controller.listener.names":                "CONTROLLER",
		"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                                 filepath.Join(dir, "data"),
		"offsets.topic.replication.factor":         "1",
		"offsets.topic.num.partitions":             "1",
		"transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr":            "1",
		"transaction.state.log.num.partitions":     "1",
		"group.initial.rebalance.delay.ms":         "0",
		// With the default the controller takes a killed broker for alive, and refuses the new one, for nine seconds.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "1000",
	}
}

// Bootstrap returns the broker's address.
func (k *Kafka) Bootstrap() string { return loopback(k.port) }

// ready asks the broker which requests it takes. The port is open long before the broker answers.
func (k *Kafka) ready(ctx context.Context) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", k.Bootstrap())
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	// length, ApiVersions (18), version 0, correlation id, no client id
	if _, err := c.Write([]byte{0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff}); err != nil {
		return err
	}
	var answer [10]byte // length, correlation id, error code, …
	if _, err := io.ReadFull(c, answer[:]); err != nil {
		return err
	}
	if code := binary.BigEndian.Uint16(answer[8:]); code != 0 {
		return fmt.Errorf("the broker answers with error %d", code)
	}
	return nil
}
