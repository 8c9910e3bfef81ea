package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendText appends the text of a validated string's contents (what stands
// between the quotes) to dst, escapes resolved. A lone surrogate becomes
// U+FFFD, as in encoding/json. Of contents that are not valid, the part from
// the first broken escape on stays as it is.
func AppendText(dst, contents []byte) []byte {
	i := bytes.IndexByte(contents, '\\')
	if i < 0 {
		return append(dst, contents...)
	}
	// The text is never longer than its spelling. Eight bytes at a time, what lies
	// between two escapes is copied with a look at it; to find each escape first
	// and then to copy costs half as much again.
	n := len(dst)
	dst = slices.Grow(dst, len(contents))[:n+len(contents)]
	n += copy(dst[n:], contents[:i])
	for i < len(contents) {
		for i+8 <= len(contents) {
			x := word(contents, i)
			binary.LittleEndian.PutUint64(dst[n:], x)
			if m := zeros(x ^ 0x5c5c5c5c5c5c5c5c); m != 0 {
				k := bits.TrailingZeros64(m) >> 3
				i, n = i+k, n+k
				break
			}
			i, n = i+8, n+8
		}
		if i == len(contents) {
			break
		}
		if contents[i] != '\\' { // one of the last seven bytes
			dst[n] = contents[i]
			i, n = i+1, n+1
			continue
		}
		if i+1 < len(contents) {
			if c := unescaped[contents[i+1]]; c != 0 {
				dst[n] = c
				i, n = i+2, n+1
				continue
			}
		}
		if escape(contents, i) < 0 {
			n += copy(dst[n:], contents[i:])
			break
		}
		r := hex4(contents[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			pair := utf8.RuneError
			if i < len(contents) && contents[i] == '\\' && escape(contents, i) == i+6 {
				pair = utf16.DecodeRune(r, hex4(contents[i+2:]))
			}
			if pair != utf8.RuneError {
				i += 6
			}
			r = pair
		}
		n += utf8.EncodeRune(dst[n:], r)
	}
	return dst[:n]
}

// unescaped is what the byte behind a backslash stands for; 0 if that is no
// escape of two bytes.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n)
}

// TextIs reports whether a validated string's contents, escapes resolved, are
// s. It does not allocate for contents of up to 128 bytes.
func TextIs(contents []byte, s string) bool {
	if bytes.IndexByte(contents, '\\') < 0 {
		return string(contents) == s
	}
	if len(contents) > 6*len(s)+6 { // an escape of six bytes makes at least one
		return false
	}
	var buf [128]byte
	return string(AppendText(buf[:0], contents)) == s
}

// AppendQuoted appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD.
func AppendQuoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0 // what stands before it is appended
	for i := 0; i < len(s); {
		c, n := s[i], 1
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			if r, n = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))])); r == utf8.RuneError && n == 1 {
				dst = utf8.AppendRune(append(dst, s[done:i]...), r)
				done = i + 1
			}
		case c == '"' || c == '\\':
			dst = append(append(dst, s[done:i]...), '\\', c)
			done = i + 1
		case c < 0x20:
			dst = append(append(dst, s[done:i]...), '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			done = i + 1
		}
		i += n
	}
	return append(append(dst, s[done:]...), '"')
}
