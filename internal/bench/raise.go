package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

const (
	raiseBatch = 1000
	raisePass  = 200_000   // keys of a pass, at most
	raisePool  = 2_000_000 // keys that passes take in turn: what one pass read, the next one does not find in the cache
)

// A raiser holds marks, which are numbers here: the mark n is the version of the n'th moment.
type raiser interface {
	// raise raises the marks of keys that are below n to n, as a dedupe.Filter does for the changes of a batch, and returns
	// how many there were. The keys are bytes, as they are appended from changes.
	raise(keys [][]byte, n int64) (int, error)
	mark(key []byte) (int64, error)
}

const raiseEpoch = 1_760_000_000e9 // ns

func raiseVersion(n int64) envelope.Version {
	return envelope.PositionVersion(raiseEpoch+n*1000, 0, uint64(n))
}

func raiseNumber(v envelope.Version) int64 {
	if v.IsZero() {
		return 0
	}
	return (v.Time().UnixNano() - raiseEpoch) / 1000
}

// raiseOurs is a dedupe.Memory.
type raiseOurs struct {
	memory   dedupe.Memory
	versions []envelope.Version
	swaps    []dedupe.Swap
}

func (r *raiseOurs) raise(keys [][]byte, n int64) (int, error) {
	ctx := context.Background()
	if len(r.versions) < len(keys) {
		r.versions, r.swaps = make([]envelope.Version, len(keys)), make([]dedupe.Swap, len(keys))
	}
	versions := r.versions[:len(keys)]
	if err := r.memory.Load(ctx, keys, versions); err != nil {
		return 0, err
	}
	v, moved := raiseVersion(n), 0
	for i, key := range keys {
		if held := &versions[i]; v.Compare(*held) > 0 {
			s := &r.swaps[moved] // in place: to append a literal copies its 96 bytes twice
			s.Key, s.Old, s.New = key, *held, v
			moved++
		}
	}
	swaps := r.swaps[:moved]
	if err := r.memory.Swap(ctx, swaps); err != nil {
		return 0, err
	}
	raised := 0
	for i := range swaps {
		if swaps[i].Done {
			raised++
		}
	}
	return raised, nil
}

func (r *raiseOurs) mark(key []byte) (int64, error) {
	var v [1]envelope.Version
	err := r.memory.Load(context.Background(), [][]byte{key}, v[:])
	return raiseNumber(v[0]), err
}

// raiseMap is a map of numbers, for one goroutine. What it looks up is no string, but what it stores must be one.
type raiseMap map[string]int64

func (r raiseMap) raise(keys [][]byte, n int64) (int, error) {
	raised := 0
	for _, key := range keys {
		if r[string(key)] < n {
			r[string(key)] = n
			raised++
		}
	}
	return raised, nil
}

func (r raiseMap) mark(key []byte) (int64, error) { return r[string(key)], nil }

// raiseIntMap is a map of numbers by numbers: all that a key takes there is 16 bytes in one place.
type raiseIntMap map[int64]int64

func (r raiseIntMap) raise(keys [][]byte, n int64) (int, error) {
	raised := 0
	for _, key := range keys {
		if k := intKey(key); r[k] < n {
			r[k] = n
			raised++
		}
	}
	return raised, nil
}

func (r raiseIntMap) mark(key []byte) (int64, error) { return r[intKey(key)], nil }

func intKey(key []byte) int64   { return int64(binary.BigEndian.Uint64(key)) }
func textKey(key []byte) string { return string(key) }

// raiseSync is a map of versions for any number of goroutines, which lock it for each key.
type raiseSync[K comparable] struct {
	mu    sync.Mutex
	key   func([]byte) K
	marks map[K]envelope.Version
}

func (r *raiseSync[K]) raise(keys [][]byte, n int64) (int, error) {
	raised, v := 0, raiseVersion(n)
	for _, key := range keys {
		k := r.key(key)
		r.mu.Lock()
		if v.Compare(r.marks[k]) > 0 {
			r.marks[k] = v
			raised++
		}
		r.mu.Unlock()
	}
	return raised, nil
}

func (r *raiseSync[K]) mark(key []byte) (int64, error) { return raiseNumber(r.marks[r.key(key)]), nil }

// raiseKeys writes the keys of numbers, one behind another, into one piece of memory.
type raiseKeys struct {
	integers bool
	keys     [][]byte
	arena    []byte
}

// of returns the keys of the numbers from first on. They are valid until the next call. Numbers in turn give keys that are
// far from each other, none twice.
func (r *raiseKeys) of(n int, number func(i int) uint32) [][]byte {
	r.keys, r.arena = r.keys[:0], r.arena[:0]
	for i := range n {
		start := len(r.arena)
		if id := number(i) * 2_654_435_761; r.integers {
			r.arena = binary.BigEndian.AppendUint64(r.arena, uint64(id))
		} else {
			r.arena = strconv.AppendUint(append(r.arena, "orders|"...), uint64(id), 10)
		}
		r.keys = append(r.keys, r.arena[start:len(r.arena):len(r.arena)])
	}
	return r.keys
}

// raiseJob measures the raising of marks, of which everyone holds as many as there are keys. An op is one key. It also says
// what a key takes in memory.
func raiseJob(keys int, integers bool) func() (*prepared, error) {
	return func() (*prepared, error) {
		names, raisers := []string{ours, "map", "sync"}, []func() raiser{
			func() raiser { return &raiseOurs{memory: dedupe.Memory{Exact: integers}} },
			func() raiser { return raiseMap{} },
			func() raiser { return &raiseSync[string]{key: textKey, marks: map[string]envelope.Version{}} },
		}
		if integers {
			names = append(names, "intmap")
			raisers[2] = func() raiser { return &raiseSync[int64]{key: intKey, marks: map[int64]envelope.Version{}} }
			raisers = append(raisers, func() raiser { return raiseIntMap{} })
		}
		return prepareRaise(keys, integers, names, raisers)
	}
}

// prepareRaise gives all the keys to everyone, and checks that they do the same.
func prepareRaise(keys int, integers bool, names []string, open []func() raiser) (*prepared, error) {
	g := newGenerator(7)
	pool := make([]uint32, keys)
	for i := range pool {
		pool[i] = uint32(i)
	}
	g.Shuffle(keys, func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	pool = pool[:min(keys, raisePool)]
	drawn := raiseKeys{integers: integers}
	drawn.of(len(pool), func(i int) uint32 { return pool[i] })
	batch := raiseKeys{integers: integers}
	batch.of(raiseBatch, func(int) uint32 { return 1 << 31 }) // its memory

	p := &prepared{ops: min(len(pool), raisePass)}
	raisers := make([]raiser, len(open))
	for i := range open {
		before := heap()
		raisers[i] = open[i]()
		for first := 0; first < keys; first += raiseBatch {
			all := batch.of(min(raiseBatch, keys-first), func(j int) uint32 { return uint32(first + j) })
			if raised, err := raisers[i].raise(all, 1); err != nil || raised != len(all) {
				return nil, fmt.Errorf("%w: %s took %d of %d new keys (%v)", errRaised, names[i], raised, len(all), err)
			}
		}
		p.bytes = append(p.bytes, (heap()-before)/float64(keys))
		p.contenders = append(p.contenders, contender{names[i], raisePasses(raisers[i], drawn.keys, p.ops)})
	}
	return p, raiseAgree(names, raisers, drawn.keys)
}

// raisePasses returns passes that each raise the marks of the next so many keys, to a version above all before.
func raisePasses(r raiser, keys [][]byte, ops int) func() error {
	at, n := 0, int64(10)
	return func() error {
		if at+ops > len(keys) {
			at = 0
		}
		n++
		for end := at + ops; at < end; {
			batch := keys[at:min(at+raiseBatch, end)]
			raised, err := r.raise(batch, n)
			if err != nil {
				return err
			}
			if raised != len(batch) {
				return fmt.Errorf("%d of %d marks raised", raised, len(batch))
			}
			at += len(batch)
		}
		return nil
	}
}

var errRaised = errors.New("they raise other marks")

// raiseAgree has all raise some marks, some of which are higher already, and checks what comes of it.
func raiseAgree(names []string, raisers []raiser, keys [][]byte) error {
	keys = keys[:min(len(keys), 3*raiseBatch)]
	third := len(keys) / 3
	steps := []struct {
		keys [][]byte
		n    int64
		want int
	}{
		{keys[:2*third], 3, 2 * third},
		{keys[third : 2*third], 4, third},
		{keys[:2*third], 4, third},
		{keys, 2, len(keys) - 2*third},
	}
	for i, r := range raisers {
		for _, step := range steps {
			if raised, err := r.raise(step.keys, step.n); err != nil || raised != step.want {
				return fmt.Errorf("%w: %s raised %d of %d, want %d (%v)", errRaised, names[i], raised, len(step.keys), step.want, err)
			}
		}
		for k, key := range keys {
			want := int64(4)
			if k >= 2*third {
				want = 2
			}
			if got, err := r.mark(key); err != nil || got != want {
				return fmt.Errorf("%w: %s has %d for key %d, want %d (%v)", errRaised, names[i], got, k, want, err)
			}
		}
	}
	return nil
}

// heap returns how many bytes are in use.
func heap() float64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool held is garbage only now
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
