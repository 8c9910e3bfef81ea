package icetype

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/uuid"
)

// What does not fit.
var (
	ErrInfinite = errors.New("an infinity")
	ErrNaN      = errors.New("not a number")
	ErrRange    = errors.New("out of range")
	ErrFraction = errors.New("a fraction that would be lost")
	ErrInexact  = errors.New("digits that would be lost")
	ErrDigits   = errors.New("too many digits")
	ErrBoolean  = errors.New("neither 0 nor 1")
	ErrUUID     = errors.New("not a UUID")
	ErrDecimal  = errors.New("not a decimal")
	ErrLength   = errors.New("another length")
	ErrWay      = errors.New("no way into the type")
)

func kindsOf(kinds ...envelope.Kind) (set uint64) {
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// takes are the kinds that have a way into a type.
var takes = [Kinds]uint64{
	Boolean: kindsOf(envelope.KindBool, envelope.KindInt, envelope.KindUint),
	Int:     integral,
	Long:    integral | kindsOf(envelope.KindTime, envelope.KindDuration),
	Float:   numeric,
	Double:  numeric,
	Decimal: numeric | kindsOf(envelope.KindText),
	Date:    kindsOf(envelope.KindDate, envelope.KindTimestamp),
	Time:    kindsOf(envelope.KindTime, envelope.KindTimeTZ),

	Timestamp:   kindsOf(envelope.KindTimestamp, envelope.KindInstant, envelope.KindDate),
	TimestampTZ: kindsOf(envelope.KindTimestamp, envelope.KindInstant),

	TimestampNS:   kindsOf(envelope.KindTimestamp, envelope.KindInstant, envelope.KindDate),
	TimestampTZNS: kindsOf(envelope.KindTimestamp, envelope.KindInstant),

	String: ^uint64(0),
	UUID:   kindsOf(envelope.KindUUID, envelope.KindText),
	Fixed:  kindsOf(envelope.KindBytes, envelope.KindGeometry),
	Binary: kindsOf(envelope.KindBytes, envelope.KindGeometry),
	List:   kindsOf(envelope.KindList),
	Map:    kindsOf(envelope.KindMap),
	Struct: kindsOf(envelope.KindStruct),
}

var (
	integral = kindsOf(envelope.KindBool, envelope.KindInt, envelope.KindUint, envelope.KindDecimal)
	numeric  = kindsOf(envelope.KindInt, envelope.KindUint, envelope.KindDecimal, envelope.KindFloat)
)

// Takes reports whether values of a kind have a way into the type. Whether one fits is
// another question.
func (t Type) Takes(k envelope.Kind) bool { return takes[t.Kind]>>k&1 != 0 }

// holds reports whether there is a value, and of a kind that the type takes.
func (t Type) holds(d envelope.Datum) bool { return d.IsSet() && t.Takes(d.Kind()) }

// Whole returns a value that is set as what a column of the type holds: 0 or 1 of a
// boolean, an int or a long, the days of a date, the microseconds of a time since
// midnight, those of a timestamp since 1970, or its nanoseconds. The cause of what
// does not fit holds no row data.
func (t Type) Whole(d envelope.Datum) (int64, error) {
	if !t.holds(d) {
		return 0, ErrWay
	}
	switch t.Kind {
	case Boolean:
		return boolean(d)
	case Int:
		n, err := integer(d)
		if err == nil && n != int64(int32(n)) {
			err = ErrRange
		}
		return n, err
	case Long:
		return integer(d)
	case Date:
		return date(d)
	case Time:
		return clock(d)
	case Timestamp, TimestampTZ:
		return moment(d, time.Microsecond)
	case TimestampNS, TimestampTZNS:
		return moment(d, time.Nanosecond)
	}
	return 0, ErrWay
}

func boolean(d envelope.Datum) (int64, error) {
	if v, ok := d.Bool(); ok {
		return truth(v), nil
	}
	n, ok := d.Int64()
	if !ok || n>>1 != 0 {
		return 0, ErrBoolean
	}
	return n, nil
}

func truth(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

func integer(d envelope.Datum) (int64, error) {
	switch d.Kind() {
	case envelope.KindBool:
		v, _ := d.Bool()
		return truth(v), nil
	case envelope.KindDecimal:
		v, _ := d.Decimal()
		if err := number(v); err != nil {
			return 0, err
		}
		whole, ok := v.Rescale(0)
		if !ok {
			return 0, ErrFraction
		}
		n, ok := whole.Int64()
		if !ok {
			return 0, ErrRange
		}
		return n, nil
	case envelope.KindTime, envelope.KindDuration:
		v, ok := d.Duration()
		switch {
		case !ok:
			return 0, ErrRange
		case v%time.Microsecond != 0:
			return 0, ErrFraction
		}
		return v.Microseconds(), nil
	}
	n, ok := d.Int64()
	if !ok {
		return 0, ErrRange
	}
	return n, nil
}

// number returns why a decimal is not a number.
func number(v envelope.Decimal) error {
	switch {
	case v.IsNaN():
		return ErrNaN
	case v.Infinity() != 0:
		return ErrInfinite
	}
	return nil
}

const day = 24 * time.Hour

func date(d envelope.Datum) (int64, error) {
	if d.Infinity() != 0 {
		return 0, ErrInfinite
	}
	days, ok := d.Date()
	if !ok {
		v, _ := d.Time()
		seconds := v.Unix()
		if seconds%int64(day/time.Second) != 0 || v.Nanosecond() != 0 {
			return 0, ErrFraction
		}
		days = seconds / int64(day/time.Second)
	}
	if days != int64(int32(days)) {
		return 0, ErrRange
	}
	return days, nil
}

func clock(d envelope.Datum) (int64, error) {
	v, ok := d.Duration()
	switch {
	case !ok || v < 0 || v >= day:
		return 0, ErrRange
	case v%time.Microsecond != 0:
		return 0, ErrFraction
	}
	return v.Microseconds(), nil
}

func moment(d envelope.Datum, unit time.Duration) (int64, error) {
	if d.Infinity() != 0 {
		return 0, ErrInfinite
	}
	v, ok := d.Time()
	// One second less at either end spares a look at the last one's fraction.
	perSecond := int64(time.Second / unit)
	most := math.MaxInt64/perSecond - 1
	switch {
	case !ok || v.Unix() < -most || v.Unix() > most:
		return 0, ErrRange
	case v.Nanosecond()%int(unit) != 0:
		return 0, ErrFraction
	}
	return v.Unix()*perSecond + int64(v.Nanosecond()/int(unit)), nil
}

// Real returns a value that is set as what a column of type float or double holds,
// which can be NaN or infinite. An integer or a decimal fits if it is what the float
// is written as: 0.1 is hardly ever a float exactly.
func (t Type) Real(d envelope.Datum) (float64, error) {
	bits := 64
	switch {
	case !t.holds(d):
		return 0, ErrWay
	case t.Kind == Float:
		bits = 32
	case t.Kind != Double:
		return 0, ErrWay
	}
	if f, ok := d.Float64(); ok {
		if bits == 32 && float64(float32(f)) != f && !math.IsNaN(f) {
			return 0, ErrInexact
		}
		return f, nil
	}
	v, _ := d.Decimal()
	switch err := number(v); err {
	case ErrNaN:
		return math.NaN(), nil
	case ErrInfinite:
		return math.Inf(v.Infinity()), nil
	}
	var b [64]byte
	text, _ := v.AppendText(b[:0])
	f, err := strconv.ParseFloat(string(text), bits)
	if err != nil {
		return 0, ErrRange
	}
	back, err := envelope.ParseDecimal(string(strconv.AppendFloat(b[:0], f, 'e', -1, bits)))
	if err != nil || back.Cmp(v) != 0 {
		return 0, ErrInexact
	}
	return f, nil
}

// Decimal returns a value that is set as what a column of type decimal holds, with
// the type's scale.
func (t Type) Decimal(d envelope.Datum) (envelope.Decimal, error) {
	if t.Kind != Decimal || !t.holds(d) {
		return envelope.Decimal{}, ErrWay
	}
	v, ok := d.Decimal()
	if !ok {
		var err error
		if v, err = parseNumber(d); err != nil {
			return v, err
		}
	}
	if err := number(v); err != nil {
		return v, err
	}
	if v.Sign() != 0 && v.Digits()-v.Scale() > t.Precision-t.Scale {
		return v, ErrDigits
	}
	if v, ok = v.Rescale(t.Scale); !ok {
		return v, ErrFraction
	}
	return v, nil
}

// parseNumber returns the decimal that a text is, or a float's shortest text.
func parseNumber(d envelope.Datum) (envelope.Decimal, error) {
	text, isText := d.Bytes()
	if f, ok := d.Float64(); ok {
		if math.IsInf(f, 0) {
			return envelope.Decimal{}, ErrInfinite
		}
		bits := 64
		if n := d.Type().Bits; n != 0 && n <= 32 {
			bits = 32
		}
		var b [32]byte
		text = strconv.AppendFloat(b[:0], f, 'e', -1, bits)
	} else if !isText {
		return envelope.Decimal{}, ErrDecimal
	}
	v, err := envelope.ParseDecimal(string(text))
	if err != nil {
		return v, ErrDecimal
	}
	return v, nil
}

// AppendBytes appends a value that is set as what a column of type string, uuid, fixed
// or binary holds: its canonical text, the 16 bytes of a UUID, its bytes.
func (t Type) AppendBytes(dst []byte, d envelope.Datum) ([]byte, error) {
	if !t.holds(d) {
		return dst, ErrWay
	}
	v, _ := d.Bytes()
	switch t.Kind {
	case String:
		return d.AppendText(dst), nil
	case UUID:
		id, ok := uuid.Parse(v)
		if !ok {
			return dst, ErrUUID
		}
		return append(dst, id[:]...), nil
	case Fixed, Binary:
		if g, ok := d.Geometry(); ok {
			v = g.WKB
		}
		if t.Kind == Fixed && len(v) != t.Length {
			return dst, ErrLength
		}
		return append(dst, v...), nil
	}
	return dst, ErrWay
}
