package route_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unavailable = `"__debezium_unavailable_value"`

// The captures' tables have a column of each type that takes the placeholder, and from record to record one column less
// that holds it. So each form that a connector and its settings make of it is, in some record, the first one to be found.
func TestUnavailable(t *testing.T) {
	const (
		bytes    = `"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="`
		integers = `[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]`
		uuids    = `["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]`
		hstore   = `"{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}"`
		odd      = `"\u0000\ufffd\u0010\ufffd"` // 00 ff 10 fe read as UTF-8
	)
	for _, c := range []struct {
		capture, placeholder string
		forms                []string
	}{
		{"toast-bytes-bare", "", []string{unavailable, bytes, "[" + unavailable + "]", "[" + bytes + "]", integers, uuids, hstore}},
		{"toast-hex", envelope.DefaultPlaceholder, []string{unavailable, "[" + unavailable + "]", integers, uuids, "{" + unavailable + ":" + unavailable + "}"}},
		{"toast-base64", "", []string{unavailable, "[" + unavailable + "]", integers, uuids, hstore}},
		{"toast-placeholder-text", "<<kept>>", []string{`"<<kept>>"`, `"PDxrZXB0Pj4="`, `["<<kept>>"]`, `["PDxrZXB0Pj4="]`, `[60,60,107,101,112,116,62,62]`,
			`["80fbf860-3f30-30e7-9887-4d3fb00aad77"]`, `"{\"<<kept>>\":\"<<kept>>\"}"`}},
		{"toast-placeholder-hex", "hex:00ff10fe", []string{odd, `"AP8Q/g=="`, "[" + odd + "]", `["AP8Q/g=="]`, `[0,-1,16,-2]`,
			`["462dbfd8-ba0e-357b-ae66-d07db617f94a"]`, `"{\"\\u0000\ufffd\\u0010\ufffd\":\"\\u0000\ufffd\\u0010\ufffd\"}"`}},
	} {
		t.Run(c.capture, func(t *testing.T) {
			values := captured(t, c.capture)
			columns := make([]string, len(values)) // the first with a placeholder
			images := make([]string, len(values))
			first := map[string]bool{}
			for i, v := range values {
				image := rowImage(t, v)
				images[i] = string(image) + "\n"
				var form string
				columns[i], form = firstOf(t, image, c.forms)
				first[form] = true
			}
			for _, form := range c.forms {
				assert.True(t, first[form], "%s is nowhere the first", form)
			}
			for policy, want := range map[route.Policy]string{route.Fail: "ProcessingFailed", route.Drop: "Dropped", route.Send: "Ok"} {
				var seen []outcome
				f := firehose(observe(&seen))
				f.Unavailable, f.Placeholder = policy, c.placeholder
				for i, a := range invoke(t, f, msk.event(values...)) {
					if columns[i] == "" || policy == route.Send {
						assert.Equal(t, images[i], a.Payload)
						assert.Equal(t, route.Delivered, seen[i].Reason)
						continue
					}
					require.Equal(t, want, a.Result, "record %d, column %s", i, columns[i])
					assert.Equal(t, route.Unavailable, seen[i].Reason)
					if policy == route.Fail {
						missing, ok := errors.AsType[*route.UnavailableError](seen[i].Err)
						require.True(t, ok)
						assert.Equal(t, columns[i], missing.Column)
						require.EqualError(t, missing, "no value in column "+columns[i])
						assert.Equal(t, string(values[i]), a.Payload)
					}
				}
			}
			// Another placeholder is a value like any other.
			f := firehose()
			f.Placeholder = "another"
			assert.Equal(t, strings.Repeat("O", len(values)), results(invoke(t, f, msk.event(values...))))
		})
	}
}

// rowImage returns the image that a record's answer carries, without the library.
func rowImage(t tb, value []byte) json.RawMessage {
	all, ok := members(value)
	require.True(t, ok)
	if payload := named(all, "payload"); payload != nil {
		all, ok = members(payload[0])
		require.True(t, ok)
	}
	if string(named(all, "op")[0]) == `"d"` {
		return named(all, "before")[0]
	}
	return named(all, "after")[0]
}

// firstOf returns the first column of a row that holds one of the forms, and which.
func firstOf(t tb, row []byte, forms []string) (column, form string) {
	all, ok := members(row)
	require.True(t, ok)
	for _, m := range all {
		var value any
		require.NoError(t, json.Unmarshal(m.Value, &value))
		for _, form := range forms {
			var want any
			require.NoError(t, json.Unmarshal([]byte(form), &want))
			if reflect.DeepEqual(value, want) {
				return m.Name, form
			}
		}
	}
	return "", ""
}

// Where the placeholder counts, and what only looks like it.
func TestUnavailableOrNot(t *testing.T) {
	const text = "__debezium_unavailable_value"
	for _, c := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"update", upsert("u", `{"order_id":1,"note":"`+text+`"}`, 1), "P"},
		{"create of a changed key", upsert("c", `{"order_id":1,"note":"`+text+`"}`, 1), "P"},
		{"read", upsert("r", `{"order_id":1,"note":"`+text+`"}`, 1), "P"},
		{"escaped", upsert("u", `{"order_id":1,"note":"\u005f_debezium\u005funavailable_value"}`, 1), "P"},
		{"base64", upsert("u", `{"order_id":1,"b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="}`, 1), "P"},
		{"hexadecimal", upsert("u", `{"order_id":1,"b":"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"}`, 1), "P"},
		{"list", upsert("u", `{"order_id":1,"notes":["`+text+`"]}`, 1), "P"},
		{"list of its bytes", upsert("u", `{"order_id":1,"n":[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]}`, 1), "P"},
		{"list of its UUID", upsert("u", `{"order_id":1,"u":["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]}`, 1), "P"},
		{"map", upsert("u", `{"order_id":1,"h":{"`+text+`":"`+text+`"}}`, 1), "P"},
		{"map in a text", upsert("u", `{"order_id":1,"h":"{\"`+text+`\":\"`+text+`\"}"}`, 1), "P"},
		{"spaced", upsert("u", `{"order_id":1,"notes":[ "`+text+`" ]}`, 1), "P"},
		{"last of many", upsert("u", `{"a":[],"b":{},"c":null,"d":1,"e":"x","order_id":1,"note":"`+text+`"}`, 1), "P"},
		{"delete", remove(`{"order_id":1,"note":"`+text+`"}`, 1), "O"}, // only its key counts
		{"before", change("u", "orders", `{"order_id":1,"note":"`+text+`"}`, `{"order_id":1,"note":"x"}`, 1), "O"},
		{"name", upsert("u", `{"order_id":1,"`+text+`":"x"}`, 1), "O"},
		{"longer", upsert("u", `{"order_id":1,"note":"`+text+` "}`, 1), "O"},
		{"shorter", upsert("u", `{"order_id":1,"note":"`+text[1:]+`"}`, 1), "O"},
		{"one of two", upsert("u", `{"order_id":1,"notes":["`+text+`","x"]}`, 1), "O"},
		{"deeper", upsert("u", `{"order_id":1,"notes":[["`+text+`"]]}`, 1), "O"},
		{"in a struct", upsert("u", `{"order_id":1,"note":{"text":"`+text+`"}}`, 1), "O"},
		{"a map with more", upsert("u", `{"order_id":1,"h":{"`+text+`":"`+text+`","x":"y"}}`, 1), "O"},
		{"null and empty", upsert("u", `{"order_id":1,"a":null,"b":"","c":[],"d":{}}`, 1), "O"},
	} {
		for _, m := range []route.Mode{route.Upsert, route.Literal} {
			assert.Equal(t, c.want, results(invoke(t, firehose(mode(m)), kinesis.event(c.value))), "%s %d", c.name, m)
		}
	}
	// An append-only table would keep the placeholder too.
	got := invoke(t, firehose(mode(route.AppendOnly)), kinesis.event(upsert("u", `{"order_id":1,"note":"`+text+`"}`, 1)))
	assert.Equal(t, "P", results(got))
}
