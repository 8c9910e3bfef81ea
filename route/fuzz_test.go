package route_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/require"
)

// An askedRecord is a record of an event as encoding/json finds it. Of several recordIds the last counts, and one that is
// no string counts for nothing.
type askedRecord struct {
	id      json.RawMessage
	payload string
	under   []shape // of the members with a payload
	wrong   bool    // there is more than one, or one that is neither a string nor null
}

// asked reads an event with encoding/json; ok is false if it is none.
func asked(event []byte) (all []askedRecord, ok bool) {
	if !utf8.Valid(event) || !json.Valid(event) {
		return nil, false
	}
	top, ok := members(event)
	lists := named(top, "records")
	if !ok || len(lists) != 1 || lists[0][0] != '[' {
		return nil, false
	}
	var records []json.RawMessage
	if json.Unmarshal(lists[0], &records) != nil {
		return nil, false
	}
	for _, r := range records {
		m, ok := members(r)
		if !ok {
			return nil, false
		}
		record := askedRecord{}
		for _, v := range named(m, "recordId") {
			if v[0] == '"' {
				record.id = v
			}
		}
		if record.id == nil {
			return nil, false
		}
		for _, s := range shapes {
			for _, v := range named(m, string(s)) {
				if v[0] == '"' && json.Unmarshal(v, &record.payload) == nil {
					record.under = append(record.under, s)
				}
				record.wrong = record.wrong || v[0] != '"' && v[0] != 'n'
			}
		}
		record.wrong = record.wrong || len(record.under) > 1
		all = append(all, record)
	}
	return all, true
}

// Any bytes for an event: an error, or an answer to each of its records.
func FuzzInvoke(f *testing.F) {
	for _, c := range malformed {
		f.Add([]byte(c.event), uint16(0))
	}
	for _, s := range shapes {
		for i, c := range operations {
			f.Add(s.event(c.value, []byte(`{`), nil, upsert("u", row, 1)), uint16(100*i))
		}
		f.Add(s.eventOf(s.record("r0", `"bnVsbA\u003d\u003d"`), s.record("r0", "null"), s.record("", ""), s.record("r3", `"\/"`)), uint16(90))
		f.Add(s.event(captured(f, "pk-moves")[:3]...), uint16(0))
	}
	f.Add([]byte(`{"records":[{"recordId":1,"recordId":"\u00e9","data":"","data":null,"kafkaRecordValue":"e30="}],"records":[]}`), uint16(0))
	f.Add([]byte(`{"records":[{"recordId":"r0","data":"x\",",":1,":true}]}`), uint16(0))
	f.Add([]byte(`{"records":[{"recordId":"","data":{}},{"recordId":"","data":"","kafkaRecordValue":0},{"recordId":"","data":"","data":""}]}`), uint16(100))
	free := firehose(limit(1 << 30))
	f.Fuzz(func(t *testing.T, event []byte, most uint16) {
		want, ok := asked(event)
		response, err := free.Invoke(t.Context(), bytes.Clone(event))
		// What a Firehose was asked before makes no difference.
		fresh, same := firehose(limit(1<<30)).Invoke(t.Context(), event)
		require.Equal(t, string(fresh), string(response))
		require.Equal(t, errorText(same), errorText(err))
		if !ok {
			require.True(t, envelope.IsPermanent(err), "%v", err)
			require.Nil(t, response)
			return
		}
		require.NoError(t, err)
		got := answers(t, response)
		require.Len(t, got, len(want))
		least := len(`{"records":[]}`) + max(0, len(want)-1)
		for i, a := range got {
			var name string
			require.NoError(t, json.Unmarshal(want[i].id, &name))
			require.Equal(t, name, a.ID)
			switch {
			case want[i].wrong:
				require.Equal(t, failed, a.Result, "a wrong payload is no tombstone")
			case len(want[i].under) == 0:
				require.Equal(t, dropped, a.Result, "no payload is a tombstone")
			case a.Result == failed:
				require.Equal(t, want[i].under[0], a.Under)
			}
			least += len(`{"recordId":,"result":""}`) + len(want[i].id) + len(failed)
			if a.Result == dropped {
				least += len(dropped) - len(failed)
			}
		}

		if most == 0 {
			return
		}
		response, err = firehose(limit(int(most))).Invoke(t.Context(), event)
		if least > int(most) {
			require.EqualError(t, err, "route: the record ids alone exceed the response limit")
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, len(response), int(most))
		for i, a := range answers(t, response) {
			free := got[i]
			if a.Result == failed && a.Under == "" {
				free.Under, free.Payload = "", "" // lost
				if free.Result == "Ok" {
					free = a
				}
			}
			require.Equal(t, free, a)
		}
	})
}

// envelopeOf returns the members of a record's envelope, without its wrapper.
func envelopeOf(value []byte) []member {
	if !utf8.Valid(value) || !json.Valid(value) {
		return nil
	}
	all, ok := members(value)
	if !ok {
		return nil
	}
	schema, payload := named(all, "schema"), named(all, "payload")
	if len(all) != 2 || len(schema) != 1 || len(payload) != 1 {
		return all
	}
	kinds := []json.RawMessage{[]byte(`""`)}
	if !bytes.Equal(schema[0], []byte("null")) {
		description, _ := members(schema[0])
		kinds = named(description, "type")
	}
	if len(kinds) == 0 || kinds[0][0] != '"' {
		return all
	}
	inner, _ := members(payload[0])
	return inner
}

// Any bytes for a record: one answer, and if it is Ok, then with the image that encoding/json finds.
func FuzzRecord(f *testing.F) {
	for _, c := range operations {
		f.Add(c.value)
	}
	for _, c := range undecodable {
		f.Add([]byte(c.value))
	}
	for _, name := range []string{"aurora-orders.records", "pk-moves", "toast-bytes-bare", "toast-hex"} {
		for _, v := range captured(f, name)[:4] {
			f.Add(v)
		}
	}
	f.Add([]byte(`{"schema":{"optional":false,"type":"struct"},"payload":` + whole + `}`))
	f.Add([]byte(`{"schema":null,"payload":null}`))
	f.Add([]byte(strings.ReplaceAll(whole, ":", " : \n")))
	f.Add(tied("D", `{"\u0061":"\ud800"}`))
	free := firehose()
	f.Fuzz(func(t *testing.T, value []byte) {
		got := invoke(t, free, msk.event(value))
		require.Len(t, got, 1)
		require.Equal(t, invoke(t, firehose(), msk.event(value)), got, "what came before makes a difference")
		a := got[0]
		require.Equal(t, "r0", a.ID)

		all := envelopeOf(value)
		op, image := named(all, "op"), named(all, "after")
		switch {
		case len(op) == 1 && slices.Contains([]string{`"d"`, `"D"`}, string(op[0])):
			image = named(all, "before")
			require.NotEqual(t, dropped, a.Result, "a delete is lost")
		case len(op) == 1 && slices.Contains([]string{`"m"`, `"M"`, `"t"`, `"T"`}, string(op[0])):
			require.NotEqual(t, "Ok", a.Result)
		case len(op) == 1 && len(image) == 1 && image[0][0] == '{':
			require.NotEqual(t, dropped, a.Result, "a row is lost")
		}
		switch a.Result {
		case "Ok":
			require.Len(t, op, 1)
			require.Len(t, image, 1)
			require.Equal(t, string(image[0])+"\n", a.Payload)
			require.Equal(t, a.Operation == "delete", op[0][1]|0x20 == 'd' && len(op[0]) == 3)
		case failed:
			require.Equal(t, msk, a.Under)
			require.Equal(t, string(value), a.Payload)
		case dropped:
			none := slices.Contains([]string{"", "null", "default"}, string(bytes.TrimLeft(value, " \t\r\n")))
			require.True(t, none || json.Valid(value), "what is no JSON is not for dropping")
		}
	})
}
