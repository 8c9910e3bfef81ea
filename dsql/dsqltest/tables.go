package dsqltest

import (
	"math/rand/v2"

	"github.com/rowdelta/rowdelta/envelope"
)

// A column is one column of a table. Its functions return values as they are
// spelled in JSON.
type column struct {
	name     string
	value    func(*rand.Rand) []byte
	large    func(r *rand.Rand, size int) []byte // nil if its values are never large
	largeKey bool                                // large if Generator.LargeKeys says so, although it is of the key
	nullable bool
}

// schema returns the tables, without rows. Key columns are not always the first
// ones, nor in the order of the columns.
func schema() []*table {
	return []*table{
		{
			name: envelope.Table{Schema: "public", Name: "accounts"},
			key:  []int{0},
			columns: []column{
				{name: "id", value: bigint},
				{name: "owner", value: text, large: largeText, nullable: true},
				{name: "balance", value: numeric},
				{name: "active", value: boolean, nullable: true},
				{name: "class", value: char},
				{name: "code", value: bpchar, nullable: true},
				{name: "opened", value: date},
				{name: "seen", value: timestamp, nullable: true},
			},
		},
		{
			name: envelope.Table{Schema: "sales", Name: "order_lines"},
			key:  []int{2, 1},
			columns: []column{
				{name: "quantity", value: integer},
				{name: "line", value: smallint},
				{name: "order_id", value: uuid},
				{name: "price", value: numeric, nullable: true},
				{name: "weight", value: double, nullable: true},
				{name: "note", value: text, large: largeText, nullable: true},
				{name: "due", value: timestamp},
				{name: "lead", value: interval, nullable: true},
			},
		},
		{
			name: envelope.Table{Schema: "public", Name: "documents"},
			key:  []int{1},
			columns: []column{
				{name: "title", value: text, nullable: true},
				{name: "path", value: text, large: largeText, largeKey: true},
				{name: "body", value: json, large: largeJSON, nullable: true},
				{name: "digest", value: bytea},
				{name: "owner", value: oid, nullable: true},
				{name: "tags", value: oidvector},
			},
		},
		{
			// Names that a record must escape, and some that are members of the envelope.
			name: envelope.Table{Schema: "labor", Name: `Mess "Werte"`},
			key:  []int{0, 1},
			columns: []column{
				{name: `sensor "id"`, value: text},
				{name: "at", value: timestamp},
				{name: "größe\\mm\U0001F4CF", value: float, nullable: true},
				{name: "after", value: bytea, large: largeBytea, nullable: true},
				{name: "ts_ns", value: clock},
				{name: "op", value: clock, nullable: true},
				{name: "type", value: boolean},
			},
		},
		{
			name: envelope.Table{Schema: "public", Name: "events"},
			columns: []column{
				{name: "kind", value: text},
				{name: "payload", value: json, large: largeJSON, nullable: true},
				{name: "at", value: timestamp, nullable: true},
				{name: "n", value: bigint},
			},
		},
	}
}
