package envelope

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A wideRow has a field of every type that a row can be decoded to, one for each
// column of wideSchema.
type wideRow struct {
	Bool     bool
	Tiny     int8
	Big      int64
	Unsigned uint64
	Double   float64
	Real     float32
	Numeric  Decimal
	Exact    big.Rat
	Whole    *big.Int
	Text     string
	Label    labelText
	Bytes    []byte
	ID       [16]byte
	JSON     json.RawMessage
	Date     time.Time
	Stamp    Moment
	Instant  *time.Time
	Clock    time.Duration
	Span     Interval
	Shape    Geometry
	List     []Optional[int32]
	Map      map[string]string
	Pair     structPair
	Maybe    Optional[uint16]
}

var wideSchema = &Schema{Fields: []Field{
	{Name: "Bool", Type: boolColumn}, {Name: "Tiny", Type: Type{Kind: KindInt, Bits: 16}}, {Name: "Big", Type: intColumn},
	{Name: "Unsigned", Type: uintColumn}, {Name: "Double", Type: doubleColumn}, {Name: "Real", Type: realColumn},
	{Name: "Numeric", Type: numericColumn}, {Name: "Exact", Type: numericColumn}, {Name: "Whole", Type: freeColumn},
	{Name: "Text", Type: textType}, {Name: "Label", Type: textType}, {Name: "Bytes", Type: bytesColumn},
	{Name: "ID", Type: uuidColumn}, {Name: "JSON", Type: jsonColumn}, {Name: "Date", Type: dateColumn},
	{Name: "Stamp", Type: timestampColumn}, {Name: "Instant", Type: instantColumn}, {Name: "Clock", Type: timeColumn},
	{Name: "Span", Type: durationColumn}, {Name: "Shape", Type: geometryColumn},
	{Name: "List", Type: intsColumn}, {Name: "Map", Type: Type{Kind: KindMap, Elem: &textType}},
	{Name: "Pair", Type: pairColumn}, {Name: "Maybe", Type: intColumn},
}}

// anyRow draws a row and, written apart from it, its JSON.
func anyRow(t *rapid.T) (r wideRow, members []string) {
	member := func(name, value string) { members = append(members, fmt.Sprintf("%q:%s", name, value)) }
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab\"\\\n/é漢😀\u2028<")), 0, 20, -1)
	unscaled := func(n *big.Int) string { // two's complement, as java.math.BigInteger writes it
		size := n.BitLen()/8 + 1
		m := new(big.Int).Mod(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
		return quoted(base64.StdEncoding.EncodeToString(m.FillBytes(make([]byte, size))))
	}
	wide := func(name string) *big.Int {
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, name))
		if rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		return n
	}
	r.Bool = rapid.Bool().Draw(t, "bool")
	member("Bool", fmt.Sprint(r.Bool))
	r.Tiny = rapid.Int8().Draw(t, "tiny")
	member("Tiny", fmt.Sprint(r.Tiny))
	r.Big = rapid.Int64().Draw(t, "big")
	member("Big", fmt.Sprint(r.Big))
	r.Unsigned = rapid.Uint64().Draw(t, "unsigned")
	member("Unsigned", fmt.Sprint(r.Unsigned))
	r.Double = rapid.Float64().Draw(t, "double")
	member("Double", fmt.Sprint(r.Double))
	r.Real = rapid.Float32().Draw(t, "real")
	member("Real", fmt.Sprint(r.Real))
	n := wide("numeric")
	r.Numeric = NewDecimal(n, 2)
	member("Numeric", unscaled(n))
	n = wide("exact")
	r.Exact = *big.NewRat(1, 100)
	r.Exact.Mul(&r.Exact, new(big.Rat).SetInt(n))
	member("Exact", unscaled(n))
	if r.Whole = wide("whole"); rapid.Bool().Draw(t, "no whole") {
		r.Whole = nil
		member("Whole", "null")
	} else {
		member("Whole", quoted(r.Whole.String()+".00"))
	}
	r.Text = text.Draw(t, "text")
	member("Text", quoted(r.Text))
	r.Label = labelText(text.Draw(t, "label"))
	member("Label", quoted(string(r.Label)))
	r.Bytes = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	member("Bytes", quoted(base64.StdEncoding.EncodeToString(r.Bytes)))
	copy(r.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	member("ID", fmt.Sprintf(`"%x-%x-%x-%x-%x"`, r.ID[:4], r.ID[4:6], r.ID[6:8], r.ID[8:10], r.ID[10:]))
	r.JSON = json.RawMessage(`{"a":` + quoted(text.Draw(t, "json")) + `}`)
	member("JSON", quoted(string(r.JSON)))
	days := rapid.Int32Range(-700_000, 3_000_000).Draw(t, "days")
	r.Date = time.Date(1970, 1, 1+int(days), 0, 0, 0, 0, time.UTC)
	member("Date", fmt.Sprint(days))
	if micros := rapid.Int64Range(-1<<60, 1<<60).Draw(t, "micros"); micros%2 == 0 {
		r.Stamp.Time = time.UnixMicro(micros).UTC()
		member("Stamp", fmt.Sprint(micros))
	} else {
		r.Stamp.Infinity = 1
		member("Stamp", "9223372036825200000")
	}
	if at := time.UnixMicro(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "instant")).UTC(); at.UnixMicro()%3 != 0 {
		r.Instant = &at
		member("Instant", quoted(at.In(time.FixedZone("", 3600)).Format(time.RFC3339Nano)))
	} else {
		member("Instant", "null")
	}
	r.Clock = time.Duration(rapid.Int64Range(0, 86_400e6).Draw(t, "clock")) * time.Microsecond
	member("Clock", fmt.Sprint(r.Clock.Microseconds()))
	r.Span.Micros = rapid.Int64().Draw(t, "span")
	member("Span", fmt.Sprint(r.Span.Micros))
	r.Shape = Geometry{WKB: rapid.SliceOfN(rapid.Byte(), 1, 30).Draw(t, "wkb"), SRID: rapid.Int32().Draw(t, "srid"), HasSRID: true}
	member("Shape", fmt.Sprintf(`{"wkb":%q,"srid":%d}`, base64.StdEncoding.EncodeToString(r.Shape.WKB), r.Shape.SRID))
	r.List = []Optional[int32]{}
	items := []string{}
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		if n := rapid.Int32().Draw(t, "item"); n%2 == 0 {
			r.List = append(r.List, setTo(n))
			items = append(items, fmt.Sprint(n))
		} else {
			r.List = append(r.List, Optional[int32]{State: Null})
			items = append(items, "null")
		}
	}
	member("List", "["+strings.Join(items, " , ")+"]")
	r.Map = rapid.MapOf(text, text).Draw(t, "map")
	object, _ := json.Marshal(r.Map)
	member("Map", string(object))
	r.Pair.A = rapid.Int8().Draw(t, "a")
	if r.Pair.B = setTo(text.Draw(t, "b")); rapid.Bool().Draw(t, "b is there") {
		member("Pair", fmt.Sprintf(`{"b":%s,"A":%d}`, quoted(r.Pair.B.V), r.Pair.A))
	} else {
		r.Pair.B = Optional[string]{}
		member("Pair", fmt.Sprintf(`{"A":%d}`, r.Pair.A))
	}
	switch r.Maybe.State = State(rapid.IntRange(0, 3).Draw(t, "state")); r.Maybe.State {
	case Null:
		member("Maybe", "null")
	case Unavailable:
		member("Maybe", unknown)
	case Set:
		r.Maybe.V = rapid.Uint16().Draw(t, "maybe")
		member("Maybe", fmt.Sprint(r.Maybe.V))
	}
	return r, members
}

// A row that was written from a struct is decoded to it: by one reader, into a struct
// that had other values, with the columns in any order. What came of the row before
// stays as it is.
func TestDecodeWritten(t *testing.T) {
	var r RowReader
	var v, last, lastWant wideRow
	rapid.Check(t, func(t *rapid.T) {
		want, members := anyRow(t)
		row := Row("{" + strings.Join(rapid.Permutation(members).Draw(t, "order"), ", ") + "}")
		if err := r.Decode(wideSchema, row, &v); err != nil {
			t.Fatal(err)
		}
		clear(row)
		if d := cmp.Diff(want, v, sameNumbers); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(lastWant, last, sameNumbers); d != "" {
			t.Fatal("the struct before it changed: ", d)
		}
		last, lastWant = v, want
	})
}

// An integer goes into each type of integer exactly if it fits.
func TestDecodeRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := new(big.Int).Lsh(big.NewInt(int64(rapid.IntRange(-2, 2).Draw(t, "factor"))), uint(rapid.IntRange(0, 70).Draw(t, "power")))
		n.Add(n, big.NewInt(int64(rapid.IntRange(-2, 2).Draw(t, "more"))))
		check := func(name string, v any, err error, low, high *big.Int) {
			fits := n.Cmp(low) >= 0 && n.Cmp(high) <= 0
			if (err == nil) != fits || fits && fmt.Sprint(v) != n.String() {
				t.Errorf("%s: %v is %v, %v", name, n, v, err)
			}
		}
		text := `"` + n.String() + `"`
		for _, c := range []struct {
			name   string
			bits   uint
			signed bool
			decode func(Type, string) (any, error)
		}{
			{"int8", 8, true, decodeCell[int8]}, {"int16", 16, true, decodeCell[int16]},
			{"int32", 32, true, decodeCell[int32]}, {"int64", 64, true, decodeCell[int64]},
			{"uint8", 8, false, decodeCell[uint8]}, {"uint16", 16, false, decodeCell[uint16]},
			{"uint32", 32, false, decodeCell[uint32]}, {"uint64", 64, false, decodeCell[uint64]},
		} {
			low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), c.bits)
			if c.signed {
				high.Rsh(high, 1)
				low.Neg(high)
			}
			high.Sub(high, big.NewInt(1))
			v, err := c.decode(freeColumn, text)
			check(c.name, v, err, low, high)
			if n.IsInt64() {
				v, err = c.decode(intColumn, n.String())
				check(c.name, v, err, low, high)
			}
			if n.IsUint64() {
				v, err = c.decode(uintColumn, n.String())
				check(c.name, v, err, low, high)
			}
		}
	})
}

func TestDecodeAllocates(t *testing.T) {
	type fixed struct {
		Bool     bool
		Tiny     int8
		Big      int64
		Unsigned uint64
		Double   float64
		Real     float32
		Numeric  Decimal
		ID       [16]byte
		Date     time.Time
		Stamp    Moment
		Instant  time.Time
		Clock    time.Duration
		Span     Interval
		Maybe    Optional[uint16]
		Inner    Optional[time.Time]
	}
	s := &Schema{Fields: append(slices.Clone(wideSchema.Fields), Field{Name: "Inner", Type: dateColumn})}
	row := Row(`{"Bool":true,"Tiny":1,"Big":2,"Unsigned":3,"Double":1.5,"Real":2.5,"Numeric":"BNI=","Exact":"BNI=","Whole":"1","Text":"a\nb","Label":"x",` +
		`"Bytes":"AAEC","ID":` + someIDText + `,"JSON":"{}","Date":1,"Stamp":2,"Instant":"2026-01-02T03:04:05Z","Clock":1,"Span":2,` +
		`"Shape":{"wkb":"AQI="},"List":[1],"Map":{"a":"b"},"Pair":{"A":1},"Maybe":5,"Inner":7}`)
	var r RowReader
	var v fixed
	if n := testing.AllocsPerRun(100, func() {
		if err := r.Decode(s, row, &v); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if v.Maybe.V != 5 || v.Numeric.String() != "12.34" || v.ID != someID {
		t.Errorf("%+v", v)
	}
	var text struct {
		Text string
		List []Optional[int32]
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := r.Decode(s, row, &text); err != nil {
			t.Fatal(err)
		}
	}); n > 4 { // the string, the slice, and what it takes to walk the array
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	row := Row(`{"Bool":true,"Tiny":1,"Big":2,"Unsigned":3,"Double":1.5,"Real":2.5,"Numeric":"BNI=","Exact":"BNI=","Whole":"1","Text":"a\nb","Label":"x",` +
		`"Bytes":"AAEC","ID":` + someIDText + `,"JSON":"{}","Date":1,"Stamp":2,"Instant":"2026-01-02T03:04:05Z","Clock":1,"Span":2,` +
		`"Shape":{"wkb":"AQI="},"List":[1],"Map":{"a":"b"},"Pair":{"A":1},"Maybe":5}`)
	var r RowReader
	var v wideRow
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Decode(wideSchema, row, &v); err != nil {
			b.Fatal(err)
		}
	}
}

// An integer that was copied out of the struct keeps its digits.
func TestDecodeReplacesIntegers(t *testing.T) {
	s := &Schema{Fields: []Field{{Name: "N", Type: intColumn}, {Name: "R", Type: intColumn}}}
	var r RowReader
	var v, last struct {
		N big.Int
		R big.Rat
	}
	for n := int64(1); n < 4; n++ {
		last = v
		if err := r.Decode(s, fmt.Appendf(nil, `{"N":%d,"R":%d}`, n, n), &v); err != nil {
			t.Fatal(err)
		}
		if last.N.Int64() != n-1 || last.R.Cmp(big.NewRat(n-1, 1)) != 0 || v.N.Int64() != n {
			t.Error(&last.N, &last.R, &v.N)
		}
	}
}
