package fragtest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unsafe"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

var brokenPuts = map[string]brokenStore{
	"the last one wins": put("Conflicts ConcurrentConflict", func(c call) error {
		c.overwrite(c.plain())
		return nil
	}),
	"the last one wins, with an error": put("Conflicts", func(c call) error {
		err := c.keep()
		if first, _ := c.first(c.index); first != "" {
			c.overwrite(c.plain())
		}
		return err
	}),
	"conflicts in silence": put("Conflicts ConcurrentConflict", func(c call) error {
		if err := c.keep(); !errors.Is(err, dsql.ErrConflict) {
			return err
		}
		return nil
	}),
	"conflicts without the cause": put("Conflicts", func(c call) error {
		if c.keep() != nil {
			return errors.New("precondition failed")
		}
		return nil
	}),
	"a conflict is incomplete": put("Conflicts", func(c call) error {
		if err := c.keep(); err != nil {
			return errors.Join(err, dsql.ErrIncomplete)
		}
		return nil
	}),
	"a conflict with the new text": put("Conflicts", func(c call) error {
		err := c.keep()
		if err != nil && strings.HasPrefix(c.plain(), "another") {
			err = fmt.Errorf("%w: %s", err, c.plain())
		}
		return err
	}),
	"a conflict with the first text": put("Conflicts", func(c call) error {
		err := c.keep()
		if err != nil && c.plain() == "" {
			first, _ := c.first(c.index)
			err = fmt.Errorf("%w: %s", err, first)
		}
		return err
	}),
	"a conflict forgets": put("Conflicts ConcurrentConflict", func(c call) error {
		if err := c.keep(); err != nil {
			return errors.Join(err, c.drop())
		}
		return nil
	}),
	"a repeat is a conflict": put("Repeats JoinTwice OtherSpelling", func(c call) error {
		if _, ok := c.first(c.index); ok {
			return dsql.ErrConflict
		}
		return c.keep()
	}),
	"equal lengths are equal texts": put("Conflicts LargeText", func(c call) error {
		if first, ok := c.first(c.index); ok && len(first) == len(c.plain()) {
			return nil
		}
		return c.keep()
	}),
	"an empty text gives way": put("Conflicts", func(c call) error {
		if first, ok := c.first(c.index); ok && first == "" {
			c.overwrite(c.plain())
			return nil
		}
		return c.keep()
	}),
	"a text is kept once": put("NoConflict", func(c call) error {
		c.mu.Lock()
		for other, image := range c.images {
			for i, text := range image {
				if text == c.plain() && (other != c.id || i != c.index) {
					c.mu.Unlock()
					return dsql.ErrConflict
				}
			}
		}
		c.mu.Unlock()
		return c.keep()
	}),
	"Put keeps its argument": with("Arguments", func(s *store) {
		s.text = func(data envelope.Value) string {
			if inner := data[1 : len(data)-1]; len(inner) > 0 && !slices.Contains(inner, '\\') {
				return unsafe.String(&inner[0], len(inner))
			}
			return string(data.AppendText(nil))
		}
	}),
}

var brokenTexts = map[string]brokenStore{
	"empty texts are dropped": put("Texts Conflicts", func(c call) error {
		if c.plain() == "" {
			return nil
		}
		return c.keep()
	}),
	"spelling is kept": with("Texts OtherSpelling", func(s *store) {
		s.text = func(data envelope.Value) string { return string(data[1 : len(data)-1]) }
	}),
	"the first spelling is kept": put("OtherSpelling", func(c call) error {
		if _, ok := c.first(c.index); ok {
			return nil
		}
		if text := string(c.data[1 : len(c.data)-1]); strings.HasPrefix(text, `\u`) {
			c.overwrite(text)
			return nil
		}
		return c.keep()
	}),
	"an escaped repeat is another text": put("OtherSpelling", func(c call) error {
		if _, ok := c.first(c.index); ok && strings.HasPrefix(string(c.data), `"\u`) {
			return dsql.ErrConflict
		}
		return c.keep()
	}),
	"quotes are kept": with("AnyOrder Texts", func(s *store) {
		s.text = func(data envelope.Value) string { return string(data) }
	}),
	"texts end at a NUL":   text("Texts", func(text string) string { text, _, _ = strings.Cut(text, "\x00"); return text }),
	"texts are trimmed":    text("Texts", strings.TrimSpace),
	"texts are mended":     text("Texts", func(text string) string { return strings.ReplaceAll(text, "\ufffd", "?") }),
	"texts are normalised": text("Texts", func(text string) string { return strings.ReplaceAll(text, "e\u0301", "é") }),
	"images of a megabyte": join("LargeText", func(c call) ([]byte, error) {
		b, err := c.append()
		return b[:min(len(b), len(c.dst)+1<<20)], err
	}),
	"texts of a megabyte": text("LargeText", func(text string) string { return text[:min(len(text), 1<<20)] }),
}

var brokenIDs = map[string]brokenStore{
	"IDs are file names":       key("ChunkIDs ForgetOne", path.Base),
	"IDs are paths":            key("ChunkIDs ForgetOne", path.Clean),
	"IDs without case":         key("ChunkIDs ForgetOne", strings.ToLower),
	"IDs in capitals":          key("ChunkIDs ForgetOne", strings.ToUpper),
	"IDs of 255 bytes":         key("ChunkIDs", func(id string) string { return id[:min(len(id), 255)] }),
	"IDs of 200 bytes":         key("ChunkIDs", func(id string) string { return id[:min(len(id), 200)] }),
	"IDs are trimmed":          key("ChunkIDs", strings.TrimSpace),
	"IDs end at a NUL":         key("ChunkIDs ForgetOne", func(id string) string { id, _, _ = strings.Cut(id, "\x00"); return id }),
	"IDs are ASCII":            key("ChunkIDs", func(id string) string { return strings.Map(func(r rune) rune { return min(r, '~') }, id) }),
	"IDs without signs":        key("ChunkIDs ForgetOne", func(id string) string { return strings.NewReplacer("/", "_", "*", "_", "%", "_").Replace(id) }),
	"IDs escape slashes alone": key("ChunkIDs", func(id string) string { return strings.ReplaceAll(id, "/", "%2F") }),
	"IDs are normalised":       key("ChunkIDs", func(id string) string { return strings.ReplaceAll(id, "e\u0301", "é") }),
	".. cannot be joined":      join("ChunkIDs", without("..")),
	"... cannot be joined":     join("ChunkIDs", without("...")),
	"keys without separator":   {"ChunkIDs ForgetOne", func() dsql.FragmentStore { return &flat{} }},
	"keys with a separator":    {"ForgetOne", func() dsql.FragmentStore { return &flat{separator: "/"} }},
}

// without cannot join one image.
func without(id string) func(call) ([]byte, error) {
	return func(c call) ([]byte, error) {
		if c.id == id {
			return c.dst, dsql.ErrIncomplete
		}
		return c.append()
	}
}
