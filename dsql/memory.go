package dsql

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rowdelta/rowdelta/envelope"
)

// Memory is a FragmentStore in this process's memory. It holds what it is
// given; a [Reassembler] sees to it that this stays within its limits. The zero
// Memory is ready to use, by several goroutines at once. Its methods ignore
// their context: they never wait.
type Memory struct {
	mu     sync.RWMutex
	images map[string]map[int][]byte // by chunk ID and index
	free   sync.Pool                 // of *[]byte: forgotten fragments
}

// minReused is the size in bytes from which on the memory of fragments is used
// again: with large ones a sixth of the time goes into clearing new memory.
const minReused = 1 << 16

// buffer returns an empty buffer for n bytes.
func (m *Memory) buffer(n int) []byte {
	if n >= minReused {
		if b, ok := m.free.Get().(*[]byte); ok && cap(*b) >= n && cap(*b) <= n+n/8 {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, n)
}

// release lets the memory of a fragment be used again.
func (m *Memory) release(text []byte) {
	if cap(text) >= minReused {
		poison(text)
		m.free.Put(&text)
	}
}

// Put implements [FragmentStore].
func (m *Memory) Put(_ context.Context, chunkID string, index int, data envelope.Value) error {
	// The copy is made outside the lock: it is most of the work.
	text := data.AppendText(m.buffer(len(data)))
	m.mu.Lock()
	defer m.mu.Unlock()
	image := m.images[chunkID]
	if first, ok := image[index]; ok {
		equal := bytes.Equal(first, text)
		m.release(text)
		if !equal {
			return fmt.Errorf("%w: fragment %d came before with other data", ErrConflict, index)
		}
		return nil
	}
	if image == nil {
		if m.images == nil {
			m.images = make(map[string]map[int][]byte)
		}
		image = make(map[int][]byte)
		m.images[chunkID] = image
	}
	image[index] = text
	return nil
}

// Join implements [FragmentStore].
func (m *Memory) Join(_ context.Context, dst []byte, chunkID string, total int) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	image := m.images[chunkID]
	size := 0
	for i := range total {
		text, ok := image[i]
		if !ok {
			return dst, fmt.Errorf("%w: index %d of %d", ErrIncomplete, i, total)
		}
		size += len(text)
	}
	dst = slices.Grow(dst, size)
	for i := range total {
		dst = append(dst, image[i]...)
	}
	return dst, nil
}

// Forget implements [FragmentStore].
func (m *Memory) Forget(_ context.Context, chunkID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.images[chunkID] {
		m.release(text)
	}
	delete(m.images, chunkID)
	return nil
}
