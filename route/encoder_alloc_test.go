//go:build !race

package route_test

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steady is a row of all types that allocate nothing.
func steady() (*envelope.Schema, envelope.Row) {
	schema, row := new(envelope.Schema), "{"
	for i, w := range ways {
		if w.from.Kind >= envelope.KindGeometry {
			continue
		}
		name := fmt.Sprintf("c%d", i)
		schema.Fields = append(schema.Fields, envelope.Field{Name: name, Type: w.from})
		row += fmt.Sprintf("%s%q:%s", map[bool]string{true: ","}[i > 0], name, w.value)
	}
	return schema, envelope.Row(row + "}")
}

func TestEncoderAllocations(t *testing.T) {
	schema, row := steady()
	e := new(route.Encoder)
	var dst []byte
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		var err error
		if dst, err = e.AppendRow(dst[:0], orders, schema, row); err != nil {
			t.Fatal(err)
		}
	}))
	require.Contains(t, string(dst), `"c5":"3.00"`)

	// Another scale, another size: still nothing, up to 128 bits.
	e = into("decimal(38,10)")
	one, number := typed(tDecimal), envelope.Row(`{"v":"123456789012345678901234567.5"}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		dst, _ = e.AppendRow(dst[:0], orders, one, number)
	}))
	assert.Equal(t, `{"v":"123456789012345678901234567.5000000000"}`, string(dst))
}

func BenchmarkEncoder(b *testing.B) {
	schema, row := steady()
	e := new(route.Encoder)
	var dst []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(row)))
	for b.Loop() {
		var err error
		if dst, err = e.AppendRow(dst[:0], orders, schema, row); err != nil {
			b.Fatal(err)
		}
	}
}
