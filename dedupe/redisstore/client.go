package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// API is what a Store needs of a client; [*redis.Client] and
// [*redis.ClusterClient] are ones. It is safe for concurrent use.
//
// A wrapper of a cluster's client must embed it: Replicas and Check need the
// server that holds the marks, which the wrapped client finds.
type API interface {
	Pipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}

// cluster is what the client of a Redis Cluster has beside API.
type cluster interface {
	MasterForKey(ctx context.Context, key string) (*redis.Client, error)
	ReloadState(ctx context.Context)
}

var (
	_ API     = (*redis.Client)(nil)
	_ API     = (*redis.ClusterClient)(nil)
	_ cluster = (*redis.ClusterClient)(nil)
)

var (
	errNoClient = errors.New("no Client")
	errRing     = errors.New("a redis.Ring looks for a mark elsewhere while its server is down")
)

// client returns what commands with keys are sent to.
func (s *Store) client() (API, error) {
	switch s.Client.(type) {
	case nil:
		return nil, errNoClient
	case *redis.Ring:
		return nil, errRing
	}
	return s.Client, nil
}

// primary returns a client of the server that has the marks. The client of a
// cluster sends what has no key to any of its servers.
func (s *Store) primary(ctx context.Context) (API, error) {
	client, err := s.client()
	if c, ok := client.(cluster); ok {
		return c.MasterForKey(ctx, s.prefix())
	}
	return client, err
}

// moved has a cluster's client learn anew which server has the marks, if err says
// that it was the wrong one. It does so by itself only for what was sent through
// it.
func (s *Store) moved(ctx context.Context, err error) {
	if _, moved := redis.IsMovedError(err); !moved {
		return
	}
	if c, ok := s.Client.(cluster); ok {
		c.ReloadState(ctx)
	}
}
