package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Dynamo is DynamoDB Local 2.6.1, with all of the API that tables and items need: conditions, batches with their limits,
// PartiQL, transactions. It takes any credentials, in any region, for one set of tables.
//
// Where it is more lenient than the service: it never throttles and leaves no key of a batch unprocessed, a table is there at
// once, reads are always consistent, and it removes expired items when it likes. It listens at all addresses of the machine.
type Dynamo struct {
	server
	port int
}

// StartDynamo installs DynamoDB Local if need be and starts a server without tables. Its tables are in memory: Kill, Stop and
// Restart end them. tb ends with a failure, or the server is ready.
func StartDynamo(tb testing.TB) *Dynamo {
	tb.Helper()
	return startDynamo(tb, func(string) []string { return []string{"-inMemory"} })
}

// StartDynamoOnDisk starts one whose tables are in a file. They outlive Kill, Stop and Restart. Each write waits for the disk,
// also each of a batch.
func StartDynamoOnDisk(tb testing.TB) *Dynamo {
	tb.Helper()
	return startDynamo(tb, func(dir string) []string { return []string{"-dbPath", dir} })
}

func startDynamo(tb testing.TB, storage func(dir string) []string) *Dynamo {
	tb.Helper()
	lib, err := jars(tb.Context(), "dynamodb")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		tb.Fatal(err)
	}
	// It logs each request at level info, and what is refused, with a stack trace, at level warn.
	quiet := filepath.Join(dir, "quiet.xml")
	write(tb, quiet, strings.Replace(log4j, `<Root level="info">`, `<Root level="error">`, 1))
	d := &Dynamo{port: freePort(tb)}
	s := jvm(tb, "dynamodb", lib, dir, append([]string{
		"-Dlog4j2.configurationFile=" + quiet, // the last one counts
		"-Djava.library.path=" + filepath.Join(lib, "lib"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-disableTelemetry", "-sharedDb", "-port", strconv.Itoa(d.port),
	}, storage(data)...)...)
	s.ready = d.ready
	d.server = launch(tb, s)
	return d
}

// Endpoint returns the URL for DynamoDB clients.
func (d *Dynamo) Endpoint() string { return "http://" + loopback(d.port) }

func (d *Dynamo) ready(ctx context.Context) error {
	return d.Request(ctx, "ListTables", struct{}{}, nil)
}

// Request sends one request of the API, such as "ListTables", with the members of in. It reads the answer into out, unless
// that is nil. What the server refuses is an error with its answer.
//
// It is here so that a test needs no client library. A []byte is base64, as the API has it.
func (d *Dynamo) Request(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	// There has to be a signature, and nobody checks it.
	r.Header.Set("X-Amz-Date", "20261120T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", operation, resp.Status, answer)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}
