package envelope

import "strings"

// mysqlType returns the type that the connectors for MySQL and MariaDB give a column. The
// name of its type is as in a statement: before they restart, it is the one that made
// the table, and else that of SHOW CREATE TABLE, in which all names are the usual ones.
func (c *columnTyper) mysqlType(col *tableColumn) Type {
	name, unsigned := splitUnsigned(col.typeName)
	text := false
	name, text = strings.CutSuffix(name, " BINARY") // which chooses how text is compared
	if bits, ok := integerBits[name]; ok && !text {
		switch {
		case !unsigned:
			return Type{Kind: KindInt, Bits: bits[0]}
		case bits[1] > 0:
			return Type{Kind: KindInt, Bits: bits[1]}
		case c.BigintUnsignedHandlingMode == "precise":
			return Type{Kind: KindDecimal, Form: FormUnscaled, Precision: 20}
		}
		return Type{Kind: KindUint, Bits: 64}
	}
	switch name {
	case "BIT":
		if col.length <= 1 {
			return Type{Kind: KindBool}
		}
		return Type{Kind: KindBits, Length: col.length}
	case "BOOLEAN", "BOOL":
		return Type{Kind: KindBool}
	case "FLOAT", "REAL":
		if name == "REAL" || col.scale < 0 && col.length <= 24 {
			return Type{Kind: KindFloat, Bits: 32}
		}
		return Type{Kind: KindFloat, Bits: 64}
	case "DOUBLE", "DOUBLE PRECISION", "FLOAT4", "FLOAT8":
		return Type{Kind: KindFloat, Bits: 64}
	case "DECIMAL", "DEC", "FIXED", "NUMERIC":
		return c.decimal(col)
	case "DATE":
		return c.date()
	case "TIME":
		return c.time(col.length)
	case "DATETIME":
		return c.timestamp(col.length)
	case "TIMESTAMP":
		return c.instant(col.length)
	case "ENUM", "SET":
		return Type{Kind: KindText, Allowed: unquoted(col.enumValues)}
	case "CHAR", "CHARACTER", "NCHAR", "NATIONAL CHAR", "NATIONAL CHARACTER",
		"VARCHAR", "CHARACTER VARYING", "CHAR VARYING", "NVARCHAR", "NATIONAL VARCHAR", "NCHAR VARYING", "NCHAR VARCHAR",
		"NATIONAL CHARACTER VARYING", "NATIONAL CHAR VARYING":
		t := Type{Kind: KindText}
		t.setLength(col.length)
		return t
	case "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "LONG", "LONG VARCHAR":
		return Type{Kind: KindText}
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "LONG VARBINARY":
		return c.binary()
	case "JSON":
		return Type{Kind: KindJSON}
	case "UUID":
		return Type{Kind: KindUUID}
	case "GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "GEOMCOLLECTION":
		return Type{Kind: KindGeometry}
	case "VECTOR":
		return Type{Kind: KindList, Elem: &Type{Kind: KindFloat, Bits: 32}}
	}
	return Type{}
}

// integerBits are the bits of the numbers that the connectors make of MySQL's integers,
// signed and unsigned; 0 if they have none that is large enough. INTEGER UNSIGNED is
// one of 32 bits there, as if it were signed, but that is all that does not fit.
var integerBits = map[string][2]int{
	"TINYINT":   {16, 16},
	"INT1":      {16, 16},
	"SMALLINT":  {16, 32},
	"INT2":      {16, 32},
	"MEDIUMINT": {32, 32},
	"MIDDLEINT": {32, 32},
	"INT3":      {32, 32},
	"INT":       {32, 64},
	"INTEGER":   {32, 64},
	"INT4":      {32, 64},
	"BIGINT":    {64, 0},
	"INT8":      {64, 0},
	"YEAR":      {32, 32},
}

// sqlServerType returns the type that the connector for SQL Server gives a column.
func (c *columnTyper) sqlServerType(col *tableColumn) Type {
	switch strings.TrimSuffix(strings.TrimSuffix(col.typeName, " IDENTITY"), "()") {
	case "BIT":
		return Type{Kind: KindBool}
	case "TINYINT", "SMALLINT": // the former is unsigned
		return Type{Kind: KindInt, Bits: 16}
	case "INT":
		return Type{Kind: KindInt, Bits: 32}
	case "BIGINT":
		return Type{Kind: KindInt, Bits: 64}
	case "REAL":
		return Type{Kind: KindFloat, Bits: 32}
	case "FLOAT":
		return Type{Kind: KindFloat, Bits: 64}
	case "DECIMAL", "NUMERIC", "MONEY", "SMALLMONEY":
		return c.decimal(col)
	case "DATE":
		return c.date()
	case "TIME":
		return c.time(col.scale)
	case "DATETIME", "SMALLDATETIME", "DATETIME2":
		return c.timestamp(col.scale)
	case "DATETIMEOFFSET":
		return c.instant(col.scale)
	case "CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "SYSNAME":
		t := Type{Kind: KindText}
		t.setLength(col.length)
		return t
	case "TEXT", "NTEXT", "XML":
		return Type{Kind: KindText}
	case "UNIQUEIDENTIFIER":
		return Type{Kind: KindUUID}
	case "BINARY", "VARBINARY", "IMAGE", "TIMESTAMP", "ROWVERSION": // the last two are one, and no time
		return c.binary()
	}
	return Type{}
}

// decimal returns the type of a decimal column. Without a scale it is 0.
func (c *columnTyper) decimal(col *tableColumn) Type {
	t := Type{Kind: KindDecimal, Precision: max(col.length, 0), Scale: max(col.scale, 0)}
	switch c.DecimalHandlingMode {
	case "double":
		return Type{Kind: KindFloat, Bits: 64}
	case "precise":
		t.Form = FormUnscaled
	}
	return t
}

// binary returns the type of bytes.
func (c *columnTyper) binary() Type {
	switch c.BinaryHandlingMode {
	case "base64-url-safe":
		return Type{Kind: KindBytes, Form: FormBase64URL}
	case "hex":
		return Type{Kind: KindBytes, Form: FormHex}
	}
	return Type{Kind: KindBytes}
}

// date returns the type of a date.
func (c *columnTyper) date() Type {
	switch c.TimePrecisionMode {
	case "isostring":
		return Type{Kind: KindDate}
	case "structured":
		return Type{Kind: KindDate, Form: FormParts}
	}
	return Type{Kind: KindDate, Form: FormDays}
}

// time returns the type of a time of day with so many digits of the second's fraction.
func (c *columnTyper) time(digits int) Type {
	t := c.timestamp(digits)
	t.Kind = KindTime
	if c.TimePrecisionMode == "adaptive_time_microseconds" {
		t.Form = FormMicros
	}
	return t
}

// timestamp returns the type of a timestamp without a zone. Less than no digits are an
// unknown number.
func (c *columnTyper) timestamp(digits int) Type {
	t := Type{Kind: KindTimestamp, Precision: max(digits, 0)}
	switch c.TimePrecisionMode {
	case "connect":
		t.Form = FormMillis
	case "microseconds":
		t.Form = FormMicros
	case "nanoseconds":
		t.Form = FormNanos
	case "isostring":
		t.Form = FormPlain
	case "structured":
		t.Form = FormParts
	default: // the shortest that holds them
		switch {
		case digits <= 3:
			t.Form = FormMillis
		case digits <= 6:
			t.Form = FormMicros
		default:
			t.Form = FormNanos
		}
	}
	return t
}

// instant returns the type of a timestamp with a zone.
func (c *columnTyper) instant(digits int) Type {
	t := Type{Kind: KindInstant, Precision: max(digits, 0)}
	if c.TimePrecisionMode == "structured" {
		t.Form = FormParts
	}
	return t
}

// unquoted returns the members of an enum, which are literals of SQL, as the connector
// spells them: it knows two ways to write a quote, and leaves other backslashes alone.
func unquoted(literals []string) []string {
	var members []string
	for _, s := range literals {
		if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
			s = s[1 : len(s)-1]
		}
		members = append(members, strings.NewReplacer(`\'`, `'`, `''`, `'`).Replace(s))
	}
	return members
}
