//go:build race

package dsql

// poison overwrites what is valid no longer, so that a race build shows who
// still reads it.
func poison(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = 0xdb
	}
}
