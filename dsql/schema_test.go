package dsql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// The types of the user guide in all their spellings, and how their values are written
// in records.
var columnTypes = []struct {
	sql  string
	want envelope.Type
	json string // a value; empty for none
	text string // the same, in canonical form
}{
	{"smallint", envelope.Type{Name: "smallint", Kind: envelope.KindInt, Bits: 16}, `-32768`, "-32768"},
	{"int2", envelope.Type{Name: "smallint", Kind: envelope.KindInt, Bits: 16}, "", ""},
	{"integer", envelope.Type{Name: "integer", Kind: envelope.KindInt, Bits: 32}, "", ""},
	{"INT", envelope.Type{Name: "integer", Kind: envelope.KindInt, Bits: 32}, "", ""},
	{"int4", envelope.Type{Name: "integer", Kind: envelope.KindInt, Bits: 32}, "", ""},
	{"bigint", envelope.Type{Name: "bigint", Kind: envelope.KindInt, Bits: 64}, `9007199254740993`, "9007199254740993"},
	{"int8", envelope.Type{Name: "bigint", Kind: envelope.KindInt, Bits: 64}, "", ""},
	{"oid", envelope.Type{Name: "oid", Kind: envelope.KindUint, Bits: 32}, `4294967295`, "4294967295"},
	{"real", envelope.Type{Name: "real", Kind: envelope.KindFloat, Bits: 32}, `"NaN"`, "NaN"},
	{"float4", envelope.Type{Name: "real", Kind: envelope.KindFloat, Bits: 32}, "", ""},
	{"float(24)", envelope.Type{Name: "real", Kind: envelope.KindFloat, Bits: 32}, "", ""},
	{"float(25)", envelope.Type{Name: "double precision", Kind: envelope.KindFloat, Bits: 64}, "", ""},
	{"float", envelope.Type{Name: "double precision", Kind: envelope.KindFloat, Bits: 64}, "", ""},
	{"float8", envelope.Type{Name: "double precision", Kind: envelope.KindFloat, Bits: 64}, "", ""},
	{"double  precision", envelope.Type{Name: "double precision", Kind: envelope.KindFloat, Bits: 64}, `"-Infinity"`, "-Infinity"},
	{"numeric", envelope.Type{Name: "numeric", Kind: envelope.KindDecimal}, `"NaN"`, "NaN"},
	{"numeric(10, 2)", envelope.Type{Name: "numeric", Kind: envelope.KindDecimal, Precision: 10, Scale: 2}, `"149.50"`, "149.50"},
	{"decimal(10)", envelope.Type{Name: "numeric", Kind: envelope.KindDecimal, Precision: 10}, "", ""},
	{"dec(3,-2)", envelope.Type{Name: "numeric", Kind: envelope.KindDecimal, Precision: 3, Scale: -2}, "", ""},
	{"boolean", envelope.Type{Name: "boolean", Kind: envelope.KindBool}, `true`, "true"},
	{"bool", envelope.Type{Name: "boolean", Kind: envelope.KindBool}, "", ""},
	{"text", envelope.Type{Name: "text", Kind: envelope.KindText}, `"a\n"`, "a\n"},
	{"varchar", envelope.Type{Name: "character varying", Kind: envelope.KindText}, "", ""},
	{"VarChar(10)", envelope.Type{Name: "character varying", Kind: envelope.KindText, Length: 10}, "", ""},
	{"character varying(10)", envelope.Type{Name: "character varying", Kind: envelope.KindText, Length: 10}, "", ""},
	{"char varying (10)", envelope.Type{Name: "character varying", Kind: envelope.KindText, Length: 10}, "", ""},
	{"char(5)", envelope.Type{Name: "character", Kind: envelope.KindText, Length: 5}, `"ab"`, "ab"},
	{"character", envelope.Type{Name: "character", Kind: envelope.KindText, Length: 1}, "", ""},
	{"bpchar", envelope.Type{Name: "character", Kind: envelope.KindText}, "", ""},
	{`"char"`, envelope.Type{Name: `"char"`, Kind: envelope.KindText, Length: 1}, "", ""},
	{`pg_catalog."char"`, envelope.Type{Name: `"char"`, Kind: envelope.KindText, Length: 1}, "", ""},
	{"pg_catalog.int4", envelope.Type{Name: "integer", Kind: envelope.KindInt, Bits: 32}, "", ""},
	{"name", envelope.Type{Name: "name", Kind: envelope.KindText, Length: 63}, "", ""},
	{"bytea", envelope.Type{Name: "bytea", Kind: envelope.KindBytes}, `"AP8="`, "AP8="},
	{"date", envelope.Type{Name: "date", Kind: envelope.KindDate, Form: envelope.FormDays}, `19737`, "2024-01-15"},
	{"time", envelope.Type{Name: "time without time zone", Kind: envelope.KindTime, Form: envelope.FormMicros}, `41400000001`, "11:30:00.000001"},
	{"time(3) without time zone", envelope.Type{Name: "time without time zone", Kind: envelope.KindTime, Form: envelope.FormMicros, Precision: 3}, "", ""},
	{"timetz", envelope.Type{Name: "time with time zone", Kind: envelope.KindTimeTZ, Form: envelope.FormMicros}, `41400000000`, "11:30:00Z"},
	{"time with time zone", envelope.Type{Name: "time with time zone", Kind: envelope.KindTimeTZ, Form: envelope.FormMicros}, "", ""},
	{"timestamp", envelope.Type{Name: "timestamp without time zone", Kind: envelope.KindTimestamp, Form: envelope.FormMicros}, `1705318200000000`, "2024-01-15T11:30:00"},
	{"timestamp (6)", envelope.Type{Name: "timestamp without time zone", Kind: envelope.KindTimestamp, Form: envelope.FormMicros, Precision: 6}, `9223372036825200000`, "infinity"},
	{"timestamptz(0)", envelope.Type{Name: "timestamp with time zone", Kind: envelope.KindInstant, Form: envelope.FormMicros}, `-9223372036832400000`, "-infinity"},
	{"timestamp(3) with time zone", envelope.Type{Name: "timestamp with time zone", Kind: envelope.KindInstant, Form: envelope.FormMicros, Precision: 3}, `1705318200000000`, "2024-01-15T11:30:00Z"},
	{"interval", envelope.Type{Name: "interval", Kind: envelope.KindDuration, Form: envelope.FormMicros}, `5400000000`, "PT1H30M"},
	{"interval day to second(3)", envelope.Type{Name: "interval", Kind: envelope.KindDuration, Form: envelope.FormMicros, Precision: 3}, "", ""},
	{"interval year", envelope.Type{Name: "interval", Kind: envelope.KindDuration, Form: envelope.FormMicros}, "", ""},
	{"uuid", envelope.Type{Name: "uuid", Kind: envelope.KindUUID}, `"00000000-0000-0000-0000-000000000001"`, "00000000-0000-0000-0000-000000000001"},
	{"json", envelope.Type{Name: "json", Kind: envelope.KindJSON}, `"{\"a\": 1.0}"`, `{"a": 1.0}`},
	{"oidvector", envelope.Type{Name: "oidvector", Kind: envelope.KindList, Elem: &envelope.Type{Name: "oid", Kind: envelope.KindUint, Bits: 32}}, `[]`, "[]"},
}

func TestColumnType(t *testing.T) {
	for _, tt := range columnTypes {
		got, err := dsql.ColumnType(tt.sql)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", tt.sql, err, diff)
		}
		if tt.json == "" {
			continue
		}
		var r envelope.RowReader
		s := &envelope.Schema{Fields: []envelope.Field{{Name: "c", Type: got}}}
		if err := r.Read(s, envelope.Row(`{"c":`+tt.json+`}`)); err != nil || string(r.Datum(0).AppendText(nil)) != tt.text {
			t.Errorf("%s: %s is %s, %v", tt.sql, tt.json, r.Datum(0).AppendText(nil), err)
		}
	}
}

func TestColumnTypeErrors(t *testing.T) {
	for _, tt := range []struct {
		sql string
		at  int
	}{
		{"", 0}, {" ", 1}, {"jsonb", 0}, {"serial", 0}, {"money", 0}, {"inet", 0}, {"geometry", 0}, {"char2", 0}, {`"text"`, 0}, {"'text'", 0}, {"7", 0},
		{"text[]", 4}, {"int array", 4}, {"int not null", 4}, {"int(4)", 3}, {"double", 6}, {"varchar()", 8}, {"varchar(0)", 8}, {"varchar(10", 10},
		{"varchar(10485761)", 8}, {"varchar(x)", 8}, {"numeric(1001)", 8}, {"numeric(10,)", 11}, {"numeric(10,2,3)", 12}, {"float(54)", 6}, {"timestamp(7)", 10},
		{"timestamp with zone", 15}, {"timestamptz with time zone", 12}, {"time with time", 14}, {"public.text", 0}, {"pg_catalog.", 11},
		{"interval day to", 15}, {"text --x\n /* y", 10}, {`"char`, 0}, {"text;", 4}, {"char(1.5)", 5}, {strings.Repeat("x", 64), 0},
	} {
		got, err := dsql.ColumnType(tt.sql)
		e, ok := errors.AsType[*dsql.SchemaError](err)
		if !ok || e.Offset != tt.at || !strings.HasSuffix(err.Error(), fmt.Sprintf("(offset %d)", tt.at)) || cmp.Diff(envelope.Type{}, got) != "" {
			t.Errorf("%q: %v, %v", tt.sql, got, err)
		}
	}
}

// describe prints a schema, a column a word, with ? for those that may be null.
func describe(s *envelope.Schema) string {
	text := s.Name + ":"
	for i := range s.Fields {
		f := &s.Fields[i]
		text += " " + f.Name + "=" + f.Type.String()
		if f.Optional {
			text += "?"
		}
	}
	return text + fmt.Sprintf(" key%q", s.Key)
}

var tables = []struct{ sql, want string }{
	{"CREATE TABLE t (a int)", `t: a=int32? key[]`},
	{"create table if not exists public.t (a int primary key, b text not null, c text null);", `public.t: a=int32 b=text c=text? key["a"]`},
	{`CREATE TABLE "Odd ""Schema""".Table1 ("Id" bigint, id bigint, "größe" text, Größe2 text, PRIMARY KEY ("Id", id))`,
		`Odd "Schema".table1: Id=int64 id=int64 größe=text? größe2=text? key["Id" "id"]`},
	{`-- a table
	  CREATE /* of /* nested */ comments */ TABLE t ( -- (a, b
	    a int, /* b text, */ c text -- , d int
	  );`, `t: a=int32? c=text? key[]`},
	{`CREATE TABLE t (a int DEFAULT 1, b text DEFAULT 'x, y) ''z''' NOT NULL, c text DEFAULT 'a'::character varying(3), d int DEFAULT (1 + (2)) NOT NULL,
	  e timestamptz DEFAULT now(), f text DEFAULT NULL, g text DEFAULT NULL::character varying NOT NULL, h text DEFAULT E'\',b int', i text DEFAULT $x$, ' $$ ) $x$ NOT NULL,
	  j boolean DEFAULT (a IS NOT NULL) NOT NULL, k int DEFAULT CASE WHEN true THEN null ELSE 1 END NOT NULL, l uuid DEFAULT gen_random_uuid() PRIMARY KEY,
	  m text DEFAULT "current_user"() COLLATE "C" NULL, n int DEFAULT -1.5e3::int, o bool DEFAULT 1 IS NOT DISTINCT FROM 2 NOT NULL, p date DEFAULT CURRENT_DATE)`,
		`t: a=int32? b=text c=text? d=int32 e=instant? f=text? g=text h=text? i=text j=bool k=int32 l=uuid m=text? n=int32? o=bool p=date? key["l"]`},
	{`CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY (CACHE 65536) , a int CONSTRAINT positive CHECK (a > 0) NO INHERIT NOT NULL, b int UNIQUE NULLS NOT DISTINCT,
	  c int REFERENCES public.o (id) MATCH FULL ON DELETE SET NULL ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED, d int NOT DEFERRABLE, e int GENERATED ALWAYS AS (a * 2) STORED,
	  CONSTRAINT k PRIMARY KEY (id) INCLUDE (a), UNIQUE (a, b), CHECK (a < b), CONSTRAINT fk FOREIGN KEY (a) REFERENCES o ON DELETE CASCADE NOT VALID) WITH (fillfactor=70)`,
		`t: id=int64 a=int32 b=int32? c=int32? d=int32? e=int32? key["id"]`},
	{"CREATE TABLE t (name name, text text, date date, \"primary\" int, timestamp timestamp)", `t: name=text? text=text? date=date? primary=int32? timestamp=timestamp? key[]`},
	// As pg_dump writes it.
	{`--
-- PostgreSQL database dump
--

\restrict abc'def

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.orders (
    order_id bigint NOT NULL,
    status character varying(20) DEFAULT 'new'::character varying NOT NULL,
    total numeric(10,2),
    paid timestamp with time zone,
    note text DEFAULT 'a; b'::text
);


ALTER TABLE public.orders OWNER TO admin;
COMMENT ON COLUMN public.orders.note IS 'a
note; one';

ALTER TABLE public.orders ALTER COLUMN order_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.orders_order_id_seq
    START WITH 1
);
ALTER TABLE ONLY public.orders ALTER COLUMN total SET DEFAULT 1, ALTER total SET NOT NULL;
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);
CREATE INDEX orders_paid ON public.orders USING btree_index (paid);
GRANT SELECT ON TABLE public.orders TO reader;

\unrestrict abc'def
`, `public.orders: order_id=int64 status=text total=decimal(10,2) paid=instant? note=text? key["order_id"]`},
}

func TestParseSchema(t *testing.T) {
	for _, tt := range tables {
		s, err := dsql.ParseSchema(tt.sql)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
		} else if got := describe(s); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.sql, got, tt.want)
		}
	}
	// Spaces and comments between all words and marks make no difference.
	const plain = `create table public . t ( a numeric ( 10 , 2 ) default ( 1 ) not null , b text , primary key ( a ) )`
	want, err := dsql.ParseSchema(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range []string{"\n", "/**/", "--)\n", "\t \r\f\v", "/*--*/", "/* /* ) */ */"} {
		got, err := dsql.ParseSchema(strings.ReplaceAll(plain, " ", gap))
		if err != nil || describe(got) != describe(want) {
			t.Errorf("%q: %v", gap, err)
		}
	}
	if got, err := dsql.ParseSchema(strings.ToUpper(plain)); err != nil || describe(got) != describe(want) {
		t.Error(err)
	}
}

func TestParseSchemaErrors(t *testing.T) {
	const many = 1600
	for _, tt := range []struct {
		sql string
		at  int
	}{
		{"", 0}, {";", 1}, {"SET a = 1", 9}, {"SELECT 1; x", 10}, {"DROP TABLE t", 0}, {"CREATE VIEW v AS SELECT 1", 7}, {"CREATE TABLE", 12}, {"CREATE TABLE t", 14},
		{"CREATE TABLE t AS SELECT 1", 15}, {"CREATE TABLE t ()", 16}, {"CREATE TABLE t (a)", 17}, {"CREATE TABLE t (a int", 21}, {"CREATE TABLE t (a int,)", 22},
		{"CREATE TABLE t (a int b text)", 22}, {"CREATE TABLE t (a int) x", 23}, {"CREATE TABLE t (a int) PARTITION BY LIST (a)", 23}, {"CREATE TABLE t (a int) INHERITS (u)", 23},
		{"CREATE TABLE t (a jsonb)", 18}, {"CREATE TABLE t (a int[])", 21}, {"CREATE TABLE t (a my.type)", 18}, {"CREATE TABLE t (LIKE u)", 16}, {"CREATE TABLE t (a int, a text)", 23},
		{"CREATE TABLE t (a int DEFAULT)", 29}, {"CREATE TABLE t (a int DEFAULT, b int)", 29}, {"CREATE TABLE t (a int DEFAULT 'x)", 30}, {"CREATE TABLE t (a int DEFAULT (1)", 33},
		{"CREATE TABLE t (a int NOT)", 25}, {"CREATE TABLE t (a int PRIMARY)", 29}, {"CREATE TABLE t (a int GENERATED AS IDENTITY)", 32}, {"CREATE TABLE t (a int GENERATED ALWAYS AS (1))", 45},
		{"CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))", 35}, {"CREATE TABLE t (a int, PRIMARY KEY (b))", 23}, {"CREATE TABLE t (a int, PRIMARY KEY (a, a))", 23}, {"CREATE TABLE t (a int, PRIMARY KEY ())", 36},
		{"CREATE TABLE t (a int, CONSTRAINT c d int)", 36}, {"CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =))", 31}, {"CREATE TABLE a.b.c (a int)", 16}, {`CREATE TABLE "" (a int)`, 13},
		{"CREATE TABLE t (a int); CREATE TABLE u (a int)", 37}, {"CREATE TABLE t (a int); ALTER TABLE u ADD PRIMARY KEY (a)", 36}, {"CREATE TABLE t (a int); ALTER TABLE s.t ADD PRIMARY KEY (a)", 36},
		{"CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int", 42}, {"CREATE TABLE t (a int); ALTER TABLE t DROP COLUMN a", 38}, {"CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE text", 46},
		{"CREATE TABLE t (a int); ALTER TABLE t ALTER b SET NOT NULL", 44}, {"CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a); ALTER TABLE t ADD PRIMARY KEY (a)", 77},
		{"ALTER TABLE t ADD PRIMARY KEY (a)", 12}, {"CREATE TABLE t (a int); INSERT INTO t VALUES (1)", 24}, {"CREATE TABLE t (a int); COPY t FROM stdin;", 24}, {"CREATE TABLE t (a int) /* x", 23},
		{"CREATE TABLE t (a int DEFAULT $x$ )", 30}, {"CREATE TABLE t (a int));", 22}, {"CREATE TABLE t (a int); SET x = );", 32},
		{"CREATE TABLE t (" + strings.Repeat("a int,", many+1), 22},
		{"CREATE TABLE t (a int, PRIMARY KEY (" + strings.Repeat("a,", 2*many), 36 + 2*many},
	} {
		s, err := dsql.ParseSchema(tt.sql)
		e, ok := errors.AsType[*dsql.SchemaError](err)
		if !ok || e.Offset != tt.at || s != nil {
			t.Errorf("%.100q: %v, not at %d", tt.sql, err, tt.at)
		}
	}
	var long strings.Builder
	for i := range many {
		fmt.Fprintf(&long, ",c%d int", i)
	}
	if s, err := dsql.ParseSchema("CREATE TABLE t (" + long.String()[1:] + ")"); err != nil || len(s.Fields) != many {
		t.Error(err)
	}
	if _, err := dsql.ParseSchema("CREATE TABLE t (x int" + long.String() + ")"); err == nil {
		t.Error("too many columns are taken")
	}
}

// No part of a statement is one, but for what it can end with.
func TestPrefixesOfTables(t *testing.T) {
	for _, tt := range tables[:6] {
		sql := strings.TrimRight(tt.sql, "; \n")
		end := strings.LastIndex(sql, ")")
		if strings.Contains(sql, "WITH (") {
			end = strings.Index(sql, ") WITH")
		}
		for i := range end {
			if s, err := dsql.ParseSchema(sql[:i]); err == nil {
				t.Fatalf("%q is %s", sql[:i], describe(s))
			}
		}
	}
}

func FuzzParseSchema(f *testing.F) {
	for _, tt := range tables {
		f.Add(tt.sql)
	}
	for _, tt := range columnTypes {
		f.Add("CREATE TABLE t (c " + tt.sql + " NOT NULL DEFAULT 'x' PRIMARY KEY)")
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := dsql.ParseSchema(sql)
		if err != nil {
			if e, ok := errors.AsType[*dsql.SchemaError](err); !ok || e.Offset < 0 || e.Offset > len(sql) || s != nil {
				t.Fatal(err)
			}
			return
		}
		// Written out plainly it is the same again.
		quoted := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
		var again strings.Builder
		again.WriteString("CREATE TABLE t (")
		for i, field := range s.Fields {
			if i > 0 {
				again.WriteString(", ")
			}
			name := field.Type.Name
			switch p := field.Type.Precision; {
			case field.Type.Kind == envelope.KindDecimal && p > 0:
				name += fmt.Sprintf("(%d,%d)", p, field.Type.Scale)
			case name == "character" && field.Type.Length == 0:
				name = "bpchar"
			case (name == "character" || name == "character varying") && field.Type.Length > 0:
				name += fmt.Sprintf("(%d)", field.Type.Length)
			case p > 0:
				first, rest, _ := strings.Cut(name, " ")
				name = fmt.Sprintf("%s(%d) %s", first, p, rest)
			}
			again.WriteString(quoted(field.Name) + " " + name)
			if !field.Optional {
				again.WriteString(" NOT NULL")
			}
		}
		for i, name := range s.Key {
			again.WriteString([]string{", PRIMARY KEY (", ", "}[min(i, 1)] + quoted(name))
		}
		if s.Key != nil {
			again.WriteString(")")
		}
		again.WriteString(")")
		got, err := dsql.ParseSchema(again.String())
		if err != nil {
			t.Fatalf("%s: %v", again.String(), err)
		}
		if diff := cmp.Diff(s.Fields, got.Fields) + cmp.Diff(s.Key, got.Key); diff != "" {
			t.Fatalf("%s: %s", again.String(), diff)
		}
	})
}
