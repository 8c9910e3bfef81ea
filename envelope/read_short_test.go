package envelope

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestShortFloat(t *testing.T) {
	check := func(t rapid.TB, text string) (short bool) {
		for _, bits := range []int{32, 64} {
			f, ok := shortFloat(Value(text), bits == 32)
			want, err := strconv.ParseFloat(text, bits)
			if ok && (err != nil || math.Float64bits(f) != math.Float64bits(want)) {
				t.Errorf("%s, %d bits: %v, want %v, %v", text, bits, f, want, err)
			}
			short = ok
		}
		return short
	}
	for _, text := range []string{"0", "-0", "-0.0", "0.1", "1.5", "-12.375", "9007199254740991", "900719925474099.1", "0.000000000000001"} {
		if !check(t, text) {
			t.Errorf("%s is not short", text)
		}
	}
	for _, text := range []string{"9007199254740993", "1e5", "1E-5", "16777217", "0.16777217", "1.00000000001", "12345678901234567890", "0.3333333333333333333"} {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?`).Draw(t, "number"))
	})
	for i := range uint64(3000) {
		digits := strconv.FormatUint(1<<53+i*2_718_281_829_045, 10)
		check(t, digits[:i%15+1]+"."+digits[i%15+1:])
		check(t, fmt.Sprintf("0.00000%06d", i*331))
		check(t, fmt.Sprintf("0.000000%06d", i*331))
	}
	for _, f := range []float64{0.1, 1e15, 123456.789, -5e-5} {
		check(t, strconv.FormatFloat(f, 'f', -1, 64))
	}
}

func TestShortMoment(t *testing.T) {
	check := func(t rapid.TB, text string) {
		seconds, nanos, ok := shortMoment([]byte(text))
		want, err := time.Parse("2006-01-02T15:04:05.999999999Z", text)
		if ok && (err != nil || !time.Unix(seconds, nanos).Equal(want)) {
			t.Errorf("%s: %d, %d; want %v, %v", text, seconds, nanos, want, err)
		}
		if !ok && err == nil && !strings.Contains(text, ",") && text[13] == ':' { // time takes a comma, and an hour of one digit
			t.Errorf("%s is not short, but %v", text, want)
		}
	}
	const moment = "2024-02-29T23:59:59.123456789Z"
	check(t, moment)
	for i := range moment {
		check(t, moment[:i])
		check(t, moment[:i]+moment[i+1:])
		for _, c := range "0123456789-:.,TZ /" {
			check(t, moment[:i]+string(c)+moment[i+1:])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringMatching(`(19|20|00|99)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,9})?Z`).Draw(t, "moment"))
	})
}

func TestShortUnscaled(t *testing.T) {
	for size := range 12 {
		for _, first := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			b := []byte{first, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0xff, 0x80, 0}[:size]
			text := base64.StdEncoding.EncodeToString(b)
			n, got, ok := shortUnscaled(quote(text))
			want := new(big.Int).SetBytes(b)
			if size > 0 && first >= 0x80 {
				want.Sub(want, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
			}
			if ok != (size > 0 && size <= 7) || ok && (got != size || n != want.Int64()) {
				t.Errorf("%x: %d of %d bytes, %t; want %v", b, n, got, ok, want)
			}
		}
	}
	for _, text := range []string{"", "A", "A===", "AA=A", "=AAA", "====", "AA\\n", "AA-_", "AAA", "AAAAA"} {
		if n, _, ok := shortUnscaled(Value(`"` + text + `"`)); ok {
			t.Errorf("%s is %d", text, n)
		}
	}
}

// What a reader has seen does not change what it reads: rows with their columns in
// another order, spelled otherwise, missing, unknown or twice.
func TestReaderLearns(t *testing.T) {
	s := &Schema{}
	names := []string{"a", "b/c", "long_name_of_a_column_beyond_32_bytes", "é"}
	for _, name := range names {
		s.Fields = append(s.Fields, Field{Name: name, Type: Type{Kind: KindInt}})
	}
	spellings := []string{`"a"`, `"\u0061"`, `"b/c"`, `"b\/c"`, `"b\u002fc"`, `"long_name_of_a_column_beyond_32_bytes"`, `"é"`, `"\u00e9"`, `"other"`, `"A"`}
	var seen RowReader
	rapid.Check(t, func(t *rapid.T) {
		row := "{"
		for i := range rapid.IntRange(0, 6).Draw(t, "members") {
			if i > 0 {
				row += ","
			}
			space := rapid.SampledFrom([]string{"", "", "", " ", "\n  "})
			row += space.Draw(t, "before") + rapid.SampledFrom(spellings).Draw(t, "name") + ":" + space.Draw(t, "after") +
				rapid.SampledFrom([]string{"1", "22", "null", `"x"`, "1.5"}).Draw(t, "value") + space.Draw(t, "end")
		}
		row += rapid.SampledFrom([]string{"}", "}", "}", "", "} ", "}}", ",}"}).Draw(t, "close")
		if rapid.IntRange(0, 9).Draw(t, "other schema") == 0 {
			other := &Schema{Fields: s.Fields[1:]}
			_ = seen.Read(other, Row(row))
		}
		var fresh RowReader
		err, want := seen.Read(s, Row(row)), fresh.Read(s, Row(row))
		if fmt.Sprint(err) != fmt.Sprint(want) || err == nil && !valid(row) || errors.Is(err, ErrSyntax) && valid(row) {
			t.Fatalf("%s: %v, want %v", row, err, want)
		}
		if seen.Len() != fresh.Len() || fmt.Sprint(seen.Others()) != fmt.Sprint(fresh.Others()) {
			t.Fatalf("%s: %v, want %v", row, seen.Others(), fresh.Others())
		}
		for i := range fresh.Len() {
			if got, want := seen.Datum(i), fresh.Datum(i); got.State() != want.State() || got.Any() != want.Any() || got.Type() != want.Type() {
				t.Fatalf("%s: column %d is %v, want %v", row, i, got.Any(), want.Any())
			}
			v, ok := Row(row).Get(names[i])
			if d := seen.Datum(i); (d.State() != Missing) != ok || ok && string(d.AppendText(nil)) != strings.Trim(string(v), "nul") {
				t.Fatalf("%s: column %d is %v, want %s", row, i, d.Any(), v)
			}
		}
	})
}

// Nothing of a row is left in the next one.
func TestReaderForgets(t *testing.T) {
	s := &Schema{Fields: []Field{{Name: "date", Type: Type{Kind: KindDate}}, {Name: "text", Type: textType}}}
	var r RowReader
	for range 3 {
		if err := r.Read(s, Row(`{"an unknown column":1,"date":"infinity","text":"__debezium:s3:ref:v1:b|k"}`)); err != nil {
			t.Fatal(err)
		}
		if others := r.Others(); len(others) != 1 || string(others[0].Name) != "an unknown column" || r.Datum(0).Infinity() != 1 || r.Datum(1).Reference() == nil {
			t.Errorf("%s, %v", others, r.Datum(0).Any())
		}
		if err := r.Read(s, Row(`{}`)); err != nil || len(r.Others()) != 0 || r.Datum(0).Infinity() != 0 || r.Datum(1).Reference() != nil {
			t.Error(err, r.Others(), r.Datum(0).Infinity())
		}
	}
	r.Placeholder = NewPlaceholder("")
	if err := r.Read(s, Row(`{"text":""}`)); err != nil || r.Datum(1).State() != Unavailable {
		t.Error(err, r.Datum(1).State())
	}
}

// valid says whether a text is a JSON object, whatever is in it.
func valid(row string) bool {
	for _, err := range Row(row).Columns() {
		if err != nil {
			return false
		}
	}
	return true
}
