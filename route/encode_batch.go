package route

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

// checkEncode reports what can be said to be wrong with Encode and Schemas before
// there is a row.
func (f *Firehose) checkEncode() error {
	if f.Encode == nil {
		return nil
	}
	var wrong []error
	e := f.encoder()
	for _, t := range tablesOf(e.Types) {
		wrong = append(wrong, e.Check(t, nil))
	}
	for _, t := range tablesOf(f.Schemas) {
		wrong = append(wrong, e.Check(t, f.Schemas[t]))
	}
	return errors.Join(wrong...)
}

// tablesOf returns the tables in an order, which a map has not.
func tablesOf[T any](types map[envelope.Table]T) []envelope.Table {
	return slices.SortedFunc(maps.Keys(types), func(a, b envelope.Table) int { return strings.Compare(a.String(), b.String()) })
}

// encoder returns an encoder for one batch at a time, nil without Encode.
func (f *Firehose) encoder() *Encoder {
	if f.Encode == nil {
		return nil
	}
	e := &Encoder{
		Types:       f.Encode.Types,
		Nested:      f.Encode.Nested,
		Misfit:      f.Encode.Misfit,
		KeepCase:    f.Encode.KeepCase,
		DropUnknown: f.Encode.DropUnknown,
		Placeholder: f.Encode.Placeholder,
	}
	if e.Placeholder == nil {
		e.Placeholder = f.placeholder
	}
	return e
}

// encode puts the row as the destination's types have it in place of the row as it
// came, and reports whether that could be done.
func (b *batch) encode(it *item, c *envelope.Change, effect envelope.Effect) bool {
	schema := c.Schema
	if schema == nil {
		schema, _ = envelope.Lookup(b.f.Schemas, c.Table)
	}
	n := len(b.encoded)
	encoded, err := b.encoder.append(b.encoded, c.Table, schema, it.row, effect == envelope.Delete)
	if err == nil {
		b.encoded = encoded // where it moved, the rows before keep the memory that they are in
		it.row = encoded[n:len(encoded):len(encoded)]
		return true
	}
	if unavailable, ok := errors.AsType[*UnavailableError](err); ok {
		b.f.apply(b.f.Unavailable, it, Unavailable, unavailable)
		return false
	}
	why := Untyped
	if _, ok := errors.AsType[*MisfitError](err); ok {
		why = Unfit
	}
	it.fail(why, err)
	return false
}
