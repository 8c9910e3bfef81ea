package envelope

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// The read methods set a Datum to a value that is not null, and report false if it is
// not one of the type. A Datum that they refused may be changed.

// readBool takes numbers too: MySQL's BOOLEAN is a number, or a boolean, by whether the
// connector saw the table made. AWS DMS writes text unless told otherwise.
func (d *Datum) readBool(v Value) bool {
	switch string(v) {
	case "true", "1", `"true"`, `"t"`, `"1"`:
		d.n = 1
	case "false", "0", `"false"`, `"f"`, `"0"`:
		d.n = 0
	default:
		return false
	}
	return true
}

// readWhole reads a number without a fraction or an exponent, of any kind that has such.
func (d *Datum) readWhole(v Value) bool {
	n, ok := jsonscan.Int(v)
	return ok && d.setWhole(n)
}

// setWhole sets d to what an integer means for its type, in a record; false if its
// values are not written so.
func (d *Datum) setWhole(n int64) bool {
	t := d.typ
	switch t.Kind {
	case KindInt:
		d.n = n
		if bits := t.Bits; bits > 0 && bits < 64 {
			high := n >> (bits - 1)
			return high == 0 || high == -1
		}
		return true
	case KindDate:
		d.setDays(n)
		return t.Form == FormDays && n == int64(int32(n))
	case KindTimestamp, KindInstant:
		if t.Form == FormNanos && (n == math.MaxInt64 || n == math.MinInt64) {
			d.inf = int8(n>>63) | 1
			return true
		}
		ok := d.setUnits(n)
		d.setMoment(d.n, int64(d.m))
		return ok
	case KindTime:
		return d.setUnits(n) && d.n >= -maxSpan && d.n < maxSpan
	case KindTimeTZ:
		return d.setUnits(n) && d.n >= 0 && (d.n < secondsPerDay || d.n == secondsPerDay && d.m == 0)
	case KindDuration:
		return d.setUnits(n)
	}
	return false
}

// readInt sets n.
func (d *Datum) readInt(v Value) bool {
	switch v.Kind() {
	case '0':
		if n, ok := jsonscan.Int(v); ok {
			return d.setWhole(n)
		}
		n, ok := integral(v)
		return ok && d.setWhole(n)
	case 't', 'f':
		return d.readBool(v)
	}
	return false
}

// integral reads a number with a fraction or an exponent, such as 1.0 or 12e3, that is
// an integer nevertheless.
func integral(v Value) (int64, bool) {
	n, ok := parseDecimal(v)
	if !ok {
		return 0, false
	}
	return n.Int64()
}

// readUint sets m. A negative number is what remains of one beyond 2⁶³ where the
// connector took it for signed (bigint.unsigned.handling.mode=long).
func (d *Datum) readUint(v Value) (ok bool) {
	if v.Kind() != '0' {
		return false
	}
	if d.m, ok = jsonscan.Uint(v); ok {
		return true
	}
	n, ok := jsonscan.Int(v)
	d.m = uint64(n)
	return ok
}

// readFloat sets m to the bits of the float.
func (d *Datum) readFloat(v Value, a *arena) bool {
	var f float64
	var err error
	switch v.Kind() {
	case '0':
		bits := 64
		if d.typ.Bits == 32 {
			bits = 32
		}
		if short, ok := shortFloat(v, bits == 32); ok {
			f = short
		} else {
			f, err = strconv.ParseFloat(string(v), bits)
		}
	case '"':
		switch string(a.text(v)) {
		case "NaN":
			f = math.NaN()
		case "Infinity":
			f = math.Inf(1)
		case "-Infinity":
			f = math.Inf(-1)
		default:
			return false
		}
	default:
		return false
	}
	d.m = math.Float64bits(f)
	return err == nil
}

// readDecimal sets n and m to the upper and the lower half of the unscaled value, or
// wide. A number is taken in any form, since the converter can be told to write those
// (decimal.format=NUMERIC) whatever the schema says.
func (d *Datum) readDecimal(v Value, a *arena) bool {
	switch v.Kind() {
	case '0':
		return d.setDecimal(parseDecimal(v))
	case '"':
		if d.typ.Form == FormUnscaled {
			d.scale = int32(d.typ.Scale)
			return d.readUnscaled(v, a)
		}
		return d.setDecimal(parseDecimal(a.text(v)))
	case '{':
		if d.typ.Form != FormScaled {
			return false
		}
		scale, hasScale := Row(v).Get("scale")
		unscaled, hasValue := Row(v).Get("value")
		n, isInt := jsonscan.Int(scale)
		if !hasScale || !hasValue || !isInt || int64(int32(n)) != n || unscaled.Kind() != '"' {
			return false
		}
		d.scale = int32(n)
		return d.readUnscaled(unscaled, a)
	}
	return false
}

func (d *Datum) setDecimal(v Decimal, ok bool) bool {
	d.n, d.m, d.wide, d.scale, d.inf = v.hi, v.lo, v.wide, v.scale, v.special
	return ok
}

// readUnscaled reads an integer: base64 of its bytes in two's complement, the highest
// first. No bytes at all are 0.
func (d *Datum) readUnscaled(v Value, a *arena) bool {
	if n, size, ok := shortUnscaled(v); ok && max(int(d.scale), size*5/2-int(d.scale)) <= MaxDigits {
		d.n, d.m = n>>63, uint64(n)
		return true
	}
	b, ok := a.base64(v, base64.StdEncoding)
	if !ok || max(int(d.scale), len(b)*5/2-int(d.scale)) > MaxDigits { // a byte has 2.4 digits
		return false
	}
	if len(b) > 16 {
		n := new(big.Int).SetBytes(b)
		if b[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		w := decimalOf(n, d.scale)
		d.n, d.m, d.wide = w.hi, w.lo, w.wide
		return true
	}
	var sign int64
	if len(b) > 0 {
		sign = int64(int8(b[0])) >> 7
	}
	var full [16]byte
	for i := range full[:16-len(b)] {
		full[i] = byte(sign)
	}
	copy(full[16-len(b):], b)
	d.n, d.m = int64(binary.BigEndian.Uint64(full[:8])), binary.BigEndian.Uint64(full[8:])
	if d.n == math.MinInt64 && d.m == 0 { // its magnitude has no place in 128 bits
		n := new(big.Int).Lsh(big.NewInt(-1), 127)
		d.n, d.m, d.wide = 0, 0, n
	}
	return true
}
