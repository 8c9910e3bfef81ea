package committer

import (
	"fmt"

	ice "github.com/apache/iceberg-go"

	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
)

// typeOf returns the library's type.
func typeOf(t icetype.Type) (ice.Type, error) {
	switch t.Kind {
	case icetype.Boolean:
		return ice.PrimitiveTypes.Bool, nil
	case icetype.Int:
		return ice.PrimitiveTypes.Int32, nil
	case icetype.Long:
		return ice.PrimitiveTypes.Int64, nil
	case icetype.Float:
		return ice.PrimitiveTypes.Float32, nil
	case icetype.Double:
		return ice.PrimitiveTypes.Float64, nil
	case icetype.Decimal:
		return ice.DecimalTypeOf(t.Precision, t.Scale), nil
	case icetype.Date:
		return ice.PrimitiveTypes.Date, nil
	case icetype.Time:
		return ice.PrimitiveTypes.Time, nil
	case icetype.Timestamp:
		return ice.PrimitiveTypes.Timestamp, nil
	case icetype.TimestampTZ:
		return ice.PrimitiveTypes.TimestampTz, nil
	case icetype.TimestampNS:
		return ice.PrimitiveTypes.TimestampNs, nil
	case icetype.TimestampTZNS:
		return ice.PrimitiveTypes.TimestampTzNs, nil
	case icetype.String:
		return ice.PrimitiveTypes.String, nil
	case icetype.UUID:
		return ice.PrimitiveTypes.UUID, nil
	case icetype.Fixed:
		return ice.FixedTypeOf(t.Length), nil
	case icetype.Binary:
		return ice.PrimitiveTypes.Binary, nil
	}
	return nil, fmt.Errorf("%w: %v", iceberg.ErrType, t)
}

// schemaOf returns a table's columns. Types that deltas do not have are the zero Type.
func schemaOf(s *ice.Schema) *iceberg.Schema {
	out := new(iceberg.Schema)
	for _, f := range s.Fields() {
		t, err := icetype.Parse(f.Type.String())
		if err != nil || t.Kind >= icetype.List {
			t = icetype.Type{}
		}
		out.Columns = append(out.Columns, iceberg.Column{Name: f.Name, Type: t, Required: f.Required})
	}
	for _, id := range s.IdentifierFieldIDs {
		if name, ok := s.FindColumnName(id); ok {
			out.Key = append(out.Key, name)
		}
	}
	return out
}

// newSchema returns the schema of a new table.
func newSchema(s *iceberg.Schema) (*ice.Schema, error) {
	fields := make([]ice.NestedField, len(s.Columns))
	var key []int
	whole := true
	for i, c := range s.Columns {
		t, err := typeOf(c.Type)
		if err != nil {
			return nil, err
		}
		fields[i] = ice.NestedField{ID: i + 1, Name: c.Name, Type: t, Required: c.Required}
	}
	for _, name := range s.Key {
		i := s.Index(name)
		whole = whole && s.Columns[i].Required
		key = append(key, i+1)
	}
	if !whole {
		key = nil // identifier fields are never null
	}
	return ice.NewSchemaWithIdentifiers(0, key, fields...), nil
}

// newest returns the version of the format that has the schema's types.
func newest(s *iceberg.Schema, least int) int {
	for _, c := range s.Columns {
		if c.Type.Kind == icetype.TimestampNS || c.Type.Kind == icetype.TimestampTZNS {
			return max(least, 3)
		}
	}
	return least
}
