package committer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
)

// What it costs that a source does not send large values which did not change: deltas of
// 1000 updates to a table of a million rows, each with a text of 200 bytes, that have all
// columns, or lack the text. Their keys are all over the table, or close together.
func BenchmarkGaps(b *testing.B) {
	c, err := Local(b.TempDir(), Options{})
	require.NoError(b, err)
	defer c.Close()
	f := feed{schema: ints(64, "id", "n", "text")}
	f.schema.Fields[2].Type = envelope.Type{Kind: envelope.KindText}
	add := func(op envelope.Op, row string) {
		f.n++
		change := envelope.Change{Op: op, Table: stock, Schema: f.schema, After: envelope.Row(row)}
		require.NoError(b, f.builder.Add(&change))
	}
	commit := func() {
		for _, d := range f.builder.Flush(fmt.Sprintf("%09d", f.n-1), fmt.Sprintf("%09d", f.n)) {
			require.NoError(b, c.Commit(b.Context(), d))
		}
	}
	const rows = 1_000_000
	for id := range rows {
		add(envelope.OpCreate, fmt.Sprintf(`{"id":%d,"n":0,"text":"%0200d"}`, id, id*7919))
		if id%200_000 == 199_999 {
			commit()
		}
	}
	for _, bm := range []struct {
		name   string
		sent   bool
		stride int
	}{{"sent", true, rows / 1000}, {"unsent", false, rows / 1000}, {"unsent,close", false, 1}} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				for i := range 1000 {
					row := fmt.Sprintf(`{"id":%d,"n":%d`, 300_000*(1/bm.stride)+i*bm.stride, f.n)
					if bm.sent {
						row += `,"text":"` + strings.Repeat("x", 200) + `"`
					}
					add(envelope.OpUpdate, row+"}")
				}
				commit()
			}
		})
	}
}
