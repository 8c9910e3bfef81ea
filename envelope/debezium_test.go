package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/internal/jsonscan"
)

// source is a source block that nothing is wrong with.
const source = `"source":{"connector":"postgresql","version":"3.6.1.Final","db":"d","schema":"s","table":"t","ts_ms":5,"lsn":7,"sequence":"[\"6\",\"7\"]","snapshot":"false"}`

// records are shapes that the captures do not have. They feed the fuzzer too.
var records = []struct {
	name  string
	d     Debezium
	value string
	op    Op
	after string
	err   error // if not nil, path and offset are those of the DecodeError
	path  string
	at    int64
}{
	{name: "empty", op: OpTombstone},
	{name: "space", value: " \n", op: OpTombstone},
	{name: "null", value: `null`, op: OpTombstone},
	{name: "null in space", value: " null ", err: ErrType, at: 1},
	{name: "Redis null", value: `default`, op: OpTombstone},
	{name: "wrapped null", value: `{"schema":{"type":"struct"},"payload":null}`, op: OpTombstone},
	{name: "wrapped null without schema", value: `{"schema":null,"payload":null}`, op: OpTombstone},
	{name: "payload first", value: `{"payload":{"op":"c","after":{"id":1},` + source + `},"schema":{"optional":false,"type":"struct"}}`, op: OpCreate, after: `{"id":1}`},
	{name: "schema null", value: `{"schema":null,"payload":{"op":"c","after":{"id":1},` + source + `}}`, op: OpCreate, after: `{"id":1}`},
	{name: "space everywhere", value: " { \"op\" : \"u\" ,\n\t\"after\" : { \"id\" : 1 } , " + strings.Replace(source, ":", " : ", 1) + " } ", op: OpUpdate, after: `{ "id" : 1 }`},
	{name: "escaped names", value: `{"\u006fp":"u","aft\u0065r":{"id":1},` + source + `}`, op: OpUpdate, after: `{"id":1}`},
	{name: "unknown members", value: `{"x":[{"op":"d"}],"op":"u","after":{"id":1},"y":{"after":2},` + source + `,"z":1,"z":2}`, op: OpUpdate, after: `{"id":1}`},
	{name: "unknown members twice", value: `{"":1,"":2,"x":1,"x":2,"op":"d",` + source + `}`, op: OpDelete},
	{name: "upper case", value: `{"op":"R","after":{"id":1},` + source + `}`, op: OpRead, after: `{"id":1}`},
	{name: "unknown op", value: `{"op":"x","after":{"id":1},` + source + `}`, op: OpUnknown, after: `{"id":1}`},
	{name: "long unknown op", value: `{"op":"upsert","after":{"id":1},` + source + `}`, op: OpUnknown, after: `{"id":1}`},
	{name: "null op", value: `{"op":null,"after":{"id":1},` + source + `}`, op: OpUnknown, after: `{"id":1}`},
	{name: "unknown op without image", value: `{"op":"x","after":null,` + source + `}`, err: ErrMissing, path: "/after", at: 6},
	{name: "update without image", value: `{"op":"u","before":{"id":1},` + source + `}`, err: ErrMissing, path: "/after", at: 6},
	{name: "delete without image", value: `{"op":"d","before":null,"after":null,` + source + `}`, op: OpDelete},
	{name: "truncate without images", value: `{"op":"t",` + source + `}`, op: OpTruncate},
	{name: "times as text", value: `{"op":"c","after":{},"ts_ms":"6","source":{"ts_ms":"5","db":"d"}}`, op: OpCreate, after: `{}`},
	{name: "a column called op", value: `{"schema":{"type":"struct"},"payload":{"op":"c","after":{"op":"d","after":null,"source":1},` + source + `}}`, op: OpCreate, after: `{"op":"d","after":null,"source":1}`},
	{name: "heartbeat", value: `{"ts_ms":1}`, op: OpHeartbeat},
	{name: "wrapped heartbeat", value: `{"schema":{"type":"struct"},"payload":{"ts_ms":1}}`, op: OpHeartbeat},
	{name: "transaction", value: `{"status":"BEGIN","id":"571:53195829","event_count":null,"data_collections":null,"ts_ms":1}`, op: OpTransaction},
	{name: "schema change without source", value: `{"databaseName":"d","ddl":null,"tableChanges":[]}`, op: OpSchemaChange},
	{name: "notification", value: `{"id":"x","type":"COMPLETED","aggregate_type":"Initial Snapshot","additional_data":{},"timestamp":1}`, op: OpNotification},
	{name: "signal", d: Debezium{SignalTable: Table{"d", "s", "t"}}, value: `{"op":"c","after":{"id":"1","type":"log","data":null},` + source + `}`, op: OpSignal, after: `{"id":"1","type":"log","data":null}`},

	{name: "always wrapped", d: Debezium{Wrapper: WrapperAlways}, value: `{"payload":{"op":"c","after":{"id":1},` + source + `},"more":1}`, op: OpCreate, after: `{"id":1}`},
	{name: "always wrapped, bare", d: Debezium{Wrapper: WrapperAlways}, value: `{"op":"c","after":{"id":1},` + source + `}`, err: ErrMissing, path: "/payload"},
	{name: "never wrapped", d: Debezium{Wrapper: WrapperNever}, value: `{"schema":{"type":"struct"},"payload":{"op":"c","after":{"id":1},` + source + `}}`, err: ErrMissing, path: "/op"},
	{name: "a row of schema and payload", value: `{"schema":{"x":1},"payload":{"op":"c"}}`, err: ErrMissing, path: "/op"},
	{name: "more than a wrapper", value: `{"schema":{"type":"struct"},"payload":{"op":"c","after":{"id":1},` + source + `},"x":1}`, err: ErrMissing, path: "/op"},
	{name: "wrapped twice", value: `{"schema":null,"payload":{"schema":null,"payload":null}}`, err: ErrMissing, path: "/payload/op"},

	{name: "flattened row", value: `{"id":1,"__op":"c"}`, err: ErrMissing, path: "/op"},
	{name: "flattened row of status and id", value: `{"status":"new","id":1,"ddl":null,"ts_ms":5}`, err: ErrMissing, path: "/op"},
	{name: "CloudEvent", value: `{"specversion":"1.0","data":{"before":null,"after":{"id":1}}}`, err: ErrMissing, path: "/op"},
	{name: "DMS", value: `{"data":{"id":1},"metadata":{"operation":"insert"}}`, err: ErrMissing, path: "/op"},
	{name: "row with a column op", value: `{"op":"c","id":1}`, err: ErrMissing, path: "/op"},
	{name: "no object", value: ` [1]`, err: ErrType, at: 1},
	{name: "text", value: `"x"`, err: ErrType},
	{name: "payload of another type", value: `{"schema":null,"payload":[1]}`, err: ErrType, path: "/payload", at: 25},
	{name: "no source", value: `{"op":"c","after":{"id":1}}`, err: ErrMissing, path: "/source", at: 6},
	{name: "null source", value: `{"op":"c","after":{"id":1},"source":null}`, err: ErrMissing, path: "/source", at: 6},
	{name: "source of another type", value: `{"op":"c","after":{"id":1},"source":1}`, err: ErrType, path: "/source", at: 36},
	{name: "op of another type", value: `{"op":1,"after":{"id":1},` + source + `}`, err: ErrType, path: "/op", at: 6},
	{name: "image of another type", value: `{"op":"c","after":"{}",` + source + `}`, err: ErrType, path: "/after", at: 18},
	{name: "before of another type", value: `{"op":"c","before":[],"after":{},` + source + `}`, err: ErrType, path: "/before", at: 19},
	{name: "table of another type", value: `{"op":"c","after":{},"source":{"table":1}}`, err: ErrType, path: "/source/table", at: 39},
	{name: "time of another type", value: `{"op":"c","after":{},"source":{"ts_ms":1.5}}`, err: ErrType, path: "/source/ts_ms", at: 39},
	{name: "time too large", value: `{"op":"c","after":{},"source":{"ts_ms":9223372036855}}`, err: ErrType, path: "/source/ts_ms", at: 39},
	{name: "connector's time of another type", value: `{"op":"c","after":{},"ts_ns":{},"source":{}}`, err: ErrType, path: "/ts_ns", at: 29},
	{name: "wrapped, of another type", value: `{"schema":null,"payload":{"op":"c","after":{},"source":{"db":[]}}}`, err: ErrType, path: "/payload/source/db", at: 61},
	{name: "op twice", value: `{"op":"c","op":"d","after":{},` + source + `}`, err: ErrDuplicate, path: "/op", at: 15},
	{name: "after twice, once escaped", value: `{"op":"c","after":{},"\u0061fter":{"id":1},` + source + `}`, err: ErrDuplicate, path: "/after", at: 34},
	{name: "table twice", value: `{"op":"c","after":{},"source":{"table":"a","table":"b"}}`, err: ErrDuplicate, path: "/source/table", at: 51},
	{name: "source twice", value: `{"op":"c","after":{},` + source + `,` + source + `}`, err: ErrDuplicate, path: "/source", at: 188},
	{name: "payload twice", value: `{"payload":1,"schema":null,"payload":{}}`, err: ErrDuplicate, path: "/payload", at: 37},
	{name: "payload twice, always wrapped", d: Debezium{Wrapper: WrapperAlways}, value: `{"payload":1,"schema":null,"payload":{}}`, err: ErrDuplicate, path: "/payload", at: 37},
	{name: "Confluent's magic byte", value: "\x00\x00\x00\x00\x01{}", err: ErrSyntax},
	{name: "broken column", value: `{"op":"c","after":{"secret":{"inner":x}},` + source + `}`, err: ErrSyntax, path: "/after/secret", at: 37},
	{name: "broken wrapped column", value: `{"schema":null,"payload":{"after":{"secret":{"inner":x}}}}`, err: ErrSyntax, path: "/payload/after/secret", at: 53},
	{name: "broken elsewhere", value: `{"row":{"secret":x}}`, err: ErrSyntax, path: "/row", at: 17},
	{name: "broken source", value: `{"source":{"x":x}}`, err: ErrSyntax, path: "/source/x", at: 15},
	{name: "invalid UTF-8", value: "{\"op\":\"c\",\"after\":{\"a\":\"\xff\"}," + source + "}", err: ErrSyntax, path: "/after/a", at: 24},
	{name: "two records", value: `{"ts_ms":1}{"ts_ms":1}`, err: ErrSyntax, at: 11},
	{name: "too long", d: Debezium{MaxBytes: 10}, value: `{"ts_ms":12}`, err: ErrLimit, at: 10},
	{name: "Cassandra's range tombstone", value: `{"op":"r","after":{"a":1},"source":{"connector":"cassandra","keyspace":"k","table":"t"}}`, err: ErrType, path: "/op", at: 6},
	{name: "Cassandra's insert", value: `{"op":"i","after":{"a":1},"source":{"connector":"cassandra","keyspace":"k","table":"t"}}`, op: OpCreate, after: `{"a":1}`},
}

func TestRecords(t *testing.T) {
	for _, r := range records {
		t.Run(r.name, func(t *testing.T) {
			d := Debezium{Wrapper: r.d.Wrapper, MaxBytes: r.d.MaxBytes, SignalTable: r.d.SignalTable}
			for range 2 { // the second time by what was learned
				c := Change{Op: OpDelete, TxID: []byte("left over")}
				err := d.Decode(&c, []byte(r.value))
				if r.err == nil {
					if err != nil || c.Op != r.op || string(c.After) != r.after || string(c.TxID) == "left over" {
						t.Fatalf("%v %s, %v", c.Op, c.After, err)
					}
					continue
				}
				fault, ok := errors.AsType[*DecodeError](err)
				if !ok || !errors.Is(err, r.err) || fault.Path != r.path || fault.Offset != r.at || !IsPermanent(err) {
					t.Fatalf("%v, want %v at %s (offset %d)", err, r.err, r.path, r.at)
				}
			}
		})
	}
}

func TestKeys(t *testing.T) {
	value := []byte(`{"op":"c","after":{"id":1},` + source + `}`)
	for _, k := range []struct {
		key, want string
		err       error
		path      string
	}{
		{key: ``}, {key: `null`}, {key: `default`}, {key: `{"schema":null,"payload":null}`}, {key: `{"schema":{"type":"struct"},"payload":null}`},
		{key: `{"id":1}`, want: `{"id":1}`},
		{key: `{"schema":{"type":"struct","fields":[]},"payload":{"id":1}}`, want: `{"id":1}`},
		{key: `{"payload":{"id":1},"schema":null}`, want: `{"id":1}`},
		{key: `{"schema":1,"payload":2}`, want: `{"schema":1,"payload":2}`},
		{key: `1`, err: ErrType}, {key: `"x"`, err: ErrType}, {key: `Struct{id=1}`, err: ErrSyntax}, {key: `{"id":1`, err: ErrSyntax},
		{key: `{"schema":{"type":"int32"},"payload":1}`, err: ErrType, path: "/payload"},
	} {
		var d Debezium
		var c Change
		err := d.DecodeKeyed(&c, []byte(k.key), value)
		if k.err == nil {
			if err != nil || string(c.Key) != k.want || (c.Key == nil) != (k.want == "") || c.Op != OpCreate {
				t.Errorf("key %s: %q, %v", k.key, c.Key, err)
			}
			continue
		}
		fault, ok := errors.AsType[*DecodeError](err)
		if !ok || !errors.Is(err, k.err) || fault.Path != k.path || !strings.HasPrefix(err.Error(), "key: ") || !IsPermanent(err) || c.Op != 0 {
			t.Errorf("key %s: %v", k.key, err)
		}
	}
}

// A record that is not valid must be refused also where it begins like valid
// ones before it.
func TestLearnedShapes(t *testing.T) {
	good := `{"before":null,"after":{"id":1},` + source + `,"op":"c","ts_ms":1}`
	wrapped := `{"schema":{"type":"struct"},"payload":` + good + `}`
	for _, base := range []string{good, wrapped} {
		b := []byte(base)
		for i := range b {
			for _, with := range []byte("\x00\"\\{}[],:x1 \xff") {
				var learned, fresh Debezium
				var c, want Change
				if err := learned.Decode(&c, []byte(base)); err != nil {
					t.Fatal(err)
				}
				b[i] = with
				got := learned.Decode(&c, b)
				expected := fresh.Decode(&want, b)
				if (got == nil) != (expected == nil) || got != nil && got.Error() != expected.Error() || got == nil && describe(&c) != describe(&want) {
					t.Fatalf("%q: %v by what was learned, %v without", b, got, expected)
				}
			}
			b[i] = base[i]
		}
	}
}

// What was learned of records with one white space must not mislead about those
// with another.
func TestLearnedSpace(t *testing.T) {
	for _, g := range goldens(t) {
		if !json.Valid(g.value) {
			continue
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, g.value, "", "\t"); err != nil {
			t.Fatal(err)
		}
		spellings := [][]byte{g.value, indented.Bytes(), g.value}
		for _, space := range [][2]string{{`":`, `" :`}, {`":`, `": `}, {`,"`, `, "`}, {`,"`, ` ,"`}, {`{"`, `{ "`}} { // on one side of a sign only
			spellings = append(spellings, bytes.ReplaceAll(g.value, []byte(space[0]), []byte(space[1])))
		}
		decoder := decoders()
		for _, value := range append(spellings, spellings...) {
			var c, want Change
			fresh := decoders()
			err, expected := decoder(&g).Decode(&c, value), fresh(&g).Decode(&want, value)
			if (err == nil) != (expected == nil) || (err == nil) != json.Valid(value) || err == nil && describe(&c) != describe(&want) {
				t.Fatalf("%s: %v by what was learned, %v without: %s", g.file, err, expected, value)
			}
		}
	}
}

func TestSchemasAreBounded(t *testing.T) {
	var d Debezium
	var c Change
	for n := range 3 * len(d.schemas.known) {
		record := `{"schema":{"type":"struct","name":"` + strings.Repeat("x", n) + `"},"payload":{"ts_ms":1}}`
		if err := d.Decode(&c, []byte(record)); err != nil || c.Op != OpHeartbeat {
			t.Fatal(c.Op, err)
		}
	}
	long := `{"schema":{"type":"struct","name":"` + strings.Repeat("x", maxSchema) + `"},"payload":{"ts_ms":1}}`
	if err := d.Decode(&c, []byte(long)); err != nil {
		t.Fatal(err)
	}
	for _, known := range d.schemas.known {
		if len(known.bytes) > maxSchema {
			t.Errorf("a schema of %d bytes is kept", len(known.bytes))
		}
	}
}

// Nesting ends where encoding/json ends it, wherever in the record it is.
func TestNesting(t *testing.T) {
	for _, format := range []string{
		`{"op":"c","after":{"a":%s},"source":{}}`, `{"op":"c","after":{},"x":%s,"source":{}}`, `{"op":"c","after":{},"source":{"x":%s}}`,
		`{"schema":{"type":"x","y":%s},"payload":null}`, `{"schema":null,"payload":{"op":"c","after":{"a":%s},"source":{}}}`, `{"schema":null,"payload":{"op":"c","after":{},"source":{"x":%s}}}`,
	} {
		for n := jsonscan.MaxDepth - 5; n < jsonscan.MaxDepth+2; n++ {
			record := fmt.Sprintf(format, strings.Repeat("[", n)+strings.Repeat("]", n))
			var d Debezium
			err := d.Decode(new(Change), []byte(record))
			if (err == nil) != json.Valid([]byte(record)) {
				t.Errorf("%s with %d arrays: %.100v", format, n, err)
			}
		}
	}
}
