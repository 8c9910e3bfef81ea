//go:build !(amd64 || arm64) || safe

package jsonscan

import "encoding/binary"

// word returns the 8 bytes at b[i:], little-endian. The caller has checked that
// they are there.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
