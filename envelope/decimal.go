package envelope

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// A Decimal is a decimal number, exactly: an unscaled integer of any size, divided by
// ten to the power of a scale. PostgreSQL's numeric can also be NaN and, since
// version 14, infinite. The zero Decimal is 0. It is a plain value.
type Decimal struct {
	hi      int64    // the unscaled value in two's complement, if wide is nil
	lo      uint64   //
	wide    *big.Int // the unscaled value beyond 128 bits; never changed
	scale   int32
	special int8 // the sign of an infinity, or notANumber
}

// NewDecimal returns unscaled / 10^scale. It does not keep its argument.
func NewDecimal(unscaled *big.Int, scale int32) Decimal {
	return decimalOf(new(big.Int).Set(unscaled), scale)
}

var (
	mask64 = new(big.Int).SetUint64(math.MaxUint64)
	bigTen = big.NewInt(10)
)

// decimalOf keeps its argument.
func decimalOf(n *big.Int, scale int32) Decimal {
	if n.BitLen() > 127 { // -2¹²⁷ has 128 bits too, and may well be wide
		return Decimal{wide: n, scale: scale}
	}
	lo := new(big.Int).And(n, mask64).Uint64()
	return Decimal{hi: new(big.Int).Rsh(n, 64).Int64(), lo: lo, scale: scale}
}

// Scale returns how many digits are behind the point; less than 0 for a multiple of a
// power of ten.
func (d Decimal) Scale() int { return int(d.scale) }

// Unscaled returns the number times 10^Scale, a new integer; 0 for NaN and infinities.
func (d Decimal) Unscaled() *big.Int {
	if d.wide != nil {
		return new(big.Int).Set(d.wide)
	}
	n := big.NewInt(d.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(d.lo)) // of a negative n, Lsh and Or are those of two's complement
}

// Infinity returns 1 or -1 for an infinity, otherwise 0.
func (d Decimal) Infinity() int {
	if d.special == notANumber {
		return 0
	}
	return int(d.special)
}

// IsNaN reports whether d is not a number.
func (d Decimal) IsNaN() bool { return d.special == notANumber }

// Sign returns -1, 0 or 1; 0 for NaN.
func (d Decimal) Sign() int {
	switch {
	case d.special != 0:
		return d.Infinity()
	case d.wide != nil:
		return d.wide.Sign()
	case d.hi < 0:
		return -1
	case d.hi == 0 && d.lo == 0:
		return 0
	}
	return 1
}

// magnitude returns the unscaled value without its sign, if it is not wide.
func (d Decimal) magnitude() (hi, lo uint64) {
	if d.hi >= 0 {
		return uint64(d.hi), d.lo
	}
	lo, borrow := bits.Sub64(0, d.lo, 0)
	hi, _ = bits.Sub64(0, uint64(d.hi), borrow)
	return hi, lo
}

// Digits returns how many decimal digits the unscaled value has, 1 for 0.
func (d Decimal) Digits() int {
	if d.wide != nil {
		return len(new(big.Int).Abs(d.wide).Text(10))
	}
	hi, lo := d.magnitude()
	if hi == 0 {
		n := bits.Len64(lo|1) * 1233 >> 12 // times the logarithm of 2: as many digits as there are, or one less
		if lo >= integerPowers[n] {
			n++
		}
		return max(n, 1)
	}
	var b [40]byte
	return len(appendUint128(b[:0], d.hi, d.lo))
}

// appendUint128 appends the decimal digits of a number in two's complement, without
// its sign.
func appendUint128(dst []byte, hi int64, lo uint64) []byte {
	h, l := Decimal{hi: hi, lo: lo}.magnitude()
	if h == 0 {
		return strconv.AppendUint(dst, l, 10)
	}
	const chunk = 1e19
	upper, lower := bits.Div64(h, l, chunk) // of 2¹²⁷ at most, so that both fit
	return appendPadded(strconv.AppendUint(dst, upper, 10), lower, 19)
}

// appendPadded appends n with zeros in front, to be so many digits.
func appendPadded(dst []byte, n uint64, digits int) []byte {
	var b [20]byte
	text := strconv.AppendUint(b[:0], n, 10)
	for range digits - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}

// AppendText appends the number with all digits of its scale and without an exponent:
// -12.50, 1200. What is no number is NaN, Infinity or -Infinity. It implements
// [encoding.TextAppender] and never fails.
func (d Decimal) AppendText(dst []byte) ([]byte, error) {
	switch d.special {
	case 0:
	case notANumber:
		return append(dst, "NaN"...), nil
	case 1:
		return append(dst, "Infinity"...), nil
	default:
		return append(dst, "-Infinity"...), nil
	}
	if d.Sign() < 0 {
		dst = append(dst, '-')
	}
	var b [40]byte
	digits := b[:0]
	if d.wide != nil {
		digits = new(big.Int).Abs(d.wide).Append(digits, 10)
	} else {
		digits = appendUint128(digits, d.hi, d.lo)
	}
	switch point := len(digits) - int(d.scale); {
	case d.scale <= 0:
		dst = append(dst, digits...)
		if d.Sign() == 0 {
			return dst, nil
		}
		for range -int(d.scale) {
			dst = append(dst, '0')
		}
	case point > 0:
		dst = append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
	default:
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		dst = append(dst, digits...)
	}
	return dst, nil
}

// String returns what AppendText appends.
func (d Decimal) String() string {
	b, _ := d.AppendText(nil)
	return string(b)
}

// MarshalText returns what AppendText appends. It implements
// [encoding.TextMarshaler] and never fails.
func (d Decimal) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalText is [ParseDecimal]. It implements [encoding.TextUnmarshaler].
func (d *Decimal) UnmarshalText(text []byte) error {
	v, ok := parseDecimal(text)
	if !ok {
		return errDecimal
	}
	*d = v
	return nil
}

// Rescale returns the same number with another scale; false if it has digits that the
// scale leaves no place for, if it is no number, or if it would have more than
// [MaxDigits] digits.
func (d Decimal) Rescale(scale int) (Decimal, bool) {
	more := scale - int(d.scale)
	switch {
	case d.special != 0 || int(int32(scale)) != scale:
		return Decimal{}, false
	case more == 0:
		return d, true
	case d.Sign() == 0:
		return Decimal{scale: int32(scale)}, true
	case more > 0 && d.Digits()+more > MaxDigits:
		return Decimal{}, false
	case d.wide == nil && more > 0 && more < len(integerPowers):
		if r, ok := d.shift(integerPowers[more], int32(scale)); ok {
			return r, true
		}
		fallthrough
	case more > 0:
		n := new(big.Int).Exp(bigTen, big.NewInt(int64(more)), nil)
		return decimalOf(n.Mul(n, d.Unscaled()), int32(scale)), true
	case -more >= d.Digits(): // what is left is a fraction
		return Decimal{}, false
	case d.wide == nil && -more < len(integerPowers):
		return d.unshift(integerPowers[-more], int32(scale))
	}
	n := new(big.Int).Exp(bigTen, big.NewInt(int64(-more)), nil)
	quotient, rest := new(big.Int).QuoRem(d.Unscaled(), n, new(big.Int))
	if rest.Sign() != 0 {
		return Decimal{}, false
	}
	return decimalOf(quotient, int32(scale)), true
}

// integerPowers are the powers of ten that fit 64 bits.
var integerPowers = func() (p [20]uint64) {
	p[0] = 1
	for i := range p[1:] {
		p[i+1] = 10 * p[i]
	}
	return p
}()

// shift returns d times a power of ten, with another scale, if that needs no more than
// 128 bits.
func (d Decimal) shift(power uint64, scale int32) (Decimal, bool) {
	hi, lo := d.magnitude()
	carried, lo := bits.Mul64(lo, power)
	over, hi := bits.Mul64(hi, power)
	hi, carry := bits.Add64(hi, carried, 0)
	if over != 0 || carry != 0 || hi > math.MaxInt64 {
		return Decimal{}, false
	}
	return signed(d.hi < 0, hi, lo, scale), true
}

// unshift returns d divided by a power of ten, with another scale, if nothing is left.
func (d Decimal) unshift(power uint64, scale int32) (Decimal, bool) {
	hi, lo := d.magnitude()
	hi, rest := hi/power, hi%power
	lo, rest = bits.Div64(rest, lo, power)
	if rest != 0 {
		return Decimal{}, false
	}
	return signed(d.hi < 0, hi, lo, scale), true
}

// signed is the inverse of magnitude.
func signed(negative bool, hi, lo uint64, scale int32) Decimal {
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return Decimal{hi: int64(hi), lo: lo, scale: scale}
}

// Cmp returns -1, 0 or 1 as d is less than, equal to or greater than e, whatever their
// scales. As in PostgreSQL, NaN equals NaN and is greater than all others.
func (d Decimal) Cmp(e Decimal) int {
	if d.special != 0 || e.special != 0 {
		return cmp.Compare(d.special, e.special) // notANumber is above the infinities, and these are beyond 0
	}
	if c := cmp.Compare(d.Sign(), e.Sign()); c != 0 || d.Sign() == 0 {
		return c
	}
	// Of how many digits before the point they have, most often the first thing tells.
	if c := cmp.Compare(d.Digits()-int(d.scale), e.Digits()-int(e.scale)); c != 0 {
		return c * d.Sign()
	}
	a, b := d.Unscaled(), e.Unscaled()
	power := func(n int32) *big.Int { return new(big.Int).Exp(bigTen, big.NewInt(int64(n)), nil) }
	switch {
	case d.scale < e.scale:
		a.Mul(a, power(e.scale-d.scale))
	case e.scale < d.scale:
		b.Mul(b, power(d.scale-e.scale))
	}
	return a.Cmp(b)
}

// Int64 returns the number if it is an integer that fits.
func (d Decimal) Int64() (int64, bool) {
	w, ok := d.Rescale(0)
	if !ok || w.wide != nil || w.hi != int64(w.lo)>>63 {
		return 0, false
	}
	return int64(w.lo), true
}

// Float64 returns the number that is nearest to d among the floats.
func (d Decimal) Float64() float64 {
	switch d.special {
	case 0:
	case notANumber:
		return math.NaN()
	default:
		return math.Inf(int(d.special))
	}
	f, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", d.Unscaled(), -int(d.scale)), 64)
	return f
}

// Int128 returns the unscaled value in two's complement, if it is a number whose
// unscaled value is between -2¹²⁷ and 2¹²⁷, not included: of up to 38 digits each is.
func (d Decimal) Int128() (hi int64, lo uint64, ok bool) {
	return d.hi, d.lo, d.wide == nil && d.special == 0
}
