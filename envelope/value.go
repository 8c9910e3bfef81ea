package envelope

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// A Value is the exact bytes of one JSON value as they came in. It aliases the
// row that it was read from.
type Value []byte

// Kind returns what v is by its first byte: 'n' null, 't' true, 'f' false, '"'
// a string, '0' any number, '{' an object, '[' an array; 0 if v is empty.
func (v Value) Kind() byte {
	if len(v) == 0 {
		return 0
	}
	if c := v[0]; c != '-' && (c < '0' || c > '9') {
		return c
	}
	return '0'
}

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.Kind() == 'n' }

// Int64 returns v, a number without fraction and exponent, exactly: it never
// passes through a float. Anything else, and what does not fit, is a
// [*DecodeError] over [ErrType].
func (v Value) Int64() (int64, error) {
	if n, ok := jsonscan.Int(v); ok {
		return n, nil
	}
	return 0, &DecodeError{Err: ErrType}
}

// AppendText appends v as text to dst: a string's contents with its escapes
// resolved, anything else as it stands.
func (v Value) AppendText(dst []byte) []byte {
	if len(v) >= 2 && v[0] == '"' {
		return jsonscan.AppendText(dst, v[1:len(v)-1])
	}
	return append(dst, v...)
}
