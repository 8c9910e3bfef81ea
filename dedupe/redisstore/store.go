package redisstore

import (
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
)

// Defaults of a [Store].
const (
	// DefaultPrefix has a hash tag, so that Redis Cluster takes it.
	DefaultPrefix = "{rowdelta}:"
	// DefaultWait is long for a replica and well within a client's read timeout.
	DefaultWait = time.Second
)

// A Store is a [dedupe.Store] in Redis. Client must be set; no field
// may change after the first call of a method. It keeps nothing in memory between
// calls and is safe for concurrent use.
//
// Errors are [ErrForeign], [ErrReplicas] or those of the client, whose own
// retries are over by then: the same call may be tried again. They hold no key,
// and of an answer that quotes the request only what comes before that.
//
// A call does not begin when ctx is done. How soon one ends that is under way is
// the client's: at its own timeouts, or, with ContextTimeoutEnabled among its
// options, at ctx's deadline.
type Store struct {
	Client API

	// Prefix begins the names of all keys; empty means DefaultPrefix. All that
	// begins so is the store's own, and so the Prefix of one store must not begin
	// that of another. For Redis Cluster it must have a hash tag.
	Prefix string

	// Keep is how long a mark is kept at least after it was last raised, or after the
	// time of its version if that is later; 0 or less means for ever. It must be the
	// same in all that share the marks. Where it was made longer, the marks of before
	// still go when they were to go. See [Store.Floor] for what it costs.
	Keep time.Duration

	// Replicas is how many replicas must have a mark before Swap returns or Load
	// shows it; 0 or less means that the primary's word is enough. It costs a small
	// write and a round trip from the primary to the replicas with each call, of
	// Load too: a mark that another process wrote and then died need not be with
	// the replicas yet.
	Replicas int

	// Wait is how long a call waits for the replicas; 0 or less means DefaultWait.
	// The client's read timeout must be longer.
	Wait time.Duration
}

var _ dedupe.Store = (*Store)(nil)

// clockSlack is how much longer than Keep a mark is kept, for clocks that differ.
const clockSlack = time.Minute

// Floor returns the time before which marks may have expired, Keep ago, or the
// zero time if they are kept for ever. A [dedupe.Filter] calls a change that is
// older than that, and of whose row there is no mark, [dedupe.Late]: it may be
// older than what the sink has.
//
// The clocks of this machine and of the server must agree to a minute for that.
func (s *Store) Floor() time.Time {
	if s.Keep <= 0 {
		return time.Time{}
	}
	return time.Now().Add(-s.Keep)
}

func (s *Store) prefix() string {
	if s.Prefix == "" {
		return DefaultPrefix
	}
	return s.Prefix
}

func (s *Store) wait() time.Duration {
	if s.Wait <= 0 {
		return DefaultWait
	}
	return s.Wait
}
