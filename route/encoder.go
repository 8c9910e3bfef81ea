package route

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// An Encoder writes rows as the JSON that Firehose takes for the columns of Iceberg
// tables, from what the columns' types say that their values mean:
//
//	boolean                 true or false
//	int, long               a number
//	float, double           the shortest number; "NaN", "Infinity", "-Infinity"
//	decimal(P,S)            text, with S digits behind the point
//	date                    the number of days since 1970-01-01
//	time                    the number of microseconds since midnight
//	timestamp, timestamptz  the number of microseconds since 1970-01-01T00:00:00, in UTC
//	string                  text: see [envelope.Datum.AppendText]
//	uuid                    text
//	binary, fixed[L]        base64
//	list, map, struct       an array, an object, an object
//
// A null is null, and a column that the row does not have is left out. Names are in
// lower case, since S3 Tables has no others.
//
// A column goes into any type that can say the same: integers, decimals and floats
// into each other where the number stays what it is (a decimal goes into a double if
// that is the double's shortest text), 0 and 1 into boolean and booleans into integers,
// text into uuid and decimal, dates into timestamps and timestamps at midnight into
// dates, times and durations as microseconds into long, and everything into string.
// A timestamp goes into timestamptz as if its wall clock were in UTC, an instant into
// timestamp as the wall clock in UTC, and a time with a zone into time as the time in
// UTC.
//
// The zero Encoder is ready to use, by one goroutine at a time. Its fields must not
// change after the first row. It keeps memory from row to row, and allocates nothing
// for rows of a schema that it has seen, but for nested types and for decimals that
// change their scale or exceed 128 bits.
type Encoder struct {
	// Types are the types of the destination's columns where they differ from the
	// default, by the name of the column in the source, in the spelling of Iceberg's
	// specification; of a struct it is struct<name:type,…>. A key without DB stands
	// for the table in any database.
	//
	// The default is the one that holds most of the column's values: for unsigned
	// integers of 64 bits decimal(20,0), for decimals decimal(P,S) as far as Iceberg
	// has it, for bytes and geometries binary, and string for all that has no
	// counterpart: decimals of unknown precision or of more than 38 digits, text,
	// JSON, bits, times with a zone, intervals, durations, lists, maps and structs, and
	// columns of which nothing is known.
	Types map[envelope.Table]map[string]string

	// Nested makes the default types of lists, maps and structs such, in place of a
	// string of their JSON.
	Nested bool

	// Misfit says what becomes of a value that the destination's type cannot hold: an
	// infinite date, a decimal of too many digits, a fraction of a microsecond. A column
	// of type string takes every value, as its text.
	Misfit Misfit

	// KeepCase leaves names as they are.
	KeepCase bool

	// DropUnknown leaves out the columns that the schema does not have. Otherwise a row
	// with one fails, for that may be a column that was added to the table.
	DropUnknown bool

	// Placeholder recognises what connectors send for values that they do not have,
	// which fail the row. Nil means that of [envelope.DefaultPlaceholder].
	Placeholder *envelope.Placeholder

	rows  envelope.RowReader
	plans map[planKey]*plan
	last  *plan
	text  []byte // of a value, before it is quoted
}

// Misfit says what becomes of a value that its destination's type cannot hold.
type Misfit uint8

// What becomes of it.
const (
	MisfitFail Misfit = iota // the row fails, with a [*MisfitError]
	MisfitNull               // the column is null, a nested one as a whole

	// MisfitText sends the value's text, see [envelope.Datum.AppendText]. What Firehose
	// cannot convert to the column's type it delivers under its error prefix, the whole
	// record with the reason, so that nothing is lost, and nothing in the table either.
	MisfitText
)

// ErrNoSchema says that nothing tells what a row's columns mean.
var ErrNoSchema = errors.New("route: no schema for table")

// A MisfitError says that the destination's type cannot hold a value. It holds no row
// data.
type MisfitError struct {
	Column   string // as the source calls it
	From, To string // the column's type in the source and in Iceberg
	Err      error  // what does not fit
}

// Error names the types and what does not fit.
func (e *MisfitError) Error() string { return fmt.Sprintf("%s into %s: %v", e.From, e.To, e.Err) }

// Unwrap returns the cause, and envelope.ErrType.
func (e *MisfitError) Unwrap() []error { return []error{envelope.ErrType, e.Err} }

// A TypesError says why no row of a table can be encoded.
type TypesError struct {
	Table  envelope.Table
	Column string // as the source calls it
	Reason string
}

// Error names the table, the column and the reason.
func (e *TypesError) Error() string {
	return fmt.Sprintf("route: table %s, column %q: %s", e.Table, e.Column, e.Reason)
}

// A planKey is what a plan depends on. The schema's address stands for the schema,
// which does not change.
type planKey struct {
	table  envelope.Table
	schema *envelope.Schema
}

// A plan is how rows of a schema are encoded.
type plan struct {
	planKey
	names [][]byte // quoted, and the colon
	types []target
	err   error
}

// maxPlans bounds how many schemas are remembered.
const maxPlans = 1024

// Check reports, in a plain test and without any row, whether rows of the table can
// be encoded. The result is nil or joins a [*TypesError] for each thing found: a type
// that is misspelled or has no way from the column's, a column in Types that the
// schema does not have, and names that are one when they are lower-cased.
//
// Without a schema it checks only how the types are spelled.
func (e *Encoder) Check(table envelope.Table, schema *envelope.Schema) error {
	var wrong []error
	types, _ := envelope.Lookup(e.Types, table)
	for _, column := range slices.Sorted(maps.Keys(types)) {
		if schema != nil && schema.Index(column) < 0 {
			wrong = append(wrong, &TypesError{table, column, "the schema has no such column"})
			continue
		}
		if _, err := icetype.Parse(types[column]); err != nil {
			wrong = append(wrong, &TypesError{table, column, err.Error()})
		}
	}
	if schema != nil && wrong == nil {
		wrong = e.plan(planKey{table, schema}).errs()
	}
	return errors.Join(wrong...)
}

// AppendRow appends a row of the table to dst as one JSON object and returns the
// extended slice; on an error, dst as it was. What it appends does not alias the row.
//
// The row's error is a [*envelope.DecodeError] whose path ends at the column: over a
// [*MisfitError], an [*UnavailableError], or, if the row is not one of the schema,
// one of envelope's causes. That of the schema is a [*TypesError], or ErrNoSchema if
// there is none.
func (e *Encoder) AppendRow(dst []byte, table envelope.Table, schema *envelope.Schema, row envelope.Row) ([]byte, error) {
	return e.append(dst, table, schema, row, false)
}

// append is AppendRow. The image of a deleted row may be partial: it tells which row
// it is, and a column that the connector did not have is left out.
func (e *Encoder) append(dst []byte, table envelope.Table, schema *envelope.Schema, row envelope.Row, partial bool) ([]byte, error) {
	if schema == nil {
		return dst, fmt.Errorf("%w %s", ErrNoSchema, table)
	}
	p := e.plan(planKey{table, schema})
	if p.err != nil {
		return dst, p.err
	}
	if row == nil {
		return dst, &envelope.DecodeError{Err: envelope.ErrMissing}
	}
	e.rows.Placeholder = e.Placeholder
	if err := e.rows.Read(schema, row); err != nil {
		return dst, err
	}
	if others := e.rows.Others(); len(others) > 0 && !e.DropUnknown {
		return dst, columnError(string(others[0].AppendName(nil)), errUnknown)
	}
	out, opener := dst, byte('{')
	for i := range p.types {
		d := e.rows.Datum(i)
		switch d.State() {
		case envelope.Missing:
			continue
		case envelope.Unavailable:
			if partial {
				continue
			}
			column := schema.Fields[i].Name
			return dst, columnError(column, &UnavailableError{column})
		}
		out = append(append(out, opener), p.names[i]...)
		opener = ','
		value := len(out)
		var err error
		if out, err = e.appendValue(out, d, &p.types[i]); err != nil {
			switch out = out[:value]; e.Misfit {
			case MisfitNull:
				out = append(out, "null"...)
			case MisfitText:
				out = e.appendText(out, d)
			default:
				f := &schema.Fields[i]
				return dst, columnError(f.Name, &MisfitError{f.Name, f.Type.String(), p.types[i].String(), err})
			}
		}
	}
	if opener == '{' {
		out = append(out, '{')
	}
	return append(out, '}'), nil
}

var errUnknown = fmt.Errorf("%w: the schema has no such column", envelope.ErrType)

func columnError(column string, err error) error {
	return &envelope.DecodeError{Path: jsonscan.Pointer(column), Err: err}
}

func (e *Encoder) plan(key planKey) *plan {
	if e.last != nil && e.last.planKey == key {
		return e.last
	}
	p := e.plans[key]
	if p == nil {
		if e.plans == nil || len(e.plans) >= maxPlans {
			e.plans = make(map[planKey]*plan)
		}
		p = e.newPlan(key)
		e.plans[key] = p
	}
	e.last = p
	return p
}

// errs returns what is wrong with a plan, one by one.
func (p *plan) errs() []error {
	if all, ok := p.err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return nil
}

func (e *Encoder) newPlan(key planKey) *plan {
	p := &plan{planKey: key}
	types, _ := envelope.Lookup(e.Types, key.table)
	var wrong []error
	refuse := func(column, reason string) { wrong = append(wrong, &TypesError{key.table, column, reason}) }
	taken := make(map[string]string)
	for i := range key.schema.Fields {
		f := &key.schema.Fields[i]
		name := e.name(f.Name)
		if other, ok := taken[name]; ok {
			refuse(f.Name, fmt.Sprintf("has the same name as %q in the destination", other))
		}
		taken[name] = f.Name
		p.names = append(p.names, append(jsonscan.AppendQuoted(nil, name), ':'))

		to, err := e.column(f, types)
		if err != nil {
			refuse(f.Name, err.Error())
		}
		p.types = append(p.types, to)
	}
	p.err = errors.Join(wrong...)
	return p
}

func (e *Encoder) column(f *envelope.Field, types map[string]string) (target, error) {
	t := icetype.Of(&f.Type)
	if e.Nested {
		t = icetype.Nested(&f.Type)
	}
	if spelling, ok := types[f.Name]; ok {
		var err error
		if t, err = icetype.Parse(spelling); err != nil {
			return target{}, err
		}
	}
	return e.target(&f.Type, t)
}

func (e *Encoder) name(column string) string {
	if e.KeepCase {
		return column
	}
	return strings.ToLower(column)
}
