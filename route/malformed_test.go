package route_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var malformed = []struct {
	name, event string
	cause       error
	path        string
}{
	{"nothing", ``, envelope.ErrSyntax, ""},
	{"space", ` `, envelope.ErrSyntax, ""},
	{"null", `null`, envelope.ErrType, ""},
	{"array", `[{"recordId":"r0"}]`, envelope.ErrType, ""},
	{"text", `"records"`, envelope.ErrType, ""},
	{"no records", `{}`, envelope.ErrMissing, "/records"},
	{"other members", `{"invocationId":"x","Records":[]}`, envelope.ErrMissing, "/records"},
	{"null records", `{"records":null}`, envelope.ErrType, "/records"},
	{"records an object", `{"records":{"recordId":"r0"}}`, envelope.ErrType, "/records"},
	{"records twice", `{"records":[],"records":[]}`, envelope.ErrDuplicate, "/records"},
	{"records twice, escaped", `{"records":[],"\u0072ecords":[]}`, envelope.ErrDuplicate, "/records"},
	{"a number for a record", `{"records":[{"recordId":"r0"},1]}`, envelope.ErrType, "/records/1"},
	{"null for a record", `{"records":[null]}`, envelope.ErrType, "/records/0"},
	{"no id", `{"records":[{"recordId":"r0"},{"data":""}]}`, envelope.ErrMissing, "/records/1/recordId"},
	{"empty record", `{"records":[{}]}`, envelope.ErrMissing, "/records/0/recordId"},
	{"null id", `{"records":[{"recordId":null}]}`, envelope.ErrMissing, "/records/0/recordId"},
	{"number for an id", `{"records":[{"recordId":1}]}`, envelope.ErrMissing, "/records/0/recordId"},
	{"two events", `{"records":[]}{"records":[]}`, envelope.ErrSyntax, ""},
	{"comma", `{"records":[{"recordId":"r0"},]}`, envelope.ErrSyntax, "/records/1"},
	{"no comma", `{"records":[{"recordId":"r0"}{"recordId":"r1"}]}`, envelope.ErrSyntax, "/records"},
	{"bad member", `{"records":[{"recordId":"r0","x":tru}]}`, envelope.ErrSyntax, "/records/0"},
	{"bad other member", `{"records":[],"region":us}`, envelope.ErrSyntax, "/region"},
	{"bad UTF-8", "{\"records\":[{\"recordId\":\"\xff\"}]}", envelope.ErrSyntax, "/records/0"},
	{"control character", "{\"records\":[{\"recordId\":\"\n\"}]}", envelope.ErrSyntax, "/records/0"},
	{"a line in a payload", "{\"records\":[{\"recordId\":\"r0\",\"data\":\"AAAA\n\"}]}", envelope.ErrSyntax, "/records/0"},
	{"lines in a payload", "{\"records\":[{\"recordId\":\"r0\",\"data\":\"AA\r\nAA\r\n\"}]}", envelope.ErrSyntax, "/records/0"},
	{"a line in a long payload", "{\"records\":[{\"recordId\":\"r0\",\"data\":\"" + strings.Repeat("AAAA", 20) + "\n" + strings.Repeat("AAAA", 20) + "\"}]}", envelope.ErrSyntax, "/records/0"},
	{"an open payload before another", `{"records":[{"recordId":"r0","data":"x\","data":"AAAA"}]}`, envelope.ErrSyntax, "/records/0"},
	{"a broken payload before another", "{\"records\":[{\"recordId\":\"r0\",\"data\":\"\x01\",\"kafkaRecordValue\":\"AAAA\"}]}", envelope.ErrSyntax, "/records/0"},
	{"bad UTF-8 in a payload", "{\"records\":[{\"recordId\":\"r0\",\"data\":\"\xff\"}]}", envelope.ErrSyntax, "/records/0"},
	{"bad escape in a payload", `{"records":[{"recordId":"r0","data":"\x41"}]}`, envelope.ErrSyntax, "/records/0"},
	{"too deep", `{"records":[{"recordId":"r0","x":` + strings.Repeat("[", 20000) + `}]}`, envelope.ErrSyntax, "/records/0"},
}

// An event that is none gives an error that says where, and no answer.
func TestMalformedEvents(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			observed := 0
			f := firehose()
			f.Observe = func(*route.Outcome) { observed++ }
			response, err := f.Invoke(t.Context(), []byte(c.event))
			assert.Nil(t, response)
			assert.Zero(t, observed, "an event without an answer has no outcomes")
			require.ErrorIs(t, err, c.cause)
			fault, ok := errors.AsType[*envelope.DecodeError](err)
			require.True(t, ok)
			assert.Equal(t, c.path, fault.Path)
			assert.True(t, fault.Offset >= 0 && fault.Offset <= int64(len(c.event)), "offset %d", fault.Offset)
			assert.True(t, strings.HasPrefix(err.Error(), "route: event: "), "%q", err)
			// The Firehose is as good as before.
			assert.Equal(t, "O", results(invoke(t, f, kinesis.event(upsert("u", row, 1)))))
		})
	}
}

// Every strict prefix of an event is a syntax error.
func TestEventPrefixes(t *testing.T) {
	f := firehose()
	for _, s := range shapes {
		event := s.event(upsert("u", row, 1), []byte(`null`), []byte(`{`), remove(row, 2))
		require.Len(t, invoke(t, f, event), 4)
		for n := range event {
			response, err := f.Invoke(t.Context(), event[:n:n])
			require.Nil(t, response)
			require.ErrorIs(t, err, envelope.ErrSyntax, "%d: %s", n, event[:n])
		}
	}
}

func TestMisconfigured(t *testing.T) {
	router := route.Func(func(*envelope.Change) (route.Destination, error) { return route.Destination{}, nil })
	for text, f := range map[string]*route.Firehose{
		"route: Firehose has no Router":            {},
		"route: Firehose has Coalesce and no Keys": {Router: router, Coalesce: true},
	} {
		response, err := f.Invoke(t.Context(), []byte(`{"records":[]}`))
		require.EqualError(t, err, text)
		assert.Nil(t, response)
		typed, err := f.Handle(t.Context(), route.Event{})
		require.EqualError(t, err, text)
		assert.Zero(t, typed)
	}
}

// A context that is done gives its error, also when that happens on the way.
func TestDoneContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	values := make([][]byte, 1000)
	for i := range values {
		values[i] = upsert("u", row, i)
	}
	f, routed := firehose(), 0
	f.Router = route.Func(func(*envelope.Change) (route.Destination, error) {
		if routed++; routed == 10 {
			cancel(errors.New("the time is up"))
		}
		return route.Destination{Database: "lake", Table: "orders"}, nil
	})
	f.Observe = func(*route.Outcome) { t.Error("an outcome without an answer") }
	response, err := f.Invoke(ctx, kinesis.event(values...))
	require.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, response)
	assert.Less(t, routed, len(values), "it went on to the end")

	before := routed
	for range 2 { // whatever happened before
		response, err = f.Invoke(ctx, kinesis.event(values...))
		require.ErrorIs(t, err, context.Canceled)
		assert.Nil(t, response)
		typed, err := f.Handle(ctx, route.Event{Records: []route.Record{{RecordID: "r0", Data: values[0]}}})
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, typed)
	}
	assert.Equal(t, before, routed)
	f.Observe = nil
	assert.Len(t, invoke(t, f, kinesis.event(values...)), len(values))
}
