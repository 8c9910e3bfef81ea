// Package redisstore keeps the marks of a [dedupe.Filter] in Redis, so that they
// outlive a process and several processes can share them.
//
//	store := &redisstore.Store{Client: redis.NewClient(&redis.Options{Addr: "localhost:6379"})}
//	if err := store.Check(ctx); err != nil {
//		...
//	}
//	filter := &dedupe.Filter{Store: store}
//
// The client is github.com/redis/go-redis/v9. The tests run Redis 7.0; nothing is
// used that is younger than Redis 3. Valkey has the same commands, and was not
// tested.
//
// # Keys
//
// One mark is one string of 32 bytes, as [envelope.Version.AppendBinary] writes
// it. Its name is the Prefix and the key's bytes as they are:
//
//	{rowdelta}:\x04shop\x06public\x06orders…
//	└ Prefix ┘ └ key                         ┘
//
// The name that is the Prefix alone is written where [Store.Replicas] is set.
// Each call is a script, which Redis runs as one step: up to 500 keys each, so
// that nobody else waits for much longer than half a millisecond, and up to 16 of
// them in one round trip. Load and Swap of 1,000 marks together take some 3 ms on
// two busy cores with the server beside.
//
// A mark takes some 120 bytes of memory and its name: 150 MB for a million keys of
// 20 bytes, and 40 MB more if they expire. Keys may have any length, and all of it
// is memory.
//
// # What a server must not do
//
// A mark that is lost lets an older change in, and a row stays wrong. Redis is
// often set up as a cache, which may lose anything. [Store.Check] finds:
//
//   - Eviction. maxmemory-policy must be noeviction, or one of the volatile ones if
//     Keep is 0. When the memory is full then, Swap fails and says OOM.
//   - No append-only file. appendonly must be yes, even with replicas: a primary
//     that comes back empty makes its replicas empty. With appendfsync always
//     nothing that Swap acknowledged is lost in a crash; with everysec up to two
//     seconds of it may be. Some managed services have other logs, of which Check
//     knows nothing.
//   - A client of a replica, where marks are late.
//
// It does not find a save from before that is restored, FLUSHALL, or a script
// that deletes.
//
// # Replicas
//
// Redis answers before its replicas have a write, and a failover loses what they
// do not have. [Store.Replicas] waits for them. It is no consensus: it makes the
// loss unlikely, and a failover that promotes a replica that is behind still loses
// marks. Where there is one replica, the one that answered is the one that takes
// over.
//
// Where that is not enough, use a store that does not answer before a mark is
// safe, or write to a sink that compares versions.
//
// # Redis Cluster
//
// The keys of one script must be in one slot. The Prefix has a hash tag for that,
// the part in braces. So the marks of a store are on one server; to have them on
// many, give each table a Store and a Filter of its own with a Prefix such as
// "{rowdelta:orders}:". Without a hash tag calls fail with CROSSSLOT.
//
// While a slot moves to another server, calls may fail with TRYAGAIN, or with
// ASK where Replicas is set. Reads from replicas, which a client of a cluster can
// be told to prefer, are never used.
//
// A [redis.Ring] is refused: it has no failover but looks for keys on another
// server when theirs is down, where there is no mark. Sentinel is fine.
//
// # Permissions
//
// The commands are EVALSHA, EVAL, MGET, MSET, EXISTS and SET, and, where they are
// used, WAIT, INFO and CONFIG GET:
//
//	ACL SETUSER app on >password ~{rowdelta}:* +evalsha +eval +mget +mset +exists +set +wait +info +config|get
//
// Errors hold no keys. A hook of the client, such as one that traces commands,
// sees them.
//
// [envelope.Version.AppendBinary]: https://pkg.go.dev/github.com/rowdelta/rowdelta/envelope#Version.AppendBinary
// [redis.Ring]: https://pkg.go.dev/github.com/redis/go-redis/v9#Ring
// [dedupe.Filter]: https://pkg.go.dev/github.com/rowdelta/rowdelta/dedupe#Filter
package redisstore
