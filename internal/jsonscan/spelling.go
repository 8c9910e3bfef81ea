package jsonscan

import "encoding/binary"

// A Spelling is the bytes that stand between two values, from the end of one to
// the first byte of the next, as in `,"ts_ms":`. Objects of one kind hardly ever
// differ there, and bytes that are the same as ones that were parsed need no
// parsing: where a Spelling stands, so do the name and the punctuation that it
// was made of. The zero Spelling stands nowhere.
//
// It holds up to 32 bytes as words to compare under masks: no call, and no
// branch on the length. Longer ones are not kept.
type Spelling struct {
	word, mask [4]uint64
	n          int
}

// Spell returns the Spelling of b, the zero one if b is too long.
func Spell(b []byte) Spelling {
	var text, mask [32]byte
	if len(b) > len(text) {
		return Spelling{}
	}
	for i := range b {
		text[i], mask[i] = b[i], 0xff
	}
	s := Spelling{n: len(b)}
	for i := range s.word {
		s.word[i], s.mask[i] = binary.LittleEndian.Uint64(text[8*i:]), binary.LittleEndian.Uint64(mask[8*i:])
	}
	return s
}

// Value returns the index of the first byte of the value behind the spelling, if
// it stands at b[i], and -1 if not. Near the end of b, where there are too few
// bytes to compare, it says no.
func (s *Spelling) Value(b []byte, i int) int {
	if i+16 > len(b) || s.n == 0 {
		return -1
	}
	if (word(b, i)^s.word[0])&s.mask[0]|(word(b, i+8)^s.word[1])&s.mask[1] != 0 || s.n > 16 && !s.tail(b, i) {
		return -1
	}
	if i += s.n; i < len(b) && b[i] <= ' ' { // white space that was not there the last time
		i = Space(b, i)
	}
	return i
}

// tail compares the second half.
func (s *Spelling) tail(b []byte, i int) bool {
	if i+32 > len(b) {
		return false
	}
	return (word(b, i+16)^s.word[2])&s.mask[2]|(word(b, i+24)^s.word[3])&s.mask[3] == 0
}

// Member reads from the opening brace of an object (k is 0) or the end of the
// previous value at b[i] to the first byte of the k-th value: the indexes of the
// name's quotes and of the value. At the end of the object value is the index
// after it and last is true. If the input is not valid, value is -1.
func Member(b []byte, i, k int) (start, end, value int, last bool) {
	if k == 0 {
		if i >= len(b) || b[i] != '{' {
			return i, i, -1, false
		}
		if i = Space(b, i+1); i < len(b) && b[i] == '}' {
			return i, i, i + 1, true
		}
	} else if i, last = Next(b, i, '}'); last || i < 0 {
		return i, i, i, last
	}
	end, value = Name(b, i)
	return i, end, value, false
}
