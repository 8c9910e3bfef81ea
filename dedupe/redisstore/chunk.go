package redisstore

import (
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

const (
	// chunkKeys is how many keys a script gets. Redis does nothing else while a
	// script runs: here for about half a millisecond. More keys do not make it
	// cheaper for each, and beyond 3,999 MSET is more than Lua's stack takes.
	chunkKeys = 500
	// chunkBytes ends a chunk of long keys.
	chunkBytes = 1 << 20
	// pipelineChunks are sent at once. Other clients get their turn in between;
	// the limit is for the buffers on both sides.
	pipelineChunks = 16
)

// A chunk is one run of a script, on the keys of a call from one index on.
type chunk struct {
	from, keys int
	names      []any
	args       []any
	answer     *redis.Cmd
}

// chunks returns what of n keys, from one index on, goes into one pipeline.
func (s *Store) chunks(from, n int, key func(i int) []byte) (list []chunk) {
	prefix := s.prefix()
	for from < n && len(list) < pipelineChunks {
		end, size := from, 0
		for end < n && end < from+chunkKeys {
			size += len(prefix) + len(key(end))
			if size > chunkBytes && end > from {
				break
			}
			end++
		}
		// One buffer for all names: thousands of strings otherwise.
		buf := make([]byte, 0, size)
		names := make([]any, 0, end-from)
		for i := from; i < end; i++ {
			start := len(buf)
			buf = append(append(buf, prefix...), key(i)...)
			names = append(names, buf[start:])
		}
		list = append(list, chunk{from: from, keys: end - from, names: names})
		from = end
	}
	return list
}

// command returns the chunk's run of a script, by its text or by its hash.
func (c *chunk) command(name, script string) []any {
	args := make([]any, 0, 3+len(c.names)+len(c.args))
	args = append(args, name, script, len(c.names))
	return append(append(args, c.names...), c.args...)
}

var errAnswer = errors.New("an answer of another form than the script's")

// text returns the script's answer, which must have n bytes.
func (c *chunk) text(n int) (string, error) {
	if err := c.answer.Err(); err != nil {
		return "", clean(err)
	}
	switch answer := c.answer.Val().(type) {
	case string:
		if len(answer) == n {
			return answer, nil
		}
	case int64:
		return "", fmt.Errorf("%w: number %d of the keys", ErrForeign, c.from+int(answer)-1)
	}
	return "", errAnswer
}
