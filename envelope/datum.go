package envelope

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"time"
)

// State says whether a column has a value.
type State uint8

// The states.
const (
	Missing     State = iota // the row does not have the column
	Null                     // it is null
	Unavailable              // the connector did not have the value; see Placeholder
	Set                      // it has a value
)

var stateNames = [...]string{"missing", "null", "unavailable", "set"}

// String returns the state's name, lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// A Datum is the value of one column, as its type means it. It aliases the row, the
// reader that it came from, and the schema: it is valid until that reader's next
// call and as long as the row is left alone. It is a plain value and may be read by
// several goroutines at once. The zero Datum is Missing.
//
// Its methods ask for a value in one way and report false, or return an error over
// [ErrType], if the value is of another kind or does not fit, or there is none.
type Datum struct {
	typ   *Type
	bytes []byte   // text and bytes, decoded; of lists, maps, structs and unknown kinds the JSON
	wide  *big.Int // a decimal's unscaled value beyond 128 bits
	n     int64    // see the converters in read_*.go
	m     uint64
	scale int32
	state State
	inf   int8 // the sign of an infinity; notANumber for a decimal's
}

const notANumber = 2

// State returns whether there is a value.
func (d Datum) State() State { return d.state }

// IsSet reports whether there is a value.
func (d Datum) IsSet() bool { return d.state == Set }

// Type returns the column's type. It is never nil.
func (d Datum) Type() *Type {
	if d.typ == nil {
		return &unknownType
	}
	return d.typ
}

// Kind returns the kind of the column's type.
func (d Datum) Kind() Kind { return d.Type().Kind }

// is reports whether there is a value of the kind.
func (d Datum) is(k Kind) bool { return d.state == Set && d.typ.Kind == k }

// Infinity returns 1 or -1 for a date, a timestamp or an instant that PostgreSQL
// calls infinity or -infinity, and for floats and decimals that are infinite; 0
// otherwise.
func (d Datum) Infinity() int {
	if d.is(KindFloat) {
		switch f := math.Float64frombits(d.m); {
		case math.IsInf(f, 1):
			return 1
		case math.IsInf(f, -1):
			return -1
		}
		return 0
	}
	if d.inf == notANumber {
		return 0
	}
	return int(d.inf)
}

// Bool returns a boolean.
func (d Datum) Bool() (v, ok bool) { return d.n != 0, d.is(KindBool) }

// Int64 returns an integer.
func (d Datum) Int64() (v int64, ok bool) {
	switch {
	case d.is(KindInt):
		return d.n, true
	case d.is(KindUint) && d.m <= math.MaxInt64:
		return int64(d.m), true
	}
	return 0, false
}

// Uint64 returns an integer.
func (d Datum) Uint64() (v uint64, ok bool) {
	switch {
	case d.is(KindUint):
		return d.m, true
	case d.is(KindInt) && d.n >= 0:
		return uint64(d.n), true
	}
	return 0, false
}

// Float64 returns a float, which can be NaN or infinite.
func (d Datum) Float64() (v float64, ok bool) {
	if !d.is(KindFloat) {
		return 0, false
	}
	return math.Float64frombits(d.m), true
}

// Decimal returns a decimal, or an integer as one. It does not alias anything.
func (d Datum) Decimal() (v Decimal, ok bool) {
	switch {
	case d.is(KindDecimal):
		return Decimal{hi: d.n, lo: d.m, wide: d.wide, scale: d.scale, special: d.inf}, true
	case d.is(KindInt):
		return Decimal{hi: d.n >> 63, lo: uint64(d.n)}, true
	case d.is(KindUint):
		return Decimal{lo: d.m}, true
	}
	return Decimal{}, false
}

// Bytes returns what a column of text, bytes, JSON or a UUID holds, and the JSON text
// of lists, maps, structs and unknown kinds.
func (d Datum) Bytes() (v []byte, ok bool) {
	if d.state != Set {
		return nil, false
	}
	switch d.typ.Kind {
	case KindText, KindBytes, KindJSON, KindUUID, KindUnknown, KindList, KindMap, KindStruct:
		return d.bytes, true
	}
	return nil, false
}

// Reference returns where a value is that was too large for its record, such as
// "bucket|key", if the column is Unavailable for that reason; nil otherwise.
func (d Datum) Reference() []byte {
	if d.state != Unavailable {
		return nil
	}
	return d.bytes
}

// Date returns the days since 1970-01-01 of a date that is not infinite.
func (d Datum) Date() (days int64, ok bool) {
	return d.n, d.is(KindDate) && d.inf == 0
}

// Time returns a date, a timestamp or an instant that is not infinite, in UTC. What
// it returns for a timestamp without a zone is the wall clock, as if that were UTC.
func (d Datum) Time() (v time.Time, ok bool) {
	if d.state != Set || d.inf != 0 {
		return time.Time{}, false
	}
	switch d.typ.Kind {
	case KindDate:
		return time.Unix(d.n*secondsPerDay, 0).UTC(), true
	case KindTimestamp, KindInstant:
		return time.Unix(d.n, int64(d.m)).UTC(), true
	}
	return time.Time{}, false
}

// Duration returns a time of day since midnight, or a duration.
func (d Datum) Duration() (v time.Duration, ok bool) {
	if !d.is(KindTime) && !d.is(KindTimeTZ) && !d.is(KindDuration) {
		return 0, false
	}
	n, ok := d.units(1e9)
	return time.Duration(n), ok
}

// units returns the seconds in n and the nanoseconds in m as a number of units, of which
// so many are in a second, if that fits. The nanoseconds are a whole number of them.
func (d Datum) units(perSecond int64) (n int64, ok bool) {
	seconds, nanos := d.n, int64(d.m)
	if seconds < 0 { // towards zero, so that the least one is not beyond what fits
		seconds, nanos = seconds+1, nanos-1e9
	}
	total := sum{ok: true}
	total.add(seconds, perSecond)
	total.add(nanos/(1e9/perSecond), 1)
	return total.n, total.ok
}

// Interval returns an interval, or a duration as one if it has no fraction of a
// microsecond.
func (d Datum) Interval() (v Interval, ok bool) {
	switch {
	case d.is(KindInterval):
		return Interval{Months: int32(uint32(d.m >> 32)), Days: int32(uint32(d.m)), Micros: d.n}, true
	case d.is(KindDuration) && d.m%1000 == 0:
		micros, ok := d.units(1e6)
		return Interval{Micros: micros}, ok
	}
	return Interval{}, false
}

// Geometry returns a geometry, a geography or a point. Its bytes live as long as the
// Datum's.
func (d Datum) Geometry() (v Geometry, ok bool) {
	if !d.is(KindGeometry) {
		return Geometry{}, false
	}
	return Geometry{WKB: d.bytes, SRID: int32(d.n), HasSRID: d.m != 0}, true
}

// Elements yields the elements of a list. They do not alias the reader and are valid
// as long as the row is.
func (d Datum) Elements() iter.Seq[Datum] {
	return func(yield func(Datum) bool) {
		if !d.is(KindList) {
			return
		}
		for v := range elements(d.bytes) {
			var e Datum
			if d.typ.elem().read(&e, v, new(arena)) != nil || !yield(e) {
				return // it was read before, without an error
			}
		}
	}
}

// Entries yields the keys and values of a map in the order of the record. They do not
// alias the reader and are valid as long as the row is.
func (d Datum) Entries() iter.Seq2[Datum, Datum] {
	return func(yield func(Datum, Datum) bool) {
		if !d.is(KindMap) {
			return
		}
		for k, v := range entries(d.bytes) {
			var key, value Datum
			if d.typ.key().read(&key, k, new(arena)) != nil || d.typ.elem().read(&value, v, new(arena)) != nil || !yield(key, value) {
				return
			}
		}
	}
}

// Members yields the members of a struct, in the order of its type. They do not alias
// the reader and are valid as long as the row is.
func (d Datum) Members() iter.Seq2[*Field, Datum] {
	return func(yield func(*Field, Datum) bool) {
		if !d.is(KindStruct) {
			return
		}
		for i := range d.typ.Fields {
			f := &d.typ.Fields[i]
			var m Datum
			if v, ok := Row(d.bytes).Get(f.Name); ok && f.Type.read(&m, v, new(arena)) != nil {
				return
			}
			if !yield(f, m) {
				return
			}
		}
	}
}

// Any returns the value as the Go type that is listed beside its kind. Null is nil; a
// column that is Missing or Unavailable is that State. A date, timestamp or instant
// that is infinite is an [Infinity]. What it returns shares no memory with the row.
func (d Datum) Any() any {
	switch d.state {
	case Null:
		return nil
	case Missing, Unavailable:
		return d.state
	}
	switch d.typ.Kind {
	case KindBool:
		return d.n != 0
	case KindInt:
		return d.n
	case KindUint:
		return d.m
	case KindFloat:
		return math.Float64frombits(d.m)
	case KindDecimal:
		v, _ := d.Decimal()
		return v
	case KindText, KindUUID:
		return string(d.bytes)
	case KindBits:
		return string(d.AppendText(nil))
	case KindBytes:
		return append([]byte{}, d.bytes...)
	case KindDate, KindTimestamp, KindInstant:
		if d.inf != 0 {
			return Infinity(d.inf)
		}
		v, _ := d.Time()
		return v
	case KindTime, KindTimeTZ:
		v, _ := d.Duration()
		return v
	case KindDuration:
		if v, ok := d.Duration(); ok {
			return v
		}
		v, _ := d.Interval()
		return v
	case KindInterval:
		v, _ := d.Interval()
		return v
	case KindGeometry:
		v, _ := d.Geometry()
		v.WKB = append([]byte{}, v.WKB...)
		return v
	case KindList:
		list := []any{}
		for e := range d.Elements() {
			list = append(list, e.Any())
		}
		return list
	case KindMap:
		m := map[string]any{}
		for k, v := range d.Entries() {
			m[string(k.AppendText(nil))] = v.Any()
		}
		return m
	case KindStruct:
		m := map[string]any{}
		for f, v := range d.Members() {
			m[f.Name] = v.Any()
		}
		return m
	}
	return Value(append([]byte{}, d.bytes...))
}

// Infinity is the value of a date, timestamp or instant that lies after all others,
// or before them: 1 or -1.
type Infinity int8

// String returns infinity or -infinity, as PostgreSQL does.
func (i Infinity) String() string {
	if i < 0 {
		return "-infinity"
	}
	return "infinity"
}

// misfit is the cause of a value that is not one of its type.
func misfit(t *Type, v Value) error {
	return fmt.Errorf("%w: %s in place of %v", ErrType, kindOfJSON(v), t)
}

func kindOfJSON(v Value) string {
	switch v.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "nothing"
}
