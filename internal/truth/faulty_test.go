package truth_test

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

var errLost = errors.New("the connection was lost")

// A faulty store fails when it is told to: a load before it did anything, a swap
// after it made some of the swaps.
type faulty struct {
	dedupe.Store
	random *rand.Rand
	fail   bool // the next call, once
}

func (s *faulty) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	if s.fail {
		s.fail = false
		return errLost
	}
	return s.Store.Load(ctx, keys, versions)
}

func (s *faulty) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	if !s.fail {
		return s.Store.Swap(ctx, swaps)
	}
	s.fail = false
	s.random.Shuffle(len(swaps), func(i, j int) { swaps[i], swaps[j] = swaps[j], swaps[i] })
	if err := s.Store.Swap(ctx, swaps[:s.random.IntN(len(swaps)+1)]); err != nil {
		return err
	}
	for i := range swaps { // Done means nothing then
		swaps[i].Done = s.random.IntN(2) == 0
	}
	return errLost
}
