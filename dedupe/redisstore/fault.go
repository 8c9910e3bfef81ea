package redisstore

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrForeign says that a key of the store has a value that is not a mark: of
// another type, or of bytes that no Version has. It is not read as none, and not
// replaced. Somebody else uses the Prefix; to find the key, look below it for what
// is not a string of 32 bytes.
var ErrForeign = errors.New("a value that is not a mark")

// A reply is an error that the server answered, without what it quotes. It does
// not wrap the client's error, which has all of it.
type reply string

func (r reply) Error() string { return string(r) }

// RedisError makes it a [redis.Error], so that [redis.HasErrorPrefix] reads it.
func (reply) RedisError() {}

// clean takes the names of keys out of an error's text.
//
// A server that does not know a command, or does not let the user run it, may
// send its arguments back in quotes, as Redis does with the former. Answers of
// other kinds have fixed texts.
func clean(err error) error {
	answer, ok := errors.AsType[redis.Error](err)
	if !ok {
		return err
	}
	text := answer.Error()
	if !strings.HasPrefix(text, "ERR ") && !strings.HasPrefix(text, "NOPERM ") {
		return err
	}
	for i, c := range text {
		// An apostrophe within a word quotes nothing.
		if c == '`' || c == '"' || c == '\'' && !letter(text[i-1]) {
			return reply(strings.TrimRight(text[:i], " :"))
		}
	}
	return err
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
