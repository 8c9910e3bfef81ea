package dedupe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Restore replaces all marks, and the seed, by those that Save wrote. It reads no
// byte beyond them, so that r may have more. If it fails, the marks are as they
// were. Calls at the same time, but for those that begin after Restore has returned,
// may see and change the marks of before, which are lost.
//
// There may be more keys than MaxKeys: the next new key makes room. Exact must be
// as it was.
//
// An error wraps [ErrCorrupt] or the error of r. What is read must come from where
// nobody else can write: who makes a file chooses where its keys crowd.
func (m *Memory) Restore(r io.Reader) error {
	in := markReader{r: r}
	marks, err := in.read(m.Exact)
	if err != nil {
		return err
	}
	m.state.Store(marks)
	return nil
}

// A markReader reads the parts of saved marks.
type markReader struct {
	r      io.Reader
	buf    []byte
	offset int64 // behind buf
	crc    uint32
}

func (r *markReader) corrupt(cause error) error {
	return fmt.Errorf("%w: at or before byte %d: %w", ErrCorrupt, r.offset, cause)
}

// next reads n bytes, which are valid until the next call.
func (r *markReader) next(n int) ([]byte, error) {
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	got, err := io.ReadFull(r.r, r.buf[:n])
	r.offset += int64(got)
	switch err {
	case nil:
		return r.buf[:n], nil
	case io.EOF, io.ErrUnexpectedEOF:
		return nil, r.corrupt(io.ErrUnexpectedEOF)
	}
	return nil, fmt.Errorf("dedupe: restore marks: %w", err)
}

// body reads n bytes of a part whose first bytes are read, and the CRC behind them.
func (r *markReader) body(n int) ([]byte, error) {
	b, err := r.next(n + crc32.Size)
	if err != nil {
		return nil, err
	}
	r.crc = crc32.Update(r.crc, castagnoli, b[:n])
	if binary.BigEndian.Uint32(b[n:]) != r.crc {
		return nil, r.corrupt(errChecksum)
	}
	return b[:n], nil
}

// What can be wrong although the checksum is right.
var (
	errChecksum = errors.New("wrong checksum")
	errMagic    = errors.New("not saved marks")
	errFormat   = errors.New("unknown format")
	errBlock    = errors.New("unknown or misplaced block")
	errSize     = errors.New("impossible size of a block")
	errOrder    = errors.New("marks out of order")
	errVersion  = errors.New("not the bytes of a version")
	errCount    = errors.New("wrong number of marks")
	errExact    = errors.New("dedupe: restore marks: Exact was another when they were saved")
)

func (r *markReader) read(exact bool) (*memoryMarks, error) {
	marks, err := r.head()
	if err != nil {
		return nil, err
	}
	if marks.exact != exact {
		return nil, errExact
	}
	b := markBuilder{marks: marks}
	for {
		kind, err := r.next(1)
		if err != nil {
			return nil, err
		}
		r.crc = crc32.Update(r.crc, castagnoli, kind)
		switch kind := kind[0]; {
		case kind == savedEnd:
			b.flush()
			return marks, r.end(marks)
		case kind == savedHashedBlock && b.base == 0:
		case kind == savedExactBlock && exact:
			b.section(stripes)
		default:
			return nil, r.corrupt(errBlock)
		}
		if err := r.block(&b); err != nil {
			return nil, err
		}
	}
}

func (r *markReader) head() (*memoryMarks, error) {
	magic, err := r.next(len(savedMagic))
	switch {
	case err != nil:
		return nil, err
	case string(magic) != savedMagic:
		return nil, r.corrupt(errMagic)
	}
	r.crc = crc32.Update(r.crc, castagnoli, magic)
	b, err := r.body(savedHead - len(savedMagic))
	if err != nil {
		return nil, err
	}
	format, flags := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if format != savedFormat || flags&^savedExact != 0 {
		return nil, r.corrupt(errFormat)
	}
	return newMemoryMarks(flags&savedExact != 0, [16]byte(b[4:])), nil
}

// block reads a block behind its kind.
func (r *markReader) block(b *markBuilder) error {
	size, err := r.next(4)
	if err != nil {
		return err
	}
	r.crc = crc32.Update(r.crc, castagnoli, size)
	n := binary.BigEndian.Uint32(size)
	if n == 0 || n > savedBlock {
		return r.corrupt(errSize) // before anything is made of that size
	}
	data, err := r.body(int(n) * savedMark)
	if err != nil {
		return err
	}
	for ; len(data) > 0; data = data[savedMark:] {
		e := markEntry{hash: binary.BigEndian.Uint64(data)}
		if e.version.UnmarshalBinary(data[8:savedMark]) != nil || e.version.IsZero() {
			return r.corrupt(errVersion)
		}
		if !b.add(e) {
			return r.corrupt(errOrder)
		}
	}
	return nil
}

// end reads the end behind its kind.
func (r *markReader) end(marks *memoryMarks) error {
	b, err := r.body(16)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint64(b) != uint64(marks.keys.Load()) {
		return r.corrupt(errCount)
	}
	marks.floor.Store(int64(binary.BigEndian.Uint64(b[8:])))
	return nil
}

// A markBuilder makes tables of marks that come in the order of their hashes.
type markBuilder struct {
	marks *memoryMarks
	base  int    // the first stripe of the section
	some  bool   // whether the section has marks
	last  uint64 // hash
	rows  []markEntry
}

// section goes on to the stripes from base on, unless it is there.
func (b *markBuilder) section(base int) {
	if b.base != base {
		b.flush()
		b.base, b.some = base, false
	}
}

// add adds a mark, or reports that it is out of order.
func (b *markBuilder) add(e markEntry) bool {
	if b.some && e.hash <= b.last {
		return false
	}
	if b.some && e.hash>>(64-tableBits) != b.last>>(64-tableBits) {
		b.flush()
	}
	b.some, b.last = true, e.hash
	b.marks.keys.Add(1)
	if e.hash == 0 {
		b.marks.stripes[b.base].zero = e.version
	} else {
		b.rows = append(b.rows, e)
	}
	return true
}

// flush makes the table of the marks that have come.
func (b *markBuilder) flush() {
	if len(b.rows) > 0 {
		hash := b.rows[0].hash
		b.marks.stripes[b.base+int(hash>>(64-stripeBits))].table(hash).fill(b.rows)
		b.rows = b.rows[:0]
	}
}
