package dsql

import (
	"cmp"
	"strings"
)

// isSequence reports whether s can be a sequence number: decimal digits, of any
// number. Those of Kinesis have 56 today and up to 129 by its API, so that no
// integer type holds them.
func isSequence(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compareSequence compares two sequence numbers as decimal numbers: -1 if a
// comes before b in the shard, 0 if they are the same, +1 if a comes after b. As
// text 9 would come after 10. Of what is no sequence number it says nothing.
func compareSequence(a, b string) int {
	if len(a) == len(b) { // as those of one stream are
		return strings.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}
