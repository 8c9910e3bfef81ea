package route_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ordersSchema() *envelope.Schema {
	return &envelope.Schema{Name: "orders", Key: []string{"order_id"}, Fields: []envelope.Field{
		{Name: "order_id", Type: tInt},
		{Name: "Note", Type: tText, Optional: true},
		{Name: "day", Type: envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}, Optional: true},
		{Name: "at", Type: envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMillis}, Optional: true},
		{Name: "tags", Type: envelope.Type{Kind: envelope.KindList, Elem: &tText}, Optional: true},
	}}
}

// encoding makes a Firehose encode the rows of orders.
func encoding(e route.Encoder) func(*route.Firehose) {
	return func(f *route.Firehose) {
		f.Encode = &e
		f.Schemas = map[envelope.Table]*envelope.Schema{{Schema: "public", Name: "orders"}: ordersSchema()}
	}
}

func TestFirehoseEncode(t *testing.T) {
	full := `{"order_id":1,"Note":"x","day":19865,"at":1716369573887}`
	for _, c := range []struct {
		name    string
		value   []byte
		encoder route.Encoder
		set     func(*route.Firehose)
		want    string // the row, or the result's first letter
		reason  route.Reason
	}{
		{name: "upsert", value: upsert("u", full, 1), want: `{"order_id":1,"note":"x","day":19865,"at":1716369573887000}`},
		{name: "create", value: upsert("c", full, 1), want: `{"order_id":1,"note":"x","day":19865,"at":1716369573887000}`},
		{name: "append-only", value: upsert("c", full, 1), set: mode(route.AppendOnly), want: `{"order_id":1,"note":"x","day":19865,"at":1716369573887000}`},
		{name: "delete", value: remove(`{"order_id":1,"Note":null,"day":null,"at":null}`, 1), want: `{"order_id":1,"note":null,"day":null,"at":null}`},
		{name: "delete of the key alone", value: remove(`{"order_id":1}`, 1), want: `{"order_id":1}`},
		{name: "delete with a placeholder", value: remove(`{"order_id":1,"Note":`+unavailable+`,"day":1}`, 1), want: `{"order_id":1,"day":1}`},
		{name: "delete with a reference", value: remove(`{"order_id":1,"Note":"__debezium:s3:ref:v1:b|k"}`, 1), want: `{"order_id":1}`},
		{name: "delete that does not fit", value: remove(`{"order_id":1,"day":2147483647}`, 1), want: "P", reason: route.Unfit},
		{name: "delete in an append-only table", value: remove(`{"order_id":1}`, 1), set: mode(route.AppendOnly), want: "P", reason: route.Inexpressible},
		{name: "no image", value: remove("null", 1), want: "P", reason: route.NoImage},
		{name: "no schema", value: change("u", "items", "null", `{"order_id":1}`, 1), want: "P", reason: route.Untyped},
		{name: "no way", value: upsert("u", full, 1), encoder: route.Encoder{Types: map[envelope.Table]map[string]string{orders: {"day": "timestamptz"}}}, want: "P", reason: route.Untyped},
		{name: "unknown column", value: upsert("u", `{"order_id":1,"secret":2}`, 1), want: "P", reason: route.Untyped},
		{name: "unknown column dropped", value: upsert("u", `{"order_id":1,"secret":2}`, 1), encoder: route.Encoder{DropUnknown: true}, want: `{"order_id":1}`},
		{name: "not of its type", value: upsert("u", `{"order_id":"secret"}`, 1), want: "P", reason: route.Untyped},
		{name: "does not fit", value: upsert("u", `{"order_id":1,"day":2147483647}`, 1), want: "P", reason: route.Unfit},
		{name: "does not fit, null", value: upsert("u", `{"order_id":1,"day":2147483647}`, 1), encoder: route.Encoder{Misfit: route.MisfitNull}, want: `{"order_id":1,"day":null}`},
		{name: "types", value: upsert("u", full, 1), encoder: route.Encoder{KeepCase: true, Types: map[envelope.Table]map[string]string{{Schema: "public", Name: "orders"}: {"order_id": "string", "at": "string"}}},
			want: `{"order_id":"1","Note":"x","day":19865,"at":"2024-05-22T09:19:33.887"}`},
		{name: "placeholder", value: upsert("u", `{"order_id":1,"Note":`+unavailable+`}`, 1), want: "P", reason: route.Unavailable},
		{name: "placeholder sent", value: upsert("u", `{"order_id":1,"Note":`+unavailable+`}`, 1), set: func(f *route.Firehose) { f.Unavailable = route.Send }, want: "P", reason: route.Unavailable},
		{name: "placeholder dropped", value: upsert("u", `{"order_id":1,"Note":`+unavailable+`}`, 1), set: func(f *route.Firehose) { f.Unavailable = route.Drop }, want: "D", reason: route.Unavailable},
		{name: "the encoder's placeholder", value: upsert("u", `{"order_id":1,"Note":"<<kept>>"}`, 1), encoder: route.Encoder{Placeholder: envelope.NewPlaceholder("<<kept>>")}, want: "P", reason: route.Unavailable},
		{name: "the encoder's placeholder dropped", value: upsert("u", `{"order_id":1,"Note":"<<kept>>"}`, 1), encoder: route.Encoder{Placeholder: envelope.NewPlaceholder("<<kept>>")},
			set: func(f *route.Firehose) { f.Unavailable = route.Drop }, want: "D", reason: route.Unavailable},
		{name: "list", value: upsert("u", `{"order_id":1,"tags":["a"]}`, 1), want: `{"order_id":1,"tags":"[\"a\"]"}`},
		{name: "nested list", value: upsert("u", `{"order_id":1,"tags":["a"]}`, 1), encoder: route.Encoder{Nested: true}, want: `{"order_id":1,"tags":["a"]}`},
		{name: "another placeholder", value: upsert("u", `{"order_id":1,"Note":"<<kept>>"}`, 1), set: func(f *route.Firehose) { f.Placeholder, f.Unavailable = "<<kept>>", route.Send }, want: "P", reason: route.Unavailable},
		{name: "no placeholder", value: upsert("u", `{"order_id":1,"Note":`+unavailable+`}`, 1), set: func(f *route.Firehose) { f.Placeholder = "<<kept>>" }, want: `{"order_id":1,"note":` + unavailable + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, s := range shapes {
				var seen []outcome
				var logged strings.Builder
				f := firehose(encoding(c.encoder), observe(&seen))
				f.Logger = slog.New(slog.NewTextHandler(&logged, nil))
				if c.set != nil {
					c.set(f)
				}
				got := invoke(t, f, s.event(upsert("u", `{"order_id":2}`, 0), c.value, upsert("u", `{"order_id":3}`, 2)))
				assert.Equal(t, c.reason, seen[1].Reason)
				assert.NotContains(t, strings.ReplaceAll(logged.String(), "/secret", ""), "secret")
				if len(c.want) > 1 {
					assert.Equal(t, c.want+"\n", got[1].Payload)
					assert.NoError(t, seen[1].Err)
				} else {
					assert.Equal(t, c.want, got[1].Result[:1])
					if c.want == "P" {
						assert.Equal(t, string(c.value), got[1].Payload, "the record as it came")
						assert.Contains(t, logged.String(), c.reason.String())
					}
				}
				for i, a := range []answer{got[0], got[2]} {
					if c.name != "no way" && c.encoder.KeepCase == false {
						assert.Equal(t, fmt.Sprintf(`{"order_id":%d}`+"\n", i+2), a.Payload, "its neighbours")
					}
				}
				switch c.reason {
				case route.Unfit:
					_, ok := errors.AsType[*route.MisfitError](seen[1].Err)
					assert.True(t, ok)
				case route.Unavailable:
					assert.EqualError(t, seen[1].Err, "no value in column Note")
				case route.Untyped:
					assert.Error(t, seen[1].Err)
				}
			}
		})
	}
}

// A schema that comes with the record is the record's own, and comes first.
func TestFirehoseEncodeOwnSchema(t *testing.T) {
	decoder := decoderFunc(func(c *envelope.Change, record []byte) error {
		err := new(envelope.Debezium).Decode(c, record)
		c.Schema = typed(tText)
		return err
	})
	f := firehose(encoding(route.Encoder{}), func(f *route.Firehose) { f.NewDecoder = func() envelope.Decoder { return decoder } })
	got := invoke(t, f, kinesis.event(upsert("u", `{"v":"x"}`, 0), upsert("u", `{"order_id":1}`, 0)))
	assert.Equal(t, "OP", results(got))
	assert.Equal(t, "{\"v\":\"x\"}\n", got[0].Payload)
}

// What can be known to be wrong before there is a record is no record's fault.
func TestFirehoseEncodeChecks(t *testing.T) {
	for name, c := range map[string]struct {
		types   map[string]string
		schemas map[envelope.Table]*envelope.Schema
		want    string
	}{
		"spelling":        {map[string]string{"v": "bigint"}, nil, `route: table shop.public.orders, column "v": no such type: "bigint"`},
		"unknown column":  {map[string]string{"w": "long"}, map[envelope.Table]*envelope.Schema{orders: typed(tInt)}, `route: table shop.public.orders, column "w": the schema has no such column`},
		"no way":          {map[string]string{"v": "date"}, map[envelope.Table]*envelope.Schema{orders: typed(tInt)}, `route: table shop.public.orders, column "v": there is no way from int64 to date`},
		"a nil schema":    {map[string]string{"v": "date"}, map[envelope.Table]*envelope.Schema{orders: nil}, ""},
		"nothing is said": {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := firehose()
			f.Encode = &route.Encoder{Types: map[envelope.Table]map[string]string{orders: c.types}}
			f.Schemas = c.schemas
			for range 2 {
				_, err := f.Invoke(t.Context(), kinesis.event())
				_, err2 := f.Handle(t.Context(), route.Event{})
				if c.want == "" {
					require.NoError(t, err)
					require.NoError(t, err2)
					continue
				}
				require.EqualError(t, err, c.want)
				require.EqualError(t, err2, c.want)
				_, ok := errors.AsType[*route.TypesError](err)
				assert.True(t, ok)
			}
		})
	}
	// Without Encode nothing asks for schemas.
	f := firehose()
	f.Schemas = map[envelope.Table]*envelope.Schema{orders: typed(tInt)}
	got := invoke(t, f, kinesis.event(upsert("u", `{"V": 1.0 }`, 0)))
	assert.Equal(t, "{\"V\": 1.0 }\n", got[0].Payload)
}

// A reference into S3 fails a row with an encoder and without, in each of its forms.
func TestFirehoseReference(t *testing.T) {
	const text, bytes = `"__debezium:s3:ref:v1:bucket|secret/key"`, `"X19kZWJleml1bTpzMzpyZWY6djE6YnVja2V0fGtleQ=="`
	for _, reference := range []string{text, bytes} {
		value := upsert("u", `{"order_id":1,"b":[],"Note":`+reference+`}`, 1)
		for policy, want := range map[route.Policy]string{route.Fail: "P", route.Drop: "D", route.Send: "O"} {
			var seen []outcome
			f := firehose(observe(&seen))
			f.Unavailable = policy
			got := invoke(t, f, kinesis.event(value, remove(`{"order_id":1,"Note":`+reference+`}`, 2)))
			assert.Equal(t, want+"O", results(got))
			if policy == route.Send {
				assert.Contains(t, got[0].Payload, reference)
				continue
			}
			assert.Equal(t, route.Unavailable, seen[0].Reason)
			assert.EqualError(t, seen[0].Err, "no value in column Note")
		}
	}
}

// Of two changes of a row in a batch only one that can be encoded takes part.
func TestFirehoseEncodeCoalesce(t *testing.T) {
	f := firehose(encoding(route.Encoder{}))
	f.Coalesce, f.Keys = true, envelope.KeyColumns(map[envelope.Table][]string{orders: {"order_id"}})
	got := invoke(t, f, kinesis.event(
		upsert("u", `{"order_id":1,"day":1}`, 1), upsert("u", `{"order_id":1,"day":2}`, 2), upsert("u", `{"order_id":1,"day":2147483647}`, 3)))
	assert.Equal(t, "DOP", results(got))
	assert.Equal(t, "{\"order_id\":1,\"day\":2}\n", got[1].Payload)
}

// The limit of the response counts what goes out, which can be larger than what came in.
func TestFirehoseEncodeLimit(t *testing.T) {
	f := firehose(encoding(route.Encoder{}))
	value := upsert("u", `{"order_id":1,"at":1716369573887}`, 1)
	response, err := f.Invoke(t.Context(), kinesis.event(value, value))
	require.NoError(t, err)
	f = firehose(encoding(route.Encoder{}), func(f *route.Firehose) { f.MaxResponse = len(response) })
	assert.Equal(t, "OO", results(invoke(t, f, kinesis.event(value, value))))
	f = firehose(encoding(route.Encoder{}), func(f *route.Firehose) { f.MaxResponse = len(response) - 1 })
	assert.Equal(t, "PO", results(invoke(t, f, kinesis.event(value, value))))
}

// The same events from several goroutines, in both ways of asking; rows must not mix.
func TestFirehoseEncodeConcurrent(t *testing.T) {
	f := firehose(encoding(route.Encoder{}))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 20 {
				var values [][]byte
				var event route.Event
				for i := range 50 {
					v := upsert("u", fmt.Sprintf(`{"order_id":%d,"Note":%q}`, g*10000+n*100+i, strings.Repeat("x", i)), i)
					values = append(values, v)
					event.Records = append(event.Records, route.Record{RecordID: id(i), Data: v})
				}
				response, err := f.Invoke(t.Context(), kinesis.event(values...))
				assert.NoError(t, err)
				typed, err := f.Handle(t.Context(), event)
				assert.NoError(t, err)
				for i, a := range answers(t, response) {
					want := fmt.Sprintf(`{"order_id":%d,"note":%q}`+"\n", g*10000+n*100+i, strings.Repeat("x", i))
					assert.Equal(t, want, a.Payload)
					assert.Equal(t, want, string(typed.Records[i].Data))
				}
			}
		})
	}
	wg.Wait()
}
