package envelope

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// DefaultPlaceholder is what Debezium's connectors send for a column whose
// value they do not have (unavailable.value.placeholder).
const DefaultPlaceholder = "__debezium_unavailable_value"

// A Placeholder recognises the values that a connector sends in place of ones
// it does not have: of columns that PostgreSQL stores out of line (TOAST) or of
// large objects, where an update left them as they were. Such a value must not
// be written, or it overwrites the real one.
//
// It looks at a value without knowing the column's type, and so takes every
// form that the placeholder has in Debezium 1.9 to 3.6: as text; base64, URL-safe
// base64 or hexadecimal of its bytes; an array of one of these, of the name UUID
// of its bytes or of the bytes as integers; the map of the placeholder to itself,
// also as JSON in a string. What a column really holds that looks the same is
// taken for the placeholder too.
//
// Not every column has a form: where none fits the column's type (numeric,
// boolean and float arrays, bytes in some modes) connectors send null. The
// documentation of the connector's replica identity FULL tells how to have
// complete rows.
//
// A Placeholder is safe for concurrent use.
type Placeholder struct {
	texts    []string // the forms of a string
	elements []string // the forms of the only element of an array
	integers string   // the array of the bytes
	text     string
	shortest int
	first    [256]bool // whether a form of a string can begin with the byte
}

// NewPlaceholder returns the Placeholder for a connector's
// unavailable.value.placeholder: a text, or bytes given as "hex:" and digits.
func NewPlaceholder(placeholder string) *Placeholder {
	raw := []byte(placeholder)
	if digits, ok := strings.CutPrefix(placeholder, "hex:"); ok {
		if b, err := hex.DecodeString(digits); err == nil {
			raw = b
		}
	}
	text := string([]rune(string(raw))) // a byte that is no UTF-8 becomes U+FFFD, as in Java
	encoded := base64.StdEncoding.EncodeToString(raw)
	object := jsonscan.AppendQuoted(nil, text)
	p := &Placeholder{
		text:     text,
		texts:    []string{text, encoded, base64.URLEncoding.EncodeToString(raw), hex.EncodeToString(raw), fmt.Sprintf("{%s:%s}", object, object)},
		elements: []string{text, encoded, nameUUID(raw)},
		integers: "[",
	}
	for i, b := range raw {
		if i > 0 {
			p.integers += ","
		}
		p.integers += strconv.Itoa(int(int8(b)))
	}
	p.integers += "]"
	p.shortest = len(p.texts[0])
	for _, s := range p.texts {
		p.shortest = min(p.shortest, len(s))
		p.first[(s + `"`)[0]] = true
	}
	return p
}

// nameUUID is java.util.UUID.nameUUIDFromBytes: version 3 without a namespace.
func nameUUID(name []byte) string {
	u := md5.Sum(name)
	u[6] = u[6]&0x0f | 0x30
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// Is reports whether v is the placeholder in one of its forms.
func (p *Placeholder) Is(v Value) bool {
	switch v.Kind() {
	case '"':
		return len(v)-2 >= p.shortest && is(v, p.texts)
	case '[':
		if string(v) == p.integers {
			return true
		}
		i := jsonscan.Space(v, 1)
		end := jsonscan.Skip(v, i)
		if end < 0 || v[i] != '"' || jsonscan.Space(v, end) != len(v)-1 {
			return false
		}
		return is(v[i:end], p.elements)
	case '{':
		n, same := 0, false
		for c, err := range Row(v).Columns() {
			n++
			same = err == nil && c.Is(p.text) && is(c.Value, p.texts[:1])
		}
		return n == 1 && same
	}
	return false
}

// is reports whether v is a string of one of the texts.
func is(v Value, texts []string) bool {
	if v.Kind() != '"' {
		return false
	}
	contents := v[1 : len(v)-1]
	escaped := bytes.IndexByte(contents, '\\') >= 0
	for _, s := range texts {
		if len(contents) == len(s) && string(contents) == s || escaped && jsonscan.TextIs(contents, s) {
			return true
		}
	}
	return false
}

// mayBe reports whether v can be the placeholder or a reference; most values cannot, by
// their first bytes.
func (p *Placeholder) mayBe(v Value) bool {
	switch v[0] {
	case '"':
		c := v[1]
		return c == '_' || c == 'X' || c == '\\' || p.first[c]
	case '[', '{':
		return true
	}
	return false
}

// takes sets d to Unavailable, and reports so, if v is the placeholder in one of the
// forms that it has for d's type, or a reference.
func (p *Placeholder) takes(d *Datum, v Value) bool {
	switch v.Kind() {
	case '"':
		if len(v) < len(referencePrefix) && len(v)-2 < p.shortest {
			return false
		}
		if ref, ok := p.Reference(v); ok {
			d.state, d.bytes = Unavailable, ref
			return true
		}
		if d.typ.Kind == KindDecimal { // no text of it
			return false
		}
	case '[', '{':
	default:
		return false
	}
	if !p.Is(v) {
		return false
	}
	d.state = Unavailable
	return true
}

// What Debezium's S3LargeMessagePostProcessor (3.7) puts in place of a value that is
// too large for its record, behind it the bucket and the key; and how that begins in
// base64, of whole groups of three bytes.
const (
	referencePrefix = "__debezium:s3:ref:v1:"
	referenceBase64 = "X19kZWJleml1bTpzMzpyZWY6djE6"
)

// Reference returns where a value is that was too large for its record, such as
// "bucket|key", and whether v says so. Other than for the placeholder, that is a new
// value, which is only not here: it must neither be written nor be replaced by an older
// one. It does not alias v.
func (p *Placeholder) Reference(v Value) ([]byte, bool) {
	if len(v) <= len(referencePrefix)+2 || v[0] != '"' || v[1] != '_' && v[1] != 'X' {
		return nil, false
	}
	contents := v[1 : len(v)-1]
	if ref, ok := bytes.CutPrefix(contents, []byte(referencePrefix)); ok {
		return jsonscan.AppendText(nil, ref), true
	}
	if bytes.HasPrefix(contents, []byte(referenceBase64)) {
		if text, err := base64.StdEncoding.AppendDecode(nil, contents); err == nil {
			return text[len(referencePrefix):], true
		}
	}
	return nil, false
}

// Column returns the first column of r that holds the placeholder, and whether
// there is one. It aliases r. References are none; see Complete.
func (p *Placeholder) Column(r Row) (Column, bool) {
	i := jsonscan.Space(r, 0)
	for k := 0; ; k++ {
		start, end, value, last := jsonscan.Member(r, i, k)
		if last || value < 0 {
			return Column{}, false
		}
		if i = jsonscan.Skip(r, value); i < 0 {
			return Column{}, false
		}
		// Most values are shorter than any form, or of a type that has none.
		if i-value-2 < p.shortest && r[value] != '[' && r[value] != '{' {
			continue
		}
		if v := Value(r[value:i:i]); p.Is(v) {
			return Column{r[start+1 : end : end], v}, true
		}
	}
}

// Complete reports whether every column of r has its value: none holds the placeholder
// or a reference. It is cheap: most values it tells by their first byte.
func (p *Placeholder) Complete(r Row) bool {
	for o := (object{b: r}); o.next(); {
		v := o.column.Value
		if !p.mayBe(v) {
			continue
		}
		if _, elsewhere := p.Reference(v); elsewhere || p.Is(v) {
			return false
		}
	}
	return true
}

// Fill appends r to dst with the placeholders replaced by the values that older,
// another image of the row, has in those columns. It returns the extended slice
// and how many placeholders are left. All other bytes stay as they are. What it
// appends does not alias the rows.
//
// A null in older is no value: a placeholder stands for one that is there, and
// some connectors send null for what they do not know.
func (p *Placeholder) Fill(dst []byte, r, older Row) (filled []byte, left int) {
	done := 0
	for o := (object{b: r}); o.next(); {
		if !p.Is(o.column.Value) {
			continue
		}
		v, ok := older.Get(string(o.column.AppendName(nil)))
		if !ok || v.IsNull() || p.Is(v) {
			left++
			continue
		}
		dst = append(append(dst, r[done:o.i-len(o.column.Value)]...), v...)
		done = o.i
	}
	return append(dst, r[done:]...), left
}
