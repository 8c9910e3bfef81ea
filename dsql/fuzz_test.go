package dsql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A naive decoder by encoding/json, for what a record means.
func naive(b []byte) (c envelope.Change, ok bool) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return c, false
	}
	record, ok := unique(b, "type", "op", "before", "after", "source", "chunked", "chunk_id", "index", "data")
	if !ok {
		return c, false
	}
	kind, isText := record["type"].text()
	if !(record["type"].absent() || isText && kind == "full") || !record["chunked"].absent() {
		return c, false
	}
	for _, image := range []member{record["before"], record["after"]} {
		if !image.absent() && image[0] != '{' {
			return c, false
		}
	}
	op, isText := record["op"].text()
	if !isText {
		return c, false
	}
	if !record["before"].absent() {
		c.Before = envelope.Row(record["before"])
	}
	if !record["after"].absent() {
		c.After = envelope.Row(record["after"])
	}
	switch op {
	case "c":
		c.Op = envelope.OpCreate
	case "u":
		c.Op = envelope.OpUpdate
	case "d":
		c.Op = envelope.OpDelete
	}
	switch {
	case c.Op == envelope.OpDelete && c.Before == nil && c.After != nil, c.Op != envelope.OpDelete && c.After == nil:
		return c, false
	}
	if record["source"].absent() || record["source"][0] != '{' {
		return c, false
	}
	source, ok := unique(record["source"], "ts_ns", "txId", "schema", "table", "db", "cluster")
	if !ok {
		return c, false
	}
	names := [3]string{}
	for i, name := range []string{"db", "schema", "table"} {
		s, isText := source[name].text()
		if !isText || len(source[name]) == 2 {
			return c, false
		}
		names[i] = s
	}
	c.Table = envelope.Table{DB: names[0], Schema: names[1], Name: names[2]}
	ns, err := strconv.ParseInt(string(source["ts_ns"]), 10, 64)
	if err != nil || ns <= 0 {
		return c, false
	}
	c.Time = ns
	if tx := source["txId"]; !tx.absent() && tx[0] == '"' {
		c.TxID = tx[1 : len(tx)-1]
	}
	return c, true
}

type member []byte

func (m member) absent() bool { return m == nil || m[0] == 'n' }

func (m member) text() (s string, ok bool) {
	return s, !m.absent() && json.Unmarshal(m, &s) == nil
}

// unique returns the members of an object, unless one of the names occurs twice.
func unique(b []byte, names ...string) (map[string]member, bool) {
	if b = bytes.TrimSpace(b); b[0] != '{' {
		return nil, false
	}
	members := map[string]member{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.Token()
	for d.More() {
		name, _ := d.Token()
		var v json.RawMessage
		d.Decode(&v)
		if _, twice := members[name.(string)]; twice {
			for _, known := range names {
				if known == name {
					return nil, false
				}
			}
			continue
		}
		members[name.(string)] = member(v)
	}
	return members, true
}

func FuzzDecode(f *testing.F) {
	for _, tt := range records {
		f.Add([]byte(tt.in), []byte(records[0].in))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var d dsql.Decoder
		for _, b := range [][]byte{first, second, first} {
			var c envelope.Change
			err := d.Decode(&c, b)
			want, ok := naive(b)
			if noKey := errors.Is(err, dsql.ErrNoPrimaryKey); ok != (err == nil || noKey) {
				t.Fatalf("%v, naive says %v", err, ok)
			} else if ok && noKey != (want.Op == envelope.OpDelete && want.Before == nil) {
				t.Fatal(err)
			}
			if err != nil {
				if fault, is := errors.AsType[*envelope.DecodeError](err); !is || fault.Offset < 0 || fault.Offset > int64(len(b)) {
					t.Fatal(err)
				}
			}
			if ok && text(&c) != text(&want) {
				t.Fatalf("%s, naive says %s", text(&c), text(&want))
			}
		}
	})
}

// FuzzReassembler reads a stream of lines, each a record of a shard that its
// first byte names; other bytes do something else.
func FuzzReassembler(f *testing.F) {
	good := bytes.Join([][]byte{
		append([]byte("a"), fragments("x", image, 3)[0]...), append([]byte("b"), fragments("x", image, 3)[2]...), []byte("!"), []byte("?"), []byte("~"),
		append([]byte("a"), mainRecord(`"after":`+described("x", image, 3)+`,"before":`+described("y", "{}", 1))...),
		append([]byte("a"), fragments("x", image, 3)[1]...), append([]byte("a"), fragments("y", "{}", 1)[0]...), []byte("c" + records[0].in),
	}, []byte("\n"))
	f.Add(good)
	for _, tt := range records {
		f.Add(append(append(good, "\na"...), tt.in...))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := &dsql.Reassembler{Limits: dsql.Limits{PendingBytes: 6000, Pending: 3, ImageBytes: 500, Fragments: 5}}
		n := 0
		for line := range bytes.Lines(in) {
			n++
			line = bytes.TrimSuffix(line, []byte("\n"))
			if len(line) == 0 {
				continue
			}
			switch line[0] {
			case '!':
				if err := r.Commit(ctx, func([]dsql.Floor) error { return nil }); err != nil {
					t.Fatal(err)
				}
			case '?':
				if _, err := r.Expire(ctx, time.Unix(int64(n), 0)); err != nil {
					t.Fatal(err)
				}
			case '~':
				r.Discard()
			case '.':
				r.Close(string(line[1:]))
			default:
				record := dsql.Record{Shard: string(line[:1]), Sequence: fmt.Sprint(n), Arrival: time.Unix(int64(n), 0), Data: line[1:]}
				out, err := r.Add(ctx, record)
				if out != nil && err != nil {
					t.Fatal("a record and an error")
				}
				if err != nil && !envelope.IsPermanent(err) && !errors.Is(err, dsql.ErrUncommitted) {
					t.Fatal(err)
				}
				if len(out) > len(line)+len(in)+100 {
					t.Fatalf("%d bytes of %d", len(out), len(in))
				}
			}
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			r.Floors()
			r.Pending()
		}
		if _, err := r.Expire(ctx, time.Unix(math.MaxInt32, 0)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Commit(ctx, func([]dsql.Floor) error { return nil }), r.Check()); err != nil {
			t.Fatal(err)
		}
		if left := r.Pending(); len(left) > 0 {
			t.Fatalf("%d orphans are left", len(left))
		}
	})
}
