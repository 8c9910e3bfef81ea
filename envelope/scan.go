package envelope

import (
	"bytes"
	"encoding/binary"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A level reads one object of an envelope: the record, the payload in its
// wrapper, or a source block. It notes where the known members are.
//
// It also remembers how the members were spelled and ordered the last time,
// from the end of one value to the first byte of the next (`,"ts_ms":`), and
// compares those bytes first. Records of one connector hardly ever differ there.
// Bytes that are the same as ones that were parsed need no parsing, so the
// guess is exact, and a wrong one costs one comparison.
type level struct {
	path      string // JSON Pointer of the object
	names     map[string]field
	wrappers  []string // members that lead from here to the envelope, for the path of a syntax error
	depth     int      // how many names of such a path below them say nothing of row data
	seen      uint64   // bit f: field f is present
	members   int
	duplicate field // of a known member, else none
	at        [fieldCount]span

	schemas *schemas // for this level's Connect schema
	payload *level   // reads this level's payload member, if it is an object
	source  *level   // reads this level's source member, if it is an object
	data    *level   // reads this level's data member, if it is an object

	shape [32]spelling
}

type span struct{ start, end int32 }

// A spelling is up to 16 bytes of a record, as two words to compare under masks.
// All members of an envelope fit; what does not is read each time.
type spelling struct {
	word, mask [2]uint64
	n          int // 0 if there is none
	field      field
}

func spell(b []byte, f field) spelling {
	var text, mask [16]byte
	if len(b) > len(text) {
		return spelling{}
	}
	for i := range b {
		text[i], mask[i] = b[i], 0xff
	}
	word := func(b [16]byte) [2]uint64 {
		return [2]uint64{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
	}
	return spelling{word(text), word(mask), len(b), f}
}

func (l *level) has(f field) bool { return l.seen>>f&1 != 0 }

// raw returns the value of a field, nil if it is absent or null.
func (l *level) raw(b []byte, f field) []byte {
	if !l.has(f) {
		return nil
	}
	s := l.at[f]
	if b[s.start] == 'n' {
		return nil
	}
	return b[s.start:s.end:s.end]
}

// read validates the object at b[i] and returns the index after it, -1 if it is
// not valid JSON.
func (l *level) read(b []byte, i int) int {
	l.seen, l.members, l.duplicate = 0, 0, fieldNone
	for k := 0; ; k++ {
		f, value := l.guess(b, i, k)
		if value == 0 {
			if b[i] == '}' && k > 0 {
				return i + 1
			}
			var last bool
			if f, value, last = l.name(b, i, k); last {
				return value
			} else if value < 0 {
				return -1
			}
		}
		switch {
		case value >= len(b):
			return -1
		case f == fieldSource && l.source != nil && b[value] == '{':
			i = l.source.read(b, value)
		case f == fieldPayload && l.payload != nil && b[value] == '{':
			i = l.payload.read(b, value)
		case f == fieldData && l.data != nil && b[value] == '{':
			i = l.data.read(b, value)
		case f == fieldConnectSchema && l.schemas != nil:
			i = l.schemas.skip(b, value)
		default:
			i = jsonscan.Skip(b, value)
		}
		if i < 0 || i >= len(b) {
			return -1
		}
		l.members++
		if f != fieldNone {
			if l.has(f) && l.duplicate == fieldNone {
				l.duplicate = f
			}
			l.seen |= 1 << f
			l.at[f] = span{int32(value), int32(i)}
		}
	}
}

// guess compares the bytes at b[i] with what stood before the k-th value the
// last time. It returns 0 if they differ, or too few bytes are left to compare.
func (l *level) guess(b []byte, i, k int) (f field, value int) {
	if k >= len(l.shape) || i+16 > len(b) {
		return fieldNone, 0
	}
	g := &l.shape[k]
	w := b[i : i+16]
	if (binary.LittleEndian.Uint64(w)^g.word[0])&g.mask[0]|(binary.LittleEndian.Uint64(w[8:])^g.word[1])&g.mask[1] != 0 || g.n == 0 {
		return fieldNone, 0
	}
	return g.field, i + g.n
}

// maxSpelling is the longest spelling of a known name: six bytes for each of its
// own. Only Flattened.Prefix makes longer ones.
const maxSpelling = 6 * 64

// name reads from the opening brace or the end of the previous value at b[i] to
// the first byte of the next value. At the end of the object it returns the
// index after it and true.
func (l *level) name(b []byte, i, k int) (f field, value int, last bool) {
	start := i
	if k == 0 {
		if i = jsonscan.Space(b, i+1); i < len(b) && b[i] == '}' {
			return fieldNone, i + 1, true
		}
	} else if i, last = jsonscan.Next(b, i, '}'); last {
		return fieldNone, i, true
	}
	if i < 0 {
		return fieldNone, -1, false
	}
	end, value := jsonscan.Name(b, i)
	if end < 0 {
		return fieldNone, -1, false
	}
	name := b[i+1 : end]
	if bytes.IndexByte(name, '\\') >= 0 && len(name) <= maxSpelling {
		name = jsonscan.AppendText(make([]byte, 0, maxSpelling), name)
	}
	f = l.names[string(name)]
	if k < len(l.shape) {
		l.shape[k] = spell(b[start:value], f)
	}
	return f, value, false
}

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
func (s *schemas) skip(b []byte, i int) int {
	if s.n > 0 && bytes.HasPrefix(b[i:], s.known[s.last]) {
		return i + len(s.known[s.last])
	}
	for k, known := range s.known[:s.n] {
		if bytes.HasPrefix(b[i:], known) {
			s.last = k
			return i + len(known)
		}
	}
	end := jsonscan.Skip(b, i)
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
