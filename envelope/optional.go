package envelope

import (
	"reflect"
	"strings"
	"time"
)

// An Optional is a field of a struct that a row is decoded to, or an element of its
// lists and maps, for a column that can be without a value: it tells null, Missing
// and Unavailable apart, where a pointer has nil for null alone. The zero Optional is
// Missing.
type Optional[T any] struct {
	State State
	V     T // the value if State is Set, else zero
}

// Get returns the value and whether there is one.
func (o Optional[T]) Get() (v T, ok bool) { return o.V, o.State == Set }

// The type's fields by number, for reflection.
const (
	optionalState = iota
	optionalValue
)

// isOptional goes by the name: a method would be there too in a struct that embeds an
// Optional.
func isOptional(t reflect.Type) bool {
	return strings.HasPrefix(t.Name(), "Optional[") && t.PkgPath() == ownPath
}

var ownPath = reflect.TypeFor[Moment]().PkgPath()

// A Moment is a date, a timestamp or an instant as [Datum.Time] has it, or what
// PostgreSQL calls infinity and -infinity, which a time.Time cannot be.
type Moment struct {
	Time     time.Time // zero if infinite
	Infinity Infinity  // 0, 1 or -1
}
