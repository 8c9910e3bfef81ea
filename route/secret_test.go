package route_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands in rows stays there: it is in no log line, in no outcome and in no error, whatever goes wrong.
func TestNoRowDataIsTold(t *testing.T) {
	const secret = "S3cret4711"
	row := `{"order_id":1,"name":"` + secret + `","map":{"` + secret + `":"` + secret + `"},"list":["` + secret + `"]}`
	whole := string(upsert("u", row, 1))
	replace := func(old, new string) string {
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, new, 1)
	}
	for _, c := range []struct {
		name  string
		value string
		why   route.Reason
		set   func(*route.Firehose)
	}{
		{"cut in a text", whole[:strings.Index(whole, secret)+4], route.Undecodable, nil},
		{"cut behind a text", whole[:strings.Index(whole, secret)+len(secret)+1], route.Undecodable, nil},
		{"broken in a map", replace(`:"`+secret+`"}`, `:tru}`), route.Undecodable, nil},
		{"broken in a list", replace(`["`+secret, `["`+secret+"\x01"), route.Undecodable, nil},
		{"broken in a wrapper", `{"schema":{"type":"struct"},"payload":` + replace(`:"`+secret+`"}`, `:tru}`) + `}`, route.Undecodable, nil},
		{"bad UTF-8", replace(`"name":"`, "\"name\":\"\xff"), route.Undecodable, nil},
		{"a text for an image", replace(row, `"`+secret+`"`), route.Undecodable, nil},
		{"a list for an image", replace(row, `["`+secret+`"]`), route.Undecodable, nil},
		{"a text for the source", replace(`"source":{`, `"source":"`+secret+`","x":{`), route.Undecodable, nil},
		{"a text for a time", replace(`"ts_ns":`, `"ts_ns":"`+secret+`","x":`), route.Undecodable, nil},
		{"an op without a row", replace(`"after":`+row, `"after":null,"op2":"`+secret+`"`), route.Undecodable, nil},
		{"an unknown op", string(change(secret, "orders", row, "null", 1)), route.Undecodable, nil},
		{"after twice", replace(`"source":`, `"after":`+row+`,"source":`), route.Undecodable, nil},
		{"a flattened row", row, route.Undecodable, nil},
		{"a text", `"` + secret + `"`, route.Undecodable, nil},
		{"a number", `4711` + `4711`, route.Undecodable, nil},
		{"no JSON", secret, route.Undecodable, nil},
		{"unavailable", replace(`"list":["`+secret+`"]`, `"list":[`+unavailable+`]`), route.Unavailable, nil},
		{"truncate", string(change("t", "orders", row, row, 1)), route.Truncated, nil},
		{"no route", whole, route.Unrouted, func(f *route.Firehose) { f.Router = &route.Rules{} }},
		{"bad rules", whole, route.Unrouted, func(f *route.Firehose) { f.Router = &route.Rules{Patterns: []route.Pattern{{Name: "["}}} }},
		{"delete without image", string(remove("null", 1)), route.NoImage, nil},
		{"delete without key", string(remove(strings.Replace(row, "order_id", "id", 1), 1)), route.NoKey, coalescing},
		{"delete with two keys", string(remove(strings.Replace(row, `"name"`, `"order_id"`, 1), 1)), route.NoKey, coalescing},
		{"upsert with two keys", string(upsert("u", strings.Replace(row, `"name"`, `"order_id"`, 1), 1)), route.NoKey, coalescing},
		{"delete in an append-only table", string(remove(row, 1)), route.Inexpressible, mode(route.AppendOnly)},
		{"too large", whole, route.TooLarge, limit(100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var logged bytes.Buffer
			var seen []outcome
			f := firehose(observe(&seen))
			f.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
			if c.set != nil {
				c.set(f)
			}
			got := invoke(t, f, msk.event([]byte(c.value)))
			require.Equal(t, "P", results(got))
			require.Equal(t, []route.Reason{c.why}, reasons(seen))
			_, err := f.Handle(t.Context(), route.Event{Records: []route.Record{{RecordID: "r1", Data: []byte(c.value)}}})
			require.NoError(t, err)
			require.Equal(t, []route.Reason{c.why, c.why}, reasons(seen))

			told := logged.String()
			assert.Equal(t, 2, strings.Count(told, `"msg":"record failed"`))
			assert.Contains(t, told, `"level":"WARN"`)
			assert.Contains(t, told, `"recordId":"r0","reason":"`+c.why.String()+`"`)
			assert.Contains(t, told, `"recordId":"r1","reason":"`+c.why.String()+`"`)
			if c.why != route.Undecodable {
				assert.Contains(t, told, `"table":"shop.public.orders"`)
			}
			for _, o := range seen {
				told += fmt.Sprintf("\n%+v %#v", o, o)
				for err := o.Err; err != nil; err = errors.Unwrap(err) {
					told += fmt.Sprintf("\n%s %+v %#v", err, err, err)
				}
			}
			for _, hidden := range []string{secret, "47114711", base64.StdEncoding.EncodeToString([]byte(c.value))} {
				assert.NotContains(t, told, hidden)
			}
		})
	}
}

// A payload that is not base64, and an event that is none.
func TestNoPayloadIsTold(t *testing.T) {
	const secret = "S3cret4711"
	for name, event := range map[string]string{
		"not base64":            `{"records":[{"recordId":"r0","data":"{` + secret + `}"}]}`,
		"not base64, escaped":   `{"records":[{"recordId":"r0","kafkaRecordValue":"{\"` + secret + `\"}"}]}`,
		"cut in a payload":      `{"records":[{"recordId":"r0","data":"` + secret,
		"broken in a record":    `{"records":[{"recordId":"r0","data":"` + secret + `","x":{"` + secret + `":tru}}]}`,
		"broken behind":         `{"records":[{"recordId":"r0","data":"` + secret + `"}`,
		"no id":                 `{"records":[{"data":"` + secret + `"}]}`,
		"a payload not a text":  `{"records":[{"recordId":"r0","data":"` + secret + `"},"` + secret + `"]}`,
		"records twice":         `{"records":[{"recordId":"r0","data":"` + secret + `"}],"records":[]}`,
		"records an object":     `{"records":{"` + secret + `":1}}`,
		"only a payload":        `"` + secret + `"`,
		"ids larger than limit": `{"records":[{"recordId":"r0","data":"` + secret + `"},{"recordId":"` + strings.Repeat("i", 300) + `"}]}`,
	} {
		var logged bytes.Buffer
		var seen []outcome
		f := firehose(limit(200), observe(&seen))
		f.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := f.Invoke(t.Context(), []byte(event))
		if strings.HasPrefix(name, "not base64") {
			require.NoError(t, err)
			require.Equal(t, []route.Reason{route.Undecodable}, reasons(seen))
			require.Contains(t, logged.String(), `"recordId":"r0"`)
		} else {
			require.Error(t, err)
			require.Empty(t, logged.String(), name)
		}
		told := logged.String() + fmt.Sprintf("%+v %#v", seen, seen)
		for ; err != nil; err = errors.Unwrap(err) {
			told += fmt.Sprintf("\n%s %+v %#v", err, err, err)
		}
		assert.NotContains(t, told, secret, name)
	}
}

// By default the lines go to slog's default logger.
func TestDefaultLogger(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	f := firehose()
	f.Logger = nil
	invoke(t, f, msk.event(upsert("u", row, 1), []byte("{"), nil))
	assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
	assert.Contains(t, logged.String(), `"recordId":"r1","reason":"undecodable","error":"envelope: invalid JSON: unexpected end (offset 1)"`)
}
