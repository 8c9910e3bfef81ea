package truth_test

import (
	"slices"
	"strings"
)

// pg names variants of PostgreSQL's edge values.
func pg(names string) (variants []string) {
	for name := range strings.FieldsSeq(names) {
		variants = append(variants, "postgres/types-"+name)
	}
	return variants
}

func toast(names string) (variants []string) {
	for name := range strings.FieldsSeq(names) {
		variants = append(variants, "postgres/toast-"+name)
	}
	return variants
}

var (
	ofPrecise = pg("precise precise-bare isostring microseconds nanoseconds 2.7.3")
	ofOld     = pg("2.7.3 1.9.7")
	ofEdges   = slices.Concat(ofPrecise, pg("string double 1.9.7"))
	ofKnown   = slices.Concat(pg("precise precise-bare microseconds nanoseconds string double"), ofOld) // without include.unknown.datatypes
	ofDefault = toast("bytes bytes-bare base64 base64url hex 2.7.3")                                    // the placeholder is Debezium's own
	ofToast   = slices.Concat(ofDefault, toast("placeholder-text placeholder-hex"))
)

// PostgreSQL's; those of MySQL and MariaDB are in alterations below.
var alterationsOfPostgres = []alteration{
	// What is not in the records.
	{ofKnown, "t_doc.tq t_doc.jp", []string{"*21 missing"}, "the connector leaves out types that it does not know"},
	{ofKnown, "t_range.mr", []string{"*13 missing"}, "the same"},
	{ofKnown, "t_geom.li t_geom.ls t_geom.bx t_geom.pa t_geom.po t_geom.ci", []string{"*9 missing"}, "the same"},
	{ofKnown, "t_domain.co t_domain.ca", []string{"*5 missing"}, "the same"},
	{ofToast, "lean.po whole.po", []string{"*3 missing"}, "the same"},
	{ofEdges, "t_array.am t_array.aiv", []string{"*7 missing"}, "arrays of money and of intervals are left out even with include.unknown.datatypes"},
	{ofOld, "t_doc.tv", []string{"*21 missing"}, "tsvector came with 3.3"},
	{toast("2.7.3"), "lean.tv whole.tv", []string{"*3 missing"}, "the same"},
	{pg("1.9.7"), "t_array.aby", []string{"*7 missing"}, "bytea[] came later"},
	{ofEdges, "t_notnull.gen", []string{"*3 missing"}, "generated columns are in no streamed record, and all rows were streamed"},

	// What is null in the records.
	{ofKnown, "t_text.nm", []string{"*29 null"}, "name columns are null in every streamed record"},
	{pg("1.9.7"), "t_doc.l", []string{"1003 null", "1004 null", "1005 null", "1006 null", "1007 null", "1008 null", "1009 null", "1010 null", "1999 null", "5000 null"},
		"ltree is null in streamed records of 1.9.7"},
	{ofPrecise, "t_numeric_special.n", []string{"1 null", "2 null", "3 null", "1003 null", "5000 null"}, "an unscaled integer cannot be infinite, nor NaN"},
	{ofPrecise, "t_numeric_special.n10_2", []string{"1 null", "4 null", "1004 null", "1999 null"}, "the same"},
	{ofEdges, "t_enum.ea", []string{"4 null", "5 null", "1004 null", "1005 null"}, "an enum array with a NULL in it is null as a whole"},
	{pg("isostring"), "t_domain.ca", []string{"1 null", "2 null", "1999 null", "5000 null"}, "arrays of composites are null"},
	{pg("nanoseconds"), "t_timestamp.ts", []string{"4 null", "5 null", "6 null", "7 null", "8 null", "9 null", "10 null", "12 null",
		"1004 null", "1005 null", "1006 null", "1007 null", "1008 null", "1009 null", "1010 null", "1012 null"}, "not in an int64 of nanoseconds"},
	{pg("nanoseconds"), "t_timestamp.ts0 t_timestamp.ts3", []string{"4 null", "5 null", "9 null", "13 null", "1004 null", "1005 null", "1009 null", "1013 null"}, "the same"},
	{pg("nanoseconds"), "t_timestamp_far.ts t_timestamp_far.ts3", []string{"3 null", "4 null", "5 null", "1003 null", "1004 null", "1005 null", "1999 null"}, "the same"},
	{ofToast, "lean.i2a lean.tsa lean.na lean.fa lean.boa lean.nu lean.bi lean.ge", []string{"60 null"}, "the placeholder has no form for the type: null is the sign"},
	{toast("base64 base64url"), "lean.by lean.ba", []string{"60 null"}, "the same"},
	{toast("hex"), "lean.ba", []string{"60 null"}, "the same"},

	// What looks like the placeholder.
	{ofEdges, "t_text.t t_text.v", []string{"26 unavailable", "1026 unavailable"}, "the text is that of the placeholder"},
	{ofEdges, "t_bytea.b", []string{"7 unavailable", "1007 unavailable"}, "the same"},
	{ofEdges, "t_array.at", []string{"3 unavailable", "1003 unavailable", "1999 =[]"}, "the same; row 1999 had another value before, which stays"},
	{ofEdges, "t_hstore.h", []string{"4 unavailable", "1004 unavailable", `1999 ={"":"","key, \"q\"":"v=>x","é":"🙂"}`}, "the same"},
	{ofDefault, "lean.txt whole.txt", []string{"3 =small"}, "the same"},

	// What is there in place of something else.
	{pg("string"), "t_numeric_special.n", []string{"1 =NAN", "2 =POSITIVE_INFINITY", "3 =NEGATIVE_INFINITY", "1003 =NEGATIVE_INFINITY", "5000 =POSITIVE_INFINITY"},
		"names of Java's, and nothing says that the column is a number"},
	{pg("string"), "t_numeric_special.n10_2", []string{"1 =NAN", "4 =NAN", "1004 =NAN", "1999 =NAN"}, "the same"},
	{pg("double"), "t_numeric.n", []string{"10 =Infinity", "11 =-Infinity", "1010 =Infinity", "1011 =-Infinity"}, "beyond a double"},
	{ofOld, "t_money.m", []string{"5 =92233720368547760.00", "6 =-92233720368547760.00"}, "money passes through a double"},
	{pg("1.9.7"), "t_money.m", []string{"1005 =92233720368547760.00", "1006 =-92233720368547760.00"}, "the same"},
	{ofEdges, "t_date.d", []string{"5 =1582-10-15", "8 =0001-12-31", "9 =4713-01-01", "10 =4714-11-24"}, "a snapshot loses the era, and days of the Julian calendar"},
	{ofOld, "t_timestamp.ts", []string{"4 =0000-12-30T00:00:00", "5 =0000-12-29T23:59:59", "6 =-4713-11-24T00:00:00", "8 =1582-10-14T12:00:00", "9 =1582-10-20T12:00:00"},
		"the Julian calendar in snapshots"},
	{ofOld, "t_timestamp.ts3", []string{"4 =0000-12-30T00:00:00", "5 =0000-12-30T00:00:00", "9 =0000-12-30T00:00:00", "13 =0000-12-30T00:00:00"}, "the same"},
	{ofOld, "t_timestamp.tz", []string{"4 =0000-12-30T00:00:00Z", "5 =0000-12-29T23:59:59Z", "6 =-4713-11-24T00:00:00Z", "11 =1582-10-14T12:00:00Z",
		"13 =0000-12-30T00:00:00Z", "14 =1582-10-14T12:00:00Z"}, "the same"},
	{ofOld, "t_timestamp_far.ts", []string{"4 =-4713-10-17T00:00:00"}, "the same"},
	{ofOld, "t_timestamp_far.tz", []string{"4 =-4713-10-17T00:00:00Z"}, "the same"},
	{slices.Concat(pg("precise precise-bare string microseconds"), ofOld), "t_timestamp_far.ts", []string{"3 =-290308-12-21T19:59:06.22419", "1003 =-290308-12-21T19:59:06.22419"},
		"not in an int64 of microseconds: it overflows"},
	{pg("microseconds"), "t_timestamp_far.ts3", []string{"3 =-290308-12-21T19:59:06.223191", "1003 =-290308-12-21T19:59:06.223191"}, "the same"},
	{pg("isostring"), "t_time.t", []string{"2 =00:00:00", "5000 =00:00:00"}, "24:00:00 is 00:00:00Z in ISO 8601"},
	{pg("isostring"), "t_time.t0 t_time.t6", []string{"2 =00:00:00", "7 =00:00:00", "1007 =00:00:00", "1999 =00:00:00", "5000 =00:00:00"}, "the same"},
	{slices.Concat(ofPrecise, pg("string 1.9.7")), "t_array.atm", []string{`1 =["12:34:56.789","00:00:00"]`, `2 =["12:34:56.789","00:00:00"]`, `3 =["12:34:56.789","00:00:00"]`,
		`1003 =["12:34:56.789","00:00:00"]`, `1999 =["12:34:56.789","00:00:00"]`, `5000 =["12:34:56.789","00:00:00"]`}, "microseconds are cut off in time[]"},
	{ofEdges, "t_array_md.m4", []string{"1 =[null,null]", "3 =[5,6]", "1003 =[5,6]", "1999 =[5,6]"}, "one dimension, from 1 on, is all that a list has"},
	{ofEdges, "t_array_md.mt", []string{`1 ~=\["\[Ljava\.lang\.String;@[0-9a-f]+","\[Ljava\.lang\.String;@[0-9a-f]+"\]`}, "names of Java's objects"},
	{ofEdges, "t_notnull.opt", []string{"1002 =7"}, "a NULL becomes the column's default (replace.null.with.default)"},
	{ofEdges, "t_notnull.optt", []string{"1002 =seven"}, "the same"},
	{pg("random"), "specimens.iv", []string{"34 =PT-37783H-18M-22.184796S", "62 =PT-9604H-39M-8.677314S", "224 =PT-297H-59M-4.664463S", "236 =PT305198H47M26.905958S",
		"261 =PT150784H59M28.48359S", "270 =PT-152570H-24M-49.873183S"}, "the connector adds the parts up as doubles: the last microsecond is cut off"},
}
