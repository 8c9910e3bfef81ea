//go:build (amd64 || arm64) && !safe

package jsonscan

import "unsafe"

// word returns the 8 bytes at b[i:], little-endian. The caller has checked that
// they are there.
//
// This is the package's only use of package unsafe. The compiler does not see
// that the check was made, and checking again for each word costs a fifth of the
// time of long text, where there is little else to do: without it text is scanned
// slower than by a loop over its bytes. Test with -tags safe to see.
func word(b []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}
