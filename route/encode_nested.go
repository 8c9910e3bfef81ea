package route

import (
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
)

// appendNested appends a list, a map or a struct. What does not fit in one of its
// parts does not fit in the whole.
func (e *Encoder) appendNested(dst []byte, d envelope.Datum, t *target) (_ []byte, err error) {
	n, closer := len(dst), byte('}')
	switch t.Kind {
	case icetype.List:
		closer = ']'
		for v := range d.Elements() {
			if dst, err = e.appendValue(append(dst, ','), v, t.elem); err != nil {
				return dst, err
			}
		}
	case icetype.Map:
		for k, v := range d.Entries() {
			if dst, err = e.appendKey(append(dst, ','), k, t.key); err != nil {
				return dst, err
			}
			if dst, err = e.appendValue(append(dst, ':'), v, t.elem); err != nil {
				return dst, err
			}
		}
	case icetype.Struct:
		i := 0
		for _, v := range d.Members() {
			m := &t.members[i]
			i++
			if v.State() == envelope.Missing || m.name == nil {
				continue
			}
			if dst, err = e.appendValue(append(append(dst, ','), m.name...), v, &m.target); err != nil {
				return dst, err
			}
		}
	}
	if len(dst) == n {
		dst = append(dst, ',')
	}
	dst[n] = closer - 2 // the brackets are two apart
	return append(dst, closer), nil
}

// appendKey appends a map's key, which JSON has only as a string.
func (e *Encoder) appendKey(dst []byte, k envelope.Datum, t *target) ([]byte, error) {
	if !k.IsSet() {
		return dst, errKey
	}
	n := len(dst)
	dst, err := e.appendValue(append(dst, '"'), k, t)
	if err != nil {
		return dst, err
	}
	if dst[n+1] == '"' {
		return append(dst[:n], dst[n+1:]...), nil
	}
	return append(dst, '"'), nil
}
