package jsonscan

import "math/bits"

// A class says what must follow a byte at which a string is looked at closer: a
// backslash or the lead byte of a character.
type class struct {
	mask   uint32 // the third and fourth byte must be continuation bytes where this has the bits 0xc0
	length uint8
	second uint8 // the bit in seconds of what the second byte must be
}

// What the second byte can be: of an escape of two bytes, a continuation byte,
// or one of those that alone are valid behind 0xe0, 0xed, 0xf0 and 0xf4 (the
// Unicode Standard, table 3-7).
const (
	secondEscape = 1 << iota
	secondAny
	secondE0
	secondED
	secondF0
	secondF4
)

// classes and seconds; a byte without a class has length 0.
var classes, seconds = func() (classes [256]class, seconds [256]uint8) {
	classes['\\'] = class{0, 2, secondEscape}
	for c := 0xc2; c < 0xf5; c++ {
		switch {
		case c < 0xe0:
			classes[c] = class{0, 2, secondAny}
		case c < 0xf0:
			classes[c] = class{0xc00000, 3, secondAny}
		default:
			classes[c] = class{0xc0c00000, 4, secondAny}
		}
	}
	classes[0xe0].second, classes[0xed].second = secondE0, secondED
	classes[0xf0].second, classes[0xf4].second = secondF0, secondF4
	for c, n := range escapes {
		if n == 2 {
			seconds[c] = secondEscape
		}
	}
	for c := 0x80; c < 0xc0; c++ {
		seconds[c] = secondAny
		if c < 0xa0 {
			seconds[c] |= secondED
		} else {
			seconds[c] |= secondE0
		}
		if c < 0x90 {
			seconds[c] |= secondF4
		} else {
			seconds[c] |= secondF0
		}
	}
	return classes, seconds
}()

const (
	blockSize = 64
	blockMore = 8 // how many bytes behind a block are looked at
)

// blocks goes on with a string that has turned out long, 64 bytes at a time. In
// text every stop is a branch that no processor can foresee; here there is one
// for a block, and what each stop needs is looked up. It returns the index after
// the closing quote and true, or -1 and true; or where it stopped for want of
// bytes, and false.
func blocks(b []byte, i int) (next int, ended bool) {
	for i <= len(b)-blockSize-blockMore {
		end := uint(blockSize) // of the last character or escape, which may reach into the next block
		for m := blockStops(b, i); m != 0; {
			at := bits.TrailingZeros64(m)
			x := uint32(word(b, i+at))
			c := classes[byte(x)]
			end = uint(at) + uint(c.length)
			if seconds[byte(x>>8)]&c.second == 0 || x&c.mask != c.mask&0x80808080 {
				switch k := byte(x); {
				case k == '"':
					return i + at + 1, true
				case k == '\\':
					next := escape(b, i+at)
					if next < 0 {
						return -1, true
					}
					end = uint(next - i)
				case k >= 0x20 && k < 0x80: // a false flag above a true one
					end++
				default:
					return -1, true
				}
			}
			m &= ^uint64(0) << end // 0 if it reaches the block's end
		}
		i += int(max(end, blockSize))
	}
	return i, false
}

// blockStops has a bit for each of the 64 bytes at b[i:], set as stops says.
func blockStops(b []byte, i int) uint64 {
	return gather(stops(word(b, i))) | gather(stops(word(b, i+8)))<<8 | gather(stops(word(b, i+16)))<<16 | gather(stops(word(b, i+24)))<<24 |
		gather(stops(word(b, i+32)))<<32 | gather(stops(word(b, i+40)))<<40 | gather(stops(word(b, i+48)))<<48 | gather(stops(word(b, i+56)))<<56
}

// gather moves the top bits of eight bytes together.
func gather(m uint64) uint64 { return m * 0x0002040810204081 >> 56 }
