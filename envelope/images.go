package envelope

import "github.com/rowdelta/rowdelta/internal/jsonscan"

// images reads row images. Like a level it remembers how the columns were
// spelled and ordered, of several tables at once, but not where they are.
type images struct {
	shapes [8][128]jsonscan.Spelling
	last   int // the shape that fitted last
	next   int // the one to replace
}

// read validates the object at b[i], inside depth others, and returns the index
// after it, -1 if it is not valid JSON.
func (m *images) read(b []byte, i, depth int) int {
	shape := m.choose(b, i)
	for k := 0; ; k++ {
		var value int
		if k < len(shape) && shape[k].Stands(b, i) {
			value = i + shape[k].Len()
		} else {
			var last bool
			start := i
			if _, _, value, last = jsonscan.Member(b, i, k); last || value < 0 {
				return value
			}
			if k < len(shape) {
				shape[k] = jsonscan.Spell(b[start:value])
			}
		}
		if i = jsonscan.SkipWithin(b, value, depth+1); i < 0 || i >= len(b) {
			return -1
		}
	}
}

// choose returns the shape whose first column is that of the image: the last
// one, else the first that fits, else the next to be replaced.
func (m *images) choose(b []byte, i int) *[128]jsonscan.Spelling {
	if m.shapes[m.last][0].Stands(b, i) {
		return &m.shapes[m.last]
	}
	for k := range m.shapes {
		if m.shapes[k][0].Stands(b, i) {
			m.last = k
			return &m.shapes[k]
		}
	}
	m.last, m.next = m.next, (m.next+1)%len(m.shapes)
	return &m.shapes[m.last]
}
