package dedupe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/rowdelta/rowdelta/envelope"
)

// A table has two marks of its own beside those of its rows: the version of its
// last truncate, and its epoch. The epoch is a random version that stands in
// front of the keys of its rows once Forget was called, so that the marks of
// before are not found any more. Removing them instead would need a store that
// can list them.

// special begins the keys of such marks. No key of AppendKey begins so: it would
// be the length of a database's name, and above 64 bits.
const special = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

func appendSpecial(dst []byte, kind byte, t envelope.Table) []byte {
	dst = append(append(dst, special...), kind)
	for _, name := range [...]string{t.DB, t.Schema, t.Name} {
		dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
	}
	return dst
}

func appendEpochKey(dst []byte, t envelope.Table) []byte { return appendSpecial(dst, 'e', t) }

func appendTruncateKey(dst []byte, t *tableMarks) []byte {
	return appendSpecial(appendEpoch(dst, t.epoch), 't', t.name)
}

// appendEpoch appends nothing for a table that was never forgotten: its rows have
// the keys that Keys gives them.
func appendEpoch(dst []byte, epoch envelope.Version) []byte {
	if epoch.IsZero() {
		return dst
	}
	dst, _ = epoch.AppendBinary(dst) // never fails
	return dst
}

// newEpoch returns an epoch that was not there before. Its time is the latest
// there is, so that a store that forgets by age keeps it.
func newEpoch() envelope.Version {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return envelope.PositionVersion(math.MaxInt64, binary.BigEndian.Uint64(random[:8]), binary.BigEndian.Uint64(random[8:]))
}

func (f *Filter) epoch(t envelope.Table) envelope.Version {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epochs[t]
}

func (f *Filter) setEpoch(t envelope.Table, epoch envelope.Version) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epochs == nil {
		f.epochs = make(map[envelope.Table]envelope.Version)
	}
	f.epochs[t] = epoch
}

// Forget forgets all that is known of a table, for every Filter of the Store: the
// next change of each row is Newer. It is for a source that was rebuilt, so that
// its new log starts below the old one and the old marks would hold back what is
// right. Stop what delivers the old source's changes first, or they are Newer too.
// The marks of before stay in the Store, unused.
//
// With an exact [Memory] use a new one instead: the keys of a table that was
// forgotten are longer than it holds exactly.
func (f *Filter) Forget(ctx context.Context, table envelope.Table) error {
	if f.Store == nil {
		return errNoStore
	}
	key := appendEpochKey(nil, table)
	swap := []Swap{{Key: key, New: newEpoch()}}
	held := make([]envelope.Version, 1)
	for range f.attempts() {
		if err := f.Store.Load(ctx, [][]byte{key}, held); err != nil {
			return fmt.Errorf("dedupe: load: %w", err)
		}
		swap[0].Old = held[0]
		if err := f.Store.Swap(ctx, swap); err != nil {
			return fmt.Errorf("dedupe: swap: %w", err)
		}
		if swap[0].Done {
			f.setEpoch(table, swap[0].New)
			return nil
		}
	}
	return ErrContended
}

// load loads the marks of the batch. It reports false if the epoch of a table is
// not the one that the keys were made with.
func (b *Batch) load(ctx context.Context) (current bool, err error) {
	rows := b.rows.Len()
	keys := b.rows.AppendKeys(make([][]byte, 0, rows+2*len(b.tables)))
	for i := range b.tables {
		t := &b.tables[i]
		keys = append(keys, appendEpochKey(nil, t.name), appendTruncateKey(nil, t))
	}
	held := make([]envelope.Version, len(keys))
	if len(keys) > 0 {
		if err := b.filter.Store.Load(ctx, keys, held); err != nil {
			return false, err
		}
	}
	current = true
	for i := range b.tables {
		t := &b.tables[i]
		epoch, truncated := held[rows+2*i], held[rows+2*i+1]
		if epoch != t.epoch {
			b.filter.setEpoch(t.name, epoch)
			current = false
		}
		t.truncated = mark{truncated, truncated, inStore}
	}
	b.marks = make([]mark, rows)
	for i, v := range held[:rows] {
		b.marks[i] = mark{v, v, b.filter.source()}
	}
	return current, nil
}
