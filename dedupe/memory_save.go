package dedupe

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// What Save writes, all numbers big-endian:
//
//	head   "rdmarks\n"  uint16 format (2)  uint16 flags (1: exact)  16 bytes seed  CRC
//	block  'h' or 'x'   uint32 n, 1 to 4096  n × (uint64 hash, 32 bytes version)   CRC
//	…
//	end    'e'          uint64 marks  int64 floor in ns, the least one for none    CRC
//
// The blocks h have the keys that are held by hash, the blocks x, behind them, the
// ones held exactly. Hashes rise from mark to mark, so that no key comes twice. A
// CRC is the CRC-32C of all bytes before it that are not CRCs, so that no part can
// be missing or be of another file. Format 1 hashed otherwise and was in no release.
const (
	savedMagic  = "rdmarks\n"
	savedFormat = 2
	savedExact  = 1 // flag

	savedHead  = len(savedMagic) + 2 + 2 + 16
	savedMark  = 8 + 32
	savedBlock = 4096 // marks

	savedHashedBlock = 'h'
	savedExactBlock  = 'x'
	savedEnd         = 'e'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt says that what Restore read is not what Save wrote, or not all of it.
var ErrCorrupt = errors.New("dedupe: saved marks are corrupt")

// Save writes all marks, so that another process can go on with them; see
// [Memory.Restore]. Others may use the Memory at the same time. What they raise in
// the meantime may be written or not, each mark by itself. That is right under one
// condition: the process that restores them reads its input from where it was
// committed when Save began, or from before that. Then what was delivered and is
// not marked is admitted again, and nothing that is marked was not delivered. To
// resume from later on is to forget marks: an older change could come behind it.
//
// What is written holds no keys, but the seed of the hash. Keep it from those who
// may choose keys: with the seed they can be chosen to share a mark.
//
// An error wraps that of w.
func (m *Memory) Save(w io.Writer) error {
	marks := m.marks()
	out := markWriter{w: w}
	flags := uint16(0)
	if marks.exact {
		flags |= savedExact
	}
	out.buf = append(out.buf, savedMagic...)
	out.buf = binary.BigEndian.AppendUint16(out.buf, savedFormat)
	out.buf = binary.BigEndian.AppendUint16(out.buf, flags)
	out.buf = append(out.buf, marks.seed[:]...)
	out.flush()
	var entries []markEntry
	for i := range marks.stripes {
		s := &marks.stripes[i]
		kind := byte(savedHashedBlock)
		if i >= stripes {
			kind = savedExactBlock
		}
		for j := range s.tables {
			s.mu.Lock()
			entries = s.tables[j].entries(entries[:0])
			zero := s.zero
			s.mu.Unlock()
			if j == 0 && !zero.IsZero() {
				entries = append(entries, markEntry{0, zero})
			}
			slices.SortFunc(entries, func(a, b markEntry) int { return cmp.Compare(a.hash, b.hash) })
			for _, e := range entries {
				out.mark(kind, e)
			}
			if out.err != nil {
				return fmt.Errorf("dedupe: save marks: %w", out.err)
			}
		}
	}
	out.endBlock()
	out.buf = append(out.buf, savedEnd)
	out.buf = binary.BigEndian.AppendUint64(out.buf, out.total)
	// After the marks: of what was evicted while they were written, the floor must tell.
	out.buf = binary.BigEndian.AppendUint64(out.buf, uint64(marks.floor.Load()))
	out.flush()
	if out.err != nil {
		return fmt.Errorf("dedupe: save marks: %w", out.err)
	}
	return nil
}

// A markWriter writes the parts of saved marks. After an error it does nothing.
type markWriter struct {
	w     io.Writer
	buf   []byte // a part under way
	n     uint32 // marks in it
	total uint64
	crc   uint32
	err   error
}

// mark adds a mark to the block under way, or to the next one.
func (w *markWriter) mark(kind byte, e markEntry) {
	if w.n == savedBlock || w.n > 0 && w.buf[0] != kind {
		w.endBlock()
	}
	if w.n == 0 {
		w.buf = append(w.buf, kind, 0, 0, 0, 0)
	}
	w.buf = binary.BigEndian.AppendUint64(w.buf, e.hash)
	w.buf, _ = e.version.AppendBinary(w.buf) // never fails
	w.n++
	w.total++
}

func (w *markWriter) endBlock() {
	if w.n > 0 {
		binary.BigEndian.PutUint32(w.buf[1:], w.n)
		w.flush()
		w.n = 0
	}
}

// flush ends a part.
func (w *markWriter) flush() {
	w.crc = crc32.Update(w.crc, castagnoli, w.buf)
	w.buf = binary.BigEndian.AppendUint32(w.buf, w.crc)
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}
