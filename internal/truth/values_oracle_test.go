package truth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/envelope"
)

// A cell is one column of one row: what the database printed, which is not NULL, and
// what the library read from the record.
type cell struct {
	d     envelope.Datum
	sql   string          // the column's type in the database, without its parameters
	args  []int           // its parameters
	text  string          // what the database printed
	canon json.RawMessage // the truth's neutral form, nil if it has none
	hex   bool            // text is hexadecimal digits of the bytes
	set   *settings

	rounded bool // compare took as much of the value as the connector's settings leave
}

var (
	errOther = errors.New("another value")
	errText  = errors.New("another text")
)

// newCell splits a type as it is declared.
func newCell(d envelope.Datum, declared, text string, set *settings) *cell {
	c := &cell{d: d, text: text, set: set}
	head, rest, ok := strings.Cut(declared, "(")
	if !ok {
		c.sql = declared
		return c
	}
	params, tail, _ := strings.Cut(rest, ")")
	c.sql = head + tail
	for param := range strings.SplitSeq(params, ",") {
		if n, err := strconv.Atoi(param); err == nil {
			c.args = append(c.args, n)
		}
	}
	return c
}

// compare returns nil if the library read what the database has: the same value, by
// an oracle that knows the column's type in the database and none of the library's
// code, and the canonical text of that.
func (c *cell) compare() error {
	switch name := c.sql; {
	case strings.HasSuffix(name, "[]"):
		return c.list()
	case c.hex:
		return c.bytes(unhex(c.text))
	case c.set.mysql && (name == "float" || name == "double" || name == "float unsigned"):
		return c.float(c.neutral())
	case c.set.mysql && name == "json" && c.set.jsonText:
		return c.plain(envelope.KindText, c.text)
	case c.set.mysql && name == "json":
		return c.document(envelope.KindJSON, c.text)
	case c.set.mysql && name == "polygon":
		return c.geometry()
	case c.set.mysql && name == "boolean":
		return c.integer()
	case c.set.mysql && name == "timestamp":
		return c.moment(envelope.KindInstant)
	}
	switch c.sql {
	case "boolean":
		if v, ok := c.d.Bool(); c.d.Kind() != envelope.KindBool || !ok || v != (c.text == "t" || c.text == "true") {
			return errOther
		}
		return c.reads(strconv.FormatBool(c.text[0] == 't'))
	case "smallint", "int", "integer", "bigint", "oid", "tinyint", "tinyint unsigned", "smallint unsigned", "mediumint",
		"mediumint unsigned", "int unsigned", "int zerofill", "year":
		return c.integer()
	case "bigint unsigned":
		if c.set.unsigned {
			return c.decimal(c.text, c.text)
		}
		if got, ok := c.d.Uint64(); ok && c.d.Kind() == envelope.KindUint && strconv.FormatUint(got, 10) == c.text {
			return c.reads(c.text)
		}
		return c.integer()
	case "real", "double precision", "float8":
		return c.float(c.text)
	case "numeric", "decimal", "decimal unsigned", "decimal zerofill":
		return c.number(c.text)
	case "money":
		return c.number(c.neutral())
	case "text", "varchar", "citext", "internal char", "name", "longtext", "mediumtext", "tinytext", "long varchar", "enum", "set", "cidr",
		"macaddr", "macaddr8", "xml", "ltree", "tsvector",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange":
		return c.plain(envelope.KindText, c.characters())
	case "char":
		return c.plain(envelope.KindText, c.padded())
	case "inet":
		return c.plain(envelope.KindText, c.address())
	case "uuid":
		return c.plain(envelope.KindUUID, c.text)
	case "json", "jsonb":
		return c.plain(envelope.KindJSON, c.text)
	case "hstore":
		if c.set.hstoreMap {
			return c.mapping()
		}
		return c.document(envelope.KindJSON, c.neutral())
	case "bytea":
		return c.bytes(c.bytea())
	case "composite", "int4multirange", "tsquery", "jsonpath":
		return c.bytes([]byte(c.text)) // a type that the connector does not know
	case "line", "lseg", "box", "path", "polygon", "circle":
		return c.bytes([]byte(withPoints(c.text)))
	case "bit", "bit varying":
		return c.bits()
	case "date":
		return c.date()
	case "time":
		return c.clock()
	case "timetz":
		return c.clockUTC()
	case "timestamp", "datetime":
		return c.moment(envelope.KindTimestamp)
	case "timestamptz":
		return c.moment(envelope.KindInstant)
	case "interval", "interval year to month":
		return c.interval()
	case "point":
		if !c.set.mysql {
			return c.point()
		}
		return c.geometry()
	case "geometry", "geography", "linestring", "multipoint", "multilinestring", "multipolygon", "geometrycollection":
		return c.geometry()
	}
	return fmt.Errorf("the oracle does not know the type %s", c.sql)
}

// kind reports what the library takes the column for, if that is not k.
func (c *cell) kind(k envelope.Kind) error {
	if got := c.d.Kind(); got != k {
		return fmt.Errorf("kind %v, want %v", got, k)
	}
	return nil
}

// reads compares the canonical text.
func (c *cell) reads(want string) error {
	if got := string(c.d.AppendText(nil)); got != want {
		return fmt.Errorf("%w: %.60q, want %.60q", errText, got, want)
	}
	return nil
}

// neutral is the truth's neutral form, where it is a scalar.
func (c *cell) neutral() string {
	if c.canon == nil {
		return c.text
	}
	return text(c.canon)
}

// characters is the text of a column of characters: MySQL's truth has it as
// hexadecimal digits where it is not printable.
func (c *cell) characters() string {
	if c.set.mysql && c.canon != nil {
		return string(unhex(text(c.canon)))
	}
	return c.text
}

// padded is a char(n) as the records of PostgreSQL have it and its text has not.
func (c *cell) padded() string {
	s := c.characters()
	if c.set.mysql {
		return s
	}
	return s + strings.Repeat(" ", max(0, c.args[0]-utf8.RuneCountInString(s)))
}

// address is an inet without the prefix length of a host.
func (c *cell) address() string {
	if strings.Contains(c.text, ":") {
		return strings.TrimSuffix(c.text, "/128")
	}
	return strings.TrimSuffix(c.text, "/32")
}

func (c *cell) plain(k envelope.Kind, want string) error {
	if err := c.kind(k); err != nil {
		return err
	}
	if got, ok := c.d.Bytes(); !ok || string(got) != want {
		return errOther
	}
	return c.reads(want)
}

// document compares JSON by what it says.
func (c *cell) document(k envelope.Kind, want string) error {
	if err := c.kind(k); err != nil {
		return err
	}
	got, ok := c.d.Bytes()
	if !ok || !sameJSON(string(got), want) {
		return errOther
	}
	return c.reads(string(got))
}

// mapping compares a map of text with a JSON object.
func (c *cell) mapping() error {
	if err := c.kind(envelope.KindMap); err != nil {
		return err
	}
	var want map[string]*string
	if err := json.Unmarshal([]byte(c.neutral()), &want); err != nil {
		return err
	}
	n := 0
	for k, v := range c.d.Entries() {
		n++
		name, _ := k.Bytes()
		value, ok := want[string(name)]
		got, isSet := v.Bytes()
		if !ok || (value != nil) != isSet || value != nil && *value != string(got) {
			return errOther
		}
	}
	if n != len(want) {
		return errOther
	}
	if !sameJSON(string(c.d.AppendText(nil)), c.neutral()) {
		return errText
	}
	return nil
}
