package envelope

import (
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

	schema *Schema
	shape  []spelledColumn // how its columns were written, in the order of the last row
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
	r.begin(s)
	if row == nil {
		return nil
	}
	placeholder := r.Placeholder
	if placeholder == nil {
		placeholder = defaultPlaceholder
	}
	i := jsonscan.Space(row, 0)
	for k := 0; ; k++ {
		if k > 0 && i == len(row)-1 && row[i] == '}' { // sooner than to find that no spelling fits
			return nil
		}
		column, value := unknownColumn, -1
		if k < len(r.shape) {
			column, value = r.shape[k].column, r.shape[k].before.Value(row, i)
		}
		var name []byte
		if value < 0 {
			before := i
			start, end, next, last := jsonscan.Member(row, i, k)
			if value = next; last && jsonscan.Space(row, value) == len(row) {
				return nil
			}
			if last || value < 0 {
				return r.fault(row)
			}
			name = row[start+1 : end : end]
			column = r.learn(k, name, row[before:value])
		}
		if column != unknownColumn && r.data[column].state == Missing {
			if n, end, ok := shortWhole(row, value); ok {
				d := &r.data[column]
				if d.setWhole(n) {
					d.state, i = Set, end
					continue
				}
				*d = Datum{typ: d.typ}
			}
		}
		if i = jsonscan.Skip(row, value); i < 0 {
			return r.fault(row)
		}
		v := Value(row[value:i:i])
		if column == unknownColumn {
			r.others = append(r.others, Column{name, v})
			continue
		}
		d := &r.data[column]
		switch {
		case d.state != Missing:
			return r.fail(column, value, ErrDuplicate)
		case placeholder.mayBe(v) && placeholder.takes(d, v):
			continue
		}
		if err := d.fill(v, &r.arena); err != nil {
			return r.fail(column, value, err)
		}
	}
}

// A spelledColumn is how the name of a member was written the last time, and the
// column that it means. Where the same bytes stand, so does the name.
type spelledColumn struct {
	before jsonscan.Spelling
	column int
}

const (
	unknownColumn = -1
	maxShape      = 256 // members that are remembered
)

// begin makes all columns of the schema Missing.
func (r *RowReader) begin(s *Schema) {
	r.others, r.arena.b = r.others[:0], r.arena.b[:0]
	if r.schema == s && len(r.data) == len(s.Fields) {
		for i := range r.data {
			r.data[i] = Datum{typ: r.data[i].typ}
		}
		return
	}
	if r.schema != s {
		r.schema, r.shape = s, r.shape[:0]
	}
	r.data = r.data[:0]
	for i := range s.Fields {
		r.data = append(r.data, Datum{typ: &s.Fields[i].Type})
	}
}

// learn returns the column of a name and remembers it as the k-th. One that the schema
// does not have is looked at each time: its name is asked for.
func (r *RowReader) learn(k int, name, spelling []byte) (column int) {
	column = r.schema.Index(string(r.arena.name(Column{Name: name})))
	c := spelledColumn{column: column}
	if column != unknownColumn {
		c.before = jsonscan.Spell(spelling)
	}
	switch {
	case k < len(r.shape):
		r.shape[k] = c
	case k < maxShape:
		r.shape = append(r.shape, c)
	}
	return column
}

// fault returns the error of a row that is no JSON object.
func (r *RowReader) fault(row Row) error {
	r.data, r.others = r.data[:0], r.others[:0]
	o := object{b: row}
	return o.fault()
}

// fail returns the error of a column whose value is at an index of the row.
func (r *RowReader) fail(column, at int, err error) error {
	r.data, r.others = r.data[:0], r.others[:0]
	return &DecodeError{Offset: int64(at), Path: jsonscan.Pointer(r.schema.Fields[column].Name), Err: err}
}

// Len returns the number of columns that the row's schema has, 0 if there is no row.
func (r *RowReader) Len() int { return len(r.data) }

// Datum returns the value of the i-th column of the schema.
func (r *RowReader) Datum(i int) Datum { return r.data[i] }

// Others returns the row's columns that the schema does not have. They alias the row;
// the slice is valid until the next call.
func (r *RowReader) Others() []Column { return r.others }

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
	return d.fill(v, a)
}

// fill sets d, which is Missing, to the value v of its type.
func (d *Datum) fill(v Value, a *arena) error {
	t := d.typ
	if v[0] == 'n' {
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
