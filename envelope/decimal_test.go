package envelope

import (
	"encoding/base64"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawBig draws integers of all sizes, more often at the ends of 64 and 128 bits.
func drawBig(t *rapid.T) *big.Int {
	n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "bytes"))
	if shift := rapid.SampledFrom([]uint{0, 7, 63, 64, 126, 127, 128}).Draw(t, "shift"); shift > 0 {
		n = new(big.Int).Lsh(big.NewInt(1), shift)
		n.Add(n, big.NewInt(rapid.Int64Range(-2, 2).Draw(t, "near")))
	}
	if rapid.Bool().Draw(t, "negative") {
		n.Neg(n)
	}
	return n
}

// rat returns d as a fraction.
func rat(d Decimal) *big.Rat {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.Scale(), -d.Scale()))), nil)
	if d.Scale() < 0 {
		return new(big.Rat).SetInt(power.Mul(power, d.Unscaled()))
	}
	return new(big.Rat).SetFrac(d.Unscaled(), power)
}

func TestDecimalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, scale := drawBig(t), rapid.IntRange(-40, 60).Draw(t, "scale")
		d := NewDecimal(n, int32(scale))
		if got := d.Unscaled(); got.Cmp(n) != 0 || d.Scale() != scale || d.Sign() != n.Sign() || d.IsNaN() || d.Infinity() != 0 {
			t.Fatalf("%v / 10^%d came back as %v / 10^%d", n, scale, got, d.Scale())
		}
		if got, want := d.Digits(), len(new(big.Int).Abs(n).String()); got != want {
			t.Fatalf("%v has %d digits, want %d", n, got, want)
		}
		text := d.String()
		if got, ok := new(big.Rat).SetString(text); !ok || got.Cmp(rat(d)) != 0 {
			t.Fatalf("%v / 10^%d is written %s", n, scale, text)
		}
		if digits := len(text) - strings.IndexByte(text, '.') - 1; scale > 0 && digits != scale || scale <= 0 && strings.Contains(text, ".") {
			t.Fatalf("%s has other than %d digits behind the point", text, scale)
		}
		again, err := ParseDecimal(text)
		if err != nil || again.Cmp(d) != 0 || again.Scale() != max(scale, 0) {
			t.Fatalf("%s was read as %v with scale %d: %v", text, again, again.Scale(), err)
		}
		if f, _ := rat(d).Float64(); f != d.Float64() {
			t.Fatalf("%s is the float %v, want %v", text, d.Float64(), f)
		}
		n64, isInt := d.Int64()
		if want := rat(d); isInt != (want.IsInt() && want.Num().IsInt64()) || isInt && n64 != want.Num().Int64() {
			t.Fatalf("%s is the integer %d, %v", text, n64, isInt)
		}
	})
}

func TestDecimalsCompareAndRescale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDecimal(drawBig(t), rapid.Int32Range(-20, 30).Draw(t, "scale"))
		e := NewDecimal(drawBig(t), rapid.Int32Range(-20, 30).Draw(t, "scale"))
		if rapid.Bool().Draw(t, "near") { // the same number, or nearly, at another scale
			if r, ok := d.Rescale(rapid.IntRange(-20, 50).Draw(t, "scale")); ok {
				e = NewDecimal(new(big.Int).Add(r.Unscaled(), big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "more"))), int32(r.Scale()))
			}
		}
		if got, want := d.Cmp(e), rat(d).Cmp(rat(e)); got != want || e.Cmp(d) != -want {
			t.Fatalf("%v against %v: %d, want %d", d, e, got, want)
		}
		scale := rapid.IntRange(-40, 60).Draw(t, "scale")
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
		want := new(big.Rat).SetInt(power)
		if scale < 0 {
			want.Inv(want)
		}
		want.Mul(want, rat(d))
		r, ok := d.Rescale(scale)
		if ok != want.IsInt() || ok && (r.Unscaled().Cmp(want.Num()) != 0 || r.Scale() != scale) {
			t.Fatalf("%v with scale %d: %v, %v", d, scale, r, ok)
		}
	})
}

func TestSpecialDecimals(t *testing.T) {
	for text, want := range map[string]struct {
		canonical string
		infinity  int
		nan       bool
	}{
		"NaN": {"NaN", 0, true}, "NAN": {"NaN", 0, true},
		"Infinity": {"Infinity", 1, false}, "POSITIVE_INFINITY": {"Infinity", 1, false}, "+Infinity": {"Infinity", 1, false},
		"-Infinity": {"-Infinity", -1, false}, "NEGATIVE_INFINITY": {"-Infinity", -1, false},
	} {
		d, err := ParseDecimal(text)
		if err != nil || d.String() != want.canonical || d.Infinity() != want.infinity || d.IsNaN() != want.nan {
			t.Errorf("%s: %v, %v", text, d, err)
		}
		if _, ok := d.Rescale(2); ok {
			t.Errorf("%s has a scale", text)
		}
		if f := d.Float64(); want.nan != math.IsNaN(f) || !want.nan && !math.IsInf(f, want.infinity) {
			t.Errorf("%s is the float %v", text, f)
		}
	}
	order := []string{"-Infinity", "-1e40", "-1.5", "0", "0.001", "12e3", "1e40", "Infinity", "NaN"}
	for i, a := range order {
		for j, b := range order {
			x, _ := ParseDecimal(a)
			y, _ := ParseDecimal(b)
			if got, want := x.Cmp(y), map[bool]int{true: 1, false: 0}[i > j]-map[bool]int{true: 1, false: 0}[i < j]; got != want {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
}

func TestDecimalLimits(t *testing.T) {
	for _, text := range []string{"", ".", "-", "+-1", "1e", "1e+", "e1", "1.2.3", " 1", "1 ", "0x1", "1_0", "infinity", "nan", "1e999999999", "1e-999999999", "1e1000000000", "1e150001", strings.Repeat("9", MaxDigits+1)} {
		if d, err := ParseDecimal(text); err == nil {
			t.Errorf("%.20s is %.20s", text, d)
		}
	}
	for _, text := range []string{"5.", ".5", "+.5e1", "1e149999", "0e0", strings.Repeat("9", MaxDigits)} {
		if _, err := ParseDecimal(text); err != nil {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	if _, ok := NewDecimal(big.NewInt(1), 0).Rescale(MaxDigits); ok {
		t.Error("more digits than there may be")
	}
	var d Decimal
	if err := d.UnmarshalText([]byte("x")); err == nil || d.String() != "0" {
		t.Errorf("%v, %v", d, err)
	}
}

var decimalGrammar = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,9})?$`)

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "12.50", "1e3", "1E-7", ".5", "5.", "99999999999999999999999999999999999999", "170141183460469231731687303715884105728", "-1e+5", "NaN", "00012"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if d.special != 0 {
			return
		}
		if grammatical := decimalGrammar.MatchString(s); err == nil && !grammatical {
			t.Fatalf("%q was taken for %v", s, d)
		} else if err != nil {
			if grammatical && len(s) < 5 { // nothing in these is beyond the limits
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if len(s) > 40 {
			return
		}
		if want, ok := new(big.Rat).SetString(s); !ok || want.Cmp(rat(d)) != 0 {
			t.Fatalf("%q is %v", s, d)
		}
	})
}

// javaBytes returns what BigInteger.toByteArray does, and more of the same in front.
func javaBytes(n *big.Int, more int) []byte {
	size := n.BitLen()/8 + 1 + more
	if n.Sign() >= 0 {
		return n.FillBytes(make([]byte, size))
	}
	return new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))).FillBytes(make([]byte, size))
}

func TestUnscaledDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, scale := drawBig(t), rapid.IntRange(-10, 40).Draw(t, "scale")
		text := base64.StdEncoding.EncodeToString(javaBytes(n, rapid.IntRange(0, 3).Draw(t, "more")))
		typ := Type{Kind: KindDecimal, Form: FormUnscaled, Scale: scale}
		var d Datum
		if err := typ.read(&d, Value(`"`+text+`"`), new(arena)); err != nil {
			t.Fatal(err)
		}
		if v, ok := d.Decimal(); !ok || v.Unscaled().Cmp(n) != 0 || v.Scale() != scale {
			t.Fatalf("%v came as %v", n, v)
		}
	})
}

// Of each number of digits the least and the greatest, either side of 64 bits.
func TestDigits(t *testing.T) {
	for n := 1; n <= 38; n++ {
		for _, text := range []string{"1" + strings.Repeat("0", n-1), strings.Repeat("9", n)} {
			for _, sign := range []string{"", "-"} {
				d, err := ParseDecimal(sign + text)
				if err != nil || d.Digits() != n {
					t.Errorf("%s%s: %d digits, %v", sign, text, d.Digits(), err)
				}
			}
		}
	}
	if n := (Decimal{}).Digits(); n != 1 {
		t.Errorf("0: %d digits", n)
	}
	for bit := range 64 {
		for _, n := range []uint64{1 << bit, 1<<bit - 1} {
			if d := (Decimal{lo: n}); d.Digits() != len(strconv.FormatUint(n, 10)) {
				t.Errorf("%d: %d digits", n, d.Digits())
			}
		}
	}
}
