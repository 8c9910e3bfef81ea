package dedupe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// deleteOfOld returns the delete of the row as it was before an update.
func deleteOfOld(c *envelope.Change) envelope.Change {
	old := *c
	old.Op, old.Key, old.After = envelope.OpDelete, nil, nil
	return old
}

// moves appends to key, whose bytes from start on are c's own, the key of the row
// before an update, and reports whether it is another. A before image that does
// not hold the key says nothing.
func (f *Filter) moves(key []byte, start int, c *envelope.Change) ([]byte, bool) {
	if c.Before == nil || c.Effect() != envelope.Upsert {
		return key, false
	}
	old, end := deleteOfOld(c), len(key)
	key, err := f.appendKey(key, &old)
	return key, err == nil && !bytes.Equal(key[start:end], key[end:])
}

// Split appends c to dst, or, if c is an update that changes the key of its row,
// the delete of the old row and the create of the new one, as Debezium sends
// them. AWS DMS and others send one update with both images. Keys must be one
// that looks at the images. The two changes share c's version and alias it.
//
// An error is that of keys on c; then dst is returned as it was.
func Split(dst []envelope.Change, c *envelope.Change, keys envelope.KeyFunc) ([]envelope.Change, error) {
	f := Filter{Keys: keys}
	key, err := keys(nil, c)
	if err != nil {
		return dst, err
	}
	if _, moved := f.moves(key, 0, c); !moved {
		return append(dst, *c), nil
	}
	made := *c
	made.Op, made.Before = envelope.OpCreate, nil
	return append(dst, deleteOfOld(c), made), nil
}

// IntegerKey returns a KeyFunc for one table whose key is one column of integers.
// Its keys have eight bytes, which an exact [Memory] holds without any collision.
// Another table gives [envelope.ErrNoKey], and so does a table of the same name in
// another database unless table has no DB. A value that is not an integer of 64
// bits with its sign is a [*envelope.DecodeError].
//
// The keys do not name the table: use a Store for each.
func IntegerKey(table envelope.Table, column string) envelope.KeyFunc {
	return func(dst []byte, c *envelope.Change) ([]byte, error) {
		if name := c.Table; name != table && (table.DB != "" || name.Schema != table.Schema || name.Name != table.Name) {
			return dst, fmt.Errorf("%w %s", envelope.ErrNoKey, c.Table)
		}
		v, ok := c.Key.Get(column)
		if !ok {
			v, ok = c.Image().Get(column)
		}
		if !ok {
			return dst, &envelope.DecodeError{Path: jsonscan.Pointer(column), Err: envelope.ErrMissing}
		}
		n, err := v.Int64()
		if err != nil {
			if fault, is := errors.AsType[*envelope.DecodeError](err); is {
				err = &envelope.DecodeError{Offset: fault.Offset, Path: jsonscan.Pointer(column), Err: fault.Err}
			}
			return dst, err
		}
		return binary.BigEndian.AppendUint64(dst, uint64(n)), nil
	}
}
