package route_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The walkthrough's stream: two tables in one topic, captured from a database under load. What Firehose does with the
// answers is done here by a map; at the end it must hold what the database did.
var keyOf = map[string]string{"aurora_cdc.orders": "order_id", "aurora_cdc.products": "product_id"}

func aurora(options ...func(*route.Firehose)) *route.Firehose {
	orders := envelope.Table{DB: "aurora_orders", Schema: "public", Name: "orders"}
	products := envelope.Table{DB: "aurora_orders", Schema: "public", Name: "products"}
	f := firehose(options...)
	f.Router = &route.Rules{Database: "aurora_cdc", Tables: map[envelope.Table]route.Destination{orders: {}, products: {}}}
	f.Keys = envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}, products: {"product_id"}})
	return f
}

// A lake holds rows by "database.table key", as columns with their values in JSON.
type lake map[string]map[string]string

// apply does what an answer says. It returns false for a dropped record.
func (l lake) apply(t tb, a answer) bool {
	if a.Result == "Dropped" {
		return false
	}
	require.Equal(t, "Ok", a.Result, a.ID)
	all, ok := members([]byte(a.Payload))
	require.True(t, ok)
	columns := map[string]string{}
	for _, m := range all {
		columns[m.Name] = string(m.Value)
	}
	key := columns[keyOf[a.To]]
	require.NotEmpty(t, key, "a row of %s without its key", a.To)
	switch a.Operation {
	case "update":
		l[a.To+" "+key] = columns
	case "delete":
		delete(l, a.To+" "+key)
	default:
		t.Fatalf("%s: operation %q", a.ID, a.Operation)
	}
	return true
}

// truth returns the rows of the database at the end, with the values as the connector spells them: numbers of the
// integer columns, µs of the timestamps, text of the rest.
func truth(t tb) lake {
	integers := []string{"order_id", "customer_id", "product_id", "stock_quantity"}
	l := lake{}
	for _, line := range lines[struct {
		Table string
		Row   map[string]*string
		Canon map[string]string
	}](t, "aurora-orders.truth") {
		columns := map[string]string{}
		for name, text := range line.Row {
			micros, timestamp := line.Canon[name]
			switch {
			case text == nil:
				columns[name] = "null"
			case timestamp:
				columns[name] = micros
			case slices.Contains(integers, name):
				columns[name] = *text
			default:
				columns[name] = string(marshal(t, *text))
			}
		}
		table := "aurora_cdc" + line.Table[len("public"):]
		l[table+" "+columns[keyOf[table]]] = columns
	}
	return l
}

// wrong returns how many rows differ. Strings are compared by what they say, numbers by their digits.
func (l lake) wrong(t tb, want lake) (n int) {
	same := func(a, b map[string]string) bool {
		return maps.EqualFunc(a, b, func(v, w string) bool {
			if v == w {
				return true
			}
			var x, y string
			return json.Unmarshal([]byte(v), &x) == nil && json.Unmarshal([]byte(w), &y) == nil && x == y
		})
	}
	for name, row := range want {
		if got, ok := l[name]; !ok || !same(got, row) {
			n++
		}
	}
	for name := range l {
		if _, ok := want[name]; !ok {
			n++
		}
	}
	return n
}

// batches answers the stream in batches.
func batches(t tb, f *route.Firehose, s shape, values [][]byte, size int) (all [][]answer) {
	for batch := range slices.Chunk(values, size) {
		got := invoke(t, f, s.event(batch...))
		require.Len(t, got, len(batch))
		for i, a := range got {
			require.Equal(t, id(i), a.ID)
		}
		all = append(all, got)
	}
	return all
}

func TestPipeline(t *testing.T) {
	values, want := captured(t, "aurora-orders.records"), truth(t)
	require.Len(t, values, 345)
	require.Len(t, want, 123)
	for _, s := range shapes {
		for _, size := range []int{1, 7, 100, len(values)} {
			for _, coalesce := range []bool{false, true} {
				t.Run(fmt.Sprint(s, " ", size, " ", coalesce), func(t *testing.T) {
					f := aurora()
					f.Coalesce = coalesce
					once, twice := lake{}, lake{}
					dropped := 0
					for _, batch := range batches(t, f, s, values, size) {
						for _, a := range batch {
							if !once.apply(t, a) {
								dropped++
							}
						}
						for range 2 { // Firehose delivers at least once
							for _, a := range batch {
								twice.apply(t, a)
							}
						}
					}
					assert.Zero(t, once.wrong(t, want))
					assert.Zero(t, twice.wrong(t, want), "each batch twice")
					assert.Equal(t, coalesce && size > 1, dropped > 0, "%d dropped", dropped)
				})
			}
		}
	}
}

// A stream that is replayed, from any point on to its end, leaves the same rows.
func TestReplay(t *testing.T) {
	values, want := captured(t, "aurora-orders.records"), truth(t)
	for coalesce, step := range map[bool]int{false: 1, true: 6} {
		f := aurora()
		f.Coalesce = coalesce
		l := lake{}
		older := false // a replay shows older rows on its way
		for from := 0; from < len(values); from += step {
			for _, batch := range batches(t, f, kinesis, values[from:], 40+from) {
				for _, a := range batch {
					l.apply(t, a)
				}
				older = older || from > 0 && l.wrong(t, want) > 0
			}
			require.Zero(t, l.wrong(t, want), "replayed from record %d", from)
		}
		assert.True(t, older, "nothing was replayed")
	}
}

// Firehose keeps no order within a delivery. That is what Coalesce is for, and nothing else helps.
func TestDeliveryWithoutOrder(t *testing.T) {
	values, want := captured(t, "aurora-orders.records"), truth(t)
	const trials = 25
	for _, size := range []int{20, 100, len(values)} {
		wrong := map[bool]int{}
		for _, coalesce := range []bool{false, true} {
			f := aurora()
			f.Coalesce = coalesce
			all := batches(t, f, msk, values, size)
			for seed := range uint64(trials) {
				rng := rand.New(rand.NewPCG(seed, 1))
				l := lake{}
				for _, batch := range all {
					for _, i := range rng.Perm(len(batch)) {
						l.apply(t, batch[i])
					}
				}
				if l.wrong(t, want) > 0 {
					wrong[coalesce]++
				}
			}
		}
		assert.Zero(t, wrong[true], "batches of %d: wrong with Coalesce", size)
		assert.Positive(t, wrong[false], "batches of %d: the stream is too easy for this test", size)
	}
}

// The records of a batch may also come in any order; then Coalesce sends the same rows.
func TestArrivalWithoutOrder(t *testing.T) {
	values, want := captured(t, "aurora-orders.records"), truth(t)
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 2))
		shuffled := slices.Clone(values)
		shuffled = append(shuffled, values[:rng.IntN(len(values))]...) // some of them again
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		f := aurora()
		f.Coalesce = true
		l := lake{}
		for _, a := range invoke(t, f, msk.event(shuffled...)) {
			l.apply(t, a)
		}
		require.Zero(t, l.wrong(t, want), "seed %d", seed)
	}
}

// A row goes out byte for byte as the connector sent it.
func TestRowsAreUntouched(t *testing.T) {
	values := captured(t, "aurora-orders.records")
	for i, a := range invoke(t, aurora(), msk.event(values...)) {
		image, ok := bytes.CutSuffix([]byte(a.Payload), []byte("\n"))
		require.True(t, ok)
		require.Equal(t, string(rowImage(t, values[i])), string(image))
		require.True(t, bytes.Contains(values[i], image))
	}
}
