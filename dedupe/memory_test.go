package dedupe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

var memories = map[string]func() *dedupe.Memory{
	"zero":    func() *dedupe.Memory { return new(dedupe.Memory) },
	"exact":   func() *dedupe.Memory { return &dedupe.Memory{Exact: true} },
	"bounded": func() *dedupe.Memory { return &dedupe.Memory{MaxKeys: 100_000, Keep: math.MaxInt64} },
}

func TestMemoryIsAStore(t *testing.T) {
	for name, open := range memories {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(*testing.T) dedupe.Store { return open() })
		})
	}
}

// Saved and restored, a Memory is as durable as its file.
func TestSavedMemoryIsAStore(t *testing.T) {
	for _, name := range []string{"zero", "exact"} {
		t.Run(name, func(t *testing.T) {
			storetest.RunDurable(t, func(t *testing.T) func() dedupe.Store {
				var last *dedupe.Memory
				return func() dedupe.Store {
					next := memories[name]()
					if last != nil {
						restoreMemory(t, next, savedMemory(t, last))
					}
					last = next
					return next
				}
			})
		})
	}
}

// A memoryTB is a test, of rapid too.
type memoryTB interface {
	rapid.TB
	Context() context.Context
}

func savedMemory(t memoryTB, m *dedupe.Memory) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restoreMemory(t memoryTB, m *dedupe.Memory, saved []byte) {
	t.Helper()
	if err := m.Restore(bytes.NewReader(saved)); err != nil {
		t.Fatal(err)
	}
}

// loadMemory returns the marks of keys.
func loadMemory(t memoryTB, m *dedupe.Memory, keys ...string) []envelope.Version {
	t.Helper()
	bytes, versions := make([][]byte, len(keys)), make([]envelope.Version, len(keys))
	for i, key := range keys {
		bytes[i] = []byte(key)
		versions[i] = at(-i) // is overwritten
	}
	if err := m.Load(t.Context(), bytes, versions); err != nil {
		t.Fatal(err)
	}
	return versions
}

// swapMemory makes one swap.
func swapMemory(t memoryTB, m *dedupe.Memory, key string, old, to envelope.Version) (bool, error) {
	t.Helper()
	swaps := []dedupe.Swap{{Key: []byte(key), Old: old, New: to}}
	err := m.Swap(t.Context(), swaps)
	return swaps[0].Done, err
}

// putMemory gives new keys their marks.
func putMemory(t memoryTB, m *dedupe.Memory, marks map[string]envelope.Version) {
	t.Helper()
	var swaps []dedupe.Swap
	for key, v := range marks {
		swaps = append(swaps, dedupe.Swap{Key: []byte(key), New: v})
	}
	if err := m.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	for _, s := range swaps {
		if !s.Done {
			t.Fatalf("%x was there", s.Key)
		}
	}
}

// holdMemory fails unless m has these marks and no others.
func holdMemory(t memoryTB, m *dedupe.Memory, marks map[string]envelope.Version) {
	t.Helper()
	if m.Len() != len(marks) {
		t.Fatalf("%d keys, want %d", m.Len(), len(marks))
	}
	for key, v := range marks {
		if got := loadMemory(t, m, key)[0]; got != v {
			t.Fatalf("the mark of %x is %v, want %v", key, got, v)
		}
	}
}

func integerKey(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// A Memory of any kind is a map, whatever is done to it.
func TestMemoryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.Bool().Draw(t, "exact")
		m, marks, n := &dedupe.Memory{Exact: exact}, map[string]envelope.Version{}, 0
		drawKey := func(t *rapid.T) string {
			return rapid.OneOf(
				rapid.Map(rapid.Uint64Range(0, 300), integerKey),
				rapid.Map(rapid.Uint64Range(0, 300), func(n uint64) string { return integerKey(n)[:7] }),
				rapid.Map(rapid.IntRange(0, 300), func(n int) string { return strings.Repeat("k", n) }),
			).Draw(t, "key")
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { holdMemory(t, m, marks) },
			"swap": func(t *rapid.T) {
				var swaps []dedupe.Swap
				in := map[string]bool{}
				for range rapid.IntRange(0, 60).Draw(t, "swaps") {
					key := drawKey(t)
					if in[key] {
						continue
					}
					in[key] = true
					n++
					swap := dedupe.Swap{Key: []byte(key), Old: marks[key], New: at(n), Done: n%2 == 0}
					if rapid.IntRange(0, 4).Draw(t, "wrong") == 0 {
						swap.Old = at(n - 1)
					}
					swaps = append(swaps, swap)
				}
				if err := m.Swap(t.Context(), swaps); err != nil {
					t.Fatal(err)
				}
				for _, s := range swaps {
					if want := s.Old == marks[string(s.Key)]; s.Done != want {
						t.Fatalf("%x: %v, want %v", s.Key, s.Done, want)
					}
					if s.Done {
						marks[string(s.Key)] = s.New
					}
				}
			},
			"load": func(t *rapid.T) {
				keys := rapid.SliceOfN(rapid.Custom(drawKey), 0, 40).Draw(t, "keys")
				for i, v := range loadMemory(t, m, keys...) {
					if v != marks[keys[i]] {
						t.Fatalf("%x: %v, want %v", keys[i], v, marks[keys[i]])
					}
				}
			},
			"evict": func(t *rapid.T) {
				before, floor := at(rapid.IntRange(0, n+1).Draw(t, "before")), m.Floor()
				evicted := 0
				for key, v := range marks {
					if v.Time().Before(before.Time()) {
						delete(marks, key)
						evicted++
						if end := v.Time().Add(1); end.After(floor) {
							floor = end
						}
					}
				}
				if got := m.Evict(before.Time()); got != evicted {
					t.Fatalf("evicted %d, want %d", got, evicted)
				}
				if got := m.Floor(); got != floor {
					t.Fatalf("the floor is %v, want %v", got, floor)
				}
			},
			"grow": func(*rapid.T) { m.Grow(rapid.IntRange(-1, 5000).Draw(t, "keys")) },
			"save and restore": func(t *rapid.T) {
				saved, floor := savedMemory(t, m), m.Floor()
				m = &dedupe.Memory{Exact: exact}
				restoreMemory(t, m, saved)
				if got := m.Floor(); got != floor {
					t.Fatalf("the floor is %v, was %v", got, floor)
				}
				if again := savedMemory(t, m); !bytes.Equal(again, saved) {
					t.Fatalf("saved again are %d bytes, were %d", len(again), len(saved))
				}
			},
			"restore over it": func(t *rapid.T) {
				saved := savedMemory(t, m)
				m.Swap(t.Context(), []dedupe.Swap{{Key: []byte("new"), New: at(1)}})
				restoreMemory(t, m, saved)
			},
		})
	})
}

func TestMemoryRefusesNoMark(t *testing.T) {
	var m dedupe.Memory
	swaps := []dedupe.Swap{{Key: []byte("a"), New: at(1)}, {Key: []byte("b")}}
	if err := m.Swap(t.Context(), swaps); err == nil || err == dedupe.ErrFull {
		t.Errorf("a swap to none: %v", err)
	}
	if m.Len() != 0 {
		t.Errorf("%d keys", m.Len())
	}
}

// Too few versions are the caller's fault, and the others do not hang for it.
func TestMemoryLoadPanicsUnlocked(t *testing.T) {
	var m dedupe.Memory
	marks := map[string]envelope.Version{"a": at(1), "b": at(2)}
	putMemory(t, &m, marks)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		m.Load(t.Context(), [][]byte{[]byte("a"), []byte("b")}, make([]envelope.Version, 1))
	}()
	holdMemory(t, &m, marks)
}

func TestMemoriesHaveSeedsOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		m := new(dedupe.Memory)
		putMemory(t, m, map[string]envelope.Version{"key": at(1)})
		saved := string(savedMemory(t, m))
		if seed := saved[12:28]; seen[seed] || strings.Trim(seed, "\x00") == "" {
			t.Errorf("the seed %x", seed)
		} else {
			seen[seed] = true
		}
		if hash := saved[37:45]; seen[hash] {
			t.Errorf("the hash %x came before", hash)
		} else {
			seen[hash] = true
		}
	}
}

func TestMemoryDoesNotAllocate(t *testing.T) {
	for name, open := range memories {
		m := open()
		keys, versions := make([][]byte, 1000), make([]envelope.Version, 1000)
		swaps := make([]dedupe.Swap, len(keys))
		for i := range keys {
			keys[i] = fmt.Appendf(nil, "key%05d", i*i)
			swaps[i] = dedupe.Swap{Key: keys[i], New: at(1)}
		}
		if err := m.Swap(t.Context(), swaps); err != nil {
			t.Fatal(err)
		}
		n := 1
		allocs := testing.AllocsPerRun(50, func() {
			m.Load(t.Context(), keys, versions)
			n++
			for i := range swaps {
				swaps[i].Old, swaps[i].New = versions[i], at(n)
			}
			m.Swap(t.Context(), swaps)
		})
		if want := 0.0; allocs > want && !memoryPoolLoses || allocs > 6 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
		if !swaps[0].Done || !swaps[999].Done || m.Len() != len(keys) {
			t.Errorf("%s: the swaps were not made", name)
		}
	}
}

func TestMemoryGrow(t *testing.T) {
	keys, swaps := make([][]byte, 50_000), make([]dedupe.Swap, 50_000)
	for i := range keys {
		keys[i] = []byte(integerKey(uint64(i)))
		swaps[i] = dedupe.Swap{Key: keys[i], New: at(i)}
	}
	tests := []struct {
		name   string
		memory dedupe.Memory
		grow   int
		few    bool // whether growing took care of it
	}{
		{"not grown", dedupe.Memory{}, 0, false},
		{"grown", dedupe.Memory{}, len(keys), true},
		{"not grown exactly", dedupe.Memory{Exact: true}, 0, false},
		{"grown exactly", dedupe.Memory{Exact: true}, len(keys), true},
		{"up to the bound", dedupe.Memory{MaxKeys: len(keys)}, math.MaxInt, true},
		{"back", dedupe.Memory{}, math.MinInt, false},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			m := &tt.memory
			m.Grow(tt.grow)
			at := 0
			allocs := testing.AllocsPerRun(9, func() { // and once more before
				if err := m.Swap(t.Context(), swaps[at:][:5000]); err != nil {
					t.Fatal(err)
				}
				at += 5000
			})
			if (allocs < 10) != tt.few {
				t.Errorf("%v allocations per 5000 keys", allocs)
			}
			if m.Len() != len(keys) {
				t.Errorf("%d keys", m.Len())
			}
			m.Grow(tt.grow)
		})
	}
}

// The clock of a mark does not matter where nothing is evicted.
func TestMemoryTakesAnyTime(t *testing.T) {
	var m dedupe.Memory
	marks := map[string]envelope.Version{}
	for i, ns := range []int64{math.MinInt64, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64} {
		marks[integerKey(uint64(i))] = envelope.TimeVersion(ns)
	}
	putMemory(t, &m, marks)
	holdMemory(t, &m, marks)
	if got := m.Floor(); !got.IsZero() {
		t.Errorf("the floor is %v", got)
	}
	if n := m.Evict(time.Time{}); n != 0 || !m.Floor().IsZero() {
		t.Errorf("%d marks of before the year 1, the floor is %v", n, m.Floor())
	}
	if n := m.Evict(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)); n != 5 {
		t.Errorf("%d marks of before the year 9999", n)
	}
	if got := m.Floor().UnixNano(); got != math.MaxInt64 {
		t.Errorf("the floor is %v", got)
	}
	if v := loadMemory(t, &m, integerKey(5)); v[0].IsZero() {
		t.Error("the mark at the end of time is gone")
	}
}
