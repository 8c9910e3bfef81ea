package envelope

import (
	"fmt"
	"strings"
	"testing"
)

// versionOf decodes a change with the members of a source block.
func versionOf(t *testing.T, op, members string, seen int64) Version {
	t.Helper()
	var d Debezium
	var c Change
	record := fmt.Sprintf(`{"op":%q,"before":{"id":1},"after":{"id":1},"source":{%s},"ts_ms":%d}`, op, members, seen)
	if err := d.Decode(&c, []byte(record)); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return c.Version
}

// The source blocks of each connector, the older first. "<" is the order that
// its position gives against the commit time, "=" a tie, "~" no position: the
// commit time decides. "!" says that the position belongs to one change of a row.
func TestConnectors(t *testing.T) {
	for _, c := range []struct {
		name       string
		old, newer string
		op         string
		relation   string
	}{
		{"postgresql", `"connector":"postgresql","sequence":"[\"10\",\"30\"]","lsn":30`, `"connector":"postgresql","sequence":"[\"20\",\"5\"]","lsn":5`, "u", "<!"},
		{"postgresql, one transaction", `"connector":"postgresql","sequence":"[\"10\",\"30\"]"`, `"connector":"postgresql","sequence":"[\"10\",\"31\"]"`, "u", "<!"},
		{"postgresql, 64 bits", `"connector":"postgresql","sequence":"[\"10\",\"18446744073709551614\"]"`, `"connector":"postgresql","sequence":"[\"10\",\"18446744073709551615\"]"`, "u", "<!"},
		{"postgresql, snapshot against stream", `"connector":"postgresql","snapshot":"last","lsn":30`, `"connector":"postgresql","sequence":"[\"30\",\"5\"]","lsn":5`, "r", "<!"},
		{"postgresql without sequence", `"connector":"postgresql","lsn":30`, `"connector":"postgresql","lsn":40`, "u", "~"},
		{"postgresql 1.6, whose sequence is wrong", `"connector":"postgresql","version":"1.6.4.Final","sequence":"[\"10\",\"30\"]","lsn":30`, `"connector":"postgresql","version":"1.6.4.Final","sequence":"[\"20\",\"40\"]","lsn":40`, "u", "~"},
		{"postgresql 1.7", `"connector":"postgresql","version":"1.7.0.Final","sequence":"[\"10\",\"30\"]"`, `"connector":"postgresql","version":"1.10.0.Final","sequence":"[\"20\",\"40\"]"`, "u", "<!"},
		{"postgresql, sequences that are none", `"connector":"postgresql","sequence":"[]"`, `"connector":"postgresql","sequence":"\"1\""`, "u", "~"},
		{"postgresql, empty sequence", `"connector":"postgresql","sequence":"[null,null]"`, `"connector":"postgresql","sequence":null`, "u", "~"},
		{"mysql, file as a number", `"connector":"mysql","file":"mysql-bin.999999","pos":9,"row":0,"server_id":1`, `"connector":"mysql","file":"mysql-bin.1000000","pos":4,"row":0,"server_id":1`, "u", "<!"},
		{"mysql, row", `"connector":"mysql","file":"b.1","pos":4,"row":9,"server_id":1`, `"connector":"mysql","file":"b.1","pos":4,"row":10,"server_id":1`, "u", "<!"},
		{"mysql, GTID before position", `"connector":"mysql","file":"b.9","pos":9,"row":0,"server_id":1,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:22"`, `"connector":"mysql","file":"b.1","pos":4,"row":0,"server_id":2,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23"`, "u", "<!"},
		{"mysql, tagged GTID", `"connector":"mysql","file":"b.9","pos":9,"row":0,"server_id":1,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:tag:22"`, `"connector":"mysql","file":"b.1","pos":4,"row":0,"server_id":2,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:tag:23"`, "u", "<!"},
		{"mysql, GTIDs of two sources, one server", `"connector":"mysql","file":"b.1","pos":4,"row":0,"server_id":1,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:99"`, `"connector":"mysql","file":"b.1","pos":5,"row":0,"server_id":1,"gtid":"4e11fa47-71ca-11e1-9e33-c80aa9429562:1"`, "u", "<!"},
		{"mysql, two servers", `"connector":"mysql","file":"b.1","pos":4,"row":0,"server_id":1`, `"connector":"mysql","file":"b.2","pos":4,"row":0,"server_id":2`, "u", "~!"},
		{"mariadb, one domain", `"connector":"mariadb","file":"b.9","pos":9,"row":0,"server_id":1,"gtid":"0-1-9"`, `"connector":"mariadb","file":"b.1","pos":4,"row":0,"server_id":2,"gtid":"0-2-10"`, "u", "<!"},
		{"mariadb, two domains", `"connector":"mariadb","file":"b.1","pos":4,"row":0,"server_id":1,"gtid":"0-1-99"`, `"connector":"mariadb","file":"b.1","pos":5,"row":0,"server_id":1,"gtid":"7-1-1"`, "u", "<!"},
		{"mysql without a number in the file", `"connector":"mysql","file":"","pos":4`, `"connector":"mysql","file":"binlog","pos":5`, "u", "~"},
		{"sqlserver", `"connector":"sqlserver","commit_lsn":"00000027:00000758:0005","change_lsn":"00000027:00000758:0003"`, `"connector":"sqlserver","commit_lsn":"00000027:00000760:0001","change_lsn":"00000027:00000759:0001"`, "u", "<"},
		{"sqlserver, one transaction", `"connector":"sqlserver","commit_lsn":"00000027:00000758:0005","change_lsn":"00000027:00000758:0003"`, `"connector":"sqlserver","commit_lsn":"00000027:00000758:0005","change_lsn":"00000027:00000758:0004"`, "u", "="},
		{"sqlserver, low digits", `"connector":"sqlserver","commit_lsn":"00000027:00000758:0005"`, `"connector":"sqlserver","commit_lsn":"00000027:00000758:0006"`, "u", "<"},
		{"sqlserver snapshot", `"connector":"sqlserver","commit_lsn":null`, `"connector":"sqlserver","commit_lsn":"NULL"`, "u", "~"},
		{"db2", `"connector":"db2","commit_lsn":"00000000:0000:1a","change_lsn":"00000000:0000:19"`, `"connector":"db2","commit_lsn":"00000000:0000:1B","change_lsn":"00000000:0000:01"`, "u", "<"},
		{"oracle", `"connector":"oracle","scn":"20","commit_scn":"30"`, `"connector":"oracle","scn":"19","commit_scn":"31"`, "u", "<"},
		{"oracle, one commit", `"connector":"oracle","scn":"20","commit_scn":"30"`, `"connector":"oracle","scn":"21","commit_scn":"30"`, "u", "<"},
		{"oracle, one SCN", `"connector":"oracle","scn":"20","commit_scn":"30"`, `"connector":"oracle","scn":"20","commit_scn":"30"`, "u", "="},
		{"oracle snapshot", `"connector":"oracle","scn":"20","commit_scn":null,"snapshot":"true"`, `"connector":"oracle","scn":"21","snapshot":"true"`, "r", "<"},
		{"informix", `"connector":"informix","commit_lsn":"30","change_lsn":"29"`, `"connector":"informix","commit_lsn":"31","change_lsn":"5"`, "u", "<"},
		{"cockroachdb", `"connector":"cockroachdb","ts_hlc":"1705318200000000000.0000000001"`, `"connector":"cockroachdb","ts_hlc":"1705318200000000000.0000000002"`, "u", "<"},
		{"TiCDC", `"connector":"TiCDC","file":"","pos":0,"row":0,"gtid":null,"commit_ts":447984072548253697`, `"connector":"TiCDC","file":"","pos":0,"row":0,"gtid":null,"commit_ts":447984072548253698`, "u", "<"},
		{"TiCDC, one transaction", `"connector":"TiCDC","commit_ts":447984072548253697`, `"connector":"TiCDC","commit_ts":447984072548253697`, "u", "="},
		{"vitess", `"connector":"vitess","keyspace":"k","shard":"-80","vgtid":"[]"`, `"connector":"vitess","keyspace":"k","shard":"-80","vgtid":"[]"`, "u", "~"},
		{"an unknown connector", `"connector":"new"`, `"name":"x"`, "u", "~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			relation, unique := strings.CutSuffix(c.relation, "!")
			ops := [2]string{c.op, c.op}
			if strings.HasSuffix(c.name, "against stream") {
				ops[1] = "u"
			}
			// The commit times run against the positions by a minute or less, so
			// that nothing but the position can be what decides.
			old := versionOf(t, ops[0], c.old+`,"ts_ms":7000`, 0)
			newer := versionOf(t, ops[1], c.newer+`,"ts_ms":6000`, 0)
			want := map[string]int{"<": -1, "=": 1, "~": 1}[relation]
			if got := old.Compare(newer); got != want || newer.Compare(old) != -want {
				t.Errorf("Compare = %d and %d, want %d: %v, %v", got, newer.Compare(old), want, old, newer)
			}
			// At one time a tie is a tie, and never a repeat unless the position is
			// the change's own.
			old, newer = versionOf(t, ops[0], c.old+`,"ts_ms":7000`, 0), versionOf(t, ops[1], c.newer+`,"ts_ms":7000`, 0)
			want = map[string]int{"<": -1}[relation]
			if got := old.Compare(newer); got != want || old.Repeats(newer) {
				t.Errorf("at one time Compare = %d, want %d; Repeats = %v", got, want, old.Repeats(newer))
			}
			if got := old.Repeats(versionOf(t, ops[0], c.old+`,"ts_ms":7000`, 9)); got != unique {
				t.Errorf("Repeats of itself = %v, want %v", got, unique)
			}
		})
	}
}

// Connectors whose positions are made of the commit time.
func TestTimePositions(t *testing.T) {
	mongo := func(version string, ms, ord int) Version {
		return versionOf(t, "u", fmt.Sprintf(`"connector":"mongodb","version":%q,"collection":"c","ord":%d,"ts_ms":%d`, version, ord, ms), 0)
	}
	spanner := func(ms, sequence, mod int) Version {
		return versionOf(t, "u", fmt.Sprintf(`"connector":"spanner","sequence":"%08d","mod_number":%d,"ts_ms":%d`, sequence, mod, ms), 0)
	}
	for _, c := range []struct {
		name       string
		old, newer Version
		want       int
	}{
		{"mongodb, one second", mongo("3.3.2.Final", 5000, 1), mongo("3.3.2.Final", 5000, 2), -1},
		{"mongodb, two seconds", mongo("2.7.0.Final", 5000, 2), mongo("2.7.0.Final", 6000, 1), -1},
		{"mongodb from 3.4, where ord belongs to a time that is not sent", mongo("3.4.0.Final", 5000, 1), mongo("3.4.0.Final", 5000, 2), 0},
		{"spanner, one transaction", spanner(5000, 1, 2), spanner(5000, 2, 1), -1},
		{"spanner, one mod", spanner(5000, 1, 1), spanner(5000, 1, 2), -1},
		{"spanner, two transactions", spanner(5000, 9, 9), spanner(5001, 1, 1), -1},
	} {
		if got := c.old.Compare(c.newer); got != c.want || c.newer.Compare(c.old) != -c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTables(t *testing.T) {
	for members, want := range map[string]Table{
		`"connector":"postgresql","db":"d","schema":"s","table":"t"`:                   {"d", "s", "t"},
		`"connector":"mysql","db":"d","table":"t"`:                                     {"d", "", "t"},
		`"connector":"mongodb","db":"d","collection":"c"`:                              {"d", "", "c"},
		`"connector":"vitess","db":"","keyspace":"k","table":"t"`:                      {"", "k", "t"},
		`"connector":"spanner","database_id":"d","table":"t"`:                          {"d", "", "t"},
		`"connector":"postgresql","db":"d\u0022","schema":null,"table":"\"a\".\u00e9"`: {`d"`, "", `"a".é`},
	} {
		var d Debezium
		var c Change
		if err := d.Decode(&c, []byte(`{"op":"c","after":{},"source":{`+members+`}}`)); err != nil || c.Table != want {
			t.Errorf("%s: %q, %v", members, c.Table, err)
		}
	}
}

func TestTransactionIDs(t *testing.T) {
	for record, want := range map[string]string{
		`{"op":"c","after":{},"source":{"txId":571},"transaction":{"id":"571:53195829"}}`: "571",
		`{"op":"c","after":{},"source":{"txId":null,"gtid":"0-1-2"}}`:                     "0-1-2",
		`{"op":"c","after":{},"source":{},"transaction":{"total_order":1,"id":"x"}}`:      "x",
		`{"op":"c","after":{},"source":{},"transaction":null}`:                            "",
		`{"status":"END","id":"571:1"}`:                                                   "571:1",
	} {
		var d Debezium
		var c Change
		if err := d.Decode(&c, []byte(record)); err != nil || string(c.TxID) != want {
			t.Errorf("%s: %q, %v", record, c.TxID, err)
		}
	}
}

func TestBefore(t *testing.T) {
	for version, want := range map[string]bool{"1.6.4.Final": true, "0.10.0.CR2": true, "1.7.0.Final": false, "1.10.0.Final": false, "2.0.0.Final": false, "10.0": false, "1": true, "": false, "x.y": false, "1.x": false} {
		if got := before([]byte(version), 1, 7); got != want {
			t.Errorf("before(%q, 1, 7) = %v", version, got)
		}
	}
}
