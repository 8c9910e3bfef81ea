package committer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/envelope"
)

// The position survives that older snapshots are not shown: a catalog may show but the
// newest, and without its parent. Of a first snapshot there is nothing before.
func TestPositionOfTheNewestAlone(t *testing.T) {
	c := open(t, Options{})
	f := feed{schema: ints(32, "id", "n")}
	f.change(t, envelope.OpCreate, `{"id":1,"n":1}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	f.change(t, envelope.OpUpdate, `{"id":1,"n":2}`)
	require.NoError(t, c.Commit(t.Context(), f.flush(t)))
	info, err := c.Info(t.Context(), stock)
	require.NoError(t, err)
	text, err := os.ReadFile(strings.TrimPrefix(info.Metadata, "file://"))
	require.NoError(t, err)
	for sequence, want := range map[int]string{2: "000002", 1: ""} {
		var metadata map[string]any
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		require.NoError(t, d.Decode(&metadata))
		snapshots := metadata["snapshots"].([]any)
		newest := snapshots[len(snapshots)-1].(map[string]any)
		delete(newest, "parent-snapshot-id")
		newest["sequence-number"] = sequence
		for name := range newest["summary"].(map[string]any) {
			if strings.HasPrefix(name, propertyPrefix) {
				delete(newest["summary"].(map[string]any), name) // as of somebody else's snapshot
			}
		}
		metadata["snapshots"] = []any{newest}
		shown, err := json.Marshal(metadata)
		require.NoError(t, err)
		parsed, err := table.ParseMetadataBytes(shown)
		require.NoError(t, err)
		require.Equal(t, want, progressOf(table.New(nil, parsed, info.Metadata, nil, nil))[propertyPosition])
	}
}
