package fragtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A subject is a store under test. Its methods say what must be, and end the
// test where it is not.
type subject struct {
	tb    testing.TB
	store dsql.FragmentStore
}

// puts puts a fragment, which the store must take.
func (s subject) puts(id string, index int, text string) {
	s.tb.Helper()
	if err := s.store.Put(s.tb.Context(), id, index, spell(text)); err != nil {
		s.tb.Fatalf("Put of %s, index %d: %v", name(id), index, err)
	}
}

// putsAll puts the fragments of a whole image.
func (s subject) putsAll(id string, texts ...string) {
	s.tb.Helper()
	for i, text := range texts {
		s.puts(id, i, text)
	}
}

// refuses puts a fragment that contradicts the one that the store has, and
// returns the error.
func (s subject) refuses(id string, index int, text string) error {
	s.tb.Helper()
	err := s.store.Put(s.tb.Context(), id, index, spell(text))
	if !errors.Is(err, dsql.ErrConflict) || errors.Is(err, dsql.ErrIncomplete) {
		s.tb.Fatalf("Put of %s, index %d, with another text: %v; want an error that wraps ErrConflict alone", name(id), index, err)
	}
	discreet(s.tb, err, text)
	return err
}

// joins joins an image, which must be the texts.
func (s subject) joins(id string, texts ...string) {
	s.tb.Helper()
	got, err := s.store.Join(s.tb.Context(), nil, id, len(texts))
	if err != nil {
		s.tb.Fatalf("Join of %s, %d fragments: %v", name(id), len(texts), err)
	}
	same(s.tb, "Join of "+name(id), got, strings.Join(texts, ""))
}

// lacks joins an image of which the store does not have all, and returns the
// error.
func (s subject) lacks(id string, total int) (err error) {
	s.tb.Helper()
	for _, dst := range [][]byte{nil, append(make([]byte, 0, 64), "kept"...)} {
		want := string(dst)
		var got []byte
		got, err = s.store.Join(s.tb.Context(), dst, id, total)
		if !incomplete(err) {
			s.tb.Fatalf("Join of %s, %d fragments, one missing: %v; want an error that wraps ErrIncomplete alone", name(id), total, err)
		}
		same(s.tb, "dst after a Join that failed", got, want)
	}
	return err
}

// forgets forgets an image.
func (s subject) forgets(id string) {
	s.tb.Helper()
	if err := s.store.Forget(s.tb.Context(), id); err != nil {
		s.tb.Fatalf("Forget of %s: %v", name(id), err)
	}
}

// incomplete tells the error of an image that lacks a fragment.
func incomplete(err error) bool {
	return errors.Is(err, dsql.ErrIncomplete) && !errors.Is(err, dsql.ErrConflict)
}

// cancelled judges the error of a call whose context was over.
func cancelled(tb testing.TB, call string, err error) {
	tb.Helper()
	if !errors.Is(err, context.Canceled) || errors.Is(err, dsql.ErrConflict) || errors.Is(err, dsql.ErrIncomplete) {
		tb.Fatalf("%s with a cancelled context: %v; want none or one that wraps context.Canceled alone", call, err)
	}
}

// discreet fails if err holds the text. A text of a few bytes can be in an error
// by chance.
func discreet(tb testing.TB, err error, text string) {
	tb.Helper()
	if len(text) >= 8 && strings.Contains(err.Error(), text) {
		tb.Fatalf("an error holds the text of a fragment: %v", err)
	}
}

// same compares texts that can be too long to print.
func same(tb testing.TB, what string, got []byte, want string) {
	tb.Helper()
	if string(got) == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	tb.Fatalf("%s: %d bytes, want %d; from byte %d got %.40q, want %.40q", what, len(got), len(want), at, got[at:], want[at:])
}

// name names an image in messages.
func name(id string) string {
	if len(id) > 40 {
		return fmt.Sprintf("image %.20q…%q (%d bytes)", id, id[len(id)-8:], len(id))
	}
	return fmt.Sprintf("image %q", id)
}

// spell writes text as a JSON string.
func spell(text string) envelope.Value {
	b, _ := json.Marshal(text) // which takes every string
	return envelope.Value(b)
}

// respell writes text as a JSON string in which every character is escaped.
func respell(text string) envelope.Value {
	b := []byte{'"'}
	for _, u := range utf16.Encode([]rune(text)) {
		b = fmt.Appendf(b, `\u%04x`, u)
	}
	return append(b, '"')
}

// pieces returns the texts of an image of n fragments, no two alike.
func pieces(id string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"%s":"Käse %d","größe":%d},`, id, i, i*i)
	}
	return out
}

// backwards returns the indexes below n, highest first.
func backwards(n int) []int {
	order := forwards(n)
	slices.Reverse(order)
	return order
}

// forwards returns the indexes below n, lowest first.
func forwards(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
