package dsql

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCompareSequence(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"0", "0", 0},
		{"9", "10", -1},
		{"10", "9", 1},
		{"07", "7", 0},
		{"00", "0", 0},
		{"010", "9", 1},
		{"18446744073709551616", "18446744073709551615", 1},
		{"49601189658422359378836298521827638475320189012309704722", "49601189658422359378836298522902373528957594348623495186", -1},
	} {
		require.Equal(t, c.want, compareSequence(c.a, c.b), "%s and %s", c.a, c.b)
	}
}

func TestIsSequence(t *testing.T) {
	for _, s := range []string{"0", "007", "49601189658422359378836298521827638475320189012309704722"} {
		require.True(t, isSequence(s), s)
	}
	for _, s := range []string{"", "-1", "+1", "1 ", "1.0", "1e3", "0x1", "TRIM_HORIZON", "١", "1:", "/1"} {
		require.False(t, isSequence(s), s)
	}
}

// As math/big has it.
func TestCompareSequenceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`0{0,2}[0-9]{1,60}`).Draw(t, "a")
		b := rapid.OneOf(rapid.StringMatching(`0{0,2}[0-9]{1,60}`), rapid.StringMatching(`0{0,3}`+a)).Draw(t, "b")
		x, _ := new(big.Int).SetString(a, 10)
		y, _ := new(big.Int).SetString(b, 10)
		if got, want := compareSequence(a, b), x.Cmp(y); got != want {
			t.Fatalf("compareSequence(%s, %s) = %d, want %d", a, b, got, want)
		}
	})
}
