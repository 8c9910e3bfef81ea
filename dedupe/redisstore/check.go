package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What [Store.Check] finds.
var (
	// ErrEviction says that the server may remove marks when its memory is full.
	ErrEviction = errors.New("marks may be evicted")
	// ErrPersistence says that a crash may take marks back that were acknowledged.
	ErrPersistence = errors.New("marks may be lost in a crash")
	// ErrNotPrimary says that the client is one of a replica, where marks are late.
	ErrNotPrimary = errors.New("the server is a replica")
	// ErrHashTag says that the server is one of a cluster, and Prefix has no hash tag.
	ErrHashTag = errors.New("the prefix has no hash tag")
)

// Check asks the server about what would lose marks in silence. It is for the
// start of a program; an operator can change all of it later. The error joins what
// was found: [ErrEviction], [ErrPersistence], [ErrNotPrimary], [ErrReplicas] and
// [ErrHashTag], so that [errors.Is] tells what a caller can do without. Any other
// error is the client's, and says nothing about the server.
//
// It needs INFO. How often the append-only file is synced only CONFIG GET tells;
// where that is not allowed, nothing is said about it.
func (s *Store) Check(ctx context.Context) error {
	client, err := s.primary(ctx)
	if err != nil {
		return fmt.Errorf("redisstore: check: %w", clean(err))
	}
	var (
		text *redis.StringCmd
		sync *redis.MapStringStringCmd
	)
	// The first error is that of CONFIG where it is not allowed.
	client.Pipelined(ctx, func(p redis.Pipeliner) error {
		text, sync = p.Info(ctx), p.ConfigGet(ctx, "appendfsync")
		return nil
	})
	if err := text.Err(); err != nil {
		return fmt.Errorf("redisstore: check: %w", clean(err))
	}
	info := fields(text.Val())
	err = errors.Join(
		s.checkEviction(info["maxmemory_policy"]),
		s.checkPersistence(info["aof_enabled"], sync.Val()["appendfsync"]),
		s.checkReplication(info),
		s.checkSlots(info["cluster_enabled"]),
	)
	if err != nil {
		return fmt.Errorf("redisstore: check: %w", err)
	}
	return nil
}

// fields returns what INFO says.
func fields(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[name] = value
		}
	}
	return m
}

func (s *Store) checkEviction(policy string) error {
	switch {
	case policy == "noeviction":
	case strings.HasPrefix(policy, "volatile-") && s.Keep <= 0: // only what expires is evicted
	case policy == "":
		return fmt.Errorf("%w: maxmemory-policy is not known", ErrEviction)
	default:
		return fmt.Errorf("%w: maxmemory-policy is %s, not noeviction", ErrEviction, policy)
	}
	return nil
}

func (s *Store) checkPersistence(file, sync string) error {
	switch {
	case file != "1":
		// With replicas too: a primary that comes back empty before another takes over
		// has them empty themselves.
		return fmt.Errorf("%w: appendonly is not yes", ErrPersistence)
	case sync == "", sync == "always", s.Replicas > 0:
		return nil
	}
	return fmt.Errorf("%w: appendfsync is %s, not always, and no replica is waited for", ErrPersistence, sync)
}

func (s *Store) checkReplication(info map[string]string) error {
	if info["role"] == "slave" {
		return ErrNotPrimary
	}
	if n, err := strconv.Atoi(info["connected_slaves"]); err == nil && n < s.Replicas {
		return fmt.Errorf("%w: %d of %d are connected", ErrReplicas, n, s.Replicas)
	}
	return nil
}

func (s *Store) checkSlots(enabled string) error {
	if enabled != "1" || hasTag(s.prefix()) {
		return nil
	}
	return ErrHashTag
}

// hasTag reports whether a key's slot depends on its prefix alone: on the text
// between the first brace and the next closing one, unless there is none.
func hasTag(prefix string) bool {
	_, rest, _ := strings.Cut(prefix, "{")
	return strings.IndexByte(rest, '}') > 0
}
