package envelope

import (
	"slices"
	"strings"
)

// ParseTableDef reads a table and its columns out of a control record of AWS DMS that
// has a table-def, which its task sends before a table's rows with the setting
// IncludeControlDetails. The schema has the primary key, which no other record tells.
//
// DMS sends such records of tables of its own too, named awsdms_…; the caller leaves
// them out. A column of a type that is not known has a Type of KindUnknown.
//
// Errors are of type [*DecodeError], over ErrSyntax, ErrMissing, ErrType, ErrDuplicate
// or ErrLimit.
func ParseTableDef(record []byte) (Table, *Schema, error) {
	n, err := document(record)
	if err != nil {
		return Table{}, nil, err
	}
	t, s, err := parseTableDef(n)
	if err != nil {
		return Table{}, nil, err
	}
	return t, s, nil
}

func parseTableDef(n *node) (t Table, s *Schema, err error) {
	m := make([]node, 2)
	if err = n.members(m, []string{"metadata", "control"}); err != nil {
		return t, nil, err
	}
	names := make([]node, 2)
	if err = m[0].members(names, []string{"schema-name", "table-name"}); err != nil {
		return t, nil, err
	}
	if t.Schema, err = names[0].optionalText(); err != nil {
		return t, nil, err
	}
	if t.Name, err = names[1].text(); err != nil {
		return t, nil, err
	}
	def, err := m[1].member("table-def")
	if err != nil {
		return t, nil, err
	}
	parts := make([]node, 2)
	if err = def.members(parts, []string{"columns", "primary-key"}); err != nil {
		return t, nil, err
	}
	all, err := parts[0].all('{')
	if err != nil {
		return t, nil, err
	}
	s = &Schema{Name: t.String(), Fields: make([]Field, len(all))}
	known := make(map[string]bool, len(all))
	for i := range all {
		f := &s.Fields[i]
		if f.Name = all[i].name; known[f.Name] {
			return t, nil, all[i].fault(ErrDuplicate)
		}
		known[f.Name] = true
		if err = f.dmsColumn(&all[i]); err != nil {
			return t, nil, err
		}
	}
	s.Key, err = keyOf(&parts[1], known)
	return t, s, err
}

// dmsTypes are the types of AWS DMS, between all that it reads and writes. What is not
// a number is text: timestamps without a zone, bytes in hexadecimal digits.
var dmsTypes = map[string]Type{
	"STRING":    {Kind: KindText},
	"WSTRING":   {Kind: KindText},
	"CLOB":      {Kind: KindText},
	"NCLOB":     {Kind: KindText},
	"INT1":      {Kind: KindInt, Bits: 8},
	"INT2":      {Kind: KindInt, Bits: 16},
	"INT4":      {Kind: KindInt, Bits: 32},
	"INT8":      {Kind: KindInt, Bits: 64},
	"UINT1":     {Kind: KindUint, Bits: 8},
	"UINT2":     {Kind: KindUint, Bits: 16},
	"UINT4":     {Kind: KindUint, Bits: 32},
	"UINT8":     {Kind: KindUint, Bits: 64},
	"NUMERIC":   {Kind: KindDecimal},
	"REAL4":     {Kind: KindFloat, Bits: 32},
	"REAL8":     {Kind: KindFloat, Bits: 64},
	"BOOLEAN":   {Kind: KindBool},
	"DATE":      {Kind: KindDate},
	"TIME":      {Kind: KindTime},
	"DATETIME":  {Kind: KindTimestamp},
	"TIMESTAMP": {Kind: KindTimestamp},
	"BYTES":     {Kind: KindBytes, Form: FormHex},
	"BLOB":      {Kind: KindBytes, Form: FormHex},
}

// dmsColumn sets f's type. A column of which it is not said can be null.
func (f *Field) dmsColumn(n *node) error {
	m := make([]node, 5)
	if err := n.members(m, []string{"type", "length", "precision", "scale", "nullable"}); err != nil {
		return err
	}
	name, err := m[0].text()
	if err != nil {
		return err
	}
	f.Type = dmsTypes[strings.ToUpper(name)]
	f.Type.Name = name
	length, err := m[1].count()
	if err != nil {
		return err
	}
	precision, err := m[2].count()
	if err != nil {
		return err
	}
	scale, err := m[3].integer(0)
	if err != nil {
		return err
	}
	switch {
	case f.Type.Kind == KindDecimal:
		f.Type.Precision, f.Type.Scale = precision, scale
	case slices.Contains([]string{"STRING", "WSTRING"}, strings.ToUpper(name)):
		f.Type.setLength(length)
	}
	f.Optional, err = m[4].boolean(true)
	return err
}
