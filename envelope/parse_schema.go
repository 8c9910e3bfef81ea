package envelope

import (
	"fmt"
	"strings"
)

// Limits of [ParseSchema], beyond which it returns [ErrLimit].
const (
	MaxSchemaDepth = 32      // lists, maps and structs inside one another, the row included
	MaxSchemaTypes = 1 << 16 // columns, members, elements, keys and what is allowed of enums, all together
)

var errTooMany = fmt.Errorf("%w: more than %d types", ErrLimit, MaxSchemaTypes)

// ParseSchema reads the schema of rows from that of Kafka Connect's JSON converter,
// which is the member schema of a record with schemas.enable=true: of a row or a key,
// or of an envelope or a CloudEvent's data, whose row it takes. Types that are named
// are those of Kafka Connect and Debezium 1.9 to 3.7; one with a name that is unknown
// is what its values are written as.
//
// With the connector's column.propagate.source.type or datatype.propagate.source.type
// it finds out what the converter does not say otherwise: that a number of 64 bits is
// unsigned, that a string is a decimal, how long a string can be.
//
// The schema does not tell the primary key. It shares no memory with b. Errors are of
// type [*DecodeError], over ErrSyntax, ErrMissing, ErrType, ErrDuplicate or ErrLimit.
func ParseSchema(b []byte) (*Schema, error) {
	n, err := document(b)
	if err != nil {
		return nil, err
	}
	if n, err = rowOf(n); err != nil {
		return nil, err
	}
	var p schemaParser
	row, _, err := p.read(n)
	if err != nil {
		return nil, err
	}
	return &Schema{Name: row.Name, Fields: row.Fields}, nil
}

// The members of a schema, in a place each.
const (
	schemaType = iota
	schemaOptional
	schemaName
	schemaParameters
	schemaField
	schemaFields
	schemaItems
	schemaKeys
	schemaValues
	schemaMembers
)

var schemaMemberNames = []string{"type", "optional", "name", "parameters", "field", "fields", "items", "keys", "values"}

// rowOf returns the schema of the row: that of the image after the change, or before
// it, if n is the schema of an envelope or a CloudEvent's data; else n. The images'
// names alone do not tell: a table can have columns of these names too, and then of
// structs that are values.
func rowOf(n *node) (*node, error) {
	var m [schemaMembers]node
	if err := n.members(m[:], schemaMemberNames); err != nil {
		return nil, err
	}
	if kind, err := m[schemaType].text(); err != nil {
		return nil, err
	} else if kind != "struct" {
		return nil, m[schemaType].fault(ErrType)
	}
	fields, err := m[schemaFields].all('[')
	if err != nil {
		return nil, err
	}
	var before, after *node
	op, source, others := false, false, 0
	for i := range fields {
		var f [schemaMembers]node
		if err := fields[i].members(f[:], schemaMemberNames); err != nil {
			return nil, err
		}
		name, _ := f[schemaField].optionalText()
		kind, _ := f[schemaType].optionalText()
		semantic, _ := f[schemaName].optionalText()
		_, value := semanticTypes[semanticType{semantic, kind}]
		image := kind == "struct" && !value
		switch {
		case name == "before" && image:
			before = &fields[i]
		case name == "after" && image:
			after = &fields[i]
		case name == "op":
			op = true
		case name == "source":
			source = true
		default:
			others++
		}
	}
	data := !op && !source && others == 0
	switch {
	case after != nil && (data || op && source):
		return after, nil
	case before != nil && (data || op && source):
		return before, nil
	}
	return n, nil
}

// A schemaParser reads one schema.
type schemaParser struct{ depth, types int }

// read returns the type that n describes, and whether it may be null.
func (p *schemaParser) read(n *node) (t Type, optional bool, err error) {
	if p.depth++; p.depth > MaxSchemaDepth {
		return t, false, n.fault(fmt.Errorf("%w: more than %d levels", ErrLimit, MaxSchemaDepth))
	}
	defer func() { p.depth-- }()
	if p.types++; p.types > MaxSchemaTypes {
		return t, false, n.fault(errTooMany)
	}
	m := make([]node, schemaMembers) // the nodes below point to them
	if err = n.members(m, schemaMemberNames); err != nil {
		return t, false, err
	}
	if optional, err = m[schemaOptional].boolean(false); err != nil {
		return t, false, err
	}
	literal, err := m[schemaType].text()
	if err != nil {
		return t, false, err
	}
	name, err := m[schemaName].optionalText()
	if err != nil {
		return t, false, err
	}
	known := false
	if t, known = semanticTypes[semanticType{name, literal}]; !known {
		if t, err = p.literal(literal, m); err != nil {
			return t, false, err
		}
	}
	t.Name = name
	if m[schemaParameters].value != nil {
		err = p.parameters(&t, &m[schemaParameters])
	} else if t.Form == FormUnscaled {
		err = m[schemaParameters].fault(ErrMissing)
	}
	return t, optional, err
}

// literalTypes are the types that Kafka Connect's schemas are made of, but for those
// that have parts.
var literalTypes = map[string]Type{
	"int8":    {Kind: KindInt, Bits: 8},
	"int16":   {Kind: KindInt, Bits: 16},
	"int32":   {Kind: KindInt, Bits: 32},
	"int64":   {Kind: KindInt, Bits: 64},
	"float":   {Kind: KindFloat, Bits: 32},
	"double":  {Kind: KindFloat, Bits: 64},
	"boolean": {Kind: KindBool},
	"string":  {Kind: KindText},
	"bytes":   {Kind: KindBytes},
}

// literal returns the type of values that are no more than how they are written.
func (p *schemaParser) literal(literal string, m []node) (t Type, err error) {
	switch literal {
	case "array":
		t.Kind = KindList
		t.Elem, err = p.part(&m[schemaItems])
	case "map":
		t.Kind = KindMap
		if t.Key, err = p.part(&m[schemaKeys]); err == nil {
			t.Elem, err = p.part(&m[schemaValues])
		}
	case "struct":
		t.Kind = KindStruct
		t.Fields, err = p.fields(&m[schemaFields])
	default:
		known := false
		if t, known = literalTypes[literal]; !known {
			err = m[schemaType].fault(ErrType)
		}
	}
	return t, err
}

// part returns the type of elements, keys or values.
func (p *schemaParser) part(n *node) (*Type, error) {
	t, _, err := p.read(n)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// fields returns the members of a struct.
func (p *schemaParser) fields(n *node) ([]Field, error) {
	all, err := n.all('[')
	if err != nil {
		return nil, err
	}
	fields := make([]Field, 0, min(len(all), MaxSchemaTypes))
	names := make(map[string]bool, cap(fields))
	for i := range all {
		named, err := all[i].member("field")
		if err != nil {
			return nil, err
		}
		f := Field{}
		if f.Name, err = named.text(); err != nil {
			return nil, err
		}
		if names[f.Name] {
			return nil, named.fault(ErrDuplicate)
		}
		names[f.Name] = true
		if f.Type, f.Optional, err = p.read(&all[i]); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// The parameters that say more about a type, in a place each.
const (
	parameterScale = iota
	parameterPrecision
	parameterLength
	parameterAllowed
	parameterSource
	parameterSourceLength
	parameterSourceScale
	parameterMembers
)

var parameterNames = []string{
	"scale", "connect.decimal.precision", "length", "allowed",
	"__debezium.source.column.type", "__debezium.source.column.length", "__debezium.source.column.scale",
}

// parameters adds to a type what the schema's parameters say. Those of other names are
// free for all.
func (p *schemaParser) parameters(t *Type, n *node) error {
	m := make([]node, parameterMembers)
	err := n.members(m, parameterNames)
	switch {
	case err != nil:
	case t.Form == FormUnscaled:
		if err = m[parameterScale].there(); err != nil {
			return err
		}
		if t.Scale, err = m[parameterScale].integer(0); err == nil {
			t.Precision, err = m[parameterPrecision].count()
		}
	case t.Kind == KindBits:
		t.Length, err = m[parameterLength].count()
	case t.Kind == KindText && (t.Name == nameEnum || t.Name == nameEnumSet):
		err = p.allowed(t, &m[parameterAllowed])
	}
	if err != nil || m[parameterSource].value == nil {
		return err
	}
	source, err := m[parameterSource].text()
	if err != nil {
		return err
	}
	length, err := m[parameterSourceLength].integer(0)
	if err != nil {
		return err
	}
	scale, err := m[parameterSourceScale].integer(0)
	if err == nil {
		t.refine(strings.ToUpper(source), length, scale)
	}
	return err
}

// allowed adds the members of an enum or a set.
func (p *schemaParser) allowed(t *Type, n *node) error {
	list, err := n.optionalText()
	if err != nil || n.value == nil {
		return err
	}
	members, ok := splitAllowed(list, MaxSchemaTypes-p.types)
	if !ok {
		return n.fault(errTooMany)
	}
	t.Allowed = members
	p.types += len(members)
	return nil
}

// splitAllowed splits a list at its commas, into at most so many members. A comma
// behind a backslash is part of a member; backslashes are not escaped, but come in
// pairs where MySQL has one.
func splitAllowed(list string, most int) (members []string, ok bool) {
	start, backslashes := 0, 0
	for i := 0; i <= len(list); i++ {
		if i == len(list) || list[i] == ',' && backslashes%2 == 0 {
			if len(members) == most {
				return nil, false
			}
			members = append(members, strings.ReplaceAll(list[start:i], `\,`, ","))
			start = i + 1
		}
		if i < len(list) && list[i] == '\\' {
			backslashes++
		} else {
			backslashes = 0
		}
	}
	return members, true
}

// refine adds what the type of the column in the database says beyond a literal type.
// Where a name of a type is set the connector has said it all.
func (t *Type) refine(source string, length, scale int) {
	if t.Name != "" {
		return
	}
	name, unsigned := splitUnsigned(source)
	switch name {
	case "BIGINT", "INT8":
		if t.Kind == KindInt && t.Bits == 64 && unsigned {
			t.Kind = KindUint
		}
	case "DECIMAL", "NUMERIC", "DEC", "FIXED": // decimal.handling.mode=string
		if t.Kind == KindText {
			t.Kind = KindDecimal
			if length > 0 && length <= maxPrecision {
				t.Precision, t.Scale = length, scale
			}
		}
	case "CHAR", "NCHAR", "BPCHAR", "VARCHAR", "NVARCHAR":
		if t.Kind == KindText {
			t.setLength(length)
		}
	}
}

// maxPrecision is the most digits that a column can be declared with, in PostgreSQL.
// A driver says more where there is no limit.
const maxPrecision = 1000

// setLength sets the length of a text, unless it is what drivers say of the unbounded.
func (t *Type) setLength(length int) {
	if length > 0 && length < 1<<30-1 {
		t.Length = length
	}
}

// splitUnsigned splits the attributes off the name of a numeric type of MySQL's.
// ZEROFILL makes a type unsigned.
func splitUnsigned(name string) (base string, unsigned bool) {
	base, filled := strings.CutSuffix(name, " ZEROFILL")
	base, unsigned = strings.CutSuffix(base, " UNSIGNED")
	if !unsigned {
		base = strings.TrimSuffix(base, " SIGNED")
	}
	return base, unsigned || filled
}
