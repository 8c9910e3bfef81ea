package jsonscan

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendText appends the text of a validated string's contents (what stands
// between the quotes) to dst, escapes resolved. A lone surrogate becomes
// U+FFFD, as in encoding/json. Of contents that are not valid, the part from
// the first broken escape on stays as it is.
func AppendText(dst, contents []byte) []byte {
	for {
		i := bytes.IndexByte(contents, '\\')
		if i < 0 || escape(contents, i) < 0 {
			return append(dst, contents...)
		}
		dst = append(dst, contents[:i]...)
		c := contents[i+1]
		contents = contents[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(contents)
			contents = contents[4:]
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if len(contents) > 0 && contents[0] == '\\' && escape(contents, 0) == 6 {
					pair = utf16.DecodeRune(r, hex4(contents[2:]))
				}
				if pair != utf8.RuneError {
					contents = contents[6:]
				}
				r = pair
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}

func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n)
}

// TextIs reports whether a validated string's contents, escapes resolved, are
// s. It does not allocate for names of up to 128 bytes.
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
func AppendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
