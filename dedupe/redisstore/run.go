package redisstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

const noScript = "NOSCRIPT"

// run runs a script on each of the chunks in one round trip. If it returns nil,
// each chunk has its answer or its error.
func (s *Store) run(ctx context.Context, script *script, chunks []chunk) error {
	pending := make([]*chunk, len(chunks))
	for i := range chunks {
		pending[i] = &chunks[i]
	}
	err := s.send(ctx, "evalsha", script.hash, pending)
	if redis.HasErrorPrefix(err, noScript) {
		// A server that has just started does not know the script, nor does one after
		// SCRIPT FLUSH. Each chunk gets the text: it may be forgotten again between two
		// of them.
		pending = slices.DeleteFunc(pending, func(c *chunk) bool { return !redis.HasErrorPrefix(c.answer.Err(), noScript) })
		err = s.send(ctx, "eval", script.text, pending)
	}
	return clean(err)
}

// send sends a pipeline and reads the answers. It returns the first error among
// them.
func (s *Store) send(ctx context.Context, name, script string, chunks []*chunk) error {
	client, err := s.client()
	if s.Replicas > 0 {
		client, err = s.primary(ctx)
	}
	if err != nil {
		return err
	}
	var replicas *redis.IntCmd
	_, err = client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range chunks {
			c.answer = p.Do(ctx, c.command(name, script)...)
		}
		if s.Replicas > 0 {
			replicas = s.replicate(ctx, p)
		}
		return nil
	})
	if err != nil {
		s.moved(ctx, err)
		return err
	}
	if s.Replicas > 0 && replicas.Val() < int64(s.Replicas) {
		return fmt.Errorf("%w: %d of %d within %s", ErrReplicas, replicas.Val(), s.Replicas, s.wait())
	}
	return nil
}
