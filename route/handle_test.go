package route_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawEvent draws an event of all sorts of records, of which all payloads have one name.
func drawEvent(t *rapid.T) route.Event {
	ev := route.Event{InvocationID: "2b4d1ad9", DeliveryStreamARN: "arn:aws:firehose", Region: "us-east-1"}
	s := rapid.SampledFrom(shapes[:]).Draw(t, "shape")
	for i := range rapid.IntRange(0, 10).Draw(t, "records") {
		row := rapid.SampledFrom([]string{`{"order_id":1}`, `{"order_id":2,"v":"` + strings.Repeat("é", 100) + `"}`, `{"v":1}`, `{"order_id":1,"v":` + unavailable + `}`, "{}"}).Draw(t, "row")
		n := rapid.IntRange(1, 5).Draw(t, "position")
		value := rapid.SampledFrom([][]byte{
			upsert("c", row, n), upsert("u", row, n), upsert("r", row, n), upsert("x", row, n), remove(row, n), remove("null", n),
			change("u", "items", "null", row, n), change("u", "log", "null", row, n), change("d", "log", row, "null", n), change("u", "new", "null", row, n),
			change("t", "orders", "null", "null", n), []byte(`{"ts_ms":1}`), []byte(row), []byte("null"), []byte("\xff"), {}, nil,
		}).Draw(t, "value")
		r := route.Record{RecordID: rapid.SampledFrom([]string{"", "49", `"\`, "é€😀", "a<&>b", strings.Repeat("i", 100)}).Draw(t, "id") + fmt.Sprint(i), ApproximateArrivalTimestamp: 1716369573887}
		if s == kinesis {
			r.Data = value
		} else {
			r.KafkaRecordValue = value
		}
		ev.Records = append(ev.Records, r)
	}
	return ev
}

// marshal writes v as encoding/json does, without the escapes that are for HTML only.
func marshal(t tb, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(v))
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Handle and Invoke say the same of the same event.
func TestHandleIsInvoke(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvent(t)
		event := marshal(t, ev)
		if ev.Records == nil {
			event = []byte(`{"records":[]}`)
		}
		options := []func(*route.Firehose){byTable, coalescing}
		policy := rapid.SampledFrom([]route.Policy{route.Fail, route.Drop, route.Send})
		unavailable, truncate := policy.Draw(t, "unavailable"), policy.Draw(t, "truncate")
		keys, coalesce := rapid.Bool().Draw(t, "keys"), rapid.Bool().Draw(t, "coalesce")
		most := rapid.SampledFrom([]int{0, 300, 1000, 3000}).Draw(t, "limit")
		build := func(seen *[]outcome) *route.Firehose {
			f := firehose(append(options, limit(most), observe(seen))...)
			f.Unavailable, f.Truncate, f.Coalesce = unavailable, truncate, coalesce
			if !coalesce && !keys {
				f.Keys = nil
			}
			return f
		}
		var invoked, handled []outcome
		response, err := build(&invoked).Invoke(t.Context(), event)
		typed, failed := build(&handled).Handle(t.Context(), ev)
		if err != nil {
			require.EqualError(t, failed, err.Error())
			require.Zero(t, typed)
			return
		}
		require.NoError(t, failed)
		var want route.Response
		require.NoError(t, json.Unmarshal(response, &want))
		require.Empty(t, cmp.Diff(want, typed, cmpopts.EquateEmpty()))
		// Written by encoding/json it says what Invoke's says, and is no longer.
		again := marshal(t, typed)
		require.LessOrEqual(t, len(again), len(response))
		require.Empty(t, cmp.Diff(answers(t, response), answers(t, again), cmp.Transformer("empty", func(a answer) answer {
			if a.Payload == "" { // encoding/json leaves an empty payload out
				a.Under = ""
			}
			return a
		})))
		for i := range invoked {
			require.Equal(t, errorText(invoked[i].Err), errorText(handled[i].Err))
			invoked[i].Err, handled[i].Err = nil, nil
			var name string // Invoke gives the id as it is spelled in the event
			require.NoError(t, json.Unmarshal([]byte(`"`+invoked[i].ID+`"`), &name))
			require.Equal(t, ev.Records[i].RecordID, name)
		}
		require.Equal(t, invoked, handled)
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What Handle returns stays as it is when the event and the Firehose's own memory are used again.
func TestHandleDoesNotAlias(t *testing.T) {
	values := [][]byte{upsert("u", row, 1), remove(row, 2), []byte(`{"broken`), nil, upsert("c", `{"v":`+unavailable+`}`, 3)}
	for _, s := range shapes {
		f := firehose()
		event := func() (ev route.Event) {
			for i, v := range values {
				r := route.Record{RecordID: id(i), Data: bytes.Clone(v)}
				if s == msk {
					r.Data, r.KafkaRecordValue = nil, r.Data
				}
				ev.Records = append(ev.Records, r)
			}
			return ev
		}
		ev := event()
		got, err := f.Handle(t.Context(), ev)
		require.NoError(t, err)
		want := marshal(t, got)
		for _, r := range ev.Records {
			for _, b := range [][]byte{r.Data, r.KafkaRecordValue} {
				for i := range b {
					b[i] = '#'
				}
			}
		}
		other := event()
		for i := range other.Records {
			other.Records[i].RecordID = "other"
		}
		_, err = f.Handle(t.Context(), other)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(marshal(t, got)))
		assert.Equal(t, "OOPDP", results(answers(t, want)))

		// Nor does what it returns lead back.
		for _, a := range got.Records {
			for _, b := range [][]byte{a.Data, a.KafkaRecordValue} {
				clear(b[:cap(b)])
			}
		}
		again, err := f.Handle(t.Context(), event())
		require.NoError(t, err)
		assert.Equal(t, string(want), string(marshal(t, again)))
	}
}

// Nor does a decoder whose rows have room behind them make the Firehose write there.
func TestRowsWithRoomBehind(t *testing.T) {
	f := firehose()
	f.NewDecoder = func() envelope.Decoder {
		return decoderFunc(func(c *envelope.Change, record []byte) error {
			*c = envelope.Change{Op: envelope.OpCreate, Table: envelope.Table{Name: "t"}, After: record[:len(`{"a":1}`)]}
			return nil
		})
	}
	value := []byte(`{"a":1}{"b":2}`)
	got, err := f.Handle(t.Context(), route.Event{Records: []route.Record{{RecordID: "r0", Data: value}, {RecordID: "r1", Data: value}}})
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}{"b":2}`, string(value))
	got.Records[0].Data[1] = '#'
	assert.Equal(t, `{"a":1}{"b":2}`, string(value))
	for _, a := range invoke(t, f, kinesis.event(value, value)) {
		assert.Equal(t, "{\"a\":1}\n", a.Payload)
	}
}

// The same of Invoke.
func TestInvokeDoesNotAlias(t *testing.T) {
	f := firehose()
	event := kinesis.event(upsert("u", row, 1), []byte(`{"broken`), remove(row, 2))
	first, err := f.Invoke(t.Context(), bytes.Clone(event))
	require.NoError(t, err)
	want := bytes.Clone(first)
	used := bytes.Clone(event)
	second, err := f.Invoke(t.Context(), used)
	require.NoError(t, err)
	for i := range used {
		used[i] = '#'
	}
	_, err = f.Invoke(t.Context(), kinesis.event(upsert("u", `{"other":"`+strings.Repeat("x", 500)+`"}`, 1)))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(first))
	assert.Equal(t, string(want), string(second))
	clear(first[:cap(first)])
	third, err := f.Invoke(t.Context(), event)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(third))
}
