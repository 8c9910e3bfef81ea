package jsonscan

// Shapes remembers how the members of objects of several kinds, the rows of
// some tables, are spelled and ordered. The zero Shapes is ready to use.
type Shapes struct {
	known [8]Shape
	last  int // the one that fitted last
	next  int // the one to replace
}

// A Shape is one of them: what stands before each value.
type Shape struct{ before []Spelling }

// maxMembers is how many members of a shape are remembered.
const maxMembers = 256

// Of returns the shape for the object at b[i], the one whose first member is the
// object's: the last one, else the first that fits, else the next to be
// replaced. It is valid until the next call.
func (s *Shapes) Of(b []byte, i int) *Shape {
	if s.known[s.last].fits(b, i) {
		return &s.known[s.last]
	}
	for k := range s.known {
		if s.known[k].fits(b, i) {
			s.last = k
			return &s.known[k]
		}
	}
	s.last, s.next = s.next, (s.next+1)%len(s.known)
	return &s.known[s.last]
}

func (s *Shape) fits(b []byte, i int) bool {
	return len(s.before) > 0 && s.before[0].Value(b, i) >= 0
}

// Value is [Member] without the name: it goes by the shape where that fits, and
// learns where it does not.
func (s *Shape) Value(b []byte, i, k int) (value int, last bool) {
	if k < len(s.before) {
		if value = s.before[k].Value(b, i); value >= 0 {
			return value, false
		}
	}
	_, _, value, last = Member(b, i, k)
	if last || value < 0 {
		return value, last
	}
	switch {
	case k < len(s.before):
		s.before[k] = Spell(b[i:value])
	case k < maxMembers:
		s.before = append(s.before, Spell(b[i:value]))
	}
	return value, false
}

// Skip is [SkipWithin] for the object at b[i], by the shape it had the last time.
func (s *Shapes) Skip(b []byte, i, depth int) int {
	shape := s.Of(b, i)
	for k := 0; ; k++ {
		value, last := shape.Value(b, i, k)
		if last || value < 0 {
			return value
		}
		if i = SkipWithin(b, value, depth+1); i < 0 || i >= len(b) {
			return -1
		}
		if b[i] == '}' {
			return i + 1
		}
	}
}
