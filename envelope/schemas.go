package envelope

import (
	"bytes"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// schemas remembers the schemas that the JSON converter sends with every
// record, most of its bytes. A value that begins with the bytes of a valid
// object is that object, so one comparison stands for parsing it.
type schemas struct {
	known [64][]byte
	n     int // how many are known
	last  int // the one that came last
	next  int // the one to replace
}

// maxSchema is the size in bytes up to which a schema is remembered: with all
// places taken, 8 MiB.
const maxSchema = 128 << 10

// skip validates the value at b[i] and returns the index after it.
func (s *schemas) skip(b []byte, i, depth int) int {
	if s.n > 0 && bytes.HasPrefix(b[i:], s.known[s.last]) {
		return i + len(s.known[s.last])
	}
	for k, known := range s.known[:s.n] {
		if bytes.HasPrefix(b[i:], known) {
			s.last = k
			return i + len(known)
		}
	}
	end := jsonscan.SkipWithin(b, i, depth)
	if end < 0 || b[i] != '{' || end-i > maxSchema {
		return end
	}
	if s.n < len(s.known) {
		s.n++
	}
	s.known[s.next] = append(s.known[s.next][:0], b[i:end]...)
	s.last, s.next = s.next, (s.next+1)%len(s.known)
	return end
}
