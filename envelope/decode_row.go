package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"

	goccy "github.com/goccy/go-json"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// Decode decodes the row into what v points to as encoding/json does, by the tags
// `json:"name"` and without knowing what a column means: a timestamp is the number or
// the text that the connector wrote, null leaves a field as it is, and of two columns
// with one name the last one counts. Numbers are exact: in an interface they are a
// json.Number, and one that does not fit its field is an error. [As] and
// [RowReader.Decode] know the meanings. What it writes shares no memory with the row.
//
// Its errors are [*DecodeError]s: over [ErrSyntax] for a row that is not valid JSON,
// over [ErrMissing] for a nil row, and over [ErrType] for a value that does not fit,
// whose path is the column's and whose cause tells the types. What a type's own
// UnmarshalJSON or UnmarshalText returns is not in them, as that may quote the value.
// If v is not a pointer, or nil, the error is another one.
func (r Row) Decode(v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%w, not to a %T", errNotPointer, v)
	}
	if r == nil {
		return &DecodeError{Err: fmt.Errorf("%w: no row", ErrMissing)}
	}
	o := object{b: r}
	for o.next() {
	}
	if o.bad {
		return o.fault()
	}
	if err := decodeJSON(r, v); err != nil {
		return r.misfit(err, p.Type().Elem())
	}
	return nil
}

var errNotPointer = errors.New("envelope: a row is decoded to a pointer")

// A jsonDecoder decodes one JSON text after another as a stream: only goccy's Decoder,
// not its Unmarshal, can be asked for exact numbers.
type jsonDecoder struct {
	rest    []byte
	ended   bool // it was asked for more than there is, which ends the stream for good
	decoder *goccy.Decoder
}

var jsonDecoders = sync.Pool{New: func() any {
	d := new(jsonDecoder)
	d.decoder = goccy.NewDecoder(d)
	d.decoder.UseNumber()
	return d
}}

// Read implements [io.Reader].
func (d *jsonDecoder) Read(b []byte) (int, error) {
	if len(d.rest) == 0 {
		d.ended = true
		return 0, io.EOF
	}
	n := copy(b, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// decodeJSON decodes a valid text. After an error the decoder is of no more use.
func decodeJSON(text []byte, v any) error {
	d := jsonDecoders.Get().(*jsonDecoder)
	d.rest = text
	if err := d.decoder.Decode(v); err != nil {
		return err
	}
	d.rest = nil
	if !d.ended && len(text) <= mostKept {
		jsonDecoders.Put(d)
	}
	return nil
}

// misfit returns the error for a row that could not be decoded to the type: the column
// is the first one that cannot be if it is alone, as the cause does not tell reliably.
func (r Row) misfit(cause error, t reflect.Type) error {
	e := &DecodeError{Err: misfitJSON(cause, t)}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return e
	}
	for o := (object{b: r}); o.next(); {
		alone := append(append(append([]byte(`{"`), o.column.Name...), `":`...), o.column.Value...)
		if err := decodeJSON(append(alone, '}'), reflect.New(t).Interface()); err != nil {
			e.Offset = int64(o.i - len(o.column.Value))
			e.Path = jsonscan.Pointer(string(o.column.AppendName(nil)))
			e.Err = misfitJSON(err, t)
			break
		}
	}
	return e
}

// misfitJSON returns a cause that holds no more of err than the type of Go.
func misfitJSON(err error, t reflect.Type) error {
	if typed, ok := errors.AsType[*goccy.UnmarshalTypeError](err); ok && typed.Type != nil {
		t = typed.Type
	}
	return fmt.Errorf("%w: the value does not fit Go type %v", ErrType, t)
}
