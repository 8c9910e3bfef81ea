package storetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// sources are the sources of records whose versions are of all kinds.
var sources = []string{
	`"connector":"postgresql","version":"3.6.1.Final","sequence":"[\"63003568\",\"63003624\"]","ts_ns":1795233274120735000,"lsn":63003624`,
	`"connector":"postgresql","version":"3.6.1.Final","sequence":"[null,\"602244848\"]","ts_ns":1795233274120735000,"lsn":602244848`,
	`"connector":"postgresql","version":"3.6.1.Final","sequence":"[\"18446744073709551614\",\"18446744073709551615\"]","ts_ms":-5,"lsn":7`,
	`"connector":"postgresql","version":"3.6.1.Final","snapshot":"last","ts_ms":1795233274120,"lsn":63003624`,
	`"connector":"postgresql","version":"1.6.0.Final","ts_ms":1795233274120,"lsn":63003624`,
	`"connector":"mysql","file":"mysql-bin.000041","pos":9,"row":3,"server_id":7,"ts_ms":1795233274120`,
	`"connector":"mysql","file":"mysql-bin.999999","pos":4294967295,"row":65535,"server_id":7,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23","ts_ms":1795233274120`,
	`"connector":"mariadb","file":"mariadb-bin.000001","pos":4,"row":0,"server_id":1,"gtid":"0-1-270","ts_ms":1795233274120`,
	`"connector":"mysql","snapshot":"true","file":"mysql-bin.000041","pos":9,"ts_ms":1795233274120`,
	`"connector":"mongodb","ord":7,"ts_ms":1795233274000`,
	`"connector":"sqlserver","change_lsn":"00000027:00000758:0005","commit_lsn":"00000027:00000758:0006","event_serial_no":2,"ts_ms":1795233274120`,
	`"connector":"oracle","scn":"2868546","commit_scn":"2868999","ts_ms":1795233274120`,
	`"connector":"db2","change_lsn":"00000000:00000000:00000000:0000057c","commit_lsn":"00000000:00000000:00000000:000005a0","ts_ms":1795233274120`,
	`"connector":"spanner","sequence":"00000002","mod_number":3,"ts_ms":1795233274120`,
}

// decoded returns the versions of records, ordered by position and by time.
func decoded(tb testing.TB) []envelope.Version {
	tb.Helper()
	var out []envelope.Version
	for _, order := range []envelope.Order{envelope.ByPosition, envelope.ByTime} {
		d := envelope.Debezium{Order: order}
		for _, source := range sources {
			for _, op := range []string{`"c","before":null,"after":{"id":1}`, `"d","before":{"id":1},"after":null`, `"r","before":null,"after":{"id":1}`} {
				var c envelope.Change
				record := fmt.Sprintf(`{"op":%s,"source":{%s,"db":"d","schema":"s","table":"t"},"ts_us":1795233274380123}`, op, source)
				if err := d.Decode(&c, []byte(record)); err != nil {
					tb.Fatalf("the record of %s: %v", source, err)
				}
				out = append(out, c.Version)
			}
		}
	}
	return out
}

// someVersions returns versions of all kinds, each another one.
func someVersions(tb testing.TB) []envelope.Version {
	tb.Helper()
	all := decoded(tb)
	times := []int64{0, 1, -1, 1_795_233_755_000_000_000, math.MaxInt64, math.MinInt64, 0x0a0d, 0x7f00ff00}
	words := []uint64{0, 1, 1<<63 - 1, 1 << 63, math.MaxUint64, 0x00ff00ff00ff00ff}
	for _, ns := range times {
		all = append(all, envelope.TimeVersion(ns))
		for _, hi := range words {
			for _, lo := range words {
				all = append(all, envelope.PositionVersion(ns, hi, lo))
			}
		}
	}
	seen := map[envelope.Version]bool{none: true}
	var out []envelope.Version
	for _, v := range all {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// versions stores versions of all kinds and swaps each for the next one.
func versions(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	all := someVersions(tb)
	keys := numbered("versions", len(all))
	insert, next := make([]move, len(all)), make([]move, len(all))
	for i, key := range keys {
		w := all[(i+1)%len(all)]
		insert[i], next[i] = move{key: key, new: all[i]}, move{key, all[i], w}
	}
	s.moves(marks, insert...)
	s.holds(marks, keys...)
	s.moves(marks, next...)
	s.holds(marks, keys...)
}

// neighbours returns the versions that differ from v in one bit.
func neighbours(v envelope.Version) []envelope.Version {
	var out []envelope.Version
	b, _ := v.MarshalBinary() // never fails
	for bit := range 8 * len(b) {
		b[bit/8] ^= 1 << (bit % 8)
		var w envelope.Version
		if w.UnmarshalBinary(b) == nil && !w.IsZero() {
			out = append(out, w)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	return out
}

// versionBits tells a version from those that differ in one bit.
func versionBits(tb testing.TB, store dedupe.Store) {
	s := subject{tb, store}
	marks := map[string]envelope.Version{}
	base := envelope.PositionVersion(1_795_233_755_000_000_000, 0x0123456789abcdef, 0xfedcba9876543210)
	near := neighbours(base)
	keys := numbered("bits", len(near))
	var insert, wrong, right []move
	for i, key := range keys {
		insert = append(insert, move{key: key, new: base})
		wrong = append(wrong, move{key, near[i], at(i)})
		right = append(right, move{key, base, near[i]})
	}
	s.moves(marks, insert...)
	s.moves(marks, wrong...)
	s.holds(marks, keys...)
	s.moves(marks, right...)
	s.holds(marks, keys...)
	s.moves(marks, right...)
	s.holds(marks, keys...)
}
