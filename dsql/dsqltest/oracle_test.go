package dsqltest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/require"
)

// What follows reads records with encoding/json alone and knows the format, not
// how the generator makes it.

const (
	before = "before"
	after  = "after"
)

type source struct {
	Version string      `json:"version"`
	TsMs    json.Number `json:"ts_ms"`
	TsNs    json.Number `json:"ts_ns"`
	TxID    string      `json:"txId"`
	Schema  string      `json:"schema"`
	Table   string      `json:"table"`
	DB      string      `json:"db"`
	Cluster string      `json:"cluster"`
}

type image struct {
	ChunkID string `json:"chunk_id"`
	Total   int    `json:"total_fragments"`
	CRC     string `json:"crc32c"`
}

// A parsed is any record. Images are nil if null or absent.
type parsed struct {
	members []string // in order
	kind    string   // its type; empty if it has none
	op      string
	images  map[string]json.RawMessage
	source  source
	chunked map[string]image
	tsMs    json.Number
	tsNs    json.Number
	chunkID string
	index   int
	data    string // the text
	spelled string // between the quotes
	raw     []byte
}

func (p *parsed) table() envelope.Table {
	return envelope.Table{Schema: p.source.Schema, Name: p.source.Table}
}

func integer(t testing.TB, n json.Number) int64 {
	v, err := strconv.ParseInt(string(n), 10, 64)
	check(t, err)
	return v
}

func (p *parsed) commit(t testing.TB) int64 { return integer(t, p.source.TsNs) }

// members returns the names and values of an object, which must not repeat one.
func members(t testing.TB, object []byte) ([]string, map[string]json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(object))
	next := func() json.Token {
		token, err := d.Token()
		check(t, err)
		return token
	}
	require.Equal(t, json.Delim('{'), next())
	var names []string
	values := map[string]json.RawMessage{}
	for d.More() {
		name := next().(string)
		if _, ok := values[name]; ok {
			require.Fail(t, "member repeated", name)
		}
		var v json.RawMessage
		check(t, d.Decode(&v))
		names = append(names, name)
		values[name] = v
	}
	next()
	if _, err := d.Token(); err != io.EOF {
		require.Fail(t, "something behind the object")
	}
	return names, values
}

// check is require.NoError, which takes long if called often.
func check(t testing.TB, err error) {
	if err != nil {
		require.NoError(t, err)
	}
}

// strict decodes and refuses what v does not have.
func strict(t testing.TB, b []byte, v any) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	check(t, d.Decode(v))
}

func parse(t testing.TB, raw []byte) *parsed {
	if !utf8.Valid(raw) {
		require.Fail(t, "not UTF-8")
	}
	p := &parsed{raw: raw, images: map[string]json.RawMessage{}}
	var values map[string]json.RawMessage
	p.members, values = members(t, raw)
	for name, v := range values {
		switch name {
		case "type":
			strict(t, v, &p.kind)
		case "op":
			strict(t, v, &p.op)
		case before, after:
			if string(v) != "null" {
				p.images[name] = v
			}
		case "source":
			strict(t, v, &p.source)
		case "chunked":
			strict(t, v, &p.chunked)
		case "ts_ms":
			strict(t, v, &p.tsMs)
		case "ts_ns":
			strict(t, v, &p.tsNs)
		case "chunk_id":
			strict(t, v, &p.chunkID)
		case "index":
			strict(t, v, &p.index)
		case "data":
			strict(t, v, &p.data)
			p.spelled = string(v[1 : len(v)-1])
		default:
			require.Fail(t, "unknown member", name)
		}
	}
	return p
}

// A delivered is a record with its place in the stream.
type delivered struct {
	*parsed
	shard, position, change int
	arrival                 int64
}

// all parses all records of a stream, shard by shard.
func all(t testing.TB, s *dsqltest.Stream) []delivered {
	var out []delivered
	for i, shard := range s.Shards {
		require.Len(t, shard.Changes, len(shard.Records))
		for k, r := range shard.Records {
			require.Equal(t, shard.ID, r.Shard)
			out = append(out, delivered{parse(t, r.Data), i, k, shard.Changes[k], r.Arrival.UnixNano()})
		}
	}
	return out
}

func generate(t testing.TB, g dsqltest.Generator) *dsqltest.Stream {
	t.Helper()
	s, err := g.Stream()
	require.NoError(t, err)
	return s
}

func whole(t testing.TB, s *dsqltest.Stream) []*parsed {
	var out []*parsed
	for _, w := range s.Whole {
		out = append(out, parse(t, w))
	}
	return out
}

// rowID is the row of a change by its primary key, found by encoding/json.
func rowID(t testing.TB, s *dsqltest.Stream, p *parsed) string {
	row := p.images[after]
	if p.op == "d" {
		row = p.images[before]
	}
	_, values := members(t, row)
	id := "["
	for i, name := range s.Keys[p.table()] {
		require.NotNil(t, values[name], name)
		if i > 0 {
			id += ","
		}
		id += string(values[name])
	}
	return id + "]"
}

// keyed says whether the change's table has a primary key.
func keyed(s *dsqltest.Stream, p *parsed) bool { return len(s.Keys[p.table()]) > 0 }

// columns are the names that rows of each table have.
var columns = map[envelope.Table][]string{
	{Schema: "public", Name: "accounts"}:    {"id", "owner", "balance", "active", "class", "code", "opened", "seen"},
	{Schema: "sales", Name: "order_lines"}:  {"quantity", "line", "order_id", "price", "weight", "note", "due", "lead"},
	{Schema: "public", Name: "documents"}:   {"title", "path", "body", "digest", "owner", "tags"},
	{Schema: "labor", Name: `Mess "Werte"`}: {`sensor "id"`, "at", "größe\\mm📏", "after", "ts_ns", "op", "type"},
	{Schema: "public", Name: "events"}:      {"kind", "payload", "at", "n"},
}

var primaryKeys = map[envelope.Table][]string{
	{Schema: "public", Name: "accounts"}:    {"id"},
	{Schema: "sales", Name: "order_lines"}:  {"order_id", "line"},
	{Schema: "public", Name: "documents"}:   {"path"},
	{Schema: "labor", Name: `Mess "Werte"`}: {`sensor "id"`, "at"},
}

// variants are streams of all sorts, small enough to look at every record.
var variants = map[string]dsqltest.Generator{
	"plain":        {},
	"cut":          {SplitAt: 500, FragmentBytes: 60, Repeats: 0.3},
	"all cut":      {Transactions: 40, SplitAt: 1, FragmentBytes: 40, Repeats: 0.5, NoPrimaryKey: true},
	"characters":   {Transactions: 10, Rows: 2, SplitAt: 1, FragmentBytes: 1},
	"two images":   {Transactions: 150, SplitAt: 700, FragmentBytes: 100, Before: true, Repeats: 0.2, NoPrimaryKey: true},
	"large":        {SplitAt: 2000, FragmentBytes: 1500, Large: 0.2, LargeBytes: 9000, LargeKeys: true},
	"preview":      {Preview: true, Untyped: true, SplitAt: 600, FragmentBytes: 200, Repeats: 0.2},
	"preview both": {Preview: true, Before: true, SplitAt: 600, FragmentBytes: 200},
	"one shard":    {Shards: 1, SplitAt: 600, FragmentBytes: 100, Repeats: 1, Cluster: `of "mine"`},
	"resharded":    {Shards: 2, Reshards: 6, SplitAt: 600, FragmentBytes: 100, Repeats: 0.5, Untyped: true},
	"in order":     {Lag: 1, SplitAt: 600, FragmentBytes: 100},
}

// A variant is a stream with what the oracle reads in it.
type variant struct {
	g       dsqltest.Generator
	s       *dsqltest.Stream
	records []delivered
	whole   []*parsed
}

var read = map[string][]variant{} // by name; tests run one after another

// each runs f for every variant, with several seeds. Nothing may change it.
func each(t *testing.T, f func(t *testing.T, v variant)) {
	for name, g := range variants {
		t.Run(name, func(t *testing.T) {
			if read[name] == nil {
				for seed := range uint64(2) {
					g.Seed = seed
					s := generate(t, g)
					read[name] = append(read[name], variant{g, s, all(t, s), whole(t, s)})
				}
			}
			for _, v := range read[name] {
				f(t, v)
			}
		})
	}
}

// joined returns what the stream's records say of each change: assembled by
// chunk_id, one per delivery of a full or main record.
func joined(t testing.TB, deliveries []delivered) []delivered {
	pieces := map[string]map[int]string{}
	for _, d := range deliveries {
		if d.kind != "fragment" {
			continue
		}
		if pieces[d.chunkID] == nil {
			pieces[d.chunkID] = map[int]string{}
		}
		pieces[d.chunkID][d.index] = d.data
	}
	var out []delivered
	for _, d := range deliveries {
		if d.kind == "fragment" {
			continue
		}
		p := *d.parsed
		p.images = map[string]json.RawMessage{}
		for name, v := range d.images {
			p.images[name] = v
		}
		for name, c := range d.chunked {
			text := ""
			for i := range c.Total {
				text += pieces[c.ChunkID][i]
			}
			p.images[name] = json.RawMessage(text)
		}
		d.parsed = &p
		out = append(out, d)
	}
	return out
}

// arrivals sorts deliveries by when they came.
func arrivals(deliveries []delivered) []delivered {
	out := slices.Clone(deliveries)
	slices.SortStableFunc(out, func(a, b delivered) int { return cmp.Compare(a.arrival, b.arrival) })
	return out
}
