package jsonscan

import "math/bits"

// stops flags, in the top bit of each byte, the bytes at which scanning a
// string must look closer: '"', '\\', below 0x20 and above 0x7f. A borrow can
// raise false flags above a true one, so only the lowest flag counts.
func stops(x uint64) uint64 { return (specials(x) | x) & high }

// specials flags '"', '\\' and what is below 0x20, and anything at bytes above
// 0x7f.
func specials(x uint64) uint64 {
	t := x ^ 0x0202020202020202 // '"' becomes 0x20, and what is below 0x20 stays there
	s := x ^ 0x5c5c5c5c5c5c5c5c // '\\' becomes 0
	return (t - 0x2121212121212121) | (s - ones)
}

// stringRest validates a string from b[i], anywhere inside it but not inside
// an escape or a character, and returns the index after its closing quote.
// UTF-8 is checked on the way: a second pass would find the same places again,
// and finding them, not looking at them, is what costs.
func stringRest(b []byte, i int) int {
	for {
		for long := i + 32; i+8 <= len(b); {
			m := stops(word(b, i))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			if i += 8; i >= long {
				var ended bool
				if i, ended = blocks(b, i); ended {
					return i
				}
				long = len(b)
			}
		}
		if i >= len(b) {
			return -1
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i+1 < len(b) && escapes[b[i+1]] == 2 {
				i += 2
				continue
			}
			i = escape(b, i)
		case c >= 0x80:
			i = characters(b, i)
		case c >= 0x20: // one of the last seven bytes
			i++
		default:
			return -1
		}
		if i < 0 {
			return -1
		}
	}
}

// escapes holds the length of the escape sequence that a backslash and the byte
// begin, 0 if there is none. A switch over the byte costs as much again as all
// else that an escape does, since no processor can foresee it.
var escapes = [256]uint8{'"': 2, '\\': 2, '/': 2, 'b': 2, 'f': 2, 'n': 2, 'r': 2, 't': 2, 'u': 6}

// escape returns the index after the escape sequence at b[i].
func escape(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch escapes[b[i+1]] {
	case 2:
		return i + 2
	case 6:
		if i+6 <= len(b) && isHex(b[i+2]) && isHex(b[i+3]) && isHex(b[i+4]) && isHex(b[i+5]) {
			return i + 6
		}
	}
	return -1
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 5 }

// characters validates the UTF-8 sequences at b[i], which is not ASCII, and
// whatever plain ASCII stands between them in the same eight bytes. It returns
// the index of a byte that is still to be looked at and begins a character.
func characters(b []byte, i int) int {
	if i+8 > len(b) {
		return character(b, i)
	}
	x := word(b, i)
	n := bits.TrailingZeros64(specials(x)&^x&high) >> 3 // what follows may not be of this string
	x &= 1<<(8*n) - 1
	wide := x & high
	lead := wide & (x << 1) // 11……
	long := lead & (x << 2) // 111…, three bytes or four
	switch {
	case odd(x, long) != 0:
		for i >= 0 && i < len(b) && b[i] >= 0x80 {
			i = character(b, i)
		}
		return i
	case wide&^(x<<1) != lead<<8|long<<16: // continuation bytes stand behind leads, and only there
		return -1
	case lead>>56|long>>48 != 0: // the last character goes on in the next word
		n = (bits.Len64(lead) - 1) >> 3
	}
	return i + n
}

// odd is not 0 if a word has a lead byte that its continuation bytes do not
// make valid by themselves: 0xc0, 0xc1, 0xe0, 0xed and from 0xf0 on. Like stops
// it can raise a false flag above a true one, which then costs only time.
func odd(x, long uint64) uint64 {
	return long&(x<<3) | zeros(x&0xfefefefefefefefe^0xc0c0c0c0c0c0c0c0) | zeros(x^0xe0e0e0e0e0e0e0e0) | zeros(x^0xedededededededed)
}

func zeros(x uint64) uint64 { return (x - ones) &^ x & high }

// character returns the index after the well-formed UTF-8 sequence at b[i],
// which is not ASCII. The table is that of the Unicode Standard, 3-7.
func character(b []byte, i int) int {
	lo, hi := byte(0x80), byte(0xbf)
	n := 0
	switch c := b[i]; {
	case c < 0xc2:
		return -1
	case c < 0xe0:
		n = 2
	case c < 0xf0:
		n = 3
		switch c {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		}
	case c < 0xf5:
		n = 4
		switch c {
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	default:
		return -1
	}
	if i+n > len(b) || b[i+1] < lo || b[i+1] > hi {
		return -1
	}
	for _, c := range b[i+2 : i+n] {
		if c&0xc0 != 0x80 {
			return -1
		}
	}
	return i + n
}
