package envelope

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// datumTests are values as they stand in records, with their canonical text and their
// Go value. They feed FuzzDatum.
var datumTests = []struct {
	typ  Type
	json string
	text string // "error" for none
	any  any    // nil is not compared
}{
	{Type{Kind: KindBool}, `true`, "true", true},
	{Type{Kind: KindBool}, `false`, "false", false},
	{Type{Kind: KindBool}, `1`, "true", true},
	{Type{Kind: KindBool}, `0`, "false", false},
	{Type{Kind: KindBool}, `2`, "error", nil},
	{Type{Kind: KindBool}, `"true"`, "true", true},
	{Type{Kind: KindBool}, `"f"`, "false", false},
	{Type{Kind: KindBool}, `"no"`, "error", nil},

	{Type{Kind: KindInt}, `-9223372036854775808`, "-9223372036854775808", int64(math.MinInt64)},
	{Type{Kind: KindInt}, `9007199254740993`, "9007199254740993", int64(9007199254740993)},
	{Type{Kind: KindInt}, `9223372036854775808`, "error", nil},
	{Type{Kind: KindInt, Bits: 32}, `2147483647`, "2147483647", int64(math.MaxInt32)},
	{Type{Kind: KindInt, Bits: 32}, `2147483648`, "error", nil},
	{Type{Kind: KindInt, Bits: 32}, `-2147483649`, "error", nil},
	{Type{Kind: KindInt, Bits: 8}, `-128`, "-128", int64(-128)},
	{Type{Kind: KindInt, Bits: 8}, `128`, "error", nil},
	{Type{Kind: KindInt}, `true`, "1", int64(1)},
	{Type{Kind: KindInt}, `1.0`, "1", int64(1)},
	{Type{Kind: KindInt}, `12e3`, "12000", int64(12000)},
	{Type{Kind: KindInt}, `1.5`, "error", nil},
	{Type{Kind: KindInt}, `1e19`, "error", nil},
	{Type{Kind: KindInt}, `"1"`, "error", nil},

	{Type{Kind: KindUint}, `18446744073709551615`, "18446744073709551615", uint64(math.MaxUint64)},
	{Type{Kind: KindUint}, `-1`, "18446744073709551615", uint64(math.MaxUint64)},
	{Type{Kind: KindUint}, `-9223372036854775808`, "9223372036854775808", uint64(1 << 63)},
	{Type{Kind: KindUint}, `5`, "5", uint64(5)},
	{Type{Kind: KindUint}, `18446744073709551616`, "error", nil},
	{Type{Kind: KindUint}, `1.5`, "error", nil},

	{Type{Kind: KindFloat}, `0.1`, "0.1", 0.1},
	{Type{Kind: KindFloat}, `-1e+35`, "-1e+35", -1e35},
	{Type{Kind: KindFloat, Bits: 32}, `3.4028235e+38`, "3.4028235e+38", float64(math.MaxFloat32)},
	{Type{Kind: KindFloat, Bits: 32}, `0.1`, "0.1", float64(float32(0.1))},
	{Type{Kind: KindFloat}, `"Infinity"`, "Infinity", math.Inf(1)},
	{Type{Kind: KindFloat}, `"-Infinity"`, "-Infinity", math.Inf(-1)},
	{Type{Kind: KindFloat}, `"NaN"`, "NaN", nil},
	{Type{Kind: KindFloat}, `"1"`, "error", nil},
	{Type{Kind: KindFloat}, `1e999`, "error", nil},

	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 2}, `"BNI="`, "12.34", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 2}, `"+y4="`, "-12.34", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 2}, `""`, "0.00", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 2}, `12.34`, "12.34", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: -2}, `"BNI="`, "123400", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: 4}, `"BNI="`, "0.1234", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled}, `"BN"`, "error", nil},
	{Type{Kind: KindDecimal, Form: FormUnscaled, Scale: MaxDigits + 1}, `"BNI="`, "error", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"scale":3,"value":"BNI="}`, "1.234", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"value":"AA==","scale":0}`, "0", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"value":"AA=="}`, "error", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"scale":3}`, "error", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"scale":3,"value":4}`, "error", nil},
	{Type{Kind: KindDecimal, Form: FormScaled}, `{"scale":4294967296,"value":"AA=="}`, "error", nil},
	{Type{Kind: KindDecimal}, `{"scale":3,"value":"BNI="}`, "error", nil},
	{Type{Kind: KindDecimal}, `"1.500"`, "1.500", nil},
	{Type{Kind: KindDecimal}, `"NAN"`, "NaN", nil},
	{Type{Kind: KindDecimal}, `"NEGATIVE_INFINITY"`, "-Infinity", nil},
	{Type{Kind: KindDecimal}, `true`, "error", nil},

	{Type{Kind: KindText}, `"a\u00e9\n\"b\""`, "aé\n\"b\"", "aé\n\"b\""},
	{Type{Kind: KindText}, `1`, "error", nil},
	{Type{Kind: KindText, Allowed: []string{"a,b", "c"}}, `"a\\,b"`, "a,b", "a,b"},
	{Type{Kind: KindText, Allowed: []string{"a,b", "c"}}, `"a,b"`, "a,b", "a,b"},
	{Type{Kind: KindText, Allowed: []string{`a\,b`, "a,b"}}, `"a\\,b"`, `a\,b`, `a\,b`},
	{Type{Kind: KindText, Allowed: []string{"c"}}, `"a\\,b"`, `a\,b`, `a\,b`},
	{Type{Kind: KindJSON}, `"{\"a\": 1}"`, `{"a": 1}`, Value(`{"a": 1}`)},
	{Type{Kind: KindJSON}, `{"a": 1}`, `{"a": 1}`, Value(`{"a": 1}`)},
	{Type{Kind: KindUUID}, `"b68a35a7-17ad-35b3-af2a-ae46edb4545a"`, "b68a35a7-17ad-35b3-af2a-ae46edb4545a", "b68a35a7-17ad-35b3-af2a-ae46edb4545a"},
	{Type{Kind: KindUUID}, `"b68a35a717ad35b3af2aae46edb4545a"`, "error", nil},
	{Type{Kind: KindUUID}, `"g68a35a7-17ad-35b3-af2a-ae46edb4545a"`, "error", nil},
	{Type{Kind: KindUUID}, `"b68a35a7-17ad-35b3-af2a+ae46edb4545a"`, "error", nil},

	{Type{Kind: KindBytes}, `"AP8Q/g=="`, "AP8Q/g==", []byte{0, 255, 16, 254}},
	{Type{Kind: KindBytes}, `""`, "", []byte{}},
	{Type{Kind: KindBytes, Form: FormBase64URL}, `"AP8Q_g=="`, "AP8Q/g==", []byte{0, 255, 16, 254}},
	{Type{Kind: KindBytes, Form: FormHex}, `"00ff10fe"`, "AP8Q/g==", []byte{0, 255, 16, 254}},
	{Type{Kind: KindBytes, Form: FormHex}, `"0x00FF10fe"`, "AP8Q/g==", []byte{0, 255, 16, 254}},
	{Type{Kind: KindBytes, Form: FormHex}, `"00f"`, "error", nil},
	{Type{Kind: KindBytes}, `"AP8Q_g=="`, "error", nil},
	{Type{Kind: KindBytes, Form: FormMicros}, `"AA=="`, "error", nil},
	{Type{Kind: KindBytes}, `[1]`, "error", nil},
	{Type{Kind: KindBits, Length: 10}, `"BQI="`, "1000000101", "1000000101"},
	{Type{Kind: KindBits, Length: 10}, `""`, "0000000000", nil},
	{Type{Kind: KindBits, Length: math.MaxInt32}, `""`, "0", nil},
	{Type{Kind: KindBits, Length: math.MaxInt32}, `"Bg=="`, "110", nil},
	{Type{Kind: KindBits, Length: 3}, `"CA=="`, "error", nil},
	{Type{Kind: KindBits, Length: 1 << 30}, `"CA=="`, "1000", nil}, // a length that nobody can mean
	{Type{Kind: KindBits, Length: 1}, `true`, "1", nil},
	{Type{Kind: KindBits, Length: 2}, `true`, "error", nil},
	{Type{Kind: KindBits, Length: 2}, `1`, "error", nil},

	{Type{Kind: KindDate, Form: FormDays}, `19000`, "2022-01-08", time.Date(2022, 1, 8, 0, 0, 0, 0, time.UTC)},
	{Type{Kind: KindDate, Form: FormDays}, `-2440550`, "-4712-01-01", nil},
	{Type{Kind: KindDate, Form: FormDays}, `-2147472692`, "infinity", Infinity(1)},
	{Type{Kind: KindDate, Form: FormDays}, `-2147472691`, "-infinity", Infinity(-1)},
	{Type{Kind: KindDate, Form: FormDays}, `-622191234`, "infinity", Infinity(1)},
	{Type{Kind: KindDate, Form: FormDays}, `-625821272`, "-infinity", Infinity(-1)},
	{Type{Kind: KindDate, Form: FormDays}, `2147483647`, "infinity", nil},
	{Type{Kind: KindDate, Form: FormDays}, `-2147483648`, "-infinity", nil},
	{Type{Kind: KindDate, Form: FormDays}, `2145042905`, "+5874897-12-31", nil},
	{Type{Kind: KindDate, Form: FormDays}, `2147483648`, "error", nil},
	{Type{Kind: KindDate, Form: FormDays}, `"2022-01-08"`, "error", nil},
	{Type{Kind: KindDate}, `"2022-01-08Z"`, "2022-01-08", nil},
	{Type{Kind: KindDate}, `"2022-01-08"`, "2022-01-08", nil},
	{Type{Kind: KindDate}, `"-5877611-06-21Z"`, "infinity", nil},
	{Type{Kind: KindDate}, `"-5877611-06-22Z"`, "-infinity", nil},
	{Type{Kind: KindDate}, `"+292278994-08-16Z"`, "infinity", nil},
	{Type{Kind: KindDate}, `"+292269055-12-02Z"`, "-infinity", nil},
	{Type{Kind: KindDate}, `"infinity"`, "infinity", nil},
	{Type{Kind: KindDate}, `"2022-01-08+01"`, "error", nil},
	{Type{Kind: KindDate}, `19000`, "error", nil},
	{Type{Kind: KindDate, Form: FormParts}, `{"year":2022,"month":1,"day":8,"specialValue":null}`, "2022-01-08", nil},
	{Type{Kind: KindDate, Form: FormParts}, `{"specialValue":"NEGATIVE_INFINITY"}`, "-infinity", nil},
	{Type{Kind: KindDate, Form: FormParts}, `{"specialValue":"?"}`, "error", nil},
	{Type{Kind: KindDate, Form: FormParts}, `{"year":0,"month":0,"day":0}`, "error", nil},
	{Type{Kind: KindDate, Form: FormParts}, `{"year":2022,"month":2}`, "error", nil},

	{Type{Kind: KindTime, Form: FormMicros}, `86400000000`, "24:00:00", 24 * time.Hour},
	{Type{Kind: KindTime, Form: FormMicros}, `-3020399000001`, "-838:59:59.000001", nil},
	{Type{Kind: KindTime, Form: FormMicros}, `3020399999999`, "838:59:59.999999", nil},
	{Type{Kind: KindTime, Form: FormMicros}, `3020400000000`, "error", nil},
	{Type{Kind: KindTime, Form: FormMicros}, `-500000`, "-00:00:00.5", -500 * time.Millisecond},
	{Type{Kind: KindTime, Form: FormMillis}, `45296789`, "12:34:56.789", nil},
	{Type{Kind: KindTime, Form: FormNanos}, `45296789012345`, "12:34:56.789012345", nil},
	{Type{Kind: KindTime}, `"04:05:11.789Z"`, "04:05:11.789", nil},
	{Type{Kind: KindTime}, `"-838:59:59"`, "-838:59:59", nil},
	{Type{Kind: KindTime}, `"04:05"`, "04:05:00", nil},
	{Type{Kind: KindTime}, `"04:60:00"`, "error", nil},
	{Type{Kind: KindTime}, `4`, "error", nil},
	{Type{Kind: KindTime, Form: FormParts}, `{"hour":24,"minute":0,"second":0,"nanos":0}`, "24:00:00", nil},
	{Type{Kind: KindTime, Form: FormParts}, `{"hour":24,"minute":0,"second":1}`, "error", nil},
	{Type{Kind: KindTimeTZ}, `"15:00:00.5Z"`, "15:00:00.5Z", nil},
	{Type{Kind: KindTimeTZ}, `"24:00:00Z"`, "24:00:00Z", nil},
	{Type{Kind: KindTimeTZ}, `"00:30:00+01:00"`, "23:30:00Z", nil},
	{Type{Kind: KindTimeTZ}, `"23:30:00-01:00:30"`, "00:30:30Z", nil},
	{Type{Kind: KindTimeTZ}, `"15:00:00"`, "error", nil},
	{Type{Kind: KindTimeTZ, Form: FormMicros}, `54000500000`, "15:00:00.5Z", nil},
	{Type{Kind: KindTimeTZ, Form: FormParts}, `{"hour":0,"minute":30,"second":0,"offsetSeconds":3600}`, "23:30:00Z", nil},

	{Type{Kind: KindTimestamp, Form: FormMicros}, `1562639337123456`, "2019-07-09T02:28:57.123456", time.Date(2019, 7, 9, 2, 28, 57, 123456000, time.UTC)},
	{Type{Kind: KindTimestamp, Form: FormMicros}, `-1`, "1969-12-31T23:59:59.999999", nil},
	{Type{Kind: KindTimestamp, Form: FormMicros}, `9223372036825200000`, "infinity", Infinity(1)},
	{Type{Kind: KindTimestamp, Form: FormMicros}, `-9223372036832400000`, "-infinity", Infinity(-1)},
	{Type{Kind: KindTimestamp, Form: FormMillis}, `9223372036825200`, "infinity", nil},
	{Type{Kind: KindTimestamp, Form: FormMillis}, `-9223372036832400`, "-infinity", nil},
	{Type{Kind: KindTimestamp, Form: FormMillis}, `1562639337123`, "2019-07-09T02:28:57.123", nil},
	{Type{Kind: KindTimestamp, Form: FormNanos}, `9223372036854775807`, "infinity", nil},
	{Type{Kind: KindTimestamp, Form: FormNanos}, `-9223372036854775808`, "-infinity", nil},
	{Type{Kind: KindTimestamp, Form: FormNanos}, `9223372036854775806`, "2262-04-11T23:47:16.854775806", nil},
	{Type{Kind: KindTimestamp}, `"2019-07-09T02:28:57.123456Z"`, "2019-07-09T02:28:57.123456", nil},
	{Type{Kind: KindTimestamp}, `"2019-07-09 02:28:57"`, "2019-07-09T02:28:57", nil},
	{Type{Kind: KindTimestamp}, `"+294247-01-10T04:00:25.2Z"`, "infinity", nil},
	{Type{Kind: KindTimestamp}, `"-290308-12-21T19:59:27.6Z"`, "-infinity", nil},
	{Type{Kind: KindTimestamp}, `"2019-07-09T24:00:00"`, "2019-07-10T00:00:00", nil},
	{Type{Kind: KindTimestamp}, `"2019-07-09T02:28:57+01:00"`, "error", nil},
	{Type{Kind: KindTimestamp}, `"2019-07-09T02:28:57.1234567891Z"`, "error", nil},
	{Type{Kind: KindTimestamp}, `1`, "error", nil},
	{Type{Kind: KindTimestamp, Form: FormMicros}, `1.5`, "error", nil},
	{Type{Kind: KindTimestamp, Form: FormParts}, `{"year":2019,"month":7,"day":9,"hour":2,"minute":28,"second":57,"nanos":123456000}`, "2019-07-09T02:28:57.123456", nil},
	{Type{Kind: KindTimestamp, Form: FormParts}, `{"year":2019,"month":7,"day":9}`, "error", nil},
	{Type{Kind: KindInstant}, `"2017-09-15T12:00:00.5+02:00"`, "2017-09-15T10:00:00.5Z", nil},
	{Type{Kind: KindInstant}, `"+294247-01-01T00:00:00Z"`, "+294247-01-01T00:00:00Z", nil},
	{Type{Kind: KindInstant}, `"-4713-12-31T00:00:00Z"`, "-4713-12-31T00:00:00Z", nil},
	{Type{Kind: KindInstant}, `"infinity"`, "infinity", Infinity(1)},
	{Type{Kind: KindInstant}, `"-infinity"`, "-infinity", nil},
	{Type{Kind: KindInstant}, `"2017-09-15T12:00:00"`, "error", nil},
	{Type{Kind: KindInstant, Form: FormMicros}, `1562639337123456`, "2019-07-09T02:28:57.123456Z", nil},
	{Type{Kind: KindInstant, Form: FormParts}, `{"year":2017,"month":9,"day":15,"hour":12,"minute":0,"second":0,"offsetSeconds":7200}`, "2017-09-15T10:00:00Z", nil},

	{Type{Kind: KindDuration, Form: FormMicros}, `37091106000000`, "PT10303H5M6S", nil},
	{Type{Kind: KindDuration, Form: FormMicros}, `-1500000`, "PT-1.5S", -1500 * time.Millisecond},
	{Type{Kind: KindDuration, Form: FormMicros}, `9223372036854775807`, "PT2562047788H54.775807S", Interval{Micros: math.MaxInt64}},
	{Type{Kind: KindDuration, Form: FormNanos}, `-9223372036854775808`, "PT-2562047H-47M-16.854775808S", time.Duration(math.MinInt64)},
	{Type{Kind: KindDuration}, `"PT1.5S"`, "PT1.5S", nil},
	{Type{Kind: KindDuration}, `"P1D"`, "error", nil},
	{Type{Kind: KindInterval}, `"P1Y2M3DT4H5M6.78S"`, "P1Y2M3DT4H5M6.78S", Interval{14, 3, 14706780000}},
	{Type{Kind: KindInterval}, `"P-1Y0M0DT0H0M-0.5S"`, "P-1YT-0.5S", nil},
	{Type{Kind: KindInterval}, `1`, "error", nil},
	{Type{Kind: KindInterval, Form: FormParts}, `{"years":1,"months":2,"days":3,"hours":4,"minutes":5,"seconds":6,"nanos":780000000}`, "P1Y2M3DT4H5M6.78S", nil},
	{Type{Kind: KindInterval, Form: FormParts}, `{"years":1,"nanos":1}`, "error", nil},
	{Type{Kind: KindInterval, Form: FormParts}, `{}`, "error", nil},

	{Type{Kind: KindGeometry}, `{"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":4326}`, "AQEAAAAAAAAAAADwPwAAAAAAAABA", nil},
	{Type{Kind: KindGeometry}, `{"x":1,"y":2,"wkb":null,"srid":null}`, "AQEAAAAAAAAAAADwPwAAAAAAAABA", nil},
	{Type{Kind: KindGeometry}, `{"srid":4326}`, "error", nil},
	{Type{Kind: KindGeometry}, `{"wkb":"?"}`, "error", nil},
	{Type{Kind: KindGeometry}, `"AQ=="`, "error", nil},

	{Type{Kind: KindList, Elem: &Type{Kind: KindInt}}, `[1, null ,3]`, "[1,null,3]", []any{int64(1), nil, int64(3)}},
	{Type{Kind: KindList, Elem: &Type{Kind: KindText}}, `["a","b\n"]`, `["a","b\u000a"]`, []any{"a", "b\n"}},
	{Type{Kind: KindList, Elem: &Type{Kind: KindDate, Form: FormDays}}, `[0]`, `["1970-01-01"]`, nil},
	{Type{Kind: KindList, Elem: &Type{Kind: KindFloat}}, `[1.5,"NaN"]`, `[1.5,"NaN"]`, nil},
	{Type{Kind: KindList, Elem: &Type{Kind: KindDecimal}}, `["1.50","NaN"]`, `[1.50,"NaN"]`, nil},
	{Type{Kind: KindList, Elem: &Type{Kind: KindInt}}, `[]`, `[]`, []any{}},
	{Type{Kind: KindList, Elem: &Type{Kind: KindInt}}, `[1,"b"]`, "error", nil},
	{Type{Kind: KindList}, `[1,"2",{}]`, `[1,"2",{}]`, nil},
	{Type{Kind: KindList}, `{}`, "error", nil},
	{Type{Kind: KindMap, Elem: &Type{Kind: KindText}}, `{"a":"1","b":null}`, `{"a":"1","b":null}`, map[string]any{"a": "1", "b": nil}},
	{Type{Kind: KindMap, Key: &Type{Kind: KindInt}, Elem: &Type{Kind: KindFloat}}, `[[1,1.5],[2,2]]`, `{"1":1.5,"2":2}`, map[string]any{"1": 1.5, "2": 2.0}},
	{Type{Kind: KindMap, Key: &Type{Kind: KindInt}, Elem: &Type{Kind: KindFloat}}, `[[1,1.5,1]]`, "error", nil},
	{Type{Kind: KindMap, Key: &Type{Kind: KindInt}, Elem: &Type{Kind: KindFloat}}, `[1]`, "error", nil},
	{Type{Kind: KindMap, Key: &Type{Kind: KindInt}}, `{"a":1}`, "error", nil},
	{Type{Kind: KindMap, Elem: &Type{Kind: KindInt}}, `{"a":"b"}`, "error", nil},
	{Type{Kind: KindMap}, `"a"`, "error", nil},
	{Type{Kind: KindStruct, Fields: []Field{{Name: "a", Type: Type{Kind: KindInt}}, {Name: "b", Type: Type{Kind: KindText}}, {Name: "c"}}}, `{"b":"x","a":1}`, `{"a":1,"b":"x"}`, map[string]any{"a": int64(1), "b": "x", "c": Missing}},
	{Type{Kind: KindStruct, Fields: []Field{{Name: "a", Type: Type{Kind: KindInt}}}}, `{"a":"x"}`, "error", nil},
	{Type{Kind: KindStruct}, `[]`, "error", nil},
	{Type{}, `{"a": [1]}`, `{"a": [1]}`, Value(`{"a": [1]}`)},
	{Type{}, `"a\n"`, "a\n", Value(`"a\n"`)},
}

func TestDatum(t *testing.T) {
	for i := range datumTests {
		tt := &datumTests[i]
		var d Datum
		err := tt.typ.read(&d, Value(tt.json), new(arena))
		if tt.text == "error" {
			if !errors.Is(err, ErrType) || d.State() != Missing {
				t.Errorf("%v of %s is %s, %v", &tt.typ, tt.json, d.AppendText(nil), err)
			}
			continue
		}
		if err != nil || !d.IsSet() || d.Kind() != tt.typ.Kind {
			t.Errorf("%v of %s: %v", &tt.typ, tt.json, err)
			continue
		}
		if got := string(d.AppendText([]byte("x"))); got != "x"+tt.text {
			t.Errorf("%v of %s is %s, want %s", &tt.typ, tt.json, got[1:], tt.text)
		}
		if got := d.Any(); tt.any != nil && !reflect.DeepEqual(got, tt.any) {
			t.Errorf("%v of %s is the Go value %#v, want %#v", &tt.typ, tt.json, got, tt.any)
		}
	}
}

func TestNullDatum(t *testing.T) {
	for k := range kinds + 1 {
		typ := Type{Kind: k}
		var d Datum
		if err := typ.read(&d, Value("null"), new(arena)); err != nil || d.State() != Null || d.IsSet() || d.Any() != nil || len(d.AppendText(nil)) > 0 {
			t.Errorf("%v: %v, %v", k, d.State(), err)
		}
	}
	if d := (Datum{}); d.State() != Missing || d.Any() != Missing || d.Kind() != KindUnknown || d.Type() == nil {
		t.Errorf("the zero Datum is %v", d)
	}
}

// Each accessor takes what is of its kind, and nothing else.
func TestAccessors(t *testing.T) {
	accessors := map[string]struct {
		ok    func(Datum) bool
		kinds []Kind
	}{
		"Bool":     {func(d Datum) bool { _, ok := d.Bool(); return ok }, []Kind{KindBool}},
		"Int64":    {func(d Datum) bool { _, ok := d.Int64(); return ok }, []Kind{KindInt, KindUint}},
		"Uint64":   {func(d Datum) bool { _, ok := d.Uint64(); return ok }, []Kind{KindInt, KindUint}},
		"Float64":  {func(d Datum) bool { _, ok := d.Float64(); return ok }, []Kind{KindFloat}},
		"Decimal":  {func(d Datum) bool { _, ok := d.Decimal(); return ok }, []Kind{KindInt, KindUint, KindDecimal}},
		"Bytes":    {func(d Datum) bool { _, ok := d.Bytes(); return ok }, []Kind{KindUnknown, KindText, KindBytes, KindUUID, KindJSON, KindList, KindMap, KindStruct}},
		"Date":     {func(d Datum) bool { _, ok := d.Date(); return ok }, []Kind{KindDate}},
		"Time":     {func(d Datum) bool { _, ok := d.Time(); return ok }, []Kind{KindDate, KindTimestamp, KindInstant}},
		"Duration": {func(d Datum) bool { _, ok := d.Duration(); return ok }, []Kind{KindTime, KindTimeTZ, KindDuration}},
		"Interval": {func(d Datum) bool { _, ok := d.Interval(); return ok }, []Kind{KindDuration, KindInterval}},
		"Geometry": {func(d Datum) bool { _, ok := d.Geometry(); return ok }, []Kind{KindGeometry}},
	}
	seen := map[Kind]bool{}
	for i := range datumTests {
		tt := &datumTests[i]
		if tt.text == "error" || strings.Contains(tt.text, "nfinity") || strings.HasPrefix(tt.text, "1844") || strings.HasPrefix(tt.text, "922") || strings.HasPrefix(tt.text, "-") || strings.HasPrefix(tt.text, "PT2562047788H") || strings.HasSuffix(tt.text, "808S") {
			continue
		}
		var d Datum
		if err := tt.typ.read(&d, Value(tt.json), new(arena)); err != nil {
			t.Fatal(err)
		}
		seen[d.Kind()] = true
		for name, a := range accessors {
			want := false
			for _, k := range a.kinds {
				want = want || k == d.Kind()
			}
			if got := a.ok(d); got != want {
				t.Errorf("%s of %v %s: %v", name, d.Type(), tt.json, got)
			}
			null := Datum{typ: d.typ, state: Null}
			if a.ok(null) {
				t.Errorf("%s of a null %v", name, d.Type())
			}
		}
	}
	for k := range kinds {
		if !seen[k] {
			t.Errorf("no %v was tried", k)
		}
	}
}

func TestAccessorsRefuseWhatDoesNotFit(t *testing.T) {
	read := func(typ Type, json string) (d Datum) {
		if err := typ.read(&d, Value(json), new(arena)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if _, ok := read(Type{Kind: KindUint}, "-1").Int64(); ok {
		t.Error("2⁶⁴-1 as an int64")
	}
	if _, ok := read(Type{Kind: KindInt}, "-1").Uint64(); ok {
		t.Error("-1 as a uint64")
	}
	if _, ok := read(Type{Kind: KindDuration, Form: FormMicros}, "9223372036854775807").Duration(); ok {
		t.Error("292471 years as a time.Duration")
	}
	if _, ok := read(Type{Kind: KindDuration, Form: FormNanos}, "1").Interval(); ok {
		t.Error("a nanosecond as an interval")
	}
	for _, json := range []string{`"infinity"`, `"-infinity"`} {
		for _, kind := range []Kind{KindDate, KindTimestamp, KindInstant} {
			d := read(Type{Kind: kind}, json)
			if _, ok := d.Time(); ok {
				t.Errorf("%s as a time.Time", json)
			}
			if _, ok := d.Date(); ok {
				t.Errorf("%s as a date", json)
			}
			if want := map[bool]int{true: -1, false: 1}[json[1] == '-']; d.Infinity() != want {
				t.Errorf("%s has the infinity %d", json, d.Infinity())
			}
		}
	}
	for json, want := range map[string]int{`"Infinity"`: 1, `"-Infinity"`: -1, `"NaN"`: 0, "1": 0} {
		if got := read(Type{Kind: KindFloat}, json).Infinity(); got != want {
			t.Errorf("%s has the infinity %d", json, got)
		}
		if got := read(Type{Kind: KindDecimal}, json).Infinity(); got != want {
			t.Errorf("the decimal %s has the infinity %d", json, got)
		}
	}
	if v, ok := read(Type{Kind: KindInt}, "-5").Decimal(); !ok || v.String() != "-5" {
		t.Errorf("-5 is the decimal %v", v)
	}
	if v, ok := read(Type{Kind: KindUint}, "-1").Decimal(); !ok || v.String() != "18446744073709551615" {
		t.Errorf("2⁶⁴-1 is the decimal %v", v)
	}
}

func FuzzDatum(f *testing.F) {
	for i := range datumTests {
		f.Add(byte(datumTests[i].typ.Kind), byte(datumTests[i].typ.Form), datumTests[i].typ.Scale, []byte(datumTests[i].json))
	}
	f.Fuzz(func(t *testing.T, kind, form byte, scale int, json []byte) {
		row := append(append([]byte(`{"a":`), json...), '}')
		r := RowReader{}
		s := &Schema{Fields: []Field{{Name: "a", Type: Type{Kind: Kind(kind) % kinds, Form: Form(form) % forms, Scale: scale, Length: scale}}}}
		if n := s.Fields[0].Type.Length; n < 0 || n > 1000 {
			s.Fields[0].Type.Length = 0
		}
		err := r.Read(s, row)
		if err != nil {
			var decode *DecodeError
			if !errors.As(err, &decode) || r.Len() != 0 {
				t.Fatalf("%v, %d columns", err, r.Len())
			}
			return
		}
		if r.Len() != 1 {
			t.Fatalf("%d columns", r.Len())
		}
		d := r.Datum(0)
		text := string(d.AppendText(nil))
		_ = d.Any()
		switch d.Kind() {
		case KindBool, KindInt, KindUint, KindFloat, KindList, KindMap, KindStruct, KindUnknown, KindGeometry, KindBits, KindJSON, KindDuration:
			return
		}
		if !d.IsSet() {
			return
		}
		// The canonical text is a plain form of the same value.
		plain := d.Type().plain()
		var again Datum
		if err := plain.read(&again, quote(text), new(arena)); err != nil || string(again.AppendText(nil)) != text {
			t.Fatalf("%v %q came back as %q: %v", d.Type(), text, again.AppendText(nil), err)
		}
	})
}

// plain returns the type of the same kind in its plain form.
func (t *Type) plain() *Type { return &Type{Kind: t.Kind} }
