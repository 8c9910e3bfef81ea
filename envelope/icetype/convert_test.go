package icetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/stretchr/testify/require"
)

// datum reads a value of a kind from its JSON in its plain form.
func datum(t testing.TB, typ envelope.Type, json string) envelope.Datum {
	t.Helper()
	s := &envelope.Schema{Fields: []envelope.Field{{Name: "v", Type: typ}}}
	r := new(envelope.RowReader)
	require.NoError(t, r.Read(s, envelope.Row(`{"v":`+json+`}`)))
	return r.Datum(0)
}

// held returns what a column of the type holds of a value, as text.
func held(typ icetype.Type, d envelope.Datum) (string, error) {
	switch typ.Kind {
	case icetype.Float, icetype.Double:
		f, err := typ.Real(d)
		return fmt.Sprint(f), err
	case icetype.Decimal:
		v, err := typ.Decimal(d)
		return v.String(), err
	case icetype.String, icetype.UUID, icetype.Fixed, icetype.Binary:
		b, err := typ.AppendBytes([]byte("x"), d)
		if !strings.HasPrefix(string(b), "x") || err != nil && string(b) != "x" {
			return "", fmt.Errorf("%q was there before: %v", b, err)
		}
		return fmt.Sprintf("%q", b[1:]), err
	}
	n, err := typ.Whole(d)
	return fmt.Sprint(n), err
}

func TestWhatTypesHold(t *testing.T) {
	for _, tt := range []struct {
		kind     envelope.Kind
		json, to string
		want     string
		err      error
	}{
		{envelope.KindBool, `true`, "boolean", "1", nil},
		{envelope.KindInt, `0`, "boolean", "0", nil},
		{envelope.KindInt, `2`, "boolean", "", icetype.ErrBoolean},
		{envelope.KindInt, `-1`, "boolean", "", icetype.ErrBoolean},
		{envelope.KindInt, `2147483647`, "int", "2147483647", nil},
		{envelope.KindInt, `2147483648`, "int", "", icetype.ErrRange},
		{envelope.KindUint, `-1`, "long", "", icetype.ErrRange},
		{envelope.KindBool, `true`, "long", "1", nil},
		{envelope.KindDecimal, `"12.00"`, "long", "12", nil},
		{envelope.KindDecimal, `"12.50"`, "long", "", icetype.ErrFraction},
		{envelope.KindDecimal, `"NaN"`, "long", "", icetype.ErrNaN},
		{envelope.KindDecimal, `"1e30"`, "long", "", icetype.ErrRange},
		{envelope.KindTime, `"00:00:01.000002"`, "long", "1000002", nil},
		{envelope.KindTime, `"24:00:00"`, "time", "", icetype.ErrRange},
		{envelope.KindTime, `"-00:00:01"`, "time", "", icetype.ErrRange},
		{envelope.KindTimeTZ, `"23:59:59.999999Z"`, "time", "86399999999", nil},
		{envelope.KindTime, `"00:00:00.0000001"`, "time", "", icetype.ErrFraction},
		{envelope.KindDate, `"1969-12-31"`, "date", "-1", nil},
		{envelope.KindDate, `"infinity"`, "date", "", icetype.ErrInfinite},
		{envelope.KindTimestamp, `"1970-01-02T00:00:00"`, "date", "1", nil},
		{envelope.KindTimestamp, `"1970-01-02T00:00:01"`, "date", "", icetype.ErrFraction},
		{envelope.KindTimestamp, `"1969-12-31T23:59:59.999999"`, "timestamp", "-1", nil},
		{envelope.KindTimestamp, `"1970-01-01T00:00:00.0000001"`, "timestamp", "", icetype.ErrFraction},
		{envelope.KindTimestamp, `"1970-01-01T00:00:00.0000001"`, "timestamp_ns", "100", nil},
		{envelope.KindInstant, `"2300-01-01T00:00:00Z"`, "timestamptz_ns", "", icetype.ErrRange},
		{envelope.KindInstant, `"-infinity"`, "timestamptz", "", icetype.ErrInfinite},
		{envelope.KindInstant, `"1970-01-01T01:00:00+01:00"`, "timestamptz", "0", nil},
		{envelope.KindFloat, `0.1`, "double", "0.1", nil},
		{envelope.KindFloat, `0.1`, "float", "", icetype.ErrInexact},
		{envelope.KindFloat, `0.5`, "float", "0.5", nil},
		{envelope.KindFloat, `"NaN"`, "float", "NaN", nil},
		{envelope.KindDecimal, `"0.1"`, "double", "0.1", nil},
		{envelope.KindDecimal, `"0.10000000000000001"`, "double", "", icetype.ErrInexact},
		{envelope.KindDecimal, `"-Infinity"`, "double", "-Inf", nil},
		{envelope.KindDecimal, `"1e400"`, "double", "", icetype.ErrRange},
		{envelope.KindInt, `9007199254740993`, "double", "", icetype.ErrInexact},
		{envelope.KindDecimal, `"12.5"`, "decimal(4,2)", "12.50", nil},
		{envelope.KindDecimal, `"123.4"`, "decimal(4,2)", "", icetype.ErrDigits},
		{envelope.KindDecimal, `"1.005"`, "decimal(4,2)", "", icetype.ErrFraction},
		{envelope.KindDecimal, `"1.000"`, "decimal(4,2)", "1.00", nil},
		{envelope.KindDecimal, `"0.000"`, "decimal(2,2)", "0.00", nil},
		{envelope.KindDecimal, `"99999999999999999999999999999999999999"`, "decimal(38,0)", "99999999999999999999999999999999999999", nil},
		{envelope.KindUint, `-1`, "decimal(20,0)", "18446744073709551615", nil},
		{envelope.KindFloat, `0.1`, "decimal(4,2)", "0.10", nil},
		{envelope.KindFloat, `"Infinity"`, "decimal(4,2)", "", icetype.ErrInfinite},
		{envelope.KindText, `"1.5"`, "decimal(4,2)", "1.50", nil},
		{envelope.KindText, `"a"`, "decimal(4,2)", "", icetype.ErrDecimal},
		{envelope.KindText, `"a\n"`, "string", `"a\n"`, nil},
		{envelope.KindInt, `5`, "string", `"5"`, nil},
		{envelope.KindUUID, `"00000000-0000-0000-0000-00000000fF01"`, "uuid", `"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x01"`, nil},
		{envelope.KindText, `"00000000000000000000000000000000ff01"`, "uuid", "", icetype.ErrUUID},
		{envelope.KindBytes, `"AP8="`, "fixed[2]", `"\x00\xff"`, nil},
		{envelope.KindBytes, `"AP8="`, "fixed[3]", "", icetype.ErrLength},
		{envelope.KindGeometry, `{"wkb":"AP8="}`, "binary", `"\x00\xff"`, nil},
	} {
		typ, err := icetype.Parse(tt.to)
		require.NoError(t, err)
		require.True(t, typ.Takes(tt.kind), "%v into %v", tt.kind, typ)
		got, err := held(typ, datum(t, envelope.Type{Kind: tt.kind}, tt.json))
		if tt.err != nil {
			require.ErrorIs(t, err, tt.err, "%s into %s: %s", tt.json, tt.to, got)
			continue
		}
		require.NoError(t, err, "%s into %s", tt.json, tt.to)
		require.Equal(t, tt.want, got, "%s into %s", tt.json, tt.to)
	}
}

// A method of another kind's refuses every value.
func TestEachTypeHasItsMethod(t *testing.T) {
	d := datum(t, envelope.Type{Kind: envelope.KindInt}, "1")
	for k := icetype.None; k < icetype.Kinds; k++ {
		typ := icetype.Type{Kind: k, Precision: 5, Length: 1}
		_, whole := typ.Whole(d)
		_, realErr := typ.Real(d)
		_, decimal := typ.Decimal(d)
		answers := 0
		for _, err := range []error{whole, realErr, decimal} {
			if err == nil {
				answers++
				continue
			}
			require.ErrorIs(t, err, icetype.ErrWay)
		}
		_, bytes := typ.AppendBytes(nil, d)
		require.Equal(t, k == icetype.String, bytes == nil, "%v", k)
		null := datum(t, envelope.Type{Kind: envelope.KindInt}, "null")
		_, whole = typ.Whole(null)
		_, realErr = typ.Real(null)
		require.True(t, whole != nil && realErr != nil, "%v", k)
		wants := map[icetype.Kind]int{icetype.Boolean: 1, icetype.Int: 1, icetype.Long: 1, icetype.Float: 1, icetype.Double: 1, icetype.Decimal: 1}
		require.Equal(t, wants[k], answers, "%v", k)
	}
}

func ExampleType_Whole() {
	s := &envelope.Schema{Fields: []envelope.Field{{Name: "at", Type: envelope.Type{Kind: envelope.KindInstant}}}}
	var r envelope.RowReader
	to := icetype.Of(&s.Fields[0].Type)
	for _, row := range []string{`{"at":"2026-01-01T00:00:00.000001Z"}`, `{"at":"infinity"}`} {
		if err := r.Read(s, envelope.Row(row)); err != nil {
			fmt.Println(err)
		}
		micros, err := to.Whole(r.Datum(0))
		fmt.Println(to, micros, err)
	}
	// Output:
	// timestamptz 1767225600000001 <nil>
	// timestamptz 0 an infinity
}
