package envelope

import (
	"fmt"
	"math"
	"sync"
)

// A Type is what the values of a column are and how they are written. Its zero value
// is that of a column of which nothing is known. A Type must not be changed once it
// is part of a Schema that is in use.
type Type struct {
	Kind Kind
	Form Form

	// Name is the semantic type as the connector calls it, such as
	// io.debezium.time.MicroTimestamp, or the type in the database where the schema
	// comes from there. It is for messages and for telling apart what is of one kind.
	Name string

	Bits      int      // integers and floats: 8 to 64; 0 means 64
	Precision int      // decimals: digits at most, 0 if unknown. Times: digits of the second's fraction, 0 if unknown
	Scale     int      // decimals in FormUnscaled: digits behind the point; can be negative
	Length    int      // text: characters at most; bits: how many; 0 if unknown or unbounded
	Allowed   []string // text: the members of an enum or set, if known

	Key    *Type   // maps: the type of the keys; nil means text
	Elem   *Type   // lists and maps: the type of the elements
	Fields []Field // structs
}

// A Field is a column of a table, or a member of a struct.
type Field struct {
	Name     string
	Type     Type
	Optional bool // may be null
}

// A Schema is the columns of a table, in the order in which its rows have them, as
// far as that is known: rows are read in any order. It is made by hand, as a
// composite literal, or read from what came with the records: [ParseSchema],
// [ParseTableChanges], [ParseTableDef], and dsql's ParseSchema. Once in use it must
// not be changed or copied; then it may be used by several goroutines at once.
type Schema struct {
	Name   string // of the schema or the table
	Fields []Field
	Key    []string // the columns of the primary key, in its order; nil if unknown

	once  sync.Once
	index map[string]int
	plans sync.Map // of reflect.Type: *plan
}

// Index returns the number of the named field, or -1 if there is none. Of two fields
// with one name it is the first.
func (s *Schema) Index(name string) int {
	s.once.Do(func() {
		s.index = make(map[string]int, len(s.Fields))
		for i := len(s.Fields) - 1; i >= 0; i-- {
			s.index[s.Fields[i].Name] = i
		}
	})
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// String returns the type for a reader's eye, such as decimal(10,2) or
// list<timestamp>. It holds no more than the kind and its parameters.
func (t *Type) String() string {
	switch t.Kind {
	case KindInt, KindFloat:
		if t.Bits != 0 {
			return fmt.Sprintf("%v%d", t.Kind, t.Bits)
		}
	case KindDecimal:
		switch {
		case t.Precision != 0:
			return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
		case t.Form == FormUnscaled:
			return fmt.Sprintf("decimal(,%d)", t.Scale)
		}
	case KindBits:
		if t.Length > 0 && t.Length < math.MaxInt32 {
			return fmt.Sprintf("bits(%d)", t.Length)
		}
	case KindList:
		return "list<" + t.elem().String() + ">"
	case KindMap:
		return "map<" + t.key().String() + "," + t.elem().String() + ">"
	case KindStruct:
		s := "struct<"
		for i := range t.Fields {
			if i > 0 {
				s += ","
			}
			s += t.Fields[i].Name + ":" + t.Fields[i].Type.String()
		}
		return s + ">"
	}
	return t.Kind.String()
}

var (
	unknownType Type
	textType    = Type{Kind: KindText}
)

// elem returns the type of the elements.
func (t *Type) elem() *Type {
	if t.Elem == nil {
		return &unknownType
	}
	return t.Elem
}

// key returns the type of a map's keys.
func (t *Type) key() *Type {
	if t.Key == nil {
		return &textType
	}
	return t.Key
}
