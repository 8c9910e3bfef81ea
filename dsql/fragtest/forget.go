package fragtest

import (
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

func forgets(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := pieces("image", 12)
	s.putsAll("image", texts...)
	s.forgets("image")
	for total := range len(texts) {
		s.lacks("image", total+1)
	}
	s.forgets("image")
	// It is a new image now, whose texts contradict nothing.
	other := pieces("another image", len(texts))
	s.putsAll("image", other[:4]...)
	s.joins("image", other[:4]...)
	s.lacks("image", 5)
	s.putsAll("image", other...)
	s.joins("image", other...)
	s.forgets("image")
	s.lacks("image", 1)
	// A part of an image is forgotten like a whole one.
	s.puts("part", 7, "the eighth")
	s.forgets("part")
	s.puts("part", 7, "another eighth")
}

func forgetUnknown(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	s.forgets("unknown")
	s.putsAll("image", "kept")
	s.forgets("unknown")
	s.joins("image", "kept")
}

// forgetOne forgets an image among others whose IDs begin like its own.
func forgetOne(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	ids := []string{"a", "a/", "a/0", "a0", "a1", "a-", "ab", "b", "A", "a\x00", "/a", "a*", "a%", "a_", "?", "."}
	for _, id := range ids {
		s.putsAll(id, pieces(id, 2)...)
	}
	for i, id := range ids {
		s.forgets(id)
		s.lacks(id, 1)
		for _, other := range ids[i+1:] {
			s.joins(other, pieces(other, 2)...)
		}
	}
}

// oddIDs are chunk IDs that a store may take for others, or for something else
// than a name.
func oddIDs() []string {
	long := strings.Repeat("0123456789abcdef", 16)
	ids := []string{
		"a", "1", "11", "1/1", "1-1", "1.1", "1:1", "1_1", "01", "1 ", " 1", "-1", "+1",
		".", "..", "...", "/", "//", "a/b", "a//b", "a/./b", "a/../b", "../a", "../../etc/passwd", "/a/b", "a/b/", `a\b`, `..\a`, "~", "C:",
		"a%2Fb", "a%2fb", "a_2fb", "a__b", "_", "__", "%", "%25", "%00", "a+b", "a b", "a?b", "a#b", "a&b", "a=b", "a*b", "*", "a\"b", "'; --", "{}", "[a]", "$a", "${a}", "`a`",
		"\x00", "a\x00b", "a\nb", "a\rb", "\t", "\x7f", "\x1b[0m",
		"é", "e\u0301", "É", "ß", "ss", "SS", "ı", "i", "I", "日本", "😀", "\u202e", "\ufeffa", "\ufffd", "\u00a0", "\u2044",
		"abc", "ABC", "Abc", "aBC", "YWJj", "616263", "null", "NUL", "con", "index.html", ".hidden", "a.", "a ",
		"5f9c6b0e-0b1f-4b43-9d0a-0c8a1d6b7c11", "5F9C6B0E-0B1F-4B43-9D0A-0C8A1D6B7C11",
		long[:255], long, long[:255] + "g", "g" + long[1:], long[:128], long[:200], long[:201],
		strings.Repeat("é", 128), strings.Repeat("é", 127) + "e", strings.Repeat("/", 256), strings.Repeat("/", 255), strings.Repeat("../", 85) + "x",
	}
	return ids
}

func chunkIDs(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	ids := oddIDs()
	// The second index keeps an ID apart from another one with a digit behind it.
	text := func(i int) []string { return []string{"image ", string(rune(0x4e00 + i))} }
	for i, id := range ids {
		s.lacks(id, 1)
		s.puts(id, 0, text(i)[0])
		s.puts(id, 1, text(i)[1])
	}
	for i, id := range ids {
		if i%2 == 0 {
			s.joins(id, text(i)...)
			s.forgets(id)
		}
	}
	for i, id := range ids {
		if i%2 == 0 {
			s.lacks(id, 1)
		} else {
			s.joins(id, text(i)...)
		}
	}
}
