package dedupe_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

// A boundedModel is what a Memory with MaxKeys and Keep has to do, one swap at a
// time.
type boundedModel struct {
	max   int
	keep  time.Duration
	marks map[string]envelope.Version
	floor time.Time
}

// surplus returns the commit times of the marks that a new key with the mark v
// costs, and whether it finds room.
func (b *boundedModel) surplus(v envelope.Version) (evicted []int64, room bool) {
	if len(b.marks) < b.max {
		return nil, true
	}
	newest := int64(math.MinInt64)
	if ns := v.Time().UnixNano(); ns < math.MaxInt64 {
		newest = ns
	}
	var times []int64
	for _, v := range b.marks {
		if ns := v.Time().UnixNano(); ns < math.MaxInt64 {
			times = append(times, ns)
			newest = max(newest, ns)
		}
	}
	slices.Sort(times)
	for _, ns := range times {
		age := uint64(newest) - uint64(ns) // without an overflow
		if age > uint64(max(b.keep, 0)) && 8*len(evicted) < b.max {
			evicted = append(evicted, ns)
		}
	}
	return evicted, len(evicted) > 0
}

// evicts checks that the marks with these times are gone, and none else.
func (b *boundedModel) evicts(t *rapid.T, m *dedupe.Memory, except string, evicted []int64) {
	for key, v := range b.marks {
		if key == except || !loadMemory(t, m, key)[0].IsZero() {
			continue
		}
		i := slices.Index(evicted, v.Time().UnixNano())
		if i < 0 {
			t.Fatalf("%v was evicted, want %v", v, evicted)
		}
		evicted = slices.Delete(slices.Clone(evicted), i, i+1)
		delete(b.marks, key)
		if end := v.Time().Add(1); b.floor.IsZero() || end.After(b.floor) {
			b.floor = end
		}
	}
	if len(evicted) > 0 {
		t.Fatalf("not evicted: %v", evicted)
	}
}

func TestBoundedMemoryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := &boundedModel{
			max:   rapid.SampledFrom([]int{1, 2, 7, 8, 9, 25, 40}).Draw(t, "max"),
			keep:  rapid.SampledFrom([]time.Duration{math.MinInt64, -1, 0, 1, 5, 30, math.MaxInt64 - 1, math.MaxInt64}).Draw(t, "keep"),
			marks: map[string]envelope.Version{},
		}
		m := &dedupe.Memory{MaxKeys: model.max, Keep: model.keep, Exact: rapid.Bool().Draw(t, "exact")}
		n := uint64(0)
		version := func(t *rapid.T) envelope.Version {
			n++
			return envelope.PositionVersion(rapid.OneOf(
				rapid.Int64Range(0, 10), rapid.Int64Range(0, 60), rapid.Int64Range(0, 60),
				rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, math.MaxInt64 - 1, math.MaxInt64}),
			).Draw(t, "time"), 0, n)
		}
		drawKey := func(t *rapid.T) string {
			key := integerKey(rapid.Uint64Range(0, 60).Draw(t, "key"))
			return key[:8-key[7]%2] // of seven and of eight bytes
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				holdMemory(t, m, model.marks)
				if m.Len() > model.max {
					t.Fatalf("%d keys, at most %d", m.Len(), model.max)
				}
				if got := m.Floor(); !got.Equal(model.floor) || got.IsZero() != model.floor.IsZero() {
					t.Fatalf("the floor is %v, want %v", got, model.floor)
				}
			},
			"swap": func(t *rapid.T) {
				key, v := drawKey(t), version(t)
				old := model.marks[key]
				var evicted []int64
				room := true
				if old.IsZero() {
					evicted, room = model.surplus(v)
				}
				done, err := swapMemory(t, m, key, old, v)
				if !room {
					if !errors.Is(err, dedupe.ErrFull) {
						t.Fatalf("a swap without room: %v, %v", done, err)
					}
					return
				}
				if err != nil || !done {
					t.Fatalf("a swap with room: %v, %v", done, err)
				}
				model.evicts(t, m, key, evicted)
				model.marks[key] = v
			},
			"lost swap": func(t *rapid.T) {
				if done, err := swapMemory(t, m, drawKey(t), version(t), version(t)); done || err != nil {
					t.Fatalf("a swap of what is not there: %v, %v", done, err)
				}
			},
			"evict": func(t *rapid.T) {
				before := rapid.Int64Range(-1, 40).Draw(t, "before")
				var evicted []int64
				for _, v := range model.marks {
					if ns := v.Time().UnixNano(); ns < before {
						evicted = append(evicted, ns)
					}
				}
				if got := m.Evict(time.Unix(0, before)); got != len(evicted) {
					t.Fatalf("evicted %d, want %d", got, len(evicted))
				}
				model.evicts(t, m, "", evicted)
			},
			"batch": func(t *rapid.T) {
				var swaps []dedupe.Swap
				in := map[string]bool{}
				for range rapid.IntRange(1, 30).Draw(t, "swaps") {
					if key := drawKey(t); !in[key] {
						in[key] = true
						swaps = append(swaps, dedupe.Swap{Key: []byte(key), Old: model.marks[key], New: version(t)})
					}
				}
				err := m.Swap(t.Context(), swaps)
				if err != nil && !errors.Is(err, dedupe.ErrFull) {
					t.Fatal(err)
				}
				if m.Len() > model.max {
					t.Fatalf("%d keys, at most %d", m.Len(), model.max)
				}
				// Each mark is the one of before, the new one, or evicted.
				floor := m.Floor()
				if floor.Before(model.floor) {
					t.Fatalf("the floor went from %v to %v", model.floor, floor)
				}
				model.floor = floor
				swapped := map[string]dedupe.Swap{}
				for _, s := range swaps {
					swapped[string(s.Key)] = s
					model.marks[string(s.Key)] = s.Old
				}
				oldest, newest := int64(math.MaxInt64), int64(math.MinInt64) // of those left, and of the evicted
				for key, old := range model.marks {
					s, moved := swapped[key]
					got := loadMemory(t, m, key)[0]
					switch {
					case got.IsZero() && (old.IsZero() || !old.Time().Before(floor)) && !(moved && s.New.Time().Before(floor)) && err == nil:
						t.Fatalf("%x is lost, the floor is %v", key, floor)
					case got.IsZero():
						if !moved && old.Time().Before(floor) {
							newest = max(newest, old.Time().UnixNano())
						}
						delete(model.marks, key)
					case got == old && moved && s.New != old && err == nil, got != old && (!moved || got != s.New):
						t.Fatalf("the mark of %x is %v", key, got)
					default:
						model.marks[key] = got
						if !moved {
							oldest = min(oldest, got.Time().UnixNano())
						}
					}
				}
				if newest > oldest {
					t.Fatalf("one of the time %d was evicted, and one of %d was not", newest, oldest)
				}
			},
		})
	})
}

// A store so large that a sample decides: it evicts about an eighth, and not one
// that is younger than one left.
func TestEvictionOfMany(t *testing.T) {
	const keys = 200_000
	tests := []struct {
		name  string
		time  func(i int) int64
		keep  time.Duration
		least int
		most  int
	}{
		{"in turn", func(i int) int64 { return int64(i) }, 0, keys/8 - keys/200, keys/8 + keys/200},
		{"in disorder", func(i int) int64 { return int64(i) * 7919 % keys }, 0, keys/8 - keys/200, keys/8 + keys/200},
		{"all at once but the newest", func(i int) int64 { return int64(i / (keys - 1)) }, 0, keys/8 - 8, keys / 8},
		{"all at once", func(i int) int64 { return 5 }, 0, keys/8 - 8, keys / 8},
		{"most at once", func(i int) int64 { return max(int64(i)-keys*99/100, 0) }, 0, keys/8 - 8, keys / 8},
		{"few that are old enough", func(i int) int64 { return int64(i) }, keys - 10, 19, 20},
		{"one far in the future", func(i int) int64 { return int64(i) + int64(i/(keys-1))<<60 }, time.Hour, keys/8 - keys/200, keys/8 + keys/200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &dedupe.Memory{MaxKeys: keys, Keep: tt.keep, Exact: true}
			all, swaps := make([][]byte, keys), make([]dedupe.Swap, keys)
			for i := range swaps {
				all[i] = []byte(integerKey(uint64(i)))
				swaps[i] = dedupe.Swap{Key: all[i], New: envelope.TimeVersion(tt.time(i))}
			}
			if err := m.Swap(t.Context(), swaps); err != nil || m.Len() != keys {
				t.Fatalf("%d keys, %v", m.Len(), err)
			}
			if done, err := swapMemory(t, m, "one more", envelope.Version{}, envelope.TimeVersion(tt.time(keys)+10)); !done || err != nil {
				t.Fatal(done, err)
			}
			if n := keys + 1 - m.Len(); n < tt.least || n > tt.most {
				t.Errorf("%d were evicted, want %d to %d", n, tt.least, tt.most)
			}
			versions := make([]envelope.Version, keys)
			m.Load(t.Context(), all, versions)
			newest, oldest := int64(-1), int64(math.MaxInt64)
			for i, v := range versions {
				if ns := tt.time(i); v.IsZero() {
					newest = max(newest, ns)
				} else {
					oldest = min(oldest, ns)
				}
			}
			if newest > oldest {
				t.Errorf("one of the time %d was evicted, and one of %d was not", newest, oldest)
			}
			if got := m.Floor().UnixNano(); got != newest+1 {
				t.Errorf("the floor is %d, evicted were marks up to %d", got, newest)
			}
		})
	}
}

// Whatever others do, there are never more keys than MaxKeys, and what is not
// found any more is below the floor.
func TestBoundedMemoryConcurrently(t *testing.T) {
	m := &dedupe.Memory{MaxKeys: 400}
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := range 300 {
				v := envelope.TimeVersion(int64(10 + i))
				swaps := make([]dedupe.Swap, 10)
				keys, versions := make([][]byte, len(swaps)), make([]envelope.Version, len(swaps))
				for j := range swaps {
					keys[j] = fmt.Appendf(nil, "%d %d %d", w, i, j)
					swaps[j] = dedupe.Swap{Key: keys[j], New: v}
				}
				if err := m.Swap(t.Context(), swaps); err != nil && !errors.Is(err, dedupe.ErrFull) {
					t.Error(err)
				} else if err != nil {
					continue // the others are all of one time
				}
				if i%50 == w {
					m.Evict(time.Unix(0, int64(i)))
				}
				if n := m.Len(); n > m.MaxKeys {
					t.Errorf("%d keys", n)
				}
				m.Load(t.Context(), keys, versions)
				floor := m.Floor()
				for j := range swaps {
					if !swaps[j].Done {
						t.Errorf("the swap of %s was not done", keys[j])
					}
					if versions[j].IsZero() && !v.Time().Before(floor) || !versions[j].IsZero() && versions[j] != v {
						t.Errorf("the mark of %s is %v, the floor is %v", keys[j], versions[j], floor)
					}
				}
			}
		})
	}
	work.Wait()
	if m.Len() == 0 || m.Floor().IsZero() {
		t.Errorf("%d keys, the floor is %v", m.Len(), m.Floor())
	}
}

// A Filter tells of a change that may be older than an evicted mark.
func TestFilterOverBoundedMemory(t *testing.T) {
	m := &dedupe.Memory{MaxKeys: 8}
	f := &dedupe.Filter{Store: m}
	for i := range 9 {
		b := admit(t, f, upsert(orders, i, at(i+1), ""))
		if got := verdicts(b); got[0] != dedupe.Newer {
			t.Fatalf("change %d is %v", i, got)
		}
		if err := f.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	b := admit(t, f, upsert(orders, 0, at(1), ""), upsert(orders, 99, at(2), ""), upsert(orders, 1, at(1), ""))
	if got, want := fmt.Sprint(verdicts(b)), "[late newer stale]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
