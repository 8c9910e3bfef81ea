package envelope

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A Version orders the changes of one row. It is opaque, comparable with ==
// and takes 32 bytes, so that a store can hold one per row. The zero Version
// knows nothing and is older than any other.
//
// Neither the commit time nor the position in the source's log is enough by
// itself: a snapshot read carries a time after the moment that it shows,
// clocks step back, all changes of a transaction share one time, and after a
// failover or a restore the log starts over at lower positions. So a Version
// holds three witnesses: the position, the commit time, and the moment at which
// the connector handled the record. For PostgreSQL, MySQL and MariaDB:
//
//  1. Where position and commit time agree, or one of them is equal or unknown,
//     that is the order.
//  2. Where they contradict each other, the connector's clock decides. It does
//     not decide alone: a record repeated after a restart carries a later one.
//  3. A snapshot read against a change of the first transaction after the slot
//     was made (its last commit LSN is null): the connector's clock.
//  4. Where that clock is not in the record: position while the commit times
//     are within a minute (PostgreSQL) or an hour (MySQL, MariaDB) of each
//     other, else the commit time; for 3, the streamed change is newer than
//     reads of up to 2 s later.
//  5. The delete and the create of a changed key stand at one position: the
//     delete is older. What is equal then is ordered by the connector's clock.
//
// For the other sources the position decides, then the commit time, then the
// connector's clock. Where a source has no usable position, its changes are
// ordered by commit time and then by the connector's clock.
//
// The relation is a total order among the changes of one log. Across
// contradictions it need not be transitive: three changes can form a circle.
// No order can bring back what was never sent: rows deleted while nobody
// streamed, or made by a transaction that a failover lost.
//
// Commit times of MySQL and MariaDB are held to the millisecond, the
// connector's clock to the microsecond and up to the year 2112.
type Version struct {
	// word 0: 4 bits scheme, 8 bits flags, 52 bits connector's clock in µs
	// word 1: commit time in ns
	// word 2, 3: position
	// For MySQL and MariaDB the words are packed, see binlogVersion and
	// timeLedBinlog.
	word [4]uint64
}

type scheme uint64

const (
	schemeNone          scheme = iota
	schemeTime                 // no position
	schemeOrdered              // position, then time
	schemeTimeLed              // time, then position
	schemePostgres             // the three witnesses
	schemeBinlog               // the three witnesses, MySQL and MariaDB
	schemeTimeLedBinlog        // time, then the log's position
	schemes                    // how many there are
)

const (
	flagRead   uint64 = 1 << (52 + iota) // a snapshot read
	flagFirst                            // of the first transaction after the slot was made
	flagMade                             // not a delete: the second half of a changed key
	flagUnique                           // no other change of the row has this position
	flagGTID                             // of schemeTimeLedBinlog: the position is a GTID's
	flags      = flagRead | flagFirst | flagMade | flagUnique | flagGTID

	seenMask    = 1<<52 - 1
	schemeShift = 60
)

// How far a commit time may be off, used only where the connector's clock is
// missing.
const (
	slackPostgres = int64(time.Minute / time.Millisecond)
	slackBinlog   = int64(time.Hour / time.Millisecond)
	slackStart    = int64(2 * time.Second / time.Millisecond) // from a slot's consistent point to its snapshot's time
)

// TimeVersion returns the version of a change that has only a commit time, in
// nanoseconds since the Unix epoch. Two changes of one time are a tie, never a
// repeat.
func TimeVersion(ns int64) Version {
	return makeVersion(schemeTime, 0, ns, 0, 0, 0)
}

// PositionVersion returns the version of a change from a source of one's own:
// a commit time in nanoseconds since the Unix epoch, and a position (hi, then
// lo) that increases with every change of a row. The position decides; the same
// position and time again is a repeat.
func PositionVersion(ns int64, hi, lo uint64) Version {
	return makeVersion(schemeOrdered, flagUnique, ns, 0, hi, lo)
}

func makeVersion(s scheme, flags uint64, ns, seenNS int64, hi, lo uint64) Version {
	return Version{[4]uint64{head(s, flags, seenNS), uint64(ns), hi, lo}}
}

func head(s scheme, flags uint64, seenNS int64) uint64 {
	seen := min(uint64(max(seenNS, 0))/1000, seenMask)
	return uint64(s)<<schemeShift | flags | seen
}

func (v Version) scheme() scheme       { return scheme(v.word[0] >> schemeShift) }
func (v Version) has(flag uint64) bool { return v.word[0]&flag != 0 }
func (v Version) seen() uint64         { return v.word[0] & seenMask }

// nanos returns the commit time.
func (v Version) nanos() int64 {
	if v.scheme() == schemeBinlog {
		return v.millis() * int64(time.Millisecond)
	}
	return int64(v.word[1])
}

// millis returns the commit time in milliseconds, rounded down.
func (v Version) millis() int64 {
	if v.scheme() == schemeBinlog {
		return int64(v.word[1] >> binlogTimeShift)
	}
	ns := int64(v.word[1])
	ms := ns / int64(time.Millisecond)
	if ns%int64(time.Millisecond) < 0 {
		ms--
	}
	return ms
}

// IsZero reports whether v is the zero Version, which knows nothing.
func (v Version) IsZero() bool { return v == Version{} }

// Time returns the commit time, to the millisecond for MySQL and MariaDB.
func (v Version) Time() time.Time { return time.Unix(0, v.nanos()).UTC() }

// Compare returns -1, 0 or +1 as v is older than, tied with or newer than w.
// Both must be versions of changes of one row. Versions of different kinds of
// sources are compared by time alone.
func (v Version) Compare(w Version) int {
	if v.scheme() != w.scheme() {
		if v.IsZero() || w.IsZero() {
			return cmp.Compare(v.scheme(), w.scheme())
		}
		return cmp.Or(cmp.Compare(v.nanos(), w.nanos()), v.clock(w))
	}
	switch v.scheme() {
	case schemePostgres:
		return v.witnesses(w, v.position(w), slackPostgres)
	case schemeBinlog:
		return v.witnesses(w, v.binlogPosition(w), slackBinlog)
	case schemeTimeLedBinlog:
		return cmp.Or(cmp.Compare(v.nanos(), w.nanos()), v.timeLedPosition(w), v.half(w), v.clock(w))
	case schemeTimeLed:
		return cmp.Or(cmp.Compare(v.nanos(), w.nanos()), v.position(w), v.half(w), v.clock(w))
	}
	if c := v.position(w); c != 0 { // most often, and then the rest need not be known
		return c
	}
	return cmp.Or(cmp.Compare(v.nanos(), w.nanos()), v.half(w), v.clock(w))
}

// clock compares the moments at which the connector handled the records, where both
// are known.
func (v Version) clock(w Version) int {
	if v.seen() == 0 || w.seen() == 0 {
		return 0
	}
	return cmp.Compare(v.seen(), w.seen())
}

func (v Version) position(w Version) int {
	if v.word[2] == w.word[2] {
		return cmp.Compare(v.word[3], w.word[3])
	}
	return cmp.Compare(v.word[2], w.word[2])
}

// half orders the delete and the create of a changed key, which share one
// position and one time. Where other changes of a row can share them too, it
// says nothing.
func (v Version) half(w Version) int {
	if !v.has(flagUnique) || !w.has(flagUnique) || v.word[1] != w.word[1] || v.word[2] != w.word[2] || v.word[3] != w.word[3] {
		return 0
	}
	return cmp.Compare(v.word[0]&flagMade, w.word[0]&flagMade)
}

// witnesses applies the rule of the three witnesses. slack is in milliseconds.
func (v Version) witnesses(w Version, position int, slack int64) int {
	apart := v.millis() - w.millis()
	time := cmp.Compare(apart, 0)
	switch {
	case v.has(flagRead) && w.has(flagFirst), v.has(flagFirst) && w.has(flagRead): // neither position nor time can tell
		switch seen := v.clock(w); {
		case seen != 0:
			return seen
		case -slackStart < apart && apart < slackStart:
			return cmp.Compare(v.word[0]&flagFirst, w.word[0]&flagFirst)
		}
		return time
	case position*time < 0:
		switch seen := v.clock(w); {
		case seen != 0:
			return seen
		case apart < -slack || apart > slack:
			return time
		}
		return position
	case position != 0:
		return position
	}
	return cmp.Or(time, v.half(w), v.clock(w))
}

// Repeats reports whether v and w are of the same change, delivered again: the
// same position and the same commit time, where the source's positions are
// unique among the changes of a row. It is never true where that is not known.
func (v Version) Repeats(w Version) bool {
	return v.has(flagUnique) && (v.word[0]^w.word[0])&^seenMask == 0 &&
		v.word[1] == w.word[1] && v.word[2] == w.word[2] && v.word[3] == w.word[3]
}

// Place returns v without what differs between deliveries of one change: the
// place of the change in the source's log, as a version that serves as a map key.
// The delete and the create of a changed key share one place; no other changes of
// a row do, and repeats have it again. It reports false where places are not
// unique among the changes of a row, or not known.
func (v Version) Place() (Version, bool) {
	if !v.has(flagUnique) {
		return Version{}, false
	}
	v.word[0] &^= seenMask | flagMade
	return v, true
}

// String returns the version for a reader's eye; it holds positions and times,
// no row data. The form may change.
func (v Version) String() string {
	at := v.Time().Format(time.RFC3339Nano)
	kind := ""
	if v.has(flagRead) {
		kind = " read"
	}
	if v.has(flagFirst) {
		kind = " first"
	}
	switch v.scheme() {
	case schemeNone:
		return "none"
	case schemeTime:
		return at
	case schemePostgres:
		return fmt.Sprintf("%s lsn %X/%X after %X/%X%s", at, v.word[3]>>32, uint32(v.word[3]), v.word[2]>>32, uint32(v.word[2]), kind)
	case schemeBinlog:
		p := v.binlog()
		return fmt.Sprintf("%s file %d pos %d row %d gtid %d%s", at, p.file, p.pos, p.row, p.gtid, kind)
	}
	return fmt.Sprintf("%s at %d,%d", at, v.word[2], v.word[3])
}

// AppendBinary appends the version's 32 bytes to b. It implements
// [encoding.BinaryAppender] and never fails.
func (v Version) AppendBinary(b []byte) ([]byte, error) {
	for _, w := range v.word {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b, nil
}

// MarshalBinary returns the version's 32 bytes. It implements
// [encoding.BinaryMarshaler] and never fails.
func (v Version) MarshalBinary() ([]byte, error) { return v.AppendBinary(make([]byte, 0, 32)) }

var errVersion = errors.New("envelope: not the bytes of a version")

// UnmarshalBinary sets v to the version that AppendBinary wrote. It implements
// [encoding.BinaryUnmarshaler] and does not keep b. Bytes that AppendBinary
// cannot have written are an error and leave v as it was.
func (v *Version) UnmarshalBinary(b []byte) error {
	if len(b) != 32 {
		return errVersion
	}
	var w Version
	for i := range w.word {
		w.word[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	known := uint64(15<<schemeShift | flags | seenMask)
	if w.scheme() >= schemes || w.word[0]&^known != 0 || w.scheme() == schemeNone && !w.IsZero() {
		return errVersion
	}
	*v = w
	return nil
}

// timeLed returns v with the exact commit time before the position.
func (v Version) timeLed(ns int64) Version {
	flags := v.word[0] & flags
	seen := int64(v.seen()) * 1000
	switch v.scheme() {
	case schemePostgres, schemeOrdered:
		return makeVersion(schemeTimeLed, flags, ns, seen, v.word[2], v.word[3])
	case schemeBinlog:
		return v.binlog().timeLed(flags, ns, seen)
	}
	return v
}
