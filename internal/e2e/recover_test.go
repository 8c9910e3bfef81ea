//go:build servers

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/dsql/s3fragments"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

// TestRecover gives a function what fits into one of a stream with a row of 30 MiB in four pieces, a record of 5 MiB, and
// small records that are split too. What does not fit, and the batches whose main records wait, becomes documents for
// examples/recover. In the end every record was seen whole, and no document is left.
func TestRecover(t *testing.T) {
	streams := generate(t, map[string]dsqltest.Generator{
		"small":  {Seed: 1, Transactions: 25, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Repeats: 0.1},
		"medium": {Seed: 3, Transactions: 1, PerTransaction: 1, Large: 1, LargeBytes: 5 << 20},
		"large":  {Seed: 3, Transactions: 1, PerTransaction: 1, Large: 1, LargeBytes: 30 << 20},
	})
	want := map[string]bool{}
	d := dsql.Decoder{ClusterAsDB: true}
	for _, s := range streams {
		for _, whole := range s.Whole {
			want[digest(t, &d, whole)] = false
		}
	}
	v := servers.StartVersity(t)
	client, name := s3Client(v, http.DefaultTransport, 3), bucket
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	k := &kinesisStream{Kinesis: servers.StartKinesis(t), t: t}
	k.create()
	arn, err := k.active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 4))
	for _, data := range delivery(streams) {
		if err := k.Put(t.Context(), changes, strconv.FormatUint(rng.Uint64(), 36), data); err != nil {
			t.Fatal(err)
		}
	}

	m := &mapping{t: t, stream: arn, store: &s3fragments.Store{Client: client, Bucket: bucket, Prefix: "fragments"}, seen: map[string]bool{}}
	for _, s := range k.shards() {
		m.deliver(k.records(s.ShardId))
	}
	if len(m.waiting) == 0 || len(m.large) != 5 { // four fragments, and the record that was not split
		t.Fatalf("%d batches wait and %d records are too large: another seed is needed", len(m.waiting), len(m.large))
	}
	f := startFunction(t, "AWS_ENDPOINT_URL_KINESIS="+k.Endpoint(), "AWS_ENDPOINT_URL_S3="+v.Endpoint(),
		"AWS_ACCESS_KEY_ID="+v.Key(), "AWS_SECRET_ACCESS_KEY="+v.Secret(), "FRAGMENTS_BUCKET="+bucket, "FRAGMENTS_PREFIX=fragments/")
	again := f.invoke(m.waiting) // all before what they wait for
	if len(again) == 0 {
		t.Error("no document had to come again")
	}
	queue := append(again, m.large...)
	rng.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	for range 2 {
		queue = f.invoke(queue)
	}
	if len(queue) > 0 {
		t.Errorf("%d documents are not done", len(queue))
	}

	for change := range f.seen() {
		m.seen[change] = true
	}
	for change := range m.seen {
		if _, ok := want[change]; !ok {
			t.Errorf("there is no change %s", change)
		}
		want[change] = true
	}
	for change, ok := range want {
		if !ok {
			t.Errorf("never seen whole: %s", change)
		}
	}
	t.Logf("%d changes; %d batches waited, %d of them without what came with them", len(want), len(m.waiting), len(again))
}

// A printed change is a line of examples/recover.
type printed struct {
	Op, DB, Schema, Table string
	Bytes                 int
	SHA256                string
	Version               time.Time
}

func (p *printed) String() string {
	return fmt.Sprint(p.Op, " ", p.DB, ".", p.Schema, ".", p.Table, " ", p.Bytes, " ", p.SHA256, " ", p.Version.UnixNano())
}

// digest returns what the change of a whole record is known by.
func digest(t *testing.T, d *dsql.Decoder, record []byte) string {
	t.Helper()
	var c envelope.Change
	if err := d.Decode(&c, record); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(c.Image())
	p := printed{c.Op.String(), c.Table.DB, c.Table.Schema, c.Table.Name, len(c.Image()), hex.EncodeToString(sum[:]), c.Version.Time()}
	return p.String()
}

// records returns what a shard has.
func (k *kinesisStream) records(shard string) (all []dsql.Record) {
	k.t.Helper()
	var next struct{ ShardIterator string }
	k.must("GetShardIterator", map[string]any{"ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}, &next)
	for {
		var answer struct {
			Records []struct {
				Data           []byte
				SequenceNumber string
			}
			NextShardIterator string
		}
		k.must("GetRecords", map[string]any{"ShardIterator": next.ShardIterator}, &answer)
		if len(answer.Records) == 0 {
			return all
		}
		for _, r := range answer.Records {
			all = append(all, dsql.Record{Shard: shard, Sequence: r.SequenceNumber, Data: r.Data})
		}
		next.ShardIterator = answer.NextShardIterator
	}
}

// A mapping is Lambda's event source mapping for the stream, with a function that never gets a batch twice: it is configured
// with no retries.
type mapping struct {
	t       *testing.T
	stream  string
	store   dsql.DurableStore
	seen    map[string]bool // changes that came to the function's sink
	waiting []string        // documents of batches of which a main record waits
	large   []string        // documents of records that do not fit
}

// deliver hands a shard's records to the function, in batches that end before the records that do not fit.
func (m *mapping) deliver(records []dsql.Record) {
	m.t.Helper()
	for len(records) > 0 {
		n := 0
		for n < min(15, len(records)) && dsql.FitsLambda(len(records[n].Data)) {
			n++
		}
		if n == 0 {
			n = 1
			m.large = append(m.large, m.document(records[:1]))
		} else if failed := m.invoke(records[:n]); len(failed) > 0 {
			m.waiting = append(m.waiting, m.document(failed))
		}
		records = records[n:]
	}
}

// invoke is the function. It returns the batch from the first record on that is needed again.
func (m *mapping) invoke(batch []dsql.Record) []dsql.Record {
	m.t.Helper()
	r, d := dsql.Reassembler{Store: m.store}, dsql.Decoder{ClusterAsDB: true}
	for _, in := range batch {
		record, err := r.Add(m.t.Context(), in)
		if err != nil {
			m.t.Fatal(err)
		}
		if record != nil {
			m.seen[digest(m.t, &d, record)] = true
		}
	}
	if err := r.Commit(m.t.Context(), nil); err != nil {
		m.t.Fatal(err)
	}
	floor := r.Floors()[0]
	if floor.After {
		return nil
	}
	return batch[slices.IndexFunc(batch, func(in dsql.Record) bool { return in.Sequence == floor.Sequence }):]
}

func (m *mapping) document(batch []dsql.Record) string {
	m.t.Helper()
	text, err := json.Marshal(map[string]any{
		"requestContext": map[string]any{"requestId": "c3a1", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
		"version":        "1.0", "timestamp": "2026-11-14T00:38:06.021Z",
		"KinesisBatchInfo": map[string]any{
			"shardId": batch[0].Shard, "startSequenceNumber": batch[0].Sequence, "endSequenceNumber": batch[len(batch)-1].Sequence,
			"approximateArrivalOfFirstRecord": "2026-11-14T00:38:04.835Z", "approximateArrivalOfLastRecord": "2026-11-14T00:38:05.580Z",
			"batchSize": len(batch), "streamArn": m.stream,
		},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

// A function is examples/recover, and the Runtime API that it gets its events from.
type function struct {
	t       *testing.T
	program *servers.Program
	events  chan []byte
	answers chan []byte
}

const invocationTime = 3 * time.Minute // far more than it needs

func startFunction(t *testing.T, env ...string) *function {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recover")
	build := osexec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", path, "./recover")
	build.Dir = filepath.Join("..", "..", "examples") // a module of its own
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := &function{t: t, events: make(chan []byte), answers: make(chan []byte, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-f.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(invocationTime).UnixMilli()))
			_, _ = w.Write(event) // without it there is no answer
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/request/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if kind := r.PathValue("kind"); err != nil || kind != "response" {
			t.Errorf("%s: %s, %v", kind, body, err)
		}
		w.WriteHeader(http.StatusAccepted)
		f.answers <- body
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.program = servers.StartProgram(t, path, append(env, "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String(), "AWS_REGION=us-east-1",
		"AWS_CONFIG_FILE=", "AWS_SHARED_CREDENTIALS_FILE=", "AWS_EC2_METADATA_DISABLED=true"))
	return f
}

// invoke gives the function an event with the documents and returns those that are to come again.
func (f *function) invoke(documents []string) (again []string) {
	f.t.Helper()
	type message struct {
		ID   string `json:"messageId"`
		Body string `json:"body"`
	}
	var event struct{ Records []message }
	for i, body := range documents {
		event.Records = append(event.Records, message{strconv.Itoa(i), body})
	}
	text, err := json.Marshal(event)
	if err != nil {
		f.t.Fatal(err)
	}
	deadline := time.After(invocationTime)
	var body []byte
	select {
	case f.events <- text:
	case <-deadline:
		f.t.Fatal("the function does not ask for an event")
	}
	select {
	case body = <-f.answers:
	case <-deadline:
		f.t.Fatal("the function does not answer")
	}
	var answer struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		f.t.Fatal(err)
	}
	for _, failure := range answer.BatchItemFailures {
		i, err := strconv.Atoi(failure.ItemIdentifier)
		if err != nil || i >= len(documents) {
			f.t.Fatalf("an answer to no message: %s", body)
		}
		again = append(again, documents[i])
	}
	return again
}

// seen returns the changes that the function has printed, and checks that nothing else went wrong.
func (f *function) seen() map[string]bool {
	f.t.Helper()
	all := map[string]bool{}
	for text := range strings.Lines(string(f.program.Output())) {
		var line struct {
			Level string
			printed
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			f.t.Error(errors.Join(err, errors.New(text)))
		}
		switch {
		case line.SHA256 != "":
			all[line.String()] = true
		case line.Level != "INFO":
			f.t.Error(text)
		}
	}
	return all
}
