package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
)

const shard = "shardId-000000000000"

// numbered returns a service with n records in one shard, whose sequence numbers
// count from 100 on.
func numbered(n int) *fake {
	f := &fake{shards: make(map[string][]dsql.Record), trimmed: make(map[string]int), answer: 3}
	for i := range n {
		f.shards[shard] = append(f.shards[shard], dsql.Record{
			Sequence: fmt.Sprint(100 + i), Arrival: time.Unix(int64(i), 0), Data: fmt.Appendf(nil, `{"n":%d}`, i),
		})
	}
	return f
}

// sequences reads from record 4 on, for a failure of n records.
func sequences(ctx context.Context, t *testing.T, api *fake, n int) (got []string, err error) {
	t.Helper()
	r := reader{api: api, log: slog.New(slog.DiscardHandler)}
	for record, err := range r.read(n)(ctx, arn, shard, "104") {
		if err != nil {
			return got, err
		}
		want := api.shards[shard][4+len(got)]
		if record.Shard != shard || string(record.Data) != string(want.Data) || !record.Arrival.Equal(want.Arrival) {
			t.Errorf("got %+v, want %+v", record, want)
		}
		got = append(got, record.Sequence)
	}
	return got, nil
}

func sometimes(operation string, err error) func(string, int) error {
	return func(called string, call int) error {
		if called == operation && call%3 != 0 {
			return err
		}
		return nil
	}
}

func expires(operation string, call int) error {
	if operation == "GetRecords" && call%4 == 0 {
		return &types.ExpiredIteratorException{}
	}
	return nil
}

func TestRead(t *testing.T) {
	throttled := &types.ProvisionedThroughputExceededException{}
	for name, change := range map[string]func(*fake){
		"pages":               func(*fake) {},
		"closed":              func(f *fake) { f.closed = true },
		"empty answers":       func(f *fake) { f.empty = 3 },
		"at the tip, and on":  func(f *fake) { f.tip = true },
		"throttled":           func(f *fake) { f.fail = sometimes("GetRecords", throttled) },
		"throttled iterators": func(f *fake) { f.fail = sometimes("GetShardIterator", throttled) },
		"throttled keys":      func(f *fake) { f.fail = sometimes("GetRecords", &types.KMSThrottlingException{}) },
		"network": func(f *fake) {
			f.fail = sometimes("GetRecords", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
		},
		"expired":                func(f *fake) { f.fail = expires },
		"expired, empty answers": func(f *fake) { f.empty, f.fail = 1, expires },
	} {
		for _, records := range []int{5, 6, 16} {
			synctest.Test(t, func(t *testing.T) {
				api := numbered(records)
				change(api)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				got, err := sequences(ctx, t, api, 4)
				if err != nil || ctx.Err() != nil || len(got) != records-4 || got[0] != "104" || !slices.IsSorted(got) {
					t.Errorf("%s, %d records: got %s, %v, %v", name, records, got, err, ctx.Err())
				}
			})
		}
	}
}

// A shard gives five answers and 2 MB a second.
func TestReadSpares(t *testing.T) {
	for n, limit := range map[int]int32{0: 1, 1: 1, 7: 7, 20_000: 10_000} {
		synctest.Test(t, func(t *testing.T) {
			api := numbered(20)
			api.empty = 4
			begin := time.Now()
			if _, err := sequences(t.Context(), t, api, n); err != nil {
				t.Fatal(err)
			}
			if api.limits[0] != limit {
				t.Errorf("%d records: the limit is %d", n, api.limits[0])
			}
			if most := 5 * (1 + time.Since(begin).Seconds()); float64(api.calls["GetRecords"]) > most {
				t.Errorf("%d answers in %s", api.calls["GetRecords"], time.Since(begin))
			}
		})
	}
}

func TestReadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := errors.New("AccessDeniedException")
		for _, operation := range []string{"GetShardIterator", "GetRecords"} {
			api := numbered(9)
			api.fail = sometimes(operation, denied)
			if got, err := sequences(t.Context(), t, api, 4); !errors.Is(err, denied) || len(got) > 0 || api.calls[operation] != 1 {
				t.Errorf("%s: got %s, %v", operation, got, err)
			}
		}

		// Throttling that does not end ends with the context, and goes easy on the shard.
		api := numbered(9)
		api.fail = func(operation string, call int) error {
			if operation == "GetRecords" && call > 1 {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		begin := time.Now()
		if got, err := sequences(ctx, t, api, 4); err != nil || len(got) != 3 || time.Since(begin) != 10*time.Minute || api.calls["GetRecords"] > 150 {
			t.Errorf("got %s, %v after %s and %d calls", got, err, time.Since(begin), api.calls["GetRecords"])
		}
	})
}

// While an iterator expires, records can leave the stream. What is behind them
// must not come as if it followed.
func TestReadGone(t *testing.T) {
	for _, trimmed := range []int{7, 9} {
		synctest.Test(t, func(t *testing.T) {
			api := numbered(9)
			api.fail = func(operation string, call int) error {
				if operation == "GetRecords" && call == 2 {
					api.trimmed[shard] = trimmed
					return &types.ExpiredIteratorException{}
				}
				return nil
			}
			if got, err := sequences(t.Context(), t, api, 4); !errors.Is(err, dsql.ErrGone) || len(got) != 3 {
				t.Errorf("%d records have gone: got %s, %v", trimmed, got, err)
			}
		})
	}
}
