package envelope

import (
	"bytes"
	"encoding/base64"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// An arena holds what values are decoded to. What is in it stays where it is when it
// grows: the parts of it that were given away keep the memory that they are in.
type arena struct{ b []byte }

// text returns the text of a string, of which v is the JSON. It aliases v if there is
// no escape in it.
func (a *arena) text(v Value) []byte {
	contents := v[1 : len(v)-1 : len(v)-1]
	if bytes.IndexByte(contents, '\\') < 0 {
		return contents
	}
	start := len(a.b)
	a.b = jsonscan.AppendText(a.b, contents)
	return a.b[start:len(a.b):len(a.b)]
}

// name returns the name of a column.
func (a *arena) name(c Column) []byte {
	if bytes.IndexByte(c.Name, '\\') < 0 {
		return c.Name
	}
	start := len(a.b)
	a.b = c.AppendName(a.b)
	return a.b[start:len(a.b):len(a.b)]
}

// room returns n bytes.
func (a *arena) room(n int) []byte {
	start := len(a.b)
	if cap(a.b)-start < n {
		a.b = make([]byte, 0, max(2*cap(a.b), n, 256))
		start = 0
	}
	a.b = a.b[:start+n]
	return a.b[start : start+n : start+n]
}

// base64 returns the bytes of a string in base64.
func (a *arena) base64(v Value, encoding *base64.Encoding) ([]byte, bool) {
	text := a.text(v)
	b := a.room(encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(b, text)
	return b[:n:n], err == nil
}
