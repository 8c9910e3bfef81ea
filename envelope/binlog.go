package envelope

import (
	"bytes"
	"cmp"
	"time"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// A binlogPos is a place in a MySQL or MariaDB binary log.
//
// Packed into the words 1 to 3 of a Version:
//
//	word 1: 42 bits commit time in ms, 16 bits row, 6 bits server (high)
//	word 2: 24 bits file, 32 bits pos, 8 bits server (low)
//	word 3: 16 bits GTID sequence, 48 bits GTID number
//
// A position has 32 bits in the log's own event header. Server and GTID
// sequence only serve to tell different ones apart, and only where a log was
// changed for another; that two of them fold to the same bits makes positions of
// two logs comparable, which the other witnesses still have to confirm.
type binlogPos struct {
	file, pos uint64
	row       uint64 // in its event, counted from 1; 0 for an initial snapshot's read
	server    uint64 // 0 if unknown
	sequence  uint64 // MariaDB's domain or MySQL's source uuid; 0 without GTID
	gtid      uint64 // number of the transaction in its sequence
}

const (
	binlogTimeShift = 22
	maxBinlogTime   = 1<<42 - 1 // the year 2109
	maxBinlogFile   = 1<<24 - 1
	maxBinlogPos    = 1<<32 - 1
	maxBinlogRow    = 1<<16 - 1
	maxBinlogServer = 1<<14 - 1
	maxSequence     = 1<<16 - 1
	maxGTID         = 1<<48 - 1
)

// binlogVersion packs a version. Positions that do not fit are no positions:
// then it is one of time alone. A row number that does not fit is a tie with
// the others of its event.
func binlogVersion(flags uint64, ns, seenNS int64, p binlogPos) Version {
	ms := min(max(ns/int64(time.Millisecond), 0), maxBinlogTime)
	if p.file > maxBinlogFile || p.pos > maxBinlogPos {
		return makeVersion(schemeTime, flags&^(flagUnique|flagRead), ns, seenNS, 0, 0)
	}
	if p.row >= maxBinlogRow {
		p.row, flags = maxBinlogRow, flags&^flagUnique
	}
	if p.gtid > maxGTID {
		p.sequence, p.gtid = 0, 0
	}
	return Version{[4]uint64{
		head(schemeBinlog, flags, seenNS),
		uint64(ms)<<binlogTimeShift | p.row<<6 | p.server>>8,
		p.file<<40 | p.pos<<8 | p.server&0xff,
		p.sequence<<48 | p.gtid,
	}}
}

func (v Version) binlog() binlogPos {
	return binlogPos{
		file: v.word[2] >> 40, pos: v.word[2] >> 8 & maxBinlogPos, row: v.word[1] >> 6 & maxBinlogRow,
		server:   v.word[1]&0x3f<<8 | v.word[2]&0xff,
		sequence: v.word[3] >> 48, gtid: v.word[3] & maxGTID,
	}
}

// binlogPosition compares positions: within one GTID sequence by the number
// first; in one server's log by file and position; else not at all.
func (v Version) binlogPosition(w Version) int {
	a, b := v.binlog(), w.binlog()
	number := 0
	switch {
	case a.sequence != 0 && a.sequence == b.sequence:
		number = cmp.Compare(a.gtid, b.gtid)
	case a.server != 0 && b.server != 0 && a.server != b.server:
		return 0
	}
	return cmp.Or(number, cmp.Compare(a.file, b.file), cmp.Compare(a.pos, b.pos), cmp.Compare(a.row, b.row))
}

// timeLed packs a version that compares the exact commit time first, which
// takes a word of its own:
//
//	with GTID     word 2: 16 bits sequence, 48 bits number; word 3: 32 bits pos, 16 bits row
//	without       word 2: 24 bits file, 32 bits pos;        word 3: 16 bits row, 14 bits server
func (p binlogPos) timeLed(flags uint64, ns, seenNS int64) Version {
	if p.sequence != 0 {
		return makeVersion(schemeTimeLedBinlog, flags|flagGTID, ns, seenNS, p.sequence<<48|p.gtid, p.pos<<16|p.row)
	}
	return makeVersion(schemeTimeLedBinlog, flags, ns, seenNS, p.file<<32|p.pos, p.row<<16|p.server)
}

// timeLedPosition compares what timeLed packed: positions with a common GTID
// sequence, or of one server's log.
func (v Version) timeLedPosition(w Version) int {
	if v.has(flagGTID) != w.has(flagGTID) {
		return 0
	}
	if v.has(flagGTID) {
		if v.word[2]>>48 != w.word[2]>>48 {
			return 0
		}
		return v.position(w)
	}
	const server = maxSequence
	if a, b := v.word[3]&server, w.word[3]&server; a != 0 && b != 0 && a != b {
		return 0
	}
	return cmp.Or(cmp.Compare(v.word[2], w.word[2]), cmp.Compare(v.word[3]>>16, w.word[3]>>16))
}

// binlogFile returns the number behind the last dot of a log file's name, as a
// number: mysql-bin.1000000 follows mysql-bin.999999.
func binlogFile(name []byte) (uint64, bool) {
	dot := bytes.LastIndexByte(name, '.')
	if dot < 0 {
		return 0, false
	}
	return jsonscan.Uint(name[dot+1:])
}

// parseGTID reads MariaDB's domain-server-number and MySQL's uuid:number or
// uuid:tag:number.
func parseGTID(text []byte) (sequence, number uint64, ok bool) {
	if i := bytes.LastIndexByte(text, ':'); i >= 0 {
		number, ok = jsonscan.Uint(text[i+1:])
		return fold(hash(text[:i]), maxSequence), number, ok
	}
	first, last := bytes.IndexByte(text, '-'), bytes.LastIndexByte(text, '-')
	if first < 0 || first == last {
		return 0, 0, false
	}
	domain, ok := jsonscan.Uint(text[:first])
	if !ok {
		return 0, 0, false
	}
	number, ok = jsonscan.Uint(text[last+1:])
	return fold(domain, maxSequence), number, ok
}

// fold maps n to 1…limit, and small numbers each to another.
func fold(n, limit uint64) uint64 { return n%limit + 1 }

// hash is FNV-1a.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
