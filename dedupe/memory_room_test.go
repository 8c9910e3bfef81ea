package dedupe

import (
	"math"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// Of two calls that need room at once, one makes it, and the other finds it.
func TestRoomIsMadeOnce(t *testing.T) {
	m := newMemoryMarks(false, [16]byte{})
	for i := range uint64(6) {
		m.stripes[0].insert(i, envelope.TimeVersion(int64(i)))
		m.reserve(0)
	}
	if !m.makeRoom(2, math.MinInt64, 8, 0) || m.keys.Load() != 6 || m.floor.Load() != math.MinInt64 {
		t.Errorf("evicted where there was room: %d keys, the floor is %d", m.keys.Load(), m.floor.Load())
	}
	if !m.makeRoom(3, math.MinInt64, 8, 0) || m.keys.Load() != 5 || m.floor.Load() != 1 {
		t.Errorf("evicted otherwise than the oldest: %d keys, the floor is %d", m.keys.Load(), m.floor.Load())
	}
	if !m.reserve(6) || m.reserve(6) || m.keys.Load() != 6 {
		t.Errorf("%d keys of 6", m.keys.Load())
	}
}
