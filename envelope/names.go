package envelope

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// names keeps the strings of database, schema and table names, so that a
// record does not allocate them again. What is kept is bounded: a hostile
// stream of names makes it forget, not grow.
type names struct {
	last  [3]name
	known map[string]name // by spelling
}

type name struct{ spelling, text string }

const (
	nameDB = iota
	nameSchema
	nameTable

	maxNames = 4096
)

// text returns the text of a string's contents. which says what it names, to
// try the one that came last first.
func (n *names) text(which int, contents []byte) string {
	last := &n.last[which]
	if string(contents) == last.spelling {
		return last.text
	}
	known, ok := n.known[string(contents)]
	if !ok {
		if n.known == nil || len(n.known) >= maxNames {
			n.known = make(map[string]name)
		}
		known = name{string(contents), string(jsonscan.AppendText(nil, contents))}
		n.known[known.spelling] = known
	}
	*last = known
	return known.text
}
