package iceberg

import (
	"math"

	"github.com/rowdelta/rowdelta/envelope"
)

// block is how many rows are taken apart at once: so many that the columns' inner loops
// are long, and so few that they stay in the processor's first caches.
const block = 256

// vectors returns some columns of some slots, with memory of their own.
func (s *slots) vectors(columns, rows []int) Rows {
	out := Rows{Len: len(rows), Columns: make([]Vector, len(s.places))}
	sizes := s.sizes(columns, rows)
	for i, col := range columns {
		v := &out.Columns[col]
		v.Null = make([]bool, len(rows))
		switch s.places[col].class {
		case whole:
			v.Ints = make([]int64, len(rows))
		case real:
			v.Floats = make([]float64, len(rows))
		case decimal:
			v.Decimals = make([]Decimal, len(rows))
		case bytes:
			v.Bytes, v.Ends = make([]byte, 0, sizes[i]), make([]int32, 1, len(rows)+1)
		}
	}
	for from := 0; from < len(rows); from += block {
		some := rows[from:min(from+block, len(rows))]
		for _, col := range columns {
			s.gather(&out.Columns[col], &s.places[col], from, some)
		}
	}
	return out
}

// sizes returns how many bytes the values of each of the columns have.
func (s *slots) sizes(columns, rows []int) []int {
	sizes := make([]int, len(columns))
	for i, col := range columns {
		p := &s.places[col]
		if p.class != bytes {
			continue
		}
		for _, slot := range rows {
			if s.states[slot*len(s.places)+col] == envelope.Set {
				at := slot*s.stride + p.word
				sizes[i] += int(s.words[at+1] - s.words[at])
			}
		}
	}
	return sizes
}

// gather sets the values of a vector, from an index on, to a column of some slots. Of
// what is null the value stays 0, or empty.
func (s *slots) gather(v *Vector, p *place, from int, slots []int) {
	null := v.Null[from : from+len(slots)]
	for i, slot := range slots {
		null[i] = s.states[slot*len(s.places)+p.column] != envelope.Set
	}
	word := func(i int) []uint64 { return s.words[slots[i]*s.stride+p.word:] }
	switch p.class {
	case whole:
		for i := range slots {
			if !null[i] {
				v.Ints[from+i] = int64(word(i)[0])
			}
		}
	case real:
		for i := range slots {
			if !null[i] {
				v.Floats[from+i] = math.Float64frombits(word(i)[0])
			}
		}
	case decimal:
		for i := range slots {
			if !null[i] {
				w := word(i)
				v.Decimals[from+i] = Decimal{Hi: int64(w[1]), Lo: w[0]}
			}
		}
	case bytes:
		for i := range slots {
			if !null[i] {
				w := word(i)
				v.Bytes = append(v.Bytes, s.arena[w[0]:w[1]]...)
			}
			v.Ends = append(v.Ends, int32(len(v.Bytes)))
		}
	}
}
