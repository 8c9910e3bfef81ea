package dsql

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A badImage is the error for an image that is not what the main record says.
type badImage struct {
	image *image
	err   error
}

func (e *badImage) Error() string { return e.err.Error() }

// finishHeld is finish for a main record that came earlier.
func (r *Reassembler) finishHeld(ctx context.Context, g *group) ([]byte, error) {
	if err := r.scan(g.main, DefaultMaxBytes); err != nil {
		return nil, err
	}
	return r.finish(ctx, g, g.main)
}

// finish makes the whole record of a main record, the one that was scanned last,
// and its images, if they can be joined. A group whose images turn out bad is
// given up.
func (r *Reassembler) finish(ctx context.Context, g *group, main []byte) ([]byte, error) {
	err := r.join(ctx, g, main)
	if bad, ok := errors.AsType[*badImage](err); ok {
		fault := &PartError{ChunkID: bad.image.id, Lost: g.orphans(), Err: r.split.fault(bad.image.field, bad.err)}
		return nil, r.lose(ctx, fault, g)
	}
	switch {
	case errors.Is(err, ErrIncomplete) && r.durable:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("dsql: fragment store: %w", err)
	}
	g.main = nil
	if !g.settled {
		g.settled = true
		r.pending--
		r.returned += g.bytes
	}
	return r.buf, nil
}

// join writes the whole record to r.buf: the main record with its images where
// they belong, type full, and nothing under chunked.
func (r *Reassembler) join(ctx context.Context, g *group, main []byte) error {
	size := len(main)
	for _, m := range g.images {
		size += m.bytes
	}
	if r.buf = r.buf[:0]; cap(r.buf) < size {
		r.buf = make([]byte, 0, size)
	}
	from := jsonscan.Space(main, 0) + 1
	r.buf = append(r.buf, main[:from]...)
	replaced := []jsonscan.Field{fieldType, fieldChunked}
	for _, m := range g.images {
		if r.record.Has(m.field) {
			replaced = append(replaced, m.field)
			continue
		}
		r.buf = append(append(append(r.buf, '"'), fieldNames[m.field]...), `":`...)
		if err := r.appendImage(ctx, m); err != nil {
			return err
		}
		r.buf = append(r.buf, ',')
	}
	slices.SortFunc(replaced, func(f, g jsonscan.Field) int { return cmp.Compare(r.record.At[f].Start, r.record.At[g].Start) })
	for _, f := range replaced {
		at := r.record.At[f]
		r.buf = append(r.buf, main[from:at.Start]...)
		from = int(at.End)
		switch f {
		case fieldType:
			r.buf = append(r.buf, `"full"`...)
		case fieldChunked:
			r.buf = append(r.buf, "null"...)
		default:
			i := slices.IndexFunc(g.images, func(m *image) bool { return m.field == f })
			if err := r.appendImage(ctx, g.images[i]); err != nil {
				return err
			}
		}
	}
	r.buf = append(r.buf, main[from:]...)
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendImage appends the joined text of an image to r.buf.
func (r *Reassembler) appendImage(ctx context.Context, m *image) (err error) {
	start := len(r.buf)
	if r.buf, err = r.Store.Join(ctx, r.buf, m.id, m.total); envelope.IsPermanent(err) {
		return &badImage{m, err}
	} else if err != nil {
		return err
	}
	text := r.buf[start:]
	switch {
	case len(text) > r.Limits.imageBytes():
		return &badImage{m, tooMany(r.Limits.imageBytes(), "bytes in an image")}
	case crc32.Checksum(text, castagnoli) != m.crc:
		return &badImage{m, ErrChecksum}
	case !oneObject(text):
		return &badImage{m, envelope.ErrType}
	}
	return nil
}

// oneObject reports whether b, if it is valid JSON, is one object. Without this
// check other text could close the record's object, or open members that the
// main record never had. Whether it is valid is the decoder's to say: to ask it
// here would cost a third of the time that joining takes.
func oneObject(b []byte) bool {
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i == len(b)-1
			}
		case '"':
			n := closing(b[i+1:])
			if n < 0 {
				return false
			}
			i += 1 + n
		}
	}
	return false
}

// closing returns the index of the quote that ends a string's contents, -1 if
// there is none.
func closing(b []byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for slashes < i && b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
}
