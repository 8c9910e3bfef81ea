package dedupe_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A savedFile writes saved marks by hand.
type savedFile struct {
	bytes   []byte
	covered []byte // by the next CRC: all but CRCs
}

// part ends a part of a file, of numbers, bytes and text.
func (f *savedFile) part(fields ...any) *savedFile {
	for _, field := range fields {
		switch field := field.(type) {
		case string:
			f.covered = append(f.covered, field...)
			f.bytes = append(f.bytes, field...)
		case envelope.Version:
			b, _ := field.MarshalBinary() // never fails
			f.covered = append(f.covered, b...)
			f.bytes = append(f.bytes, b...)
		default:
			f.covered, _ = binary.Append(f.covered, binary.BigEndian, field)
			f.bytes, _ = binary.Append(f.bytes, binary.BigEndian, field)
		}
	}
	f.bytes = binary.BigEndian.AppendUint32(f.bytes, crc32.Checksum(f.covered, crc32.MakeTable(crc32.Castagnoli)))
	return f
}

const noFloor = int64(math.MinInt64)

var seedOfTests = "0123456789abcdef"

// head begins a file.
func savedHead(exact bool) *savedFile {
	flags := uint16(0)
	if exact {
		flags = 1
	}
	return new(savedFile).part("rdmarks\n", uint16(2), flags, seedOfTests)
}

// end is the end of a file of so many marks.
func (f *savedFile) end(marks int) []byte { return f.part("e", uint64(marks), noFloor).bytes }

// someSaved returns a file with both kinds of blocks.
func someSaved(exact bool) []byte {
	f := savedHead(exact).
		part("h", uint32(2), uint64(0), at(1), uint64(1), at(2)).
		part("h", uint32(1), uint64(2), at(3))
	if !exact {
		return f.end(3)
	}
	return f.
		part("x", uint32(1), uint64(0), at(4)).
		part("x", uint32(2), uint64(1<<63), at(5), uint64(math.MaxUint64), at(6)).
		part("e", uint64(6), int64(77)).bytes
}

func TestRestore(t *testing.T) {
	for _, exact := range []bool{false, true} {
		m := &dedupe.Memory{Exact: exact}
		saved := someSaved(exact)
		restoreMemory(t, m, saved)
		want, floor := 3, time.Time{}
		if exact {
			want, floor = 6, time.Unix(0, 77).UTC()
		}
		if m.Len() != want || m.Floor() != floor {
			t.Errorf("%d keys, the floor is %v", m.Len(), m.Floor())
		}
		// The blocks are made anew: those of one kind fit one.
		again := savedHead(exact).part("h", uint32(3), uint64(0), at(1), uint64(1), at(2), uint64(2), at(3))
		if exact {
			again.part("x", uint32(3), uint64(0), at(4), uint64(1<<63), at(5), uint64(math.MaxUint64), at(6)).part("e", uint64(6), int64(77))
		} else {
			again.end(3)
		}
		if got := savedMemory(t, m); !bytes.Equal(got, again.bytes) {
			t.Errorf("saved:\n%x, want\n%x", got, again.bytes)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	one := func(fields ...any) []byte { return savedHead(true).part(fields...).end(1) }
	invalid := make([]byte, 32)
	invalid[0] = 0xff
	tests := []struct {
		name   string
		file   []byte
		reason string
	}{
		{"nothing", nil, "byte 0: unexpected EOF"},
		{"another file", []byte("PK\x03\x04, or whatever it may be, as long as it is long enough"), "not saved marks"},
		{"another format", new(savedFile).part("rdmarks\n", uint16(1), uint16(1), seedOfTests).end(0), "unknown format"},
		{"unknown flag", new(savedFile).part("rdmarks\n", uint16(2), uint16(3), seedOfTests).end(0), "unknown format"},
		{"another flag", new(savedFile).part("rdmarks\n", uint16(2), uint16(0x8001), seedOfTests).end(0), "unknown format"},
		{"unknown block", one("y", uint32(1), uint64(5), at(1)), "unknown or misplaced"},
		{"a block of none", savedHead(true).part("h", uint32(0)).end(0), "impossible size"},
		{"a block of too many", savedHead(true).part("h", uint32(4097), make([]byte, 4097*40)).end(0), "impossible size"},
		{"a block of very many", savedHead(true).part("h", uint32(math.MaxUint32)).end(0), "impossible size"},
		{"the zero version", one("x", uint32(1), uint64(5), envelope.Version{}), "not the bytes of a version"},
		{"no version", one("x", uint32(1), uint64(5), invalid), "not the bytes of a version"},
		{"twice in a block", savedHead(true).part("h", uint32(2), uint64(5), at(1), uint64(5), at(2)).end(2), "out of order"},
		{"twice in two blocks", savedHead(true).part("h", uint32(1), uint64(5), at(1)).part("h", uint32(1), uint64(5), at(2)).end(2), "out of order"},
		{"the hash 0 twice", savedHead(true).part("h", uint32(2), uint64(0), at(1), uint64(0), at(2)).end(2), "out of order"},
		{"disorder in a block", savedHead(true).part("x", uint32(2), uint64(5), at(1), uint64(4), at(2)).end(2), "out of order"},
		{"disorder of blocks", savedHead(true).part("x", uint32(1), uint64(5), at(1)).part("x", uint32(1), uint64(4), at(2)).end(2), "out of order"},
		{"disorder of kinds", savedHead(true).part("x", uint32(1), uint64(5), at(1)).part("h", uint32(1), uint64(6), at(2)).end(2), "misplaced"},
		{"a mark too many", savedHead(true).part("h", uint32(1), uint64(5), at(1)).end(0), "wrong number"},
		{"a mark too few", savedHead(true).part("h", uint32(1), uint64(5), at(1)).end(2), "wrong number"},
		{"an end too early", savedHead(true).part("e", uint64(0)).bytes, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refusesMarks(t, tt.file, tt.reason) })
	}
	t.Run("exact blocks without the flag", func(t *testing.T) {
		var m dedupe.Memory
		if err := m.Restore(bytes.NewReader(savedHead(false).part("x", uint32(1), uint64(5), at(1)).end(1))); !errors.Is(err, dedupe.ErrCorrupt) {
			t.Error(err)
		}
	})
	if err := new(dedupe.Memory).Restore(bytes.NewReader(someSaved(true))); err == nil || errors.Is(err, dedupe.ErrCorrupt) {
		t.Errorf("exact marks in a Memory that is not: %v", err)
	}
	if err := (&dedupe.Memory{Exact: true}).Restore(bytes.NewReader(someSaved(false))); err == nil || errors.Is(err, dedupe.ErrCorrupt) {
		t.Errorf("marks that are not exact in a Memory that is: %v", err)
	}
}

// refusesMarks checks that a file is corrupt for a reason, and that nothing comes of trying.
func refusesMarks(t *testing.T, file []byte, reason string) {
	t.Helper()
	m := &dedupe.Memory{Exact: true}
	marks := map[string]envelope.Version{"a": at(1), integerKey(7): at(2)}
	putMemory(t, m, marks)
	m.Evict(at(1).Time())
	saved := savedMemory(t, m)
	if err := m.Restore(bytes.NewReader(file)); !errors.Is(err, dedupe.ErrCorrupt) || !strings.Contains(err.Error(), reason) {
		t.Fatalf("got %v, want %q in it", err, reason)
	}
	holdMemory(t, m, marks)
	if !bytes.Equal(savedMemory(t, m), saved) {
		t.Error("something else changed")
	}
}

func TestRestoreRefusesParts(t *testing.T) {
	saved := someSaved(true)
	for n := range saved {
		err := (&dedupe.Memory{Exact: true}).Restore(bytes.NewReader(saved[:n]))
		if !errors.Is(err, dedupe.ErrCorrupt) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if want := fmt.Sprintf("byte %d:", n); !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestRestoreRefusesEveryChange(t *testing.T) {
	saved := someSaved(true)
	for i := range saved {
		for _, mask := range []byte{1, 0x80, 0xff} {
			changed := bytes.Clone(saved)
			changed[i] ^= mask
			if err := (&dedupe.Memory{Exact: true}).Restore(bytes.NewReader(changed)); !errors.Is(err, dedupe.ErrCorrupt) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	// Each part is right, and one of them is missing or of another file.
	a := savedHead(true).part("h", uint32(1), uint64(1), at(1))
	start := len(a.bytes)
	second := a.part("h", uint32(1), uint64(2), at(2)).bytes[start:]
	b := savedHead(true).part("h", uint32(1), uint64(1), at(9))
	if err := (&dedupe.Memory{Exact: true}).Restore(bytes.NewReader(append(b.bytes, second...))); !errors.Is(err, dedupe.ErrCorrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a block of another file: %v", err)
	}
}

// What is behind the marks is left to others, however the bytes come.
func TestRestoreReadsItsOwn(t *testing.T) {
	saved := someSaved(true)
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"whole":            func(r io.Reader) io.Reader { return r },
		"byte by byte":     iotest.OneByteReader,
		"end with data":    iotest.DataErrReader,
		"halves":           iotest.HalfReader,
		"as a file's part": func(r io.Reader) io.Reader { return io.LimitReader(r, int64(len(saved))) },
	} {
		rest := bytes.NewReader(append(bytes.Clone(saved), "behind"...))
		m := &dedupe.Memory{Exact: true}
		if err := m.Restore(reader(rest)); err != nil || m.Len() != 6 {
			t.Errorf("%s: %d keys, %v", name, m.Len(), err)
		}
		if left := rest.Len(); name != "end with data" && left != len("behind") {
			t.Errorf("%s: %d bytes are left", name, left)
		}
	}
}

var errDisk = errors.New("the disk is gone")

// A failing writer fails at a byte.
type failing struct {
	bytes.Buffer
	at int
}

func (f *failing) Write(b []byte) (int, error) {
	if f.Len()+len(b) > f.at {
		n, _ := f.Buffer.Write(b[:f.at-f.Len()])
		return n, errDisk
	}
	return f.Buffer.Write(b)
}

func TestSaveAndRestoreFail(t *testing.T) {
	m := &dedupe.Memory{Exact: true}
	restoreMemory(t, m, someSaved(true))
	whole := savedMemory(t, m)
	for n := range whole {
		w := &failing{at: n}
		if err := m.Save(w); !errors.Is(err, errDisk) {
			t.Fatalf("Save failing at byte %d: %v", n, err)
		}
		if !bytes.Equal(w.Bytes(), whole[:n]) {
			t.Fatalf("Save failing at byte %d wrote on", n)
		}
		r := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(errDisk))
		if err := m.Restore(r); !errors.Is(err, errDisk) || errors.Is(err, dedupe.ErrCorrupt) {
			t.Fatalf("Restore failing at byte %d: %v", n, err)
		}
	}
	if !bytes.Equal(savedMemory(t, m), whole) {
		t.Error("the marks are others")
	}
}

// A store of many blocks, and that it can be used at once.
func TestSaveMany(t *testing.T) {
	m := &dedupe.Memory{Exact: true}
	swaps, marks := make([]dedupe.Swap, 60_000), map[string]envelope.Version{}
	for i := range swaps {
		key := integerKey(uint64(i))
		if i%2 == 0 {
			key += "text"
		}
		marks[key] = at(i + 1)
		swaps[i] = dedupe.Swap{Key: []byte(key), New: at(i + 1)}
	}
	if err := m.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	saved := savedMemory(t, m)
	// 60,000 marks in blocks of 4096 of either kind.
	if want := 28 + 4 + 60_000*40 + 2*8*9 + 21; len(saved) != want {
		t.Errorf("%d bytes, want %d", len(saved), want)
	}
	back := &dedupe.Memory{Exact: true}
	restoreMemory(t, back, saved)
	holdMemory(t, back, marks)
	for i := range swaps {
		swaps[i].Key = append(swaps[i].Key, '+')
	}
	if err := back.Swap(t.Context(), swaps); err != nil || back.Len() != 2*len(swaps) {
		t.Errorf("%d keys, %v", back.Len(), err)
	}
}

// A writer that calls a function with the first block.
type noticing struct {
	bytes.Buffer
	writes int
	notice func()
}

func (w *noticing) Write(b []byte) (int, error) {
	if w.writes++; w.writes == 2 {
		w.notice()
	}
	return w.Buffer.Write(b)
}

// What is evicted while marks are saved may be missing, and the floor says so.
func TestSaveWhileEvicting(t *testing.T) {
	var m dedupe.Memory
	swaps := make([]dedupe.Swap, 10_000)
	for i := range swaps {
		swaps[i] = dedupe.Swap{Key: fmt.Append(nil, i), New: at(i % 100)}
	}
	if err := m.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	w := &noticing{notice: func() { m.Evict(at(50).Time()) }}
	if err := m.Save(w); err != nil {
		t.Fatal(err)
	}
	var back dedupe.Memory
	restoreMemory(t, &back, w.Bytes())
	if back.Len() <= 5000 || back.Len() == len(swaps) || back.Floor() != m.Floor() {
		t.Errorf("%d keys, the floor is %v, want %v", back.Len(), back.Floor(), m.Floor())
	}
}

// Marks that are raised while they are saved are saved as they were or as they
// are, each by itself.
func TestSaveWhileRaising(t *testing.T) {
	const keys, rounds = 2000, 60
	var m dedupe.Memory
	all, swaps := make([][]byte, keys), make([]dedupe.Swap, keys)
	for i := range all {
		all[i] = fmt.Append(nil, "key", i)
		swaps[i] = dedupe.Swap{Key: all[i], New: at(1)}
	}
	if err := m.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for n := 1; n < rounds; n++ {
			for i := range swaps {
				swaps[i].Old, swaps[i].New = at(n), at(n+1)
			}
			if err := m.Swap(t.Context(), swaps); err != nil {
				t.Error(err)
			}
		}
	})
	before, after, got := make([]envelope.Version, keys), make([]envelope.Version, keys), make([]envelope.Version, keys)
	for range 20 {
		m.Load(t.Context(), all, before)
		saved := savedMemory(t, &m)
		m.Load(t.Context(), all, after)
		var back dedupe.Memory
		restoreMemory(t, &back, saved)
		back.Load(t.Context(), all, got)
		for i, v := range got {
			if v.Compare(before[i]) < 0 || v.Compare(after[i]) > 0 {
				t.Fatalf("the mark of %s was saved as %v; it went from %v to %v", all[i], v, before[i], after[i])
			}
		}
	}
	work.Wait()
}

// More keys than MaxKeys can be restored. The next new one makes room.
func TestRestoreMoreThanMaxKeys(t *testing.T) {
	var large dedupe.Memory
	marks := map[string]envelope.Version{}
	for i := range 100 {
		marks[fmt.Sprint(i)] = at(i)
	}
	putMemory(t, &large, marks)
	m := &dedupe.Memory{MaxKeys: 40}
	restoreMemory(t, m, savedMemory(t, &large))
	holdMemory(t, m, marks)
	if done, err := swapMemory(t, m, "1", at(1), at(100)); !done || err != nil || m.Len() != 100 {
		t.Errorf("an old key: %v, %v, %d keys", done, err, m.Len())
	}
	if done, err := swapMemory(t, m, "new", envelope.Version{}, at(101)); !done || err != nil || m.Len() != 40 {
		t.Errorf("a new key: %v, %v, %d keys", done, err, m.Len())
	}
	if got, want := m.Floor(), at(61).Time().Add(1); !got.Equal(want) {
		t.Errorf("the floor is %v, want %v", got, want)
	}
}
