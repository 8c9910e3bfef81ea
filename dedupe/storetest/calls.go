package storetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A tester is a testing.TB or a *rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// A move is a swap whose key nobody can change.
type move struct {
	key      string
	old, new envelope.Version
}

// load calls Load with keys as a caller has them, and with versions that are
// left from another call. It fails the test if the arguments changed, and
// changes them when the call is over.
func load(ctx context.Context, tb tester, store dedupe.Store, keys []string) ([]envelope.Version, error) {
	tb.Helper()
	a := pack(keys)
	dst := make([]envelope.Version, len(keys), len(keys)+1)
	for i := range dst {
		dst[i] = stale(i)
	}
	dst[:len(dst)+1][len(dst)] = stale(0)
	err := store.Load(ctx, a.keys, dst)
	a.unchanged(tb, "Load")
	if dst[:len(dst)+1][len(dst)] != stale(0) {
		tb.Errorf("Load of %d keys wrote behind the versions", len(keys))
	}
	discreet(tb, err, keys)
	out := slices.Clone(dst)
	for i := range dst {
		dst[i] = stale(i)
	}
	a.scribble()
	return out, err
}

// swap calls Swap likewise. preset is what Done is before.
func swap(ctx context.Context, tb tester, store dedupe.Store, moves []move, preset func(i int) bool) ([]bool, error) {
	tb.Helper()
	keys := make([]string, len(moves))
	for i, m := range moves {
		keys[i] = m.key
	}
	a := pack(keys)
	swaps := make([]dedupe.Swap, len(moves))
	for i, m := range moves {
		swaps[i] = dedupe.Swap{Key: a.keys[i], Old: m.old, New: m.new, Done: preset(i)}
	}
	err := store.Swap(ctx, swaps)
	out := make([]bool, len(moves))
	for i, m := range moves {
		out[i] = swaps[i].Done
		a.keys[i] = swaps[i].Key
		if swaps[i].Old != m.old || swaps[i].New != m.new {
			tb.Errorf("Swap changed Old or New of swap %d of %d", i, len(moves))
		}
		swaps[i] = dedupe.Swap{Key: []byte("scribbled"), Old: stale(i), New: stale(i + 1), Done: !out[i]}
	}
	a.unchanged(tb, "Swap")
	discreet(tb, err, keys)
	a.scribble()
	return out, err
}

func evens(i int) bool { return i%2 == 0 }

// stale returns what versions hold from an earlier call.
func stale(i int) envelope.Version { return envelope.PositionVersion(-1, 1<<63, uint64(i)) }

// An arena holds keys one behind another, as a caller packs those of a batch.
type arena struct {
	want []string
	keys [][]byte
	buf  []byte
}

func pack(keys []string) *arena {
	if len(keys) == 0 {
		return &arena{}
	}
	const behind = "the key that comes next"
	a := &arena{want: keys, keys: make([][]byte, len(keys))}
	a.buf = []byte(strings.Join(keys, "") + behind)
	from := 0
	for i, key := range keys {
		a.keys[i] = a.buf[from : from+len(key)]
		from += len(key)
	}
	return a
}

// unchanged fails the test if the keys are not what they were.
func (a *arena) unchanged(tb tester, call string) {
	tb.Helper()
	from := 0
	for i, key := range a.want {
		if len(a.keys[i]) != len(key) || &a.keys[i][0] != &a.buf[from] {
			tb.Errorf("%s put another slice in the place of key %d of %d", call, i, len(a.want))
			return
		}
		if string(a.keys[i]) != key {
			tb.Errorf("%s changed %s", call, name(key))
			return
		}
		from += len(key)
	}
	if a.want != nil && !bytes.HasPrefix(a.buf[from:], []byte("the key that comes next")) {
		tb.Errorf("%s wrote behind the last of %d keys", call, len(a.want))
	}
}

// scribble overwrites the keys.
func (a *arena) scribble() {
	for i := range a.buf {
		a.buf[i] = 'x'
	}
	for i := range a.keys {
		a.keys[i] = []byte("scribbled")
	}
}

// discreet fails the test if err holds a key. A key of a few bytes can be in an
// error by chance.
func discreet(tb tester, err error, keys []string) {
	tb.Helper()
	if err == nil {
		return
	}
	text := err.Error() + fmt.Sprintf("%+v%#v", err, err)
	for _, key := range keys {
		if len(key) < 8 {
			continue
		}
		quoted := strconv.Quote(key)
		for _, form := range []string{
			key, quoted[1 : len(quoted)-1], hex.EncodeToString([]byte(key)), fmt.Sprintf("%X", key), fmt.Sprint([]byte(key)),
			base64.StdEncoding.EncodeToString([]byte(key)), base64.RawURLEncoding.EncodeToString([]byte(key)),
		} {
			if strings.Contains(text, form) {
				tb.Errorf("an error holds a key: %v", err)
				return
			}
		}
	}
}

// name names a key in messages.
func name(key string) string {
	if len(key) > 40 {
		return fmt.Sprintf("key %.20q…%q (%d bytes)", key, key[len(key)-8:], len(key))
	}
	return fmt.Sprintf("key %q", key)
}

// show writes all of a version.
func show(v envelope.Version) string {
	if v.IsZero() {
		return "none"
	}
	b, _ := v.MarshalBinary() // never fails
	return fmt.Sprintf("%x (%v)", b, v)
}
