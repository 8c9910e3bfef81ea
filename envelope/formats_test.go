package envelope

import (
	"errors"
	"testing"
)

// Flattened rows and CloudEvents that the captures do not have.
func TestFlattened(t *testing.T) {
	for _, r := range []struct {
		name   string
		d      Flattened
		value  string
		op     Op
		table  Table
		time   int64
		txID   string
		placed bool // has a position
		before bool // the row is the before image
		err    error
		path   string
	}{
		{name: "nothing known", value: `{"id":1}`, op: OpUnknown},
		{name: "columns called like metadata", value: `{"op":"d","table":1,"schema":2,"ts_ms":"x","source":{},"deleted":"true"}`, op: OpUnknown},
		{name: "all of it", value: `{"id":1,"__op":"u","__db":"d","__schema":"s","__table":"t","__source_ts_ns":5,"__ts_ms":6,"__txId":7,"__lsn":30,"__sequence":"[\"10\",\"30\"]","__deleted":"false"}`,
			op: OpUpdate, table: Table{"d", "s", "t"}, time: 5, txID: "7", placed: true},
		{name: "the transaction block's id", value: `{"id":1,"__id":"571:3","__total_order":1}`, op: OpUnknown, txID: "571:3"},
		{name: "deleted", value: `{"id":1,"__deleted":"true"}`, op: OpDelete, before: true},
		{name: "deleted as a boolean", value: `{"id":1,"__deleted":true}`, op: OpDelete, before: true},
		{name: "delete by op", value: `{"id":1,"__op":"d"}`, op: OpDelete, before: true},
		{name: "another prefix", d: Flattened{Prefix: "meta."}, value: `{"id":1,"__op":"d","meta.op":"c","meta.source_table":"t"}`, op: OpCreate, table: Table{Name: "t"}},
		{name: "table given", d: Flattened{Table: Table{"d", "s", "t"}}, value: `{"id":1,"__table":"u"}`, op: OpUnknown, table: Table{"d", "s", "u"}},
		{name: "connector given", d: Flattened{Connector: "sqlserver"}, value: `{"id":1,"__commit_lsn":"0000:01","__source_ts_ms":5}`, op: OpUnknown, time: 5e6, placed: true},
		{name: "connector in the row", d: Flattened{Connector: "mysql"}, value: `{"id":1,"__connector":"oracle","__scn":"5","__commit_scn":"6"}`, op: OpUnknown, placed: true},
		{name: "MySQL without its row", value: `{"id":1,"__file":"b.1","__pos":4}`, op: OpUnknown},
		{name: "MySQL", value: `{"id":1,"__file":"b.1","__pos":4,"__row":0}`, op: OpUnknown, placed: true},
		{name: "wrapped", value: `{"schema":{"type":"struct"},"payload":{"id":1,"__op":"c"}}`, op: OpCreate},
		{name: "wrapped null", value: `{"schema":{"type":"struct"},"payload":null}`, op: OpTombstone},
		{name: "null", d: Flattened{Table: Table{Name: "t"}}, value: `null`, op: OpTombstone, table: Table{Name: "t"}},
		{name: "heartbeat", value: `{"ts_ms":5}`, op: OpHeartbeat, time: 5e6},
		{name: "wrapped heartbeat", value: `{"schema":{"type":"struct"},"payload":{"ts_ms":5}}`, op: OpHeartbeat, time: 5e6},
		{name: "transaction", value: `{"status":"BEGIN","id":"5","event_count":null,"data_collections":null,"ts_ms":5}`, op: OpTransaction, time: 5e6, txID: "5"},
		{name: "logical message", value: `{"op":"m","ts_ms":6,"source":{"ts_ms":5},"message":{"prefix":"p","content":"AAAA"}}`, op: OpMessage, time: 5e6, placed: false},
		{name: "a table of status and id", value: `{"status":"BEGIN","id":"5"}`, op: OpUnknown},
		{name: "no object", value: `[1]`, err: ErrType},
		{name: "payload of another type", value: `{"schema":null,"payload":1}`, err: ErrType, path: "/payload"},
		{name: "op of another type", value: `{"__op":1}`, err: ErrType, path: "/__op"},
		{name: "table of another type", value: `{"schema":null,"payload":{"__table":1}}`, err: ErrType, path: "/payload/__source_table"},
		{name: "time of another type", value: `{"__ts_ms":"x"}`, err: ErrType, path: "/__ts_ms"},
		{name: "op twice", value: `{"__op":"c","__op":"d"}`, err: ErrDuplicate, path: "/__op"},
		{name: "broken", value: `{"id":{"secret":x}}`, err: ErrSyntax, path: "/id"},
		{name: "broken payload", value: `{"payload":{"secret":x}}`, err: ErrSyntax, path: "/payload"},
		{name: "too long", d: Flattened{MaxBytes: 5}, value: `{"id":1}`, err: ErrLimit},
	} {
		t.Run(r.name, func(t *testing.T) {
			d := Flattened{Prefix: r.d.Prefix, Table: r.d.Table, Connector: r.d.Connector, MaxBytes: r.d.MaxBytes}
			for range 2 {
				var c Change
				err := d.Decode(&c, []byte(r.value))
				if r.err != nil {
					fault, ok := errors.AsType[*DecodeError](err)
					if !ok || !errors.Is(err, r.err) || fault.Path != r.path || c.Op != 0 {
						t.Fatalf("%v, want %v at %s", err, r.err, r.path)
					}
					continue
				}
				placed := c.Version.scheme() > schemeTime
				if err != nil || c.Op != r.op || c.Table != r.table || c.Time != r.time || string(c.TxID) != r.txID || placed != r.placed || (c.Before != nil) != r.before {
					t.Fatalf("%s%v", describe(&c), err)
				}
				if r.before == (c.After != nil) && c.Effect() != None {
					t.Fatalf("images of %s", describe(&c))
				}
			}
		})
	}
}

func TestTombstoneDeletes(t *testing.T) {
	d := Flattened{TombstoneDeletes: true, Table: Table{Name: "t"}}
	var c Change
	if err := d.DecodeKeyed(&c, []byte(`{"id":1}`), nil); err != nil || c.Effect() != Delete || c.Table.Name != "t" {
		t.Fatal(describe(&c), err)
	}
	deleted, err := c.AppendKey(nil)
	if err != nil || !c.Version.IsZero() {
		t.Fatal(err, c.Version)
	}
	if err := d.DecodeKeyed(&c, []byte(`{"id":1}`), []byte(`{"id":1,"v":2}`)); err != nil {
		t.Fatal(err)
	}
	if row, err := c.AppendKey(nil); err != nil || string(row) != string(deleted) || c.Version != (Version{}) {
		t.Errorf("%q and %q, %v", row, deleted, err) // nothing is known of the order: arrival counts
	}
	if err := d.DecodeKeyed(&c, nil, nil); err != nil || c.Op != OpTombstone {
		t.Error("without a key:", describe(&c), err)
	}
	if err := d.DecodeKeyed(&c, []byte(`1`), nil); !errors.Is(err, ErrType) {
		t.Error(err)
	}
}

func TestCloudEvents(t *testing.T) {
	const attributes = `"specversion":"1.0","iodebeziumconnector":"postgresql","iodebeziumtable":"t","iodebeziumtsns":"5","iodebeziumtxId":"7","iodebeziumtxid":"7:30"`
	for _, r := range []struct {
		name  string
		value string
		op    Op
		err   error
		path  string
	}{
		{name: "bare", value: `{` + attributes + `,"iodebeziumop":"u","data":{"before":null,"after":{"id":1}}}`, op: OpUpdate},
		{name: "wrapped", value: `{"data":{"schema":{"type":"struct"},"payload":{"before":null,"after":{"id":1}}},"iodebeziumop":"c",` + attributes + `}`, op: OpCreate},
		{name: "unknown op", value: `{` + attributes + `,"iodebeziumop":"x","data":{"after":{"id":1}}}`, op: OpUnknown},
		{name: "delete", value: `{` + attributes + `,"iodebeziumop":"d","data":{"before":{"id":1},"after":null}}`, op: OpDelete},
		{name: "null", value: `null`, op: OpTombstone},
		{name: "no CloudEvent", value: `{"op":"c","after":{"id":1}}`, err: ErrMissing, path: "/specversion"},
		{name: "no op", value: `{` + attributes + `,"data":{"after":{"id":1}}}`, err: ErrMissing, path: "/iodebeziumop"},
		{name: "op of another type", value: `{` + attributes + `,"iodebeziumop":1,"data":{"after":{"id":1}}}`, err: ErrType, path: "/iodebeziumop"},
		{name: "no data", value: `{` + attributes + `,"iodebeziumop":"c"}`, err: ErrMissing, path: "/data"},
		{name: "Avro", value: `{` + attributes + `,"iodebeziumop":"c","data":"AAAA"}`, err: ErrType, path: "/data"},
		{name: "payload of another type", value: `{` + attributes + `,"iodebeziumop":"c","data":{"schema":null,"payload":1}}`, err: ErrType, path: "/data/payload"},
		{name: "no image", value: `{` + attributes + `,"iodebeziumop":"u","data":{"before":{"id":1},"after":null}}`, err: ErrMissing, path: "/data/after"},
		{name: "image of another type", value: `{` + attributes + `,"iodebeziumop":"u","data":{"schema":null,"payload":{"after":"x"}}}`, err: ErrType, path: "/data/payload/after"},
		{name: "before of another type", value: `{` + attributes + `,"iodebeziumop":"u","data":{"before":1,"after":{}}}`, err: ErrType, path: "/data/before"},
		{name: "twice", value: `{` + attributes + `,"iodebeziumop":"u","iodebeziumop":"d","data":{}}`, err: ErrDuplicate, path: "/iodebeziumop"},
		{name: "image twice", value: `{` + attributes + `,"iodebeziumop":"u","data":{"after":{},"after":{}}}`, err: ErrDuplicate, path: "/data/after"},
		{name: "time of another type", value: `{"specversion":"1.0","iodebeziumtsms":"x","iodebeziumop":"u","data":{"after":{}}}`, err: ErrType, path: "/iodebeziumtsms"},
		{name: "broken", value: `{"data":{"payload":{"after":{"secret":{"inner":x}}}}}`, err: ErrSyntax, path: "/data/payload/after/secret"},
		{name: "text", value: `"x"`, err: ErrType},
	} {
		t.Run(r.name, func(t *testing.T) {
			var d CloudEvents
			for range 2 {
				var c Change
				err := d.Decode(&c, []byte(r.value))
				if r.err != nil {
					fault, ok := errors.AsType[*DecodeError](err)
					if !ok || !errors.Is(err, r.err) || fault.Path != r.path || c.Op != 0 {
						t.Fatalf("%v, want %v at %s", err, r.err, r.path)
					}
					continue
				}
				if err != nil || c.Op != r.op || c.Op != OpTombstone && (c.Table.Name != "t" || c.Time != 5 || string(c.TxID) != "7" || string(c.Image()) != `{"id":1}`) {
					t.Fatalf("%s%v", describe(&c), err)
				}
			}
		})
	}
	var d CloudEvents
	if err := d.DecodeKeyed(new(Change), []byte(`1`), nil); !errors.Is(err, ErrType) {
		t.Error(err)
	}
}
