package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrReplicas says that fewer replicas than [Store.Replicas] answered within
// [Store.Wait]. The primary has the marks of a Swap then.
var ErrReplicas = errors.New("too few replicas")

// replicate adds to a pipeline what waits for the replicas.
//
// WAIT is for the writes of its own connection, and there may be none: a Load
// writes nothing, nor does a Swap that is tried again on another connection and
// finds itself made. (Redis 7.0 waits for those of others too, which is not
// promised.) So there is always a write, of the one name with the Prefix that is
// no mark's. If a replica has that, it has all before it, whoever wrote it.
func (s *Store) replicate(ctx context.Context, p redis.Pipeliner) *redis.IntCmd {
	p.Set(ctx, s.prefix(), "", 0)
	// 0 would be for ever.
	cmd := redis.NewIntCmd(ctx, "wait", s.Replicas, milliseconds(s.wait()))
	p.Process(ctx, cmd) // queues it
	return cmd
}

// milliseconds rounds up.
func milliseconds(d time.Duration) int64 {
	return int64((d-1)/time.Millisecond) + 1
}
