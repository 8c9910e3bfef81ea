package keyindex

import (
	"fmt"
	"testing"
)

func TestIndex(t *testing.T) {
	for _, x := range []*Index{new(Index), New(0), New(1), New(100), New(5000)} {
		for round := range 2 {
			for i := range 2000 {
				key := []byte(fmt.Sprint(i * i))
				n, isNew := x.Add(key)
				if n != i || isNew != (round == 0) {
					t.Fatalf("round %d: key %d became %d, %v", round, i, n, isNew)
				}
				clear(key)
			}
		}
		keys := x.AppendKeys([][]byte{nil})[1:]
		for i, key := range keys {
			if string(key) != fmt.Sprint(i*i) || cap(key) != len(key) {
				t.Fatalf("key %d is %q, with %d bytes behind it", i, key, cap(key)-len(key))
			}
		}
		if len(keys) != 2000 || x.Len() != 2000 {
			t.Fatal(len(keys))
		}
		if n, isNew := x.Add(nil); n != 2000 || !isNew {
			t.Error("the empty key")
		}
	}
}
