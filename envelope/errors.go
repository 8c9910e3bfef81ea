package envelope

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// Causes of a [DecodeError]; test for them with [errors.Is].
var (
	ErrSyntax    = errors.New("invalid JSON")
	ErrMissing   = errors.New("required member missing")
	ErrType      = errors.New("member has the wrong type")
	ErrDuplicate = errors.New("member occurs twice")
	ErrLimit     = errors.New("limit exceeded")
)

// ErrNoKey says that nothing tells which columns identify a row: the table is
// not in a [KeyFunc]'s list, or the record came without a key.
var ErrNoKey = errors.New("envelope: no key for table")

// A DecodeError says where and why a record could not be decoded. It holds no
// row data, so that it can be logged.
type DecodeError struct {
	Offset int64  // the fault is at or after this byte of the record
	Path   string // JSON Pointer (RFC 6901) of the member, "" for the whole record; within a row it ends at the column
	Err    error  // wraps one of the causes above
}

// Error returns the cause with path and offset.
func (e *DecodeError) Error() string {
	b := append([]byte("envelope: "), e.Err.Error()...)
	if e.Path != "" {
		b = append(append(b, " at "...), e.Path...)
	}
	b = append(b, " (offset "...)
	b = strconv.AppendInt(b, e.Offset, 10)
	return string(append(b, ')'))
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// IsPermanent reports whether err says of the record itself that it cannot be
// used, so that trying the same bytes again is of no help.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*DecodeError](err)
	return ok || errors.Is(err, ErrNoKey)
}

// syntaxError says where a record is no JSON. Of the path it keeps the public
// names below the wrappers, which lead it, the second of them only in an image
// or a source block: other member names can be row data, as those of a map.
func syntaxError(f jsonscan.Fault, public int, wrappers ...string) error {
	keep := 0
	for keep < len(f.Path) && keep < len(wrappers) && f.Path[keep] == wrappers[keep] {
		keep++
	}
	if keep < len(f.Path) && !slices.Contains([]string{"before", "after", "source"}, f.Path[keep]) {
		public = min(public, 1)
	}
	keep = min(keep+public, len(f.Path))
	return &DecodeError{Offset: int64(f.Offset), Path: jsonscan.Pointer(f.Path[:keep]...), Err: fmt.Errorf("%w: %w", ErrSyntax, f.Err)}
}

// spelled returns the field's name as the level spells it.
func (l *level) spelled(f field) string {
	var names []string
	for name, known := range l.Names {
		if known == f {
			names = append(names, name)
		}
	}
	if names == nil {
		return fieldNames[f]
	}
	return slices.Min(names) // a map has no order
}

// fault returns an error at a place in the level, in the member that the fields
// lead to.
func (l *level) fault(at span, err error, fields ...field) error {
	path := l.path
	for _, f := range fields {
		path += jsonscan.Pointer(l.spelled(f))
	}
	return &DecodeError{Offset: int64(at.Start), Path: path, Err: err}
}

func (l *level) missing(at span, f field) error { return l.fault(at, ErrMissing, f) }

func (l *level) duplicated() error {
	return l.fault(l.At[l.Duplicate], ErrDuplicate, l.Duplicate)
}
