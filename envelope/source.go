package envelope

import (
	"bytes"
	"cmp"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// decodeSource decodes what the source block of the envelope in l says: table,
// time, transaction and version.
func (d *Debezium) decodeSource(c *Change, b []byte, l *level) error {
	v := l.Raw(b, fieldSource)
	if v == nil {
		return l.missing(l.At[fieldOp], fieldSource)
	}
	if v[0] != '{' {
		return l.fault(l.At[fieldSource], ErrType, fieldSource)
	}
	s := l.source
	if s.Duplicate != fieldNone {
		return s.duplicated()
	}
	seen, err := l.nanos(b, fieldTSNS, fieldTSUS, fieldTSMS)
	if err != nil {
		return err
	}
	from := connectorOf(contents(s.Raw(b, fieldConnector)))
	if err := d.decodePosition(c, b, s, from, seen); err != nil {
		return err
	}
	if c.Op == OpRead && from == connectorCassandra { // a range tombstone there
		return l.fault(l.At[fieldOp], ErrType, fieldOp)
	}
	if block := l.Raw(b, fieldTransaction); c.TxID == nil && block != nil && block[0] == '{' {
		if id, ok := Row(block).Get("id"); ok && !id.IsNull() {
			c.TxID = contents(id)
		}
	}
	return nil
}

// decodePosition decodes table, time, transaction and version from the members
// of a source block, wherever a format has them. seen is the connector's clock
// in nanoseconds, 0 if it is not in the record.
func (d *Debezium) decodePosition(c *Change, b []byte, s *level, from connector, seen int64) (err error) {
	if c.Table.DB, err = s.tableName(b, &d.names, nameDB, fieldDB, fieldDatabaseID); err != nil {
		return err
	}
	if c.Table.Schema, err = s.tableName(b, &d.names, nameSchema, fieldSchema, fieldKeyspace); err != nil {
		return err
	}
	if c.Table.Name, err = s.tableName(b, &d.names, nameTable, fieldTable, fieldCollection); err != nil {
		return err
	}
	if c.Time, err = s.nanos(b, fieldTSNS, fieldTSUS, fieldTSMS); err != nil {
		return err
	}
	c.Snapshot = snapshotOf(contents(s.Raw(b, fieldSnapshot)))
	p := position{b: b, source: s, connector: from, ns: c.Time, seen: seen, op: c.Op, snapshot: c.Snapshot}
	if c.Op != OpDelete {
		p.flags = flagMade
	}
	c.Version = p.version()
	if d.Order == ByTime {
		c.Version = c.Version.timeLed(c.Time)
	}
	for _, f := range [...]field{fieldTxID, fieldGTID} {
		if v := s.Raw(b, f); v != nil {
			c.TxID = contents(v)
			break
		}
	}
	return nil
}

// Slots of [jsonscan.Names].
const (
	nameDB = iota
	nameSchema
	nameTable
)

// tableName returns a part of the table's name, which some connectors call by
// another. Absent, null and empty are the same.
func (l *level) tableName(b []byte, names *jsonscan.Names, slot int, f, other field) (string, error) {
	v := l.Raw(b, f)
	if len(v) <= len(`""`) && l.Has(other) {
		f = other
		v = l.Raw(b, f)
	}
	switch {
	case v == nil:
		return "", nil
	case v[0] != '"':
		return "", l.fault(l.At[f], ErrType, f)
	}
	return names.Text(slot, v[1:len(v)-1]), nil
}

// A position reads the order of a change from its source block.
type position struct {
	b         []byte
	source    *level
	connector connector
	ns, seen  int64 // commit time, connector's clock
	op        Op
	snapshot  Snapshot
	flags     uint64
}

func (p *position) text(f field) []byte { return contents(p.source.Raw(p.b, f)) }

func (p *position) uint(f field) (uint64, bool) { return jsonscan.Uint(p.text(f)) }

// initial reports whether the change is an initial snapshot's read. Those of an
// incremental snapshot stand in the stream.
func (p *position) initial() bool {
	return p.op == OpRead && p.snapshot != SnapshotIncremental
}

// version returns the version by the connector's position, and one of time
// alone where there is none that can be used.
func (p *position) version() Version {
	switch p.connector {
	case connectorPostgreSQL:
		return p.postgres()
	case connectorMySQL:
		return p.binlog()
	case connectorSQLServer:
		// change_lsn is not monotonic within a transaction: its changes are ties.
		if hi, lo, ok := hexPosition(p.text(fieldCommitLSN)); ok {
			return p.ordered(hi, lo)
		}
	case connectorOracle:
		// Many changes share one SCN: ties. commit_scn is null for a snapshot read.
		scn, ok := p.uint(fieldSCN)
		commit, streamed := p.uint(fieldCommitSCN)
		if ok && (streamed || p.initial()) {
			return p.ordered(cmp.Or(commit, scn), scn)
		}
	case connectorInformix:
		commit, ok := p.uint(fieldCommitLSN)
		change, known := p.uint(fieldChangeLSN)
		if ok && known {
			return p.ordered(commit, change)
		}
	case connectorMongoDB:
		// From 3.4 on ts_ms is a wall clock and the cluster time is not sent.
		ord, ok := p.uint(fieldOrd)
		if ok && before(p.text(fieldVersion), 3, 4) && p.ns > 0 {
			return p.ordered(uint64(p.ns/1e9), ord)
		}
	case connectorSpanner:
		sequence, ok := p.uint(fieldSequence)
		mod, known := p.uint(fieldModNumber)
		if ok && known && mod <= 1<<32-1 && sequence <= 1<<32-1 && p.ns > 0 {
			return p.ordered(uint64(p.ns), sequence<<32|mod)
		}
	case connectorCockroachDB:
		if wall, logical, ok := hybrid(p.text(fieldTSHLC)); ok {
			return p.ordered(wall, logical)
		}
	case connectorTiCDC:
		if ts, ok := p.uint(fieldCommitTS); ok {
			return p.ordered(ts, 0)
		}
	}
	return p.timed()
}

// timed returns a version without a position, and one that knows nothing where
// there is no time either.
func (p *position) timed() Version {
	if p.ns == 0 && p.seen == 0 {
		return Version{}
	}
	return makeVersion(schemeTime, 0, p.ns, p.seen, 0, 0)
}

// ordered returns a version of a position that changes of one row can share.
func (p *position) ordered(hi, lo uint64) Version {
	return makeVersion(schemeOrdered, 0, p.ns, p.seen, hi, lo)
}

// postgres orders by the sequence, "[last commit LSN, LSN]". The LSN alone is
// not the order of commits. A snapshot read shows the state at its LSN, and so
// is older than all that commits afterwards.
func (p *position) postgres() Version {
	if before(p.text(fieldVersion), 1, 7) { // sequence was wrong where it was there at all
		return p.timed()
	}
	flags := p.flags | flagUnique
	lsn, ok := p.uint(fieldLSN)
	if p.initial() {
		if !ok {
			return p.timed()
		}
		return makeVersion(schemePostgres, flags|flagRead, p.ns, p.seen, lsn, 0)
	}
	commit, row, first, ok := sequence(p.text(fieldSequence))
	switch {
	case !ok:
		return p.timed()
	case first:
		return makeVersion(schemePostgres, flags|flagFirst, p.ns, p.seen, row, row)
	}
	return makeVersion(schemePostgres, flags, p.ns, p.seen, commit, row)
}

// sequence reads ["<last commit LSN>"|null,"<LSN>"|null], whose quotes are
// escaped, since it is a string. first says that the last commit LSN is null.
func sequence(text []byte) (commit, row uint64, first, ok bool) {
	text, ok = bytes.CutPrefix(text, []byte("["))
	if !ok {
		return 0, 0, false, false
	}
	commitText, rowText, ok := bytes.Cut(text, []byte(","))
	if !ok {
		return 0, 0, false, false
	}
	row, ok = quoted(bytes.TrimSuffix(rowText, []byte("]")))
	if string(commitText) == "null" {
		return 0, row, true, ok
	}
	commit, known := quoted(commitText)
	return commit, row, false, ok && known
}

// quoted reads a number between escaped quotes.
func quoted(text []byte) (uint64, bool) {
	const quote = `\"`
	if len(text) < 2*len(quote) || string(text[:2]) != quote || string(text[len(text)-2:]) != quote {
		return 0, false
	}
	return jsonscan.Uint(text[2 : len(text)-2])
}

// binlog orders by GTID, log file, position and row. A read names no server and
// no transaction; an initial snapshot's is older than all rows of its position.
func (p *position) binlog() Version {
	at := binlogPos{}
	file, ok := binlogFile(p.text(fieldFile))
	pos, known := p.uint(fieldPos)
	row, _ := p.uint(fieldRow)
	if !ok || !known {
		return p.timed()
	}
	flags := p.flags | flagUnique
	at.file, at.pos, at.row = file, pos, min(row, maxBinlogRow)+1
	if p.op == OpRead {
		flags |= flagRead
		if p.initial() {
			at.row = 0
		}
		return binlogVersion(flags, p.ns, p.seen, at)
	}
	if id, ok := p.uint(fieldServerID); ok && id != 0 {
		at.server = fold(id, maxBinlogServer)
	}
	if s, n, ok := parseGTID(p.text(fieldGTID)); ok {
		at.sequence, at.gtid = s, n
	}
	return binlogVersion(flags, p.ns, p.seen, at)
}

// before reports whether a connector's version ("2.7.3.Final") is below
// major.minor. A version that cannot be read is taken for a recent one.
func before(version []byte, major, minor uint64) bool {
	if len(version) > 1 && version[1] == '.' && uint64(version[0]-'0') > major { // the common case
		return false
	}
	var parts [2]uint64
	i := 0
	for k := range parts {
		start := i
		for i < len(version) && version[i] != '.' {
			i++
		}
		n, ok := jsonscan.Uint(version[start:i])
		if !ok {
			return false
		}
		parts[k] = n
		i++
		if i > len(version) {
			break
		}
	}
	return cmp.Or(cmp.Compare(parts[0], major), cmp.Compare(parts[1], minor)) < 0
}

// hexPosition reads groups of hexadecimal digits, as in 00000027:00000758:0005,
// as one number of up to 128 bits.
func hexPosition(text []byte) (hi, lo uint64, ok bool) {
	digits := 0
	for _, c := range text {
		var digit byte
		switch {
		case c == ':':
			continue
		case '0' <= c && c <= '9':
			digit = c - '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			digit = c | 0x20 - 'a' + 10
		default:
			return 0, 0, false
		}
		if digits++; digits > 32 {
			return 0, 0, false
		}
		hi, lo = hi<<4|lo>>60, lo<<4|uint64(digit)
	}
	return hi, lo, digits > 0
}

// hybrid reads a hybrid logical clock: nanoseconds, a dot, a counter of up to
// ten digits.
func hybrid(text []byte) (wall, logical uint64, ok bool) {
	i := 0
	for i < len(text) && text[i] != '.' {
		i++
	}
	wall, ok = jsonscan.Uint(text[:i])
	if !ok || i == len(text) {
		return wall, 0, ok
	}
	logical, ok = jsonscan.Uint(text[i+1:])
	return wall, logical, ok
}
