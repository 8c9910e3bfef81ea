package iceberg_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/envelope/icetype"
	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/stretchr/testify/require"
)

// Many rows, by which memory grows and is used again, with holes between them.
func TestManyRows(t *testing.T) {
	const keys = 1500
	s := &envelope.Schema{Key: []string{"d"}, Fields: []envelope.Field{
		{Name: "d", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 38, Scale: 1}},
		{Name: "n", Type: envelope.Type{Kind: envelope.KindInt}, Optional: true},
		{Name: "f", Type: envelope.Type{Kind: envelope.KindFloat}, Optional: true},
		{Name: "e", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 10, Scale: 2}, Optional: true},
		{Name: "t", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
	}}
	var b iceberg.Builder
	for round := range 4 {
		n := keys >> (3 * (round % 2)) // much, little, much
		var want []int
		for i := range n {
			key := fmt.Sprintf(`{"d":"%d.5"}`, -i)
			c := envelope.Change{Op: update, Table: items, Schema: s, After: envelope.Row(fmt.Sprintf(`{"d":"%d.5","n":%d,"f":%d.25,"e":"%d.75","t":"v%d"}`, -i, i, i, i, i*round))}
			if i%5 == 1 {
				c.After = envelope.Row(fmt.Sprintf(`{"d":"%d.5","n":null,"f":null,"e":null,"t":null}`, -i))
			}
			require.NoError(t, b.Add(&c))
			if i%3 == 2 {
				require.NoError(t, b.Add(&envelope.Change{Op: remove, Table: items, Schema: s, Key: envelope.Row(key)}))
				continue
			}
			want = append(want, i)
		}
		d := b.Flush("", "")[0]
		require.Equal(t, n, d.Keys.Len)
		require.Equal(t, len(want), d.Rows.Len)
		unscaled := func(i int) iceberg.Decimal {
			v := int64(-10*i - 5)
			if i == 0 {
				v = 5
			}
			return iceberg.Decimal{Hi: v >> 63, Lo: uint64(v)}
		}
		for i := range n {
			require.Equal(t, unscaled(i), d.Keys.Columns[0].Decimals[i])
		}
		c := d.Rows.Columns
		for at, i := range want {
			require.Equal(t, unscaled(i), c[0].Decimals[at])
			for col := 1; col < 5; col++ {
				require.Equal(t, i%5 == 1, c[col].Null[at])
			}
			if i%5 == 1 {
				i = 0
				require.Zero(t, c[3].Decimals[at])
				require.Empty(t, c[4].Value(at))
				require.Zero(t, c[1].Ints[at])
				require.Zero(t, c[2].Floats[at])
				continue
			}
			require.EqualValues(t, i, c[1].Ints[at])
			require.Equal(t, float64(i)+.25, c[2].Floats[at])
			require.Equal(t, iceberg.Decimal{Lo: uint64(100*i + 75)}, c[3].Decimals[at])
			require.Equal(t, fmt.Sprintf("v%d", i*round), string(c[4].Value(at)))
		}
	}
}

// What is read the short way is what icetype makes of it, at every limit.
func TestShortWays(t *testing.T) {
	for precision := 1; precision <= 20; precision++ {
		typ := icetype.Type{Kind: icetype.Decimal, Precision: precision, Scale: 1}
		s := &envelope.Schema{Key: []string{"id"}, Fields: []envelope.Field{
			{Name: "id", Type: envelope.Type{Kind: envelope.KindInt}},
			{Name: "v", Type: envelope.Type{Kind: envelope.KindDecimal}},
		}}
		mapping := map[envelope.Table]iceberg.Mapping{items: {Types: map[string]string{"v": typ.String()}}}
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
		for _, plus := range []int64{-1, 0, 1} {
			for _, sign := range []int64{-1, 1} {
				for scale := int32(-1); scale <= 2; scale++ {
					unscaled := new(big.Int).Mul(new(big.Int).Add(limit, big.NewInt(plus)), big.NewInt(sign))
					for _, n := range []*big.Int{unscaled, new(big.Int).Add(unscaled, new(big.Int).Lsh(big.NewInt(1), 64)), big.NewInt(0), big.NewInt(10)} {
						row := envelope.Row(fmt.Sprintf(`{"id":1,"v":"%v"}`, envelope.NewDecimal(n, scale)))
						var r envelope.RowReader
						require.NoError(t, r.Read(s, row))
						want, fault := typ.Decimal(r.Datum(1))
						b := iceberg.Builder{Mappings: mapping}
						err := b.Add(&envelope.Change{Op: create, Table: items, Schema: s, After: row})
						if fault != nil {
							require.ErrorIs(t, err, fault)
							continue
						}
						require.NoError(t, err)
						hi, lo, _ := want.Int128()
						require.Equal(t, iceberg.Decimal{Hi: hi, Lo: lo}, b.Flush("", "")[0].Rows.Columns[1].Decimals[0])
					}
				}
			}
		}
	}
}

// A record that is written otherwise goes into the same rows, its own way.
func TestWrittenOtherwise(t *testing.T) {
	var b iceberg.Builder
	b.Mappings = map[envelope.Table]iceberg.Mapping{items: {Types: map[string]string{"v": "string"}}}
	for i, kind := range []envelope.Kind{envelope.KindText, envelope.KindInt, envelope.KindText} {
		s := &envelope.Schema{Key: []string{"id"}, Fields: []envelope.Field{
			{Name: "id", Type: envelope.Type{Kind: envelope.KindInt}},
			{Name: "v", Type: envelope.Type{Kind: kind}},
		}}
		value := []string{`"a"`, `7`, `"b"`}[i]
		require.NoError(t, b.Add(&envelope.Change{Op: create, Table: items, Schema: s, After: envelope.Row(fmt.Sprintf(`{"id":%d,"v":%s}`, i, value))}))
	}
	d := b.Flush("", "")
	require.Len(t, d, 1)
	require.Equal(t, "a7b", string(d[0].Rows.Columns[1].Bytes))
}

// A decimal that was not sent is taken as a whole.
func TestUnsentDecimal(t *testing.T) {
	s := &envelope.Schema{Key: []string{"id"}, Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt}},
		{Name: "v", Type: envelope.Type{Kind: envelope.KindDecimal, Precision: 38}, Optional: true},
	}}
	var b iceberg.Builder
	for _, row := range []string{`{"id":1,"v":"-1"}`, `{"id":2,"v":"5"}`, `{"id":1}`} {
		require.NoError(t, b.Add(&envelope.Change{Op: update, Table: items, Schema: s, After: envelope.Row(row)}))
	}
	d := b.Flush("", "")[0]
	require.Empty(t, d.Gaps)
	require.Equal(t, iceberg.Decimal{Hi: -1, Lo: 1<<64 - 1}, d.Rows.Columns[1].Decimals[0])
}
