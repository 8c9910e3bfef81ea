//go:build !race

// The race detector makes allocations of its own, and under it sync.Pool forgets on purpose.

package route_test

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func allocatingEvent(s shape) []byte {
	var values [][]byte
	for i := range 300 {
		row := fmt.Sprintf(`{"order_id":%d,"customer_id":%d,"status":"PAID","total_amount":"%d.50"}`, i, i%7, i)
		table := []string{"orders", "items", "customers", "invoices"}[i%4]
		switch i % 10 {
		case 3:
			values = append(values, change("d", table, row, "null", i))
		case 6:
			values = append(values, nil)
		default:
			values = append(values, change([]string{"c", "u", "r"}[i%3], table, "null", row, i))
		}
	}
	return s.event(values...)
}

// In the steady state an event costs its response and a handful of allocations more, however many records it has.
func TestInvokeAllocations(t *testing.T) {
	for _, s := range shapes {
		f := firehose()
		event := allocatingEvent(s)
		require.Len(t, invoke(t, f, event), 300)
		got := testing.AllocsPerRun(50, func() {
			response, err := f.Invoke(t.Context(), event)
			if err != nil || len(response) < 30_000 {
				t.Fatal(err, len(response))
			}
		})
		assert.LessOrEqual(t, got, 1+5.0, "one is the response")
	}
}

// So it does when the rows are encoded.
func TestEncodeAllocations(t *testing.T) {
	event := allocatingEvent(msk)
	f := firehose()
	f.Encode, f.Schemas = new(route.Encoder), map[envelope.Table]*envelope.Schema{}
	for _, name := range []string{"orders", "items", "customers", "invoices"} {
		f.Schemas[table("shop", "public", name)] = &envelope.Schema{Fields: []envelope.Field{
			{Name: "order_id", Type: tInt}, {Name: "customer_id", Type: tInt}, {Name: "status", Type: tText}, {Name: "total_amount", Type: tDecimal},
		}}
	}
	require.NotContains(t, results(invoke(t, f, event)), "P")
	got := testing.AllocsPerRun(50, func() {
		response, err := f.Invoke(t.Context(), event)
		if err != nil || len(response) < 30_000 {
			t.Fatal(err, len(response))
		}
	})
	assert.LessOrEqual(t, got, 1+5.0, "one is the response")
}

// The records do not count: a hundred times as many cost as many allocations.
func TestInvokeAllocationsPerRecord(t *testing.T) {
	f := firehose()
	allocations := func(n int) float64 {
		var values [][]byte
		for i := range n {
			values = append(values, upsert("u", fmt.Sprintf(`{"order_id":%d}`, i), i))
		}
		event := kinesis.event(values...)
		return testing.AllocsPerRun(50, func() {
			if _, err := f.Invoke(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		})
	}
	assert.LessOrEqual(t, allocations(1000), allocations(10)+1)
}

func TestRulesAllocations(t *testing.T) {
	r := &route.Rules{Database: "lake", Lower: true,
		Tables:   map[envelope.Table]route.Destination{table("shop", "public", "orders"): {Table: "{db}_{table}"}},
		Patterns: []route.Pattern{{Name: "i*", To: route.Destination{Table: "{schema}_{table}"}}, {Name: "tmp*", To: route.Destination{Drop: true}}},
	}
	for name, c := range map[string]*envelope.Change{
		"exact":   {Table: table("shop", "public", "orders")},
		"pattern": {Table: table("shop", "public", "items")},
		"drop":    {Table: table("shop", "public", "tmp1")},
		"error":   {Table: table("shop", "public", "new")},
	} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = r.Route(c) }), name)
	}
}
