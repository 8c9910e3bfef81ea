package dsql

import (
	"fmt"
	"strconv"

	"github.com/rowdelta/rowdelta/envelope"
)

// ColumnType returns the type of a column's values in DSQL's records by the column's
// type, as SQL spells it: bigint, varchar(10), timestamp with time zone. The type's
// name is PostgreSQL's own for it.
//
// A type that the CDC pages of the user guide do not list, among them arrays and
// domains, is a [*SchemaError].
func ColumnType(sqlType string) (envelope.Type, error) {
	p := newParser(sqlType)
	t := p.columnType()
	if p.token.kind != tokenEnd {
		p.fail("unknown type")
	}
	if p.err != nil {
		return envelope.Type{}, p.err
	}
	return t, nil
}

// The most that types can be declared with.
const (
	maxPrecision = 1000
	maxLength    = 10485760
	maxDigits    = 6 // of a second's fraction
)

// sqlTypes are the types without parameters, by their names in lower case.
var sqlTypes = map[string]envelope.Type{
	"smallint":  {Name: "smallint", Kind: envelope.KindInt, Bits: 16},
	"int2":      {Name: "smallint", Kind: envelope.KindInt, Bits: 16},
	"integer":   {Name: "integer", Kind: envelope.KindInt, Bits: 32},
	"int":       {Name: "integer", Kind: envelope.KindInt, Bits: 32},
	"int4":      {Name: "integer", Kind: envelope.KindInt, Bits: 32},
	"bigint":    {Name: "bigint", Kind: envelope.KindInt, Bits: 64},
	"int8":      {Name: "bigint", Kind: envelope.KindInt, Bits: 64},
	"oid":       {Name: "oid", Kind: envelope.KindUint, Bits: 32},
	"real":      {Name: "real", Kind: envelope.KindFloat, Bits: 32},
	"float4":    {Name: "real", Kind: envelope.KindFloat, Bits: 32},
	"float8":    {Name: "double precision", Kind: envelope.KindFloat, Bits: 64},
	"boolean":   {Name: "boolean", Kind: envelope.KindBool},
	"bool":      {Name: "boolean", Kind: envelope.KindBool},
	"text":      {Name: "text", Kind: envelope.KindText},
	"name":      {Name: "name", Kind: envelope.KindText, Length: maxName},
	"bytea":     {Name: "bytea", Kind: envelope.KindBytes},
	"date":      {Name: "date", Kind: envelope.KindDate, Form: envelope.FormDays},
	"uuid":      {Name: "uuid", Kind: envelope.KindUUID},
	"json":      {Name: "json", Kind: envelope.KindJSON},
	"oidvector": {Name: "oidvector", Kind: envelope.KindList, Elem: &envelope.Type{Name: "oid", Kind: envelope.KindUint, Bits: 32}},
}

// columnType reads a type.
func (p *parser) columnType() (t envelope.Type) {
	if p.take("pg_catalog") {
		p.expectMark(".")
	}
	name := p.token
	switch p.token.kind {
	case tokenName:
		if p.token.text != "char" {
			p.fail(fmt.Sprintf("unknown type %q", p.token.text))
			return t
		}
		p.advance() // "char", one byte; char without quotes is another type
		return envelope.Type{Name: `"char"`, Kind: envelope.KindText, Length: 1}
	case tokenWord:
	default:
		p.fail("a type expected")
		return t
	}
	word := p.word()
	t, known := sqlTypes[word]
	switch word {
	case "double":
		p.expect("precision")
		t = sqlTypes["float8"]
	case "float":
		t = sqlTypes["float8"]
		if bits, ok := p.parameter(1, 53); ok && bits <= 24 {
			t = sqlTypes["float4"]
		}
	case "numeric", "decimal", "dec":
		t = envelope.Type{Name: "numeric", Kind: envelope.KindDecimal}
		t.Precision, t.Scale = p.precision()
	case "varchar":
		t = p.text("character varying", 0)
	case "character", "char", "nchar":
		if p.take("varying") {
			t = p.text("character varying", 0)
		} else {
			t = p.text("character", 1)
		}
	case "bpchar":
		t = p.text("character", 0)
	case "time", "timetz":
		t = p.clock(word == "timetz", "time", envelope.KindTime, envelope.KindTimeTZ)
	case "timestamp", "timestamptz":
		t = p.clock(word == "timestamptz", "timestamp", envelope.KindTimestamp, envelope.KindInstant)
	case "interval":
		t = p.interval()
	default:
		if !known {
			p.failAt(name, fmt.Sprintf("unknown type %q", word))
			return envelope.Type{}
		}
	}
	if p.isMark("[") || p.isWord("array") {
		p.fail("arrays are no types of columns")
	}
	return t
}

// text returns a type of text with its length, or the one that it has without.
func (p *parser) text(name string, length int) envelope.Type {
	if n, ok := p.parameter(1, maxLength); ok {
		length = n
	}
	return envelope.Type{Name: name, Kind: envelope.KindText, Length: length}
}

// clock reads what stands behind time or timestamp.
func (p *parser) clock(zoned bool, name string, without, with envelope.Kind) envelope.Type {
	t := envelope.Type{Form: envelope.FormMicros}
	t.Precision, _ = p.parameter(0, maxDigits)
	if !zoned && (p.isWord("with") || p.isWord("without")) {
		zoned = p.word() == "with"
		p.expect("time")
		p.expect("zone")
	}
	t.Name, t.Kind = name+" without time zone", without
	if zoned {
		t.Name, t.Kind = name+" with time zone", with
	}
	return t
}

// interval reads what stands behind the word: its fields and its digits. The records
// have intervals as a number of microseconds, in which a month has a fixed length.
func (p *parser) interval() envelope.Type {
	t := envelope.Type{Name: "interval", Kind: envelope.KindDuration, Form: envelope.FormMicros}
	if p.intervalField() && p.take("to") && !p.intervalField() {
		p.fail("a field expected")
	}
	t.Precision, _ = p.parameter(0, maxDigits)
	return t
}

func (p *parser) intervalField() bool {
	return p.take("year") || p.take("month") || p.take("day") || p.take("hour") || p.take("minute") || p.take("second")
}

// precision reads (p) or (p, s), if one is next.
func (p *parser) precision() (digits, scale int) {
	if !p.takeMark("(") {
		return 0, 0
	}
	digits = p.number(1, maxPrecision)
	if p.takeMark(",") {
		if p.takeMark("-") {
			scale = -p.number(0, maxPrecision)
		} else {
			scale = p.number(0, maxPrecision)
		}
	}
	p.expectMark(")")
	return digits, scale
}

// parameter reads (n), if it is next.
func (p *parser) parameter(least, most int) (n int, ok bool) {
	if !p.takeMark("(") {
		return 0, false
	}
	n = p.number(least, most)
	p.expectMark(")")
	return n, true
}

// number reads an integer.
func (p *parser) number(least, most int) int {
	n, err := strconv.Atoi(p.token.text)
	if p.token.kind != tokenNumber || err != nil || n < least || n > most {
		p.fail(fmt.Sprintf("a number from %d to %d expected", least, most))
		return 0
	}
	p.advance()
	return n
}
