package uuid

import (
	"fmt"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

var grammar = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func TestUUID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := [Size]byte(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "id"))
		format := rapid.SampledFrom([]string{"%x-%x-%x-%x-%x", "%X-%X-%X-%X-%X"}).Draw(t, "format")
		text := []byte(fmt.Sprintf(format, id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
		if got, ok := Parse(text); !ok || got != id {
			t.Fatalf("%s is %x", text, got)
		}
		if rapid.Bool().Draw(t, "change") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		text = text[:rapid.IntRange(max(0, len(text)-2), len(text)).Draw(t, "length")]
		want := grammar.Match(text)
		if _, ok := Parse(text); ok != want || Is(text) != want {
			t.Fatalf("%q: %v", text, ok)
		}
	})
}
