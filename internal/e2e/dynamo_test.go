//go:build servers

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/servers"
)

const marksTable = "cdc-marks"

// dynamoClient returns a client of the server, as a process of its own would have.
func dynamoClient(d *servers.Dynamo, transport http.RoundTripper) *dynamodb.Client {
	endpoint := d.Endpoint()
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 3
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
			o.RateLimiter = unlimited{}
		}),
	})
}

// unlimited lets a client try again as often as it may: here requests fail by the hundred.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return unlimited{}.release, nil
}
func (unlimited) AddTokens(uint) error { return nil }
func (unlimited) release() error       { return nil }

// dynamoStore returns a store with a client of its own.
func dynamoStore(d *servers.Dynamo, prefix string) *dynamostore.Store {
	return &dynamostore.Store{Client: dynamoClient(d, &http.Transport{MaxIdleConnsPerHost: 10}), Table: marksTable, Prefix: prefix}
}

// forgetful loses answers: one of four requests is done, and the client hears of a broken connection. It hears of the next
// attempt.
type forgetful struct {
	n, lost atomic.Int64
}

func (f *forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.Contains(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") || f.n.Add(1)%4 != 0 {
		return resp, err
	}
	resp.Body.Close()
	f.lost.Add(1)
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
}

func TestMarksInDynamo(t *testing.T) {
	d := servers.StartDynamo(t)
	first := dynamoStore(d, "")
	if err := first.Check(t.Context()); err == nil {
		t.Error("a table that is not there is right")
	}
	if err := errors.Join(first.CreateTable(t.Context()), first.CreateTable(t.Context()), first.Check(t.Context())); err != nil {
		t.Fatal(err)
	}
	var places atomic.Int64
	storetest.RunShared(t, func(*testing.T) func() dedupe.Store {
		prefix := fmt.Sprint("place-", places.Add(1))
		return func() dedupe.Store { return dynamoStore(d, prefix) }
	})
	t.Run("many", func(t *testing.T) { manyInDynamo(t, dynamoStore(d, "many")) })
	t.Run("expiring", func(t *testing.T) { expiringInDynamo(t, dynamoStore(d, "expiring")) })
	t.Run("foreign", func(t *testing.T) { foreignInDynamo(t, dynamoStore(d, "")) })
	t.Run("contended", func(t *testing.T) {
		contendInDynamo(t, func() *dynamostore.Store { return dynamoStore(d, "contended") })
	})
	t.Run("contended, answers lost", func(t *testing.T) {
		network := new(forgetful)
		contendInDynamo(t, func() *dynamostore.Store {
			return &dynamostore.Store{Client: dynamoClient(d, network), Table: marksTable, Prefix: "lost"}
		})
		if network.lost.Load() < 10 {
			t.Errorf("%d answers were lost", network.lost.Load())
		}
	})
}

// manyInDynamo has 10,000 keys, and takes the time of 1,000.
func manyInDynamo(t *testing.T, store *dynamostore.Store) {
	m := marker{t, store}
	keys := rowKeys("many", 10_000)
	m.must(keys, 0, 1)
	m.holds(keys, 1)
	m.must(keys[7500:], 1, 2)
	m.holds(keys[:7500], 1)
	m.holds(keys[7500:], 2)
	timed := rowKeys("timed", 1000)
	for _, round := range []string{"inserts", "updates"} {
		from := 0
		if round == "updates" {
			from = 1
		}
		begin := time.Now()
		m.holds(timed, from)
		loaded := time.Now()
		m.must(timed, from, from+1)
		t.Logf("1,000 keys: Load %v, Swap (%s) %v", loaded.Sub(begin).Round(time.Millisecond), round, time.Since(loaded).Round(time.Millisecond))
	}
}

// expiringInDynamo turns on expiry for marks that are there.
func expiringInDynamo(t *testing.T, store *dynamostore.Store) {
	keys := rowKeys("expiring", 60)
	marker{t, store}.must(keys[:30], 0, 1)
	expiring := *store
	expiring.Keep = 24 * time.Hour
	if err := expiring.Check(t.Context()); !errors.Is(err, dynamostore.ErrTable) {
		t.Error("the table expires nothing:", err)
	}
	if err := errors.Join(expiring.CreateTable(t.Context()), expiring.CreateTable(t.Context()), expiring.Check(t.Context())); err != nil {
		t.Fatal(err)
	}
	m := marker{t, &expiring}
	m.must(keys[:30], 1, 2)
	m.must(keys[30:], 0, 2)
	expires := func(want int) {
		t.Helper()
		n, soon, late := 0, fmt.Sprint(time.Now().Add(23*time.Hour).Unix()), fmt.Sprint(time.Now().Add(25*time.Hour).Unix())
		pages := dynamodb.NewScanPaginator(store.Client.(*dynamodb.Client), &dynamodb.ScanInput{
			TableName:        aws.String(marksTable),
			FilterExpression: aws.String("expires BETWEEN :soon AND :late"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":soon": &types.AttributeValueMemberN{Value: soon}, ":late": &types.AttributeValueMemberN{Value: late},
			},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.Items)
		}
		if n != want {
			t.Errorf("%d marks expire in a day, want %d", n, want)
		}
	}
	expires(60)
	// And off.
	marker{t, store}.must(keys[10:50], 2, 3)
	expires(20)
	m.holds(keys[:10], 2)
	m.holds(keys[10:50], 3)
}

// foreignInDynamo has an item that is no mark, and a table that is not one for marks.
func foreignInDynamo(t *testing.T, store *dynamostore.Store) {
	client := store.Client.(*dynamodb.Client)
	keys := rowKeys("foreign", 3)
	m := marker{t, store}
	m.must(keys, 0, 1)
	row := append([]byte{0, 0}, keys[1]...)
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(marksTable), Item: map[string]types.AttributeValue{
		"row": &types.AttributeValueMemberB{Value: row}, "version": &types.AttributeValueMemberS{Value: "1"},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Load(t.Context(), keys, make([]envelope.Version, 3)); !errors.Is(err, dynamostore.ErrItem) {
		t.Error("Load of another item:", err)
	}
	for _, from := range []int{0, 1} {
		if done, err := raise(t, store, keys[1:2], from, 5); err != nil || done != 0 {
			t.Error("Swap of another item:", done, err)
		}
	}

	const other = "texts"
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(other),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("row"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("row"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	wrong := *store
	wrong.Table = other
	for _, err := range []error{wrong.Check(t.Context()), wrong.CreateTable(t.Context())} {
		if !errors.Is(err, dynamostore.ErrTable) {
			t.Error("a table with another key:", err)
		}
	}
	for name, want := range map[string]string{other: "ValidationE", "nowhere": "ResourceNotFound"} {
		wrong.Table = name
		_, swapped := raise(t, &wrong, keys, 0, 1)
		for _, err := range []error{swapped, wrong.Load(t.Context(), keys, make([]envelope.Version, 3))} {
			judgeFailure(t, err, want)
		}
	}
}

// judgeFailure wants an error with a code of the service and without a key.
func judgeFailure(t *testing.T, err error, code string) {
	t.Helper()
	var cause interface{ ErrorCode() string }
	switch {
	case !errors.As(err, &cause), len(cause.ErrorCode()) < len(code), cause.ErrorCode()[:len(code)] != code:
		t.Errorf("got %v, want %s", err, code)
	case strings.Contains(err.Error(), "order_id"):
		t.Error("an error with a key:", err)
	}
}

// contendInDynamo has processes count in the same marks. Of each step one at most is told that it made it; all are, if no
// answer is lost.
func contendInDynamo(t *testing.T, open func() *dynamostore.Store) {
	const processes, steps = 4, 15
	keys := rowKeys("contended", 130) // several requests
	var mu sync.Mutex
	made := map[string]int{}
	var wg sync.WaitGroup
	for range processes {
		store := open()
		wg.Go(func() {
			held := make([]envelope.Version, len(keys))
			for range steps {
				if err := store.Load(t.Context(), keys, held); err != nil {
					t.Error(err)
					return
				}
				swaps := make([]dedupe.Swap, len(keys))
				for i, v := range held {
					swaps[i] = dedupe.Swap{Key: keys[i], Old: v, New: markOf(numberOf(v) + 1)}
				}
				if err := store.Swap(t.Context(), swaps); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i, s := range swaps {
					if s.Done {
						made[fmt.Sprint(i, " from ", numberOf(s.Old))]++
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	held := make([]envelope.Version, len(keys))
	store := open()
	if err := store.Load(t.Context(), keys, held); err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, v := range held {
		total += numberOf(v)
		if made[fmt.Sprint(i, " from ", numberOf(v))] > 0 {
			t.Errorf("the mark of key %d went back to %v", i, v)
		}
	}
	for step, n := range made {
		if n > 1 {
			t.Errorf("%d processes made the step of key %s", n, step)
		}
	}
	lost := 0
	if network, ok := store.Client.(*dynamodb.Client).Options().HTTPClient.(*http.Client).Transport.(*forgetful); ok {
		lost = int(network.lost.Load()) * 25
	}
	if total < steps*len(keys) || len(made) > total || len(made) < total-lost {
		t.Errorf("%d steps were made, and the marks went up %d times", len(made), total)
	}
}

// TestMarksSurviveDynamo kills the server while marks are raised. What was acknowledged is there when it is back.
func TestMarksSurviveDynamo(t *testing.T) {
	d := servers.StartDynamoOnDisk(t)
	if err := dynamoStore(d, "").CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for life := range 2 {
		keys := make([][][]byte, 3)
		var acknowledged [3]int
		var raises atomic.Int64
		var wg sync.WaitGroup
		for w := range keys {
			keys[w] = rowKeys(fmt.Sprint("life", life, "worker", w), 5)
			store := dynamoStore(d, "survive")
			wg.Go(func() {
				for n := 0; ; n++ {
					done, err := raise(t, store, keys[w], n, n+1)
					if err != nil {
						return
					}
					if done != len(keys[w]) {
						t.Errorf("worker %d: %d of %d swaps done", w, done, len(keys[w]))
						return
					}
					acknowledged[w] = n + 1
					raises.Add(1)
				}
			})
		}
		for deadline := time.Now().Add(time.Minute); raises.Load() < 20 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		d.Kill()
		wg.Wait()
		d.Restart()
		m := marker{t, dynamoStore(d, "survive")}
		for w, n := range acknowledged {
			if n == 0 {
				t.Errorf("worker %d raised nothing", w)
			}
			m.holds(keys[w], n, n+1)
		}
	}
}
