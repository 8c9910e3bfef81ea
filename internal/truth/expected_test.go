package truth_test

// What each rule leaves wrong in delivered order, as (missing, extra,
// different): rows that the database has and the stream does not end with, rows
// that only the stream ends with, rows that show other values. The numbers are
// those of the reference implementation of the order rule, a program of its own
// in another language; those of byTime, which it does not have, are tsNS's but
// where a comment says why not.
type expectation struct {
	rule   wrong // Version.Compare
	byTime wrong // the same, of a decoder with Order: ByTime
	blind  wrong // the same as rule, of records without the envelope's own times
	tsNS   wrong // source.ts_ns, ties by arrival
	lsn    wrong // source.lsn, PostgreSQL alone
}

// all is what no rule can mend, or what is no matter of order.
func all(missing, extra, different int) expectation {
	w := wrong{missing, extra, different}
	return expectation{w, w, w, w, w}
}

var expected = map[string]expectation{
	// Nothing goes wrong by any rule, in delivered order.
	"mariadb/concurrent":              {},
	"mariadb/crash-restart":           {},
	"mariadb/gtid-domains":            {},
	"mariadb/orders":                  {},
	"mysql/concurrent":                {},
	"mysql/crash-restart":             {},
	"mysql/orders":                    {},
	"mysql/resnapshot":                {},
	"postgres/aurora-orders":          {},
	"postgres/incremental-snapshot":   {},
	"postgres/old-1.9.7":              {},
	"postgres/toast-2.7.3":            {},
	"postgres/toast-base64":           {},
	"postgres/toast-base64url":        {},
	"postgres/toast-bytes":            {},
	"postgres/toast-bytes-bare":       {},
	"postgres/toast-hex":              {},
	"postgres/toast-placeholder-hex":  {},
	"postgres/toast-placeholder-text": {},
	"postgres/types-random":           {},
	"postgres/types-random-string":    {},

	// lsn: a deferrable key passes from one transaction to another without a
	// lock, to rows logged earlier and committed later.
	"postgres/concurrent":          {lsn: wrong{12, 0, 0}},
	"postgres/concurrent-2.7.3":    {lsn: wrong{10, 0, 0}},
	"postgres/crash-restart":       {lsn: wrong{13, 0, 0}},
	"postgres/crash-restart-2.7.3": {lsn: wrong{11, 0, 0}},
	"postgres/crash-restart-far":   {lsn: wrong{11, 0, 0}},

	// ts_ns: the clock stepped back.
	"postgres/clock-back": {byTime: wrong{32, 40, 134}, tsNS: wrong{32, 40, 134}},

	// ts_ns: a snapshot read carries a time after the moment that it shows.
	// lsn: what began before the snapshot and committed after it was logged below it.
	"postgres/snapshot-straddle":       {byTime: wrong{0, 4, 20}, tsNS: wrong{0, 4, 20}, lsn: wrong{0, 0, 16}},
	"postgres/snapshot-straddle-2.7.3": {byTime: wrong{0, 0, 6}, tsNS: wrong{0, 0, 6}, lsn: wrong{0, 0, 16}},

	// ts_ns: an incremental read's milliseconds, by the connector's clock, are
	// above the whole second of a later change.
	"mariadb/incremental-snapshot":          {byTime: wrong{0, 6, 16}, tsNS: wrong{0, 6, 16}},
	"mariadb/incremental-snapshot-readonly": {byTime: wrong{0, 9, 18}, tsNS: wrong{0, 9, 18}},
	"mysql/incremental-snapshot":            {byTime: wrong{0, 6, 15}, tsNS: wrong{0, 6, 15}},

	// Rows deleted while nobody streamed leave no record; ts_ns as above.
	"mariadb/resnapshot":        all(0, 1, 0),
	"postgres/crash-resnapshot": {wrong{0, 7, 0}, wrong{0, 7, 0}, wrong{0, 7, 0}, wrong{0, 7, 0}, wrong{11, 7, 0}},
	"postgres/resnapshot":       {wrong{0, 12, 0}, wrong{0, 15, 4}, wrong{0, 12, 0}, wrong{0, 15, 4}, wrong{0, 12, 0}},

	// Extra: rows that exist only through changes which a failover or a restore
	// lost, or were deleted before the new server's stream began. blind and lsn:
	// the lost changes' positions are above those of the new log.
	"mariadb/failover-snapshot": {wrong{0, 36, 0}, wrong{0, 36, 0}, wrong{3, 41, 26}, wrong{0, 36, 0}, wrong{}},
	"mariadb/reset-master":      {wrong{0, 13, 0}, wrong{0, 13, 0}, wrong{20, 70, 169}, wrong{0, 13, 0}, wrong{}},
	"mysql/failover-snapshot":   {wrong{0, 38, 0}, wrong{0, 38, 0}, wrong{3, 45, 30}, wrong{0, 38, 0}, wrong{}},
	"mysql/reset-master":        {wrong{0, 21, 0}, wrong{0, 21, 0}, wrong{16, 70, 165}, wrong{0, 21, 0}, wrong{}},
	"postgres/promoted":         {wrong{0, 35, 0}, wrong{0, 35, 0}, wrong{7, 38, 32}, wrong{0, 35, 0}, wrong{7, 38, 32}},
	"postgres/promoted-later":   {wrong{0, 36, 0}, wrong{0, 38, 3}, wrong{0, 36, 0}, wrong{0, 38, 3}, wrong{5, 36, 8}},
	"postgres/restored":         {wrong{0, 18, 0}, wrong{0, 20, 1}, wrong{0, 18, 0}, wrong{0, 20, 1}, wrong{21, 47, 106}},

	// Nothing was lost; one server_id has two logs, the old server's and what the
	// replica tells of it.
	"mariadb/failover": {blind: wrong{0, 10, 27}},
	"mysql/failover":   {blind: wrong{0, 13, 28}},

	// Keys shifted under a deferrable constraint in one transaction: the last
	// record of a living row is the delete of its key's former owner.
	"postgres/pk-moves":       all(5, 0, 0),
	"postgres/pk-moves-2.7.3": all(5, 0, 0),

	// Not a matter of order: of four rows the key's text differs between record
	// and database (decimal, binary, date).
	"mariadb/odd-names": all(4, 4, 0),
	"mysql/odd-names":   all(4, 4, 0),
	// The same of one row with a date, and the table beat is not in the truth.
	"postgres/heartbeat-table": all(1, 2, 0),
	// The same of one row with a date; extra also eight rows that a truncate
	// removed, which names no key, and four under keys that the connector invented
	// (replica identity USING INDEX, message.key.columns).
	"postgres/other":         all(1, 13, 0),
	"postgres/other-2.7.3":   all(1, 13, 0),
	"postgres/other-schemas": all(1, 13, 0),
	// A table changes its key and then its name in the stream: four rows missing,
	// seven extra. Two were truncated.
	"mariadb/records-other": all(4, 9, 0),
	"mysql/records-other":   all(4, 9, 0),

	// Values that the record spells in another way: v as bytes (base64, hex),
	// bigint unsigned wrapped negative, digits of ZEROFILL, year 0000 as 1900.
	"mariadb/types-default":      all(0, 0, 16),
	"mariadb/types-default-bare": all(0, 0, 16),
	"mariadb/types-iso":          all(0, 0, 14),
	"mariadb/types-string":       all(0, 0, 11),
	"mariadb/types-zone":         all(0, 0, 16),
	"mysql/types-default":        all(0, 0, 16),
	"mysql/types-default-bare":   all(0, 0, 16),
	"mysql/types-string":         all(0, 0, 11),
	// v of the table t_bit: bytes against binary digits.
	"postgres/types-1.9.7":        all(0, 0, 11),
	"postgres/types-2.7.3":        all(0, 0, 11),
	"postgres/types-double":       all(0, 0, 11),
	"postgres/types-isostring":    all(0, 0, 11),
	"postgres/types-microseconds": all(0, 0, 11),
	"postgres/types-nanoseconds":  all(0, 0, 11),
	"postgres/types-precise":      all(0, 0, 11),
	"postgres/types-precise-bare": all(0, 0, 11),
	"postgres/types-string":       all(0, 0, 11),
}

// Without the connector's clock the rule contradicts the delivered order of
// these: a log started over, or time and position disagree.
var blindContradicts = map[string]bool{
	"mariadb/failover":          true,
	"mariadb/failover-snapshot": true,
	"mariadb/records-other":     true, // a session set its time, by more than an hour
	"mariadb/reset-master":      true,
	"mysql/failover":            true,
	"mysql/failover-snapshot":   true,
	"mysql/records-other":       true,
	"mysql/reset-master":        true,
	"mysql/resnapshot":          true, // the second snapshot carries the position at which the first run stopped
	"postgres/promoted":         true,
}

// Without the connector's clock changes of one row form circles there, so that
// what is left depends on the order of arrival.
var blindCircles = map[string]bool{
	"mariadb/failover":          true,
	"mariadb/failover-snapshot": true,
	"mariadb/reset-master":      true,
	"mysql/failover":            true,
	"mysql/failover-snapshot":   true,
	"mysql/reset-master":        true,
}
