package envelope

import (
	"bytes"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A level reads one object of an envelope: the record, the payload in its
// wrapper, or a source block. It notes where the known members are.
//
// It also remembers how the members were spelled and ordered the last time, and
// looks for those spellings first.
type level struct {
	path      string // JSON Pointer of the object
	names     map[string]field
	wrappers  []string // members that lead from here to the envelope, for the path of a syntax error
	public    int      // how many names of such a path below them say nothing of row data
	depth     int      // how many objects are open inside this one, itself included
	seen      uint64   // bit f: field f is present
	members   int
	duplicate field // of a known member, else none
	at        [fieldCount]span

	schemas *schemas         // for this level's Connect schema
	payload *level           // reads this level's payload member, if it is an object
	source  *level           // reads this level's source member, if it is an object
	data    *level           // reads this level's data member, if it is an object
	images  *jsonscan.Shapes // of this level's before and after members, if they are objects

	shape [32]struct {
		spelling jsonscan.Spelling
		field    field
	}
}

type span struct{ start, end int32 }

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
		f, value := fieldNone, -1
		if k < len(l.shape) {
			f, value = l.shape[k].field, l.shape[k].spelling.Value(b, i)
		}
		if value < 0 {
			var last bool
			if f, value, last = l.name(b, i, k); last || value < 0 {
				return value
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
			i = l.schemas.skip(b, value, l.depth)
		case (f == fieldAfter || f == fieldBefore) && l.images != nil && b[value] == '{':
			i = readImage(l.images, b, value, l.depth)
		default:
			i = jsonscan.SkipWithin(b, value, l.depth)
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

// maxSpelling is the longest spelling of a known name: six bytes for each of its
// own. Only Flattened.Prefix makes longer ones.
const maxSpelling = 6 * 64

// name reads from the opening brace or the end of the previous value at b[i] to
// the first byte of the next value. At the end of the object it returns the
// index after it and true.
func (l *level) name(b []byte, i, k int) (f field, value int, last bool) {
	start := i
	i, end, value, last := jsonscan.Member(b, i, k)
	if last || value < 0 {
		return fieldNone, value, last
	}
	name := b[i+1 : end]
	if bytes.IndexByte(name, '\\') >= 0 && len(name) <= maxSpelling {
		name = jsonscan.AppendText(make([]byte, 0, maxSpelling), name)
	}
	f = l.names[string(name)]
	if k < len(l.shape) {
		l.shape[k].spelling, l.shape[k].field = jsonscan.Spell(b[start:value]), f
	}
	return f, value, false
}

// readImage validates the row image at b[i], inside depth objects, and returns
// the index after it, -1 if it is not valid JSON.
func readImage(shapes *jsonscan.Shapes, b []byte, i, depth int) int {
	shape := shapes.Of(b, i)
	for k := 0; ; k++ {
		value, last := shape.Value(b, i, k)
		if last || value < 0 {
			return value
		}
		if i = jsonscan.SkipWithin(b, value, depth+1); i < 0 || i >= len(b) {
			return -1
		}
	}
}
