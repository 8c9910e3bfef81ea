package iceberg

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
)

// A Schema is the columns of an Iceberg table, as a Builder wants them.
type Schema struct {
	Columns []Column
	Key     []string // the columns that identify a row; none is a float
}

// A Column is a column of an Iceberg table.
type Column struct {
	Name     string
	Type     icetype.Type
	Required bool // never null
}

// Equal reports whether the schemas are the same, the order of their columns included.
func (s *Schema) Equal(other *Schema) bool {
	return slices.Equal(s.Columns, other.Columns) && slices.Equal(s.Key, other.Key)
}

// Index returns the number of the named column, or -1 if there is none.
func (s *Schema) Index(name string) int {
	return slices.IndexFunc(s.Columns, func(c Column) bool { return c.Name == name })
}

// A Mapping is how the columns of a source become columns of an Iceberg table. Its
// zero value takes the type that holds most of a column's values: unsigned integers
// of 64 bits are decimal(20,0), decimals decimal(P,S) as far as Iceberg has it, bytes
// and geometries binary, and what has no counterpart is string: decimals of unknown
// precision or of more than 38 digits, text, JSON, bits, times with a zone, intervals,
// durations, lists, maps, structs (these as JSON), and columns of which nothing is
// known.
type Mapping struct {
	// Types are the types of columns where they differ from that, by the column's name
	// in the source, as the table specification spells them: long, decimal(9,2).
	Types map[string]string

	// Key are the names, in the source, of the columns that identify a row. Nil means
	// those that the source's schema tells, or else those of the transport's key.
	Key []string

	// KeepCase leaves names as they are. Otherwise they are in lower case, since S3
	// Tables has no others.
	KeepCase bool

	// Misfit says what becomes of a value that the column's type cannot hold: an
	// infinite date, a decimal of too many digits, a fraction of a microsecond. A column
	// of type string takes every value.
	Misfit Misfit
}

// Misfit says what becomes of a value that its column's type cannot hold.
type Misfit uint8

// What becomes of it.
const (
	MisfitFail Misfit = iota // the change fails, with a [*MisfitError]
	MisfitNull               // the column is null, if it may be
)

// Causes of a SchemaError.
var (
	ErrNoKey    = errors.New("no column of the key")
	ErrFloatKey = errors.New("a float in the key: equality of floats does not tell rows apart")
	ErrName     = errors.New("two columns have one name")
	ErrType     = errors.New("the column cannot be of the type")
)

// A SchemaError says why no rows of a table can be written.
type SchemaError struct {
	Table  envelope.Table
	Column string // as the source calls it, if it is one column's fault
	Err    error  // wraps one of the causes above
}

// Error names the table, the column and the cause.
func (e *SchemaError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("iceberg: table %s: %v", e.Table, e.Err)
	}
	return fmt.Sprintf("iceberg: table %s, column %q: %v", e.Table, e.Column, e.Err)
}

// Unwrap returns the cause.
func (e *SchemaError) Unwrap() error { return e.Err }

// A mapped schema is a Schema whose columns are in the order of a source's fields.
type mapped struct {
	Schema
	source *envelope.Schema
	key    []int // numbers of columns
}

// SchemaOf returns the schema of the Iceberg table for rows of a source. key are the
// names of the key's columns in the source, unless the mapping tells. Errors are of
// type [*SchemaError], joined if there are several.
func (m *Mapping) SchemaOf(table envelope.Table, source *envelope.Schema, key ...string) (*Schema, error) {
	s, err := m.of(table, source, key)
	if err != nil {
		return nil, err
	}
	return &s.Schema, nil
}

func (m *Mapping) of(table envelope.Table, source *envelope.Schema, key []string) (*mapped, error) {
	s := &mapped{source: source}
	var wrong []error
	refuse := func(column string, err error) { wrong = append(wrong, &SchemaError{table, column, err}) }
	for i := range source.Fields {
		f := &source.Fields[i]
		t, err := m.column(f)
		if err != nil {
			refuse(f.Name, err)
		}
		c := Column{Name: m.name(f.Name), Type: t, Required: !f.Optional}
		if s.Index(c.Name) >= 0 {
			refuse(f.Name, fmt.Errorf("%w: %q", ErrName, c.Name))
		}
		s.Columns = append(s.Columns, c)
	}
	switch {
	case m.Key != nil:
		key = m.Key
	case source.Key != nil:
		key = source.Key
	}
	for _, name := range key {
		switch i := source.Index(name); {
		case i < 0:
			refuse(name, ErrNoKey)
		case s.Columns[i].Type.Kind == icetype.Float || s.Columns[i].Type.Kind == icetype.Double:
			refuse(name, ErrFloatKey)
		default:
			s.key, s.Key = append(s.key, i), append(s.Key, s.Columns[i].Name)
		}
	}
	if len(key) == 0 {
		refuse("", ErrNoKey)
	}
	return s, errors.Join(wrong...)
}

func (m *Mapping) column(f *envelope.Field) (icetype.Type, error) {
	spelling, ok := m.Types[f.Name]
	if !ok {
		return icetype.Of(&f.Type), nil
	}
	t, err := icetype.Parse(spelling)
	switch {
	case err != nil:
		return t, fmt.Errorf("%w: %w", ErrType, err)
	case t.Kind >= icetype.List || !t.Takes(f.Type.Kind):
		return t, fmt.Errorf("%w: no way from %v to %v", ErrType, &f.Type, t)
	}
	return t, nil
}

func (m *Mapping) name(column string) string {
	if m.KeepCase {
		return column
	}
	return strings.ToLower(column)
}
