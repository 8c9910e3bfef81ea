package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A shout is a text with a mind of its own.
type shout string

func (s *shout) UnmarshalText(text []byte) error {
	if string(text) == "secret" {
		return fmt.Errorf("no %s here", text)
	}
	*s = shout(strings.ToUpper(string(text)))
	clear(text[:0])
	return nil
}

// A lengthOf is a number that can be written as text.
type lengthOf int

func (g *lengthOf) UnmarshalText(text []byte) error {
	*g = lengthOf(len(text))
	return nil
}

type angled struct{ text string }

func (f *angled) UnmarshalText(text []byte) error {
	f.text = "<" + string(text) + ">"
	return nil
}

type (
	structPair struct {
		A int8
		B Optional[string] `row:"b"`
	}
	labelText string
	octets    []uint8
	fourBytes [4]byte
)

// cell decodes a row of one column.
func decodeCell[T any](t Type, value string) (any, error) {
	s := &Schema{Fields: []Field{{Name: "v", Type: t}}}
	row := Row("{}")
	if value != "" {
		row = Row(`{"v":` + value + `}`)
	}
	v, err := As[struct {
		V T `row:"v"`
	}](s, row)
	return v.V, err
}

func pointerTo[T any](v T) *T { return &v }

func setTo[T any](v T) Optional[T] { return Optional[T]{Set, v} }

func bigRatio(text string) big.Rat {
	r, _ := new(big.Rat).SetString(text)
	return *r
}

func bigInteger(text string) big.Int {
	n, _ := new(big.Int).SetString(text, 10)
	return *n
}

func decimalText(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

var (
	boolColumn      = Type{Kind: KindBool}
	intColumn       = Type{Kind: KindInt, Bits: 64}
	uintColumn      = Type{Kind: KindUint, Bits: 64}
	doubleColumn    = Type{Kind: KindFloat, Bits: 64}
	realColumn      = Type{Kind: KindFloat, Bits: 32}
	numericColumn   = Type{Kind: KindDecimal, Form: FormUnscaled, Precision: 10, Scale: 2}
	wholeColumn     = Type{Kind: KindDecimal, Form: FormUnscaled, Precision: 20}
	freeColumn      = Type{Kind: KindDecimal}
	bytesColumn     = Type{Kind: KindBytes}
	bitsColumn      = Type{Kind: KindBits, Length: 12}
	uuidColumn      = Type{Kind: KindUUID}
	jsonColumn      = Type{Kind: KindJSON}
	dateColumn      = Type{Kind: KindDate, Form: FormDays}
	timeColumn      = Type{Kind: KindTime, Form: FormMicros}
	timestampColumn = Type{Kind: KindTimestamp, Form: FormMicros}
	instantColumn   = Type{Kind: KindInstant}
	durationColumn  = Type{Kind: KindDuration, Form: FormMicros}
	intervalColumn  = Type{Kind: KindInterval}
	geometryColumn  = Type{Kind: KindGeometry}
	intsColumn      = Type{Kind: KindList, Elem: &intColumn}
	textsColumn     = Type{Kind: KindList, Elem: &textType}
	mapColumn       = Type{Kind: KindMap, Elem: &intColumn}
	intMapColumn    = Type{Kind: KindMap, Key: &intColumn, Elem: &textType}
	pairColumn      = Type{Kind: KindStruct, Fields: []Field{{Name: "A", Type: intColumn}, {Name: "b", Type: textType, Optional: true}}}
	countsColumn    = Type{Kind: KindStruct, Fields: []Field{{Name: "x", Type: intColumn}, {Name: "y", Type: intColumn}}}
)

var someID = [16]byte{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0xff}

const (
	someIDText = `"123E4567-e89b-12d3-a456-4266141740ff"`
	unknown    = `"` + DefaultPlaceholder + `"`
)

var decodeCells = []struct {
	t      Type
	value  string // in JSON; "" if the row does not have it
	decode func(Type, string) (any, error)
	want   any // an error for what is to fail
}{
	{boolColumn, `true`, decodeCell[bool], true},
	{boolColumn, `true`, decodeCell[labelText], ErrType},
	{boolColumn, `true`, decodeCell[int], ErrType},
	{boolColumn, `true`, decodeCell[angled], angled{"<true>"}},
	{boolColumn, `null`, decodeCell[bool], ErrType},
	{boolColumn, `null`, decodeCell[*bool], (*bool)(nil)},
	{boolColumn, `false`, decodeCell[*bool], pointerTo(false)},

	{intColumn, `-128`, decodeCell[int8], int8(-128)},
	{intColumn, `-129`, decodeCell[int8], ErrType},
	{intColumn, `127`, decodeCell[int8], int8(127)},
	{intColumn, `128`, decodeCell[int8], ErrType},
	{intColumn, `32768`, decodeCell[int16], ErrType},
	{intColumn, `2147483647`, decodeCell[int32], int32(math.MaxInt32)},
	{intColumn, `2147483648`, decodeCell[int32], ErrType},
	{intColumn, `-9223372036854775808`, decodeCell[int64], int64(math.MinInt64)},
	{intColumn, `9007199254740993`, decodeCell[int], 9007199254740993},
	{intColumn, `255`, decodeCell[uint8], uint8(255)},
	{intColumn, `256`, decodeCell[uint8], ErrType},
	{intColumn, `-1`, decodeCell[uint64], ErrType},
	{intColumn, `1`, decodeCell[float64], ErrType},
	{intColumn, `1`, decodeCell[string], ErrType},
	{intColumn, `1`, decodeCell[time.Duration], ErrType},
	{intColumn, `1`, decodeCell[time.Month], time.January},
	{intColumn, `7`, decodeCell[lengthOf], lengthOf(7)},
	{intColumn, `7`, decodeCell[shout], shout("7")},
	{intColumn, `7`, decodeCell[json.Number], json.Number("7")},
	{intColumn, `-7`, decodeCell[Decimal], decimalText("-7")},
	{intColumn, `-7`, decodeCell[big.Int], bigInteger("-7")},
	{intColumn, `-7`, decodeCell[*big.Rat], pointerTo(bigRatio("-7"))},
	{intColumn, `1`, decodeCell[**int], ErrType},
	{intColumn, `1`, decodeCell[complex128], ErrType},
	{intColumn, `1`, decodeCell[fmt.Stringer], ErrType},
	{intColumn, `1`, decodeCell[[]byte], ErrType},
	{uintColumn, `18446744073709551615`, decodeCell[uint64], uint64(math.MaxUint64)},
	{uintColumn, `18446744073709551615`, decodeCell[int64], ErrType},
	{uintColumn, `65536`, decodeCell[uint16], ErrType},
	{uintColumn, `18446744073709551615`, decodeCell[big.Int], bigInteger("18446744073709551615")},
	{uintColumn, `18446744073709551615`, decodeCell[Decimal], decimalText("18446744073709551615")},

	{doubleColumn, `1.5e300`, decodeCell[float64], 1.5e300},
	{doubleColumn, `"-Infinity"`, decodeCell[float64], math.Inf(-1)},
	{doubleColumn, `1.5`, decodeCell[float32], ErrType},
	{doubleColumn, `1.5`, decodeCell[json.Number], json.Number("1.5")},
	{doubleColumn, `"NaN"`, decodeCell[json.Number], ErrType},
	{doubleColumn, `"Infinity"`, decodeCell[json.Number], ErrType},
	{doubleColumn, `1.5`, decodeCell[Decimal], ErrType},
	{doubleColumn, `1.5`, decodeCell[int], ErrType},
	{realColumn, `1.1`, decodeCell[float32], float32(1.1)},
	{realColumn, `1.1`, decodeCell[float64], float64(float32(1.1))},
	{realColumn, `"Infinity"`, decodeCell[float32], float32(math.Inf(1))},

	{numericColumn, `"BNI="`, decodeCell[Decimal], decimalText("12.34")},
	{numericColumn, `"BNI="`, decodeCell[string], "12.34"},
	{numericColumn, `"BNI="`, decodeCell[shout], shout("12.34")},
	{numericColumn, `"BNI="`, decodeCell[json.Number], json.Number("12.34")},
	{numericColumn, `"BNI="`, decodeCell[big.Rat], bigRatio("617/50")},
	{numericColumn, `"ASw="`, decodeCell[int], ErrType}, // 3.00: others of the column are no integers
	{numericColumn, `"ASw="`, decodeCell[big.Int], ErrType},
	{numericColumn, `"ASw="`, decodeCell[float64], ErrType},
	{wholeColumn, `"APL///////////"`, decodeCell[uint64], ErrType},
	{wholeColumn, `"AP//////////"`, decodeCell[uint64], uint64(math.MaxUint64)},
	{wholeColumn, `"AP//////////"`, decodeCell[int64], ErrType},
	{wholeColumn, `"/w=="`, decodeCell[int8], int8(-1)},
	{wholeColumn, `"/w=="`, decodeCell[uint], ErrType},
	{freeColumn, `"12e2"`, decodeCell[int], 1200},
	{freeColumn, `"12e2"`, decodeCell[uint16], uint16(1200)},
	{freeColumn, `"12e2"`, decodeCell[big.Rat], bigRatio("1200")},
	{freeColumn, `"0.5"`, decodeCell[int], ErrType},
	{freeColumn, `"0.5"`, decodeCell[uint], ErrType},
	{freeColumn, `"0.5"`, decodeCell[big.Int], ErrType},
	{freeColumn, `"NaN"`, decodeCell[int], ErrType},
	{freeColumn, `"NaN"`, decodeCell[uint], ErrType},
	{freeColumn, `"NaN"`, decodeCell[big.Int], ErrType},
	{freeColumn, `"NaN"`, decodeCell[big.Rat], ErrType},
	{freeColumn, `"Infinity"`, decodeCell[big.Rat], ErrType},
	{freeColumn, `"NaN"`, decodeCell[json.Number], ErrType},
	{freeColumn, `"-Infinity"`, decodeCell[json.Number], ErrType},
	{freeColumn, `"-Infinity"`, decodeCell[string], "-Infinity"},
	{freeColumn, `"NaN"`, decodeCell[Decimal], decimalText("NaN")},
	{freeColumn, `"340282366920938463463374607431768211456"`, decodeCell[big.Int], bigInteger("340282366920938463463374607431768211456")},
	{freeColumn, `"340282366920938463463374607431768211456"`, decodeCell[uint64], ErrType},
	{freeColumn, `"-18446744073709551616"`, decodeCell[uint64], ErrType},

	{textType, `"caf\u00e9"`, decodeCell[string], "café"},
	{textType, `""`, decodeCell[labelText], labelText("")},
	{textType, `"a"`, decodeCell[shout], shout("A")},
	{textType, `"\u0061"`, decodeCell[shout], shout("A")},
	{textType, `"secret"`, decodeCell[shout], ErrType},
	{textType, `"ab"`, decodeCell[lengthOf], lengthOf(2)},
	{textType, `"10.0.0.1"`, decodeCell[netip.Addr], netip.MustParseAddr("10.0.0.1")},
	{textType, `"a"`, decodeCell[[]byte], []byte("a")},
	{textType, `"a"`, decodeCell[json.RawMessage], ErrType},
	{textType, `"a"`, decodeCell[int], ErrType},
	{textType, `"a"`, decodeCell[json.Number], ErrType},
	{textType, `null`, decodeCell[string], ErrType},
	{textType, `null`, decodeCell[[]byte], ErrType},
	{textType, unknown, decodeCell[string], ErrMissing},
	{textType, unknown, decodeCell[*string], ErrMissing},
	{textType, unknown, decodeCell[any], Unavailable},
	{textType, unknown, decodeCell[Optional[string]], Optional[string]{State: Unavailable}},
	{textType, ``, decodeCell[string], ErrMissing},
	{textType, ``, decodeCell[*string], ErrMissing},
	{textType, ``, decodeCell[any], Missing},
	{textType, ``, decodeCell[Optional[string]], Optional[string]{}},
	{textType, `null`, decodeCell[Optional[string]], Optional[string]{State: Null}},
	{textType, `"a"`, decodeCell[Optional[string]], setTo("a")},
	{textType, `null`, decodeCell[Optional[*string]], Optional[*string]{State: Null}},
	{textType, `"a"`, decodeCell[Optional[*string]], setTo(pointerTo("a"))},
	{textType, `1`, decodeCell[string], ErrType}, // the reader's

	{bytesColumn, `"AAEC"`, decodeCell[[]byte], []byte{0, 1, 2}},
	{bytesColumn, `""`, decodeCell[[]byte], []byte{}},
	{bytesColumn, `"AAEC"`, decodeCell[octets], octets{0, 1, 2}},
	{bytesColumn, `"AAECAw=="`, decodeCell[fourBytes], fourBytes{0, 1, 2, 3}},
	{bytesColumn, `"AAEC"`, decodeCell[fourBytes], ErrType},
	{bytesColumn, `"AAECAwQ="`, decodeCell[fourBytes], ErrType},
	{bytesColumn, `"AAEC"`, decodeCell[string], ErrType},
	{bytesColumn, `"AAEC"`, decodeCell[shout], ErrType},
	{bytesColumn, `"AAEC"`, decodeCell[json.RawMessage], ErrType},
	{bytesColumn, `"AAEC"`, decodeCell[[3]int8], ErrType},
	{bitsColumn, `"BQE="`, decodeCell[string], "000100000101"},
	{bitsColumn, `"BQE="`, decodeCell[[]byte], ErrType},
	{uuidColumn, someIDText, decodeCell[[16]byte], someID},
	{uuidColumn, someIDText, decodeCell[string], strings.Trim(someIDText, `"`)},
	{uuidColumn, someIDText, decodeCell[[]byte], []byte(strings.Trim(someIDText, `"`))},
	{uuidColumn, someIDText, decodeCell[[15]byte], ErrType},
	{jsonColumn, `"{\"a\":1}"`, decodeCell[json.RawMessage], json.RawMessage(`{"a":1}`)},
	{jsonColumn, `"{\"a\":1}"`, decodeCell[string], `{"a":1}`},
	{jsonColumn, `"{\"a\":1}"`, decodeCell[Value], Value(`{"a":1}`)},
	{jsonColumn, `"{\"a\":1}"`, decodeCell[any], Value(`{"a":1}`)},

	{dateColumn, `-1`, decodeCell[time.Time], time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)},
	{dateColumn, `-1`, decodeCell[string], "1969-12-31"},
	{dateColumn, `-1`, decodeCell[int], ErrType},
	{dateColumn, `2147483647`, decodeCell[time.Time], ErrType},
	{dateColumn, `2147483647`, decodeCell[Moment], Moment{Infinity: 1}},
	{dateColumn, `-1`, decodeCell[Moment], Moment{Time: time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)}},
	{timestampColumn, `1500000`, decodeCell[time.Time], time.Unix(1, 5e8).UTC()},
	{timestampColumn, `1500000`, decodeCell[string], "1970-01-01T00:00:01.5"},
	{timestampColumn, `-9223372036832400000`, decodeCell[Moment], Moment{Infinity: -1}},
	{timestampColumn, `-9223372036832400000`, decodeCell[time.Time], ErrType},
	{timestampColumn, `-9223372036832400000`, decodeCell[any], Infinity(-1)},
	{timestampColumn, `-9223372036832400000`, decodeCell[Optional[time.Time]], ErrType},
	{timestampColumn, `1500000`, decodeCell[time.Duration], ErrType},
	{instantColumn, `"2026-01-02T03:04:05.000006Z"`, decodeCell[time.Time], time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
	{timeColumn, `86400000000`, decodeCell[time.Duration], 24 * time.Hour},
	{timeColumn, `1`, decodeCell[time.Time], ErrType},
	{timeColumn, `1`, decodeCell[int64], ErrType},
	{timeColumn, `1`, decodeCell[string], "00:00:00.000001"},
	{durationColumn, `1000`, decodeCell[time.Duration], time.Millisecond},
	{durationColumn, `1000`, decodeCell[Interval], Interval{Micros: 1000}},
	{durationColumn, `9223372036854775807`, decodeCell[time.Duration], ErrType},
	{durationColumn, `9223372036854775807`, decodeCell[Interval], Interval{Micros: math.MaxInt64}},
	{Type{Kind: KindDuration, Form: FormNanos}, `1`, decodeCell[Interval], ErrType},
	{intervalColumn, `"P1Y2DT3S"`, decodeCell[Interval], Interval{Months: 12, Days: 2, Micros: 3e6}},
	{intervalColumn, `"P1Y2DT3S"`, decodeCell[time.Duration], ErrType},
	{geometryColumn, `{"wkb":"AQI=","srid":4326}`, decodeCell[Geometry], Geometry{WKB: []byte{1, 2}, SRID: 4326, HasSRID: true}},
	{geometryColumn, `{"wkb":"AQI="}`, decodeCell[[]byte], ErrType},
	{geometryColumn, `{"wkb":"AQI="}`, decodeCell[string], ErrType},

	{intsColumn, `[1,2]`, decodeCell[[]int64], []int64{1, 2}},
	{intsColumn, `[]`, decodeCell[[]int64], []int64{}},
	{intsColumn, `null`, decodeCell[[]int64], ErrType},
	{intsColumn, `null`, decodeCell[*[]int64], (*[]int64)(nil)},
	{intsColumn, `[1,null]`, decodeCell[[]int64], ErrType},
	{intsColumn, `[1,null]`, decodeCell[[]*int64], []*int64{pointerTo(int64(1)), nil}},
	{intsColumn, `[1,null]`, decodeCell[[]Optional[int]], []Optional[int]{setTo(1), {State: Null}}},
	{intsColumn, `[1,null]`, decodeCell[[]any], []any{int64(1), nil}},
	{intsColumn, `[1,256]`, decodeCell[[]byte], ErrType},
	{intsColumn, `[1,255]`, decodeCell[[]byte], []byte{1, 255}},
	{intsColumn, ` [ 1 , 2 ] `, decodeCell[json.RawMessage], json.RawMessage(`[ 1 , 2 ]`)},
	{intsColumn, `[1,2]`, decodeCell[[2]int], ErrType},
	{intsColumn, `[1]`, decodeCell[[]string], ErrType},
	{intsColumn, `[1]`, decodeCell[map[string]int], ErrType},
	{textsColumn, `["\u0061","b\\n","\u0063"]`, decodeCell[[]string], []string{"a", `b\n`, "c"}},
	{textsColumn, `["\u0061","b"]`, decodeCell[[][]byte], [][]byte{[]byte("a"), []byte("b")}},
	{Type{Kind: KindList, Elem: &textsColumn}, `[["\u0061"],[],["b","\u0063"]]`, decodeCell[[][]string], [][]string{{"a"}, {}, {"b", "c"}}},
	{mapColumn, `{"a":1,"\u0062":2}`, decodeCell[map[string]int], map[string]int{"a": 1, "b": 2}},
	{mapColumn, `{"a":1,"b":null}`, decodeCell[map[shout]*int], map[shout]*int{"A": pointerTo(1), "B": nil}},
	{mapColumn, `{"a":1,"b":null}`, decodeCell[map[string]int], ErrType},
	{mapColumn, `{"a":1,"a":2}`, decodeCell[map[string]int], ErrDuplicate},
	{mapColumn, `{"a":1,"A":2}`, decodeCell[map[shout]int], ErrDuplicate},
	{mapColumn, `{"a":1}`, decodeCell[map[int]int], ErrType},
	{mapColumn, `{"a":1}`, decodeCell[map[any]int], map[any]int{"a": 1}},
	{mapColumn, `{}`, decodeCell[map[string]any], map[string]any{}},
	{intMapColumn, `[[1,"a"],[2,"b"]]`, decodeCell[map[int8]string], map[int8]string{1: "a", 2: "b"}},
	{intMapColumn, `[[1,"a"],[200,"b"]]`, decodeCell[map[int8]string], ErrType},
	{Type{Kind: KindMap, Key: &jsonColumn, Elem: &intColumn}, `[["a",1]]`, decodeCell[map[any]int], ErrType}, // a Value is no key
	{pairColumn, `{"A":1,"b":"x"}`, decodeCell[structPair], structPair{1, setTo("x")}},
	{pairColumn, `{"A":1}`, decodeCell[structPair], structPair{A: 1}},
	{pairColumn, `{"b":"x"}`, decodeCell[structPair], ErrMissing},
	{pairColumn, `{"A":300}`, decodeCell[structPair], ErrType},
	{pairColumn, `{"A":1,"b":null}`, decodeCell[map[string]any], map[string]any{"A": int64(1), "b": nil}},
	{pairColumn, `{"A":1}`, decodeCell[map[string]int], ErrType},
	{countsColumn, `{"x":1,"y":2}`, decodeCell[map[labelText]int], map[labelText]int{"x": 1, "y": 2}},
	{countsColumn, `{"x":1,"y":null}`, decodeCell[map[labelText]int], ErrType},
	{countsColumn, `{"x":1,"y":2}`, decodeCell[map[int]int], ErrType},
	{countsColumn, `{"x":1,"y":2}`, decodeCell[structPair], ErrMissing},
	{countsColumn, `{"x":1,"y":2}`, decodeCell[struct{ Y int }], struct{ Y int }{2}},
	{countsColumn, `{"x":1,"y":2}`, decodeCell[Value], Value(`{"x":1,"y":2}`)},

	{unknownType, `{"a":[1]}`, decodeCell[json.RawMessage], json.RawMessage(`{"a":[1]}`)},
	{unknownType, `1.50`, decodeCell[any], Value(`1.50`)},
	{unknownType, `1`, decodeCell[int], ErrType},
	{unknownType, `"a"`, decodeCell[string], ErrType},
	{unknownType, `"a"`, decodeCell[shout], ErrType},
	{unknownType, `null`, decodeCell[json.RawMessage], ErrType},
	{unknownType, `null`, decodeCell[any], nil},
	{Type{Kind: 99}, `1`, decodeCell[string], ErrType},
}

var sameNumbers = cmp.Options{
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b Decimal) bool { return a.Cmp(b) == 0 && a.Scale() == b.Scale() }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b angled) bool { return a == b }),
}

func TestDecodeCells(t *testing.T) {
	for _, c := range decodeCells {
		got, err := c.decode(c.t, c.value)
		name := fmt.Sprintf("%v %s to %T", &c.t, c.value, got)
		if cause, ok := c.want.(error); ok {
			fault, ok := errors.AsType[*DecodeError](err)
			if !ok || !errors.Is(err, cause) || !strings.HasPrefix(fault.Path, "/v") {
				t.Errorf("%s: %v, %v; want %v", name, got, err, cause)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: row data in %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := cmp.Diff(c.want, got, sameNumbers); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
