package dedupe

import (
	"fmt"
	"testing"
)

func TestIndex(t *testing.T) {
	for _, room := range []int{0, 1, 100, 5000} {
		x := newIndex(room)
		for round := range 2 {
			for i := range 2000 {
				key := []byte(fmt.Sprint(i * i))
				n, isNew := x.add(key)
				if n != i || isNew != (round == 0) {
					t.Fatalf("room %d, round %d: key %d became %d, %v", room, round, i, n, isNew)
				}
				clear(key)
			}
		}
		keys := x.appendKeys([][]byte{nil})[1:]
		for i, key := range keys {
			if string(key) != fmt.Sprint(i*i) || cap(key) != len(key) {
				t.Fatalf("key %d is %q, with %d bytes behind it", i, key, cap(key)-len(key))
			}
		}
		if len(keys) != 2000 || x.len() != 2000 {
			t.Fatal(len(keys))
		}
		if n, isNew := x.add(nil); n != 2000 || !isNew {
			t.Error("the empty key")
		}
	}
}
