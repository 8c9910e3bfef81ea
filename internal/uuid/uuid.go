// Package uuid reads the text of UUIDs.
package uuid

import "encoding/hex"

// Size is how many bytes a UUID has.
const Size = 16

// Is reports whether a text is a UUID: 8-4-4-4-12 hexadecimal digits.
func Is(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch lower := c | 0x20; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
				return false
			}
		}
	}
	return true
}

// Parse returns the bytes of a UUID, and whether the text is one.
func Parse(text []byte) (id [Size]byte, ok bool) {
	if !Is(text) {
		return id, false
	}
	var digits [2 * Size]byte
	n := 0
	for _, part := range [...][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n += copy(digits[n:], part)
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}
