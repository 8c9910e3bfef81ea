package route_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// quoted returns text as JSON by another's hand.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// A decimal fits decimal(P,S) if P digits can say it with S of them behind the point.
func TestEncoderDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{1,45}`).Draw(t, "digits")
		unscaled, _ := new(big.Int).SetString(digits, 10)
		scale := rapid.IntRange(-10, 45).Draw(t, "scale")
		p := rapid.IntRange(1, 38).Draw(t, "p")
		s := rapid.IntRange(0, p).Draw(t, "s")

		value := new(big.Rat).SetInt(unscaled)
		power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
		if scale > 0 {
			value.Quo(value, power)
		} else {
			value.Mul(value, power)
		}
		shifted := new(big.Rat).Mul(value, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s)), nil)))
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil)
		fits := shifted.IsInt() && shifted.Num().CmpAbs(limit) < 0

		text := fmt.Sprintf("%se%d", digits, -scale)
		from := envelope.Type{Kind: envelope.KindDecimal}
		if rapid.Bool().Draw(t, "as text") {
			from.Kind = envelope.KindText
		}
		got, err := encode(into(fmt.Sprintf("decimal(%d,%d)", p, s)), from, quoted(text))
		if !fits {
			_, ok := errors.AsType[*route.MisfitError](err)
			require.True(t, ok, "%s %v", got, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, quoted(value.FloatString(s)), strings.Replace(got, `"-0"`, `"0"`, 1))
	})
}

// What a float or a decimal is in a float or a double is written as what it is.
func TestEncoderFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		if rapid.Bool().Draw(t, "short") {
			f = float64(float32(f))
		}
		if math.IsInf(f, 0) {
			return
		}
		text := strconv.FormatFloat(f, 'g', -1, 64)
		got, err := encode(into(""), tFloat, text)
		require.NoError(t, err)
		var back float64
		require.NoError(t, json.Unmarshal([]byte(got), &back))
		require.Equal(t, math.Float64bits(f), math.Float64bits(back))

		got, err = encode(into("float"), tFloat, text)
		require.Equal(t, float64(float32(f)) == f, err == nil, "%s %v", got, err)
		if err == nil {
			short, err := strconv.ParseFloat(got, 32)
			require.NoError(t, err)
			require.Equal(t, f, short)
		}

		decimal := strconv.FormatFloat(f, 'f', -1, 64)
		got, err = encode(into("double"), envelope.Type{Kind: envelope.KindDecimal}, quoted(decimal))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(got), &back))
		require.Equal(t, f, back)
	})
}

func TestEncoderMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(-62135596800_000_000, 253402300799_999_999).Draw(t, "micros") // the years 1 to 9999
		at := time.UnixMicro(micros).UTC()
		text := quoted(at.Format("2006-01-02T15:04:05.999999"))
		want := strconv.FormatInt(micros, 10)
		for _, c := range []struct {
			from  envelope.Type
			value string
		}{
			{tTimestamp, text},
			{envelope.Type{Kind: envelope.KindTimestamp, Form: envelope.FormMicros}, want},
			{tInstant, quoted(at.Format(time.RFC3339Nano))},
			{tInstant, quoted(at.In(time.FixedZone("", rapid.IntRange(-12, 12).Draw(t, "zone")*3600)).Format(time.RFC3339Nano))},
		} {
			for _, to := range []string{"", "timestamp", "timestamptz"} {
				got, err := encode(into(to), c.from, c.value)
				if year := at.Year(); year == 1 || year == 9999 { // in another zone the year may have no four digits
					continue
				}
				require.NoError(t, err, c.value)
				require.Equal(t, want, got)
			}
		}

		midnight := at.Truncate(24 * time.Hour)
		days := strconv.FormatInt(midnight.Unix()/86400, 10)
		for _, c := range []struct {
			from envelope.Type
			v    string
		}{{tDate, quoted(at.Format("2006-01-02"))}, {envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}, days}, {tTimestamp, quoted(midnight.Format("2006-01-02T15:04:05"))}} {
			got, err := encode(into("date"), c.from, c.v)
			require.NoError(t, err)
			require.Equal(t, days, got)
		}
		got, err := encode(into(""), tTime, quoted(at.Format("15:04:05.999999")))
		require.NoError(t, err)
		require.Equal(t, strconv.FormatInt(at.Sub(midnight).Microseconds(), 10), got)
	})
}

// A row comes back as it was: encoding/json reads what the encoder writes.
func TestEncoderRoundTrip(t *testing.T) {
	schema := &envelope.Schema{}
	for _, f := range []struct {
		name string
		typ  envelope.Type
	}{{"Bool", tBool}, {"int", tInt}, {"uint", tUint}, {"text", tText}, {"bytes", tBytes}, {"json", envelope.Type{Kind: envelope.KindJSON}}, {"list", envelope.Type{Kind: envelope.KindList, Elem: &tText}}} {
		schema.Fields = append(schema.Fields, envelope.Field{Name: f.name, Type: f.typ, Optional: true})
	}
	e := &route.Encoder{Nested: true}
	rapid.Check(t, func(t *rapid.T) {
		in := map[string]any{
			"Bool":  rapid.Bool().Draw(t, "bool"),
			"int":   rapid.Int64().Draw(t, "int"),
			"uint":  rapid.Uint64().Draw(t, "uint"),
			"text":  rapid.String().Draw(t, "text"),
			"bytes": rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"),
			"json":  quoted(rapid.String().Draw(t, "json")),
			"list":  rapid.SliceOf(rapid.String()).Draw(t, "list"),
		}
		for name := range in {
			switch rapid.IntRange(0, 9).Draw(t, name) {
			case 0:
				in[name] = nil
			case 1:
				delete(in, name)
			}
		}
		row, err := json.MarshalIndent(in, rapid.SampledFrom([]string{"", " "}).Draw(t, "space"), "")
		require.NoError(t, err)
		got, err := e.AppendRow(nil, orders, schema, row)
		require.NoError(t, err)
		var out map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(got, &out))
		require.Len(t, out, len(in))
		for name, want := range in {
			value, ok := out[strings.ToLower(name)]
			require.True(t, ok, name)
			if n, is := want.(uint64); is {
				want = strconv.FormatUint(n, 10) // as a decimal it is text
			}
			if b, is := want.([]byte); is {
				want = base64.StdEncoding.EncodeToString(b)
			}
			wantJSON, err := json.Marshal(want)
			require.NoError(t, err)
			require.JSONEq(t, string(wantJSON), string(value), name)
		}
	})
}

// Whatever the row is, there is a row or an error; what there is, encoding/json reads, and it tells the same again.
func FuzzEncoder(f *testing.F) {
	schema := new(envelope.Schema)
	for i, w := range ways {
		schema.Fields = append(schema.Fields, envelope.Field{Name: "c" + strconv.Itoa(i), Type: w.from})
		f.Add(fmt.Appendf(nil, `{"c%d":%s}`, i, w.value), uint8(i))
	}
	for _, c := range fits {
		for i, w := range ways {
			if w.from.Kind == c.from.Kind {
				f.Add(fmt.Appendf(nil, `{"c%d":%s}`, i, c.value), uint8(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, row []byte, options uint8) {
		e := &route.Encoder{Nested: options&1 != 0, DropUnknown: options&2 != 0, Misfit: route.Misfit(options >> 2 % 3)}
		before := bytes.Clone(row)
		got, err := e.AppendRow([]byte("x"), orders, schema, row)
		require.Equal(t, before, row, "the row was changed")
		if err != nil {
			require.Equal(t, "x", string(got))
			require.True(t, envelope.IsPermanent(err), "%v", err)
			if e.Misfit != route.MisfitFail {
				_, misfit := errors.AsType[*route.MisfitError](err)
				require.False(t, misfit)
			}
			return
		}
		require.True(t, json.Valid(got[1:]), "%s", got)
		var in, out map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(before, &in))
		require.NoError(t, json.Unmarshal(got[1:], &out))
		if options&2 == 0 {
			require.Len(t, out, len(in))
		}
		for name, v := range out {
			require.Contains(t, in, name)
			if string(in[name]) == "null" {
				require.Equal(t, "null", string(v))
			}
			if e.Misfit != route.MisfitNull {
				require.Equal(t, string(in[name]) == "null", string(v) == "null", name)
			}
		}
		again, err := e.AppendRow([]byte("x"), orders, schema, row)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}

func FuzzEncoderText(f *testing.F) {
	for _, s := range []string{"", "a\"b\\c\n\x00\x1f\x7f", "é🙂\u2028", "__debezium_unavailable_value", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value := quoted(text)
		got, err := encode(new(route.Encoder), tText, value)
		if err != nil {
			_, ok := errors.AsType[*route.UnavailableError](err)
			require.True(t, ok, "%v", err)
			return
		}
		var want, back string
		require.NoError(t, json.Unmarshal([]byte(value), &want))
		require.NoError(t, json.Unmarshal([]byte(got), &back))
		assert.Equal(t, want, back)
	})
}
