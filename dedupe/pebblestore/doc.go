// Package pebblestore keeps the marks of a [dedupe.Filter] in a directory, in a
// Pebble database, so that they outlive a process. It is for one process on one
// machine that has a disk of its own: a consumer in a container with a volume.
//
//	store, err := pebblestore.Open("/var/lib/cdc/marks", nil)
//	...
//	defer store.Close()
//	filter := &dedupe.Filter{Store: store}
//
// One process at a time has the directory open; a second one is refused. Where
// several write the same tables, use a store that they share.
//
// # What is durable
//
// Swap returns after its marks are synced to the disk. Neither a process that is
// killed nor a machine that loses its power loses them, if the disk keeps what
// it said it has. Swaps that wait at the same time are synced together.
//
// # The directory
//
// The replay rule of package rowdelta: whatever was consulted before the sink had
// the data must say the same when the input is replayed. So marks never go back:
//
//   - Do not restore an older copy of the directory, or a snapshot of its volume.
//     All changes that came since then look new, and older ones among them are
//     let in. If the input is replayed from before the copy was made, all is well
//     again when the replay is through, and wrong until then.
//   - Do not copy the directory while it is open. The copy need not be whole.
//   - A lost directory is an empty store: replay the input from the start, or
//     begin where the sink is known to have all there is before.
//   - Keep it on a file system that locks and syncs: no network share.
//
// The keys are in the files, and keys are data of rows. The directory is made
// with access for its owner alone.
//
// # A disk that is full or fails
//
// A Swap whose marks cannot be synced returns an error, and so does every call
// after it: what the disk has is unknown until the directory is opened anew. Close
// the store and open it again, best in a new process, and replay the input.
//
// Where Pebble fails in the background and can try again, as when there is no
// room to sort marks into tables, it does so; swaps wait once too much is
// pending. Options.Logger tells. Where it cannot go on, because it can neither
// end a log file nor note which files there are, it ends the process: what was
// swapped until then is safe.
//
// # Format
//
//	0x00 "format"        → "rowdelta marks 1"
//	0x00 "floor"         → 8 bytes, big-endian: see Store.Floor, in ns since 1970
//	0x01 key             → mark, 32 bytes       keys up to 1,024 bytes
//	0x02 SHA-256 of key  → mark, 32 bytes       longer keys
//
// A directory that holds another database, or a later format, is refused.
package pebblestore
