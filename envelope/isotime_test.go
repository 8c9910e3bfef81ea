package envelope

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDaysAreThoseOfTime(t *testing.T) {
	check := func(days int64) {
		want := time.Unix(days*secondsPerDay, 0).UTC()
		year, month, day := dateOf(days)
		if year != int64(want.Year()) || month != int64(want.Month()) || day != int64(want.Day()) {
			t.Fatalf("day %d is %d-%d-%d, want %v", days, year, month, day, want)
		}
		if got := daysOf(year, month, day); got != days {
			t.Fatalf("%d-%d-%d is day %d, want %d", year, month, day, got, days)
		}
		c := cursor{appendDate(nil, days)}
		if got, ok := c.date(); !ok || !c.end() || got != days {
			t.Fatalf("%s is day %d, want %d", appendDate(nil, days), got, days)
		}
	}
	for days := int64(-800_000); days < 800_000; days++ {
		check(days)
	}
	rapid.Check(t, func(t *rapid.T) { check(rapid.Int64Range(-300_000_000_000, 300_000_000_000).Draw(t, "days")) })
}

func TestDateText(t *testing.T) {
	for text, days := range map[string]int64{
		"1970-01-01": 0, "0000-01-01": -719528, "-0001-12-31": -719529, "+10000-01-01": 2932897, "-4712-01-01": -2440550,
		"+294247-01-10": 106751991, "1582-10-15": -141427, "2000-02-29": 11016,
	} {
		if got := string(appendDate(nil, days)); got != text {
			t.Errorf("%d is %s, want %s", days, got, text)
		}
	}
	for _, text := range []string{"", "1970", "1970-1-1", "1970-13-01", "1970-00-01", "1970-01-00", "1970-01-32", "1900-02-29", "1970-02-30", "70-01-01", "19700-01-01", "+-1970-01-01", "1970-01-01x", "1970/01/01"} {
		c := cursor{[]byte(text)}
		if days, ok := c.date(); ok && c.end() {
			t.Errorf("%s is day %d", text, days)
		}
	}
}

// What Debezium writes of instants is a subset of RFC 3339, with more years.
func FuzzInstant(f *testing.F) {
	for _, s := range []string{"2024-06-30T23:59:59.1Z", "2024-02-29T00:00:00+05:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-18:00", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "+294247-01-01T00:00:00Z", "infinity"} {
		f.Add(s)
	}
	typ := Type{Kind: KindInstant}
	f.Fuzz(func(t *testing.T, s string) {
		var d Datum
		err := typ.read(&d, quote(s), new(arena))
		want, wantErr := time.Parse(time.RFC3339Nano, s)
		if wantErr != nil || !rfc3339.MatchString(s) { // time.Parse takes more than the RFC: one digit of hours, a comma
			return
		}
		if err != nil {
			if offsetHours(s) > 18 { // Java's limit
				return
			}
			t.Fatalf("%q: %v", s, err)
		}
		got, ok := d.Time()
		if !ok || !got.Equal(want) {
			t.Fatalf("%q is %v, want %v", s, got, want)
		}
		if text := string(d.AppendText(nil)); want.UTC().Year() >= 0 && want.UTC().Year() <= 9999 {
			if back, err := time.Parse(time.RFC3339Nano, text); err != nil || !back.Equal(want) {
				t.Fatalf("%q is written %s", s, text)
			}
		}
	})
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)

func offsetHours(s string) (hours int) {
	fmt.Sscanf(s[max(0, len(s)-5):], "%d", &hours)
	return hours
}

// Numbers of any unit are the moment that package time has for them.
func TestMomentsOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]Form{FormMillis, FormMicros, FormNanos}).Draw(t, "form")
		n := rapid.Int64().Draw(t, "n")
		if rapid.Bool().Draw(t, "near") {
			n = rapid.Int64Range(-3e9, 3e9).Draw(t, "n")
		}
		want := map[Form]func(int64) time.Time{
			FormMillis: time.UnixMilli, FormMicros: time.UnixMicro,
			FormNanos: func(n int64) time.Time { return time.Unix(0, n) },
		}[form](n).UTC()
		typ := Type{Kind: KindTimestamp, Form: form}
		var d Datum
		if err := typ.read(&d, Value(fmt.Sprint(n)), new(arena)); err != nil {
			t.Fatal(err)
		}
		if got, ok := d.Time(); d.Infinity() == 0 && (!ok || !got.Equal(want)) {
			t.Fatalf("%d is %v, want %v", n, got, want)
		}
		// Its text is the same moment again.
		plain := Type{Kind: KindTimestamp}
		var again Datum
		if err := plain.read(&again, quote(string(d.AppendText(nil))), new(arena)); err != nil || again.n != d.n || again.m != d.m {
			t.Fatalf("%s came back as %s: %v", d.AppendText(nil), again.AppendText(nil), err)
		}
	})
}

func TestIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := Interval{rapid.Int32().Draw(t, "months"), rapid.Int32().Draw(t, "days"), rapid.Int64().Draw(t, "micros")}
		got, err := ParseInterval(i.String())
		if err != nil || got != i {
			t.Fatalf("%+v is %s, and that is %+v: %v", i, i, got, err)
		}
		var d Datum
		typ := Type{Kind: KindInterval}
		if err := typ.read(&d, quote(i.String()), new(arena)); err != nil || string(d.AppendText(nil)) != i.String() {
			t.Fatalf("%s: %v", i, err)
		}
		if got, ok := d.Interval(); !ok || got != i {
			t.Fatalf("%+v came as %+v", i, got)
		}
	})
	for text, want := range map[string]Interval{
		"P1Y2M3DT4H5M6.78S": {14, 3, 14706780000}, "P0Y0M0DT0H0M0S": {}, "P-1Y-2M": {-14, 0, 0}, "P1Y-2M": {10, 0, 0},
		"P2W": {0, 14, 0}, "PT-0.5S": {0, 0, -500000}, "PT-1M30S": {0, 0, -30e6}, "P29Y3M279DT68H55M8.634295999S": {351, 279, 248108634296}, "P14Y8M-250DT-3H-58M-10.995049999S": {176, -250, -14290995050},
		"PT0.9999995S": {0, 0, 1e6}, "PT-0.000000499S": {}, "PT0.000001S": {0, 0, 1},
		"P178000000Y": {2136000000, 0, 0}, "PT9223372036854.775807S": {0, 0, 9223372036854775807}, "PT-9223372036854.775808S": {0, 0, -9223372036854775808},
	} {
		if got, err := ParseInterval(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "1D", "P1", "P1DT", "PD", "P1D1Y", "P1D2D", "PT1S1H", "P1.5D", "PT1.5H", "PT1.0H", "P1H", "PT1D", "P178956971Y", "PT9223372036854.775808S", "P99999999999D", "P1Dx", "P--1D"} {
		if got, err := ParseInterval(text); err == nil {
			t.Errorf("%s is %+v", text, got)
		}
	}
	var i Interval
	if err := i.UnmarshalText([]byte("x")); err == nil || i != (Interval{}) {
		t.Errorf("%v, %v", i, err)
	}
}
