package route

import (
	"errors"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A target is the type of a destination's column, with its parts at hand.
type target struct {
	icetype.Type
	key, elem *target
	members   []memberTarget // in the order of the source
}

type memberTarget struct {
	name []byte // quoted, and the colon; nil if it is left out
	target
}

// unknown is the type of what nothing is known of, and text that of a map's keys
// where it is not said.
var (
	unknown envelope.Type
	text    = envelope.Type{Kind: envelope.KindText}
)

// target returns the target for values of a type.
func (e *Encoder) target(from *envelope.Type, to icetype.Type) (target, error) {
	t := target{Type: to}
	nanos := to.Kind == icetype.TimestampNS || to.Kind == icetype.TimestampTZNS // Firehose writes format version 2, which has none
	if nanos || !to.Takes(from.Kind) {
		return t, fmt.Errorf("there is no way from %v to %v", from, to)
	}
	switch to.Kind {
	case icetype.List:
		elem, err := e.target(orElse(from.Elem, &unknown), to.Elem())
		t.elem = &elem
		return t, err
	case icetype.Map:
		key, err := e.target(orElse(from.Key, &text), to.Key())
		elem, err2 := e.target(orElse(from.Elem, &unknown), to.Elem())
		t.key, t.elem = &key, &elem
		if err == nil && key.Kind >= icetype.List {
			err = fmt.Errorf("a map's key is text, not %v", key.Type)
		}
		return t, errors.Join(err, err2)
	case icetype.Struct:
		var err error
		t.members, err = e.members(from, to)
		return t, err
	}
	return t, nil
}

func orElse(t, other *envelope.Type) *envelope.Type {
	if t == nil {
		return other
	}
	return t
}

// members finds for each member of the source its field in the destination.
func (e *Encoder) members(from *envelope.Type, to icetype.Type) (members []memberTarget, err error) {
	fields := to.Fields()
	types := make(map[string]icetype.Type, len(fields))
	for _, f := range fields {
		types[e.name(f.Name)] = f.Type
	}
	if len(types) != len(fields) {
		return nil, fmt.Errorf("two fields of %v have one name", to)
	}
	taken := make(map[string]bool)
	for i := range from.Fields {
		f := &from.Fields[i]
		name := e.name(f.Name)
		m := memberTarget{name: append(jsonscan.AppendQuoted(nil, name), ':')}
		typ, ok := types[name]
		switch {
		case taken[name]:
			return nil, fmt.Errorf("two members have the name %q in the destination", name)
		case ok:
			m.target, err = e.target(&f.Type, typ)
		case e.DropUnknown:
			m.name = nil
		default:
			err = fmt.Errorf("%v has no field %q", to, name)
		}
		if err != nil {
			return nil, err
		}
		taken[name] = true
		members = append(members, m)
	}
	return members, nil
}
