package iceberg

import (
	"encoding/binary"
	"math"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
)

// A cell is the value of one column. What its word holds follows from the column's
// type.
type cell struct {
	state envelope.State
	word  uint64 // a whole number, the bits of a float, the lower half of a decimal, or where bytes begin
	more  uint64 // the upper half of a decimal, or where bytes end
}

// A class is how values of a type are kept.
type class uint8

const (
	whole class = iota
	real
	decimal
	bytes
)

func classOf(t icetype.Type) class {
	switch t.Kind {
	case icetype.Float, icetype.Double:
		return real
	case icetype.Decimal:
		return decimal
	case icetype.String, icetype.UUID, icetype.Fixed, icetype.Binary:
		return bytes
	}
	return whole
}

// slots are rows under way, each at its number for as long as the delta is being made.
// Bytes are in one arena, in which those of overwritten values stay until the end.
type slots struct {
	width int
	cells []cell
	arena []byte
}

// row returns the cells of a slot.
func (s *slots) row(slot int) []cell {
	return s.cells[slot*s.width : (slot+1)*s.width : (slot+1)*s.width]
}

// add adds a slot, whose cells are Missing.
func (s *slots) add() { s.cells = append(s.cells, make([]cell, s.width)...) }

// convert sets a cell to what a column of the type holds of a value.
func (s *slots) convert(c *cell, d envelope.Datum, t icetype.Type) error {
	*c = cell{state: d.State()}
	if c.state != envelope.Set {
		return nil
	}
	switch classOf(t) {
	case real:
		f, err := t.Real(d)
		c.word = math.Float64bits(f)
		return err
	case decimal:
		v, err := t.Decimal(d)
		if err != nil {
			return err
		}
		hi, lo, ok := v.Int128()
		if !ok {
			return icetype.ErrDigits
		}
		c.word, c.more = lo, uint64(hi)
		return nil
	case bytes:
		start := len(s.arena)
		arena, err := t.AppendBytes(s.arena, d)
		if err != nil {
			return err
		}
		s.arena = arena
		c.word, c.more = uint64(start), uint64(len(arena))
		return nil
	}
	n, err := t.Whole(d)
	c.word = uint64(n)
	return err
}

// appendKey appends a cell so that different values never look alike.
func (s *slots) appendKey(dst []byte, c *cell, t icetype.Type) []byte {
	if c.state != envelope.Set {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch classOf(t) {
	case bytes:
		dst = binary.AppendUvarint(dst, c.more-c.word)
		return append(dst, s.arena[c.word:c.more]...)
	case decimal:
		dst = binary.BigEndian.AppendUint64(dst, c.more)
	}
	return binary.BigEndian.AppendUint64(dst, c.word)
}

// vectors returns some columns of some slots, with memory of their own.
func (s *slots) vectors(all []Column, some, rows []int) Rows {
	out := Rows{Len: len(rows), Columns: make([]Vector, len(all))}
	for _, col := range some {
		v := &out.Columns[col]
		v.Null = make([]bool, len(rows))
		switch classOf(all[col].Type) {
		case real:
			v.Floats = make([]float64, len(rows))
		case decimal:
			v.Decimals = make([]Decimal, len(rows))
		case bytes:
			size := 0
			for _, slot := range rows {
				if c := &s.cells[slot*s.width+col]; c.state == envelope.Set {
					size += int(c.more - c.word)
				}
			}
			v.Bytes, v.Ends = make([]byte, 0, size), make([]int32, 1, len(rows)+1)
		default:
			v.Ints = make([]int64, len(rows))
		}
		for i, slot := range rows {
			s.put(v, i, &s.cells[slot*s.width+col])
		}
	}
	return out
}

// put sets the i-th value of a vector, or null.
func (s *slots) put(v *Vector, i int, c *cell) {
	set := c.state == envelope.Set
	v.Null[i] = !set
	switch {
	case v.Ends != nil:
		if set {
			v.Bytes = append(v.Bytes, s.arena[c.word:c.more]...)
		}
		v.Ends = append(v.Ends, int32(len(v.Bytes)))
	case !set:
	case v.Floats != nil:
		v.Floats[i] = math.Float64frombits(c.word)
	case v.Decimals != nil:
		v.Decimals[i] = Decimal{Hi: int64(c.more), Lo: c.word}
	default:
		v.Ints[i] = int64(c.word)
	}
}
