package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
)

// A script is Lua for Redis. Not a redis.Script, which cannot be run in a
// pipeline.
type script struct{ text, hash string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text, hex.EncodeToString(sum[:])}
}

// A mark is 32 bytes. None is 32 zero bytes on the wire and no key in Redis.
const markBytes = 32

// The scripts read the marks of KEYS into the table marks. A value that no store
// has written ends them, with its place in KEYS as the answer and nothing
// changed.
//
// MGET shows a key of another type as none, and SET replaces it. So what is
// missing is asked for again, in one command for all of it. Plain GET says
// WRONGTYPE, but a call of its own for each key takes half as long again.
const readMarks = `
local none = string.rep('\0', 32)
local marks, missing = redis.call('MGET', unpack(KEYS)), {}
for i = 1, #KEYS do
  local mark = marks[i]
  if not mark then
    marks[i] = none
    missing[#missing + 1] = KEYS[i]
  elseif #mark ~= 32 or mark == none then
    return i
  end
end
if #missing > 0 and redis.call('EXISTS', unpack(missing)) > 0 then
  for i = 1, #KEYS do
    if marks[i] == none and redis.call('EXISTS', KEYS[i]) == 1 then
      return i
    end
  end
end
`

// The answer of loadScript is the marks, one after the other.
//
// Not MGET without a script: clients that may read from replicas send it there,
// where marks are late. EVALSHA goes to the primary.
var loadScript = newScript(readMarks + `
return table.concat(marks)
`)

// The arguments of swapScript are the old and the new marks, one after the
// other, and then, if marks expire, the milliseconds for each. The answer has a
// digit for each key: 1 if the swap was made, else 0.
var swapScript = newScript(readMarks + `
local old, new, sets, done = ARGV[1], ARGV[2], {}, {}
for i = 1, #KEYS do
  local last = 32 * i
  if marks[i] ~= string.sub(old, last - 31, last) then
    done[i] = '0'
  else
    done[i] = '1'
    local mark, keep = string.sub(new, last - 31, last), ARGV[i + 2]
    if keep then
      redis.call('SET', KEYS[i], mark, 'PX', keep)
    else
      sets[#sets + 1] = KEYS[i]
      sets[#sets + 1] = mark
    end
  end
end
if #sets > 0 then
  redis.call('MSET', unpack(sets))
end
return table.concat(done)
`)
