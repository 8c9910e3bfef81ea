package iceberg

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/rowdelta/rowdelta/envelope"
)

// A Delta is what many changes do to one table: rows to write, and the keys of all rows
// that are touched, which are deleted first. It owns its memory. Once it is made it may
// be read by several goroutines at once.
type Delta struct {
	// ID is the same for the same changes of the same input, and no other delta has it. It
	// has no blanks.
	ID string

	Table  envelope.Table // in the source
	Schema *Schema        // of the destination; to be compared with what it has

	// From and To are the positions in the input before the first and behind the last of
	// the changes, as the Builder's caller calls them.
	From, To string

	// More says that other deltas of the table follow, with the same From and To: what is
	// before To is only in the table when the last of them is.
	More bool

	// Truncated says that all rows which the table has go, before anything else.
	Truncated bool

	// Keys are the keys of all rows that are touched, each once: only the columns of the
	// key have vectors. Rows are the rows as they are in the end. A row's key is among
	// Keys; the keys that have no row are those of deleted rows.
	Keys, Rows Rows

	// Shown, unless it is nil, is what a completed snapshot showed, and Rows with it: every
	// row that the table has and whose key Shown has not goes too. See Builder.Sweep.
	Shown *Shown

	// Gaps are the columns of Rows whose values the source did not send. They are null
	// in Rows, and must be read from the table as it was before the delta.
	Gaps []Gap
}

// A Gap is what is not known of a row.
type Gap struct {
	Row     int   // its number in Rows
	Columns []int // numbers of the schema's columns
	Key     int   // the number, in Keys, of the row that has them in the table; -1 if none is known to have them

	// Own says that the row of the gap's own key has them if the table has no row of Key:
	// what changes a key may come once more after a snapshot that shows it.
	Own bool
}

// Rows are rows, or keys, column by column.
type Rows struct {
	Len     int
	Columns []Vector // one for each of the schema's columns
}

// A Vector is the values of one column. Which of the slices has them follows from the
// column's type; the others are nil.
type Vector struct {
	Null     []bool
	Ints     []int64   // boolean (0, 1), int, long, date (days), time (µs), timestamps (µs, or ns for the types of nanoseconds)
	Floats   []float64 // float, double
	Decimals []Decimal // decimal
	Bytes    []byte    // string, uuid (16 bytes), fixed, binary: value i is Bytes[Ends[i]:Ends[i+1]]
	Ends     []int32
}

// A Decimal is an unscaled decimal of up to 38 digits in two's complement.
type Decimal struct {
	Hi int64
	Lo uint64
}

// Scaled returns the number that has so many digits behind the point: the scale of its
// column's type.
func (d Decimal) Scaled(scale int) envelope.Decimal {
	n := new(big.Int).SetInt64(d.Hi)
	n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(d.Lo))
	return envelope.NewDecimal(n, int32(scale))
}

// Value returns the i-th of the values of bytes.
func (v *Vector) Value(i int) []byte {
	start, end := v.Ends[i], v.Ends[i+1]
	return v.Bytes[start:end:end]
}

// identify returns the ID of a delta. number tells the deltas of one table and flush
// apart.
func identify(table envelope.Table, from, to string, number int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %d", table.DB, table.Schema, table.Name, from, to, number))
	return hex.EncodeToString(sum[:16])
}
