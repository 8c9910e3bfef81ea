package main

import (
	"bytes"
	"fmt"

	"github.com/rowdelta/rowdelta/envelope"
)

// facts are what every contender must get out of a record.
type facts struct {
	op            envelope.Op
	table         envelope.Table
	time          int64  // source.ts_ns
	tx            string // source.txId without quotes
	before, after []byte // byte for byte; nil if null
}

// differ compares what two contenders got out of a record and names the first difference.
func differ(a, b facts) error {
	switch {
	case a.op != b.op:
		return fmt.Errorf("op: %v and %v", a.op, b.op)
	case a.table != b.table:
		return fmt.Errorf("table: %v and %v", a.table, b.table)
	case a.time != b.time:
		return fmt.Errorf("source.ts_ns: %d and %d", a.time, b.time)
	case a.tx != b.tx:
		return fmt.Errorf("source.txId: %s and %s", a.tx, b.tx)
	case (a.before == nil) != (b.before == nil) || !bytes.Equal(a.before, b.before):
		return fmt.Errorf("before: %.60s and %.60s", a.before, b.before)
	case (a.after == nil) != (b.after == nil) || !bytes.Equal(a.after, b.after):
		return fmt.Errorf("after: %.60s and %.60s", a.after, b.after)
	}
	return nil
}
