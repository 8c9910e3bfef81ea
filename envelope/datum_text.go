package envelope

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// AppendText appends the value in one form for all sources and settings, its canonical
// text, and nothing if there is no value:
//
//	bool                true, false
//	int, uint           -12
//	float               the shortest text that is the same float; NaN, Infinity, -Infinity
//	decimal             -12.50: all digits of the scale, never an exponent; NaN, Infinity, -Infinity
//	text, JSON, UUID    as it is
//	bytes, geometry     base64, of a geometry's WKB
//	bits                0101, the highest bit first, as many as Type.Length says if that is no more than [MaxBits]
//	date                2006-01-02; years beyond 9999 and below 0 with a sign; infinity, -infinity
//	time                15:04:05.000001, without trailing zeros; of MySQL also -838:59:59
//	timetz              15:04:05Z
//	timestamp           2006-01-02T15:04:05.000001; infinity, -infinity
//	instant             2006-01-02T15:04:05.000001Z; infinity, -infinity
//	duration, interval  P1Y2M3DT4H5M6.78S, the parts that are not zero; PT0S
//	list, map, struct   JSON of these: numbers and booleans bare, all else in quotes
//	unknown             the JSON text, a string's without quotes
//
// The year before 1 is 0000, and the one before that -0001.
func (d Datum) AppendText(dst []byte) []byte {
	if d.state != Set {
		return dst
	}
	switch d.typ.Kind {
	case KindUnknown:
		return Value(d.bytes).AppendText(dst)
	case KindBool:
		return strconv.AppendBool(dst, d.n != 0)
	case KindInt:
		return strconv.AppendInt(dst, d.n, 10)
	case KindUint:
		return strconv.AppendUint(dst, d.m, 10)
	case KindFloat:
		return d.appendFloat(dst)
	case KindDecimal:
		v, _ := d.Decimal()
		dst, _ = v.AppendText(dst)
		return dst
	case KindText, KindJSON, KindUUID:
		return append(dst, d.bytes...)
	case KindBytes, KindGeometry:
		return base64.StdEncoding.AppendEncode(dst, d.bytes)
	case KindBits:
		return d.appendBits(dst)
	case KindTime:
		return appendClock(dst, d.n, int64(d.m))
	case KindTimeTZ:
		return append(appendClock(dst, d.n, int64(d.m)), 'Z')
	case KindDate, KindTimestamp, KindInstant:
		return d.appendMoment(dst)
	case KindDuration:
		seconds, nanos := d.n, int64(d.m)
		if seconds < 0 && nanos > 0 {
			seconds, nanos = seconds+1, nanos-1e9
		}
		return appendSpan(append(dst, 'P'), seconds, nanos, true)
	case KindInterval:
		v, _ := d.Interval()
		dst, _ = v.AppendText(dst)
		return dst
	case KindList:
		dst = append(dst, '[')
		first := true
		for e := range d.Elements() {
			dst = e.appendMember(comma(dst, &first))
		}
		return append(dst, ']')
	case KindMap:
		dst = append(dst, '{')
		first := true
		for k, v := range d.Entries() {
			dst = jsonscan.AppendQuoted(comma(dst, &first), k.AppendText(nil))
			dst = v.appendMember(append(dst, ':'))
		}
		return append(dst, '}')
	case KindStruct:
		dst = append(dst, '{')
		first := true
		for f, v := range d.Members() {
			if v.state == Missing {
				continue
			}
			dst = jsonscan.AppendQuoted(comma(dst, &first), f.Name)
			dst = v.appendMember(append(dst, ':'))
		}
		return append(dst, '}')
	}
	return dst
}

func comma(dst []byte, first *bool) []byte {
	if *first {
		*first = false
		return dst
	}
	return append(dst, ',')
}

// appendMember appends the value as part of a JSON text.
func (d Datum) appendMember(dst []byte) []byte {
	if d.state != Set {
		return append(dst, "null"...)
	}
	bare := false
	switch d.typ.Kind {
	case KindBool, KindInt, KindUint, KindList, KindMap, KindStruct:
		bare = true
	case KindFloat:
		f := math.Float64frombits(d.m)
		bare = !math.IsNaN(f) && !math.IsInf(f, 0)
	case KindDecimal:
		bare = d.inf == 0
	case KindUnknown:
		return append(dst, d.bytes...)
	}
	if bare {
		return d.AppendText(dst)
	}
	return jsonscan.AppendQuoted(dst, d.AppendText(nil))
}

func (d Datum) appendFloat(dst []byte) []byte {
	switch f := math.Float64frombits(d.m); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case d.typ.Bits == 32:
		return strconv.AppendFloat(dst, f, 'g', -1, 32)
	default:
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
}

// MaxBits bounds how many zeros are written before the highest bit that is set, so that
// a schema cannot make gigabytes of a few bytes.
const MaxBits = 1 << 16

// appendBits appends as many binary digits as the type has, or up to the highest that
// is set.
func (d Datum) appendBits(dst []byte) []byte {
	n := d.typ.Length
	if n <= 0 || n > MaxBits {
		n = max(bitLen(d.bytes), 1)
	}
	for i := n - 1; i >= 0; i-- {
		bit := byte('0')
		if i/8 < len(d.bytes) {
			bit += d.bytes[i/8] >> (i % 8) & 1
		}
		dst = append(dst, bit)
	}
	return dst
}

// appendMoment appends a date, a timestamp or an instant.
func (d Datum) appendMoment(dst []byte) []byte {
	switch {
	case d.inf > 0:
		return append(dst, "infinity"...)
	case d.inf < 0:
		return append(dst, "-infinity"...)
	case d.typ.Kind == KindDate:
		return appendDate(dst, d.n)
	}
	days := floorDiv(d.n, secondsPerDay)
	dst = append(appendDate(dst, days), 'T')
	dst = appendClock(dst, d.n-days*secondsPerDay, int64(d.m))
	if d.typ.Kind == KindInstant {
		dst = append(dst, 'Z')
	}
	return dst
}
