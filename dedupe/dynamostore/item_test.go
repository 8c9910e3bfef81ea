package dynamostore_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

// TestItems has the items byte by byte: what another release of this package
// must find.
func TestItems(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 33)
	sum := sha256.Sum256(long)
	cut := sha256.Sum256(long[:513])
	for _, c := range []struct {
		prefix, key, row string
	}{
		{"", "k", "\x00\x00k"},
		{"", "\x00\x01\xff", "\x00\x00\x00\x01\xff"},
		{"orders", "k", "\x00\x06ordersk"},
		{"\xff", "", "\x00\x01\xff"},
		{"", string(long[:512]), "\x00\x00" + string(long[:512])},
		{"", string(long[:513]), "\x01\x00" + string(cut[:])},
		{"orders", string(long), "\x01\x06orders" + string(sum[:])},
		{strings.Repeat("p", 255), "k", "\x00\xff" + strings.Repeat("p", 255) + "k"},
	} {
		d := newDatabase()
		s := d.store()
		s.Prefix = c.prefix
		mustSwap(t, s, []dedupe.Swap{{Key: []byte(c.key), New: at(7)}}, "1")
		version, _ := at(7).MarshalBinary()
		want := map[string]item{c.row: {"row": "B" + c.row, "version": "B" + string(version)}}
		if !maps.EqualFunc(d.items, want, maps.Equal) {
			t.Errorf("prefix %q, key %.20q: %q", c.prefix, c.key, d.items)
		}
		mustLoad(t, s, [][]byte{[]byte(c.key)}, 7)
	}
}

// TestSizes bounds what DynamoDB bills: names, values, and what it adds to an
// item, within 1 KB.
func TestSizes(t *testing.T) {
	d := newDatabase()
	s := d.store()
	s.Prefix, s.Keep = strings.Repeat("p", 255), 200*365*24*time.Hour
	for _, n := range []int{1, 511, 512, 513, 70_000} {
		mustSwap(t, s, []dedupe.Swap{{Key: make([]byte, n), New: at(1)}}, "1")
	}
	for row, it := range d.items {
		size := 100
		for name, v := range it {
			size += len(name) + len(v)
		}
		if size > 1024 || len(row) > 2048 {
			t.Errorf("an item of %d bytes, a key of %d", size, len(row))
		}
	}
}

// TestRows draws keys and prefixes that look alike: no two share an item.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDatabase()
		piece := rapid.SampledFrom([]string{"", "\x00", "\x01", "\x02", "a", "b", "ab", "\xff", "\x00\x00", "\x01\x01a", strings.Repeat("x", 255), strings.Repeat("x", 512)})
		type place struct{ prefix, key string }
		places := map[place]int{}
		var all []place
		for n := 1; n <= 30; n++ {
			p := place{piece.Draw(t, "prefix"), piece.Draw(t, "key") + piece.Draw(t, "key") + piece.Draw(t, "key")}
			if len(p.prefix) > 255 {
				p.prefix = p.prefix[:255]
			}
			if len(all) > 0 && rapid.IntRange(0, 3).Draw(t, "digest") == 0 {
				sum := sha256.Sum256([]byte(all[len(all)-1].key))
				p.key = string(sum[:])
			}
			if _, ok := places[p]; ok {
				continue
			}
			places[p] = n
			all = append(all, p)
			s := d.store()
			s.Prefix = p.prefix
			swaps := []dedupe.Swap{{Key: []byte(p.key), New: at(n)}}
			if err := s.Swap(t.Context(), swaps); err != nil || !swaps[0].Done {
				t.Fatalf("%q is another: %v", p, err)
			}
		}
		for p, n := range places {
			s := d.store()
			s.Prefix = p.prefix
			var got [1]envelope.Version
			if err := s.Load(t.Context(), [][]byte{[]byte(p.key)}, got[:]); err != nil || got[0] != at(n) {
				t.Fatalf("%q: %v, %v, want %v", p, got, err, at(n))
			}
		}
	})
}

// expires returns the attribute of the item of a key, or 0.
func expires(t *testing.T, d *database, key string) int64 {
	t.Helper()
	it := d.items["\x00\x00"+key]
	if it == nil {
		t.Fatalf("no item of %s", key)
	}
	v, ok := it["expires"]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(v, "N"), 10, 64)
	if err != nil {
		t.Fatalf("expires is %q", v)
	}
	return n
}

// TestExpiry has marks that are made and raised, with Keep and without.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := d.store()
		s.Keep = 24 * time.Hour
		k := [][]byte{[]byte("k")}
		raise := func(from, to envelope.Version) {
			t.Helper()
			swaps := []dedupe.Swap{{Key: k[0], Old: from, New: to}}
			mustSwap(t, s, swaps, "1")
		}
		now := func(ns int) envelope.Version { return envelope.TimeVersion(time.Now().UnixNano() + int64(ns)) }
		right := func(from time.Time) {
			t.Helper()
			if got, want := expires(t, d, "k"), from.Add(s.Keep+time.Minute).Unix()+1; got != want {
				t.Errorf("expires %d, want %d", got, want)
			}
		}

		old := now(-1e9)
		raise(envelope.Version{}, old)
		right(time.Now())
		time.Sleep(time.Hour)
		// A refused swap renews nothing.
		mustSwap(t, s, []dedupe.Swap{{Key: k[0], Old: now(0), New: now(1)}}, "0")
		right(time.Now().Add(-time.Hour))
		next := now(-2e9)
		raise(old, next)
		right(time.Now())
		// What is dated ahead stays until then.
		ahead := now(int(100 * time.Hour))
		raise(next, ahead)
		right(time.Now().Add(100 * time.Hour))
		// What a filter wants to stay is dated at the end of time.
		forever := envelope.PositionVersion(1<<63-1, 1, 2)
		raise(ahead, forever)
		if got := expires(t, d, "k"); got < 9_000_000_000 {
			t.Errorf("expires %d", got)
		}

		if got, want := s.Floor(), time.Now().Add(-s.Keep); !got.Equal(want) {
			t.Errorf("Floor is %v, want %v", got, want)
		}

		s = d.store()
		raise(forever, next)
		if got := expires(t, d, "k"); got != 0 {
			t.Errorf("without Keep it expires %d", got)
		}
		s.Keep = -time.Hour
		raise(next, old)
		if got := expires(t, d, "k"); got != 0 || !s.Floor().IsZero() {
			t.Errorf("with a negative Keep it expires %d", got)
		}
		s = d.store()
		s.Keep = time.Hour
		raise(old, next)
		right(time.Now())
		s = d.store()
		s.Keep = math.MaxInt64
		raise(next, old)
		if got := expires(t, d, "k"); got < 9_000_000_000 {
			t.Errorf("with the longest Keep it expires %d", got)
		}
	})
}

// TestFloor removes marks as soon as DynamoDB may: none of them is of Floor or
// later.
func TestFloor(t *testing.T) {
	if floor := newDatabase().store().Floor(); !floor.IsZero() {
		t.Errorf("marks are kept for good, and Floor is %v", floor)
	}
	type step struct {
		pause time.Duration // before it
		key   string
		off   time.Duration // of the source's clock
		early time.Duration // of the database's clock
	}
	span := func(least, most time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.Int64Range(int64(least), int64(most)), func(n int64) time.Duration { return time.Duration(n) })
	}
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			span(0, 5*time.Hour).Draw(t, "pause"),
			rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key"),
			span(-100*time.Hour, 100*time.Hour).Draw(t, "off"),
			span(0, time.Minute).Draw(t, "early"),
		}
	}), 1, 40)
	run := func(t *testing.T, s *dynamostore.Store, steps []step) error {
		d := s.Client.(*database)
		held := map[string]envelope.Version{}
		for n, step := range steps {
			time.Sleep(step.pause)
			v := envelope.PositionVersion(time.Now().Add(step.off).UnixNano(), 0, uint64(n))
			swaps := []dedupe.Swap{{Key: []byte(step.key), Old: held[step.key], New: v}}
			if err := s.Swap(t.Context(), swaps); err != nil || !swaps[0].Done {
				return fmt.Errorf("step %d: done %v, %v", n, swaps[0].Done, err)
			}
			held[step.key] = v
			for key, v := range held {
				if expires(t, d, key) > time.Now().Add(step.early).Unix() {
					continue
				}
				if !v.Time().Before(s.Floor()) {
					return fmt.Errorf("step %d: at %v the mark %v is removed, and Floor is %v", n, time.Now(), v, s.Floor())
				}
				delete(held, key)
				delete(d.items, "\x00\x00"+key)
			}
		}
		return nil
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := newDatabase().store()
		s.Keep = span(1, 48*time.Hour).Draw(rt, "keep")
		script := steps.Draw(rt, "steps")
		var err error
		synctest.Test(t, func(t *testing.T) { err = run(t, s, script) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

var _ interface{ Floor() time.Time } = (*dynamostore.Store)(nil)
