package dsqltest

import (
	"math/rand/v2"
	"strconv"
	"unicode/utf8"
)

// pieces are what texts are made of: what JSON must escape, what it may leave,
// characters of one to four bytes, and text that looks like a record's.
var pieces = [...]string{
	"a", "plain words ", "0", " ", `"`, `\`, "/", "\b\f\n\r\t", "\x01", "\x1f", "\x7f", "é", "ß", "漢字", "\u2028", "\ufeff",
	"\ufffd", "e\u0301", "😀", "\U0010ffff", "𝄞", `\u0000`, `\ud83d`, `\"`, "</script>&", `{"op":"d"}`, "null", "'); --",
}

// randomText returns text of at most n pieces.
func randomText(r *rand.Rand, n int) []byte {
	var out []byte
	for range r.IntN(n + 1) {
		out = append(out, pieces[r.IntN(len(pieces))]...)
	}
	return out
}

// text is a text, varchar or name.
func text(r *rand.Rand) []byte { return appendString(nil, randomText(r, 12)) }

// json is a json: its text, in a string. White space and the order of members
// are its own, as PostgreSQL keeps them.
func json(r *rand.Rand) []byte { return appendString(nil, appendJSON(nil, r, 3)) }

func appendJSON(dst []byte, r *rand.Rand, depth int) []byte {
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		return append(dst, [...]string{"null", "true", "false", `"\u0000"`, `"\ud83d\ude00"`}[r.IntN(5)]...)
	case 1:
		return append(dst, bigint(r)...)
	case 2:
		return append(dst, "1.50E+3"...)
	case 3, 4:
		return appendString(dst, randomText(r, 4))
	case 5:
		dst = append(dst, '[')
		for i := range r.IntN(4) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendJSON(dst, r, depth-1)
		}
		return append(dst, ']')
	default:
		dst = append(dst, '{')
		for i := range r.IntN(4) {
			if i > 0 {
				dst = append(dst, ",\n\t"...)
			}
			dst = append(appendString(dst, randomText(r, 2)), ": "...)
			dst = appendJSON(dst, r, depth-1)
		}
		return append(dst, '}')
	}
}

// largeText returns a text whose spelling has size bytes or a little more.
func largeText(r *rand.Rand, size int) []byte {
	return append(appendBlocks([]byte{'"'}, r, block(r, size), size), '"')
}

// largeJSON is such a json: an array of texts and numbers.
func largeJSON(r *rand.Rand, size int) []byte {
	text := append(appendString(nil, block(r, size)), ", "...)
	return append(appendBlocks([]byte(`"[`), r, text, size), ` null]"`...)
}

// largeBytea is such a bytea.
func largeBytea(r *rand.Rand, size int) []byte {
	return base64String(randomBytes(r, size/4*3+3))
}

// block returns the text that a large one of that size repeats.
func block(r *rand.Rand, size int) []byte { return randomText(r, min(400, 1+size/10)) }

// appendBlocks appends text as the contents of a string, and a number and a
// comma, until dst has size bytes, but once at least. The numbers tell one place
// from another, so that fragments in a wrong order do not join to the right
// text, and the keys of small "large" rows are different.
func appendBlocks(dst []byte, r *rand.Rand, text []byte, size int) []byte {
	spelled := appendString(nil, text)
	spelled = spelled[1 : len(spelled)-1]
	number := r.Int64N(1e12)
	for first := true; first || len(dst) < size; first = false {
		dst = append(dst, spelled...)
		dst = append(strconv.AppendInt(dst, number, 10), ',')
		number++
	}
	return dst
}

// appendObject appends a JSON object of the columns.
func appendObject(dst []byte, columns []column, values [][]byte) []byte {
	dst = append(dst, '{')
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, []byte(c.name)), ':')
		dst = append(dst, values[i]...)
	}
	return append(dst, '}')
}

// appendString appends text as a JSON string. It escapes only what must be:
// encoding/json would also escape some that need not, and fragments would be
// longer than the service's.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	plain := 0 // what follows is not yet in dst
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, text[plain:i]...), '\\')
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\b':
			dst = append(dst, 'b')
		case '\f':
			dst = append(dst, 'f')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, text[plain:]...), '"')
}

// spelled returns how long the first character of an image is and how long it
// is in a string. An image has no control characters.
func spelled(image []byte) (size, length int) {
	_, size = utf8.DecodeRune(image)
	if image[0] == '"' || image[0] == '\\' {
		return size, 2
	}
	return size, size
}
