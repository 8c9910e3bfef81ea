package envelope

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/rowdelta/rowdelta/internal/uuid"
)

// put writes a value, or what there is in its place, to v.
func (s *setter) put(v reflect.Value, d *Datum, a *arena) error {
	switch s.wrap {
	case optional:
		v.Field(optionalState).SetUint(uint64(d.state))
		v = v.Field(optionalValue)
		if d.state != Set {
			v.SetZero()
			return nil
		}
		return s.elem.put(v, d, a)
	case dynamic:
		return s.set(s, v, d, a)
	}
	switch {
	case d.state == Set:
		return s.set(s, v, d, a)
	case d.state == Null && s.wrap == pointer:
		v.SetZero()
		return nil
	case d.state == Null:
		return fmt.Errorf("%w: null for Go type %v", ErrType, s.typ)
	case d.state == Unavailable:
		return fmt.Errorf("%w: the value is unavailable, for Go type %v", ErrMissing, s.typ)
	}
	return fmt.Errorf("%w, for Go type %v", ErrMissing, s.typ)
}

// unfit is the error of a value of the column's type that the field cannot hold.
func (s *setter) unfit(d *Datum) error {
	return fmt.Errorf("%w: a value of %v does not fit Go type %v", ErrType, d.Type(), s.typ)
}

func setBool(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	v.SetBool(d.n != 0)
	return nil
}

func setInt(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	n, ok := d.Int64()
	if d.typ.Kind == KindDecimal {
		x, _ := d.Decimal()
		n, ok = x.Int64()
	}
	if !ok || v.OverflowInt(n) {
		return s.unfit(d)
	}
	v.SetInt(n)
	return nil
}

func setUint(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	n, ok := d.Uint64()
	if d.typ.Kind == KindDecimal {
		x, _ := d.Decimal()
		x, ok = x.Rescale(0)
		n, ok = x.lo, ok && x.wide == nil && x.hi == 0
	}
	if !ok || v.OverflowUint(n) {
		return s.unfit(d)
	}
	v.SetUint(n)
	return nil
}

func setFloat(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	f, _ := d.Float64()
	if !math.IsInf(f, 0) && v.OverflowFloat(f) {
		return s.unfit(d)
	}
	v.SetFloat(f)
	return nil
}

// text returns the canonical text of a value, in the arena if it is nowhere else. It
// is valid until the arena's next use.
func (d *Datum) text(a *arena) []byte {
	switch d.typ.Kind {
	case KindText, KindUUID, KindJSON:
		return d.bytes
	}
	start := len(a.b)
	a.b = d.AppendText(a.b)
	text := a.b[start:]
	a.b = a.b[:start]
	return text
}

func setString(s *setter, v reflect.Value, d *Datum, a *arena) error {
	v.SetString(string(d.text(a)))
	return nil
}

// setNumber is setString for numbers that JSON has.
func setNumber(s *setter, v reflect.Value, d *Datum, a *arena) error {
	if f, ok := d.Float64(); d.Infinity() != 0 || ok && math.IsNaN(f) {
		return s.unfit(d)
	}
	if x, ok := d.Decimal(); ok && x.IsNaN() {
		return s.unfit(d)
	}
	return setString(s, v, d, a)
}

func setBytes(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	v.SetBytes(append([]byte{}, d.bytes...))
	return nil
}

// setJSON is setBytes for lists, maps, structs and unknown values too: their JSON.
func setJSON(s *setter, v reflect.Value, d *Datum, a *arena) error { return setBytes(s, v, d, a) }

func setArray(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	if len(d.bytes) != v.Len() {
		return s.unfit(d)
	}
	copy(v.Bytes(), d.bytes)
	return nil
}

func setUUID(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	id, ok := uuid.Parse(d.bytes)
	if !ok {
		return s.unfit(d)
	}
	copy(v.Bytes(), id[:])
	return nil
}

// at returns a pointer to the T that v is. To set v to a T by reflection would
// allocate one.
func at[T any](v reflect.Value) *T { return v.Addr().Interface().(*T) }

func setTime(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	t, ok := d.Time()
	if !ok {
		return s.unfit(d)
	}
	*at[time.Time](v) = t
	return nil
}

func setMoment(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	t, ok := d.Time()
	m := Moment{Time: t, Infinity: Infinity(d.Infinity())}
	if !ok && m.Infinity == 0 {
		return s.unfit(d)
	}
	*at[Moment](v) = m
	return nil
}

func setDuration(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	t, ok := d.Duration()
	if !ok {
		return s.unfit(d)
	}
	v.SetInt(int64(t))
	return nil
}

func setInterval(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	i, ok := d.Interval()
	if !ok {
		return s.unfit(d)
	}
	*at[Interval](v) = i
	return nil
}

func setGeometry(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	g, ok := d.Geometry()
	if !ok {
		return s.unfit(d)
	}
	g.WKB = append([]byte{}, g.WKB...)
	*at[Geometry](v) = g
	return nil
}

func setDecimal(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	x, ok := d.Decimal()
	if !ok {
		return s.unfit(d)
	}
	*at[Decimal](v) = x
	return nil
}

// setBigInt replaces the integer: another struct may share the old one's digits.
func setBigInt(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	x, _ := d.Decimal()
	x, ok := x.Rescale(0)
	if !ok {
		return s.unfit(d)
	}
	*at[big.Int](v) = *x.Unscaled()
	return nil
}

func setRat(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	x, _ := d.Decimal()
	scale := x.Scale()
	if x.special != 0 || scale > MaxDigits || scale < -MaxDigits {
		return s.unfit(d)
	}
	power := new(big.Int).Exp(bigTen, big.NewInt(int64(max(scale, -scale))), nil)
	r := new(big.Rat)
	if scale < 0 {
		r.SetInt(power.Mul(power, x.Unscaled()))
	} else {
		r.SetFrac(x.Unscaled(), power)
	}
	*at[big.Rat](v) = *r
	return nil
}

func setAny(s *setter, v reflect.Value, d *Datum, _ *arena) error {
	if x := d.Any(); x != nil {
		v.Set(reflect.ValueOf(x))
	} else {
		v.SetZero()
	}
	return nil
}

var errUnmarshalText = errors.New("UnmarshalText refuses the value")

// setUnmarshaler drops the error of UnmarshalText: most such errors quote the text.
func setUnmarshaler(s *setter, v reflect.Value, d *Datum, a *arena) error {
	if v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(d.text(a)) != nil {
		return fmt.Errorf("%w: %w, a %v for Go type %v", ErrType, errUnmarshalText, d.Type(), s.typ)
	}
	return nil
}

func setPointer(s *setter, v reflect.Value, d *Datum, a *arena) error {
	p := reflect.New(s.typ.Elem())
	if err := s.elem.put(p.Elem(), d, a); err != nil {
		return err
	}
	v.Set(p)
	return nil
}

func setSlice(s *setter, v reflect.Value, d *Datum, a *arena) error {
	n := 0
	for range elements(d.bytes) {
		n++
	}
	list := reflect.MakeSlice(s.typ, n, n)
	i := 0
	for e := range elements(d.bytes) {
		if err := s.elem.read(list.Index(i), d.typ.elem(), e, a); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		i++
	}
	v.Set(list)
	return nil
}

// read writes a value that is part of another one to v.
func (s *setter) read(v reflect.Value, t *Type, json Value, a *arena) error {
	start := len(a.b)
	var d Datum
	err := t.read(&d, json, a)
	if err == nil {
		err = s.put(v, &d, a)
	}
	a.b = a.b[:start] // nothing that is written refers to the arena
	return err
}

func setMap(s *setter, v reflect.Value, d *Datum, a *arena) error {
	m := reflect.MakeMap(s.typ)
	key, elem := reflect.New(s.typ.Key()).Elem(), reflect.New(s.typ.Elem()).Elem()
	n := 0
	for k, e := range entries(d.bytes) {
		if err := s.key.read(key, d.typ.key(), k, a); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		if !key.Comparable() {
			return fmt.Errorf("key: %w: a %v for Go type %v", ErrType, d.typ.key(), s.typ.Key())
		}
		if err := s.elem.read(elem, d.typ.elem(), e, a); err != nil {
			return fmt.Errorf("value: %w", err)
		}
		m.SetMapIndex(key, elem)
		if n++; m.Len() != n {
			return fmt.Errorf("key: %w", ErrDuplicate)
		}
	}
	v.Set(m)
	return nil
}

func setStruct(s *setter, v reflect.Value, d *Datum, a *arena) error {
	for i := range s.plan.moves {
		m := &s.plan.moves[i]
		if m.column < 0 {
			if err := m.put(m.field(v), &missing, a); err != nil {
				return err
			}
			continue
		}
		if err := m.member(m.field(v), d, a); err != nil {
			return err
		}
	}
	return nil
}

// member writes the member of a struct that the move is for.
func (m *move) member(v reflect.Value, d *Datum, a *arena) error {
	f := &d.typ.Fields[m.column]
	err := error(nil)
	if json, ok := Row(d.bytes).Get(f.Name); ok {
		err = m.read(v, &f.Type, json, a)
	} else {
		err = m.put(v, &Datum{typ: &f.Type}, a)
	}
	if err != nil {
		return fmt.Errorf("member %s: %w", f.Name, err)
	}
	return nil
}

// setMembers writes a struct to a map.
func setMembers(s *setter, v reflect.Value, d *Datum, a *arena) error {
	result := reflect.MakeMapWithSize(s.typ, len(s.plan.moves))
	elem := reflect.New(s.typ.Elem()).Elem()
	for i := range s.plan.moves {
		m := &s.plan.moves[i]
		if err := m.member(elem, d, a); err != nil {
			return err
		}
		name := reflect.ValueOf(d.typ.Fields[m.column].Name).Convert(s.typ.Key())
		result.SetMapIndex(name, elem)
	}
	v.Set(result)
	return nil
}
