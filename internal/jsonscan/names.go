package jsonscan

// Names keeps the strings of names that recur, so that a record does not
// allocate them again. What is kept is bounded: a hostile stream of names makes
// it forget, not grow. The zero Names is ready to use.
type Names struct {
	last  [4]name
	known map[string]name // by spelling
}

type name struct{ spelling, text string }

const maxNames = 4096

// Text returns the text of a string's contents. slot, 0 to 3, says what it
// names: the one that came last there is tried first.
func (n *Names) Text(slot int, contents []byte) string {
	last := &n.last[slot]
	if string(contents) == last.spelling {
		return last.text
	}
	known, ok := n.known[string(contents)]
	if !ok {
		if n.known == nil || len(n.known) >= maxNames {
			n.known = make(map[string]name)
		}
		known = name{string(contents), string(AppendText(nil, contents))}
		n.known[known.spelling] = known
	}
	*last = known
	return known.text
}
