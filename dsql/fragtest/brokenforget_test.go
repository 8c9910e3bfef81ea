package fragtest

import (
	"context"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

var brokenForgets = map[string]brokenStore{
	"Forget does nothing": forget("Forget ForgetOne ManyFragments NoConflict ChunkIDs CancelledForget", func(call) error { return nil }),
	"Forget drops all":    forget("ForgetOne ForgetUnknown NoConflict ChunkIDs CancelledForget", func(c call) error { return c.dropFunc(func(string) bool { return true }) }),
	"Forget drops by prefix": forget("ForgetOne", func(c call) error {
		return c.dropFunc(func(id string) bool { return strings.HasPrefix(id, c.id) })
	}),
	"Forget drops by file name": forget("ChunkIDs ForgetOne", func(c call) error {
		return c.dropFunc(func(id string) bool { return path.Base(id) == path.Base(c.id) })
	}),
	"Forget drops ten": forget("Forget ManyFragments", func(c call) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range 10 {
			delete(c.images[c.id], i)
		}
		return nil
	}),
	"Forget stops at a gap": forget("Forget", func(c call) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := 0; ; i++ {
			if _, ok := c.images[c.id][i]; !ok {
				return nil
			}
			delete(c.images[c.id], i)
		}
	}),
	"Forget wants an image": forget("ForgetUnknown Forget", func(c call) error {
		if c.count() == 0 {
			return dsql.ErrIncomplete
		}
		return c.drop()
	}),
}

// dropFunc drops the images whose names f picks.
func (c call) dropFunc(f func(id string) bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.images, func(id string, _ map[int]string) bool { return f(id) })
	return nil
}

// A flat store has one key for each fragment, and drops an image by the
// beginning of its keys.
type flat struct {
	separator string
	mu        sync.Mutex
	texts     map[string]string
}

func (f *flat) key(id string, index int) string { return fmt.Sprint(id, f.separator, index) }

func (f *flat) Put(_ context.Context, id string, index int, data envelope.Value) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := string(data.AppendText(nil))
	if first, ok := f.texts[f.key(id, index)]; ok {
		if first != text {
			return dsql.ErrConflict
		}
		return nil
	}
	if f.texts == nil {
		f.texts = map[string]string{}
	}
	f.texts[f.key(id, index)] = text
	return nil
}

func (f *flat) Join(_ context.Context, dst []byte, id string, total int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := dst
	for i := range total {
		text, ok := f.texts[f.key(id, i)]
		if !ok {
			return dst, dsql.ErrIncomplete
		}
		out = append(out, text...)
	}
	return out, nil
}

func (f *flat) Forget(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.texts, func(key, _ string) bool { return strings.HasPrefix(key, id+f.separator) })
	return nil
}
