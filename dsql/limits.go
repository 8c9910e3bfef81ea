package dsql

import (
	"cmp"
	"time"
)

// Defaults of [Limits].
const (
	DefaultPendingBytes = 256 << 20
	DefaultPending      = 4096
	DefaultImageBytes   = 64 << 20
	DefaultFragments    = 1024
	DefaultAge          = time.Hour
)

// Limits bound what a [Reassembler] keeps. A zero field selects its default.
// What a record would take beyond a limit is not kept: see [Reassembler.Add].
type Limits struct {
	// PendingBytes bounds the memory for fragments, for main records that wait
	// for them, and for what describes them. What a DurableStore holds does not
	// count.
	PendingBytes int64
	Pending      int           // how many split records may be incomplete
	ImageBytes   int           // size of one joined image
	Fragments    int           // fragments of one image
	Age          time.Duration // see [Reassembler.Expire]
}

func (l Limits) pendingBytes() int64 { return cmp.Or(l.PendingBytes, DefaultPendingBytes) }
func (l Limits) pending() int        { return cmp.Or(l.Pending, DefaultPending) }
func (l Limits) imageBytes() int     { return cmp.Or(l.ImageBytes, DefaultImageBytes) }
func (l Limits) fragments() int      { return cmp.Or(l.Fragments, DefaultFragments) }
func (l Limits) age() time.Duration  { return cmp.Or(l.Age, DefaultAge) }

// What the description of a record, an image and a fragment takes in memory
// beside its bytes, generously: counted so that many tiny ones are bounded too.
const (
	groupCost    = 768
	imageCost    = 512
	fragmentCost = 128
	strayCost    = 384
)

// maxChunkID bounds a chunk ID, in bytes; the service's are some 40.
const maxChunkID = 256
