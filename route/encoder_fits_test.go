package route_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What fits, at the limits, and why the rest does not.
var fits = []struct {
	from      envelope.Type
	to, value string
	want      string // JSON, or words of the cause
}{
	{tInt, "boolean", `0`, `false`},
	{tInt, "boolean", `2`, "neither 0 nor 1"},
	{tInt, "boolean", `-1`, "neither 0 nor 1"},
	{tUint, "boolean", `18446744073709551615`, "neither 0 nor 1"},
	{tBool, "int", `false`, `0`},
	{tInt, "int", `2147483647`, `2147483647`},
	{tInt, "int", `2147483648`, "out of range"},
	{tInt, "int", `-2147483648`, `-2147483648`},
	{tInt, "int", `-2147483649`, "out of range"},
	{tInt, "", `-9223372036854775808`, `-9223372036854775808`},
	{tUint, "long", `9223372036854775807`, `9223372036854775807`},
	{tUint, "long", `9223372036854775808`, "out of range"},
	{tUint, "", `18446744073709551615`, `"18446744073709551615"`},
	{tDecimal, "int", `"3.10"`, "a fraction that would be lost"},
	{tDecimal, "int", `"2147483648"`, "out of range"},
	{tDecimal, "long", `"9223372036854775807.0"`, `9223372036854775807`},
	{tDecimal, "long", `"9223372036854775808"`, "out of range"},
	{tDecimal, "long", `"1e38"`, "out of range"},
	{tDecimal, "long", `"NaN"`, "not a number"},
	{tDecimal, "long", `"-Infinity"`, "an infinity"},

	{tFloat, "", `0.1`, `0.1`},
	{tFloat, "", `-0.0`, `-0`},
	{tFloat, "", `1e300`, `1e+300`},
	{tFloat, "", `5e-324`, `5e-324`},
	{tFloat, "", `1e20`, `100000000000000000000`},
	{tFloat, "", `1e21`, `1e+21`},
	{tFloat, "", `0.000001`, `0.000001`},
	{tFloat, "", `0.0000001`, `1e-07`},
	{tFloat, "", `"NaN"`, `"NaN"`},
	{tFloat, "", `"Infinity"`, `"Infinity"`},
	{tFloat, "", `"-Infinity"`, `"-Infinity"`},
	{tFloat, "float", `0.1`, "digits that would be lost"},
	{tFloat, "float", `0.25`, `0.25`},
	{tFloat, "float", `0.10000000149011612`, `0.1`},
	{tFloat, "float", `1e300`, "digits that would be lost"},
	{tFloat, "float", `"NaN"`, `"NaN"`},
	{tFloat, "float", `"-Infinity"`, `"-Infinity"`},
	{tFloat32, "", `0.1`, `0.1`},
	{tFloat32, "double", `0.1`, `0.10000000149011612`},
	{tInt, "double", `9007199254740992`, `9007199254740992`},
	{tInt, "double", `9007199254740993`, "digits that would be lost"},
	{tInt, "float", `16777217`, "digits that would be lost"},
	{tDecimal, "double", `"0.10"`, `0.1`},
	{tDecimal, "double", `"0.1000000000000000055511151231257827"`, "digits that would be lost"},
	{tDecimal, "double", `"1e400"`, "out of range"},
	{tDecimal, "float", `"16777217"`, "digits that would be lost"},
	{tDecimal, "double", `"NaN"`, `"NaN"`},
	{tDecimal, "double", `"Infinity"`, `"Infinity"`},
	{tDecimal, "float", `"-Infinity"`, `"-Infinity"`},

	{tDecimal, "", `"9999999999.99"`, `"9999999999.99"`},
	{tDecimal, "", `"10000000000.00"`, "too many digits"},
	{tDecimal, "", `"-10000000000"`, "too many digits"},
	{tDecimal, "", `"1.5"`, `"1.50"`},
	{tDecimal, "", `"1.500"`, `"1.50"`},
	{tDecimal, "", `"1.505"`, "a fraction that would be lost"},
	{tDecimal, "", `"-0.05"`, `"-0.05"`},
	{tDecimal, "", `"0"`, `"0.00"`},
	{tDecimal, "", `"0.000000"`, `"0.00"`},
	{tDecimal, "", `"1e3"`, `"1000.00"`},
	{tDecimal, "", `"NaN"`, "not a number"},
	{tDecimal, "", `"Infinity"`, "an infinity"},
	{tDecimal, "decimal(2,2)", `"0.99"`, `"0.99"`},
	{tDecimal, "decimal(2,2)", `"0"`, `"0.00"`},
	{tDecimal, "decimal(2,2)", `"1"`, "too many digits"},
	{tDecimal, "decimal(38,0)", `"99999999999999999999999999999999999999"`, `"99999999999999999999999999999999999999"`},
	{tDecimal, "decimal(38,0)", `"100000000000000000000000000000000000000"`, "too many digits"},
	{tDecimal, "decimal(38,0)", `"99999999999999999999999999999999999999.0"`, `"99999999999999999999999999999999999999"`},
	{tDecimal, "decimal(38,10)", `"-9999999999999999999999999999.9999999999"`, `"-9999999999999999999999999999.9999999999"`},
	{envelope.Type{Kind: envelope.KindDecimal}, "", `"100000000000000000000000000000000000000.5"`, `"100000000000000000000000000000000000000.5"`},
	{envelope.Type{Kind: envelope.KindDecimal}, "", `"NaN"`, `"NaN"`},
	{tFloat, "decimal(12,2)", `0.1`, `"0.10"`},
	{tFloat, "decimal(12,2)", `0.123`, "a fraction that would be lost"},
	{tFloat, "decimal(12,2)", `1e300`, "too many digits"},
	{tFloat, "decimal(12,2)", `"NaN"`, "not a number"},
	{tFloat, "decimal(12,2)", `"Infinity"`, "an infinity"},
	{tFloat32, "decimal(12,2)", `0.1`, `"0.10"`},
	{tText, "decimal(12,2)", `"secret"`, "not a decimal"},
	{tText, "decimal(12,2)", `""`, "not a decimal"},
	{tText, "decimal(12,2)", `"NaN"`, "not a number"},
	{tText, "uuid", `"B68A35A7-17AD-35b3-af2a-ae46edb4545a"`, `"B68A35A7-17AD-35b3-af2a-ae46edb4545a"`},
	{tText, "uuid", `"b68a35a717ad35b3af2aae46edb4545a"`, "not a UUID"},
	{tText, "uuid", `"b68a35a7-17ad-35b3-af2a-ae46edb4545g"`, "not a UUID"},
	{tText, "uuid", `"b68a35a7-17ad-35b3-af2a+ae46edb4545a"`, "not a UUID"},
	{tText, "uuid", `"b68a35a7-17ad-35b3-af2a-ae46edb4545\u0010"`, "not a UUID"},

	{tDate, "", `"-0001-12-31"`, `-719529`},
	{tDate, "", `"infinity"`, "an infinity"},
	{tDate, "", `"-infinity"`, "an infinity"},
	{tDate, "timestamp", `"infinity"`, "an infinity"},
	{tDate, "string", `"infinity"`, `"infinity"`},
	{envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}, "", `2147483646`, `2147483646`},
	{envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}, "", `-2147480000`, `-2147480000`},
	{tDate, "", `"+5881580-07-12"`, "out of range"}, // 2^31 days
	{tDate, "timestamp", `"+5881580-07-12"`, "out of range"},
	{envelope.Type{Kind: envelope.KindDate, Form: envelope.FormDays}, "timestamp", `-1`, `-86400000000`},
	{tTimestamp, "date", `"1969-12-31T00:00:00"`, `-1`},
	{tTimestamp, "date", `"1969-12-31T00:00:00.000000001"`, "a fraction that would be lost"},
	{tTimestamp, "date", `"1969-12-31T00:00:01"`, "a fraction that would be lost"},
	{tTimestamp, "date", `"infinity"`, "an infinity"},
	{tTime, "", `"23:59:59.999999"`, `86399999999`},
	{tTime, "", `"24:00:00"`, "out of range"},
	{tTime, "", `"00:00:00.0000001"`, "a fraction that would be lost"},
	{tTime, "long", `"00:00:00.0000001"`, "a fraction that would be lost"},
	{tTime, "long", `"24:00:00"`, `86400000000`},
	{envelope.Type{Kind: envelope.KindTime, Form: envelope.FormMicros}, "", `-1`, "out of range"},
	{envelope.Type{Kind: envelope.KindTime, Form: envelope.FormMicros}, "long", `-3020399000000`, `-3020399000000`},
	{envelope.Type{Kind: envelope.KindTime, Form: envelope.FormMicros}, "string", `-3020399000000`, `"-838:59:59"`},
	{tTimestamp, "", `"1969-12-31T23:59:59.999999"`, `-1`},
	{tTimestamp, "", `"2024-05-22T10:00:00.0000001"`, "a fraction that would be lost"},
	{tTimestamp, "", `"infinity"`, "an infinity"},
	{tInstant, "", `"-infinity"`, "an infinity"},
	{tInstant, "string", `"-infinity"`, `"-infinity"`},
	{tInstant, "", `"+294247-01-10T04:00:53Z"`, `9223372036853000000`},
	{tInstant, "", `"+294247-01-10T04:00:55Z"`, "out of range"},
	{tInstant, "", `"-290308-12-21T19:59:07Z"`, `-9223372036853000000`},
	{tInstant, "", `"-290308-12-21T19:59:05Z"`, "out of range"},
	{tDuration, "long", `-9223372036854775808`, "out of range"},
	{envelope.Type{Kind: envelope.KindDuration, Form: envelope.FormNanos}, "long", `1001`, "a fraction that would be lost"},

	{tBytes, "", `""`, `""`},
	{tBytes, "", `"/+8="`, `"/+8="`},
	{tBytes, "fixed[3]", `"AQI="`, "another length"},
	{tBytes, "fixed[2]", `"AQI="`, `"AQI="`},
	{tText, "", `"a\"b\\c\u0001\n\ud83d\ude42é\u007f/"`, `"a\"b\\c\u0001\u000a🙂é` + "\x7f" + `/"`},

	{tList, "list<int>", `[1,2147483648]`, "out of range"},
	{tList, "list<string>", `[]`, `[]`},
	{tList, "list<decimal(3,1)>", `[1,null]`, `["1.0",null]`},
	{tMap, "map<string,int>", `{"x":2147483648}`, "out of range"},
	{tMap, "map<string,string>", `{"a\"b":1,"c":null}`, `{"a\"b":"1","c":null}`},
	{tMap, "map<string,long>", `{}`, `{}`},
	{envelope.Type{Kind: envelope.KindMap, Key: &tInt, Elem: &tFloat}, "map<int,double>", `[[1,0.5],[3,"NaN"]]`, `{"1":0.5,"3":"NaN"}`},
	{envelope.Type{Kind: envelope.KindMap, Key: &tInt, Elem: &tFloat}, "map<int,double>", `[[2147483648,0.5]]`, "out of range"},
	{envelope.Type{Kind: envelope.KindMap, Key: &tInt, Elem: &tFloat}, "map<int,double>", `[[null,0.5]]`, "a key that is null"},
	{tStruct, "struct<A:long,B:date>", `{"b":null}`, `{"b":null}`},
	{tStruct, "struct<b:timestamp,a:string,c:int>", `{"b":"1970-01-02","A":1}`, `{"a":"1","b":86400000000}`},
	{tStruct, "struct<a:long,b:date>", `{"b":"infinity"}`, "an infinity"},
	{tStruct, "struct<a:long,b:date>", `{}`, `{}`},
}

func TestEncoderFits(t *testing.T) {
	for _, c := range fits {
		name := fmt.Sprintf("%v %s into %s", &c.from, c.value, c.to)
		got, err := encode(into(c.to), c.from, c.value)
		if json.Valid([]byte(c.want)) {
			require.NoError(t, err, name)
			assert.Equal(t, c.want, got, name)
			continue
		}
		misfit, ok := errors.AsType[*route.MisfitError](err)
		require.True(t, ok, "%s: %s %v", name, got, err)
		assert.Equal(t, c.want, misfit.Err.Error(), name)
		assert.Equal(t, "v", misfit.Column)
		assert.Equal(t, c.from.String(), misfit.From)
		at, ok := errors.AsType[*envelope.DecodeError](err)
		require.True(t, ok)
		assert.Equal(t, "/v", at.Path)
		assert.ErrorIs(t, err, envelope.ErrType)
		assert.True(t, envelope.IsPermanent(err))
		assert.NotContains(t, err.Error(), "secret")

		e := into(c.to)
		e.Misfit = route.MisfitNull
		got, err = encode(e, c.from, c.value)
		require.NoError(t, err, name)
		assert.Equal(t, "null", got, name)

		// Its text fits into a string, and is what is sent in its place if that is asked for.
		text, err := encode(into("string"), c.from, c.value)
		require.NoError(t, err, name)
		e = into(c.to)
		e.Misfit = route.MisfitText
		got, err = encode(e, c.from, c.value)
		require.NoError(t, err, name)
		assert.Equal(t, text, got, name)
	}
}
