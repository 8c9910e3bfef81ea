package envelope

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// readValue reads a valid JSON value.
func readValue(t *testing.T, typ Type, v []byte) (Datum, error) {
	t.Helper()
	var d Datum
	err := typ.read(&d, Value(v), new(arena))
	if (err == nil) != (d.State() != Missing) {
		t.Fatalf("%v of %s is %v: %v", &typ, v, d.State(), err)
	}
	return d, err
}

// Numbers against math/big and encoding/json.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.0", "12e3", "1e-2", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e19", "0.1", "1e400", "123456789012345678901234567890.5", "2147483648", "-129"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if Value(b).Kind() != '0' || !jsonscan.Valid(b) || jsonscan.Skip(b, 0) != len(b) || len(b) > 60 {
			return
		}
		want, ok := new(big.Rat).SetString(string(b))
		if !ok || regexp.MustCompile(`[eE][+-]?0*[1-9][0-9]{5,}$`).Match(b) {
			return // an exponent that math/big does not take, or that is beyond MaxDigits
		}
		for _, bits := range []int{8, 16, 32, 64} {
			d, err := readValue(t, Type{Kind: KindInt, Bits: bits}, b)
			limit := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
			fits := want.IsInt() && want.Cmp(limit) < 0 && want.Cmp(new(big.Rat).Neg(limit)) >= 0
			if n, isInt := d.Int64(); isInt != fits || fits && want.Num().Cmp(big.NewInt(n)) != 0 {
				t.Fatalf("int%d of %s: %d, %v", bits, b, n, err)
			}
		}
		if d, err := readValue(t, Type{Kind: KindUint}, b); err == nil {
			n, _ := d.Uint64()
			got := new(big.Int).SetUint64(n)
			if want.Sign() < 0 {
				got.Sub(got, new(big.Int).Lsh(big.NewInt(1), 64))
			}
			if want.Cmp(new(big.Rat).SetInt(got)) != 0 {
				t.Fatalf("uint of %s is %d", b, n)
			}
		} else if integral := regexp.MustCompile(`^[0-9]{1,19}$`); integral.Match(b) {
			t.Fatalf("uint of %s: %v", b, err)
		}
		var float float64
		jsonErr := json.Unmarshal(b, &float)
		d, err := readValue(t, Type{Kind: KindFloat}, b)
		if got, _ := d.Float64(); (err == nil) != (jsonErr == nil) || err == nil && math.Float64bits(got) != math.Float64bits(float) {
			t.Fatalf("float of %s is %v (%v), want %v (%v)", b, got, err, float, jsonErr)
		}
		if d, err := readValue(t, Type{Kind: KindDecimal}, b); err == nil {
			if got, _ := d.Decimal(); rat(got).Cmp(want) != 0 {
				t.Fatalf("decimal of %s is %v", b, got)
			}
		}
	})
}

// Unscaled decimals against math/big.
func FuzzUnscaled(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 127, 128, -128, -129, math.MaxInt64, math.MinInt64} {
		f.Add(javaBytes(big.NewInt(n), 0), 2)
		f.Add(javaBytes(big.NewInt(n), 9), -2)
	}
	f.Fuzz(func(t *testing.T, b []byte, scale int) {
		want := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			want.Sub(want, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		scale %= 3000
		text := base64.StdEncoding.EncodeToString(b)
		d, err := readValue(t, Type{Kind: KindDecimal, Form: FormUnscaled, Scale: scale}, []byte(`"`+text+`"`))
		got, ok := d.Decimal()
		if !ok || got.Unscaled().Cmp(want) != 0 || got.Scale() != scale {
			t.Fatalf("%x with scale %d is %v: %v", b, scale, got, err)
		}
		d, err = readValue(t, Type{Kind: KindDecimal, Form: FormScaled}, fmt.Appendf(nil, `{"scale":%d,"value":"%s"}`, scale, text))
		if again, ok := d.Decimal(); !ok || again.Cmp(got) != 0 {
			t.Fatalf("%x with scale %d of its own is %v: %v", b, scale, again, err)
		}
	})
}

// Numbers of units against package time.
func FuzzMoment(f *testing.F) {
	for _, n := range []int64{0, -1, 999, -1000, 1562639337123456, math.MaxInt64, math.MinInt64, 9223372036825200000, -9223372036832400000} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		for form, want := range map[Form]time.Time{FormMillis: time.UnixMilli(n), FormMicros: time.UnixMicro(n), FormNanos: time.Unix(0, n)} {
			for _, kind := range []Kind{KindTimestamp, KindInstant} {
				d, err := readValue(t, Type{Kind: kind, Form: form}, fmt.Append(nil, n))
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := d.Time(); !ok && d.Infinity() == 0 || ok && !got.Equal(want) {
					t.Fatalf("%d in form %d is %v, want %v", n, form, got, want.UTC())
				}
			}
		}
		want := time.Unix(0, 0).UTC().AddDate(0, 0, int(int32(n)))
		d, err := readValue(t, Type{Kind: KindDate, Form: FormDays}, fmt.Append(nil, int32(n)))
		if got, ok := d.Time(); err != nil || !ok && d.Infinity() == 0 || ok && !got.Equal(want) {
			t.Fatalf("day %d is %v, want %v: %v", int32(n), got, want, err)
		}
	})
}

// Text against encoding/json.
func FuzzText(f *testing.F) {
	for _, s := range []string{`"a"`, `"\u00e9\n\\\""`, `"\ud83d\ude42"`, `""`, `"\/"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want string
		if json.Unmarshal(b, &want) != nil || Value(b).Kind() != '"' || jsonscan.Skip(b, 0) != len(b) {
			return
		}
		d, err := readValue(t, Type{Kind: KindText}, b)
		if err != nil || d.Any() != want {
			t.Fatalf("%s is %q, want %q: %v", b, d.Any(), want, err)
		}
	})
}

var intervalGrammar = regexp.MustCompile(`^P(?:([+-]?\d+)Y)?(?:([+-]?\d+)M)?(?:([+-]?\d+)W)?(?:([+-]?\d+)D)?(T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+(?:[.,]\d+)?)S)?)?$`)

var nanos = regexp.MustCompile(`[.,]\d{10}`)

// Intervals against a regular expression and math/big.
func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"P1Y2M3DT4H5M6.78S", "P-1Y0M0DT0H0M-0.5S", "P2W", "PT0S", "P", "PT", "P1DT", "P178956970Y7M", "PT9223372036854.775807S", "PT+1,5S"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseInterval(s)
		m := intervalGrammar.FindStringSubmatch(s)
		if nanos.MatchString(s) {
			return // more digits than a nanosecond has
		}
		if m == nil || len(s) == 1 || m[5] == "T" {
			if err == nil {
				t.Fatalf("%q is %+v", s, got)
			}
			return
		}
		part := func(i int) *big.Rat {
			n := new(big.Rat)
			if m[i] != "" {
				n.SetString(string(regexp.MustCompile(",").ReplaceAll([]byte(m[i]), []byte("."))))
			}
			return n
		}
		total := func(pairs ...int64) *big.Rat {
			sum := new(big.Rat)
			for i := 0; i < len(pairs); i += 2 {
				sum.Add(sum, new(big.Rat).Mul(part(int(pairs[i])), new(big.Rat).SetInt64(pairs[i+1])))
			}
			return sum
		}
		months, days, micros := total(1, 12, 2, 1), total(3, 7, 4, 1), total(6, 3600e6, 7, 60e6)
		seconds, _ := new(big.Int).SetString(part(8).Mul(part(8), new(big.Rat).SetInt64(1e6)).FloatString(0), 10) // rounded away from 0
		micros.Add(micros, new(big.Rat).SetInt(seconds))
		if err != nil {
			fits := micros.IsInt() && micros.Num().IsInt64() && months.Num().IsInt64() && days.Num().IsInt64() &&
				months.Num().Int64() == int64(int32(months.Num().Int64())) && days.Num().Int64() == int64(int32(days.Num().Int64()))
			if fits && len(s) < 18 { // longer ones have parts that may not fit by themselves, or digits that are too many
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if months.Cmp(new(big.Rat).SetInt64(int64(got.Months))) != 0 || days.Cmp(new(big.Rat).SetInt64(int64(got.Days))) != 0 || micros.Cmp(new(big.Rat).SetInt64(got.Micros)) != 0 {
			t.Fatalf("%q is %+v", s, got)
		}
	})
}
