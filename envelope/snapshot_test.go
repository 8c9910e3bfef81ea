package envelope

import (
	"fmt"
	"testing"
)

// The marker is found in every shape that a record has.
func TestSnapshot(t *testing.T) {
	decoders := []struct {
		name   string
		d      Decoder
		record string // with the marker
	}{
		{"debezium", new(Debezium), `{"before":null,"after":{"id":1},"op":"r","source":{"connector":"postgresql","table":"t","snapshot":%s}}`},
		{"wrapped", new(Debezium), `{"schema":{"type":"struct"},"payload":{"after":{"id":1},"op":"r","source":{"snapshot":%s}}}`},
		{"cloudevents", new(CloudEvents), `{"id":"x","specversion":"1.0","iodebeziumop":"r","iodebeziumsnapshot":%s,"data":{"before":null,"after":{"id":1}}}`},
		{"flattened", new(Flattened), `{"id":1,"snapshot":"first","__op":"r","__source_snapshot":%s}`},
		{"flattened, unqualified", new(Flattened), `{"schema":{"type":"struct"},"payload":{"id":1,"__snapshot":%s}}`},
	}
	for _, d := range decoders {
		for _, m := range []struct {
			marker string
			want   Snapshot
		}{
			{`"first"`, SnapshotFirst},
			{`"first_in_data_collection"`, SnapshotFirstOf},
			{`"true"`, SnapshotBetween},
			{`true`, SnapshotBetween},
			{`"last_in_data_collection"`, SnapshotLastOf},
			{`"last"`, SnapshotLast},
			{`"incremental"`, SnapshotIncremental},
			{`"false"`, SnapshotNone},
			{`false`, SnapshotNone},
			{`null`, SnapshotNone},
			{`""`, SnapshotNone},
			{`"LAST"`, SnapshotNone},
			{`{"last":1}`, SnapshotNone},
		} {
			c := Change{Snapshot: SnapshotLast} // what was there before
			record := []byte(fmt.Sprintf(d.record, m.marker))
			if err := d.d.Decode(&c, record); err != nil || c.Snapshot != m.want {
				t.Errorf("%s: %s: %v, %v, want %v", d.name, m.marker, c.Snapshot, err, m.want)
			}
			if clone := c.Clone(); clone.Snapshot != m.want {
				t.Errorf("a clone has %v", clone.Snapshot)
			}
			if n := testing.AllocsPerRun(10, func() { _ = d.d.Decode(&c, record) }); n != 0 {
				t.Errorf("%s: %s: %v allocations", d.name, m.marker, n)
			}
		}
		var c Change
		if err := d.d.Decode(&c, []byte(`null`)); err != nil || c.Snapshot != SnapshotNone {
			t.Errorf("%s: a tombstone: %v, %v", d.name, c.Snapshot, err)
		}
	}
}

func TestSnapshotNames(t *testing.T) {
	seen := map[string]bool{}
	for s := SnapshotNone; s <= SnapshotIncremental+1; s++ {
		seen[s.String()] = true
	}
	if len(seen) != int(SnapshotIncremental)+2 || !seen["unknown"] {
		t.Error(seen)
	}
}
