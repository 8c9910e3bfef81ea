package jsonscan

import "math/bits"

// Space returns the index of the first byte at or after i that is not JSON
// white space.
func Space(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// Valid reports whether b is one JSON value with optional white space around it.
func Valid(b []byte) bool {
	i := Skip(b, Space(b, 0))
	return i >= 0 && Space(b, i) == len(b)
}

// Skip validates the value whose first byte is b[i] and returns the index
// after it.
func Skip(b []byte, i int) int { return value(b, i, 0) }

// SkipWithin is Skip for a value inside depth arrays and objects, which count
// towards MaxDepth.
func SkipWithin(b []byte, i, depth int) int { return value(b, i, depth) }

func value(b []byte, i, depth int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringRest(b, i+1)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		for j := i; j+8 <= len(b); j += 8 { // mostly a number is digits and no more
			if m := nonDigits(word(b, j)); m != 0 {
				j += bits.TrailingZeros64(m) >> 3
				if c := b[j]; c == '.' || c|0x20 == 'e' {
					break
				}
				return j
			}
		}
		return number(b, i)
	case '-', '0':
		return number(b, i)
	case 'n':
		if i+4 <= len(b) && string(b[i:i+4]) == "null" {
			return i + 4
		}
	case 't':
		if i+4 <= len(b) && string(b[i:i+4]) == "true" {
			return i + 4
		}
	case 'f':
		if i+5 <= len(b) && string(b[i:i+5]) == "false" {
			return i + 5
		}
	case '{':
		return object(b, i, depth+1)
	case '[':
		return array(b, i, depth+1)
	}
	return -1
}

func object(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return -1
	}
	i, empty := open(b, i+1, '}')
	if empty {
		return i
	}
	for i >= 0 {
		if _, i = Name(b, i); i < 0 {
			return -1
		}
		if i = value(b, i, depth); i < 0 {
			return -1
		}
		var last bool
		if i, last = Next(b, i, '}'); last {
			return i
		}
	}
	return -1
}

func array(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return -1
	}
	i, empty := open(b, i+1, ']')
	if empty {
		return i
	}
	for i >= 0 {
		if i = value(b, i, depth); i < 0 {
			return -1
		}
		var last bool
		if i, last = Next(b, i, ']'); last {
			return i
		}
	}
	return -1
}

// open skips white space after an opening bracket and reports whether the
// closing one follows at once.
func open(b []byte, i int, closer byte) (int, bool) {
	if i = Space(b, i); i >= len(b) {
		return -1, false
	}
	if b[i] == closer {
		return i + 1, true
	}
	return i, false
}

// Name validates the member name whose opening quote is b[i], and the colon.
// It returns the index of the closing quote and that of the value's first byte.
func Name(b []byte, i int) (end, value int) {
	if i >= len(b) || b[i] != '"' {
		return -1, -1
	}
	if i = stringRest(b, i+1); i < 0 {
		return -1, -1
	}
	end = i - 1
	if i < len(b) && b[i] != ':' {
		i = Space(b, i)
	}
	if i >= len(b) || b[i] != ':' {
		return -1, -1
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = Space(b, i)
	}
	return end, i
}

// Next steps from the end of a member or element at b[i] over the comma to
// the first byte of the one that follows. At the closing bracket it returns the
// index after it and true.
func Next(b []byte, i int, closer byte) (next int, last bool) {
	if i < len(b) && b[i] <= ' ' {
		i = Space(b, i)
	}
	if i >= len(b) {
		return -1, false
	}
	if b[i] == closer {
		return i + 1, true
	}
	if b[i] != ',' {
		return -1, false
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = Space(b, i)
	}
	return i, false
}

const (
	ones = 0x0101010101010101
	high = 0x8080808080808080
)

// load returns the 8 bytes at b[i:], little-endian; past the end they read as
// zero, which every caller takes for the end of what it scans.
func load(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return word(b, i)
	}
	return loadTail(b, i)
}

//go:noinline
func loadTail(b []byte, i int) uint64 {
	var x uint64
	for k := 0; i+k < len(b); k++ {
		x |= uint64(b[i+k]) << (8 * k)
	}
	return x
}
