package iceberg

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
)

// A class is how values of a type are kept.
type class uint8

const (
	whole   class = iota // one word
	real                 // one word, the bits of the float
	decimal              // two words, the lower half first
	bytes                // two words: where in the arena they begin, and end
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

// A place is where the values of a column are in a row, and how.
type place struct {
	column int
	class  class
	word   int
	typ    icetype.Type
	way    way
	limit  int64 // of decimalWay: ten to the power of the precision
}

// A way is how values of the source's type get there.
type way uint8

const (
	anyWay     way = iota // as the type tells
	intWay                // an integer into long
	textWay               // text into string
	decimalWay            // a decimal into one of at most 18 digits
	momentWay             // a timestamp or an instant into one of microseconds
)

// wayOf returns the way from a type of the source. In the short ones, which are those
// of most columns, there is nothing that does not fit, or it is told at a glance.
func wayOf(from *envelope.Type, to icetype.Type) way {
	switch {
	case from.Kind == envelope.KindInt && to.Kind == icetype.Long:
		return intWay
	case from.Kind == envelope.KindText && to.Kind == icetype.String:
		return textWay
	case from.Kind == envelope.KindDecimal && to.Kind == icetype.Decimal && to.Precision <= 18:
		return decimalWay
	case from.Kind == envelope.KindTimestamp && to.Kind == icetype.Timestamp, from.Kind == envelope.KindInstant && to.Kind == icetype.TimestampTZ:
		return momentWay
	}
	return anyWay
}

// A row is the values of one row: the state of each column, and the words of those
// that are Set.
type row struct {
	states []envelope.State
	words  []uint64
}

// take sets a column to what another row has in it.
func (r *row) take(p *place, from *row) {
	r.states[p.column] = from.states[p.column]
	r.words[p.word] = from.words[p.word]
	if p.class >= decimal {
		r.words[p.word+1] = from.words[p.word+1]
	}
}

// slots are rows under way, each at its number for as long as the delta is being made.
// They are kept row by row, since changes come so, and in two pieces, which are used
// again for the next delta: new memory costs as much as all else that is done here.
// Bytes are in one arena, in which those of overwritten values stay until the end.
type slots struct {
	places []place // by column
	stride int     // words in a row
	states []envelope.State
	words  []uint64
	arena  []byte
}

// begin makes slots of the columns.
func (s *slots) begin(columns []Column) {
	s.places, s.stride = s.places[:0], 0
	for i := range columns {
		p := place{column: i, class: classOf(columns[i].Type), word: s.stride, typ: columns[i].Type}
		s.places = append(s.places, p)
		s.stride++
		if p.class >= decimal {
			s.stride++
		}
	}
}

// from says what rows are made of.
func (s *slots) from(source *envelope.Schema) {
	for i := range s.places {
		p := &s.places[i]
		if p.way = wayOf(&source.Fields[i].Type, p.typ); p.way == decimalWay {
			p.limit = int64(math.Pow10(p.typ.Precision))
		}
	}
}

// reset removes all rows.
func (s *slots) reset() {
	s.states, s.words, s.arena = reused(s.states), reused(s.words), reused(s.arena)
}

// reused returns a slice to be used again. What was needed but once goes.
func reused[S ~[]E, E any](s S) S {
	if len(s) < cap(s)/4 {
		return nil
	}
	return s[:0]
}

// room returns a slice with room for n more. It doubles: append adds but a quarter to
// what is large, and copies everything four times.
func room[S ~[]E, E any](s S, n int) S {
	if len(s)+n > cap(s) {
		s = slices.Grow(s, max(n, len(s)))
	}
	return s
}

// blank returns a row of its own, whose columns are Missing.
func (s *slots) blank() row {
	return row{make([]envelope.State, len(s.places)), make([]uint64, s.stride)}
}

// row returns the row of a slot.
func (s *slots) row(slot int) row {
	n, w := len(s.places), s.stride
	return row{s.states[slot*n : (slot+1)*n : (slot+1)*n], s.words[slot*w : (slot+1)*w : (slot+1)*w]}
}

// add adds a slot, whose columns are Missing.
func (s *slots) add() {
	n := len(s.states)
	s.states, s.words = room(s.states, len(s.places)), room(s.words, s.stride)
	s.states, s.words = s.states[:n+len(s.places)], s.words[:len(s.words)+s.stride]
	clear(s.states[n:])
}

// convert sets a column of a row to what its type holds of a value.
func (s *slots) convert(r *row, p *place, d *envelope.Datum) error {
	state := d.State()
	r.states[p.column] = state
	if state != envelope.Set {
		return nil
	}
	words := r.words[p.word:]
	switch p.way {
	case intWay:
		n, _ := d.Int64()
		words[0] = uint64(n)
		return nil
	case textWay:
		text, _ := d.Bytes()
		start := len(s.arena)
		s.arena = append(room(s.arena, len(text)), text...)
		words[0], words[1] = uint64(start), uint64(len(s.arena))
		return nil
	case decimalWay:
		v, _ := d.Decimal()
		hi, lo, ok := v.Int128()
		if n := int64(lo); ok && v.Scale() == p.typ.Scale && hi == n>>63 && -p.limit < n && n < p.limit {
			words[0], words[1] = lo, uint64(hi)
			return nil
		}
	case momentWay:
		v, ok := d.Time()
		const most = 1 << 43 // s, of which the microseconds fit well
		if sec, nsec := v.Unix(), v.Nanosecond(); ok && -most < sec && sec < most && nsec%1000 == 0 {
			words[0] = uint64(sec*1e6 + int64(nsec/1000))
			return nil
		}
	}
	switch p.class {
	case whole:
		n, err := p.typ.Whole(*d)
		words[0] = uint64(n)
		return err
	case real:
		f, err := p.typ.Real(*d)
		words[0] = math.Float64bits(f)
		return err
	case decimal:
		v, err := p.typ.Decimal(*d)
		if err != nil {
			return err
		}
		hi, lo, ok := v.Int128()
		if !ok {
			return icetype.ErrDigits
		}
		words[0], words[1] = lo, uint64(hi)
		return nil
	}
	start := len(s.arena)
	arena, err := p.typ.AppendBytes(s.arena, *d)
	if err != nil {
		return err
	}
	s.arena = arena
	words[0], words[1] = uint64(start), uint64(len(arena))
	return nil
}

// appendKey appends a column so that different values never look alike.
func (s *slots) appendKey(dst []byte, r *row, p *place) []byte {
	if r.states[p.column] != envelope.Set {
		return append(dst, 0)
	}
	words := r.words[p.word:]
	switch p.class {
	case bytes:
		return appendBytes(dst, s.arena[words[0]:words[1]])
	case decimal:
		return appendDecimal(dst, words[1], words[0])
	}
	return appendWord(dst, words[0])
}

func appendWord(dst []byte, word uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 1), word)
}

func appendDecimal(dst []byte, hi, lo uint64) []byte {
	return binary.BigEndian.AppendUint64(appendWord(dst, hi), lo)
}

func appendBytes(dst, value []byte) []byte {
	return append(binary.AppendUvarint(append(dst, 1), uint64(len(value))), value...)
}
