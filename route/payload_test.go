package route_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quote(b []byte) string { return `"` + base64.StdEncoding.EncodeToString(b) + `"` }

// All that stands for no value is a tombstone.
func TestTombstone(t *testing.T) {
	for _, s := range shapes {
		for name, payload := range map[string]string{
			"absent":          "",
			"null":            "null",
			"empty":           `""`,
			"JSON null":       quote([]byte("null")),
			"Redis null":      quote([]byte("default")),
			"space":           quote([]byte(" \n")),
			"wrapped":         quote([]byte(`{"schema":{"type":"struct","optional":true},"payload":null}`)),
			"wrapped, no one": quote([]byte(`{"schema":null,"payload":null}`)),
		} {
			var seen []outcome
			got := invoke(t, firehose(observe(&seen)), s.eventOf(s.record("r0", payload)))
			assert.Equal(t, []answer{{ID: "r0", Result: "Dropped"}}, got, "%s %s", s, name)
			assert.Equal(t, envelope.OpTombstone, seen[0].Op)
			assert.Equal(t, route.NotARow, seen[0].Reason)
		}
	}
}

// Payloads are base64 as encoding/json takes it for a []byte. What is not is answered as it came, to the byte.
func TestBase64(t *testing.T) {
	value := upsert("u", `{"order_id":1,"note":"???>>>~~~"}`, 1)
	for len(value)%3 != 0 {
		value = append(value, ' ')
	}
	text := base64.StdEncoding.EncodeToString(value)
	require.Contains(t, text, "/", "the test is about slashes")
	payloads := map[string]string{
		"plain":               text,
		"one byte more":       base64.StdEncoding.EncodeToString(append(bytes.Clone(value), ' ')),
		"two bytes more":      base64.StdEncoding.EncodeToString(append(bytes.Clone(value), ' ', ' ')),
		"escaped slash":       strings.ReplaceAll(text, "/", `\/`),
		"escaped slash, hex":  strings.ReplaceAll(text, "/", `\u002f`),
		"escaped equals":      strings.ReplaceAll(base64.StdEncoding.EncodeToString(append(bytes.Clone(value), ' ')), "=", `\u003d`),
		"all escaped":         strings.Trim(escaped(text), `"`),
		"lines":               text[:76] + `\r\n` + text[76:] + `\n`,
		"no padding":          base64.RawStdEncoding.EncodeToString(append(bytes.Clone(value), ' ')),
		"half the padding":    base64.RawStdEncoding.EncodeToString(append(bytes.Clone(value), ' ')) + "=",
		"padding too much":    text + "=",
		"padding inside":      text[:4] + "====" + text[4:],
		"only padding":        "====",
		"URL alphabet":        strings.NewReplacer("/", "_", "+", "-").Replace(text),
		"space inside":        text[:8] + " " + text[8:],
		"space at the end":    text + " ",
		"no base64":           `{\"order_id\":1}`,
		"one letter":          "A",
		"bad after good":      text + "!!!!",
		"bad in long":         text[:64] + "!" + text[65:],
		"not ASCII":           text[:12] + "é" + text[12:],
		"escaped, bad":        `\u0021\/`,
		"escaped surrogate":   `\ud83d\ude00`,
		"loose trailing bits": strings.Replace(base64.StdEncoding.EncodeToString(append(bytes.Clone(value), ' ')), "IA==", "IB==", 1),
	}
	taken := 0
	for name, payload := range payloads {
		for _, s := range shapes {
			t.Run(name+"/"+string(s), func(t *testing.T) {
				var oracle []byte
				err := json.Unmarshal([]byte(`"`+payload+`"`), &oracle)
				var seen []outcome
				response, failed := firehose(observe(&seen)).Invoke(t.Context(), s.eventOf(s.record("r0", `"`+payload+`"`)))
				require.NoError(t, failed)
				a := answers(t, response)[0]
				if err == nil {
					taken++
					require.True(t, bytes.HasPrefix(oracle, value))
					assert.Equal(t, answer{ID: "r0", Result: "Ok", Under: s, Payload: "{\"order_id\":1,\"note\":\"???>>>~~~\"}\n", To: "lake.orders", Operation: "update"}, a)
					return
				}
				assert.Equal(t, "ProcessingFailed", a.Result)
				assert.Equal(t, route.Undecodable, seen[0].Reason)
				require.ErrorIs(t, seen[0].Err, envelope.ErrSyntax)
				assert.True(t, envelope.IsPermanent(seen[0].Err))
				assert.Contains(t, string(response), `"`+string(s)+`":"`+payload+`"`)
			})
		}
	}
	assert.Equal(t, 2*9, taken)
}

// Where a payload ends is where its string does, whatever its contents look like.
func TestPayloadEnds(t *testing.T) {
	for _, text := range []string{`\"`, `x\",`, `\\`, `AAAA\"`, `\",\"recordId\":\"r1\",\"data\":\"AAAA`, `AAAA\\\"`} {
		for _, rest := range []string{`}`, `,"x":1}`, `,":1,":true}`, `,":\"":{"data":"AAAA"}}`} {
			for _, s := range shapes {
				event := `{"records":[{"recordId":"r0","` + string(s) + `":"` + text + `"` + rest + `]}`
				require.True(t, json.Valid([]byte(event)))
				var want string
				require.NoError(t, json.Unmarshal([]byte(`"`+text+`"`), &want))
				got := invoke(t, firehose(), []byte(event))
				assert.Equal(t, []answer{{ID: "r0", Result: "ProcessingFailed", Under: s, Payload: want}}, got, event)
			}
		}
	}
}

// Rows of every length come back whole: the encoder works in groups of three bytes and in blocks.
func TestRowLengths(t *testing.T) {
	var values [][]byte
	var want []string
	for n := range 200 {
		row := `{"v":"` + strings.Repeat("x", n) + `"}`
		values = append(values, upsert("u", row, n))
		want = append(want, row+"\n")
	}
	values = append(values, upsert("u", "{}", 0), remove("{ }", 0))
	want = append(want, "{}\n", "{ }\n")
	for _, s := range shapes {
		for i, a := range invoke(t, firehose(), s.event(values...)) {
			assert.Equal(t, want[i], a.Payload)
		}
	}
}

var whole = string(upsert("u", `{"order_id":1}`, 1))

var undecodable = map[string]struct {
	value string
	cause error
}{
	"cut off":      {whole[:len(whole)-1], envelope.ErrSyntax},
	"two records":  {whole + whole, envelope.ErrSyntax},
	"bad UTF-8":    {strings.Replace(whole, "order", "\xff", 1), envelope.ErrSyntax},
	"binary":       {"\x00\x00\x00\x00\x01{}", envelope.ErrSyntax},
	"flattened":    {`{"order_id":1}`, envelope.ErrMissing},
	"array":        {"[" + whole + "]", envelope.ErrType},
	"op twice":     {strings.Replace(whole, `"op"`, `"op":"c","op"`, 1), envelope.ErrDuplicate},
	"image a text": {strings.Replace(whole, `{"order_id":1}`, `"{}"`, 1), envelope.ErrType},
	"no image":     {strings.Replace(whole, `{"order_id":1}`, `null`, 1), envelope.ErrMissing},
	"no source":    {`{"op":"c","after":{"order_id":1}}`, envelope.ErrMissing},
	"too deep":     {strings.Repeat("[", 20000), envelope.ErrSyntax},
}

// What cannot be decoded goes back as it came.
func TestUndecodable(t *testing.T) {
	for name, c := range undecodable {
		for _, s := range shapes {
			var seen []outcome
			got := invoke(t, firehose(observe(&seen)), s.event([]byte(whole), []byte(c.value), []byte(whole)))
			assert.Equal(t, "OPO", results(got), name)
			assert.Equal(t, answer{ID: "r1", Result: "ProcessingFailed", Under: s, Payload: c.value}, got[1], name)
			require.ErrorIs(t, seen[1].Err, c.cause, name)
			seen[1].Err = nil
			assert.Equal(t, outcome{"r1", route.Outcome{Result: route.ProcessingFailed, Reason: route.Undecodable}}, seen[1], name)
		}
	}
}

// A decoder of one's own, one for each invocation that runs at a time.
func TestNewDecoder(t *testing.T) {
	made := 0
	f := firehose()
	f.NewDecoder = func() envelope.Decoder {
		made++
		return decoderFunc(func(c *envelope.Change, record []byte) error {
			*c = envelope.Change{Op: envelope.OpCreate, Table: envelope.Table{Name: "t"}, After: record}
			if len(record) == 0 {
				c.After = nil // an upsert without a row, which the Debezium decoder refuses
			}
			return nil
		})
	}
	for range 3 {
		var seen []outcome
		observe(&seen)(f)
		got := invoke(t, f, msk.event([]byte(`{"a":1}`), nil))
		assert.Equal(t, []answer{
			{ID: "r0", Result: "Ok", Under: msk, Payload: "{\"a\":1}\n", To: "lake.t", Operation: "update"},
			{ID: "r1", Result: "ProcessingFailed", Under: msk},
		}, got)
		assert.Equal(t, []route.Reason{route.Delivered, route.NoImage}, reasons(seen))
	}
	assert.Positive(t, made)
	assert.LessOrEqual(t, made, 3)
}

type decoderFunc func(c *envelope.Change, record []byte) error

func (f decoderFunc) Decode(c *envelope.Change, record []byte) error { return f(c, record) }

// A payload of another type, or a second one, is a record that cannot be used, not one without a value: it fails, without
// a payload to give back.
func TestWrongPayloads(t *testing.T) {
	for payload, want := range map[string]error{
		`"data":1`: envelope.ErrType, `"data":{}`: envelope.ErrType, `"data":["AAAA"]`: envelope.ErrType, `"data":false`: envelope.ErrType,
		`"kafkaRecordValue":1`: envelope.ErrType, `"data":"bnVsbA==","kafkaRecordValue":0`: envelope.ErrType,
		`"data":"bnVsbA==","data":"bnVsbA=="`: envelope.ErrDuplicate, `"data":"","kafkaRecordValue":"bnVsbA=="`: envelope.ErrDuplicate,
	} {
		var seen []outcome
		got := invoke(t, firehose(observe(&seen)), []byte(`{"records":[{"recordId":"r0",`+payload+`},{"recordId":"r1","data":null}]}`))
		require.Equal(t, "PD", results(got), payload)
		assert.Empty(t, got[0].Payload, payload)
		assert.Equal(t, route.Undecodable, seen[0].Reason, payload)
		assert.ErrorIs(t, seen[0].Err, want, payload)
		assert.True(t, envelope.IsPermanent(seen[0].Err), payload)
	}
}
