package main

import (
	"sync"
	"time"
)

// A pace keeps the readers of a stream's shards together when memory gets scarce.
// Parts of a record wait in memory for those that other shards have; were one
// shard read hours ahead of another, they would be more than fit in, and the
// reassembler would give them up. Otherwise every shard is read as fast as it
// can be: a slow one does not delay the others. Safe for concurrent use.
type pace struct {
	mu      sync.Mutex
	through map[string]time.Time // of the shards being read: what arrived before was taken; zero until the first answer
	tight   bool
}

// begin notes that a shard is being read from now on.
func (p *pace) begin(shard string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.through == nil {
		p.through = make(map[string]time.Time)
	}
	p.through[shard] = time.Time{}
}

// advance notes how far a shard was read.
func (p *pace) advance(shard string, through time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.through[shard] = through
}

// end notes that a shard is not read any more.
func (p *pace) end(shard string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.through, shard)
}

// tighten says whether memory is scarce.
func (p *pace) tighten(tight bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tight = tight
}

// at returns how far a shard was read; zero if it is not being read.
func (p *pace) at(shard string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.through[shard]
}

// waits reports whether a shard has to wait for one that is behind it. The shard
// that is furthest behind never does.
func (p *pace) waits(shard string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tight {
		for _, t := range p.through {
			if t.Before(p.through[shard]) {
				return true
			}
		}
	}
	return false
}
