// Package icetype holds the types of Apache Iceberg's columns, as the table
// specification spells them; which of them is right for a column of a source, [Of]; and
// what a column of a type holds of a value: [Type.Whole], [Type.Real], [Type.Decimal]
// and [Type.AppendBytes]. These refuse what a type cannot hold: nothing is rounded, cut
// or wrapped. Their errors are the causes below, without row data. All of it is safe for
// concurrent use.
package icetype

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind is a type without its parameters.
type Kind uint8

// The kinds. None is that of the zero Type.
const (
	None Kind = iota
	Boolean
	Int
	Long
	Float
	Double
	Decimal
	Date
	Time
	Timestamp
	TimestampTZ
	TimestampNS
	TimestampTZNS
	String
	UUID
	Fixed
	Binary
	List
	Map
	Struct
	Kinds // how many there are
)

var names = [Kinds]string{"none", "boolean", "int", "long", "float", "double", "decimal", "date", "time",
	"timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns", "string", "uuid", "fixed", "binary", "list", "map", "struct"}

// String returns the kind's name in the specification.
func (k Kind) String() string {
	if k < Kinds {
		return names[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Type is the type of a column. Types are equal if == says so. A pointer to the
// parts of a nested type would end that, so a Type keeps their spelling and reads it
// when it is asked for them.
type Type struct {
	Kind      Kind
	Precision int // decimals: digits in all, 1 to 38
	Scale     int // decimals: digits behind the point, 0 to Precision
	Length    int // fixed: bytes

	parts string // lists, maps and structs: what stands between the angle brackets
}

// A Field is a member of a struct.
type Field struct {
	Name string
	Type Type
}

const (
	// MaxPrecision is how many digits a decimal has at most.
	MaxPrecision = 38

	// MaxDepth is how deep types are nested at most, which is what Firehose takes.
	MaxDepth = 16
)

// Of the specification's rules for types, what Parse reports.
var (
	ErrName      = errors.New("no such type")
	ErrParameter = errors.New("wrong parameter")
	ErrDepth     = errors.New("nested too deeply")
	ErrField     = errors.New("a struct's field is name:type, each name once")
)

// Parse returns the type with a spelling: that of the table specification, such as
// long, decimal(9,2), fixed[16], list<string> or map<string,long>; of a struct
// struct<name:type,…>. There may be spaces around the parameters.
func Parse(spelling string) (Type, error) {
	t, err := parse(spelling, 1)
	if err != nil {
		return Type{}, fmt.Errorf("%w: %q", err, spelling)
	}
	return t, nil
}

func parse(s string, depth int) (Type, error) {
	s = strings.TrimSpace(s)
	end := strings.IndexAny(s, "([<")
	if end < 0 {
		for k := Boolean; k <= Binary; k++ {
			if names[k] == s && k != Decimal && k != Fixed {
				return Type{Kind: k}, nil
			}
		}
		return Type{}, ErrName
	}
	if end == len(s)-1 {
		return Type{}, ErrName
	}
	name, opener, inner := s[:end], s[end], s[end+1:len(s)-1]
	switch closer := s[len(s)-1]; {
	case name == "decimal" && opener == '(' && closer == ')':
		return parseDecimal(inner)
	case name == "fixed" && opener == '[' && closer == ']':
		n, err := parseCount(inner, 1, math.MaxInt32)
		return Type{Kind: Fixed, Length: n}, err
	case opener == '<' && closer == '>':
		return parseNested(name, inner, depth)
	}
	return Type{}, ErrName
}

func parseDecimal(inner string) (Type, error) {
	precision, scale, _ := strings.Cut(inner, ",")
	p, err := parseCount(precision, 1, MaxPrecision)
	if err != nil {
		return Type{}, err
	}
	s, err := parseCount(scale, 0, p)
	return Type{Kind: Decimal, Precision: p, Scale: s}, err
}

func parseCount(s string, least, most int) (int, error) {
	s = strings.TrimSpace(s)
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most || strconv.Itoa(n) != s {
		return 0, ErrParameter
	}
	return n, nil
}

func parseNested(name, inner string, depth int) (Type, error) {
	if depth >= MaxDepth {
		return Type{}, ErrDepth
	}
	parts := split(inner)
	t := Type{}
	switch {
	case name == "list" && len(parts) == 1:
		t.Kind = List
	case name == "map" && len(parts) == 2:
		t.Kind = Map
	case name == "struct":
		t.Kind = Struct
	case name == "list" || name == "map":
		return Type{}, ErrParameter
	default:
		return Type{}, ErrName
	}
	seen := make(map[string]bool)
	for i, part := range parts {
		prefix := ""
		if t.Kind == Struct {
			name, typ, ok := strings.Cut(part, ":")
			name = strings.TrimSpace(name)
			if !ok || name == "" || seen[name] || strings.ContainsAny(name, reserved) {
				return Type{}, ErrField
			}
			seen[name], part, prefix = true, typ, name+":"
		}
		p, err := parse(part, depth+1)
		if err != nil {
			return Type{}, err
		}
		parts[i] = prefix + p.String()
	}
	t.parts = strings.Join(parts, ",")
	return t, nil
}

// reserved are the bytes that cannot stand in the name of a struct's field, since
// nothing escapes them.
const reserved = "<>()[],:"

// split splits the parts of a nested type at its own commas.
func split(s string) (parts []string) {
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '<', '(', '[':
			depth++
		case '>', ')', ']':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, s[start:])
}

// String returns the spelling that Parse takes.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Fixed:
		return fmt.Sprintf("fixed[%d]", t.Length)
	case List, Map, Struct:
		return t.Kind.String() + "<" + t.parts + ">"
	}
	return t.Kind.String()
}

// Elem returns the type of a list's elements or a map's values.
func (t Type) Elem() Type {
	switch t.Kind {
	case List:
		return t.part(0)
	case Map:
		return t.part(1)
	}
	return Type{}
}

// Key returns the type of a map's keys.
func (t Type) Key() Type {
	if t.Kind != Map {
		return Type{}
	}
	return t.part(0)
}

func (t Type) part(i int) Type {
	p, _ := parse(split(t.parts)[i], 1) // it was read before, or is that of a Type
	return p
}

// Fields returns the members of a struct.
func (t Type) Fields() (fields []Field) {
	if t.Kind != Struct {
		return nil
	}
	for _, part := range split(t.parts) {
		name, typ, _ := strings.Cut(part, ":")
		p, _ := parse(typ, 1)
		fields = append(fields, Field{name, p})
	}
	return fields
}
