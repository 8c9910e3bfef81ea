package servers

import (
	"context"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Kinesis is kinesis-local 0.6.2, an implementation of the Kinesis Data Streams API: records of 10 MiB, resharding, closed
// shards. It takes any credentials, in any region.
//
// Its streams are in memory: Kill, Stop and Restart end them, and what comes back is a server without streams at the old
// address. For a test of a client that loses its connection that is enough; one that needs its records again kills the client.
//
// Where it is more lenient than the service: it accepts more than 500 records in one PutRecords, and reads at any rate. Its
// MillisBehindLatest counts from the shard's newest record, not from the present. A record of 10 MiB takes it seconds to take
// and to give. It listens at all addresses of the machine.
type Kinesis struct {
	server
	port int
}

// StartKinesis installs kinesis-local if need be and starts a server without streams. tb ends with a failure, or the server is
// ready.
func StartKinesis(tb testing.TB) *Kinesis {
	tb.Helper()
	dir, err := nodeModules(tb.Context(), "kinesis")
	if err != nil {
		tb.Fatal(err)
	}
	node, err := program(tb.Context(), findNode, "nodejs")
	if err != nil {
		tb.Fatal(err)
	}
	home, scratch := filepath.Join(dir, "node_modules", "kinesis-local"), scratch(tb)
	k := &Kinesis{port: freePort(tb)}
	env := []string{
		"KINESIS_MOCK_PLAIN_PORT=" + strconv.Itoa(k.port),
		"KINESIS_MOCK_TLS_PORT=" + strconv.Itoa(freePort(tb)),
		"LOG_LEVEL=WARN",
	}
	// How long a stream is not ACTIVE after such a request. Nil would hide from a client that there is such a time.
	for _, request := range []string{"CREATE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT"} {
		env = append(env, request+"_DURATION=100ms")
	}
	// It turns every record into a multiple of its size in garbage; with the default the collector takes most of the time.
	k.server = launch(tb, spec{
		name:  "kinesis",
		path:  node,
		args:  []string{"--min-semi-space-size=256", "--max-semi-space-size=512", filepath.Join(home, "main.js")},
		env:   env,
		dir:   home, // it reads its certificate from there
		log:   filepath.Join(scratch, "kinesis.log"),
		stop:  syscall.SIGKILL, // on SIGTERM it waits half a minute for idle connections, and it has nothing to save
		ready: k.ready,
	})
	return k
}

// Endpoint returns the URL for Kinesis clients.
func (k *Kinesis) Endpoint() string { return "http://" + loopback(k.port) }

func (k *Kinesis) ready(ctx context.Context) error {
	_, err := httpGet(ctx, k.Endpoint()+"/healthcheck")
	return err
}
