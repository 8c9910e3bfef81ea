package dedupe

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

// drawHash draws hashes of one table, many of which belong to few lines, among
// them the first and the last one.
func drawHash(t *rapid.T) uint64 {
	const all = 1<<(64-tableBits) - 1
	near := rapid.Uint64Range(0, 60)
	return rapid.OneOf(
		rapid.Uint64Range(1, all),
		rapid.Map(near, func(n uint64) uint64 { return 1 + n }),
		rapid.Map(near, func(n uint64) uint64 { return all - n }),
		rapid.Map(near, func(n uint64) uint64 { return all/2 + n }),
	).Draw(t, "hash")
}

type tableModel map[uint64]envelope.Version

// check compares a table with its model.
func (m tableModel) check(t rapid.TB, table *markTable) {
	slots := table.slots()
	switch {
	case table.count != len(m):
		t.Fatalf("counts %d marks, has %d", table.count, len(m))
	case table.count > maxCount(slots) || 10*table.count > 9*slots:
		t.Fatalf("%d marks in %d slots", table.count, slots)
	case slots > 0 && len(table.lines)*tableLine != slots:
		t.Fatalf("%d lines for %d slots", len(table.lines), slots)
	case noLines != [1]markLine{}:
		t.Fatal("the empty table's line was written")
	}
	for hash, v := range m {
		if found := table.find(hash); found == nil || *found != v {
			t.Fatalf("hash %x has %v, want %v", hash, found, v)
		}
	}
	used := 0
	for at := range slots {
		hash := *table.tag(at)
		if hash == 0 {
			continue
		}
		used++
		for p := home(hash, len(table.lines)) * tableLine; p != at; p = (p + 1) % slots {
			if *table.tag(p) == 0 {
				t.Fatalf("slot %d is free, before that of hash %x at %d", p, hash, at)
			}
		}
	}
	if used != len(m) {
		t.Fatalf("%d tags for %d marks", used, len(m))
	}
}

func sortedMarks(entries []markEntry) []markEntry {
	slices.SortFunc(entries, func(a, b markEntry) int { return cmp.Compare(a.hash, b.hash) })
	return entries
}

func TestMarkTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, model, n := &markTable{lines: noLines[:]}, tableModel{}, uint64(0)
		insert := func(t *rapid.T) {
			for range rapid.IntRange(1, 40).Draw(t, "inserts") {
				hash := drawHash(t)
				if _, ok := model[hash]; ok {
					continue
				}
				n++
				v := envelope.PositionVersion(rapid.Int64Range(0, 9).Draw(t, "time"), 0, n)
				table.insert(hash, v)
				model[hash] = v
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":       func(t *rapid.T) { model.check(t, table) },
			"insert": insert,
			"more":   insert,
			"find": func(t *rapid.T) {
				hash := drawHash(t)
				if _, ok := model[hash]; !ok && table.find(hash) != nil {
					t.Fatalf("hash %x is not there and was found", hash)
				}
				if table.find(0) != nil {
					t.Fatal("found a free slot")
				}
			},
			"sweep": func(t *rapid.T) {
				c := cull{before: rapid.Int64Range(0, 10).Draw(t, "before"), ties: rapid.IntRange(0, 3).Draw(t, "ties"), newest: math.MinInt64}
				ties, left, taken, newest := c.ties, c.ties, 0, int64(math.MinInt64)
				table.sweep(&c)
				for hash, v := range model {
					ns, there := v.Time().UnixNano(), table.find(hash) != nil
					switch {
					case ns < c.before && there, ns > c.before && !there:
						t.Fatalf("a mark of the time %d was swept: %v", ns, !there)
					case !there:
						if ns == c.before {
							left--
						}
						taken, newest = taken+1, max(newest, ns)
						delete(model, hash)
					}
				}
				remain := slices.ContainsFunc(slices.Collect(maps.Values(model)), func(v envelope.Version) bool { return v.Time().UnixNano() == c.before })
				if left < 0 || left > 0 && remain || c.ties != left {
					t.Fatalf("%d of %d ties taken, %d left", ties-left, ties, c.ties)
				}
				if c.taken != taken || c.newest != newest {
					t.Fatalf("took %d up to %d, want %d up to %d", c.taken, c.newest, taken, newest)
				}
			},
			"resize": func(t *rapid.T) {
				table.resize(slotsFor(table.count + rapid.IntRange(0, 50).Draw(t, "more")))
			},
			"reserve": func(t *rapid.T) {
				count := rapid.IntRange(0, 200).Draw(t, "count")
				before := table.slots()
				table.reserve(count)
				if after := table.slots(); maxCount(after) < count || after != before && maxCount(before) >= count {
					t.Fatalf("%d slots, then %d, for %d", before, after, count)
				}
			},
			"fill": func(t *rapid.T) {
				all := sortedMarks(table.entries(nil))
				*table = markTable{lines: noLines[:]}
				table.fill(all)
			},
		})
	})
}

// A large table, grown, swept to little and grown again.
func TestLargeMarkTable(t *testing.T) {
	const marks = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	table, model := &markTable{lines: noLines[:]}, tableModel{}
	add := func() {
		for len(model) < marks {
			hash, v := r.Uint64()>>tableBits, envelope.TimeVersion(r.Int64N(1000))
			if model[hash].IsZero() && hash != 0 {
				table.insert(hash, v)
				model[hash] = v
			}
		}
	}
	add()
	if _, full := pages(table.slots()); !full || 40*table.slots() > 53*marks {
		t.Errorf("%d slots", table.slots())
	}
	all := table.entries(nil)
	unsorted := slices.Clone(all)
	sortedMarks(all)
	for i, e := range unsorted {
		// Sorting is fast because there is little to do.
		if rank, _ := slices.BinarySearchFunc(all, e.hash, func(e markEntry, hash uint64) int { return cmp.Compare(e.hash, hash) }); rank < i-500 || rank > i+500 {
			t.Fatalf("entry %d belongs at %d", i, rank)
		}
	}
	filled := &markTable{lines: noLines[:]}
	filled.fill(all)
	slots := table.slots()
	for _, before := range []int64{100, 500, 900} {
		table.sweep(&cull{before: before})
		for hash, v := range model {
			if v.Time().UnixNano() < before {
				delete(model, hash)
			}
		}
		model.check(t, table)
	}
	if after := table.slots(); after > 2*len(model) || after == slots {
		t.Errorf("%d slots after a sweep to %d marks", after, len(model))
	}
	table.sweep(&cull{before: math.MaxInt64})
	if table.count != 0 || table.slots() != tableLine {
		t.Errorf("%d slots for %d marks", table.slots(), table.count)
	}
	clear(model)
	add()
	model.check(t, table)
	if filled.count != marks || filled.slots() > marks*5/4 || maxCount(filled.slots()) < marks+marks/20 {
		t.Errorf("filled: %d slots", filled.slots())
	}
	for _, e := range all {
		if found := filled.find(e.hash); found == nil || *found != e.version {
			t.Fatalf("hash %x has %v", e.hash, found)
		}
	}
}

// pages returns how many pages of the heap so many slots take, and whether there is
// no room for a line in them.
func pages(slots int) (n int, full bool) {
	bytes := slots * 40
	n = (bytes + pageBytes - 1) / pageBytes
	return n, n*pageBytes-bytes < lineBytes
}

// All hashes in the last line of a table: what comes in order is filled in order,
// and is found in spite of all.
func TestMarkTableOfOneLine(t *testing.T) {
	const marks = 3000
	var all []markEntry
	model := tableModel{}
	for i := range uint64(marks) {
		e := markEntry{1<<(64-tableBits) - marks + i, envelope.TimeVersion(int64(i))}
		all = append(all, e)
		model[e.hash] = e.version
	}
	table := &markTable{lines: noLines[:]}
	table.fill(all)
	model.check(t, table)
	if !slices.Equal(sortedMarks(table.entries(nil)), all) {
		t.Error("the entries are others")
	}
	table.resize(2 * table.slots())
	model.check(t, table)
}

// What a growing Memory takes, whatever the number of its keys, and that its
// tables do not all grow at one time.
func TestGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var slots [1 << tableBits]int
	for keys := 1_500_000; keys < 200_000_000; keys += keys / 64 {
		total, grew := 0, 0
		for i := range slots {
			share := keys/len(slots) + int(r.NormFloat64()*math.Sqrt(float64(keys/len(slots))))
			if maxCount(slots[i]) < share && slots[i] > 0 {
				grew++
			}
			for maxCount(slots[i]) < share {
				next := grown(slots[i], r.Uint64())
				if next <= slots[i] || next%tableLine != 0 {
					t.Fatalf("%d slots grew to %d", slots[i], next)
				}
				if _, full := pages(next); next > tableMany && (!full || next > slots[i]*5/4+pageBytes/40) {
					t.Fatalf("%d slots grew to %d", slots[i], next)
				}
				slots[i] = next
			}
			n, _ := pages(slots[i])
			total += n * pageBytes
		}
		if bytes := float64(total) / float64(keys); bytes > 50 || bytes < 44 {
			t.Errorf("%d keys take %.2f bytes each", keys, bytes)
		}
		if keys > 4_000_000 && grew > len(slots)/3 {
			t.Errorf("%d of %d tables grew on the way to %d keys", grew, len(slots), keys)
		}
	}
}

func TestSizes(t *testing.T) {
	for count := range 5000 {
		slots := slotsFor(count)
		if maxCount(slots) < count || slots%tableLine != 0 || slots > count+count/9+tableLine+pageBytes/40 || slots < tableMany && slots > count+count/9+1+tableLine {
			t.Fatalf("%d slots for %d marks", slots, count)
		}
	}
}

// The garbage collector has nothing to look for in what grows with the keys.
func TestMarksHoldNoPointers(t *testing.T) {
	var table markTable
	typ := reflect.TypeOf(table)
	slicesOf := 0
	for i := range typ.NumField() {
		switch f := typ.Field(i); f.Type.Kind() {
		case reflect.Slice:
			slicesOf++
			if holdsPointers(f.Type.Elem()) {
				t.Errorf("%s is a slice of pointers", f.Name)
			}
		case reflect.Int:
		default:
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
	}
	if slicesOf != 1 || typ.NumField() != 2 {
		t.Errorf("%d fields, %d slices", typ.NumField(), slicesOf)
	}
	if !holdsPointers(reflect.TypeFor[markTable]()) || !holdsPointers(reflect.TypeFor[[3]struct{ s string }]()) {
		t.Error("holdsPointers sees none where there are")
	}
}

// holdsPointers reports whether values of a type hold pointers.
func holdsPointers(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Array:
		return holdsPointers(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			if holdsPointers(typ.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return typ.Kind() > reflect.Complex128
}
