package iceberg

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
)

// Causes of a SchemaError where a table and a delta do not agree.
var (
	ErrDropped      = errors.New("the source no longer has the column")
	ErrIncompatible = errors.New("the table's column has another type")
	ErrKey          = errors.New("the key cannot become another one")
)

// A Policy says what becomes of columns on which a table and a delta do not agree,
// where values would be lost. Its zero value loses none.
type Policy struct {
	Dropped      Dropped
	Incompatible Incompatible
}

// Dropped says what becomes of a column that the source no longer has.
type Dropped uint8

// What becomes of it.
const (
	DroppedKeep   Dropped = iota // it stays, and is null in rows that are written from now on
	DroppedFail                  // a SchemaError
	DroppedDelete                // it goes; the table's older snapshots still have it
)

// Incompatible says what becomes of a column whose new type does not hold the values of
// the old one.
type Incompatible uint8

// What becomes of it.
const (
	// IncompatibleFail makes it a SchemaError.
	IncompatibleFail Incompatible = iota

	// IncompatibleRename keeps the old column under the name with _1, _2 and so on
	// behind it, and adds a column of the new type, which is null in the rows that the
	// table has. A column of such a name counts as kept, not as dropped.
	IncompatibleRename
)

// An Evolution is what must be done to a table before a delta can be written to it.
type Evolution struct {
	Rename []Renaming // first
	Delete []string
	Relax  []string // columns that are no longer required
	Widen  []Column // to the types here
	Add    []Column // behind the others; never required
	Key    []string // the new key, if NewKey says so; empty if its columns may be null
	NewKey bool

	// Rewrite says that a column of the key gets another type. Data files in which it has
	// the old one must be rewritten with it: not every reader finds the rows in them that
	// an equality delete with the new type means.
	Rewrite bool
}

// A Renaming is a column's new name.
type Renaming struct{ From, To string }

// IsZero reports whether there is nothing to do.
func (e *Evolution) IsZero() bool {
	return len(e.Rename)+len(e.Delete)+len(e.Relax)+len(e.Widen)+len(e.Add) == 0 && !e.NewKey
}

// Evolve returns how a table's columns become such that they hold the rows of a delta.
// Columns whose Type is none of this package's, and of which the delta has nothing,
// stay as they are. Errors are of type [*SchemaError], joined if there are several.
func (p Policy) Evolve(table envelope.Table, has, wants *Schema) (*Evolution, error) {
	e := new(Evolution)
	var wrong []error
	refuse := func(column string, err error) { wrong = append(wrong, &SchemaError{table, column, err}) }
	for _, w := range wants.Columns {
		i := has.Index(w.Name)
		if i < 0 {
			if slices.Contains(wants.Key, w.Name) {
				refuse(w.Name, fmt.Errorf("%w: the rows that the table has lack the column", ErrKey))
			}
			w.Required = false
			e.Add = append(e.Add, w)
			continue
		}
		h := has.Columns[i]
		inKey := slices.Contains(wants.Key, w.Name) || slices.Contains(has.Key, w.Name)
		switch {
		case h.Type == w.Type || widens(w.Type, h.Type):
		case widens(h.Type, w.Type):
			e.Widen = append(e.Widen, w)
			e.Rewrite = e.Rewrite || inKey
		case p.Incompatible == IncompatibleRename && !inKey:
			e.Rename = append(e.Rename, Renaming{h.Name, free(h.Name, has, wants)})
			if h.Required {
				e.Relax = append(e.Relax, e.Rename[len(e.Rename)-1].To)
			}
			w.Required = false
			e.Add = append(e.Add, w)
			continue
		default:
			refuse(w.Name, fmt.Errorf("%w: %v, and %v is wanted", ErrIncompatible, h.Type, w.Type))
		}
		if h.Required && !w.Required {
			e.Relax = append(e.Relax, h.Name)
		}
	}
	for _, h := range has.Columns {
		if wants.Index(h.Name) >= 0 {
			continue
		}
		// What was renamed here is no column that the source has dropped.
		stays := h.Type.Kind == icetype.None || p.Incompatible == IncompatibleRename && wants.hasRenamed(h.Name)
		switch inKey := slices.Contains(has.Key, h.Name); {
		case inKey:
			refuse(h.Name, fmt.Errorf("%w: %w", ErrKey, ErrDropped))
		case p.Dropped == DroppedFail && !stays:
			refuse(h.Name, ErrDropped)
		case p.Dropped == DroppedDelete && !stays:
			e.Delete = append(e.Delete, h.Name)
		case h.Required:
			e.Relax = append(e.Relax, h.Name)
		}
	}
	if key := identifier(has, wants); !sameNames(has.Key, key) {
		e.Key, e.NewKey = key, true
	}
	return e, errors.Join(wrong...)
}

// identifier returns the wanted key if it can be the table's identifier fields, of which
// none is ever null: a column that may be null once is never required again.
func identifier(has, wants *Schema) []string {
	for _, name := range wants.Key {
		i, j := has.Index(name), wants.Index(name)
		if i < 0 || j < 0 || !has.Columns[i].Required || !wants.Columns[j].Required {
			return nil
		}
	}
	return wants.Key
}

// hasRenamed reports whether a name is one that a column of the schema was given when
// its type changed.
func (s *Schema) hasRenamed(name string) bool {
	i := strings.LastIndexByte(name, '_')
	if i < 0 || s.Index(name[:i]) < 0 {
		return false
	}
	n, err := strconv.Atoi(name[i+1:])
	return err == nil && n > 0
}

// widens reports whether a column becomes one of the other type by Iceberg's rules for
// promotions.
func widens(from, to icetype.Type) bool {
	switch from.Kind {
	case icetype.Int:
		return to.Kind == icetype.Long
	case icetype.Float:
		return to.Kind == icetype.Double
	case icetype.Decimal:
		return to.Kind == icetype.Decimal && to.Scale == from.Scale && to.Precision > from.Precision
	}
	return false
}

// free returns a name that no column has.
func free(name string, schemas ...*Schema) string {
	for n := 1; ; n++ {
		candidate := fmt.Sprintf("%s_%d", name, n)
		if !slices.ContainsFunc(schemas, func(s *Schema) bool { return s.Index(candidate) >= 0 }) {
			return candidate
		}
	}
}

func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, name := range a {
		if !slices.Contains(b, name) {
			return false
		}
	}
	return true
}
