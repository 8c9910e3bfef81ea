package route_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What an order makes of each operation in each mode.
func TestAdmission(t *testing.T) {
	type sends struct{ create, read, update, remove string }
	for m, want := range map[route.Mode][5]sends{ // by order_id, at 0 without an Admission
		route.Upsert:  {{"update", "update", "update", "delete"}, {}, {"update", "update", "update", "delete"}, {"update", "update", "update", "delete"}},
		route.Literal: {{"insert", "insert", "update", "delete"}, {}, {"update", "update", "update", "delete"}, {"insert", "insert", "update", "delete"}},
	} {
		for i := range want {
			row := `{"order_id":` + string(rune('0'+i)) + `}`
			for value, operation := range map[string]string{
				string(upsert("c", row, 1)): want[i].create, string(upsert("r", row, 1)): want[i].read,
				string(upsert("u", row, 1)): want[i].update, string(remove(row, 1)): want[i].remove,
			} {
				for _, s := range shapes {
					var seen []outcome
					j := &judge{t: t, says: byID}
					f := firehose(mode(m), observe(&seen), admission(j))
					if i == 0 {
						f.Admission = nil
					}
					expect := answer{ID: "r0", Result: plain, Under: s, Payload: row + "\n", To: "lake.orders", Operation: operation}
					told := route.Outcome{Result: plain, Operation: route.Operation(operation)}
					switch i {
					case 1:
						expect = answer{ID: "r0", Result: dropped}
						told = route.Outcome{Result: dropped, Reason: route.Stale}
					case 4:
						expect = answer{ID: "r0", Result: failed, Under: s, Payload: value}
						told = route.Outcome{Result: failed, Reason: route.NoKey, Err: errNoTelling}
					}
					assert.Equal(t, []answer{expect}, invoke(t, f, s.event([]byte(value))))
					assert.Equal(t, []answer{expect}, handle(t, f, s, []byte(value)))
					require.Len(t, seen, 2)
					told.Table, told.Op, told.Destination = seen[0].Table, seen[0].Op, seen[0].Destination
					assert.Equal(t, outcome{"r0", told}, seen[0])
					assert.Equal(t, seen[0], seen[1])
					for _, q := range j.asked {
						assert.Equal(t, []bool{expect.Result == plain}, q.sent)
					}
				}
			}
		}
	}
	assert.Equal(t, "stale", route.Stale.String())
}

// An Admission is asked of what would be sent with an operation, and of nothing else.
func TestAdmissionIsAsked(t *testing.T) {
	no := func(op, table, row string) []byte { return change(op, table, "null", row, 9) }
	values := [][]byte{
		upsert("c", `{"order_id":3,"v":1}`, 1), // superseded
		[]byte("{"), nil, []byte(`{"ts_ms":1}`),
		upsert("u", `{"order_id":3}`, 2), // asked
		no("u", "log", `{"order_id":3}`), // append-only
		no("d", "log", `{"order_id":3}`), // inexpressible
		no("u", "new", `{"order_id":3}`), // no route
		no("u", "tmp", `{"order_id":3}`), // unwanted
		no("t", "orders", "null"),
		no("u", "orders", `{"order_id":3,"note":`+unavailable+`}`),
		no("u", "orders", `{"v":1}`), // no key
		change("d", "orders", "null", "null", 9),
		remove(`{"order_id":1}`, 3),                                     // asked, stale
		upsert("u", `{"order_id":4}`, 4),                                // asked, no telling
		change("c", "items", "null", `{"order_id":2}`, 5),               // asked
		change("u", "items", "null", `{"order_id":3,"note":null}`, 600), // asked
		change("u", "items", "null", `{"order_id":3}`, 6),               // superseded
	}
	wanted := []int{4, 13, 14, 15, 16}
	const want = "DPDD" + "OOPPDPPPP" + "DPOOD"
	for _, s := range shapes {
		var seen []outcome
		j := &judge{t: t, says: byID}
		f := firehose(byTable, coalescing, observe(&seen), admission(j))
		rules := f.Router
		f.Router = route.Func(func(c *envelope.Change) (route.Destination, error) {
			if c.Table.Name == "tmp" {
				return route.Destination{Drop: true}, nil
			}
			return rules.Route(c)
		})
		assert.Equal(t, want, results(invoke(t, f, s.event(values...))))
		assert.Equal(t, want, results(handle(t, f, s, values...)))
		require.Len(t, j.asked, 2)
		var changes []envelope.Change
		for _, i := range wanted {
			var c envelope.Change
			require.NoError(t, new(envelope.Debezium).Decode(&c, values[i]))
			changes = append(changes, c)
		}
		for _, q := range j.asked {
			assert.Equal(t, changes, q.changes)
			assert.Equal(t, []bool{true, false, false, true, true}, q.sent)
		}
		assert.Equal(t, "update", string(seen[15].Operation), "as new as what was sent")

		// Where there is nothing of that kind, there is nothing to ask.
		for _, none := range [][][]byte{nil, values[1:4], values[5:13]} {
			invoke(t, f, s.event(none...))
			handle(t, f, s, none...)
		}
		assert.Len(t, j.asked, 2)
	}
}

// An Admission that cannot answer fails the event, of which nothing is told, and leaves nothing behind.
func TestAdmissionFails(t *testing.T) {
	cause := errors.New("connection lost")
	values := [][]byte{upsert("u", `{"order_id":3,"v":1}`, 1), []byte("{"), upsert("u", `{"order_id":3,"v":2}`, 2), remove(`{"order_id":2}`, 3), upsert("c", `{"order_id":4}`, 4)}
	next := [][]byte{upsert("c", `{"order_id":3,"v":9}`, 9)}
	for name, j := range map[string]*judge{"order": {unsaid: cause}, "raise": {unraised: cause}} {
		t.Run(name, func(t *testing.T) {
			j.t, j.says = t, byID
			var logged bytes.Buffer
			var seen []outcome
			f := firehose(coalescing, observe(&seen), admission(j))
			f.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			fail := func() {
				response, err := f.Invoke(t.Context(), kinesis.event(values...))
				require.ErrorIs(t, err, cause)
				assert.EqualError(t, err, "route: admission: connection lost")
				assert.False(t, envelope.IsPermanent(err))
				assert.Nil(t, response)
				typed, err := f.Handle(t.Context(), typedEvent(msk, values))
				require.ErrorIs(t, err, cause)
				assert.EqualError(t, err, "route: admission: connection lost")
				assert.Zero(t, typed)
				assert.Empty(t, seen)
				assert.Empty(t, logged.String())
			}
			fail()
			fail()
			require.Len(t, j.asked, 4)
			for _, q := range j.asked {
				assert.Len(t, q.changes, 3)
				assert.Equal(t, j.unraised != nil, q.raised)
			}

			j.unsaid, j.unraised, j.asked = nil, nil, nil
			for range 3 {
				assert.Equal(t, "O", results(invoke(t, f, msk.event(next...))))
				assert.Equal(t, "O", results(handle(t, f, msk, next...)))
			}
			for _, q := range j.asked {
				assert.Len(t, q.changes, 1)
				assert.Equal(t, []bool{true}, q.sent)
			}
			assert.Len(t, seen, 6)
			assert.Equal(t, "DPOOP", results(invoke(t, f, kinesis.event(values...))))
			assert.Equal(t, 2, strings.Count(logged.String(), "record failed"))
		})
	}
}

// What does not fit is not sent, and so nothing is recorded of it. What is stale needs no room.
func TestAdmissionAndLimit(t *testing.T) {
	long := func(n int) string { return `,"v":"` + strings.Repeat("x", n) + `"}` }
	values := [][]byte{
		upsert("u", `{"order_id":3`+long(300), 1),
		upsert("u", `{"order_id":1`+long(900), 2), // stale
		upsert("u", `{"order_id":3`+long(600), 3), // the largest
		upsert("u", `{"order_id":4`+long(800), 4), // no telling
		upsert("u", `{"order_id":2`+long(100), 5),
	}
	for _, c := range []struct {
		limit      int
		want, sent string
		payload    bool // of the one that failed by itself
	}{
		{6000, "ODOPO", "OxOxO", true},
		{2500, "ODOPO", "OxOxO", false},
		{1500, "ODPPO", "OxxxO", false},
		{700, "PDPPO", "xxxxO", false},
		{300, "PDPPP", "xxxxx", false},
	} {
		for _, s := range shapes {
			var seen []outcome
			j := &judge{t: t, says: byID}
			f := firehose(limit(c.limit), observe(&seen), admission(j))
			got := invoke(t, f, s.event(values...))
			assert.Equal(t, c.want, results(got), c.limit)
			assert.Equal(t, c.payload, got[3].Under != "", c.limit)
			assert.Equal(t, got, handle(t, f, s, values...))
			for i, a := range got {
				switch {
				case i == 3:
					assert.Equal(t, route.NoKey, seen[i].Reason)
				case a.Result == failed:
					assert.Equal(t, route.TooLarge, seen[i].Reason)
				case a.Result == plain:
					row := values[i][bytes.Index(values[i], []byte(`"after":`))+8 : bytes.Index(values[i], []byte(`,"source"`))]
					assert.Equal(t, string(row)+"\n", a.Payload)
				}
			}
			for _, q := range j.asked {
				var sent strings.Builder
				for _, is := range q.sent {
					sent.WriteByte("xO"[btoi(is)])
				}
				assert.Equal(t, c.sent, sent.String(), c.limit)
			}
			require.Len(t, j.asked, 2)
		}
	}

	// There is no response at all.
	var seen []outcome
	j := &judge{t: t, says: byID}
	f := firehose(limit(100), observe(&seen), admission(j))
	_, err := f.Invoke(t.Context(), kinesis.event(values...))
	require.EqualError(t, err, "route: the record ids alone exceed the response limit")
	_, err = f.Handle(t.Context(), typedEvent(msk, values))
	require.EqualError(t, err, "route: the record ids alone exceed the response limit")
	require.Len(t, j.asked, 2)
	for _, q := range j.asked {
		assert.False(t, q.raised)
	}
	assert.Empty(t, seen)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// raise comes before anything is told of the answer, which Observe could take for given.
func TestAdmissionIsToldFirst(t *testing.T) {
	j := &judge{t: t}
	f := firehose(admission(j))
	observed := 0
	f.Observe = func(*route.Outcome) {
		observed++
		assert.True(t, j.asked[len(j.asked)-1].raised)
	}
	invoke(t, f, kinesis.event(upsert("u", row, 1), nil))
	handle(t, f, msk, upsert("u", row, 1), nil)
	assert.Equal(t, 4, observed)
}

// raise may be nil.
func TestAdmissionThatRaisesNothing(t *testing.T) {
	f := firehose(mode(route.Literal), func(f *route.Firehose) { f.Admission = silent{} })
	assert.Equal(t, "update", invoke(t, f, kinesis.event(upsert("c", row, 1)))[0].Operation)
	assert.Equal(t, "update", handle(t, f, kinesis, upsert("c", row, 1))[0].Operation)
}

func TestAdmissionContext(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	j := &judge{t: t}
	f := firehose(admission(j))
	_, err := f.Invoke(ctx, kinesis.event(upsert("u", row, 1)))
	require.NoError(t, err)
	_, err = f.Handle(ctx, typedEvent(msk, [][]byte{upsert("u", row, 1)}))
	require.NoError(t, err)
	require.Len(t, j.asked, 2)
	for _, q := range j.asked {
		assert.Equal(t, "value", q.ctx.Value(key{}))
		assert.Equal(t, "value", q.raiseCtx.Value(key{}))
	}
}

// Of several changes of a row an Admission sees the one that Coalesce leaves.
func TestAdmissionAndCoalesce(t *testing.T) {
	one := func(op, id string, n int) []byte { return upsert(op, `{"order_id":`+id+`}`, n) }
	superseded, delivered := route.Superseded, route.Delivered
	for _, c := range []struct {
		name      string
		values    [][]byte
		why       []route.Reason
		operation string // of the one that is sent
		asked     int64  // the position
	}{
		{"newer", [][]byte{one("u", "3", 1), one("u", "3", 3), one("u", "3", 2)}, []route.Reason{superseded, delivered, superseded}, "update", 3},
		{"stale", [][]byte{one("u", "1", 1), one("u", "1", 3), one("u", "1", 2)}, []route.Reason{superseded, route.Stale, superseded}, "", 3},
		{"no telling", [][]byte{one("u", "4", 2), one("c", "4", 3)}, []route.Reason{superseded, route.NoKey}, "", 3},
		{"a newer create alone", [][]byte{one("c", "3", 3)}, []route.Reason{delivered}, "insert", 3},
		{"a newer create after a delete", [][]byte{remove(`{"order_id":3}`, 2), one("c", "3", 3)}, []route.Reason{superseded, delivered}, "update", 3},
		{"a repeated create", [][]byte{one("c", "2", 3)}, []route.Reason{delivered}, "update", 3},
		{"a delete", [][]byte{remove(`{"order_id":2}`, 3), one("c", "2", 2)}, []route.Reason{delivered, superseded}, "delete", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []outcome
			j := &judge{t: t, says: byID}
			f := firehose(coalescing, mode(route.Literal), observe(&seen), admission(j))
			got := invoke(t, f, kinesis.event(c.values...))
			assert.Equal(t, got, handle(t, f, kinesis, c.values...))
			assert.Equal(t, append(c.why, c.why...), reasons(seen))
			var operation string
			for _, a := range got {
				operation += a.Operation
			}
			assert.Equal(t, c.operation, operation)
			for _, q := range j.asked {
				require.Len(t, q.changes, 1)
				assert.Equal(t, (1716369573000+c.asked)*1e6, q.changes[0].Time)
			}
		})
	}
}
