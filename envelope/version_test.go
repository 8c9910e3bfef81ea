package envelope

import (
	"bytes"
	"encoding"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	second = int64(time.Second)
	t0     = 1_795_233_755 * second
)

func pg(flags uint64, ns, seen int64, commit, lsn uint64) Version {
	return makeVersion(schemePostgres, flags|flagUnique, ns, seen, commit, lsn)
}

func my(flags uint64, ns, seen int64, p binlogPos) Version {
	return binlogVersion(flags|flagUnique, ns, seen, p)
}

// The rule of three witnesses, clause by clause.
func TestWitnesses(t *testing.T) {
	for _, c := range []struct {
		name       string
		old, newer Version
	}{
		{"1: position and time agree, the connector's clock does not", pg(0, t0, t0+9*second, 10, 1), pg(0, t0+second, t0+2*second, 20, 2)},
		{"1: position at equal times", pg(0, t0, t0, 10, 9), pg(0, t0, t0, 20, 2)},
		{"1: LSN within one transaction", pg(0, t0, t0, 10, 1), pg(0, t0, t0, 10, 2)},
		{"1: time at equal positions", pg(0, t0, t0+9*second, 10, 1), pg(0, t0+second, t0, 10, 1)},
		{"1: microseconds are below the rule's resolution", pg(0, t0+900_000, t0, 10, 1), pg(0, t0, t0, 20, 1)},
		{"2: a clock that stepped back", pg(0, t0, t0, 10, 1), pg(0, t0-30*second, t0+second, 20, 1)},
		{"2: a log that started over", pg(0, t0, t0, 20, 1), pg(0, t0+2*second, t0+3*second, 10, 1)},
		{"3: the first transaction after a read", pg(flagRead, t0, t0, 30, 0), pg(flagFirst, t0-second, t0+second, 20, 20)},
		{"3: a read after the first transaction", pg(flagFirst, t0, t0, 40, 40), pg(flagRead, t0+60*second, t0+61*second, 30, 0)},
		{"4: without the clock, position within a minute", pg(0, t0, 0, 10, 1), pg(0, t0-60*second, 0, 20, 1)},
		{"4: without the clock, time beyond a minute", pg(0, t0-61*second, 0, 20, 1), pg(0, t0, 0, 10, 1)},
		{"4: the clock of one alone says nothing", pg(0, t0, 0, 10, 1), pg(0, t0-second, t0, 20, 1)},
		{"4: without the clock, the first transaction beats a read up to 2 s younger", pg(flagRead, t0, 0, 30, 0), pg(flagFirst, t0-2*second+int64(time.Millisecond), 0, 20, 20)},
		{"4: and not one that is younger than that", pg(flagFirst, t0-2*second, 0, 20, 20), pg(flagRead, t0, 0, 30, 0)},
		{"4: MySQL, position within an hour", my(0, t0, 0, binlogPos{file: 1, pos: 4}), my(0, t0-3600*second, 0, binlogPos{file: 1, pos: 5})},
		{"4: MySQL, time beyond an hour", my(0, t0-3601*second, 0, binlogPos{file: 1, pos: 5}), my(0, t0, 0, binlogPos{file: 1, pos: 4})},
		{"5: the delete of a changed key before its create", pg(0, t0, t0, 10, 1), pg(flagMade, t0, t0, 10, 1)},
		{"5: whichever was seen later", pg(0, t0, t0+second, 10, 1), pg(flagMade, t0, t0, 10, 1)},
		{"5: a repeat is newer by the clock alone", pg(0, t0, t0, 10, 1), pg(0, t0, t0+1000, 10, 1)},
		{"a read before what commits after it", pg(flagRead, t0+second, t0, 30, 0), pg(0, t0, t0+second, 30, 25)},
		{"a read after what was streamed before it", pg(0, t0, t0, 29, 25), pg(flagRead, t0+second, t0+second, 30, 0)},
		{"MySQL: file, then position, then row", my(0, t0, t0, binlogPos{file: 1, pos: 9, row: 9}), my(0, t0, t0, binlogPos{file: 2, pos: 4, row: 1})},
		{"MySQL: position, then row", my(0, t0, t0, binlogPos{file: 1, pos: 4, row: 9}), my(0, t0, t0, binlogPos{file: 1, pos: 5, row: 1})},
		{"MySQL: row", my(0, t0, t0, binlogPos{file: 1, pos: 4, row: 1}), my(0, t0, t0, binlogPos{file: 1, pos: 4, row: 2})},
		{"MySQL: the GTID's number across servers", my(0, t0, t0, binlogPos{file: 41, pos: 9, server: 1, sequence: 5, gtid: 7}), my(0, t0, t0, binlogPos{file: 1, pos: 4, server: 2, sequence: 5, gtid: 8})},
		{"MySQL: within one transaction the position", my(0, t0, t0, binlogPos{file: 1, pos: 4, server: 1, sequence: 5, gtid: 7}), my(0, t0, t0, binlogPos{file: 1, pos: 9, server: 1, sequence: 5, gtid: 7})},
		{"MySQL: servers without a common sequence by time", my(0, t0, t0+9*second, binlogPos{file: 41, pos: 9, server: 1}), my(0, t0+second, t0, binlogPos{file: 1, pos: 4, server: 2})},
		{"MySQL: servers without a common sequence at one time by the clock", my(flagMade, t0, t0, binlogPos{file: 41, pos: 9, server: 1}), my(0, t0, t0+second, binlogPos{file: 1, pos: 4, server: 2})},
		{"MySQL: a read names no server and compares with any", my(flagRead, t0, t0, binlogPos{file: 1, pos: 4}), my(0, t0, t0, binlogPos{file: 1, pos: 5, server: 2})},
		{"sources of two kinds by time", pg(0, t0, t0+9*second, 1<<60, 1), my(0, t0+second, t0, binlogPos{file: 1})},
		{"sources of two kinds at one time by the clock", pg(0, t0, t0, 1<<60, 1), my(0, t0, t0+second, binlogPos{file: 1})},
		{"time alone", TimeVersion(t0), TimeVersion(t0 + 1)},
		{"time alone, before 1970", TimeVersion(-2), TimeVersion(-1)},
		{"one's own position against time", PositionVersion(t0+second, 1, 2), PositionVersion(t0, 1, 3)},
		{"one's own position, high part", PositionVersion(t0, 1, 3), PositionVersion(t0, 2, 0)},
		{"one's own position, then time", PositionVersion(t0, 1, 2), PositionVersion(t0+1, 1, 2)},
		{"led by time, against position", pg(0, 0, 0, 20, 1).timeLed(t0), pg(0, 0, 0, 10, 1).timeLed(t0 + 1)},
		{"led by time, then position", pg(0, 0, 0, 10, 1).timeLed(t0), pg(0, 0, 0, 20, 1).timeLed(t0)},
		{"led by time, MySQL", my(0, t0, 0, binlogPos{file: 1, pos: 9, row: 9}).timeLed(t0), my(0, t0, 0, binlogPos{file: 2, pos: 4, row: 1}).timeLed(t0)},
		{"led by time, MySQL's row", my(0, t0, 0, binlogPos{file: 1, pos: 9, row: 1}).timeLed(t0), my(0, t0, 0, binlogPos{file: 1, pos: 9, row: 2}).timeLed(t0)},
		{"led by time, the GTID's number across servers", my(0, t0, 0, binlogPos{file: 41, pos: 9, server: 1, sequence: 5, gtid: 7}).timeLed(t0), my(0, t0, 0, binlogPos{file: 1, pos: 4, server: 2, sequence: 5, gtid: 8}).timeLed(t0)},
		{"led by time, within one transaction", my(0, t0, 0, binlogPos{pos: 4, row: 9, sequence: 5, gtid: 7}).timeLed(t0), my(0, t0, 0, binlogPos{pos: 5, row: 1, sequence: 5, gtid: 7}).timeLed(t0)},
		{"led by time, GTIDs of two sequences by the clock", my(0, t0, t0, binlogPos{sequence: 6, gtid: 9}).timeLed(t0), my(0, t0, t0+second, binlogPos{sequence: 5, gtid: 7}).timeLed(t0)},
		{"led by time, two servers by the clock", my(0, t0, t0, binlogPos{file: 41, server: 1}).timeLed(t0), my(0, t0, t0+second, binlogPos{file: 1, server: 2}).timeLed(t0)},
		{"led by time, a read against a server", my(flagRead, t0, t0, binlogPos{file: 1, pos: 4}).timeLed(t0), my(0, t0, t0, binlogPos{file: 1, pos: 5, server: 2}).timeLed(t0)},
		{"led by time, a read against a GTID by the clock", my(flagRead, t0, t0, binlogPos{file: 9}).timeLed(t0), my(0, t0, t0+second, binlogPos{file: 1, sequence: 5, gtid: 7}).timeLed(t0)},
		{"nothing known", Version{}, TimeVersion(math.MinInt64)},
	} {
		if got := c.old.Compare(c.newer); got != -1 {
			t.Errorf("%s: %d", c.name, got)
		}
		if got := c.newer.Compare(c.old); got != 1 {
			t.Errorf("%s, the other way: %d", c.name, got)
		}
		if got := c.old.Compare(c.old); got != 0 {
			t.Errorf("%s, with itself: %d", c.name, got)
		}
	}
}

func TestRepeats(t *testing.T) {
	base := pg(flagMade, t0, t0, 10, 1)
	for _, c := range []struct {
		name string
		v, w Version
		want bool
	}{
		{"seen again", base, pg(flagMade, t0, t0+second, 10, 1), true},
		{"another LSN", base, pg(flagMade, t0, t0, 10, 2), false},
		{"another commit", base, pg(flagMade, t0, t0, 11, 1), false},
		{"another time", base, pg(flagMade, t0+1, t0, 10, 1), false},
		{"the other half of a changed key", base, pg(0, t0, t0, 10, 1), false},
		{"times alone", TimeVersion(t0), TimeVersion(t0), false},
		{"one's own positions", PositionVersion(t0, 1, 2), PositionVersion(t0, 1, 2), true},
		{"nothing known", Version{}, Version{}, false},
		{"rows beyond the count of one event", my(0, t0, t0, binlogPos{file: 1, row: 1 << 16}), my(0, t0, t0, binlogPos{file: 1, row: 1 << 17}), false},
		{"led by time", base.timeLed(t0), pg(flagMade, t0, t0+second, 10, 1).timeLed(t0), true},
	} {
		if c.v.Repeats(c.w) != c.want || c.w.Repeats(c.v) != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

func TestPlace(t *testing.T) {
	base := pg(flagMade, t0, t0, 10, 1)
	place, ok := base.Place()
	if !ok {
		t.Fatal("not known")
	}
	for _, c := range []struct {
		name string
		v    Version
		want bool
	}{
		{"seen again", pg(flagMade, t0, t0+second, 10, 1), true},
		{"the other half of a changed key", pg(0, t0, t0, 10, 1), true},
		{"another LSN", pg(flagMade, t0, t0, 10, 2), false},
		{"another commit", pg(flagMade, t0, t0, 11, 1), false},
		{"another time", pg(flagMade, t0+1, t0, 10, 1), false},
		{"a read", pg(flagMade|flagRead, t0, t0, 10, 1), false},
	} {
		if got, ok := c.v.Place(); !ok || (got == place) != c.want {
			t.Errorf("%s: %v, %v", c.name, got, ok)
		}
	}
	for _, v := range []Version{{}, TimeVersion(t0), makeVersion(schemeOrdered, 0, t0, t0, 1, 2)} {
		if got, ok := v.Place(); ok || !got.IsZero() {
			t.Errorf("%v: %v, %v", v, got, ok)
		}
	}
}

// drawVersion draws versions that are close enough to each other for every part
// of the rule to decide at times.
func drawVersion(t *rapid.T, label string) Version {
	small := func(n int) uint64 { return uint64(rapid.IntRange(0, n).Draw(t, label)) }
	ns := t0 + int64(small(3))*30*second + int64(small(2))
	seen := int64(small(2)) * (t0 + int64(small(3))*second)
	flags := []uint64{0, flagMade, flagRead, flagFirst, flagRead | flagMade}[small(4)]
	switch small(5) {
	case 5:
		return my(flags&^flagFirst, ns, seen, binlogPos{small(2), small(2), small(2), small(2), small(2), small(2)}).timeLed(ns)
	case 0:
		return pg(flags, ns, seen, small(3), small(3))
	case 1:
		return my(flags&^flagFirst, ns, seen, binlogPos{small(2), small(2), small(2), small(2), small(2), small(2)})
	case 2:
		return pg(flags, ns, seen, small(3), small(3)).timeLed(ns)
	case 3:
		return PositionVersion(ns, small(2), small(2))
	}
	return TimeVersion(ns)
}

func TestVersionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := drawVersion(t, "v"), drawVersion(t, "w")
		if v.Compare(w) != -w.Compare(v) {
			t.Fatalf("%v and %v: %d and %d", v, w, v.Compare(w), w.Compare(v))
		}
		if v == w && v.Compare(w) != 0 {
			t.Fatalf("%v is not equal to itself", v)
		}
		p, known := v.Place()
		q, other := w.Place()
		half := v.has(flagMade) != w.has(flagMade)
		if known != v.has(flagUnique) || known && other && (p == q && !half) != v.Repeats(w) {
			t.Fatalf("places %v, %v and %v, %v of %v and %v", p, known, q, other, v, w)
		}
		if v.Repeats(w) != w.Repeats(v) || v.Repeats(w) && v.Time() != w.Time() {
			t.Fatalf("%v repeats %v", v, w)
		}
		b, err := v.MarshalBinary()
		var back Version
		if err != nil || len(b) != 32 || back.UnmarshalBinary(b) != nil || back != v {
			t.Fatalf("%v became %x and %v", v, b, back)
		}
	})
}

// Within one log, where commit times rise with the positions but for the
// connector's clock, the order is total.
func TestOneLogIsTotallyOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []Version
		ns, commit, lsn := t0, uint64(100), uint64(50)
		for range rapid.IntRange(2, 30).Draw(t, "changes") {
			if rapid.Bool().Draw(t, "commit") {
				ns += int64(rapid.IntRange(0, 3).Draw(t, "ms")) * int64(time.Millisecond)
				commit += 10
				lsn = commit - uint64(rapid.IntRange(0, 40).Draw(t, "began"))
			}
			lsn++
			log = append(log, pg(flagMade, ns, t0+int64(rapid.IntRange(0, 60).Draw(t, "seen"))*second, commit, lsn))
		}
		shuffled := rapid.Permutation(log).Draw(t, "order")
		slices.SortStableFunc(shuffled, Version.Compare)
		if !slices.Equal(shuffled, log) {
			t.Fatalf("sorted to %v, want %v", shuffled, log)
		}
	})
}

func TestBinlogPacking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := binlogPos{
			file:     rapid.Uint64Range(0, maxBinlogFile).Draw(t, "file"),
			pos:      rapid.Uint64Range(0, maxBinlogPos).Draw(t, "pos"),
			row:      rapid.Uint64Range(0, maxBinlogRow-1).Draw(t, "row"),
			server:   rapid.Uint64Range(0, maxBinlogServer).Draw(t, "server"),
			sequence: rapid.Uint64Range(0, maxSequence).Draw(t, "sequence"),
			gtid:     rapid.Uint64Range(0, maxGTID).Draw(t, "gtid"),
		}
		ms := rapid.Int64Range(0, maxBinlogTime).Draw(t, "ms")
		v := my(flagMade, ms*int64(time.Millisecond), ms*int64(time.Millisecond), want)
		if got := v.binlog(); got != want || v.millis() != ms || v.scheme() != schemeBinlog {
			t.Fatalf("%+v became %+v at %d ms", want, got, v.millis())
		}
		if v.seen() != min(uint64(ms)*1000, seenMask) {
			t.Fatalf("seen at %d ms became %d µs", ms, v.seen())
		}
	})
	for name, p := range map[string]binlogPos{"file": {file: maxBinlogFile + 1}, "pos": {pos: maxBinlogPos + 1}} {
		if v := my(0, t0, t0, p); v.scheme() != schemeTime || v.Time().UnixNano() != t0 {
			t.Errorf("a %s that does not fit gives %v", name, v)
		}
	}
	if v := my(0, t0, t0, binlogPos{sequence: 1, gtid: maxGTID + 1}); v.binlog() != (binlogPos{}) {
		t.Errorf("a GTID that does not fit gives %v", v)
	}
	if v := my(0, -second, t0, binlogPos{file: 1}); v.Time().UnixNano() != 0 || v.binlog().file != 1 {
		t.Errorf("a time before 1970 gives %v", v)
	}
}

func TestFolding(t *testing.T) {
	seen := map[uint64]bool{}
	for id := range uint64(maxBinlogServer) {
		f := fold(id, maxBinlogServer)
		if f == 0 || f > maxBinlogServer || seen[f] {
			t.Fatalf("server %d folds to %d", id, f)
		}
		seen[f] = true
	}
	if f := fold(math.MaxUint64, maxSequence); f == 0 || f > maxSequence {
		t.Error(f)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	good, _ := PositionVersion(t0, 1, 2).MarshalBinary()
	bad := map[string][]byte{"empty": nil, "short": good[:31], "long": append(bytes.Clone(good), 0)}
	for name, change := range map[string]func([]byte){
		"scheme":        func(b []byte) { b[0] |= 0xf0 },
		"spare bit":     func(b []byte) { b[0] |= 0x08 },
		"none but time": func(b []byte) { b[0] &= 0x0f },
	} {
		b := bytes.Clone(good)
		change(b)
		bad[name] = b
	}
	for name, b := range bad {
		v := TimeVersion(7)
		if err := v.UnmarshalBinary(b); err == nil || v != TimeVersion(7) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	var v Version
	if err := v.UnmarshalBinary(make([]byte, 32)); err != nil || !v.IsZero() {
		t.Error("the zero version:", err)
	}
	var _ encoding.BinaryAppender = v
	var _ encoding.BinaryUnmarshaler = &v
}

func TestVersionString(t *testing.T) {
	for want, v := range map[string]Version{
		"none":                        {},
		"1970-01-01T00:00:01Z":        TimeVersion(second),
		"1970-01-01T00:00:01Z at 2,3": PositionVersion(second, 2, 3),
		"1970-01-01T00:00:01Z lsn 1/2 after 0/A read":       pg(flagRead, second, 0, 10, 1<<32|2),
		"1970-01-01T00:00:01Z lsn 0/2 after 0/2 first":      pg(flagFirst, second, 0, 2, 2),
		"1970-01-01T00:00:01.5Z file 41 pos 4 row 1 gtid 7": my(0, second*3/2, 0, binlogPos{file: 41, pos: 4, row: 1, sequence: 1, gtid: 7}),
	} {
		if got := v.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := pg(0, t0, 0, 1, 2).timeLed(t0).String(); !strings.HasSuffix(got, " at 1,2") {
		t.Error(got)
	}
}
