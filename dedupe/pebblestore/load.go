package pebblestore

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// checkEvery is after how many keys a call looks whether its context is over.
const checkEvery = 64

// Load implements [dedupe.Store].
func (s *Store) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	if err := s.load(ctx, keys, versions); err != nil {
		return fmt.Errorf("pebblestore: load: %w", err)
	}
	return nil
}

func (s *Store) load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	name := make([]byte, 0, 128)
	for i, key := range keys {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		name = appendName(name[:0], key)
		v, err := s.mark(name)
		if err != nil {
			return err
		}
		versions[i] = v
	}
	return nil
}
