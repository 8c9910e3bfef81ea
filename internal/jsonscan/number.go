package jsonscan

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// nonDigits flags, in the top bit of each byte, the bytes that are not '0' to
// '9'.
func nonDigits(x uint64) uint64 {
	y := x ^ 0x3030303030303030
	return ((y&0x7f7f7f7f7f7f7f7f + 0x7676767676767676) | y) & high
}

// digits returns the index of the first byte at or after i that is no digit.
func digits(b []byte, i int) int {
	for {
		m := nonDigits(load(b, i))
		if m != 0 {
			return min(i+bits.TrailingZeros64(m)>>3, len(b))
		}
		i += 8
	}
}

// number validates the number that begins at b[i].
func number(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	if i >= len(b) {
		return -1
	}
	if b[i] == '0' {
		i++
	} else {
		s := i
		if i = digits(b, i); i == s {
			return -1
		}
	}
	if i < len(b) && b[i] == '.' {
		s := i + 1
		if i = digits(b, s); i == s {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		s := i
		if i = digits(b, i); i == s {
			return -1
		}
	}
	return i
}

// Uint returns the decimal digits v as an integer; ok is false if v is empty,
// has another byte, or does not fit.
func Uint(v []byte) (n uint64, ok bool) {
	if len(v) == 0 || len(v) > 20 {
		return 0, false
	}
	rest := v
	for ; len(rest) >= 8 && len(v) < 20; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		if nonDigits(x) != 0 {
			return 0, false
		}
		n = n*1e8 + eightDigits(x)
	}
	for _, c := range rest {
		if c -= '0'; c > 9 {
			return 0, false
		}
		if len(v) == 20 && n > (math.MaxUint64-uint64(c))/10 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

// eightDigits returns the value of eight digits, the first in the lowest byte:
// pairs of neighbours are joined three times.
func eightDigits(x uint64) uint64 {
	x -= 0x3030303030303030
	x = x*10 + x>>8
	const mask = 0x000000ff000000ff
	return ((x&mask)*(100+1000000<<32) + (x>>16&mask)*(1+10000<<32)) >> 32
}

// Int returns v, decimal digits after an optional minus sign, as an integer.
// A fraction or an exponent is not taken, whatever its value.
func Int(v []byte) (n int64, ok bool) {
	if len(v) > 0 && v[0] == '-' {
		u, ok := Uint(v[1:])
		return -int64(u), ok && u <= 1<<63
	}
	u, ok := Uint(v)
	return int64(u), ok && u < 1<<63
}
