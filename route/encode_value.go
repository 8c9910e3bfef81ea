package route

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
	"github.com/rowdelta/rowdelta/internal/uuid"
	"github.com/segmentio/asm/base64"
)

var errKey = errors.New("a key that is null")

// appendValue appends a value, or null. On an error, which is a cause without row
// data, what it has appended is of no use.
func (e *Encoder) appendValue(dst []byte, d envelope.Datum, t *target) ([]byte, error) {
	if !d.IsSet() {
		return append(dst, "null"...), nil
	}
	switch t.Kind {
	case icetype.Boolean:
		n, err := t.Whole(d)
		return strconv.AppendBool(dst, n != 0), err
	case icetype.Int, icetype.Long, icetype.Date, icetype.Time, icetype.Timestamp, icetype.TimestampTZ:
		n, err := t.Whole(d)
		return strconv.AppendInt(dst, n, 10), err
	case icetype.Float, icetype.Double:
		return appendReal(dst, d, t)
	case icetype.Decimal:
		v, err := t.Decimal(d)
		if err != nil {
			return dst, err
		}
		dst, _ = v.AppendText(append(dst, '"'))
		return append(dst, '"'), nil
	case icetype.UUID:
		v, _ := d.Bytes()
		if !uuid.Is(v) {
			return dst, icetype.ErrUUID
		}
		return jsonscan.AppendQuoted(dst, v), nil
	case icetype.Fixed, icetype.Binary:
		return e.appendBinary(dst, d, t)
	case icetype.List, icetype.Map, icetype.Struct:
		return e.appendNested(dst, d, t)
	}
	return e.appendText(dst, d), nil
}

func (e *Encoder) appendText(dst []byte, d envelope.Datum) []byte {
	if d.Kind() == envelope.KindText {
		v, _ := d.Bytes()
		return jsonscan.AppendQuoted(dst, v)
	}
	e.text = d.AppendText(e.text[:0])
	return jsonscan.AppendQuoted(dst, e.text)
}

// appendReal appends the shortest text of a float, without an exponent where that
// stays short.
func appendReal(dst []byte, d envelope.Datum, t *target) ([]byte, error) {
	f, err := t.Real(d)
	switch {
	case err != nil:
		return dst, err
	case math.IsNaN(f):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...), nil
	}
	format, bits := byte('f'), 64
	if t.Kind == icetype.Float {
		bits = 32
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits), nil
}

func (e *Encoder) appendBinary(dst []byte, d envelope.Datum, t *target) (_ []byte, err error) {
	if e.text, err = t.AppendBytes(e.text[:0], d); err != nil {
		return dst, err
	}
	dst = append(dst, '"')
	n := len(dst)
	size := base64.StdEncoding.EncodedLen(len(e.text))
	dst = slices.Grow(dst, size+1)[:n+size]
	base64.StdEncoding.Encode(dst[n:], e.text)
	return append(dst, '"'), nil
}
