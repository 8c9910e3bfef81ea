package truth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

// judgeDecode decodes every record with one decoder, or one for its topic, and
// compares it with the oracle's answer.
func judgeDecode(t *testing.T, c *capture) {
	if !isEnvelope(c.Variant) {
		judgeRefused(t, c)
	}
	if !c.decodable() {
		return
	}
	decoderOf := c.decoders(envelope.ByPosition)
	var key, value []byte
	got, want := map[envelope.Op]int{}, map[envelope.Op]int{}
	for i, r := range c.records {
		line := i + 1
		m := c.meanings[i]
		want[m.op]++
		key, value = append(key[:0], r.Key...), append(value[:0], r.Value...)
		var change envelope.Change
		if err := decoderOf(r.Topic).DecodeKeyed(&change, key, value); err != nil {
			t.Errorf("line %d: %v", line, err)
			continue
		}
		got[change.Op]++
		compare(t, line, &change, m)
		clone := change.Clone()
		compare(t, line, &clone, m)
		if clone.Version != change.Version {
			t.Errorf("line %d: the clone has another version", line)
		}
		scribble(key)
		scribble(value)
		compare(t, line, &clone, m)
		if t.Failed() && i > 100 {
			t.FailNow()
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("records by operation: got %v, want %v", got, want)
	}
	for op := envelope.OpUnknown; op <= envelope.OpSignal; op++ {
		if op == envelope.OpUnknown && isEnvelope(c.Variant) || op == envelope.OpSignal {
			if want[op] != 0 {
				t.Errorf("%d records of operation %v", want[op], op)
			}
			continue
		}
		c.report.add("records by operation", c, "%s %d", op, got[op])
	}
}

func scribble(b []byte) {
	for i := range b {
		b[i] = '!'
	}
}

func compare(t *testing.T, line int, got *envelope.Change, want meaning) {
	t.Helper()
	if got.Op != want.op {
		t.Errorf("line %d: Op %v, want %v", line, got.Op, want.op)
	}
	if effect := got.Effect(); effect != want.effect {
		t.Errorf("line %d: Effect %v, want %v", line, effect, want.effect)
	}
	if got.Table != want.table {
		t.Errorf("line %d: Table %q, want %q", line, got.Table, want.table)
	}
	if got.Time != want.time {
		t.Errorf("line %d: Time %d, want %d", line, got.Time, want.time)
	}
	if string(got.TxID) != want.txID {
		t.Errorf("line %d: TxID %q, want %q", line, got.TxID, want.txID)
	}
	for _, row := range []struct {
		name string
		got  envelope.Row
		want json.RawMessage
	}{{"Key", got.Key, want.key}, {"Before", got.Before, want.before}, {"After", got.After, want.after}} {
		switch {
		case (row.got == nil) != (row.want == nil), !bytes.Equal(row.got, row.want):
			t.Errorf("line %d: %s %.300s, want %.300s", line, row.name, row.got, row.want)
		case cap(row.got) != len(row.got):
			t.Errorf("line %d: %s has %d bytes of capacity behind it", line, row.name, cap(row.got)-len(row.got))
		}
	}
	image := want.after
	if want.op == envelope.OpDelete {
		image = want.before
	}
	if !bytes.Equal(got.Image(), image) {
		t.Errorf("line %d: Image %.300s, want %.300s", line, got.Image(), image)
	}
}

// judgeRefused: what is no envelope is refused for good, and a null is a
// tombstone there too.
func judgeRefused(t *testing.T, c *capture) {
	var d envelope.Debezium
	tombstones := 0
	for i, r := range c.records {
		value, _, _, err := unwrap(r.Value)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		// The key is left out where it is no row's (an outbox has text keys).
		var change envelope.Change
		err = d.Decode(&change, r.Value)
		if value == nil {
			tombstones++
			if err != nil || change.Op != envelope.OpTombstone || change.Effect() != envelope.None {
				t.Errorf("line %d: null decodes to %v, %v", i+1, change.Op, err)
			}
			continue
		}
		if _, ok := errors.AsType[*envelope.DecodeError](err); !ok || !envelope.IsPermanent(err) {
			t.Errorf("line %d: error %v, want a permanent *DecodeError", i+1, err)
		}
		if change.Op != envelope.OpUnknown || change.After != nil || !change.Version.IsZero() {
			t.Errorf("line %d: an error left %v behind", i+1, change.LogValue())
		}
		if t.Failed() {
			t.FailNow() // the others of its table fail too
		}
	}
	c.report.add("records that are no envelopes", c, "refused %d\ttombstones %d", len(c.records)-tombstones, tombstones)
}

// judgePrefixes: no strict prefix of a record decodes, nor does a record with
// something behind it. The sample is the shortest record of each operation.
func judgePrefixes(t *testing.T, c *capture) {
	var refusing envelope.Debezium
	decoderOf := c.decoders(envelope.ByPosition)
	for _, i := range shortest(c) {
		r := c.records[i]
		d := decoder(&refusing)
		if c.decodable() {
			d = decoderOf(r.Topic)
		} else { // its key need not be an object
			r.Key = nil
		}
		var change envelope.Change
		for n := range cuts(len(r.Value)) {
			if err := d.DecodeKeyed(&change, r.Key, r.Value[:n:n]); !isDecodeError(err) {
				t.Fatalf("line %d: the first %d of %d bytes of the value: %v, %v", i+1, n, len(r.Value), change.Op, err)
			}
		}
		if err := d.DecodeKeyed(&change, r.Key, append(r.Value[:len(r.Value):len(r.Value)], '}')); !isDecodeError(err) {
			t.Errorf("line %d with a brace behind it: %v, %v", i+1, change.Op, err)
		}
		if !c.decodable() {
			continue
		}
		for n := range cuts(len(r.Key)) {
			if err := d.DecodeKeyed(&change, r.Key[:n:n], r.Value); !isDecodeError(err) {
				t.Fatalf("line %d: the first %d of %d bytes of the key: %v, %v", i+1, n, len(r.Key), change.Op, err)
			}
		}
		// The failures must not have confused the decoder.
		if err := d.DecodeKeyed(&change, r.Key, r.Value); err != nil {
			t.Errorf("line %d: after its prefixes: %v", i+1, err)
		}
	}
}

// cuts yields the lengths of the strict prefixes of size bytes, but the empty
// one, which is a null. The work grows with the square of the size; of a long
// record it yields every one near the end, and before as many as take no longer
// than all of a short one.
func cuts(size int) iter.Seq[int] {
	const short, end = 4 << 10, 64
	step := max(1, size*size/(short*short))
	return func(yield func(int) bool) {
		for n := 1; n < size; n++ {
			if (n%step == 0 || n > size-end) && !yield(n) {
				return
			}
		}
	}
}

func isDecodeError(err error) bool {
	_, ok := errors.AsType[*envelope.DecodeError](err)
	return ok
}

// shortest returns the index of the shortest record of each operation.
func shortest(c *capture) []int {
	byKind := map[string]int{}
	for i, r := range c.records {
		kind := "no change"
		if c.decodable() {
			kind = c.meanings[i].op.String()
		}
		if j, ok := byKind[kind]; r.Value != nil && (!ok || len(r.Value) < len(c.records[j].Value)) {
			byKind[kind] = i
		}
	}
	return slices.Sorted(maps.Values(byKind))
}
