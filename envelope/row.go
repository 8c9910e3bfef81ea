package envelope

import (
	"bytes"
	"iter"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A Row is a row image: the exact bytes of one JSON object as they came in, or
// nil for none. It aliases the record that it was decoded from.
type Row []byte

// A Column is one member of a Row. Both slices alias the row.
type Column struct {
	Name  []byte // between the quotes, escapes unprocessed; AppendName resolves them
	Value Value
}

// AppendName appends the column's name to dst, escapes resolved.
func (c Column) AppendName(dst []byte) []byte { return jsonscan.AppendText(dst, c.Name) }

// Is reports whether the column is called name, however it is spelled.
func (c Column) Is(name string) bool { return jsonscan.TextIs(c.Name, name) }

// Columns yields the columns of r in their order. What it yields aliases r. A
// decoder has validated its rows; a Row from elsewhere that is not a JSON
// object gives a [*DecodeError] at its fault, after the columns before it. A
// nil Row has no columns.
func (r Row) Columns() iter.Seq2[Column, error] {
	return func(yield func(Column, error) bool) {
		if r == nil {
			return
		}
		o := object{b: r}
		for o.next() {
			if !yield(o.column, nil) {
				return
			}
		}
		if o.bad {
			yield(Column{}, o.fault())
		}
	}
}

// Get returns the value of the named column and whether the row has it. It
// aliases r. If the name occurs twice it is the first.
func (r Row) Get(name string) (Value, bool) {
	o := object{b: r}
	for r != nil && o.next() {
		if o.column.Is(name) {
			return o.column.Value, true
		}
	}
	return nil, false
}

// Clone returns a copy of r that does not alias the record.
func (r Row) Clone() Row { return bytes.Clone(r) }

// An object walks the members of a JSON object.
type object struct {
	b      []byte
	i, k   int // the end of the k-th value
	column Column
	bad    bool
	done   bool
}

func (o *object) next() bool {
	if o.done || o.bad {
		return false
	}
	if o.k == 0 {
		o.i = jsonscan.Space(o.b, 0)
	}
	start, end, value, last := jsonscan.Member(o.b, o.i, o.k)
	switch {
	case last:
		o.done = true
		o.bad = jsonscan.Space(o.b, value) != len(o.b)
		return false
	case value < 0:
		o.bad = true
		return false
	}
	if o.i = jsonscan.Skip(o.b, value); o.i < 0 {
		o.bad = true
		return false
	}
	o.k++
	o.column = Column{o.b[start+1 : end : end], Value(o.b[value:o.i:o.i])}
	return true
}

// fault says what is wrong with an object that turned out bad.
func (o *object) fault() error {
	if f := jsonscan.Diagnose(o.b); f.Err != nil {
		return syntaxError(f, 1)
	}
	return &DecodeError{Err: ErrType} // valid JSON, but not an object
}
