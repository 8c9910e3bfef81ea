package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The oracle: a decoder made of maps and encoding/json, written from the
// format's description and sharing nothing with the real one.

type member struct {
	name string
	raw  json.RawMessage
}

// membersOf lists the members of an object, nil if b is something else.
func membersOf(b []byte) (all []member) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	all = []member{}
	for d.More() {
		name, _ := d.Token()
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return nil
		}
		all = append(all, member{name.(string), raw})
	}
	return all
}

func find(all []member, name string) json.RawMessage {
	for _, m := range all {
		if m.name == name && string(m.raw) != "null" {
			return m.raw
		}
	}
	return nil
}

func has(all []member, names ...string) bool {
	return slices.ContainsFunc(all, func(m member) bool { return slices.Contains(names, m.name) })
}

// twice reports whether a member that the decoder knows is there twice.
func twice(all []member) bool {
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.name] && m.name != "" && slices.Contains(fieldNames[:], m.name) {
			return true
		}
		seen[m.name] = true
	}
	return false
}

type naive struct {
	op            Op
	before, after json.RawMessage
	table         Table
	time          int64
	bad           bool // valid JSON, but not a record
}

func (o *naive) decode(b []byte) {
	if t := bytes.TrimLeft(b, " \t\r\n"); len(t) == 0 || string(t) == "null" || string(t) == "default" {
		o.op = OpTombstone
		return
	}
	all := membersOf(b)
	if len(all) == 2 && has(all, "schema") && has(all, "payload") {
		schema := membersOf(find(all, "schema"))
		var kind string
		if find(all, "schema") == nil || json.Unmarshal(find(schema, "type"), &kind) == nil || bytes.HasPrefix(find(all, "schema"), []byte(`{"type":"`)) {
			payload := find(all, "payload")
			if payload == nil {
				o.op = OpTombstone
				return
			}
			all = membersOf(payload)
		}
	}
	if all == nil || twice(all) {
		o.bad = true
		return
	}
	switch {
	case has(all, "op") && has(all, "before", "after", "source", "message", "patch", "updateDescription"):
		o.envelope(all)
		return
	case has(all, "id") && slices.Contains([]string{`"BEGIN"`, `"END"`}, string(find(all, "status"))):
		o.op = OpTransaction
	case has(all, "databaseName") && has(all, "ddl", "tableChanges"):
		o.op = OpSchemaChange
		if find(all, "source") != nil {
			o.source(all)
			return
		}
	case has(all, "ts_ms") && len(all) == 1:
		o.op = OpHeartbeat
	case has(all, "type") && has(all, "aggregate_type") && has(all, "additional_data"):
		o.op = OpNotification
	default:
		o.bad = true
	}
	o.time = o.nanos(all)
}

func (o *naive) envelope(all []member) {
	for name, to := range map[string]*json.RawMessage{"before": &o.before, "after": &o.after} {
		*to = find(all, name)
		o.bad = o.bad || *to != nil && (*to)[0] != '{'
	}
	op := find(all, "op")
	o.bad = o.bad || op != nil && op[0] != '"'
	switch strings.ToLower(strings.Trim(string(op), `"`)) {
	case "c", "i":
		o.op = OpCreate
	case "u":
		o.op = OpUpdate
	case "r":
		o.op = OpRead
	case "d":
		o.op = OpDelete
	case "t":
		o.op = OpTruncate
	case "m":
		o.op = OpMessage
	}
	o.bad = o.bad || o.after == nil && slices.Contains([]Op{OpCreate, OpUpdate, OpRead, OpUnknown}, o.op)
	o.source(all)
}

func (o *naive) source(all []member) {
	source := membersOf(find(all, "source"))
	if source == nil || twice(source) {
		o.bad = true
		return
	}
	text := func(names ...string) (s string) {
		for _, name := range names {
			if raw := find(source, name); raw != nil {
				o.bad = o.bad || json.Unmarshal(raw, &s) != nil
				if s != "" {
					return s
				}
			}
		}
		return ""
	}
	o.table = Table{text("db", "database_id"), text("schema", "keyspace"), text("table", "collection")}
	o.time = o.nanos(source)
	o.nanos(all)
	var connector string
	_ = json.Unmarshal(find(source, "connector"), &connector)
	o.bad = o.bad || connector == "cassandra" && o.op == OpRead
}

func (o *naive) nanos(all []member) int64 {
	for name, unit := range map[string]int64{"ts_ns": 1, "ts_us": 1e3, "ts_ms": 1e6} {
		if name == "ts_us" && find(all, "ts_ns") != nil || name == "ts_ms" && (find(all, "ts_ns") != nil || find(all, "ts_us") != nil) {
			continue
		}
		raw := find(all, name)
		if raw == nil {
			continue
		}
		n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
		product := new(big.Int).Mul(big.NewInt(n), big.NewInt(unit))
		o.bad = o.bad || err != nil || !product.IsInt64() || strings.ContainsAny(string(raw), "+_")
		return product.Int64()
	}
	return 0
}

func FuzzDebezium(f *testing.F) {
	for _, r := range records {
		f.Add([]byte(r.value))
	}
	for _, g := range goldens(f) {
		f.Add(g.value)
	}
	f.Add([]byte(`{"payload":{"op":"","after":{},"source":{}},"schema":{"name":false,"type":""}}`))
	var learned Debezium
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Change
		err := learned.Decode(&c, b)
		var fresh Debezium
		var again Change
		if err2 := fresh.Decode(&again, b); (err == nil) != (err2 == nil) || err == nil && describe(&c) != describe(&again) {
			t.Fatalf("%v by what was learned, %v without", err, err2)
		}
		if err != nil {
			fault, ok := errors.AsType[*DecodeError](err)
			if !ok || fault.Offset < 0 || fault.Offset > int64(len(b)) || c.Op != 0 || c.After != nil {
				t.Fatalf("%v, %+v", err, c)
			}
		}
		var want naive
		want.decode(b)
		if want.op != OpTombstone || len(bytes.TrimLeft(b, " \t\r\n")) > len("default") {
			if valid := json.Valid(b) && utf8.Valid(b); valid == errors.Is(err, ErrSyntax) {
				t.Fatalf("%v, valid: %v", err, valid)
			} else if !valid {
				return
			}
		}
		if want.bad != (err != nil) {
			t.Fatalf("%v, the oracle: %+v", err, want)
		}
		if err != nil {
			return
		}
		if c.Op != want.op || !bytes.Equal(c.Before, want.before) || !bytes.Equal(c.After, want.after) || c.Table != want.table || c.Time != want.time {
			t.Fatalf("%s, the oracle: %+v", describe(&c), want)
		}
		for _, r := range []Row{c.Before, c.After} {
			for _, err := range r.Columns() {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if v := c.Version; v.Compare(v) != 0 {
			t.Fatal(v)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":1.50e3,"b":"x\u00e9"}`, `{"b":[{"c":[]},-0],"a":{"d":null}}`, `{"a":1e9999999999999999999}`, `{"a":1,"\u0061":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := (&Change{Key: b}).AppendKey(nil)
		if (err == nil) && (!json.Valid(b) || !utf8.Valid(b) || membersOf(b) == nil) {
			t.Fatalf("a key of %q", b)
		}
		if err != nil {
			return
		}
		// A second spelling of the same object, by encoding/json.
		var v map[string]json.RawMessage
		if json.Unmarshal(b, &v) != nil {
			t.Fatal("not an object")
		}
		second, err := json.Marshal(v)
		if err != nil || !utf8.Valid(second) {
			t.Fatal(err)
		}
		if again, err := (&Change{Key: second}).AppendKey(nil); err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%q and %q: %q and %q, %v", b, second, got, again, err)
		}
	})
}

func FuzzVersion(f *testing.F) {
	for _, v := range []Version{{}, TimeVersion(t0), PositionVersion(t0, 1, 2), pg(flagFirst, t0, t0, 1, 2), my(0, t0, t0, binlogPos{file: 1, gtid: 7, sequence: 1})} {
		b, _ := v.MarshalBinary()
		f.Add(b, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var v, w Version
		if v.UnmarshalBinary(a) != nil || w.UnmarshalBinary(b) != nil {
			return
		}
		if v.Compare(w) != -w.Compare(v) || v.Repeats(w) != w.Repeats(v) {
			t.Fatalf("%v and %v", v, w)
		}
		if back, err := v.MarshalBinary(); err != nil || !bytes.Equal(back, a) {
			t.Fatalf("%x became %x", a, back)
		}
		_ = v.String()
	})
}
