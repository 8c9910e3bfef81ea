package fragtest

import (
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

func repeats(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := pieces("image", 3)
	for range 2 {
		s.puts("image", 1, texts[1])
	}
	s.lacks("image", 3)
	for range 2 {
		s.putsAll("image", texts...)
		s.joins("image", texts...)
	}
	s.puts("image", 2, texts[2])
	s.lacks("image", 4)
	s.joins("image", texts...)
}

// otherSpelling repeats a text with other escapes: nothing contradicts.
func otherSpelling(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const text = "a/b \"quoted\" é 😀\n"
	for id, spellings := range map[string][]envelope.Value{
		"plain first":   {spell(text), respell(text)},
		"escaped first": {respell(text), spell(text)},
	} {
		for _, data := range spellings {
			if err := store.Put(tb.Context(), id, 0, data); err != nil {
				tb.Fatalf("Put of %s: %v", name(id), err)
			}
		}
		s.joins(id, text)
	}
}

func conflicts(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const kept = "the private text that came first"
	s.putsAll("image", "{", kept, "}")
	for _, other := range []string{
		"another private text that is new", // as long
		kept + " ", kept[1:], strings.ToUpper(kept), "",
	} {
		discreet(tb, s.refuses("image", 1, other), kept)
	}
	s.refuses("image", 1, "another private text that is new") // again: it was not taken meanwhile
	s.puts("image", 1, kept)
	s.joins("image", "{", kept, "}")

	s.puts("empty", 0, "")
	s.refuses("empty", 0, "something private")
	s.joins("empty", "")
}

// noConflict puts one text in many places, and many texts in one place after
// another.
func noConflict(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	for _, id := range []string{"one", "two"} {
		for i := range 3 {
			s.puts(id, i, "alike")
		}
	}
	s.joins("one", "alike", "alike", "alike")
	s.forgets("one")
	s.puts("one", 0, "other")
	s.joins("one", "other")
	s.joins("two", "alike", "alike", "alike")
}

// arguments changes what Put was given after it returned.
func arguments(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := []string{"plain text", "text with an escape\n", "", "é"}
	for i, text := range texts {
		for range 2 { // a repeat must not be kept either
			data := spell(text)
			if err := store.Put(tb.Context(), "image", i, data); err != nil {
				tb.Fatalf("Put of index %d: %v", i, err)
			}
			scribble(data)
		}
	}
	s.joins("image", texts...)
	s.refuses("image", 0, "xxxxxxxxxx")
	s.joins("image", texts...)
}

// results changes what Join returned.
func results(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	s.putsAll("one", "a single text")
	s.putsAll("three", "first, ", "second, ", "third")
	for _, c := range []struct {
		id    string
		total int
		want  string
	}{{"one", 1, "a single text"}, {"three", 3, "first, second, third"}} {
		for _, room := range []int{0, 128} {
			join := func() []byte {
				got, err := store.Join(tb.Context(), make([]byte, 0, room), c.id, c.total)
				if err != nil {
					tb.Fatalf("Join of %s: %v", name(c.id), err)
				}
				return got
			}
			first, second := join(), join()
			scribble(first[:cap(first)])
			same(tb, "Join after a result was changed", join(), c.want)
			if _, err := store.Join(tb.Context(), first[:0], c.id, c.total); err != nil {
				tb.Fatalf("Join of %s to a result: %v", name(c.id), err)
			}
			same(tb, "a result after another was changed and used as dst", second, c.want)
		}
	}
	s.refuses("one", 0, "xxxxxxxxxxxxx")
}

// scribble overwrites b.
func scribble(b []byte) {
	for i := range b {
		b[i] = 'x'
	}
}

// texts puts what JSON strings can be. AppendText says what each of them means.
func texts(tb testing.TB, store dsql.FragmentStore) {
	for i, spelling := range []string{
		`""`, `"x"`, `" "`, `"\""`, `"\\"`, `"\/"`, `"\b\f\n\r\t"`, `"\u0000"`, `"a\u0000b"`, `"é"`, `"\u00e9"`, `"e\u0301"`,
		`"😀"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"{\"id\":1,\"body\":\"line\\nline\"}"`, `"\\u0041"`, `"null"`,
		"\"\u2028\u2029\ufeff\ufffd\x7f\"", `"<&>"`,
	} {
		id := string(rune('a' + i))
		data := envelope.Value(spelling)
		text := string(data.AppendText(nil))
		// Empty texts around it: it is the whole of the image.
		for index, v := range []envelope.Value{envelope.Value(`""`), data, envelope.Value(`""`)} {
			if err := store.Put(tb.Context(), id, index, v); err != nil {
				tb.Fatalf("Put of %s, index %d: %v", v, index, err)
			}
		}
		got, err := store.Join(tb.Context(), nil, id, 3)
		if err != nil {
			tb.Fatalf("Join of %s between empty texts: %v", spelling, err)
		}
		same(tb, "Join of "+spelling, got, text)
	}
}

func largeText(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	// Kinesis takes records of 10 MiB. Three of them would test little more, slowly.
	texts := []string{strings.Repeat("0123456789abcdé\n", 1<<17), "x", strings.Repeat("y", 1<<20+1)}
	s.putsAll("large", texts...)
	s.puts("large", 0, texts[0])
	s.refuses("large", 0, texts[0][:len(texts[0])-1]+"x")
	s.joins("large", texts...)
}
