package redisstore

import (
	"context"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// Load implements [dedupe.Store]. It is one round trip for up to 8,000 keys. The
// marks are the primary's, whatever the client may read from replicas.
func (s *Store) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	for from := 0; from < len(keys); {
		list := s.chunks(from, len(keys), func(i int) []byte { return keys[i] })
		if err := s.run(ctx, loadScript, list); err != nil {
			return fmt.Errorf("redisstore: load: %w", err)
		}
		for i := range list {
			c := &list[i]
			from = c.from + c.keys
			if err := c.load(versions[c.from:from]); err != nil {
				return fmt.Errorf("redisstore: load: %w", err)
			}
		}
	}
	return nil
}

// load reads the answer of loadScript.
func (c *chunk) load(versions []envelope.Version) error {
	marks, err := c.text(markBytes * c.keys)
	if err != nil {
		return err
	}
	for i := range versions {
		if err := versions[i].UnmarshalBinary([]byte(marks[markBytes*i : markBytes*(i+1)])); err != nil {
			return fmt.Errorf("%w: number %d of the keys", ErrForeign, c.from+i)
		}
	}
	return nil
}
