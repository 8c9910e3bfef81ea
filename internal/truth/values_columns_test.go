package truth_test

import "strings"

// databaseColumns are the columns of the tables of types-* and toast-* as their
// statements declare them, domains resolved: what the truth's text is the text of.
// What the library takes a column for is judged by it.
var databaseColumns = map[string]string{
	"public.t_int":   "id int; b boolean; i2 smallint; i4 integer; i8 bigint; o oid",
	"public.t_float": "id int; r real; d double precision",
	"public.t_numeric": "id int; n numeric; n10_2 numeric(10,2); n38_10 numeric(38,10); n5_0 numeric(5,0); n5_m2 numeric(5,-2); " +
		"n3_5 numeric(3,5); d19_0 decimal(19,0)",
	"public.t_numeric_special": "id int; n numeric; n10_2 numeric(10,2)",
	"public.t_money":           "id int; m money",
	"public.t_text":            "id int; t text; v varchar(40); c char(5); c1 internal char; nm name; ci citext",
	"public.t_bytea":           "id int; b bytea",
	"public.t_bit":             "id int; b1 bit(1); b3 bit(3); b8 bit(8); b64 bit(64); b100 bit(100); v bit varying; v10 bit varying(10)",
	"public.t_date":            "id int; d date",
	"public.t_time":            "id int; t time; t0 time(0); t3 time(3); t6 time(6); tz timetz; tz3 timetz(3)",
	"public.t_timestamp": "id int; ts timestamp; ts0 timestamp(0); ts3 timestamp(3); ts6 timestamp(6); tz timestamptz; tz0 timestamptz(0); " +
		"tz3 timestamptz(3)",
	"public.t_timestamp_far": "id int; ts timestamp; ts3 timestamp(3); tz timestamptz",
	"public.t_interval":      "id int; i interval; ym interval year to month; i3 interval(3)",
	"public.t_doc":           "id int; u uuid; j json; jb jsonb; x xml; l ltree; tv tsvector; tq tsquery; jp jsonpath",
	"public.t_net":           "id int; i inet; c cidr; m macaddr; m8 macaddr8",
	"public.t_range":         "id int; i4 int4range; i8 int8range; n numrange; ts tsrange; tz tstzrange; d daterange; mr int4multirange",
	"public.t_enum":          "id int; e enum; ea enum[]",
	"public.t_array": "id int; a2 smallint[]; a4 int[]; a8 bigint[]; at text[]; av varchar(10)[]; ac char(3)[]; an numeric[]; " +
		"an2 numeric(10,2)[]; ad date[]; ats timestamp[]; atz timestamptz[]; atm time[]; ab boolean[]; ar real[]; " +
		"af double precision[]; au uuid[]; aby bytea[]; aj json[]; ajb jsonb[]; ai inet[]; ao oid[]; arg int4range[]; " +
		"aci citext[]; am money[]; aiv interval[]",
	"public.t_array_md": "id int; m4 int[][]; mt text[][]",
	"public.t_hstore":   "id int; h hstore",
	"public.t_geom": "id int; p point; g geometry; gp geometry(Point,4326); gg geography; li line; ls lseg; bx box; pa path; " +
		"po polygon; ci circle",
	"public.t_domain": "id int; di int; dt varchar(5); dn numeric(10,2); dd numeric(10,2); dts timestamp(3); co composite; " +
		"ca composite[]",
	"public.t_notnull": "id int; i int; t text; n numeric(10,2); nn numeric; b boolean; d date; ts timestamp; tz timestamptz; tm time; " +
		"iv interval; u uuid; j jsonb; by bytea; f double precision; a int[]; h hstore; p point; opt int; optt text; " +
		"gen int",
	"public.specimens": "specimen_no bigint; b boolean; i2 smallint; i4 int; i8 bigint; r real; d double precision; n numeric; " +
		"n12_3 numeric(12,3); n38_0 numeric(38,0); m money; t text; c char(8); by bytea; bi bit(12); bv bit varying(40); " +
		"da date; ti time; ti3 time(3); tt timetz; ts timestamp; ts3 timestamp(3); tz timestamptz; iv interval; u uuid; " +
		"j json; jb jsonb; ip inet; nr numrange; e enum; ai int[]; at text[]; an numeric(10,2)[]; ad date[]; h hstore; " +
		"p point; g geometry; l ltree",
	"public.lean": "id int; v int; txt text; vc varchar; ch char(3000); ci citext; js json; jb jsonb; xm xml; by bytea; ta text[]; " +
		"va varchar(9000)[]; ja jsonb[]; ba bytea[]; i2a smallint[]; ia int[]; la bigint[]; da date[]; tsa timestamp[]; " +
		"na numeric[]; fa float8[]; boa boolean[]; ua uuid[]; h hstore; nu numeric; bi bit varying; tv tsvector; " +
		"ge geometry; lt ltree; po polygon; must text",
	"public.whole": "id int; v int; txt text; vc varchar; ch char(3000); ci citext; js json; jb jsonb; xm xml; by bytea; ta text[]; " +
		"va varchar(9000)[]; ja jsonb[]; ba bytea[]; i2a smallint[]; ia int[]; la bigint[]; da date[]; tsa timestamp[]; " +
		"na numeric[]; fa float8[]; boa boolean[]; ua uuid[]; h hstore; nu numeric; bi bit varying; tv tsvector; " +
		"ge geometry; lt ltree; po polygon; must text",
	"types.ints": "id int; ti tinyint; tu tinyint unsigned; si smallint; su smallint unsigned; mi mediumint; " +
		"mu mediumint unsigned; i int; iu int unsigned; bi bigint; bu bigint unsigned; b1 tinyint(1); bo boolean; " +
		"b1u tinyint(1) unsigned; zf int(7) zerofill",
	"types.bits": "id int; b1 bit(1); b2 bit(2); b8 bit(8); b9 bit(9); b16 bit(16); b33 bit(33); b63 bit(63); b64 bit(64)",
	"types.nums": "id int; f float; fu float unsigned; f72 float(7,2); f53 float(53); d double; d102 double(10,2); n10 decimal; " +
		"n102 decimal(10,2); n102u decimal(10,2) unsigned; n65 decimal(65,0); n6530 decimal(65,30); n55 decimal(5,5); " +
		"n3838 decimal(38,38); nz decimal(8,3) zerofill",
	"types.times": "id int; d date; dt0 datetime(0); dt1 datetime(1); dt2 datetime(2); dt3 datetime(3); dt4 datetime(4); " +
		"dt5 datetime(5); dt6 datetime(6); ts0 timestamp(0); ts1 timestamp(1); ts2 timestamp(2); ts3 timestamp(3); " +
		"ts4 timestamp(4); ts5 timestamp(5); ts6 timestamp(6); t0 time(0); t1 time(1); t2 time(2); t3 time(3); " +
		"t4 time(4); t5 time(5); t6 time(6); y year",
	"types.zeros": "id int; d date; dn date; dt datetime; dtn datetime; dt6 datetime(6); dt6n datetime(6); ts timestamp; " +
		"tsn timestamp; ts6n timestamp(6); y year; yn year; e enum; en enum; st set",
	"types.chars": "id int; c char(10); cl char(10); v varchar(200); vl varchar(200); vb varchar(50); v3 varchar(50); " +
		"u2 varchar(50); sj varchar(50); ce varchar(50); a varchar(20); vbin varchar(30); tt tinytext; t text; tl text; " +
		"mt mediumtext; lt longtext; l long varchar",
	"types.bins":  "id int; b binary(6); b1 binary(1); v varbinary(40); tb tinyblob; bl blob; mb mediumblob; lb longblob",
	"types.sets":  "id int; e enum; ec enum; s set; el enum",
	"types.jsons": "id int; j json; jn json",
	"types.geos": "id int; g geometry; p point; l linestring; pg polygon; mp multipoint; ml multilinestring; mpg multipolygon; " +
		"gc geometrycollection",
	"types.gens": "id int; a int; b varchar(20); v int; s varchar(40); d1 int; d2 varchar(10); d3 decimal(6,2); d4 bit(4); " +
		"d5 date; d6 datetime(3); d7 timestamp(6); d8 time(2); d9 year; d10 enum; d11 set; d12 bigint unsigned; " +
		"d13 double; d14 int; d15 boolean; d16 binary(3); d17 char(3); d18 bit(1)",
	"types.marias": "id int; u uuid; un uuid",
}

// columnsOfTable returns the types of a table's columns by name.
func columnsOfTable(table string) map[string]string {
	types := map[string]string{}
	for column := range strings.SplitSeq(databaseColumns[table], "; ") {
		name, sql, _ := strings.Cut(column, " ")
		types[name] = sql
	}
	return types
}
