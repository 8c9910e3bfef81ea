//go:build !race

package storetest

import "time"

// brokenUnderRace has faults that are data races, which the race detector finds
// before a check does.
var brokenUnderRace = map[string]brokenStore{
	"changes keys for a while": loads("Arguments", func(c call) error {
		for _, key := range c.keys {
			b := key[0]
			key[0] = '~'
			time.Sleep(10 * time.Microsecond)
			key[0] = b
		}
		return c.read()
	}),
}
