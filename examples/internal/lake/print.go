package lake

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// PrintLast prints the last n rows of a table by their key, without the columns
// to leave out. It returns the first error of writing, or of a row that is no
// JSON object.
func (t Table) PrintLast(w io.Writer, n int, leaveOut ...string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	keys := slices.Sorted(maps.Keys(t))
	for i, key := range keys[max(0, len(keys)-n):] {
		var names, values strings.Builder
		for column, err := range t[key].Columns() {
			if err != nil {
				return fmt.Errorf("lake: row %d: %w", key, err)
			}
			if name := string(column.AppendName(nil)); !slices.Contains(leaveOut, name) {
				fmt.Fprintf(&names, "\t%s", name)
				fmt.Fprintf(&values, "\t%s", column.Value.AppendText(nil))
			}
		}
		if i == 0 {
			fmt.Fprintln(out, &names)
		}
		fmt.Fprintln(out, &values)
	}
	return out.Flush()
}
