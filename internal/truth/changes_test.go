package truth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// A change is a decoded change of one row that has a key.
type change struct {
	envelope.Change
	line   int              // in records.jsonl
	row    int              // the row's number: equal for the changes of one row
	lsn    uint64           // source.lsn, 0 if there is none
	source string           // the source block, or what the format has of it
	blind  envelope.Version // of the same record without the envelope's own times
	byTime envelope.Version // of a decoder that orders by time
	agrees *bool            // with the database's row, once compared
}

// A history is the stream of one variant as the order rules see it, and the
// rows it ought to end with.
type history struct {
	changes []change
	rows    []string             // by number: table and key columns as text
	truth   map[string]truth.Row // by the same text; only of tables that the stream has
}

// history reads the capture's history once.
func (c *capture) history(t *testing.T) *history {
	t.Helper()
	if c.read == nil {
		c.read = readHistory(t, c)
	}
	return c.read
}

// readHistory decodes the changes of a capture. A row is numbered by AppendKey,
// that is by the transport's key; the key's text serves to find it in the truth.
func readHistory(t *testing.T, c *capture) *history {
	t.Helper()
	h := &history{truth: map[string]truth.Row{}}
	d, blind, byTime := c.decoders(envelope.ByPosition), c.decoders(envelope.ByPosition), c.decoders(envelope.ByTime)
	numbers := map[string]int{}
	columns := map[string][]string{} // of the key, by table; where an ALTER changes it, the last
	for i, r := range c.records {
		one, m := change{line: i + 1}, c.meanings[i]
		if err := d(r.Topic).DecodeKeyed(&one.Change, r.Key, r.Value); err != nil {
			t.Fatalf("line %d: %v", one.line, err)
		}
		if effect := one.Effect(); effect != envelope.Upsert && effect != envelope.Delete || one.Key == nil {
			continue
		}
		var without envelope.Change
		if err := blind(r.Topic).DecodeKeyed(&without, r.Key, c.withoutClock(t, r, m)); err != nil {
			t.Fatalf("line %d without the connector's clock: %v", one.line, err)
		}
		one.blind = without.Version
		if err := byTime(r.Topic).DecodeKeyed(&without, r.Key, r.Value); err != nil {
			t.Fatalf("line %d by time: %v", one.line, err)
		}
		one.byTime = without.Version
		one.source = string(m.source)
		var source struct {
			LSN uint64 `json:"lsn"`
		}
		if m.source != nil { // a null has none
			if err := json.Unmarshal(m.source, &source); err != nil {
				t.Fatalf("line %d: %v", one.line, err)
			}
		}
		one.lsn, one.After = source.LSN, c.bare(t, one.After)

		id, err := one.AppendKey(nil)
		if err != nil {
			t.Fatalf("line %d: %v", one.line, err)
		}
		names, values := keyText(t, m.key)
		table := tableName(m.table)
		columns[table] = names
		number, known := numbers[string(id)]
		if !known {
			number = len(h.rows)
			numbers[string(id)] = number
			h.rows = append(h.rows, rowText(table, values))
		}
		one.row = number
		h.changes = append(h.changes, one)
	}
	for _, row := range c.rows {
		names, known := columns[row.Table]
		if !known {
			continue
		}
		values := make([]string, len(names))
		for i, name := range names {
			if v := row.Row[name]; v != nil {
				values[i] = *v
			}
		}
		h.truth[rowText(row.Table, values)] = row
	}
	return h
}

// tableName is the table's name as the truth has it.
func tableName(t envelope.Table) string {
	if t.Schema != "" {
		return t.Schema + "." + t.Name
	}
	return t.DB + "." + t.Name
}

// keyText returns the key's columns, sorted, and their values as text. What
// ByLogicalTableRouter adds is none of them.
func keyText(t *testing.T, key json.RawMessage) (names, values []string) {
	t.Helper()
	var columns object
	if err := json.Unmarshal(key, &columns); err != nil {
		t.Fatal(err)
	}
	delete(columns, "__dbz__physicalTableIdentifier")
	names = sortedKeys(columns)
	for _, name := range names {
		values = append(values, text(columns[name]))
	}
	return names, values
}

func rowText(table string, values []string) string {
	return table + "\x00" + strings.Join(values, "\x00")
}

// judgeIdentity: AppendKey tells rows apart exactly as table, key columns and
// values do.
func judgeIdentity(t *testing.T, c *capture) {
	if !c.decodable() {
		return
	}
	h := c.history(t)
	byKey, byName := map[string]string{}, map[string]string{}
	for i := range h.changes {
		one := &h.changes[i]
		key, err := one.AppendKey(nil)
		if err != nil {
			t.Fatalf("line %d: %v", one.line, err)
		}
		names, values := keyText(t, json.RawMessage(one.Key))
		name := fmt.Sprintf("%q %q %q", one.Table, names, values)
		if before, ok := byKey[string(key)]; ok && before != name {
			t.Errorf("line %d: %s has the key of %s", one.line, name, before)
		}
		if before, ok := byName[name]; ok && before != string(key) {
			t.Errorf("line %d: %s has another key than before", one.line, name)
		}
		byKey[string(key)], byName[name] = name, string(key)
		if named, err := one.AppendKey(nil, names...); err != nil || !bytes.Equal(named, key) {
			t.Errorf("line %d: with its columns named %s has another key (%v)", one.line, name, err)
		}
	}
	if len(byKey) != len(h.rows) {
		t.Errorf("%d rows, want %d", len(byKey), len(h.rows))
	}
}

// withoutClock cuts the envelope's own times out of a record. All other bytes
// stay: what the source block says is in them.
// body is the envelope in it.
func withoutClock(t *testing.T, value, body []byte) []byte {
	t.Helper()
	start := bytes.LastIndex(value, body) // the schema stands before the payload
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	var kept [][]byte
	for dec.More() {
		from := dec.InputOffset()
		name, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains([]json.Token{"ts_ms", "ts_us", "ts_ns"}, name) {
			kept = append(kept, bytes.TrimLeft(body[from:dec.InputOffset()], ", "))
		}
	}
	return slices.Concat(value[:start], []byte{'{'}, bytes.Join(kept, []byte{','}), []byte{'}'}, value[start+len(body):])
}
