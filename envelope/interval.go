package envelope

import (
	"errors"
	"math"
	"math/bits"
	"strings"
)

// An Interval is a span of time whose months and days have no fixed length, as
// PostgreSQL has it. The parts are independent and may have different signs. The zero
// Interval is no time at all.
type Interval struct {
	Months int32
	Days   int32
	Micros int64
}

var errInterval = errors.New("envelope: not an interval")

// ParseInterval returns the interval that an ISO 8601 duration is, such as
// P1Y2M3DT4H5M6.78S. Each part may have a sign of its own. Seconds are rounded to the
// microsecond: Debezium adds them up as a double, and writes 8.634295999 for what the
// database has as 8.634296. They have at most nine digits of fraction.
func ParseInterval(text string) (Interval, error) {
	i, ok := parseInterval([]byte(text))
	if !ok {
		return Interval{}, errInterval
	}
	return i, nil
}

// A sum adds products; ok is false once it does not fit.
type sum struct {
	n  int64
	ok bool
}

func (s *sum) add(n, unit int64) {
	hi, lo := mulSigned(n, unit)
	total := s.n + int64(lo)
	s.ok = s.ok && hi == int64(lo)>>63 && (total < s.n) == (int64(lo) < 0)
	s.n = total
}

// mulSigned returns the product in two's complement.
func mulSigned(a, b int64) (hi int64, lo uint64) {
	h, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(h) - a>>63&b - b>>63&a, lo
}

func parseInterval(text []byte) (i Interval, ok bool) {
	const dateUnits, timeUnits = "YMWD", "HMS"
	c := cursor{text}
	if !c.skip("P") || c.end() {
		return i, false
	}
	months, days, micros := sum{ok: true}, sum{ok: true}, sum{ok: true}
	units, clock := dateUnits, false
	for !c.end() {
		if !clock && c.skip("T") {
			units, clock = timeUnits, true
			if c.end() {
				return i, false
			}
		}
		negative := c.skip("-")
		if !negative {
			c.skip("+")
		}
		n, ok := c.digits(1, 18)
		if !ok || c.end() {
			return i, false
		}
		fraction, fractional := int64(0), clock && (c.rest[0] == '.' || c.rest[0] == ',')
		if fractional {
			if fraction, ok = c.fraction(); !ok || c.end() {
				return i, false
			}
		}
		micro := (fraction + 500) / 1000
		if negative {
			n, micro = -n, -micro
		}
		unit := c.rest[0]
		c.rest = c.rest[1:]
		at := strings.IndexByte(units, unit)
		if at < 0 || fractional && unit != 'S' {
			return i, false
		}
		units = units[at+1:] // each once, in order
		switch {
		case clock && unit == 'H':
			micros.add(n, 3600e6)
		case clock && unit == 'M':
			micros.add(n, 60e6)
		case clock:
			micros.add(n, 1e6)
			micros.add(micro, 1)
		case unit == 'Y':
			months.add(n, 12)
		case unit == 'M':
			months.add(n, 1)
		case unit == 'W':
			days.add(n, 7)
		default:
			days.add(n, 1)
		}
	}
	i = Interval{Months: int32(months.n), Days: int32(days.n), Micros: micros.n}
	fits := func(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }
	return i, months.ok && days.ok && micros.ok && fits(months.n) && fits(days.n)
}

// AppendText appends the interval as an ISO 8601 duration of the parts that are not
// zero, each with its own sign; PT0S if there are none. It implements
// [encoding.TextAppender] and never fails.
func (i Interval) AppendText(dst []byte) ([]byte, error) {
	dst = append(dst, 'P')
	dst = appendInt(dst, int64(i.Months/12), 'Y')
	dst = appendInt(dst, int64(i.Months%12), 'M')
	dst = appendInt(dst, int64(i.Days), 'D')
	return appendSpan(dst, i.Micros/1e6, i.Micros%1e6*1000, i == Interval{}), nil
}

// appendSpan appends the part of a duration that begins with T, if there is one or it
// is asked for. The seconds and the nanoseconds have one sign.
func appendSpan(dst []byte, seconds, nanos int64, always bool) []byte {
	if seconds == 0 && nanos == 0 {
		if always {
			dst = append(dst, "T0S"...)
		}
		return dst
	}
	dst = append(dst, 'T')
	dst = appendInt(dst, seconds/3600, 'H')
	dst = appendInt(dst, seconds/60%60, 'M')
	if seconds %= 60; nanos == 0 {
		return appendInt(dst, seconds, 'S')
	}
	if seconds < 0 || nanos < 0 {
		dst = append(dst, '-')
		seconds, nanos = -seconds, -nanos
	}
	dst = appendPadded(dst, uint64(seconds), 1)
	return append(appendFraction(dst, nanos), 'S')
}

// String returns what AppendText appends.
func (i Interval) String() string {
	b, _ := i.AppendText(nil)
	return string(b)
}

// MarshalText returns what AppendText appends. It implements
// [encoding.TextMarshaler] and never fails.
func (i Interval) MarshalText() ([]byte, error) { return i.AppendText(nil) }

// UnmarshalText is [ParseInterval]. It implements [encoding.TextUnmarshaler].
func (i *Interval) UnmarshalText(text []byte) error {
	v, ok := parseInterval(text)
	if !ok {
		return errInterval
	}
	*i = v
	return nil
}
