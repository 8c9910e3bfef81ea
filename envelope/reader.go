package envelope

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A RowReader reads the columns of rows by their schema. The zero RowReader is ready
// to use, by one goroutine at a time. It keeps memory from row to row and does not
// allocate for rows of a schema that it has seen, but for decimals beyond 128 bits.
type RowReader struct {
	// Placeholder recognises what connectors send for values that they do not have.
	// Nil means that of [DefaultPlaceholder].
	Placeholder *Placeholder

	data   []Datum
	others []Column
	arena  arena
}

var defaultPlaceholder = NewPlaceholder(DefaultPlaceholder)

// Read reads a row. What the other methods return is valid until the next call, and
// as long as the row is left alone. A column that its schema does not have is no
// error; see Others. A nil row has no columns.
//
// A column whose value is not one of its type is a [*DecodeError] over [ErrType],
// whose path is the column's name and whose cause tells the type; one that occurs
// twice is one over [ErrDuplicate]. Then the reader has no row.
func (r *RowReader) Read(s *Schema, row Row) error {
	r.data, r.others, r.arena.b = r.data[:0], r.others[:0], r.arena.b[:0]
	for i := range s.Fields {
		r.data = append(r.data, Datum{typ: &s.Fields[i].Type})
	}
	if row == nil {
		return nil
	}
	placeholder := r.Placeholder
	if placeholder == nil {
		placeholder = defaultPlaceholder
	}
	o, next := object{b: row}, 0
	for o.next() {
		i := next
		if i >= len(s.Fields) || string(o.column.Name) != s.Fields[i].Name {
			if i = s.Index(string(r.arena.name(o.column))); i < 0 {
				r.others = append(r.others, o.column)
				continue
			}
		}
		next = i + 1
		d, v := &r.data[i], o.column.Value
		if d.state != Missing {
			return r.fail(&o, v, ErrDuplicate)
		}
		if placeholder.takes(d, v) {
			continue
		}
		if err := d.typ.read(d, v, &r.arena); err != nil {
			return r.fail(&o, v, err)
		}
	}
	if o.bad {
		err := o.fault()
		r.data, r.others = r.data[:0], r.others[:0]
		return err
	}
	return nil
}

// fail returns the error of the column that o is at.
func (r *RowReader) fail(o *object, v Value, err error) error {
	r.data, r.others = r.data[:0], r.others[:0]
	return &DecodeError{Offset: int64(o.i - len(v)), Path: jsonscan.Pointer(string(o.column.AppendName(nil))), Err: err}
}

// Len returns the number of columns that the row's schema has, 0 if there is no row.
func (r *RowReader) Len() int { return len(r.data) }

// Datum returns the value of the i-th column of the schema.
func (r *RowReader) Datum(i int) Datum { return r.data[i] }

// Others returns the row's columns that the schema does not have. They alias the row;
// the slice is valid until the next call.
func (r *RowReader) Others() []Column { return r.others }

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

// elements yields the elements of a valid array.
func elements(array []byte) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		i := jsonscan.Space(array, 1)
		if array[i] == ']' {
			return
		}
		for last := false; !last; {
			end := jsonscan.Skip(array, i)
			if end < 0 || !yield(Value(array[i:end:end])) {
				return
			}
			i, last = jsonscan.Next(array, end, ']')
			if i < 0 {
				return
			}
		}
	}
}

// entries yields the keys and values of a map: an object, whose keys are text, or an
// array of pairs.
func entries(v []byte) iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		if v[0] == '{' {
			for i, k := 0, 0; ; k++ {
				start, end, value, last := jsonscan.Member(v, i, k)
				if last || value < 0 {
					return
				}
				if i = jsonscan.Skip(v, value); i < 0 || !yield(Value(v[start:end+1:end+1]), Value(v[value:i:i])) {
					return
				}
			}
		}
		for pair := range elements(v) {
			var kv [2]Value
			n := 0
			for e := range elements(pair) {
				kv[n] = e
				n++
			}
			if !yield(kv[0], kv[1]) {
				return
			}
		}
	}
}

// read sets d to the value v of the type. Its errors are causes over ErrType.
func (t *Type) read(d *Datum, v Value, a *arena) error {
	*d = Datum{typ: t}
	if v.IsNull() {
		d.state = Null
		return nil
	}
	var ok bool
	switch t.Kind {
	case KindUnknown:
		d.bytes, ok = v, true
	case KindBool:
		ok = d.readBool(v)
	case KindInt:
		ok = d.readInt(v)
	case KindUint:
		ok = d.readUint(v)
	case KindFloat:
		ok = d.readFloat(v, a)
	case KindDecimal:
		ok = d.readDecimal(v, a)
	case KindText:
		ok = d.readText(v, a)
	case KindJSON:
		ok = d.readJSON(v, a)
	case KindUUID:
		ok = d.readUUID(v, a)
	case KindBytes, KindBits:
		ok = d.readBytes(v, a)
	case KindDate:
		ok = d.readDate(v, a)
	case KindTime, KindTimeTZ:
		ok = d.readTime(v, a)
	case KindTimestamp, KindInstant:
		ok = d.readTimestamp(v, a)
	case KindDuration:
		ok = d.readDuration(v, a)
	case KindInterval:
		ok = d.readInterval(v, a)
	case KindGeometry:
		ok = d.readGeometry(v, a)
	case KindList:
		return d.readList(v, a)
	case KindMap:
		return d.readMap(v, a)
	case KindStruct:
		return d.readStruct(v, a)
	}
	if !ok {
		*d = Datum{typ: t}
		return misfit(t, v)
	}
	d.state = Set
	return nil
}

// readList reads each element, so that Elements need not fail. They are read into d
// itself: of a recursion the compiler knows no end, and would have a Datum of its own
// on the heap.
func (d *Datum) readList(v Value, a *arena) error {
	t := d.typ
	if v.Kind() != '[' {
		return misfit(t, v)
	}
	i := 0
	for e := range elements(v) {
		if err := t.elem().read(d, e, a); err != nil {
			*d = Datum{typ: t}
			return fmt.Errorf("element %d: %w", i, err)
		}
		i++
	}
	*d = Datum{typ: t, bytes: v, state: Set}
	return nil
}

// readMap reads each key and value.
func (d *Datum) readMap(v Value, a *arena) error {
	t := d.typ
	switch {
	case v.Kind() == '[':
		for pair := range elements(v) {
			if !isPair(pair) {
				return fmt.Errorf("%w: no pair of key and value", ErrType)
			}
		}
	case v.Kind() != '{':
		return misfit(t, v)
	}
	for k, e := range entries(v) {
		err := t.key().read(d, k, a)
		if err == nil {
			err = t.elem().read(d, e, a)
		}
		if err != nil {
			*d = Datum{typ: t}
			return fmt.Errorf("an entry: %w", err)
		}
	}
	*d = Datum{typ: t, bytes: v, state: Set}
	return nil
}

func isPair(v Value) bool {
	if v.Kind() != '[' {
		return false
	}
	n := 0
	for range elements(v) {
		n++
	}
	return n == 2
}

// readStruct reads each member that its type has.
func (d *Datum) readStruct(v Value, a *arena) error {
	t := d.typ
	if v.Kind() != '{' {
		return misfit(t, v)
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		m, ok := Row(v).Get(f.Name)
		if !ok {
			continue
		}
		if err := f.Type.read(d, m, a); err != nil {
			*d = Datum{typ: t}
			return fmt.Errorf("member %s: %w", f.Name, err)
		}
	}
	*d = Datum{typ: t, bytes: v, state: Set}
	return nil
}
