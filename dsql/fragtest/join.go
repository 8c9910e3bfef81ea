package fragtest

import (
	"math/rand/v2"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

// shuffled returns the indexes below n in an order that seed chooses.
func shuffled(seed uint64, n int) []int { return rand.New(rand.NewPCG(seed, 0)).Perm(n) }

func anyOrder(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const n = 12 // more than ten: as text, 10 is less than 2
	for id, order := range map[string][]int{
		"forwards": forwards(n), "backwards": backwards(n), "shuffled": shuffled(1, n), "otherwise": shuffled(2, n),
	} {
		texts := pieces(id, n)
		for _, i := range order {
			s.puts(id, i, texts[i])
		}
		s.joins(id, texts...)
	}
}

func interleaved(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const n = 5
	ids := []string{"one", "two", "three"}
	for _, k := range shuffled(3, n*len(ids)) {
		id, i := ids[k/n], k%n
		s.puts(id, i, pieces(id, n)[i])
	}
	for _, id := range ids {
		s.joins(id, pieces(id, n)...)
	}
}

func manyFragments(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const n = 300 // more than a byte counts
	texts := pieces("many", n)
	order := shuffled(4, n)
	for _, i := range order[1:] {
		s.puts("many", i, texts[i])
	}
	s.lacks("many", n)
	s.puts("many", order[0], texts[order[0]])
	s.joins("many", texts...)
	s.forgets("many")
	s.lacks("many", n)
	for i := 0; i < n; i += 23 {
		s.lacks("many", i+1)
		s.puts("many", i, "not what it was")
	}
}

// partOfAnImage joins other totals than there are fragments.
func partOfAnImage(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := pieces("image", 4)
	s.putsAll("image", texts...)
	for total := range len(texts) + 1 {
		s.joins("image", texts[:total]...)
	}
	s.lacks("image", len(texts)+1)
	s.joins("unknown")
}

func missing(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	const n = 4
	s.lacks("unknown", 1)
	s.lacks("unknown", n)
	for gap, id := range []string{"first", "second", "third", "last"} {
		texts := pieces(id, n)
		for i := range n {
			if i != gap {
				s.puts(id, i, texts[i])
			}
		}
		s.lacks(id, n)
		err := s.lacks(id, n) // asking changes nothing
		for _, text := range texts {
			discreet(tb, err, text)
		}
		s.puts(id, gap, texts[gap])
		s.joins(id, texts...)
	}
}

func joinTwice(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := pieces("image", 3)
	s.putsAll("image", texts...)
	s.joins("image", texts...)
	s.joins("image", texts...)
	// A main record that was delivered again comes with its fragments.
	s.putsAll("image", texts...)
	s.joins("image", texts...)
}

// appends joins to a dst that has something in it, with room behind it and
// without.
func appends(tb testing.TB, store dsql.FragmentStore) {
	s := subject{tb, store}
	texts := []string{"one,", "two,", "three"}
	s.putsAll("image", texts...)
	s.putsAll("small", "x")
	for _, room := range []int{0, 1, 4, 12, 13, 4096} {
		for _, prefix := range []string{"", "p", `{"before":null,"after":`} {
			dst := append(make([]byte, 0, len(prefix)+room), prefix...)
			got, err := store.Join(tb.Context(), dst, "image", len(texts))
			if err != nil {
				tb.Fatalf("Join to %d bytes with room for %d: %v", len(prefix), room, err)
			}
			got, err = store.Join(tb.Context(), got, "small", 1)
			if err != nil {
				tb.Fatalf("Join to what Join returned: %v", err)
			}
			same(tb, "Join to a prefix, then to what Join returned", got, prefix+"one,two,threex")
		}
	}
}
