package truth_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// mean returns the meaning of one of the capture's records.
func (c *capture) mean(r truth.Record) (m meaning, err error) {
	if isEnvelope(c.Variant) {
		return mean(r)
	}
	if m.key, _, _, err = unwrap(r.Key); err != nil {
		return m, fmt.Errorf("key: %w", err)
	}
	table := c.tableOf(r.Topic)
	if table == (envelope.Table{}) {
		return m, fmt.Errorf("topic %s", r.Topic)
	}
	var members object
	if m.value, members, m.wrapped, err = unwrap(r.Value); err != nil {
		return m, fmt.Errorf("value: %w", err)
	}
	if c.format.kind == cloudEvents {
		return m, m.readEvent(members, table)
	}
	m.table = table
	if err := m.readRow(members, c.format); err != nil {
		return m, err
	}
	if m.op == envelope.OpTombstone {
		m.table = c.standIn(r.Topic)
	}
	return m, m.readHeader(r)
}

var opCodes = map[string]envelope.Op{
	"c": envelope.OpCreate, "u": envelope.OpUpdate, "d": envelope.OpDelete, "r": envelope.OpRead,
}

// readRow reads a flattened row, nil for null. It has to have exactly the
// metadata that the transform was told to add.
func (m *meaning) readRow(row object, f *format) error {
	switch {
	case m.value == nil && f.deletes == tombstones:
		m.op, m.effect = envelope.OpDelete, envelope.Delete
		return nil
	case m.value == nil:
		m.op = envelope.OpTombstone
		return nil
	case row == nil:
		return errors.New("not an object")
	}
	names, deleted := f.members()
	metadata, source := 0, object{}
	for name := range row {
		if strings.HasPrefix(name, strings.TrimSuffix(deleted, "deleted")) {
			metadata++
		}
	}
	for field, name := range names {
		value, ok := row[name]
		if !ok {
			return fmt.Errorf("no member %s", name)
		}
		metadata--
		if field != "op" && field != "ts_ms" { // those are the envelope's own
			source[strings.TrimPrefix(field, "source.")] = value
		}
	}
	if f.carries("op") {
		if m.op = opCodes[text(row[names["op"]])]; m.op == envelope.OpUnknown {
			return fmt.Errorf("op %s", row[names["op"]])
		}
	}
	if f.deletes == rewritten {
		metadata--
		if want := fmt.Sprintf("%q", fmt.Sprint(m.op == envelope.OpDelete)); string(row[deleted]) != want {
			return fmt.Errorf("a %v with %s %s", m.op, deleted, row[deleted])
		}
	}
	if metadata != 0 {
		return fmt.Errorf("%d more members of metadata than were asked for", metadata)
	}
	if m.effect, m.after = envelope.Upsert, m.value; m.op == envelope.OpDelete {
		m.effect, m.before, m.after = envelope.Delete, m.value, nil
	}
	return m.readNamed(source)
}

// readNamed reads what a format tells of the source block. What it tells of the
// table has to agree with the topic.
func (m *meaning) readNamed(source object) (err error) {
	table := m.table
	if m.source, err = json.Marshal(source); err != nil {
		return err
	}
	if err = m.readSource(nil); err != nil {
		return err
	}
	told := m.table
	if m.table = (envelope.Table{DB: cmp.Or(told.DB, table.DB), Schema: cmp.Or(told.Schema, table.Schema), Name: cmp.Or(told.Name, table.Name)}); m.table != table {
		return fmt.Errorf("a record of %v on the topic of %v", told, table)
	}
	return nil
}

// readHeader compares the operation with that in the header, where the
// transform was told to add one.
func (m *meaning) readHeader(r truth.Record) error {
	header, ok := r.Headers["__op"]
	if !ok {
		return nil
	}
	value, _, _, err := unwrap([]byte(header))
	if err != nil {
		return err
	}
	op, gone := opCodes[text(value)], m.op == envelope.OpTombstone || m.op == envelope.OpDelete
	if op == envelope.OpUnknown || gone != (op == envelope.OpDelete) || !gone && m.op != envelope.OpUnknown && m.op != op {
		return fmt.Errorf("a %v with the header %s", m.op, header)
	}
	return nil
}

// readEvent reads a CloudEvent, nil for null.
func (m *meaning) readEvent(event object, table envelope.Table) error {
	switch {
	case m.value == nil:
		m.op = envelope.OpTombstone
		return nil
	case text(event["specversion"]) != "1.0":
		return errors.New("not a CloudEvent")
	}
	source := object{}
	for name, value := range event {
		if attribute, ok := strings.CutPrefix(name, "iodebezium"); ok {
			source[attribute] = value
		}
	}
	// Long integers are strings there.
	for attribute, name := range map[string]string{"tsms": "ts_ms", "tsus": "ts_us", "tsns": "ts_ns", "lsn": "lsn"} {
		if value := text(source[attribute]); value != "" {
			source[name] = json.RawMessage(value)
		}
	}
	op := source["op"] // the envelope's own
	delete(source, "op")
	m.table = table
	if err := m.readNamed(source); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, text(event["time"]))
	if err != nil || at.UnixMilli() != m.time/1e6 {
		return fmt.Errorf("the event's time is %s, the source's %d (%v)", event["time"], m.time, err)
	}
	if m.op = opCodes[text(op)]; m.op == envelope.OpUnknown {
		return fmt.Errorf("op %s", op)
	}
	if m.effect = envelope.Upsert; m.op == envelope.OpDelete {
		m.effect = envelope.Delete
	}
	_, data, _, err := unwrap(event["data"])
	m.before, m.after = notNull(data["before"]), notNull(data["after"])
	return err
}

// withoutClock returns a record's value without the connector's clock.
func (c *capture) withoutClock(t *testing.T, r truth.Record, m meaning) []byte {
	t.Helper()
	switch {
	case isEnvelope(c.Variant):
		return withoutClock(t, r.Value, m.value)
	case m.value == nil || c.format.kind == cloudEvents: // has none
		return r.Value
	}
	names, _ := c.format.members()
	return without(t, m.value, names["ts_ms"])
}

// bare returns a flattened row without its metadata, and any other image as it
// is.
func (c *capture) bare(t *testing.T, image envelope.Row) envelope.Row {
	t.Helper()
	if image == nil || isEnvelope(c.Variant) || c.format.kind == cloudEvents {
		return image
	}
	names, deleted := c.format.members()
	columns := []string{deleted}
	for _, name := range names {
		columns = append(columns, name)
	}
	return without(t, image, columns...)
}

// without returns an object without some of its members.
func without(t *testing.T, value []byte, names ...string) []byte {
	t.Helper()
	var members object
	if err := json.Unmarshal(value, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		delete(members, name)
	}
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
