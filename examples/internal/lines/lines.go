// Package lines breaks text for a terminal.
package lines

import "strings"

// Fold breaks JSON into lines at its commas.
func Fold(text string) string {
	var lines strings.Builder
	width := 0
	for part := range strings.SplitAfterSeq(text, ",") {
		if width += len(part); width > 85 {
			lines.WriteString("\n          ")
			width = len(part)
		}
		lines.WriteString(part)
	}
	return lines.String()
}
