package jsonscan

import "bytes"

// A Field numbers a member that an [Object] knows, from 1 to 63; 0 is none.
type Field uint8

// A Span is where a value is: b[Start:End].
type Span struct{ Start, End int32 }

// An Object reads objects of one kind and notes where their known members are.
// It remembers how the members were spelled and ordered the last time, and looks
// for those spellings first. Its input has at most 2 GiB.
type Object struct {
	Names map[string]Field // the known members by name, escapes resolved
	Depth int              // how many objects are open inside this one, itself included

	// Within reads the value of a member whose bit is set in Nested, at b[i], and
	// returns the index after it, -1 if it is not valid.
	Nested uint64
	Within func(f Field, b []byte, i int) int

	Seen      uint64 // bit f: field f is present
	Members   int
	Duplicate Field // a known member that occurs twice, else 0
	At        [64]Span

	shape [32]struct {
		spelling Spelling
		field    Field
	}
}

// Has reports whether the object has the field.
func (o *Object) Has(f Field) bool { return o.Seen>>f&1 != 0 }

// Raw returns the value of a field, nil if it is absent or null.
func (o *Object) Raw(b []byte, f Field) []byte {
	if !o.Has(f) {
		return nil
	}
	s := o.At[f]
	if b[s.Start] == 'n' {
		return nil
	}
	return b[s.Start:s.End:s.End]
}

// Read validates the object at b[i] and returns the index after it, -1 if it is
// not valid JSON.
func (o *Object) Read(b []byte, i int) int {
	o.Seen, o.Members, o.Duplicate = 0, 0, 0
	for k := 0; ; k++ {
		f, value := Field(0), -1
		if k < len(o.shape) {
			f, value = o.shape[k].field, o.shape[k].spelling.Value(b, i)
		}
		if value < 0 {
			var last bool
			if f, value, last = o.name(b, i, k); last || value < 0 {
				return value
			}
		}
		switch {
		case value >= len(b):
			return -1
		case o.Nested>>f&1 != 0:
			i = o.Within(f, b, value)
		default:
			i = SkipWithin(b, value, o.Depth)
		}
		if i < 0 || i >= len(b) {
			return -1
		}
		o.Members++
		if f != 0 {
			if o.Has(f) && o.Duplicate == 0 {
				o.Duplicate = f
			}
			o.Seen |= 1 << f
			o.At[f] = Span{int32(value), int32(i)}
		}
		if b[i] == '}' { // sooner than to find that no spelling fits
			return i + 1
		}
	}
}

// maxSpelling is the longest spelling of a known name: six bytes for each of its
// own.
const maxSpelling = 6 * 64

// name reads from the opening brace or the end of the previous value at b[i] to
// the first byte of the next value. At the end of the object it returns the
// index after it and true.
func (o *Object) name(b []byte, i, k int) (f Field, value int, last bool) {
	start := i
	i, end, value, last := Member(b, i, k)
	if last || value < 0 {
		return 0, value, last
	}
	name := b[i+1 : end]
	if bytes.IndexByte(name, '\\') >= 0 && len(name) <= maxSpelling {
		name = AppendText(make([]byte, 0, maxSpelling), name)
	}
	f = o.Names[string(name)]
	if k < len(o.shape) {
		o.shape[k].spelling, o.shape[k].field = Spell(b[start:value]), f
	}
	return f, value, false
}
