package storetest

import (
	"encoding/binary"
	"math"

	"github.com/rowdelta/rowdelta/envelope"
)

// words returns what a version is made of.
func words(v envelope.Version) (w [4]uint64) {
	b, _ := v.MarshalBinary() // never fails
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return w
}

// word has a store keep something else in the place of one of a version's words.
func word(by string, i int, f func(uint64) uint64) brokenStore {
	return marks(by, func(v envelope.Version) envelope.Version {
		b, _ := v.MarshalBinary()
		binary.BigEndian.PutUint64(b[8*i:], f(words(v)[i]))
		var out envelope.Version
		if out.UnmarshalBinary(b) != nil {
			return v
		}
		return out
	})
}

// fields compares the words that are picked.
func fields(by string, mask ...uint64) brokenStore {
	return compares(by, func(mark, old envelope.Version) bool {
		a, b := words(mark), words(old)
		for i, m := range mask {
			if a[i]&m != b[i]&m {
				return false
			}
		}
		return true
	})
}

var brokenVersions = map[string]brokenStore{
	"16 bytes":             word("Versions VersionBits", 3, func(uint64) uint64 { return 0 }),
	"no time":              word("Versions VersionBits", 1, func(uint64) uint64 { return 0 }),
	"milliseconds":         word("Versions VersionBits", 1, func(ns uint64) uint64 { return ns / 1e6 * 1e6 }),
	"microseconds":         word("Versions VersionBits", 1, func(ns uint64) uint64 { return ns / 1e3 * 1e3 }),
	"no connector's clock": word("Versions VersionBits", 0, func(w uint64) uint64 { return w &^ (1<<52 - 1) }),
	"no flags":             word("Versions VersionBits", 0, func(w uint64) uint64 { return w &^ (255 << 52) }),
	"63 bits":              word("Versions VersionBits", 3, func(w uint64) uint64 { return w &^ (1 << 63) }),
	"as a float":           word("Versions VersionBits", 2, asFloat),
	"the position as a float": word("Versions VersionBits", 3, func(w uint64) uint64 {
		if w == math.MaxUint64 {
			return w
		}
		return asFloat(w)
	}),
	"no negative times": word("Versions", 1, func(ns uint64) uint64 { return uint64(max(int64(ns), 0)) }),
	"time alone": marks("Versions VersionBits", func(v envelope.Version) envelope.Version {
		return envelope.TimeVersion(v.Time().UnixNano())
	}),
	"a time of zero is none": marks("Versions", func(v envelope.Version) envelope.Version {
		if v == envelope.TimeVersion(0) {
			return none
		}
		return v
	}),

	"compared by order":   compares("VersionBits", func(mark, old envelope.Version) bool { return mark.Compare(old) == 0 }),
	"compared by repeats": compares("VersionBits", func(mark, old envelope.Version) bool { return mark == old || mark.Repeats(old) }),
	"compared by time": compares("VersionBits", func(mark, old envelope.Version) bool {
		return mark.Time().Equal(old.Time()) && mark.IsZero() == old.IsZero()
	}),
	"compared by text":               compares("VersionBits", func(mark, old envelope.Version) bool { return mark.String() == old.String() }),
	"compared without the last byte": fields("VersionBits", math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64-255),
	"compared without the first bit": fields("VersionBits", math.MaxUint64, math.MaxUint64, math.MaxUint64>>1, math.MaxUint64),
	"compared by 24 bytes":           fields("VersionBits Refuse", math.MaxUint64, 0, math.MaxUint64),
	"compared by position":           fields("VersionBits", 1<<63, 0, math.MaxUint64, math.MaxUint64),
}

func asFloat(w uint64) uint64 { return uint64(float64(w>>1)) << 1 }
