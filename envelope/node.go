package envelope

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A node is a value in a document that is read once and at leisure: a schema, or what
// changed one. It knows its place there, for errors.
type node struct {
	value Value // nil if there is none, or null
	at    int   // of its first byte, or of what lacks it
	up    *node // the object or the array that it is in
	name  string
}

// document returns b, one JSON value, as a node.
func document(b []byte) (*node, error) {
	if len(b) > DefaultMaxBytes {
		return nil, &DecodeError{Offset: DefaultMaxBytes, Err: fmt.Errorf("%w: more than %d bytes", ErrLimit, DefaultMaxBytes)}
	}
	if !jsonscan.Valid(b) {
		return nil, syntaxError(jsonscan.Diagnose(b), 1)
	}
	start := jsonscan.Space(b, 0)
	return &node{value: Value(b[start:jsonscan.Skip(b, start)]), at: start}, nil
}

// fault returns an error at the node.
func (n *node) fault(err error) error {
	var names []string
	for m := n; m.up != nil; m = m.up {
		names = append(names, m.name)
	}
	slices.Reverse(names)
	return &DecodeError{Offset: int64(n.at), Path: jsonscan.Pointer(names...), Err: err}
}

// there returns an error if there is no value.
func (n *node) there() error {
	if n.value == nil {
		return n.fault(ErrMissing)
	}
	return nil
}

// child returns a value inside the node. Null is none.
func (n *node) child(name string, v Value, at int) node {
	if v.IsNull() {
		v = nil
	}
	return node{value: v, at: at, up: n, name: name}
}

// members sets each node of dst to the member of an object that has its name.
func (n *node) members(dst []node, names []string) error {
	if err := n.there(); err != nil {
		return err
	}
	if n.value.Kind() != '{' {
		return n.fault(ErrType)
	}
	for i, name := range names {
		dst[i] = node{at: n.at, up: n, name: name}
	}
	var seen uint64
	for o := (object{b: n.value}); o.next(); {
		for i, name := range names {
			if !o.column.Is(name) {
				continue
			}
			dst[i] = n.child(name, o.column.Value, n.at+o.i-len(o.column.Value))
			if seen>>i&1 != 0 {
				return dst[i].fault(ErrDuplicate)
			}
			seen |= 1 << i
			break
		}
	}
	return nil
}

// member returns the named member of an object.
func (n *node) member(name string) (*node, error) {
	dst := make([]node, 1)
	err := n.members(dst, []string{name})
	return &dst[0], err
}

// all returns the members of an object, or the elements of an array, in their order, at
// most [MaxSchemaTypes].
func (n *node) all(kind byte) (all []node, err error) {
	if err := n.there(); err != nil {
		return nil, err
	}
	if n.value.Kind() != kind {
		return nil, n.fault(ErrType)
	}
	if kind == '{' {
		for o := (object{b: n.value}); o.next(); {
			if len(all) == MaxSchemaTypes {
				return nil, n.fault(errTooMany)
			}
			all = append(all, n.child(string(o.column.AppendName(nil)), o.column.Value, n.at+o.i-len(o.column.Value)))
		}
		return all, nil
	}
	i := jsonscan.Space(n.value, 1)
	for last := n.value[i] == ']'; !last; {
		if len(all) == MaxSchemaTypes {
			return nil, n.fault(errTooMany)
		}
		end := jsonscan.Skip(n.value, i)
		all = append(all, n.child(strconv.Itoa(len(all)), n.value[i:end:end], n.at+i))
		i, last = jsonscan.Next(n.value, end, ']')
	}
	return all, nil
}

// text returns a string.
func (n *node) text() (string, error) {
	if err := n.there(); err != nil {
		return "", err
	}
	if n.value.Kind() != '"' {
		return "", n.fault(ErrType)
	}
	return string(n.value.AppendText(nil)), nil
}

// optionalText returns a string, empty if there is none.
func (n *node) optionalText() (string, error) {
	if n.value == nil {
		return "", nil
	}
	return n.text()
}

// integer returns a number of 32 bits, which can stand in a string, and none if there
// is none.
func (n *node) integer(none int) (int, error) {
	if n.value == nil {
		return none, nil
	}
	i, ok := integer(n.value)
	if !ok || i != int64(int32(i)) {
		return 0, n.fault(ErrType)
	}
	return int(i), nil
}

// count is integer for what cannot be negative; 0 if there is none.
func (n *node) count() (int, error) {
	i, err := n.integer(0)
	if err == nil && i < 0 {
		err = n.fault(ErrType)
	}
	return i, err
}

// boolean returns a boolean, and none if there is none.
func (n *node) boolean(none bool) (bool, error) {
	switch n.value.Kind() {
	case 0:
		return none, nil
	case 't', 'f':
		return n.value[0] == 't', nil
	}
	return false, n.fault(ErrType)
}

// texts returns an array of strings.
func (n *node) texts() ([]string, error) {
	all, err := n.all('[')
	if err != nil {
		return nil, err
	}
	list := make([]string, len(all))
	for i := range all {
		if list[i], err = all[i].text(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// payload returns the value in the converter's wrapper, or the node itself if it has
// the named member.
func (n *node) payload(name string) (*node, error) {
	m := make([]node, 2)
	if err := n.members(m, []string{name, "payload"}); err != nil {
		return nil, err
	}
	if m[0].value == nil && m[1].value.Kind() == '{' {
		return &m[1], nil
	}
	return n, nil
}
