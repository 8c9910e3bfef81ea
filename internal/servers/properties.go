package servers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Properties is a Java configuration: names and values as the program sees them, without the file format's escapes.
type Properties map[string]string

// with returns the properties of p and of q; where both have one, q's.
func (p Properties) with(q Properties) Properties {
	r := maps.Clone(p)
	if r == nil {
		r = Properties{}
	}
	maps.Copy(r, q)
	return r
}

// text returns p as a .properties file, sorted by name.
func (p Properties) text() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		escape(&b, name, true)
		b.WriteByte('=')
		escape(&b, p[name], false)
		b.WriteByte('\n')
	}
	return b.String()
}

// write makes the file.
func (p Properties) write(tb testing.TB, path string) {
	tb.Helper()
	write(tb, path, p.text())
}

// escape writes what java.util.Properties reads back as s. In a name, what would end it is escaped as well.
func escape(b *strings.Builder, s string, name bool) {
	for i, r := range s {
		switch {
		case r == '\\', name && strings.ContainsRune("=: #!", r), r == ' ' && i == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(b, `\u%04x`, u)
			}
		}
	}
}
