package redisstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// Swap implements [dedupe.Store]. It is one round trip for up to 8,000 swaps.
// Those of one chunk of 500 are made at one moment.
//
// The client tries again when an answer is lost. A swap that was made then is
// reported as not done, which the interface allows.
func (s *Store) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	for from := 0; from < len(swaps); {
		list := s.chunks(from, len(swaps), func(i int) []byte { return swaps[i].Key })
		for i := range list {
			c := &list[i]
			from = c.from + c.keys
			c.args = s.swapArgs(swaps[c.from:from])
		}
		if err := s.run(ctx, swapScript, list); err != nil {
			return fmt.Errorf("redisstore: swap: %w", err)
		}
		for i := range list {
			c := &list[i]
			done, err := c.text(c.keys)
			if err != nil {
				return fmt.Errorf("redisstore: swap: %w", err)
			}
			for j := range done {
				swaps[c.from+j].Done = done[j] == '1'
			}
		}
	}
	return nil
}

// swapArgs returns what swapScript takes beside the keys.
func (s *Store) swapArgs(swaps []dedupe.Swap) []any {
	before, after := make([]byte, 0, markBytes*len(swaps)), make([]byte, 0, markBytes*len(swaps))
	for i := range swaps {
		before, _ = swaps[i].Old.AppendBinary(before) // never fails
		after, _ = swaps[i].New.AppendBinary(after)
	}
	args := []any{before, after}
	if s.Keep > 0 {
		now := time.Now()
		for i := range swaps {
			args = append(args, milliseconds(s.keep(swaps[i].New, now)))
		}
	}
	return args
}

// keep returns how long a mark of that version is kept. One of the future is no
// row's but what [dedupe.Filter] never wants forgotten, or the source's clock is
// fast, and then the mark must not go before the changes that it holds back are
// older than Floor.
func (s *Store) keep(v envelope.Version, now time.Time) time.Duration {
	const longest = math.MaxInt64 - clockSlack
	ahead := max(v.Time().Sub(now), 0)
	return s.Keep + min(ahead, longest-s.Keep) + clockSlack
}
