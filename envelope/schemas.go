package envelope

import (
	"bytes"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// schemas remembers the schemas that the JSON converter sends with every
// record, most of its bytes. A value that begins with the bytes of a valid
// object is that object, so one comparison stands for parsing it.
type schemas struct {
	known [64]knownSchema
	n     int          // how many are known
	last  int          // the one that came last
	next  int          // the one to replace
	found *knownSchema // what skip went over last; nil if that was not remembered
}

// A knownSchema is a schema and, once a row needed it, what it says.
type knownSchema struct {
	bytes  []byte
	row    *Schema // nil if it is no row's; shares nothing with bytes
	parsed bool
}

// maxSchema is the size in bytes up to which a schema is remembered: with all
// places taken, 8 MiB, and up to a dozen times that for what they say.
const maxSchema = 128 << 10

// skip validates the value at b[i] and returns the index after it.
func (s *schemas) skip(b []byte, i, depth int) int {
	if s.n > 0 && bytes.HasPrefix(b[i:], s.known[s.last].bytes) {
		s.found = &s.known[s.last]
		return i + len(s.found.bytes)
	}
	for k := range s.known[:s.n] {
		if known := &s.known[k]; bytes.HasPrefix(b[i:], known.bytes) {
			s.last, s.found = k, known
			return i + len(known.bytes)
		}
	}
	s.found = nil
	end := jsonscan.SkipWithin(b, i, depth)
	if end < 0 || b[i] != '{' || end-i > maxSchema {
		return end
	}
	if s.n < len(s.known) {
		s.n++
	}
	s.found = &s.known[s.next]
	*s.found = knownSchema{bytes: append(s.found.bytes[:0], b[i:end]...)}
	s.last, s.next = s.next, (s.next+1)%len(s.known)
	return end
}

// row returns the schema of the rows that a value describes, nil if it does not. The
// value is the one that skip went over last.
func (s *schemas) row(v []byte) *Schema {
	if s.found == nil { // too large to remember
		row, _ := ParseSchema(v)
		return row
	}
	if !s.found.parsed {
		s.found.row, _ = ParseSchema(s.found.bytes)
		s.found.parsed = true
	}
	return s.found.row
}

// addSchema adds the schema of c's images, if it has any, from the wrapper that l
// read.
func (l *level) addSchema(c *Change, b []byte) {
	if c.Before == nil && c.After == nil {
		return
	}
	if v := l.Raw(b, fieldConnectSchema); v != nil {
		c.Schema = l.schemas.row(v)
	}
}
