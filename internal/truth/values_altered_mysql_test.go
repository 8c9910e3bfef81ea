package truth_test

import (
	"slices"
	"strings"
)

// my names variants of MySQL's and MariaDB's edge values, each with its database.
func my(names string) (variants []string) {
	for name := range strings.FieldsSeq(names) {
		db, name, _ := strings.Cut(name, "/")
		variants = append(variants, db+"/types-"+name)
	}
	return variants
}

var (
	ofLong    = my("mysql/default mysql/default-bare mariadb/default mariadb/default-bare mariadb/zone mariadb/iso") // bigint.unsigned.handling.mode
	ofStrings = my("mysql/string mariadb/string")
	ofBinlog  = slices.Concat(ofLong, ofStrings)
	ofSigned  = my("mysql/default mariadb/default mariadb/iso") // nobody says that columns are unsigned
	outOfDay  = slices.Concat(ofStrings, my("mariadb/iso"))     // a time of day is all that their settings have room for
)

// Rows up to 100 are from the snapshot.
var alterations = append(alterationsOfPostgres, []alteration{
	{ofSigned, "ints.bu", []string{"2 =-1", "3 =-9223372036854775808", "103 =-9223372036854775808", "202 =-1"}, "BIGINT UNSIGNED from 2^63 on is negative in an int64"},
	{ofSigned, "gens.d12", []string{"2 =-1", "101 =-1", "202 =-1"}, "the same"},
	{ofBinlog, "nums.f", []string{"2 =3.40282e+38", "3 =-3.40282e+38", "6 =1.67772e+07"}, "a snapshot has six digits of a FLOAT"},
	{ofBinlog, "nums.fu", []string{"2 =3.40282e+38", "5 =1.17549e-38", "6 =1.67772e+07"}, "the same"},
	{ofBinlog, "nums.d102", []string{"5 =-0.01"}, "and two decimals of a DOUBLE(10,2)"},
	{ofBinlog, "times.d", []string{"4 =2001-01-01", "104 =2001-01-01"}, "years below 100 are moved (enable.time.adjuster)"},
	{ofBinlog, "times.dt0 times.dt1 times.dt2 times.dt3 times.dt4 times.dt5", []string{"4 =2001-01-01T00:00:00", "104 =2001-01-01T00:00:00"}, "the same"},
	{ofLong, "times.dt6", []string{"4 =2001-01-01T00:00:00.000001", "104 =2001-01-01T00:00:00.000001"}, "the same"},
	{ofStrings, "times.dt6", []string{"4 =2001-01-01T00:00:00", "104 =2001-01-01T00:00:00"}, "the same, and in milliseconds"},
	{ofBinlog, "times.dt0 times.dt1 times.dt2 times.dt3 times.dt4", []string{"5 =1582-10-20T10:10:10"}, "the Julian calendar in snapshots"},
	{ofLong, "times.dt5 times.dt6", []string{"5 =1582-10-20T10:10:10.00001"}, "the same"},
	{ofStrings, "times.dt5 times.dt6", []string{"5 =1582-10-20T10:10:10"}, "the same, and in milliseconds"},
	{ofBinlog, "times.y", []string{"103 =1900", "104 =1900"}, "the year 0000 is 1900 in the stream"},
	{outOfDay, "times.t0", []string{"2 null", "3 null", "6 null", "103 null", "106 null", "202 null"}, "no time of day"},
	{outOfDay, "times.t1 times.t2 times.t3 times.t4 times.t5", []string{"2 null", "3 null", "4 null", "6 null", "103 null", "104 null", "106 null", "202 null"}, "the same"},
	{outOfDay, "times.t6", []string{"2 null", "3 null", "4 null", "5 null", "6 null", "103 null", "104 null", "105 null", "106 null", "202 null"}, "the same"},
	{my("mariadb/iso"), "times.t0 times.t1 times.t2 times.t3 times.t4 times.t5", []string{"5 =00:00:00", "105 =00:00:00"}, "24:00:00 is 00:00:00Z in ISO 8601"},
	{ofBinlog, "zeros.d", []string{"2 null", "202 null"}, "zero dates are null"},
	{ofBinlog, "zeros.dt zeros.dt6", []string{"2 null", "101 null", "202 null"}, "the same"},
	{ofBinlog, "zeros.dn", []string{"2 =1970-01-01", "101 =1970-01-01", "202 =1970-01-01"}, "and 1970 in columns that are NOT NULL"},
	{ofBinlog, "zeros.dtn zeros.dt6n", []string{"2 =1970-01-01T00:00:00", "101 =1970-01-01T00:00:00", "202 =1970-01-01T00:00:00"}, "the same"},
	{ofBinlog, "zeros.ts zeros.tsn zeros.ts6n", []string{"101 =1970-01-01T00:00:00Z"}, "TIMESTAMP zero is 1970 in the stream, NOT NULL or not"},
	{my("mariadb/zone"), "times.ts0 times.ts1 times.ts2 times.ts3 times.ts4 times.ts5 times.ts6", []string{"101 =1970-01-01T00:00:00Z"},
		"the same: in the server's zone 1970-01-01 00:00:01 is before all that a TIMESTAMP can be"},
	{my("mariadb/zone"), "gens.d7", []string{"103 =1970-01-01T00:00:00Z"}, "the same"},
	{ofBinlog, "bins.mb", []string{"4 unavailable", "104 unavailable"}, "the bytes are those of the placeholder"},
	{ofBinlog, "gens.d14", []string{"2 =7", "3 =7", "103 =7", "202 =7"}, "a NULL becomes the column's default (replace.null.with.default)"},
	{ofBinlog, "gens.d17", []string{"2 =xyz", "202 =xyz"}, "the same"},
	{my("mariadb/zone"), "gens.d7", []string{"3 =2020-02-01T20:32:02.222222Z"}, "the same: null in the snapshot, and a NULL becomes the column's default"},
}...)
