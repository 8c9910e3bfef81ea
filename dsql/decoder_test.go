package dsql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

const (
	source = `"source":{"version":"1.0","ts_ms":1705318200000,"ts_ns":1705318200000000001,"txId":"ffthunp5stx6ffs2vyfqoatmfu",` +
		`"schema":"public","table":"test_cdc","db":"postgres","cluster":"kmabugltfmjdaj2siqr2qbxgju"}`
	processed = `"ts_ms":1705318200125,"ts_ns":1705318200125483291}`
)

// records feeds the table test and the fuzzer.
var records = []struct {
	name          string
	in            string
	op            envelope.Op
	effect        envelope.Effect
	before, after string // "" for none
	err           error
	path          string
}{
	{name: "insert", in: `{"type":"full","op":"c","before":null,"after":{"id":1,"message":"hello cdc"},` + source + `,` + processed,
		op: envelope.OpCreate, effect: envelope.Upsert, after: `{"id":1,"message":"hello cdc"}`},
	{name: "update", in: `{"type":"full","op":"u","before":null,"after":{"id":9007199254740993,"n":"1.10"},` + source + `,` + processed,
		op: envelope.OpUpdate, effect: envelope.Upsert, after: `{"id":9007199254740993,"n":"1.10"}`},
	{name: "delete", in: `{"type":"full","op":"d","before":{"id":1},"after":null,` + source + `,` + processed,
		op: envelope.OpDelete, effect: envelope.Delete, before: `{"id":1}`},
	{name: "without a type", in: `{"op":"c","before":null,"after":{"id":1},` + source + `,` + processed,
		op: envelope.OpCreate, effect: envelope.Upsert, after: `{"id":1}`},
	{name: "images absent", in: `{"op":"d","before":{"id":1},` + source + `}`, op: envelope.OpDelete, effect: envelope.Delete, before: `{"id":1}`},
	{name: "unknown op", in: `{"type":"full","op":"merge","before":null,"after":{"id":1},` + source + `,` + processed,
		op: envelope.OpUnknown, effect: envelope.Upsert, after: `{"id":1}`},
	{name: "another letter", in: `{"type":"full","op":"r","after":{"id":1},` + source + `}`, op: envelope.OpUnknown, effect: envelope.Upsert, after: `{"id":1}`},
	{name: "other order, white space, unknown members", in: " {\n" + source + ` , "new" : [1,{"op":"d"}], "after" : { "id" : 1 } , "op" : "u" , "type" : "full" } `,
		op: envelope.OpUpdate, effect: envelope.Upsert, after: `{ "id" : 1 }`},
	{name: "escaped names", in: `{"typ\u0065":"full","\u006fp":"u","after":{"id":1},` + source + `}`, op: envelope.OpUpdate, effect: envelope.Upsert, after: `{"id":1}`},
	{name: "joined", in: `{"type":"full","op":"u","after":{"id":1},` + source + `,"chunked":null}`, op: envelope.OpUpdate, effect: envelope.Upsert, after: `{"id":1}`},

	{name: "no primary key", in: `{"type":"full","op":"d","before":null,"after":null,` + source + `,` + processed,
		op: envelope.OpDelete, effect: envelope.Delete, err: dsql.ErrNoPrimaryKey, path: "/before"},
	{name: "delete with only an after image", in: `{"op":"d","after":{"id":1},` + source + `}`, err: envelope.ErrMissing, path: "/before"},
	{name: "unknown op without after", in: `{"op":"x","before":{"id":1},` + source + `}`, err: envelope.ErrMissing, path: "/after"},
	{name: "insert without after", in: `{"op":"c","before":null,"after":null,` + source + `}`, err: envelope.ErrMissing, path: "/after"},
	{name: "fragment", in: `{"type":"fragment","chunk_id":"a","index":0,"data":"{"}`, err: dsql.ErrPart, path: "/type"},
	{name: "main record", in: `{"type":"chunked","op":"c","before":null,"after":null,` + source + `,"chunked":{"after":{"chunk_id":"a","total_fragments":1,"crc32c":"1"}}}`,
		err: dsql.ErrPart, path: "/type"},
	{name: "full that says chunked", in: `{"op":"c","after":{"id":1},` + source + `,"chunked":{"before":{}}}`, err: dsql.ErrPart, path: "/type"},
	{name: "unknown type", in: `{"type":"schema","op":"c","after":{"id":1},` + source + `}`, err: envelope.ErrType, path: "/type"},
	{name: "no op", in: `{"after":{"id":1},` + source + `}`, err: envelope.ErrMissing, path: "/op"},
	{name: "op a number", in: `{"op":1,"after":{"id":1},` + source + `}`, err: envelope.ErrType, path: "/op"},
	{name: "after a list", in: `{"op":"c","after":[{"id":1}],` + source + `}`, err: envelope.ErrType, path: "/after"},
	{name: "before a string", in: `{"op":"d","before":"{}",` + source + `}`, err: envelope.ErrType, path: "/before"},
	{name: "no source", in: `{"op":"c","after":{"id":1}}`, err: envelope.ErrMissing, path: "/source"},
	{name: "source a string", in: `{"op":"c","after":{"id":1},"source":"x"}`, err: envelope.ErrType, path: "/source"},
	{name: "no time", in: `{"op":"c","after":{"id":1},"source":{"ts_ms":1,"schema":"s","table":"t","db":"d"}}`, err: envelope.ErrMissing, path: "/source/ts_ns"},
	{name: "time a fraction", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":1.5,"schema":"s","table":"t","db":"d"}}`, err: envelope.ErrType, path: "/source/ts_ns"},
	{name: "time zero", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":0,"schema":"s","table":"t","db":"d"}}`, err: envelope.ErrType, path: "/source/ts_ns"},
	{name: "time negative", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":-1,"schema":"s","table":"t","db":"d"}}`, err: envelope.ErrType, path: "/source/ts_ns"},
	{name: "time beyond int64", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":9223372036854775808,"schema":"s","table":"t","db":"d"}}`, err: envelope.ErrType, path: "/source/ts_ns"},
	{name: "no table", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":1,"schema":"s","db":"d"}}`, err: envelope.ErrMissing, path: "/source/table"},
	{name: "no schema", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":1,"schema":"","table":"t","db":"d"}}`, err: envelope.ErrMissing, path: "/source/schema"},
	{name: "db a number", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":1,"schema":"s","table":"t","db":1}}`, err: envelope.ErrType, path: "/source/db"},
	{name: "after twice", in: `{"op":"c","after":{"id":1},"after":{"id":2},` + source + `}`, err: envelope.ErrDuplicate, path: "/after"},
	{name: "type twice", in: `{"type":"full","op":"c","after":{"id":1},` + source + `,"type":"fragment"}`, err: envelope.ErrDuplicate, path: "/type"},
	{name: "time twice", in: `{"op":"c","after":{"id":1},"source":{"ts_ns":1,"schema":"s","table":"t","db":"d","ts_ns":2}}`, err: envelope.ErrDuplicate, path: "/source/ts_ns"},
	{name: "not an object", in: `[{"op":"c"}]`, err: envelope.ErrType},
	{name: "empty", in: ``, err: envelope.ErrSyntax},
	{name: "null", in: `null`, err: envelope.ErrType},
	{name: "broken in the image", in: `{"op":"c","after":{"secret":tru},` + source + `}`, err: envelope.ErrSyntax, path: "/after/secret"},
	{name: "broken deeper", in: `{"op":"c","after":{"json":{"secret":tru}},` + source + `}`, err: envelope.ErrSyntax, path: "/after/json"},
	{name: "two records", in: `{"op":"c","after":{"id":1},` + source + `}{}`, err: envelope.ErrSyntax},
	{name: "not UTF-8", in: "{\"op\":\"c\",\"after\":{\"id\":\"\xff\"}," + source + `}`, err: envelope.ErrSyntax, path: "/after/id"},
}

func TestDecode(t *testing.T) {
	var shared dsql.Decoder // which learns from each record what the next may be
	for _, tt := range records {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []*dsql.Decoder{new(dsql.Decoder), &shared, &shared} {
				c := envelope.Change{TxID: []byte("old"), Key: envelope.Row("{}")}
				err := d.Decode(&c, []byte(tt.in))
				if tt.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tt.err)
					fault, ok := errors.AsType[*envelope.DecodeError](err)
					require.True(t, ok)
					assert.Equal(t, tt.path, fault.Path)
					assert.LessOrEqual(t, int(fault.Offset), len(tt.in))
					assert.True(t, envelope.IsPermanent(err))
				}
				if tt.err != nil && tt.err != dsql.ErrNoPrimaryKey {
					assert.Equal(t, envelope.Change{}, c)
					continue
				}
				assert.Equal(t, tt.op, c.Op)
				assert.Equal(t, tt.effect, c.Effect())
				assert.Equal(t, tt.before, string(c.Before))
				assert.Equal(t, tt.after, string(c.After))
				assert.Equal(t, tt.before == "", c.Before == nil)
				assert.Equal(t, tt.after == "", c.After == nil)
				assert.Equal(t, envelope.Table{DB: "postgres", Schema: "public", Name: "test_cdc"}, c.Table)
				assert.Equal(t, int64(1705318200000000001), c.Time)
				assert.Equal(t, time.Unix(0, c.Time).UTC(), c.Version.Time())
				assert.Equal(t, "ffthunp5stx6ffs2vyfqoatmfu", string(c.TxID))
				assert.Nil(t, c.Key)
				for _, b := range [][]byte{c.Before, c.After, c.TxID} {
					assert.Equal(t, len(b), cap(b), "appending would write into the record")
				}
			}
		})
	}
}

// No strict prefix of a record is one.
func TestDecodePrefixes(t *testing.T) {
	var d dsql.Decoder
	for _, tt := range records[:10] {
		in := strings.TrimSpace(tt.in)
		for i := range len(in) {
			var c envelope.Change
			err := d.Decode(&c, []byte(in[:i]))
			if !errors.Is(err, envelope.ErrSyntax) {
				t.Fatalf("%s: %d bytes: %v", tt.name, i, err)
			}
		}
	}
}

// A nanosecond decides, and the same time is the same change.
func TestVersion(t *testing.T) {
	at := func(ns int64) envelope.Version {
		var d dsql.Decoder
		var c envelope.Change
		in := fmt.Sprintf(`{"op":"c","after":{},"source":{"ts_ns":%d,"schema":"s","table":"t","db":"d"},"ts_ns":%d}`, ns, 9e18-ns)
		require.NoError(t, d.Decode(&c, []byte(in)))
		return c.Version
	}
	for _, ns := range []int64{1, 1705318200000000000, 1<<63 - 2} {
		assert.Equal(t, -1, at(ns).Compare(at(ns+1)))
		assert.Equal(t, +1, at(ns+1).Compare(at(ns)))
		assert.Equal(t, 0, at(ns).Compare(at(ns)))
		assert.True(t, at(ns).Repeats(at(ns)))
		assert.False(t, at(ns).Repeats(at(ns+1)))
	}
}

func TestClusterAsDB(t *testing.T) {
	d := dsql.Decoder{ClusterAsDB: true}
	var c envelope.Change
	require.NoError(t, d.Decode(&c, []byte(records[0].in)))
	assert.Equal(t, envelope.Table{DB: "kmabugltfmjdaj2siqr2qbxgju", Schema: "public", Name: "test_cdc"}, c.Table)
	err := d.Decode(&c, []byte(`{"op":"c","after":{},"source":{"ts_ns":1,"schema":"s","table":"t","db":"d"}}`))
	assert.ErrorIs(t, err, envelope.ErrMissing)
}

func TestMaxBytes(t *testing.T) {
	in := []byte(records[0].in)
	var c envelope.Change
	require.NoError(t, (&dsql.Decoder{MaxBytes: len(in)}).Decode(&c, in))
	err := (&dsql.Decoder{MaxBytes: len(in) - 1}).Decode(&c, in)
	require.ErrorIs(t, err, envelope.ErrLimit)
	assert.Equal(t, envelope.Change{}, c)
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var d dsql.Decoder
	var c envelope.Change
	in := [][]byte{[]byte(records[0].in), []byte(records[1].in), []byte(records[2].in), []byte(records[3].in)}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, b := range in {
			if err := d.Decode(&c, b); err != nil {
				t.Fatal(err)
			}
		}
	}))
}
