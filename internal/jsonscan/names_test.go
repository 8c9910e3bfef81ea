package jsonscan

import (
	"strings"
	"testing"
)

func TestNamesAreBounded(t *testing.T) {
	var n Names
	for i := range 3 * maxNames {
		name := strings.Repeat("n", 1+i%7) + string(rune('a'+i%26)) + strings.Repeat(`\u0041`, i%3) + string(rune(0x4e00+i))
		want := strings.ReplaceAll(name, `\u0041`, "A")
		if got := n.Text(2, []byte(name)); got != want {
			t.Fatalf("%s: %s", name, got)
		}
		if len(n.known) > maxNames {
			t.Fatalf("%d names", len(n.known))
		}
	}
	// Spelled out, one name is the spelling of another.
	if got := n.Text(2, []byte(`a\\\\b`)); got != `a\\b` {
		t.Error(got)
	}
	if got := n.Text(2, []byte(`a\\b`)); got != `a\b` {
		t.Error(got)
	}
}
