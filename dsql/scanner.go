package dsql

import (
	"fmt"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A scanner finds the members of a record: those of the record itself, of its
// source block, and what describes its split images.
type scanner struct {
	record, source object
	split          object    // the member chunked
	described      [2]object // its members, in the order of splitImages
	shapes         jsonscan.Shapes
	prepared       bool
}

// An object is one of them, which knows its path.
type object struct {
	jsonscan.Object
	path string // JSON Pointer
}

func (s *scanner) prepare() {
	if s.prepared {
		return
	}
	s.record.Names, s.record.Depth, s.record.Within = recordFields, 1, s.within
	s.record.Nested = 1<<fieldBefore | 1<<fieldAfter | 1<<fieldSource | 1<<fieldChunked
	s.source.Names, s.source.Depth, s.source.path = sourceFields, 2, "/source"
	s.split.Names, s.split.Depth, s.split.path, s.split.Within = splitFields, 2, "/chunked", s.withinSplit
	s.split.Nested = 1<<fieldBefore | 1<<fieldAfter
	for i, f := range splitImages {
		s.described[i].Names, s.described[i].Depth, s.described[i].path = imageFields, 3, "/chunked/"+fieldNames[f]
	}
	s.prepared = true
}

// splitImages are the images that can be split.
var splitImages = [2]jsonscan.Field{fieldAfter, fieldBefore}

// within reads the members of a record that are objects.
func (s *scanner) within(f jsonscan.Field, b []byte, i int) int {
	switch {
	case b[i] != '{':
		return jsonscan.SkipWithin(b, i, 1)
	case f == fieldSource:
		return s.source.Read(b, i)
	case f == fieldChunked:
		return s.split.Read(b, i)
	}
	return s.shapes.Skip(b, i, 1)
}

// withinSplit reads the members of chunked.
func (s *scanner) withinSplit(f jsonscan.Field, b []byte, i int) int {
	if b[i] != '{' {
		return jsonscan.SkipWithin(b, i, 2)
	}
	return s.described[f-splitImages[0]].Read(b, i)
}

// scan validates b, which must be one object of up to limit bytes.
func (s *scanner) scan(b []byte, limit int) error {
	s.prepare()
	if len(b) > limit {
		return tooLarge(limit)
	}
	start := jsonscan.Space(b, 0)
	end := -1
	if start < len(b) && b[start] == '{' {
		end = s.record.Read(b, start)
	}
	if end < 0 || jsonscan.Space(b, end) != len(b) {
		return invalid(b)
	}
	if f := s.record.Duplicate; f != fieldNone {
		return s.record.fault(f, envelope.ErrDuplicate)
	}
	if v := s.record.Raw(b, fieldSource); v != nil && v[0] == '{' && s.source.Duplicate != fieldNone {
		return s.source.fault(s.source.Duplicate, envelope.ErrDuplicate)
	}
	return nil
}

// invalid says why b is not one object.
func invalid(b []byte) error {
	f := jsonscan.Diagnose(b)
	if f.Err == nil {
		return &envelope.DecodeError{Offset: int64(jsonscan.Space(b, 0)), Err: envelope.ErrType}
	}
	return syntaxError(f, "before", "after", "source", "chunked")
}

// syntaxError says where a document is no JSON. Of the path it keeps the first
// name, and the second one in the objects named open: others can be row data, as
// those of a map.
func syntaxError(f jsonscan.Fault, open ...string) error {
	public := min(len(f.Path), 1)
	if public == 1 && slices.Contains(open, f.Path[0]) {
		public = min(len(f.Path), 2)
	}
	return &envelope.DecodeError{
		Offset: int64(f.Offset), Path: jsonscan.Pointer(f.Path[:public]...),
		Err: fmt.Errorf("%w: %w", envelope.ErrSyntax, f.Err),
	}
}

// tooLarge is the error for a document of more than limit bytes.
func tooLarge(limit int) error {
	return &envelope.DecodeError{Offset: int64(limit), Err: tooMany(limit, "bytes")}
}

// fault returns an error at a member of the object.
func (o *object) fault(f jsonscan.Field, err error) error {
	at := 0
	if o.Has(f) {
		at = int(o.At[f].Start)
	}
	return &envelope.DecodeError{Offset: int64(at), Path: o.path + "/" + fieldNames[f], Err: err}
}

// A kind is what a record is by its type.
type kind uint8

const (
	full kind = iota
	chunked
	fragment
)

// kind returns what the record is. One without a type is whole.
func (s *scanner) kind(b []byte) (kind, error) {
	v := s.record.Raw(b, fieldType)
	if v == nil {
		return full, nil
	}
	switch string(v) {
	case `"full"`:
		return full, nil
	case `"chunked"`:
		return chunked, nil
	case `"fragment"`:
		return fragment, nil
	}
	return full, s.record.fault(fieldType, envelope.ErrType)
}
