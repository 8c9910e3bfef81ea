package envelope

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
	"github.com/rowdelta/rowdelta/internal/uuid"
)

// A plan is how columns, or the members of a struct, go into a struct of Go.
type plan struct {
	moves []move
	err   *DecodeError // why there is none
}

// A move is one column's way into a field.
type move struct {
	setter
	column int   // by its number; -1 if there is none, which an Optional allows
	index  int   // of the field
	inner  []int // of the field in embedded structs
}

// field returns the field in a struct.
func (m *move) field(v reflect.Value) reflect.Value {
	v = v.Field(m.index)
	for _, i := range m.inner {
		v = v.Field(i)
	}
	return v
}

// A setter writes the values of a type to those of a type of Go.
type setter struct {
	set       func(s *setter, v reflect.Value, d *Datum, a *arena) error // a value that is Set
	typ       reflect.Type
	wrap      wrap
	elem, key *setter // of pointers, Optionals, slices and maps
	plan      *plan   // of structs
}

// wrap says what a setter does with a Datum that is not Set.
type wrap uint8

const (
	bare     wrap = iota // refuse it
	pointer              // nil for null
	optional             // keep its state
	dynamic              // as Datum.Any
)

// newPlan makes the plan for a type of struct. The fields of a struct come before
// those of the structs embedded in it, which they hide.
func newPlan(fields []Field, t reflect.Type) *plan {
	type level struct {
		t  reflect.Type
		at []int // the indexes that lead to it
	}
	c := compiler{fields: fields, depths: map[int]int{}}
	p := new(plan)
	for queue := []level{{t: t}}; len(queue) > 0; queue = queue[1:] {
		l := queue[0]
		for i := range l.t.NumField() {
			f := l.t.Field(i)
			name, tagged := fieldName(f)
			switch {
			case tagged && name == "":
			case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && !isLeaf(f.Type):
				queue = append(queue, level{f.Type, append(l.at[:len(l.at):len(l.at)], i)})
			case f.IsExported():
				if p.err = c.addField(p, f, name, tagged, l.at); p.err != nil {
					return p
				}
			}
		}
	}
	return p
}

type compiler struct {
	fields []Field
	depths map[int]int // of the field that a column goes to, for those that have one
}

func (c *compiler) addField(p *plan, f reflect.StructField, name string, tagged bool, at []int) *DecodeError {
	fault := func(err error) *DecodeError {
		return &DecodeError{Path: jsonscan.Pointer(name), Err: err}
	}
	column, matches := c.find(name, !tagged)
	if matches > 1 {
		return fault(fmt.Errorf("%w: columns that differ in case only, for field %s", ErrDuplicate, f.Name))
	}
	m := move{column: column, index: f.Index[0]}
	if len(at) > 0 {
		m.index, m.inner = at[0], append(at[1:len(at):len(at)], f.Index[0])
	}
	if column < 0 {
		if !isOptional(f.Type) {
			return fault(fmt.Errorf("%w: no column for field %s", ErrMissing, f.Name))
		}
		m.setter = setter{typ: f.Type, wrap: optional}
		p.moves = append(p.moves, m)
		return nil
	}
	name = c.fields[column].Name
	if depth, ok := c.depths[column]; ok {
		if depth < len(at) {
			return nil
		}
		return fault(fmt.Errorf("%w: a second field for the column, %s", ErrDuplicate, f.Name))
	}
	s, err := newSetter(&c.fields[column].Type, f.Type)
	if err != nil {
		return fault(err)
	}
	m.setter = *s
	c.depths[column] = len(at)
	p.moves = append(p.moves, m)
	return nil
}

// find returns the number of the column of a name, -1 if there is none, and how many
// there are if it is found in other case only.
func (c *compiler) find(name string, fold bool) (column, matches int) {
	for i := range c.fields {
		if c.fields[i].Name == name {
			return i, 1
		}
	}
	column = -1
	for i := range c.fields {
		if fold && strings.EqualFold(c.fields[i].Name, name) {
			column = i
			matches++
		}
	}
	return column, matches
}

// fieldName returns the name of a field and whether it is from a tag; a tag that
// leaves the field out gives none.
func fieldName(f reflect.StructField) (name string, tagged bool) {
	if name, ok := f.Tag.Lookup("row"); ok && name != "" { // to its end: names of columns have commas
		if name == "-" {
			return "", true
		}
		return name, true
	}
	tag := f.Tag.Get("json")
	if tag == "-" {
		return "", true
	}
	if name, _, _ := strings.Cut(tag, ","); name != "" {
		return name, true
	}
	return f.Name, false
}

// leaves are the structs that hold one value.
var leaves = map[reflect.Type]func(t *Type) setFunc{
	reflect.TypeFor[time.Time]():     setterOf(setTime, KindDate, KindTimestamp, KindInstant),
	reflect.TypeFor[Moment]():        setterOf(setMoment, KindDate, KindTimestamp, KindInstant),
	reflect.TypeFor[time.Duration](): setterOf(setDuration, KindTime, KindTimeTZ, KindDuration),
	reflect.TypeFor[Interval]():      setterOf(setInterval, KindInterval, KindDuration),
	reflect.TypeFor[Geometry]():      setterOf(setGeometry, KindGeometry),
	reflect.TypeFor[Decimal]():       setterOf(setDecimal, KindDecimal, KindInt, KindUint),
	reflect.TypeFor[big.Rat]():       setterOf(setRat, KindDecimal, KindInt, KindUint),
	reflect.TypeFor[big.Int]():       wholes(setBigInt),
	reflect.TypeFor[json.Number]():   setterOf(setNumber, KindDecimal, KindInt, KindUint, KindFloat),
	reflect.TypeFor[Value]():         setterOf(setJSON, KindJSON, KindUnknown, KindList, KindMap, KindStruct),
	reflect.TypeFor[json.RawMessage](): setterOf(setJSON,
		KindJSON, KindUnknown, KindList, KindMap, KindStruct),
}

type setFunc = func(s *setter, v reflect.Value, d *Datum, a *arena) error

// setterOf returns a function that gives f for columns of the kinds, otherwise nil.
func setterOf(f setFunc, some ...Kind) func(*Type) setFunc {
	var takes [kinds]bool
	for _, k := range some {
		takes[k] = true
	}
	return func(t *Type) setFunc {
		if t.Kind < kinds && takes[t.Kind] {
			return f
		}
		return nil
	}
}

// wholes is setterOf for columns of integers, and of decimals that can be ones.
func wholes(f setFunc) func(*Type) setFunc {
	return func(t *Type) setFunc {
		if t.Kind == KindInt || t.Kind == KindUint || t.Kind == KindDecimal && t.Scale <= 0 {
			return f
		}
		return nil
	}
}

var (
	setsBool   = setterOf(setBool, KindBool)
	setsInt    = wholes(setInt)
	setsUint   = wholes(setUint)
	setsFloat  = setterOf(setFloat, KindFloat)
	setsBytes  = setterOf(setBytes, KindBytes, KindText, KindUUID, KindJSON)
	setsString = setterOf(setString, KindText, KindUUID, KindJSON, KindBits, KindDecimal,
		KindDate, KindTime, KindTimeTZ, KindTimestamp, KindInstant, KindDuration, KindInterval)
	unmarshalsText = setterOf(setUnmarshaler, KindText, KindUUID, KindJSON, KindBits, KindDecimal,
		KindDate, KindTime, KindTimeTZ, KindTimestamp, KindInstant, KindDuration, KindInterval)
	unmarshalsBare  = setterOf(setUnmarshaler, KindBool, KindInt, KindUint, KindFloat)
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isLeaf reports whether a struct is one value, not some fields.
func isLeaf(g reflect.Type) bool {
	return leaves[g] != nil || isOptional(g) || reflect.PointerTo(g).Implements(unmarshalerType)
}

// newSetter returns the setter of a column's type for a type of Go.
func newSetter(t *Type, g reflect.Type) (s *setter, err error) {
	s = &setter{typ: g}
	switch leaf := leaves[g]; {
	case leaf != nil:
		s.set = leaf(t)
	case isOptional(g):
		s.wrap = optional
		s.elem, err = newSetter(t, g.Field(optionalValue).Type)
		return s, err
	case g.Kind() == reflect.Pointer && g.Elem().Kind() != reflect.Pointer:
		s.wrap, s.set = pointer, setPointer
		s.elem, err = newSetter(t, g.Elem())
		return s, err
	case g.Kind() == reflect.Interface && g.NumMethod() == 0:
		s.wrap, s.set = dynamic, setAny
	case reflect.PointerTo(g).Implements(unmarshalerType):
		if s.set = unmarshalsText(t); s.set != nil {
			break
		}
		if err = s.byKind(t); s.set == nil && err == nil {
			s.set = unmarshalsBare(t)
		}
	default:
		err = s.byKind(t)
	}
	if s.set == nil && err == nil {
		err = fmt.Errorf("%w: %v for Go type %v", ErrType, t, g)
	}
	return s, err
}

// byKind sets what writes a column to a type of the kind that the setter's is of, if
// there is such a thing.
func (s *setter) byKind(t *Type) (err error) {
	g := s.typ
	switch g.Kind() {
	case reflect.Bool:
		s.set = setsBool(t)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.set = setsInt(t)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		s.set = setsUint(t)
	case reflect.Float64:
		s.set = setsFloat(t)
	case reflect.Float32:
		if t.Bits == 32 {
			s.set = setsFloat(t)
		}
	case reflect.String:
		s.set = setsString(t)
	case reflect.Array:
		switch {
		case g.Elem().Kind() != reflect.Uint8:
		case t.Kind == KindUUID && g.Len() == uuid.Size:
			s.set = setUUID
		case t.Kind == KindBytes:
			s.set = setArray
		}
	case reflect.Slice:
		if t.Kind == KindList {
			s.set = setSlice
			s.elem, err = newSetter(t.elem(), g.Elem())
		} else if g.Elem().Kind() == reflect.Uint8 {
			s.set = setsBytes(t)
		}
	case reflect.Map:
		err = s.mapOf(t)
	case reflect.Struct:
		if t.Kind == KindStruct {
			s.set = setStruct
			if s.plan = newPlan(t.Fields, g); s.plan.err != nil {
				err = fmt.Errorf("member %s: %w", strings.TrimPrefix(s.plan.err.Path, "/"), s.plan.err.Err)
			}
		}
	}
	return err
}

// mapOf is byKind for maps.
func (s *setter) mapOf(t *Type) (err error) {
	switch t.Kind {
	case KindMap:
		s.set = setMap
		if s.key, err = newSetter(t.key(), s.typ.Key()); err != nil {
			return err
		}
		s.elem, err = newSetter(t.elem(), s.typ.Elem())
	case KindStruct:
		if s.typ.Key().Kind() != reflect.String {
			return nil
		}
		s.set, s.plan = setMembers, new(plan)
		for i := range t.Fields {
			m, err := newSetter(&t.Fields[i].Type, s.typ.Elem())
			if err != nil {
				return fmt.Errorf("member %s: %w", t.Fields[i].Name, err)
			}
			s.plan.moves = append(s.plan.moves, move{setter: *m, column: i})
		}
	}
	return err
}
