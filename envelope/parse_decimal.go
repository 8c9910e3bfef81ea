package envelope

import (
	"bytes"
	"errors"
	"math/big"
	"math/bits"
)

var errDecimal = errors.New("envelope: not a decimal")

// ParseDecimal returns the number that a text is: digits with a point and an exponent
// or without, NaN, Infinity or -Infinity, or what Debezium writes for these (NAN,
// POSITIVE_INFINITY, NEGATIVE_INFINITY). Its scale is that of the text, less the
// exponent. A number of more than [MaxDigits] digits, written without an exponent,
// is an error.
func ParseDecimal(text string) (Decimal, error) {
	d, ok := parseDecimal([]byte(text))
	if !ok {
		return Decimal{}, errDecimal
	}
	return d, nil
}

// MaxDigits bounds the digits of a decimal number as it is written out, so that a few
// bytes (1e999999999) cannot take gigabytes. PostgreSQL's numeric has up to 131,072
// digits before the point and 16,383 behind it.
const MaxDigits = 150_000

func parseDecimal(text []byte) (d Decimal, ok bool) {
	switch string(text) {
	case "NaN", "NAN":
		return Decimal{special: notANumber}, true
	case "Infinity", "POSITIVE_INFINITY", "+Infinity":
		return Decimal{special: 1}, true
	case "-Infinity", "NEGATIVE_INFINITY":
		return Decimal{special: -1}, true
	}
	i, negative := 0, false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		i++
	}
	start, digits, scale, exponent, point := i, 0, 0, 0, false
	var hi, lo uint64
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		if point {
			scale++
		}
		if hi != 0 || lo != 0 || c != '0' {
			digits++
		}
		if digits <= 38 { // up to 10³⁸ - 1, below 2¹²⁷
			h, l := bits.Mul64(lo, 10)
			hi = hi*10 + h
			var carry uint64
			lo, carry = bits.Add64(l, uint64(c-'0'), 0)
			hi += carry
		}
	}
	end := i
	if end-start == 0 || point && end-start == 1 || digits > MaxDigits {
		return d, false
	}
	if i < len(text) {
		if text[i]|0x20 != 'e' {
			return d, false
		}
		if exponent, ok = parseExponent(text[i+1:]); !ok {
			return d, false
		}
	}
	scale -= exponent
	if digits == 0 { // 0e9 is no more than 0
		scale = min(max(scale, 0), MaxDigits)
	}
	if max(scale, digits-scale) > MaxDigits {
		return d, false
	}
	if digits > 38 {
		n, ok := wholeOf(text[start:end])
		if !ok {
			return d, false
		}
		if negative {
			n.Neg(n)
		}
		return decimalOf(n, int32(scale)), true
	}
	return signed(negative, hi, lo, int32(scale)), true
}

// parseExponent reads what stands behind an e.
func parseExponent(text []byte) (n int, ok bool) {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	if text = bytes.TrimLeft(text, "0"); len(text) > 9 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// wholeOf returns the number of the digits, without the point among them.
func wholeOf(text []byte) (*big.Int, bool) {
	digits := make([]byte, 0, len(text))
	for _, c := range text {
		if c != '.' {
			digits = append(digits, c)
		}
	}
	return new(big.Int).SetString(string(digits), 10)
}
