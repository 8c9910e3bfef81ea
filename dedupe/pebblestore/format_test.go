package pebblestore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rowdelta/rowdelta/envelope"
)

// foreign makes a database of another program's.
func foreign(t *testing.T, dir string, pairs ...string) {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{Logger: logger{}, FormatMajorVersion: pebble.FormatMinSupported})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := db.Set([]byte(pairs[i]), []byte(pairs[i+1]), pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		pairs []string
		says  string
	}{
		{"other keys", []string{"private key", "value"}, "another program's database"},
		{"keys as ours", []string{"\x01private key", strings.Repeat("x", 32)}, "another program's database"},
		{"a later format", []string{formatName, "rowdelta marks 2"}, `its format is "rowdelta marks 2", this version knows "rowdelta marks 1"`},
		{"no format", []string{formatName, "private text of another kind"}, "another program's database"},
		{"no number", []string{formatName, "rowdelta marks private text"}, "another program's database"},
		{"an empty marker", []string{formatName, ""}, "another program's database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			foreign(t, dir, c.pairs...)
			for range 2 {
				store, err := Open(dir, nil)
				if err == nil {
					t.Fatal("opened", store.Close())
				}
				if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "private") {
					t.Errorf("%v", err)
				}
			}
			// It is as its owner left it, and can be opened by its owner's version.
			desc, err := pebble.Peek(dir, vfs.Default)
			if err != nil || desc.FormatMajorVersion != pebble.FormatMinSupported {
				t.Errorf("%+v, %v", desc, err)
			}
			foreign(t, dir)
		})
	}
}

// An empty database is a start that went no further.
func TestEmptyDatabase(t *testing.T) {
	dir := t.TempDir()
	foreign(t, dir)
	store := mustOpen(t, dir)
	puts(t, store, "a", at(1))
	mustClose(t, store)
	desc, err := pebble.Peek(dir, vfs.Default)
	if err != nil || desc.FormatMajorVersion != pebble.FormatTableFormatV6 {
		t.Errorf("%+v, %v", desc, err)
	}
	store = mustOpen(t, dir)
	has(t, store, "a", at(1))
	mustClose(t, store)
}

// A later version of Pebble may have been here.
func TestLaterPebble(t *testing.T) {
	dir := t.TempDir()
	store := mustOpen(t, dir)
	puts(t, store, "a", at(1))
	if err := store.db.RatchetFormatMajorVersion(pebble.FormatNewest); err != nil {
		t.Fatal(err)
	}
	mustClose(t, store)
	store = mustOpen(t, dir)
	has(t, store, "a", at(1))
	mustClose(t, store)
}

// corrupt writes what is no mark.
func corrupt(t *testing.T, store *Store, key string, value []byte) {
	t.Helper()
	if err := store.db.Set(appendName(nil, []byte(key)), value, pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

func TestCorruptFloor(t *testing.T) {
	dir := t.TempDir()
	store := mustOpen(t, dir)
	if err := store.db.Set([]byte(floorName), []byte("7 bytes"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	mustClose(t, store)
	if _, err := Open(dir, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

func TestCorruptMark(t *testing.T) {
	right, err := at(1).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	scheme := append([]byte{0xff}, right[1:]...)
	for name, value := range map[string][]byte{
		"none": {}, "short": right[:31], "long": append(right[:32:32], 0), "zero": make([]byte, 32), "of no kind": scheme,
	} {
		t.Run(name, func(t *testing.T) {
			store := opened(t)
			puts(t, store, "a", at(1))
			const key = "a private key"
			corrupt(t, store, key, value)
			versions := make([]envelope.Version, 2)
			_, evicted := store.Evict(t.Context(), time.Now())
			for call, err := range map[string]error{
				"Load":   store.Load(t.Context(), [][]byte{[]byte("a"), []byte(key)}, versions),
				"Insert": store.Swap(t.Context(), swapOf(key, envelope.Version{}, at(2))),
				"Swap":   store.Swap(t.Context(), swapOf(key, at(1), at(2))),
				"Evict":  evicted,
			} {
				if !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "private") {
					t.Errorf("%s: %v", call, err)
				}
			}
			got, closer, err := store.db.Get(appendName(nil, []byte(key)))
			if err != nil || string(got) != string(value) {
				t.Errorf("the mark is now %x, %v", got, err)
			}
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
			puts(t, store, "b", at(1)) // others go on
		})
	}
}
