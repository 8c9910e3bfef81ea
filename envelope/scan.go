package envelope

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// A level reads one object of an envelope: the record, the payload in its
// wrapper, or a source block.
type level struct {
	jsonscan.Object
	path     string   // JSON Pointer of the object
	wrappers []string // members that lead from here to the envelope, for the path of a syntax error
	public   int      // how many names of such a path below them say nothing of row data

	schemas *schemas         // for this level's Connect schema
	payload *level           // reads this level's payload member, if it is an object
	source  *level           // reads this level's source member, if it is an object
	data    *level           // reads this level's data member, if it is an object
	images  *jsonscan.Shapes // of this level's before and after members, if they are objects
}

type span = jsonscan.Span

// init makes the level ready to read objects whose members have these names,
// inside depth objects, itself included.
func (l *level) init(depth int, names map[string]field) {
	l.Depth, l.Names, l.Within = depth, names, l.within
	for f, known := range map[field]bool{
		fieldConnectSchema: l.schemas != nil, fieldPayload: l.payload != nil, fieldSource: l.source != nil, fieldData: l.data != nil,
		fieldBefore: l.images != nil, fieldAfter: l.images != nil,
	} {
		if known {
			l.Nested |= 1 << f
		}
	}
}

// within reads the value of a nested member.
func (l *level) within(f field, b []byte, i int) int {
	switch {
	case f == fieldConnectSchema:
		return l.schemas.skip(b, i, l.Depth)
	case b[i] != '{':
		return jsonscan.SkipWithin(b, i, l.Depth)
	case f == fieldSource:
		return l.source.Read(b, i)
	case f == fieldPayload:
		return l.payload.Read(b, i)
	case f == fieldData:
		return l.data.Read(b, i)
	}
	return l.images.Skip(b, i, l.Depth)
}
