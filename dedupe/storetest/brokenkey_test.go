package storetest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/dedupe"
)

// long has a store keep something else in the place of keys beyond a size.
func long(by string, size int, f func(key string) string) brokenStore {
	return names(by, func(key string) string {
		if len(key) > size {
			return f(key)
		}
		return key
	})
}

func cut(n int) brokenStore {
	return long("LongKeys", n, func(key string) string { return key[:n] })
}

// tooLong refuses keys beyond a size.
func tooLong(n int) brokenStore {
	return swaps("LongKeys", func(c call) error {
		for _, s := range c.swaps {
			if len(s.Key) > n {
				return errors.New("key too long")
			}
		}
		return c.write()
	})
}

var brokenKeys = map[string]brokenStore{
	"cut at 32": cut(32), "cut at 255": cut(255), "cut at 1024": cut(1024), "cut at 2048": cut(2048), "cut at 4096": cut(4096), "cut at 64 KiB": cut(65535),
	"up to 255 bytes": tooLong(255), "up to 1024 bytes": tooLong(1024), "up to 2048 bytes": tooLong(2048), "up to 4096 bytes": tooLong(4096), "up to 64 KiB": tooLong(65535),
	"the end of long ones": long("LongKeys", 300, func(key string) string { return key[len(key)-300:] }),
	"the ends of long ones": long("LongKeys", 300, func(key string) string {
		return key[:100] + strconv.Itoa(len(key)) + key[len(key)-100:]
	}),
	"long ones by digest": long("HashedKeys", 1024, func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return string(sum[:])
	}),
	"long ones by digest in hexadecimal": long("HashedKeys", 2048, func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:])
	}),
	"long ones by digest in base64": long("HashedKeys", 200, func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}),
	"longer than a digest by digest": long("HashedKeys", 32, func(key string) string {
		sum := md5.Sum([]byte(key))
		return string(sum[:])
	}),

	"up to a zero byte":     names("Refuse Keys Model", func(key string) string { return strings.SplitN(key, "\x00", 2)[0] }),
	"without spaces around": names("Keys", strings.TrimSpace),
	"without zero bytes":    names("Refuse Keys Model", func(key string) string { return strings.TrimRight(key, "\x00") }),
	"lower case":            names("Keys", strings.ToLower),
	"folded":                names("Keys", func(key string) string { return strings.ToLower(strings.ToUpper(key)) }),
	"as text":               names("Keys Model", func(key string) string { return strings.ToValidUTF8(key, "\ufffd") }),
	"as runes":              names("Keys", func(key string) string { return string([]rune(key)) }),
	"as a path":             names("Keys", path.Clean),
	"without a slash":       names("Keys", func(key string) string { return strings.TrimSuffix(key, "/") }),
	"as a pattern": names("Keys", func(key string) string {
		if key == "*" {
			return "a"
		}
		return key
	}),
	"by its tag": names("Keys", func(key string) string {
		if from, to := strings.IndexByte(key, '{'), strings.IndexByte(key, '}'); from >= 0 && to > from+1 {
			return key[from+1 : to]
		}
		return key
	}),
	"unescaped": names("Keys", func(key string) string {
		if s, err := url.PathUnescape(key); err == nil {
			return s
		}
		return key
	}),
	"quoted without quotes": names("Keys", func(key string) string {
		if s, err := strconv.Unquote(key); err == nil {
			return s
		}
		return key
	}),
	"as a number": names("Keys", func(key string) string {
		if n, err := strconv.ParseFloat(key, 64); err == nil {
			return strconv.FormatFloat(n, 'g', -1, 64)
		}
		return key
	}),
	"in hexadecimal, if it is no text": names("Keys", func(key string) string {
		if strings.ToValidUTF8(key, "") != key {
			return hex.EncodeToString([]byte(key))
		}
		return key
	}),
	"one name is taken": names("Keys", func(key string) string { return strings.Replace(key, "_", "\xff", 1) }),
	"0xff ends all": names("Keys", func(key string) string {
		for strings.HasSuffix(key, "\xff") {
			key = key[:len(key)-1]
		}
		return key + "\xff"
	}),
	"the first byte alone": names("Keys LongKeys", func(key string) string { return key[:1] }),
	"its length and sum": names("Keys", func(key string) string {
		n := 0
		for i := range len(key) {
			n += int(key[i])
		}
		return strconv.Itoa(len(key)) + " " + strconv.Itoa(n)
	}),
	"no text is refused": swaps("Keys", func(c call) error {
		for _, s := range c.swaps {
			if strings.ToValidUTF8(string(s.Key), "") != string(s.Key) {
				return errors.New("invalid UTF-8")
			}
		}
		return c.write()
	}),
	"a key of its own": {"Keys", func() dedupe.Store {
		s := newStore()
		s.marks["meta"] = at(0)
		return s
	}},
}
