package route_test

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func coalescing(f *route.Firehose) {
	f.Coalesce = true
	f.Keys = envelope.KeyColumns(map[envelope.Table][]string{
		{DB: "shop", Schema: "public", Name: "orders"}: {"order_id"},
		{DB: "shop", Schema: "public", Name: "items"}:  {"order_id"},
	})
}

// tied is a change of a source that knows only the commit time.
func tied(op, after string) []byte {
	return fmt.Appendf(nil, `{"op":%q,"before":null,"after":%s,"source":{"db":"shop","schema":"public","table":"orders","ts_ms":1716369573887}}`, op, after)
}

func TestCoalesce(t *testing.T) {
	one := func(n int) []byte { return upsert("u", fmt.Sprintf(`{"order_id":1,"v":%d}`, n), n) }
	lacking := upsert("u", `{"order_id":1,"note":`+unavailable+`}`, 9)
	for _, c := range []struct {
		name   string
		values [][]byte
		want   string // results
		why    []route.Reason
	}{
		{"in order", [][]byte{one(1), one(2), one(3)}, "DDO", nil},
		{"out of order", [][]byte{one(3), one(1), one(2)}, "ODD", nil},
		{"twice", [][]byte{one(1), one(1)}, "DO", nil},
		{"a tie", [][]byte{tied("u", `{"order_id":1,"v":1}`), tied("u", `{"order_id":1,"v":2}`)}, "DO", nil},
		{"a delete", [][]byte{remove(`{"order_id":1}`, 2), one(1)}, "OD", nil},
		{"a row again", [][]byte{one(1), remove(`{"order_id":1}`, 2), upsert("c", `{"order_id":1}`, 3)}, "DDO", nil},
		{"other keys", [][]byte{one(1), upsert("u", `{"order_id":2}`, 2), upsert("u", `{"order_id":"1"}`, 3)}, "OOO", nil},
		{"one key, two spellings", [][]byte{one(1), upsert("u", `{"\u006frder_id":1.0}`, 2)}, "DO", nil},
		{"other tables", [][]byte{one(1), change("u", "items", "null", `{"order_id":1}`, 2)}, "OO", nil},
		{"a table without keys", [][]byte{change("u", "log", "null", `{"order_id":1}`, 1), change("u", "log", "null", `{"order_id":1}`, 1)}, "PP", []route.Reason{route.NoKey, route.NoKey}},
		{"failed takes no part", [][]byte{one(1), lacking, one(2)}, "DPO", []route.Reason{route.Superseded, route.Unavailable, route.Delivered}},
		{"older than a failed one", [][]byte{lacking, one(1)}, "PO", []route.Reason{route.Unavailable, route.Delivered}},
		{"undecodable between", [][]byte{one(1), []byte("{"), nil, one(2)}, "DPDO", []route.Reason{route.Superseded, route.Undecodable, route.NotARow, route.Delivered}},
		{"a truncate between", [][]byte{one(1), change("t", "orders", "null", "null", 2), one(3)}, "DPO", []route.Reason{route.Superseded, route.Truncated, route.Delivered}},
		{"an upsert without key", [][]byte{one(1), upsert("u", `{"v":2}`, 2), upsert("u", `{"order_id":1,"order_id":2}`, 3)}, "OPP", []route.Reason{route.Delivered, route.NoKey, route.NoKey}},
		{"a delete without key", [][]byte{one(1), remove(`{"v":2}`, 2)}, "OP", []route.Reason{route.Delivered, route.NoKey}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []outcome
			got := invoke(t, firehose(coalescing, observe(&seen)), kinesis.event(c.values...))
			assert.Equal(t, c.want, results(got))
			if c.why != nil {
				assert.Equal(t, c.why, reasons(seen))
			}
			for i, o := range seen {
				if o.Reason == route.Superseded {
					assert.Equal(t, outcome{ID: id(i), Outcome: route.Outcome{Table: o.Table, Op: o.Op, Destination: o.Destination, Result: route.Dropped, Reason: route.Superseded}}, o)
				}
			}
		})
	}
	f := firehose(coalescing)
	for range 3 { // what came in one event does not count in the next
		assert.Equal(t, "DO", results(invoke(t, f, kinesis.event(one(8), one(9)))))
		assert.Equal(t, "O", results(invoke(t, f, kinesis.event(one(1)))))
	}
}

// Rows of an append-only table are all wanted.
func TestCoalesceAppendOnly(t *testing.T) {
	f := firehose(coalescing, mode(route.AppendOnly))
	value := upsert("u", `{"order_id":1}`, 1)
	assert.Equal(t, "OOO", results(invoke(t, f, msk.event(value, value, upsert("u", `{"no key":1}`, 1)))))
}

// A create that stands for dropped changes too may find the row in the table: one of them can have been its delete. An
// insert would then be a second row of that key.
func TestCoalesceLiteral(t *testing.T) {
	create, gone := upsert("c", `{"order_id":1,"v":3}`, 3), remove(`{"order_id":1}`, 2)
	read := upsert("r", `{"order_id":1,"v":3}`, 3)
	for _, c := range []struct {
		name   string
		values [][]byte
		want   []string
	}{
		{"a create", [][]byte{create}, []string{"insert"}},
		{"a read", [][]byte{read}, []string{"insert"}},
		{"delete, create", [][]byte{gone, create}, []string{"", "update"}},
		{"create, delete before it", [][]byte{create, gone}, []string{"update", ""}},
		{"update, read", [][]byte{upsert("u", `{"order_id":1}`, 1), read}, []string{"", "update"}},
		{"a create in a table without keys", [][]byte{change("c", "log", "null", `{"order_id":1}`, 1)}, []string{"insert"}},
		{"an update in a table without keys", [][]byte{change("u", "log", "null", `{"order_id":1}`, 1)}, []string{""}},
		{"other rows", [][]byte{create, upsert("c", `{"order_id":2}`, 1)}, []string{"insert", "insert"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, a := range invoke(t, firehose(coalescing, mode(route.Literal)), kinesis.event(c.values...)) {
				got = append(got, a.Operation)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// Of each row the newest change is sent, in whatever order they come and whatever comes between them.
func TestCoalesceAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type drawn struct {
			row   string
			n     int
			value []byte
		}
		var all []drawn
		for n := range rapid.IntRange(1, 12).Draw(t, "changes") {
			table := rapid.SampledFrom([]string{"orders", "items"}).Draw(t, "table")
			key := rapid.SampledFrom([]string{`{"order_id":1}`, `{"order_id":2}`, `{"order_id":"1"}`}).Draw(t, "key")
			op := rapid.SampledFrom([]string{"c", "u", "d"}).Draw(t, "op")
			value := change(op, table, "null", key, n+1)
			if op == "d" {
				value = change(op, table, key, "null", n+1)
			}
			all = append(all, drawn{table + key, n + 1, value})
		}
		all = rapid.Permutation(all).Draw(t, "order")
		newest := map[string]int{}
		var values [][]byte
		for _, d := range all {
			newest[d.row] = max(newest[d.row], d.n)
			values = append(values, d.value)
		}
		want := make([]byte, len(all))
		for i, d := range all {
			want[i] = 'D'
			if d.n == newest[d.row] {
				want[i] = 'O'
			}
		}
		got := invoke(t, firehose(coalescing), kinesis.event(values...))
		require.Equal(t, string(want), results(got))
		for i, a := range got {
			require.Equal(t, id(i), a.ID)
		}
	})
}
