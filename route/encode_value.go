package route

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/icetype"
	"github.com/segmentio/asm/base64"
)

// What does not fit.
var (
	errInfinite = errors.New("an infinity")
	errNaN      = errors.New("not a number")
	errRange    = errors.New("out of range")
	errFraction = errors.New("a fraction that would be lost")
	errInexact  = errors.New("digits that would be lost")
	errDigits   = errors.New("too many digits")
	errBoolean  = errors.New("neither 0 nor 1")
	errUUID     = errors.New("not a UUID")
	errDecimal  = errors.New("not a decimal")
	errLength   = errors.New("another length")
	errKey      = errors.New("a key that is null")
)

// appendValue appends a value, or null. On an error, which is a cause without row
// data, what it has appended is of no use.
func (e *Encoder) appendValue(dst []byte, d envelope.Datum, t *target) ([]byte, error) {
	if !d.IsSet() {
		return append(dst, "null"...), nil
	}
	switch t.Kind {
	case icetype.Boolean:
		return appendBoolean(dst, d)
	case icetype.Int:
		return appendInteger(dst, d, math.MinInt32, math.MaxInt32)
	case icetype.Long:
		return appendInteger(dst, d, math.MinInt64, math.MaxInt64)
	case icetype.Float:
		return e.appendFloat(dst, d, 32)
	case icetype.Double:
		return e.appendFloat(dst, d, 64)
	case icetype.Decimal:
		return appendDecimal(dst, d, t)
	case icetype.Date:
		return appendDate(dst, d)
	case icetype.Time:
		return appendTime(dst, d)
	case icetype.Timestamp, icetype.TimestampTZ:
		return appendTimestamp(dst, d)
	case icetype.UUID:
		v, _ := d.Bytes()
		if !isUUID(v) {
			return dst, errUUID
		}
		return appendString(dst, v), nil
	case icetype.Fixed, icetype.Binary:
		return appendBinary(dst, d, t)
	case icetype.List, icetype.Map, icetype.Struct:
		return e.appendNested(dst, d, t)
	}
	return e.appendText(dst, d), nil
}

func (e *Encoder) appendText(dst []byte, d envelope.Datum) []byte {
	if d.Kind() == envelope.KindText {
		v, _ := d.Bytes()
		return appendString(dst, v)
	}
	e.text = d.AppendText(e.text[:0])
	return appendString(dst, e.text)
}

func appendBoolean(dst []byte, d envelope.Datum) ([]byte, error) {
	v, ok := d.Bool()
	if !ok {
		n, ok := d.Int64()
		if !ok || n>>1 != 0 {
			return dst, errBoolean
		}
		v = n == 1
	}
	return strconv.AppendBool(dst, v), nil
}

func appendInteger(dst []byte, d envelope.Datum, least, most int64) ([]byte, error) {
	var n int64
	switch d.Kind() {
	case envelope.KindBool:
		if v, _ := d.Bool(); v {
			n = 1
		}
	case envelope.KindDecimal:
		v, _ := d.Decimal()
		if err := number(v); err != nil {
			return dst, err
		}
		whole, ok := v.Rescale(0)
		if !ok {
			return dst, errFraction
		}
		if n, ok = whole.Int64(); !ok {
			return dst, errRange
		}
	case envelope.KindTime, envelope.KindDuration:
		v, ok := d.Duration()
		switch {
		case !ok:
			return dst, errRange
		case v%time.Microsecond != 0:
			return dst, errFraction
		}
		n = v.Microseconds()
	default:
		var ok bool
		if n, ok = d.Int64(); !ok {
			return dst, errRange
		}
	}
	if n < least || n > most {
		return dst, errRange
	}
	return strconv.AppendInt(dst, n, 10), nil
}

// number returns why a decimal is not a number.
func number(v envelope.Decimal) error {
	switch {
	case v.IsNaN():
		return errNaN
	case v.Infinity() != 0:
		return errInfinite
	}
	return nil
}

func (e *Encoder) appendFloat(dst []byte, d envelope.Datum, bits int) ([]byte, error) {
	f, ok := d.Float64()
	if !ok {
		return e.appendAsFloat(dst, d, bits)
	}
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...), nil
	case bits == 32 && float64(float32(f)) != f:
		return dst, errInexact
	}
	return appendNumber(dst, f, bits), nil
}

// appendNumber appends the shortest text of a float, without an exponent where that
// stays short.
func appendNumber(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendAsFloat appends an integer or a decimal. A decimal such as 0.1 is hardly ever
// a float exactly; what counts is that it is what the float is written as.
func (e *Encoder) appendAsFloat(dst []byte, d envelope.Datum, bits int) ([]byte, error) {
	v, _ := d.Decimal()
	switch {
	case v.IsNaN():
		return append(dst, `"NaN"`...), nil
	case v.Infinity() > 0:
		return append(dst, `"Infinity"`...), nil
	case v.Infinity() < 0:
		return append(dst, `"-Infinity"`...), nil
	}
	e.text, _ = v.AppendText(e.text[:0])
	f, err := strconv.ParseFloat(string(e.text), bits)
	if err != nil {
		return dst, errRange
	}
	n := len(dst)
	dst = appendNumber(dst, f, bits)
	back, err := envelope.ParseDecimal(string(dst[n:]))
	if err != nil || back.Cmp(v) != 0 {
		return dst, errInexact
	}
	return dst, nil
}

// appendDecimal appends a decimal with the digits of the type's scale.
func appendDecimal(dst []byte, d envelope.Datum, t *target) ([]byte, error) {
	v, ok := d.Decimal()
	if !ok {
		var err error
		if v, err = parseDecimal(d); err != nil {
			return dst, err
		}
	}
	if err := number(v); err != nil {
		return dst, err
	}
	if v.Scale() > t.Scale {
		if v, ok = v.Rescale(t.Scale); !ok {
			return dst, errFraction
		}
	}
	if v.Sign() != 0 && v.Digits()-v.Scale() > t.Precision-t.Scale {
		return dst, errDigits
	}
	dst, _ = v.AppendText(append(dst, '"'))
	if v.Scale() <= 0 && t.Scale > 0 {
		dst = append(dst, '.')
	}
	for range t.Scale - max(v.Scale(), 0) {
		dst = append(dst, '0')
	}
	return append(dst, '"'), nil
}

// parseDecimal returns the decimal that a text is, or a float's shortest text.
func parseDecimal(d envelope.Datum) (envelope.Decimal, error) {
	text, isText := d.Bytes()
	if f, ok := d.Float64(); ok {
		var b [32]byte
		text = strconv.AppendFloat(b[:0], f, 'e', -1, floatBits(d.Type()))
		if math.IsInf(f, 0) {
			return envelope.Decimal{}, errInfinite
		}
	} else if !isText {
		return envelope.Decimal{}, errDecimal
	}
	v, err := envelope.ParseDecimal(string(text))
	if err != nil {
		return v, errDecimal
	}
	return v, nil
}

func floatBits(t *envelope.Type) int {
	if t.Bits != 0 && t.Bits <= 32 {
		return 32
	}
	return 64
}

const day = 24 * time.Hour

func appendDate(dst []byte, d envelope.Datum) ([]byte, error) {
	if d.Infinity() != 0 {
		return dst, errInfinite
	}
	days, ok := d.Date()
	if !ok {
		v, _ := d.Time()
		seconds := v.Unix()
		if seconds%int64(day/time.Second) != 0 || v.Nanosecond() != 0 {
			return dst, errFraction
		}
		days = seconds / int64(day/time.Second)
	}
	if days != int64(int32(days)) {
		return dst, errRange
	}
	return strconv.AppendInt(dst, days, 10), nil
}

func appendTime(dst []byte, d envelope.Datum) ([]byte, error) {
	v, ok := d.Duration()
	switch {
	case !ok || v < 0 || v >= day:
		return dst, errRange
	case v%time.Microsecond != 0:
		return dst, errFraction
	}
	return strconv.AppendInt(dst, v.Microseconds(), 10), nil
}

func appendTimestamp(dst []byte, d envelope.Datum) ([]byte, error) {
	if d.Infinity() != 0 {
		return dst, errInfinite
	}
	v, ok := d.Time()
	// One second less at either end spares a look at the last one's microseconds.
	const most = math.MaxInt64/1_000_000 - 1
	switch {
	case !ok || v.Unix() < -most || v.Unix() > most:
		return dst, errRange
	case v.Nanosecond()%1000 != 0:
		return dst, errFraction
	}
	return strconv.AppendInt(dst, v.UnixMicro(), 10), nil
}

func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if lower := c | 0x20; (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
				return false
			}
		}
	}
	return true
}

func appendBinary(dst []byte, d envelope.Datum, t *target) ([]byte, error) {
	v, _ := d.Bytes()
	if g, ok := d.Geometry(); ok {
		v = g.WKB
	}
	if t.Kind == icetype.Fixed && len(v) != t.Length {
		return dst, errLength
	}
	dst = append(dst, '"')
	n := len(dst)
	size := base64.StdEncoding.EncodedLen(len(v))
	dst = slices.Grow(dst, size+1)[:n+size]
	base64.StdEncoding.Encode(dst[n:], v)
	return append(dst, '"'), nil
}
