//go:build servers

package truth_test

import "slices"

// A lakeDifference is where a table and the database differ, and why. Each is listed and
// has to be found.
type lakeDifference struct {
	in    []string // variants
	cause string
	lines []string
}

var (
	ofOther    = []string{"postgres/other", "postgres/other-2.7.3", "postgres/other-schemas"}
	ofRecords  = []string{"mysql/records-other", "mariadb/records-other"}
	ofOddNames = []string{"mysql/odd-names", "mariadb/odd-names"}
)

var lakeDifferencesOf = []lakeDifference{
	{[]string{"postgres/pk-moves", "postgres/pk-moves-2.7.3"}, "keys shifted under a deferrable constraint: the last record of a living row is the delete of its key's former owner",
		[]string{"missing public.late: 13 15 16 17 20"}},

	{[]string{"postgres/unwrap-rewrite-schemas"}, "what the transform added is in the schema", []string{
		"columns beyond datalake.cdc_events: " + lakeMetadata,
		"columns beyond datalake.customers: " + lakeMetadata,
		"columns beyond datalake.order_details: " + lakeMetadata,
		"columns beyond datalake.orders: " + lakeMetadata,
	}},
	{[]string{"postgres/unwrap-northwind"}, "not captured", []string{
		"missing datalake.customers: 0 1 2",
		"missing datalake.order_details: 0 1 2 3 4",
		"missing datalake.orders: 0 1 2",
	}},
	{[]string{"postgres/unwrap-drop"}, "deletes leave no record", []string{
		"extra datalake.cdc_events: 1",
		"extra datalake.customers: ALFKI",
		"extra datalake.order_details: 11075,76",
		"extra datalake.orders: 10248",
	}},
	{[]string{"postgres/heartbeat-table"}, "of a table that the truth leaves out", []string{"extra public.beat: 1"}},
	{ofOddNames, "the year 1 is 2001 in a snapshot", []string{
		`extra odd db.keys: "q",-1.50,AAAA,2001-01-01`,
		`missing odd db.keys: "q",-1.50,AAAA,0001-01-01`,
	}},

	{ofOther, "no key, so no rows", []string{
		"missing public.nokey_default: 0",
		"no key in public.made_later: 1 changes",
		"no key in public.nokey_default: 1 changes",
		"no key in public.nokey_full: 6 changes",
	}},
	{[]string{"postgres/other-2.7.3"}, "2.7.3 does not know the key of a table whose name it misspells", []string{"no key in public.Odd Nￃﾤme: 3 changes"}},
	{ofOther, "deletes under a key that the connector invented", []string{
		"extra public.by_index: 2 10",
		"extra public.custom_key: 1,t 9,t",
	}},
	{ofOther, "generated columns are in no record", []string{
		"public.computed.twice of 1: <nil>",
		"public.computed.twice of 2: <nil>",
	}},
	{ofOther, "statements that change columns leave no record of the rows", []string{
		"columns beyond public.evolving: a_1 b c",
		"public.evolving.a of 2: <nil>",
		"public.evolving.a of 3: <nil>",
		"public.evolving.bee of 3: <nil>",
		"public.evolving.d of 2: <nil>",
		"public.evolving.d of 3: <nil>",
		"public.evolving.d of 4: <nil>",
		"public.evolving.d of 5: <nil>",
	}},
	{ofRecords, "no key, so no rows", []string{
		"missing misc.copied: 0 1 2",
		"missing misc.nopk: 0 1 2 3",
		"no key in misc.copied: 3 changes",
		"no key in misc.nopk: 8 changes",
	}},
	{ofRecords, "a table of the same name was dropped before", []string{"columns beyond misc.gone: a"}},
	// The column a got another type, and then became one of the key: rows from before have
	// it under its former name, so that no key would find them.
	{ofRecords, "a table gets another name: its rows stay under the former one", []string{
		"another key for misc.evolve: 2 deltas",
		"extra misc.evolve: 1 2 3 4 5",
		"missing misc.evolved: 7,3 21,2 42,4 18446744073709551615,5",
	}},

	{slices.Concat(pg("precise precise-bare string"), ofOld), "in the first second that an int64 of microseconds holds, which the type does not take",
		[]string{"public.t_timestamp_far.ts of 1003: <nil>", "public.t_timestamp_far.ts of 3: <nil>"}},
}

const lakeMetadata = "__deleted __lsn __op __source_sequence __source_snapshot __source_ts_ms __source_ts_ns __table __ts_ms __txid"

// lakeDifferences returns the lines that are listed for a variant, sorted.
func lakeDifferences(variant string) (lines []string) {
	for _, d := range lakeDifferencesOf {
		if slices.Contains(d.in, variant) {
			lines = append(lines, d.lines...)
		}
	}
	slices.Sort(lines)
	return lines
}
