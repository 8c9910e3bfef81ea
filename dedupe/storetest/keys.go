package storetest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// oddKeys returns keys that some store may take for another one, or for
// something else. Each is another one.
func oddKeys() []string {
	out := []string{
		// Prefixes of each other, and what is around them in order.
		"a", "aa", "aaa", "ab", "a\x00", "a\x00\x00", "a\x01", "a\xff", "a\xff\xff", "b", "\x00a", " a", "a ", "a\n", "\ta", "A",
		// Text that is equal to some.
		"é", "e\u0301", "É", "ß", "ss", "ǆ", "\u00a0", "\u200b", "\ufeff", "\ufeffa", "\u2028", "😀", "\U0010ffff",
		// No text.
		"\x80", "\xc3", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff\xfe", "\xef\xbf\xbd", "a\x80", "a\xc3", "a\xef\xbf\xbd",
		// What is something to a server, a path or a format.
		"*", "?", "[a]", "a*", "{a}", "{}", "{a}b", "{a}c", "}{", ":", "a:b", "a:", "::", "#", "#a", "$", "$a", "%", "%00", "%61", "a%2fb", "a/b", "a//b", "/", "/a", "a/",
		".", "..", "./a", "../a", "\\", "\\x00", "\\a", "'", "\"", "\"a\"", "`", ";", "--", "a\r\nb", "\r\n", "$0", "$5\r\nhello\r\n", "null", "nil", "true", "0", "00", "1", "-1", "1e0", "1.0",
		"_", "__", "a_b", "key", "k", "m", "mark", "marks", "meta", "format", "version", "lock", "ttl", "pk", "expires", "rowdelta", "rowdelta:a", "rowdelta/a",
		`{"id":1}`, `{"id": 1}`, `["a"]`, "\x04shop\x06public\x06orders\border_id0\x012\x00", "\x04shop\x06public\x06orders\border_id0\x0122\x00",
	}
	have := map[string]bool{}
	for _, key := range out {
		have[key] = true
	}
	add := func(key string) {
		if !have[key] {
			have[key] = true
			out = append(out, key)
		}
	}
	for b := range 256 {
		add(string([]byte{byte(b)}))
		add(string([]byte{0, byte(b)}))
		add(string([]byte{255, byte(b)}))
	}
	for n := 1; n < 10; n++ {
		add(strings.Repeat("\x00", n))
		add(strings.Repeat("\xff", n))
	}
	for _, key := range []string{"a", "\x00", "\xff", "\x80"} {
		for _, form := range []string{
			hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))), `\x` + hex.EncodeToString([]byte(key)),
			base64.StdEncoding.EncodeToString([]byte(key)), base64.RawURLEncoding.EncodeToString([]byte(key)),
		} {
			add(form)
		}
	}
	return out
}

func keys(tb testing.TB, store dedupe.Store) { distinct(tb, store, oddKeys()) }

// distinct gives each key a mark of its own, half of them at a time, and
// replaces them one by one of ten.
func distinct(tb testing.TB, store dedupe.Store, keys []string) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	for half := range 2 {
		var moves []move
		for i, key := range keys {
			if i%2 == half {
				moves = append(moves, move{key: key, new: at(i)})
			}
		}
		s.moves(marks, moves...)
		s.holds(marks, keys...)
	}
	for i, key := range keys {
		if i%10 == 0 {
			s.moves(marks, move{key, at(i), at(len(keys) + i)})
		}
	}
	s.holds(marks, shuffled(2, keys)...)
}

// longKeys has keys of all sizes around what stores have limits for, and keys
// that differ in one byte.
func longKeys(tb testing.TB, store dedupe.Store) {
	var keys []string
	for _, n := range []int{15, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 16384, 65535, 65536} {
		key := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		keys = append(keys, key)
		for _, at := range []int{0, n / 2, n - 1} {
			keys = append(keys, key[:at]+"~"+key[at+1:])
		}
	}
	distinct(tb, store, keys)

	// A batch of long ones is megabytes.
	var long []string
	for _, key := range numbered("long", 600) {
		long = append(long, strings.Repeat("x", 4096)+key)
	}
	distinct(tb, store, long)
}

// hashedKeys has keys that are digests of others, as a store may keep long ones.
func hashedKeys(tb testing.TB, store dedupe.Store) {
	var keys []string
	for _, n := range []int{1, 33, 300, 1025, 2049, 5000} {
		key := []byte(strings.Repeat("k", n))
		keys = append(keys, string(key))
		s1, s256, s512, m := sha1.Sum(key), sha256.Sum256(key), sha512.Sum512(key), md5.Sum(key)
		f := fnv.New64a()
		f.Write(key)
		for _, digest := range [][]byte{s1[:], s256[:], s256[:16], s512[:], s512[:32], m[:], f.Sum(nil)} {
			keys = append(keys, string(digest), hex.EncodeToString(digest), strings.ToUpper(hex.EncodeToString(digest)),
				base64.StdEncoding.EncodeToString(digest), base64.RawURLEncoding.EncodeToString(digest))
		}
	}
	distinct(tb, store, keys)
}
