package envelope

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A TableChange is what a statement made of one table.
type TableChange struct {
	Table  Table   // of a renamed table its new name
	Type   string  // CREATE, ALTER or DROP
	Schema *Schema // of its rows from now on, with the primary key; nil for a table that is gone
}

// ConnectorSettings are the settings of a connector on which the form of its values
// depends, spelled as in its configuration. An empty one is the connector's default.
// Records with the schema/payload wrapper tell the form themselves; see [ParseSchema].
type ConnectorSettings struct {
	DecimalHandlingMode        string // decimal.handling.mode: precise, double or string
	TimePrecisionMode          string // time.precision.mode: adaptive, adaptive_time_microseconds, connect, isostring, microseconds, nanoseconds or structured
	BigintUnsignedHandlingMode string // bigint.unsigned.handling.mode: long or precise
	BinaryHandlingMode         string // binary.handling.mode: bytes, base64, base64-url-safe or hex
}

var settingNames = [...]string{"decimal.handling.mode", "time.precision.mode", "bigint.unsigned.handling.mode", "binary.handling.mode"}

var settingValues = [...][]string{
	{"precise", "double", "string"},
	{"adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds", "structured"},
	{"long", "precise"},
	{"bytes", "base64", "base64-url-safe", "hex"},
}

// complete fills in the defaults of a connector, MySQL's and MariaDB's or another's. The
// first of the values is it, but of times, where the former have no adaptive.
func (s ConnectorSettings) complete(binlog bool) (ConnectorSettings, error) {
	if binlog && s.TimePrecisionMode == "" {
		s.TimePrecisionMode = "adaptive_time_microseconds"
	}
	for i, setting := range [...]*string{&s.DecimalHandlingMode, &s.TimePrecisionMode, &s.BigintUnsignedHandlingMode, &s.BinaryHandlingMode} {
		*setting = cmp.Or(strings.ToLower(*setting), settingValues[i][0])
		if !slices.Contains(settingValues[i], *setting) {
			return s, fmt.Errorf("envelope: no such %s: %q", settingNames[i], *setting)
		}
	}
	return s, nil
}

// ParseTableChanges reads the tables out of a record that Debezium's connectors for
// MySQL, MariaDB and SQL Server send of each statement that changes some
// ([OpSchemaChange]), bare or in the schema/payload wrapper. It returns none for a
// statement that concerns no table.
//
// The types are those that the connector gives the columns; the members of an enum are
// spelled as the connector spells them. A column of another connector, or of a type
// that is not known, has a Type of KindUnknown with the type's name in the database.
//
// Errors are of type [*DecodeError], over ErrSyntax, ErrMissing, ErrType, ErrDuplicate
// or ErrLimit, unless the settings are wrong.
func ParseTableChanges(record []byte, settings ConnectorSettings) ([]TableChange, error) {
	n, err := document(record)
	if err != nil {
		return nil, err
	}
	if n, err = n.payload("tableChanges"); err != nil {
		return nil, err
	}
	m := make([]node, 2)
	if err := n.members(m, []string{"tableChanges", "source"}); err != nil {
		return nil, err
	}
	all, err := m[0].all('[')
	if err != nil {
		return nil, err
	}
	connector, err := m[1].member("connector")
	if err != nil {
		return nil, err
	}
	name, err := connector.text()
	if err != nil {
		return nil, err
	}
	c := columnTyper{connector: name}
	if c.ConnectorSettings, err = settings.complete(c.binlog()); err != nil {
		return nil, err
	}
	changes := make([]TableChange, len(all))
	for i := range all {
		if err := c.change(&changes[i], &all[i]); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// A columnTyper gives columns the types that a connector gives them.
type columnTyper struct {
	ConnectorSettings
	connector string
	columns   int // so far
}

func (c *columnTyper) binlog() bool { return c.connector == "mysql" || c.connector == "mariadb" }

// change reads one table's change.
func (c *columnTyper) change(to *TableChange, n *node) (err error) {
	m := make([]node, 3)
	if err = n.members(m, []string{"type", "id", "table"}); err != nil {
		return err
	}
	if to.Type, err = m[0].text(); err != nil {
		return err
	}
	id, err := m[1].text()
	if err != nil {
		return err
	}
	ok := false
	if to.Table, ok = parseTableID(id); !ok {
		return m[1].fault(ErrType)
	}
	if m[2].value == nil {
		return nil
	}
	to.Schema, err = c.table(&m[2])
	if err == nil {
		to.Schema.Name = to.Table.String()
	}
	return err
}

// parseTableID reads "db"."table" or "db"."schema"."table", quotes inside doubled. An
// early connector has the old and the new name of a renamed table there; the new one
// comes last.
func parseTableID(id string) (t Table, ok bool) {
	var parts []string
	for rest := id; ; {
		part, after, closed := quotedPart(rest)
		if !closed {
			return t, false
		}
		parts = append(parts, part)
		if len(parts) > 3 {
			return t, false
		}
		switch {
		case after == "":
			t.Name = parts[len(parts)-1]
			if len(parts) > 1 {
				t.DB = parts[0]
			}
			if len(parts) > 2 {
				t.Schema = parts[1]
			}
			return t, true
		case after[0] == ',':
			parts = parts[:0]
		case after[0] != '.':
			return t, false
		}
		rest = after[1:]
	}
}

// quotedPart reads a quoted name at the beginning of a text.
func quotedPart(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
		case i+1 < len(s) && s[i+1] == '"':
			i++
		default:
			return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:], true
		}
	}
	return "", "", false
}

// table reads a table's columns and its key.
func (c *columnTyper) table(n *node) (*Schema, error) {
	m := make([]node, 2)
	if err := n.members(m, []string{"columns", "primaryKeyColumnNames"}); err != nil {
		return nil, err
	}
	all, err := m[0].all('[')
	if err != nil {
		return nil, err
	}
	if c.columns += len(all); c.columns > MaxSchemaTypes {
		return nil, m[0].fault(errTooMany)
	}
	s := &Schema{Fields: make([]Field, len(all))}
	names := make(map[string]bool, len(all))
	for i := range all {
		if err := c.column(&s.Fields[i], &all[i], names); err != nil {
			return nil, err
		}
	}
	s.Key, err = keyOf(&m[1], names)
	return s, err
}

// keyOf reads the names of a key's columns, which must be among names; nil if there are
// none.
func keyOf(n *node, names map[string]bool) ([]string, error) {
	if n.value == nil {
		return nil, nil
	}
	key, err := n.texts()
	if err != nil || len(key) == 0 {
		return nil, err
	}
	for _, name := range key {
		if !names[name] {
			return nil, n.fault(fmt.Errorf("%w: no such column", ErrType))
		}
	}
	return key, nil
}

// A tableColumn is what a schema change says of a column.
type tableColumn struct {
	typeName   string // upper case
	length     int    // -1 if there is none
	scale      int    // -1 if there is none
	enumValues []string
}

func (c *columnTyper) column(f *Field, n *node, names map[string]bool) (err error) {
	m := make([]node, 6)
	if err = n.members(m, []string{"name", "typeName", "length", "scale", "optional", "enumValues"}); err != nil {
		return err
	}
	if f.Name, err = m[0].text(); err != nil {
		return err
	}
	if names[f.Name] {
		return m[0].fault(ErrDuplicate)
	}
	names[f.Name] = true
	name, err := m[1].text()
	if err != nil {
		return err
	}
	col := tableColumn{typeName: strings.ToUpper(name)}
	if col.length, err = m[2].integer(-1); err != nil {
		return err
	}
	if col.scale, err = m[3].integer(-1); err != nil {
		return err
	}
	if f.Optional, err = m[4].boolean(false); err != nil {
		return err
	}
	if m[5].value != nil {
		if col.enumValues, err = m[5].texts(); err != nil {
			return err
		}
		if c.columns += len(col.enumValues); c.columns > MaxSchemaTypes {
			return m[5].fault(errTooMany)
		}
	}
	switch {
	case c.binlog():
		f.Type = c.mysqlType(&col)
	case c.connector == "sqlserver":
		f.Type = c.sqlServerType(&col)
	}
	f.Type.Name = name
	return nil
}
