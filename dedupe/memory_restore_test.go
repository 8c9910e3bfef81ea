package dedupe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"bytes"

	"github.com/rowdelta/rowdelta/envelope"
)

// held are all marks of a Memory, by kind and hash.
type held map[[9]byte]envelope.Version

func (h held) put(kind byte, hash uint64, v envelope.Version) {
	h[[9]byte(binary.BigEndian.AppendUint64([]byte{kind}, hash))] = v
}

// all returns what m holds.
func (m *memoryMarks) all() held {
	h := held{}
	for i := range m.stripes {
		kind := "hx"[i/stripes]
		if s := &m.stripes[i]; !s.zero.IsZero() {
			h.put(kind, 0, s.zero)
		}
		for j := range m.stripes[i].tables {
			for _, e := range m.stripes[i].tables[j].entries(nil) {
				h.put(kind, e.hash, e.version)
			}
		}
	}
	return h
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// naiveRestore reads saved marks the simple way. rest is what is behind them.
func naiveRestore(file []byte, exact bool) (h held, floor int64, rest []byte, ok bool) {
	var covered []byte
	take := func(n int) []byte {
		if len(file) < n {
			ok = false
			return make([]byte, n)
		}
		b := file[:n]
		file, covered = file[n:], append(covered, b...)
		return b
	}
	check := func() {
		sum := crc32.Checksum(covered, crcTable)
		n := len(covered)
		ok = ok && binary.BigEndian.Uint32(take(4)) == sum
		covered = covered[:n]
	}
	ok = true
	h = held{}
	flag := byte(0)
	if exact {
		flag = 1
	}
	ok = string(take(12)) == "rdmarks\n\x00\x02\x00"+string(flag) && ok
	take(16)
	check()
	last := ""
	for marks := uint64(0); ok; {
		kind := take(1)[0]
		if kind == 'e' {
			ok = binary.BigEndian.Uint64(take(8)) == marks && ok
			floor = int64(binary.BigEndian.Uint64(take(8)))
			check()
			return h, floor, file, ok
		}
		n := binary.BigEndian.Uint32(take(4))
		if kind != 'h' && (kind != 'x' || !exact) || n == 0 || n > 4096 {
			return nil, 0, nil, false
		}
		for range n {
			mark := take(40)
			id := string(kind) + string(mark[:8]) // h is before x
			var v envelope.Version
			if v.UnmarshalBinary(mark[8:]) != nil || v.IsZero() || id <= last {
				return nil, 0, nil, false
			}
			last = id
			h[[9]byte([]byte(id))] = v
			marks++
		}
		check()
	}
	return nil, 0, nil, false
}

// reseal puts right the checksums of a file as far as it is one.
func reseal(file []byte) []byte {
	file = bytes.Clone(file)
	var covered []byte
	rest := file
	part := func(n int) bool {
		if len(rest) < n+4 {
			return false
		}
		covered = append(covered, rest[:n]...)
		binary.BigEndian.PutUint32(rest[n:], crc32.Checksum(covered, crcTable))
		rest = rest[n+4:]
		return true
	}
	for ok := part(28); ok && len(rest) > 5 && rest[0] != 'e'; {
		ok = part(5 + 40*int(min(binary.BigEndian.Uint32(rest[1:]), 5000)))
	}
	if len(rest) > 0 && rest[0] == 'e' {
		part(17)
	}
	return file
}

func FuzzRestore(f *testing.F) {
	m := &Memory{Exact: true}
	v := func(n uint64) envelope.Version { return envelope.PositionVersion(int64(n), 0, n) }
	for n := range uint64(20) {
		b := binary.BigEndian.AppendUint64(nil, n*n)
		m.Swap(f.Context(), []Swap{{Key: b, New: v(n)}, {Key: b[:n%8+1], New: v(n)}})
	}
	m.marks().stripes[0].insert(0, v(1))
	m.marks().keys.Add(1)
	var saved bytes.Buffer
	for _, m := range []*Memory{m, new(Memory), {Exact: true}} {
		saved.Reset()
		if err := m.Save(&saved); err != nil {
			f.Fatal(err)
		}
		f.Add(saved.Bytes(), m.Exact, false)
		f.Add(saved.Bytes(), m.Exact, true)
		f.Add(saved.Bytes(), !m.Exact, true)
		f.Add(append(saved.Bytes(), "behind"...), m.Exact, true)
	}
	f.Fuzz(func(t *testing.T, file []byte, exact, sealed bool) {
		if sealed {
			file = reseal(file)
		}
		want, floor, rest, ok := naiveRestore(file, exact)
		m, r := Memory{Exact: exact}, bytes.NewReader(file)
		err := m.Restore(iotest.HalfReader(r))
		if (err == nil) != ok {
			t.Fatalf("got %v, want it to be right: %v", err, ok)
		}
		if !ok {
			if m.state.Load() != nil {
				t.Fatal("it failed and left marks")
			}
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, errExact) {
				t.Fatal(err)
			}
			return
		}
		if got := m.marks().all(); !maps.Equal(got, want) || m.Len() != len(want) || m.marks().floor.Load() != floor || r.Len() != len(rest) {
			t.Fatalf("%d marks, want %d; the floor is %d, want %d; %d bytes are left, want %d", len(got), len(want), m.marks().floor.Load(), floor, r.Len(), len(rest))
		}
		// They can be used, and saved again.
		marks := m.marks()
		for id, v := range want {
			hash := binary.BigEndian.Uint64(id[1:])
			i := int(hash >> (64 - stripeBits))
			if id[0] == 'x' {
				i += stripes
			}
			if got := marks.stripes[i].mark(hash); got == nil || *got != v {
				t.Fatalf("the mark of %x is not found", id)
			}
		}
		var again bytes.Buffer
		if err := m.Save(&again); err != nil {
			t.Fatal(err)
		}
		if got, _, _, ok := naiveRestore(again.Bytes(), exact); !ok || !maps.Equal(got, want) {
			t.Fatalf("%d marks saved again, right: %v", len(got), ok)
		}
	})
}

// Files of this format can be read for ever: the places of keys must not change.
func TestRestoreOldFile(t *testing.T) {
	text, err := os.ReadFile("testdata/memory/format-2")
	if err != nil {
		t.Fatal(err)
	}
	file, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	m := &Memory{Exact: true}
	if err := m.Restore(bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	rising := make([]byte, 300)
	for i := range rising {
		rising[i] = byte(i)
	}
	keys := [][]byte{[]byte("orders|1"), []byte("orders|2"), []byte("orders|12"), {1}, make([]byte, 100), []byte("orders|1234567890123"), {}, rising[:256], rising}
	versions := make([]envelope.Version, len(keys))
	if err := m.Load(t.Context(), keys, versions); err != nil {
		t.Fatal(err)
	}
	for i, v := range versions {
		if want := envelope.PositionVersion(1_795_233_755_000_000_000, 1, uint64(i+1)); v != want {
			t.Errorf("the mark of %q is %v, want %v", keys[i], v, want)
		}
	}
	if m.Len() != len(keys) || m.marks().floor.Load() != 1_795_233_700_000_000_000 {
		t.Errorf("%d keys, the floor is %v", m.Len(), m.Floor())
	}
	var again bytes.Buffer
	if err := m.Save(&again); err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Errorf("saved again: %x, %v", again.Bytes(), err)
	}
}

// Keys that are held exactly do not meet those held by hash, though one's word be
// the other's hash, and the word that stands for a free slot is one like others.
func TestExactKeysAreApart(t *testing.T) {
	m := &Memory{Exact: true}
	marks := m.marks()
	key := func(word uint64) []byte { return binary.LittleEndian.AppendUint64(nil, marks.hash.mixer.unmix(word)) }
	text := []byte("text")
	same, none := key(marks.hash.sum(text)), key(0)
	if hash, stripe := marks.locate(none); hash != 0 || stripe != stripes {
		t.Fatalf("hash %x, stripe %d", hash, stripe)
	}
	all := [][]byte{text, same, none, key(1), key(math.MaxUint64)}
	versions := make([]envelope.Version, len(all))
	swaps := make([]Swap, len(all))
	for i := range all {
		m.Load(t.Context(), all, versions)
		for j, v := range versions {
			if want := i > j; v.IsZero() == want || want && v != swaps[j].New {
				t.Fatalf("the mark of key %d is %v", j, v)
			}
		}
		swaps[i] = Swap{Key: all[i], New: envelope.TimeVersion(int64(i + 1))}
		if err := m.Swap(t.Context(), swaps[i:i+1]); err != nil || !swaps[i].Done || m.Len() != i+1 {
			t.Fatalf("%d keys, %v", m.Len(), err)
		}
	}
	for i := range swaps {
		swaps[i].Old, swaps[i].New = swaps[i].New, envelope.TimeVersion(int64(i+11))
	}
	m.Swap(t.Context(), swaps)
	m.Load(t.Context(), all, versions)
	for i, v := range versions {
		if !swaps[i].Done || v != swaps[i].New {
			t.Errorf("the mark of key %d is %v", i, v)
		}
	}
	var saved bytes.Buffer
	if err := m.Save(&saved); err != nil {
		t.Fatal(err)
	}
	got, _, _, ok := naiveRestore(saved.Bytes(), true)
	if !ok || !maps.Equal(got, marks.all()) || len(got) != len(all) {
		t.Errorf("%d marks saved, right: %v", len(got), ok)
	}
	if n := m.Evict(swaps[2].New.Time().Add(1)); n != 3 || m.Len() != 2 {
		t.Errorf("evicted %d, %d are left", n, m.Len())
	}
	m.Load(t.Context(), all, versions)
	if !versions[2].IsZero() || versions[3].IsZero() {
		t.Error("the mark of the word 0 is still there, or another one is not")
	}
	swaps[2].Old = envelope.Version{}
	if m.Swap(t.Context(), swaps[2:3]); !swaps[2].Done || m.Len() != 3 {
		t.Errorf("%d keys", m.Len())
	}
	m = &Memory{MaxKeys: 1, Exact: true}
	m.state.Store(newMemoryMarks(true, marks.seed))
	m.Swap(t.Context(), swaps[2:3])
	swaps[3].Old = envelope.Version{}
	if err := m.Swap(t.Context(), swaps[3:4]); err != nil || m.Len() != 1 {
		t.Errorf("%d keys, %v: the word 0 does not make room", m.Len(), err)
	}
}

// A declared size costs nothing before there are bytes for it.
func TestRestoreAllocatesWhatIsThere(t *testing.T) {
	var saved bytes.Buffer
	new(Memory).Save(&saved)
	file := saved.Bytes()[:32]
	file = append(file, 'h', 0xff, 0xff, 0xff, 0xff)
	in := markReader{r: io.MultiReader(bytes.NewReader(file), zeros{})}
	if _, err := in.read(false); !errors.Is(err, errSize) {
		t.Error(err)
	}
	if cap(in.buf) > 1000 {
		t.Errorf("a buffer of %d bytes", cap(in.buf))
	}
}

// zeros reads zeros for ever.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
