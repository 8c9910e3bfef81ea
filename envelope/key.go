package envelope

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A KeyFunc appends the identity of c's row to dst. Two changes of one row give
// the same bytes, changes of different rows different ones. It must be safe for
// concurrent use and must not retain c or dst. An error leaves dst's contents
// as they were and wraps [ErrNoKey] or is a [*DecodeError].
type KeyFunc func(dst []byte, c *Change) ([]byte, error)

// KeyColumns returns a KeyFunc for tables whose key columns are known. A table
// of the map without DB stands for the table of that name in any database. A
// table that is not in the map gives [ErrNoKey]. It keeps the map, which must not
// change any more.
func KeyColumns(columns map[Table][]string) KeyFunc {
	return func(dst []byte, c *Change) ([]byte, error) {
		names, _ := Lookup(columns, c.Table)
		if len(names) == 0 {
			return dst, fmt.Errorf("%w %s", ErrNoKey, c.Table)
		}
		return c.AppendKey(dst, names...)
	}
}

// maxKeyColumns bounds a key: MySQL allows 16 columns, PostgreSQL 32.
const maxKeyColumns = 32

// AppendKey appends the identity of c's row to dst: the table and the named
// columns. Without names the columns are those of c.Key, the transport's key.
//
// Each column is taken from c.Key if it is there, which is what Debezium takes
// for the row's identity, else from the image that shows the row. The bytes
// name the columns and give each value with its type and length, so that
// different keys never look alike; the order of the columns, the spelling of
// strings (escapes) and that of numbers (1, 1.0, 1e0) do not matter. Members
// that a topic router added to the key (their names begin with "__dbz__") are
// no columns. The bytes are for comparing and hashing; their form may change.
//
// A column that is missing or occurs twice gives a [*DecodeError] over
// [ErrMissing] or [ErrDuplicate]; no column at all gives [ErrNoKey]. On an error
// dst is returned as it was.
func (c *Change) AppendKey(dst []byte, columns ...string) ([]byte, error) {
	var found [maxKeyColumns]Column
	var n int
	var err error
	if len(columns) == 0 {
		n, err = allColumns(&found, c.Key)
	} else {
		n, err = c.namedColumns(&found, columns)
	}
	switch {
	case err != nil:
		return dst, err
	case n == 0:
		return dst, fmt.Errorf("%w %s", ErrNoKey, c.Table)
	}
	// An insertion sort: keys are short, and slices.SortFunc would make found
	// escape.
	key := found[:n]
	for i := range key {
		for j := i; j > 0 && compareText(key[j-1].Name, key[j].Name) > 0; j-- {
			key[j-1], key[j] = key[j], key[j-1]
		}
	}
	out := appendLength(appendLength(appendLength(dst, c.Table.DB), c.Table.Schema), c.Table.Name)
	for i, col := range key {
		if i > 0 && compareText(col.Name, key[i-1].Name) == 0 {
			return dst, keyError(string(col.AppendName(nil)), ErrDuplicate)
		}
		out = appendText(out, col.Name)
		out = appendCanonical(out, col.Value)
	}
	return out, nil
}

func keyError(column string, err error) error {
	return &DecodeError{Path: jsonscan.Pointer(column), Err: err}
}

// KeyNames returns the names of the columns of c.Key, the transport's key, without
// those that a topic router added. They share no memory with the record. Errors are as
// those of AppendKey.
func (c *Change) KeyNames() ([]string, error) {
	var found [maxKeyColumns]Column
	n, err := allColumns(&found, c.Key)
	names := make([]string, 0, n)
	for _, col := range found[:n] {
		names = append(names, string(col.AppendName(nil)))
	}
	return names, err
}

// allColumns collects the columns of a key image.
func allColumns(found *[maxKeyColumns]Column, key Row) (n int, err error) {
	o := object{b: key}
	for key != nil && o.next() {
		if bytes.HasPrefix(o.column.Name, []byte("__dbz__")) {
			continue
		}
		if n == len(found) {
			return 0, &DecodeError{Err: fmt.Errorf("%w: more than %d key columns", ErrLimit, maxKeyColumns)}
		}
		found[n] = o.column
		n++
	}
	if o.bad {
		return 0, o.fault()
	}
	return n, nil
}

// namedColumns collects the named columns from the key, else from the image.
func (c *Change) namedColumns(found *[maxKeyColumns]Column, names []string) (n int, err error) {
	if len(names) > len(found) {
		return 0, &DecodeError{Err: fmt.Errorf("%w: more than %d key columns", ErrLimit, maxKeyColumns)}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return 0, keyError(name, ErrDuplicate)
		}
		col, count := column(c.Key, name)
		if count == 0 {
			col, count = column(c.Image(), name)
		}
		switch count {
		case 0:
			return 0, keyError(name, ErrMissing)
		case 1:
			found[n] = col
			n++
		default:
			return 0, keyError(name, ErrDuplicate)
		}
	}
	return n, nil
}

// column returns the column of that name and how often it occurs.
func column(r Row, name string) (col Column, count int) {
	o := object{b: r}
	for r != nil && o.next() {
		if o.column.Is(name) {
			col = o.column
			count++
		}
	}
	return col, count
}

func appendLength(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// compareText compares the texts of two strings' contents.
func compareText(a, b []byte) int {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return bytes.Compare(a, b)
	}
	return bytes.Compare(jsonscan.AppendText(nil, a), jsonscan.AppendText(nil, b))
}

// appendText appends the text of a string's contents behind its length.
func appendText(dst, contents []byte) []byte {
	if bytes.IndexByte(contents, '\\') < 0 {
		return append(binary.AppendUvarint(dst, uint64(len(contents))), contents...)
	}
	return appendLength(dst, string(jsonscan.AppendText(nil, contents)))
}

// appendCanonical appends a value with its type, so that equal values give
// equal bytes and no two different ones do.
func appendCanonical(dst []byte, v Value) []byte {
	switch kind := v.Kind(); kind {
	case '"':
		return appendText(append(dst, kind), v[1:len(v)-1])
	case '0':
		return appendNumber(dst, v)
	case '{':
		for o := (object{b: v}); o.next(); {
			dst = appendCanonical(appendText(append(dst, kind), o.column.Name), o.column.Value)
		}
		return append(dst, '}')
	case '[':
		for i := jsonscan.Space(v, 1); v[i] != ']'; {
			end := jsonscan.Skip(v, i)
			dst = appendCanonical(append(dst, kind), v[i:end])
			next, last := jsonscan.Next(v, end, ']')
			if last {
				break
			}
			i = next
		}
		return append(dst, ']')
	default:
		return append(dst, kind) // null, true, false
	}
}

// appendNumber appends a number as its digits without zeros at either end, and
// the power of ten behind the last one. A number with an exponent of more than
// 15 digits stays as it is spelled.
func appendNumber(dst []byte, v Value) []byte {
	const canonical, spelled = '0', 'e'
	if n, ok := jsonscan.Int(v); ok && n%10 != 0 { // what a key mostly is: nothing to strip
		return append(appendLength(append(dst, canonical), string(v)), 0)
	}
	text := strings.ToLower(string(v))
	digits, exponent, ok := strings.Cut(text, "e")
	if !ok {
		exponent = "0"
	}
	power, err := strconv.ParseInt(exponent, 10, 64)
	if err != nil || len(exponent) > 16 {
		return appendLength(append(dst, spelled), text)
	}
	digits, negative := strings.CutPrefix(digits, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	power -= int64(len(fraction))
	digits = strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	power += int64(len(digits) - len(short))
	switch {
	case short == "":
		power = 0
	case negative:
		short = "-" + short
	}
	return binary.AppendVarint(appendLength(append(dst, canonical), short), power)
}
