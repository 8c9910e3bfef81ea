package route_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const row = `{ "order_id": 1, "total_amount":12345678901234567890.10,"note":"\u00e9\/é" }` // as odd as JSON allows

const failed, dropped, plain = "ProcessingFailed", "Dropped", "Ok"

// What each operation goes out as.
var operations = []struct {
	name                        string
	value                       []byte
	upsert, literal, appendOnly string // operation, or the result if there is none
}{
	{"create", upsert("c", row, 1), "update", "insert", plain},
	{"read", upsert("r", row, 1), "update", "insert", plain},
	{"update", upsert("u", row, 1), "update", "update", plain},
	{"unknown with a row", upsert("x", row, 1), "update", "update", plain},
	{"unknown without a row", upsert("x", "null", 1), failed, failed, failed},
	{"update without a row", change("u", "orders", row, "null", 1), failed, failed, failed},
	{"delete", remove(row, 1), "delete", "delete", failed},
	{"delete without a row", remove("null", 1), failed, failed, failed},
	{"truncate", change("t", "orders", "null", "null", 1), failed, failed, failed},
	{"message", []byte(`{"op":"m","ts_ms":1,"source":{"db":"shop","schema":"","table":""},"message":{"prefix":"p","content":"eA=="}}`), dropped, dropped, dropped},
	{"heartbeat", []byte(`{"ts_ms":1716369573887}`), dropped, dropped, dropped},
	{"begin", []byte(`{"status":"BEGIN","id":"571:53195829","event_count":null,"data_collections":null,"ts_ms":1}`), dropped, dropped, dropped},
	{"schema change", []byte(`{"source":{"db":"shop"},"ts_ms":1,"databaseName":"shop","schemaName":"public","ddl":"CREATE TABLE t ()","tableChanges":[]}`), dropped, dropped, dropped},
	{"notification", []byte(`{"id":"x","type":"COMPLETED","aggregate_type":"Initial Snapshot","additional_data":{},"timestamp":1}`), dropped, dropped, dropped},
	{"tombstone", nil, dropped, dropped, dropped},
	{"no record", []byte(`{"order_id":1}`), failed, failed, failed},
	{"no JSON", []byte(`{"before":null,"after":{"order_id":1`), failed, failed, failed},
	{"binary", []byte{0, 0, 0, 0, 1, 0xff}, failed, failed, failed},
}

// Every operation in every mode.
func TestOperations(t *testing.T) {
	for _, c := range operations {
		for m, want := range map[route.Mode]string{route.Upsert: c.upsert, route.Literal: c.literal, route.AppendOnly: c.appendOnly} {
			for _, s := range shapes {
				t.Run(fmt.Sprintf("%s/%d/%s", c.name, m, s), func(t *testing.T) {
					got := invoke(t, firehose(mode(m)), s.event(c.value))
					require.Len(t, got, 1)
					expect := answer{ID: "r0", Result: "Ok", Under: s, Payload: row + "\n", To: "lake.orders", Operation: want}
					switch want {
					case plain:
						expect.To, expect.Operation = "", ""
					case failed:
						expect = answer{ID: "r0", Result: failed, Under: s, Payload: string(c.value)}
					case dropped:
						expect = answer{ID: "r0", Result: dropped}
					}
					assert.Equal(t, expect, got[0])
				})
			}
		}
	}
}

// Every record is answered, once, in order, under the id that it has.
func TestIDs(t *testing.T) {
	ids := []string{"49640912345678901234567890123456789012345678901234567890000000", "", "a", "a", `q"uote`, `back\slash`, "\u00e9€😀", "tab\tnl\n", "<&>", strings.Repeat("x", 300)}
	// The ids are spelled here with every escape that JSON has for them, for records of all three results.
	values := [][]byte{upsert("u", row, 1), nil, []byte(`{`)}
	for _, s := range shapes {
		var records []string
		for i, id := range ids {
			record := s.record("@", `"`+base64.StdEncoding.EncodeToString(values[i%len(values)])+`"`)
			records = append(records, strings.Replace(record, `"@"`, escaped(id), 1))
		}
		got := invoke(t, firehose(), s.eventOf(records...))
		require.Len(t, got, len(ids))
		for i, a := range got {
			assert.Equal(t, ids[i], a.ID)
			assert.Equal(t, []string{"Ok", "Dropped", "ProcessingFailed"}[i%3], a.Result)
		}
	}
	assert.Empty(t, invoke(t, firehose(), []byte(`{"records":[]}`)))
}

// escaped spells every UTF-16 unit of s as an escape.
func escaped(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range s {
		if r >= 0x10000 {
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x`, 0xd800+r>>10)
			r = 0xdc00 + r&0x3ff
		}
		fmt.Fprintf(&out, `\u%04x`, r)
	}
	out.WriteByte('"')
	return out.String()
}

// What else stands in an event, and where, does not matter.
func TestEventsOfOtherForm(t *testing.T) {
	payload := base64.StdEncoding.EncodeToString(upsert("u", `{"order_id":1}`, 1))
	events := map[string]string{
		"bare":               `{"records":[{"recordId":"r0","data":"` + payload + `"}]}`,
		"space":              " {\n\t\"records\" : [ { \"recordId\" : \"r0\" , \"data\" : \"" + payload + "\" } ] }\r\n ",
		"space behind names": `{"records": [{"recordId": "r0", "data": "` + payload + `"}]}`,
		"lines":              "{\"records\":[\n{\"recordId\":\n\"r0\",\n\"data\":\n\"" + payload + "\"\n}\n]\n}",
		"records first":      `{"records":[{"recordId":"r0","data":"` + payload + `"}],"invocationId":"x","region":null,"more":{"records":1}}`,
		"payload first":      `{"records":[{"data":"` + payload + `","more":[{"recordId":"no"}],"recordId":"r0"}]}`,
		"escaped names":      `{"\u0072ecords":[{"recor\u0064Id":"r0","\u0064ata":"` + payload + `"}]}`,
		"null kafka":         `{"records":[{"recordId":"r0","kafkaRecordValue":null,"data":"` + payload + `"}]}`,
		"null kafka 2":       `{"records":[{"recordId":"r0","data":"` + payload + `","kafkaRecordValue":null}]}`,
		"other case":         `{"Records":1,"records":[{"recordId":"r0","RecordId":"r1","Data":"no","data":"` + payload + `"}]}`,
	}
	want := []answer{{ID: "r0", Result: "Ok", Under: kinesis, Payload: "{\"order_id\":1}\n", To: "lake.orders", Operation: "update"}}
	for name, event := range events {
		assert.Equal(t, want, invoke(t, firehose(), []byte(event)), name)
		// What a Firehose has seen before does not matter either.
		for before, other := range events {
			f := firehose()
			for range 2 {
				assert.Equal(t, want, invoke(t, f, []byte(other)), before)
				assert.Equal(t, want, invoke(t, f, []byte(event)), "%s after %s", name, before)
			}
		}
	}
}

// Nor does it matter which records came before: how they were spelled, or that they were broken.
func TestRecordsOfOtherForm(t *testing.T) {
	spaced := func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), `":`, `": `)) }
	compact, odd := upsert("u", `{"order_id":1,"v":{"a":[1]}}`, 1), []byte(strings.ReplaceAll(`{"op" : "u", "source":{ "table":"orders","db" :"shop"} ,"after":{ "order_id" :1 }}`, " ", "\n"))
	forms := [][]byte{
		compact, spaced(compact), odd, spaced(odd),
		[]byte(`{"schema":{"type":"struct"},"payload":` + string(compact) + `}`),
		spaced([]byte(`{"schema":{"type":"struct"},"payload":` + string(compact) + `}`)),
		upsert("u", `{"order_id":1}`, 1), upsert("u", `{"order_id": 1}`, 1), upsert("u", `{"v":1,"order_id":1}`, 1), upsert("u", `{}`, 1), upsert("u", `{ }`, 1),
		remove(`{"order_id":1}`, 1), remove(`{"order_id": 1 ,"v": null}`, 1),
	}
	images := make([]string, len(forms))
	for i, form := range forms {
		images[i] = string(rowImage(t, form)) + "\n"
	}
	for i := range forms {
		for k := range forms {
			f := firehose()
			for cut := range 30 { // a broken one between the two
				broken := forms[k][:len(forms[k])*cut/30]
				got := invoke(t, f, msk.event(forms[i], broken, forms[k], forms[i], forms[k]))
				for at, form := range []int{i, -1, k, i, k} {
					if form >= 0 {
						require.Equal(t, "Ok", got[at].Result, "%s\nafter %s\nand %s", forms[form], forms[i], broken)
						require.Equal(t, images[form], got[at].Payload)
					}
				}
			}
		}
	}
}

// What the router says decides where a change goes, and whether.
func TestRouting(t *testing.T) {
	errRouter := errors.New("the router is out")
	var seen []outcome
	f := firehose(observe(&seen))
	f.Router = route.Func(func(c *envelope.Change) (route.Destination, error) {
		switch c.Table.Name {
		case "unwanted":
			return route.Destination{Database: "lake", Table: "not used", Drop: true}, nil
		case "broken":
			return route.Destination{Database: "lake", Table: "not used"}, errRouter
		}
		return (&route.Rules{Tables: map[envelope.Table]route.Destination{{DB: "shop", Schema: "public", Name: "orders"}: {Database: "lake", Table: "Orders of \"2024\"", Mode: route.Literal}}}).Route(c)
	})
	values := [][]byte{change("c", "orders", "null", row, 1), change("c", "unwanted", "null", row, 2), change("d", "broken", row, "null", 3), change("t", "new", "null", "null", 4), []byte(`{"ts_ms":1}`)}
	got := invoke(t, f, msk.event(values...))
	assert.Equal(t, []answer{
		{ID: "r0", Result: "Ok", Under: msk, Payload: row + "\n", To: `lake.Orders of "2024"`, Operation: "insert"},
		{ID: "r1", Result: "Dropped"},
		{ID: "r2", Result: "ProcessingFailed", Under: msk, Payload: string(values[2])},
		{ID: "r3", Result: "ProcessingFailed", Under: msk, Payload: string(values[3])},
		{ID: "r4", Result: "Dropped"},
	}, got)
	require.Len(t, seen, 5)
	require.ErrorIs(t, seen[2].Err, errRouter)
	require.ErrorIs(t, seen[3].Err, route.ErrNoRoute)
	seen[2].Err, seen[3].Err = nil, nil
	table := func(name string) envelope.Table { return envelope.Table{DB: "shop", Schema: "public", Name: name} }
	assert.Equal(t, []outcome{
		{"r0", route.Outcome{Table: table("orders"), Op: envelope.OpCreate, Result: route.Ok, Operation: route.OperationInsert, Reason: route.Delivered,
			Destination: route.Destination{Database: "lake", Table: `Orders of "2024"`, Mode: route.Literal}}},
		{"r1", route.Outcome{Table: table("unwanted"), Op: envelope.OpCreate, Result: route.Dropped, Reason: route.Unwanted}},
		{"r2", route.Outcome{Table: table("broken"), Op: envelope.OpDelete, Result: route.ProcessingFailed, Reason: route.Unrouted}},
		{"r3", route.Outcome{Table: table("new"), Op: envelope.OpTruncate, Result: route.ProcessingFailed, Reason: route.Unrouted}},
		{"r4", route.Outcome{Op: envelope.OpHeartbeat, Result: route.Dropped, Reason: route.NotARow}},
	}, seen)
}

// Firehose has no operation for a truncate, whatever the policy.
func TestTruncate(t *testing.T) {
	truncate := change("t", "orders", "null", "null", 1)
	for policy, want := range map[route.Policy]answer{
		route.Fail: {ID: "r0", Result: "ProcessingFailed", Under: kinesis, Payload: string(truncate)},
		route.Drop: {ID: "r0", Result: "Dropped"},
		route.Send: {ID: "r0", Result: "ProcessingFailed", Under: kinesis, Payload: string(truncate)},
	} {
		var seen []outcome
		f := firehose(observe(&seen))
		f.Truncate = policy
		assert.Equal(t, []answer{want}, invoke(t, f, kinesis.event(truncate)))
		assert.Equal(t, []route.Reason{route.Truncated}, reasons(seen))
	}
}

// A changed primary key goes out as the delete and the create that it came as.
func TestPrimaryKeyChange(t *testing.T) {
	values := captured(t, "pk-moves")
	f := firehose()
	f.Unavailable = route.Send // the moved rows lack their large column; see TestUnavailable
	for _, s := range shapes {
		got := invoke(t, f, s.event(values...))
		require.Len(t, got, len(values))
		assert.Equal(t, strings.Repeat("ODO", 7), results(got)[:21])
		var moves []string
		for i, a := range got {
			if a.Result == "Dropped" {
				require.Nil(t, values[i], "only the tombstones are dropped")
				continue
			}
			require.Equal(t, "Ok", a.Result)
			all, ok := members([]byte(a.Payload))
			require.True(t, ok)
			moves = append(moves, a.Operation+" "+string(named(all, "id")[0]))
		}
		assert.Equal(t, []string{
			"delete 1", "update 101",
			"delete 2", "update 102",
			"delete 3", "update 103", "delete 103", "update 3",
			"delete 4", "update -1", "delete 5", "update 4", "delete -1", "update 5",
			"delete 6", "delete 7", "update 6",
			"delete 8", "update 108", "update 8",
			"delete 9", "update 109", "delete 10", "update 9", "delete 11", "update 10",
		}, moves)
	}
}

// With Keys a delete that does not name its row fails: it would delete nothing.
func TestDeleteWithoutKey(t *testing.T) {
	keys := envelope.KeyColumns(map[envelope.Table][]string{{DB: "shop", Schema: "public", Name: "orders"}: {"order_id", "line"}})
	for _, c := range []struct {
		name   string
		keys   envelope.KeyFunc
		value  []byte
		result string
		why    route.Reason
		err    error
	}{
		{"whole", keys, remove(`{"line":2,"order_id":1}`, 1), "Ok", route.Delivered, nil},
		{"null", keys, remove(`{"line":null,"order_id":1}`, 1), "Ok", route.Delivered, nil}, // what null in a key means is the source's business
		{"missing", keys, remove(`{"order_id":1}`, 1), "ProcessingFailed", route.NoKey, envelope.ErrMissing},
		{"twice", keys, remove(`{"order_id":1,"line":1,"order_id":2}`, 1), "ProcessingFailed", route.NoKey, envelope.ErrDuplicate},
		{"no image", keys, remove(`null`, 1), "ProcessingFailed", route.NoImage, nil},
		{"upsert", keys, upsert("u", `{"order_id":1}`, 1), "Ok", route.Delivered, nil},
		{"unknown table", keys, change("d", "items", `{"order_id":1}`, "null", 1), "ProcessingFailed", route.NoKey, envelope.ErrNoKey},
		{"upsert of an unknown table", keys, change("u", "items", "null", `{"order_id":1}`, 1), "Ok", route.Delivered, nil},
		{"no keys", nil, remove(`{"order_id":1}`, 1), "Ok", route.Delivered, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []outcome
			f := firehose(observe(&seen))
			f.Keys = c.keys
			got := invoke(t, f, kinesis.event(c.value))
			assert.Equal(t, c.result, got[0].Result)
			if c.result == "ProcessingFailed" {
				assert.Equal(t, string(c.value), got[0].Payload)
			}
			assert.Equal(t, c.why, seen[0].Reason)
			require.ErrorIs(t, seen[0].Err, c.err)
		})
	}
	var seen []outcome
	f := firehose(mode(route.AppendOnly), observe(&seen))
	f.Keys = keys
	assert.Equal(t, "P", results(invoke(t, f, kinesis.event(remove(`{"order_id":1}`, 1)))))
	assert.Equal(t, []route.Reason{route.Inexpressible}, reasons(seen))
}

func TestReason(t *testing.T) {
	texts := map[string]bool{}
	for r := route.Delivered; r <= route.Unfit; r++ {
		texts[r.String()] = true
	}
	assert.Len(t, texts, int(route.Unfit)+1, "each reason has its own words")
	assert.NotContains(t, texts, "")
	assert.NotContains(t, texts, "unknown")
	assert.Equal(t, "unknown", (route.Unfit + 1).String())
}
