package route_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One Firehose answers many events at a time, each as it does alone. With -race this is also the test that nothing is
// shared that must not be.
func TestConcurrent(t *testing.T) {
	var decoders, observed atomic.Int64
	keys := func(f *route.Firehose) {
		f.Coalesce = true
		f.Keys = func(dst []byte, c *envelope.Change) ([]byte, error) { return c.AppendKey(dst, "order_id") }
	}
	f := firehose(keys)
	f.Router = &route.Rules{Database: "lake", Patterns: []route.Pattern{{Name: "new_*", To: route.Destination{Table: "{schema}_{table}"}}}, Default: &route.Destination{}}
	f.Observe = func(o *route.Outcome) { observed.Add(int64(len(o.RecordID))) }
	f.NewDecoder = func() envelope.Decoder {
		decoders.Add(1)
		return new(envelope.Debezium)
	}
	type pair struct {
		event, want []byte
		typed       route.Event
	}
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]pair, 40)
	for i := range all {
		var values [][]byte
		var ev route.Event
		for k := range rng.IntN(60) {
			v := change([]string{"c", "u"}[rng.IntN(2)], []string{"orders", "items", fmt.Sprint("new_", i)}[rng.IntN(3)], "null", fmt.Sprintf(`{"order_id":%d,"from":%d}`, rng.IntN(20), i), k)
			if rng.IntN(10) == 0 {
				v = v[:rng.IntN(len(v))]
			}
			values = append(values, v)
			ev.Records = append(ev.Records, route.Record{RecordID: id(k), Data: v})
		}
		event := kinesis.event(values...)
		want, err := firehose(keys, func(g *route.Firehose) { g.Router = f.Router }).Invoke(t.Context(), event)
		require.NoError(t, err)
		all[i] = pair{event, want, ev}
	}
	broken := []byte(`{"records":[{"recordId":"r0","data":"bnVsbA=="},`)

	var group sync.WaitGroup
	const workers = 16
	for w := range workers {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			for range 60 {
				p := all[rng.IntN(len(all))]
				switch rng.IntN(8) {
				case 0:
					response, err := f.Invoke(t.Context(), broken)
					assert.Error(t, err)
					assert.Nil(t, response)
				case 1:
					typed, err := f.Handle(t.Context(), p.typed)
					assert.NoError(t, err)
					assert.Len(t, typed.Records, len(p.typed.Records))
				default:
					response, err := f.Invoke(t.Context(), p.event)
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(p.want, response), "an answer to another event")
				}
			}
		})
	}
	group.Wait()
	assert.Positive(t, observed.Load())
	assert.Positive(t, decoders.Load())
	assert.LessOrEqual(t, decoders.Load(), int64(workers*60), "no more than one for each event")
}
