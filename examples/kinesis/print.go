package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/envelope"
)

// A printer writes one line for each change.
type printer struct {
	w    io.Writer
	keys map[envelope.Table][]string
	all  bool // also for those that changed no row
}

// What a line holds at most, in bytes: names and keys can have megabytes.
const (
	maxText = 64
	maxLine = 240
)

// print shows what happened to a row: what was done, to which table and key, the
// size of the image and the commit time. A change that was older than its row,
// or came again, is "stale".
func (p *printer) print(c *envelope.Change, changed bool) error {
	if !changed && !p.all {
		return nil
	}
	did := c.Effect().String()
	if !changed {
		did = "stale"
	}
	var columns strings.Builder
	for _, name := range p.keys[envelope.Table{Schema: c.Table.Schema, Name: c.Table.Name}] {
		v, _ := c.Image().Get(name)
		if columns.Len() < maxLine {
			fmt.Fprintf(&columns, " %s=%s", clip(name, maxText), clip(string(v[:min(len(v), maxText+1)]), maxText))
		}
	}
	line := fmt.Sprintf("%-6s %s%s", did, clip(c.Table.String(), 2*maxText), &columns)
	_, err := fmt.Fprintf(p.w, "%s %d bytes %s\n", clip(line, maxLine), len(c.Image()), c.Version.Time().Format("2006-01-02T15:04:05.000000000Z07:00"))
	return err
}

// clip returns at most n bytes of a text, and nothing that moves the cursor.
func clip(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s)
}
