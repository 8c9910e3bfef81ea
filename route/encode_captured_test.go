package route_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One workload went through connectors of two settings: in one times are numbers, in the other ISO 8601 text. They are
// encoded to the same rows but for what differs before the encoder has it, column by column.
func TestEncodeCaptured(t *testing.T) {
	differ := map[string]string{
		"t_bytea.b":    "binary.handling.mode=base64-url-safe makes it text",
		"t_text.nm":    "a name is null in streamed records where it is of a known type",
		"t_notnull.ts": "now() of two runs",
		"t_notnull.u":  "a random UUID of each run",
	}
	for _, encoder := range []route.Encoder{{Misfit: route.MisfitNull}, {Misfit: route.MisfitNull, Nested: true}} {
		var rows [2][]answer
		var seen [2][]outcome
		for i, name := range []string{"types-precise", "types-isostring"} {
			f := firehose(observe(&seen[i]))
			f.Encode = &encoder
			rows[i] = invoke(t, f, msk.event(captured(t, name)...))
		}
		require.Len(t, rows[1], len(rows[0]))
		same, met := 0, map[string]bool{}
		for i := range rows[0] {
			table := seen[0][i].Table.Name
			require.Equal(t, table, seen[1][i].Table.Name)
			require.Equal(t, seen[0][i].Op, seen[1][i].Op)
			require.Equal(t, seen[0][i].Reason, seen[1][i].Reason, "%v %v", seen[0][i].Err, seen[1][i].Err)
			if rows[0][i].Result != "Ok" {
				// What is really there looks like the placeholder's map, or is an array of one text that does.
				require.Equal(t, route.Unavailable, seen[0][i].Reason, "%s: %v", table, seen[0][i].Err)
				continue
			}
			var precise, iso map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(rows[0][i].Payload), &precise))
			require.NoError(t, json.Unmarshal([]byte(rows[1][i].Payload), &iso))
			for name, v := range precise { // the other has columns of unknown types too
				column := table + "." + name
				if why, ok := differ[column]; ok && string(v) != string(iso[name]) {
					met[why] = true
					continue
				}
				assert.Equal(t, string(v), string(iso[name]), "%s of row %s", column, precise["id"])
				same++
			}
		}
		assert.Len(t, met, len(differ), "what no longer differs need not be named")
		assert.Greater(t, same, 800)
		if t.Failed() {
			return
		}
	}
}

var update = flag.Bool("update", false, "write the golden file anew")

// The first captured row of each table, encoded.
func TestEncodeGolden(t *testing.T) {
	const file = "testdata/types-precise.encoded.jsonl"
	var seen []outcome
	f := firehose(observe(&seen))
	f.Encode = &route.Encoder{Misfit: route.MisfitNull}
	var got strings.Builder
	met := map[string]bool{}
	for i, a := range invoke(t, f, msk.event(captured(t, "types-precise")...)) {
		if table := seen[i].Table.Name; !met[table] {
			met[table] = true
			got.WriteString(a.Payload)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.Split(string(want), "\n"), strings.Split(got.String(), "\n"))
}
