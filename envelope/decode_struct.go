package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// As decodes a row by its schema into a new T, a struct, as [RowReader.Decode] does
// with a zero reader. It is safe for concurrent use. On an error the T is zero.
func As[T any](s *Schema, row Row) (T, error) {
	r := readers.Get().(*RowReader)
	var v T
	err := r.Decode(s, row, &v)
	r.forget()
	readers.Put(r)
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// mostKept is how many bytes of memory a pool may keep for the next caller.
const mostKept = 64 << 10

var readers = sync.Pool{New: func() any { return new(RowReader) }}

// forget lets go of the row and of a large arena.
func (r *RowReader) forget() {
	clear(r.data[:cap(r.data)])
	clear(r.others[:cap(r.others)])
	r.data, r.others = r.data[:0], r.others[:0]
	if cap(r.arena.b) > mostKept {
		r.arena.b = nil
	}
}

// Decode reads a row, as Read does, into the struct that v points to. What it writes
// shares no memory with the row or with what it wrote before. It does not allocate
// for fields of a fixed size: booleans, numbers, decimals of up to 128 bits, times,
// arrays, and [Optional] ones.
//
// A field is the column that its tag `row:"name"` names, else that of a tag
// `json:"name"`, else the one called as the field itself, or in other case if only one
// is. Fields tagged "-" and unexported ones are left alone. The fields of an embedded
// struct without a tag are taken for the outer struct's; those of an outer struct
// hide them. Columns without a field are read and not kept.
//
// The field's type must be able to hold every value of the column's type, but for
// sizes, which are checked row by row; nothing is rounded, cut or guessed:
//
//   - a bool takes booleans; int and uint types take integers and decimals that are
//     whole numbers; float types take floats, a float32 only those of 32 bits
//   - [Decimal], big.Int and big.Rat take integers and decimals, big.Int whole ones
//   - a string takes text, UUIDs and JSON, and what else has a canonical text in
//     [Datum.AppendText] that is no number, boolean or base64: bits, decimals, dates,
//     times, durations and intervals
//   - json.Number takes integers, and decimals and floats that are finite
//   - a []byte takes bytes, text, UUIDs and JSON; an array of bytes takes bytes of just
//     that length, and one of 16 a UUID
//   - [Value] and json.RawMessage take JSON, lists, maps, structs and columns of
//     unknown kind
//   - time.Time takes dates, timestamps and instants that are not infinite, [Moment]
//     the infinite ones too
//   - time.Duration takes times and durations, [Interval] intervals and durations,
//     [Geometry] geometries
//   - slices take lists, maps take maps and structs, structs take structs by the rules
//     for columns
//   - a type with UnmarshalText takes what a string takes, and numbers and booleans if
//     it cannot hold them otherwise
//   - an interface without methods takes what [Datum.Any] returns
//   - a pointer takes what it points to, or null
//   - an Optional takes what its V takes, null, and columns that are Missing or
//     Unavailable
//
// Null is an error for all others, also for slices and maps; so is a column that is
// Missing or Unavailable, or that the schema does not have. These are a [*DecodeError]
// over [ErrType] or [ErrMissing], whose path is the column's and whose cause tells the
// types and no values: what UnmarshalText returns is not in it. On an error the struct
// may be partly written.
func (r *RowReader) Decode(s *Schema, row Row, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("%w, not to a %T", errNotStruct, v)
	}
	if s == nil {
		return &DecodeError{Err: fmt.Errorf("%w: no schema", ErrMissing)}
	}
	dst := p.Elem()
	plan := s.plan(dst.Type())
	if plan.err != nil {
		e := *plan.err
		return &e
	}
	if err := r.Read(s, row); err != nil {
		return err
	}
	for i := range plan.moves {
		m := &plan.moves[i]
		d := &missing
		if m.column >= 0 {
			d = &r.data[m.column]
		}
		if err := m.put(m.field(dst), d, &r.arena); err != nil {
			name := s.Fields[m.column].Name
			return &DecodeError{Offset: row.offset(name), Path: jsonscan.Pointer(name), Err: err}
		}
	}
	return nil
}

var errNotStruct = errors.New("envelope: a row is decoded to a pointer to a struct")

// missing is the value of a column that the schema does not have.
var missing Datum

// plan returns how the rows of the schema go into a type of struct. It is made once
// and lives as long as the schema: a cache of all schemas would have to be bounded,
// and would keep those that are no longer in use.
func (s *Schema) plan(t reflect.Type) *plan {
	if p, ok := s.plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := s.plans.LoadOrStore(t, newPlan(s.Fields, t))
	return p.(*plan)
}

// offset returns where the value of the named column begins, 0 if the row does not
// have it.
func (r Row) offset(name string) int64 {
	for o := (object{b: r}); r != nil && o.next(); {
		if bytes.Equal(o.column.AppendName(nil), []byte(name)) {
			return int64(o.i - len(o.column.Value))
		}
	}
	return 0
}
