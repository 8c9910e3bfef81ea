package icetype

import (
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// Of returns the type that a column of type t has by default. It takes every value
// of the column but those that Iceberg has nothing for: infinite dates and
// timestamps, 24:00, fractions below a microsecond, decimals beyond their declared
// precision. Where there is no such type, it is string:
//
//	bool                    boolean
//	int, uint               int, long or, for 64 bits unsigned, decimal(20,0)
//	float                   float, double
//	decimal                 decimal(P,S) if P is known and up to 38, and S from 0 to P
//	date, time              date, time
//	timestamp, instant      timestamp, timestamptz
//	uuid                    uuid
//	bytes, geometry         binary (a geometry's WKB)
//	all others              string
//
// So a duration is a string: Iceberg has no type for it, and a bare number of some
// unit tells a reader less. Lists, maps and structs are strings of JSON; see
// [Nested].
func Of(t *envelope.Type) Type { return of(t, false, 1) }

// Nested is Of, but that lists, maps and structs are such. Where Iceberg has no name
// for a struct's field, or it would be nested too deeply, it is a string all the same.
func Nested(t *envelope.Type) Type { return of(t, true, 1) }

func of(t *envelope.Type, nested bool, depth int) Type {
	switch t.Kind {
	case envelope.KindBool:
		return Type{Kind: Boolean}
	case envelope.KindInt:
		if t.Bits != 0 && t.Bits <= 32 {
			return Type{Kind: Int}
		}
		return Type{Kind: Long}
	case envelope.KindUint:
		switch {
		case t.Bits != 0 && t.Bits < 32:
			return Type{Kind: Int}
		case t.Bits != 0 && t.Bits < 64:
			return Type{Kind: Long}
		}
		return Type{Kind: Decimal, Precision: 20}
	case envelope.KindFloat:
		if t.Bits != 0 && t.Bits <= 32 {
			return Type{Kind: Float}
		}
		return Type{Kind: Double}
	case envelope.KindDecimal:
		if t.Precision >= 1 && t.Precision <= MaxPrecision && t.Scale >= 0 && t.Scale <= t.Precision {
			return Type{Kind: Decimal, Precision: t.Precision, Scale: t.Scale}
		}
	case envelope.KindBytes, envelope.KindGeometry:
		return Type{Kind: Binary}
	case envelope.KindUUID:
		return Type{Kind: UUID}
	case envelope.KindDate:
		return Type{Kind: Date}
	case envelope.KindTime:
		return Type{Kind: Time}
	case envelope.KindTimestamp:
		return Type{Kind: Timestamp}
	case envelope.KindInstant:
		return Type{Kind: TimestampTZ}
	case envelope.KindList, envelope.KindMap, envelope.KindStruct:
		if nested && depth < MaxDepth {
			return ofNested(t, depth+1)
		}
	}
	return Type{Kind: String}
}

func ofNested(t *envelope.Type, depth int) Type {
	part := func(t *envelope.Type) string {
		if t == nil {
			return String.String() // of an element of which nothing is known, or of a map's key
		}
		return of(t, true, depth).String()
	}
	switch t.Kind {
	case envelope.KindList:
		return Type{Kind: List, parts: part(t.Elem)}
	case envelope.KindMap:
		return Type{Kind: Map, parts: part(t.Key) + "," + part(t.Elem)}
	}
	fields := make([]string, 0, len(t.Fields))
	seen := make(map[string]bool)
	for i := range t.Fields {
		name := t.Fields[i].Name
		if name == "" || seen[name] || name != strings.TrimSpace(name) || strings.ContainsAny(name, reserved) {
			return Type{Kind: String}
		}
		seen[name] = true
		fields = append(fields, name+":"+part(&t.Fields[i].Type))
	}
	if len(fields) == 0 {
		return Type{Kind: String}
	}
	return Type{Kind: Struct, parts: strings.Join(fields, ",")}
}
