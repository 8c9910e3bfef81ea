package envelope

import (
	"bytes"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// images reads row images. Like a level it remembers how the columns were
// spelled and ordered, of several tables at once, but not where they are.
type images struct {
	shapes  [8][]jsonscan.Spelling
	last    int     // the shape that fitted last
	next    int     // the one to replace
	lengths lengths // of the image read last
}

// maxColumns is how many columns of a shape are remembered.
const maxColumns = 256

// lengths tells which columns of a row can be left alone in the search for a
// placeholder: bit n says that there is a string of n bytes, the top bit that
// there is a value that must be looked at, an array, object, long or escaped
// string. 0 is not known.
type lengths uint64

const lengthsOther lengths = 1 << 63

// add notes the value v.
func (l *lengths) add(v []byte) {
	switch n := len(v) - 2; {
	case v[0] == '"' && (n >= 63 || n >= shortestForm && bytes.IndexByte(v, '\\') >= 0), v[0] == '[', v[0] == '{':
		*l |= lengthsOther
	case v[0] == '"':
		*l |= 1 << n
	}
}

// read validates the object at b[i], inside depth others, and returns the index
// after it, -1 if it is not valid JSON.
func (m *images) read(b []byte, i, depth int) int {
	shape := m.choose(b, i)
	m.lengths = 0
	for k := 0; ; k++ {
		value := -1
		if k < len(*shape) {
			value = (*shape)[k].Value(b, i)
		}
		if value < 0 {
			var last bool
			start := i
			if _, _, value, last = jsonscan.Member(b, i, k); last || value < 0 {
				return value
			}
			switch spelling := jsonscan.Spell(b[start:value]); {
			case k < len(*shape):
				(*shape)[k] = spelling
			case k < maxColumns:
				*shape = append(*shape, spelling)
			}
		}
		if i = jsonscan.SkipWithin(b, value, depth+1); i < 0 || i >= len(b) {
			return -1
		}
		m.lengths.add(b[value:i])
	}
}

// choose returns the shape whose first column is that of the image: the last
// one, else the first that fits, else the next to be replaced.
func (m *images) choose(b []byte, i int) *[]jsonscan.Spelling {
	if m.fits(m.last, b, i) {
		return &m.shapes[m.last]
	}
	for k := range m.shapes {
		if m.fits(k, b, i) {
			m.last = k
			return &m.shapes[k]
		}
	}
	m.last, m.next = m.next, (m.next+1)%len(m.shapes)
	return &m.shapes[m.last]
}

func (m *images) fits(k int, b []byte, i int) bool {
	return len(m.shapes[k]) > 0 && m.shapes[k][0].Value(b, i) >= 0
}
