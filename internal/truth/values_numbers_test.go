package truth_test

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
)

func (c *cell) integer() error {
	if err := c.kind(envelope.KindInt); err != nil {
		return err
	}
	want, ok := new(big.Int).SetString(c.text, 10)
	got, isInt := c.d.Int64()
	if !ok || !isInt || want.Cmp(big.NewInt(got)) != 0 {
		return errOther
	}
	return c.reads(want.String())
}

// float compares bits, so that -0 is not 0; any NaN is NaN.
func (c *cell) float(want string) error {
	if err := c.kind(envelope.KindFloat); err != nil {
		return err
	}
	got, ok := c.d.Float64()
	if !ok {
		return errOther
	}
	bits := 64
	if c.d.Type().Bits == 32 { // the double that is the same as the float
		bits = 32
	}
	f, err := strconv.ParseFloat(want, bits)
	if same := math.IsNaN(got) && math.IsNaN(f) || math.Float64bits(got) == math.Float64bits(f); err != nil || !same {
		return errOther
	}
	return c.readsFloat(f, bits)
}

// readsFloat compares the canonical text by its digits: those of the shortest text
// that is the same float, wherever it puts the point.
func (c *cell) readsFloat(f float64, bits int) error {
	got := string(c.d.AppendText(nil))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return c.reads(map[bool]string{math.IsNaN(f): "NaN", f > 0: "Infinity", f < 0: "-Infinity"}[true])
	}
	read, err := strconv.ParseFloat(got, bits)
	if err != nil || read != f || math.Signbit(read) != math.Signbit(f) || significant(got) != significant(strconv.FormatFloat(f, 'e', -1, bits)) {
		return fmt.Errorf("%w: %q for %g", errText, got, f)
	}
	return nil
}

// significant returns a number's digits without sign, point, exponent and zeros at
// either end.
func significant(s string) string {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "-"), "e")
	return strings.Trim(strings.Replace(s, ".", "", 1), "0")
}

// number compares a decimal in the mode of the connector.
func (c *cell) number(want string) error {
	if c.sql == "decimal zerofill" {
		want = strings.TrimLeft(want, "0")
		if want[0] == '.' {
			want = "0" + want
		}
	}
	switch c.set.decimals {
	case "string":
		if c.negativeScale() {
			got, ok := c.d.Bytes()
			if !ok || !sameNumber(string(got), want) {
				return errOther
			}
			want = string(got)
		}
		return c.plain(envelope.KindText, want)
	case "double":
		if err := c.float(want); err != nil {
			return err
		}
		f, _ := c.d.Float64()
		exact := new(big.Rat).SetFloat64(f) // nil for NaN and infinities
		number, ok := new(big.Rat).SetString(want)
		c.rounded = exact != nil && ok && exact.Cmp(number) != 0
		return nil
	}
	read := want
	switch {
	case c.negativeScale(): // a scale of 11 bits without a sign
		read += "." + strings.Repeat("0", 2048+c.args[1])
	case c.sql == "numeric" && len(c.args) == 0 && strings.Contains(read, "."): // of any scale: no zeros at the end
		read = strings.TrimSuffix(strings.TrimRight(read, "0"), ".")
	}
	return c.decimal(want, read)
}

func (c *cell) negativeScale() bool { return len(c.args) == 2 && c.args[1] < 0 }

// decimal compares a decimal as a fraction, and with the text that it reads.
func (c *cell) decimal(want, read string) error {
	if err := c.kind(envelope.KindDecimal); err != nil {
		return err
	}
	got, ok := c.d.Decimal()
	if !ok {
		return errOther
	}
	number, known := new(big.Rat).SetString(want)
	if !known || got.IsNaN() || got.Infinity() != 0 || got.Scale() < 0 {
		return errOther
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(got.Scale())), nil)
	if new(big.Rat).SetFrac(got.Unscaled(), power).Cmp(number) != 0 {
		return errOther
	}
	if got.String() != read {
		return errText
	}
	return c.reads(read)
}
