package truth_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/internal/truth"
)

// The oracle says what a record is, with encoding/json and maps alone. It
// shares no code with the decoder, and nothing about it is quick or clever.

type object = map[string]json.RawMessage

// what a record is and must decode to.
type meaning struct {
	op                 envelope.Op
	effect             envelope.Effect
	table              envelope.Table
	time               int64
	txID               string
	key, before, after json.RawMessage // nil for null
	source             json.RawMessage // nil if there is none
	value              json.RawMessage // out of its wrapper
	wrapped            bool
}

// mean returns a record's meaning. Records of topics that are no table's are
// classified twice, by their shape and by their topic, which have to agree.
func mean(r truth.Record) (meaning, error) {
	var m meaning
	var err error
	if m.key, _, _, err = unwrap(r.Key); err != nil {
		return m, fmt.Errorf("key: %w", err)
	}
	var e object
	if m.value, e, m.wrapped, err = unwrap(r.Value); err != nil {
		return m, fmt.Errorf("value: %w", err)
	}
	switch {
	case m.value == nil:
		m.op = envelope.OpTombstone
		return m, nil
	case e == nil:
		return m, errors.New("not an object")
	}
	if m.op, m.effect, err = shape(e); err != nil {
		return m, err
	}
	if byTopic := opOfTopic(r.Topic); byTopic != envelope.OpUnknown && byTopic != m.op ||
		byTopic == envelope.OpUnknown && !ofTable(m.op) {
		return m, fmt.Errorf("a %v on topic %s", m.op, r.Topic)
	}
	m.before, m.after, m.source = notNull(e["before"]), notNull(e["after"]), notNull(e["source"])
	if m.source == nil { // a transaction record, a heartbeat, a notification: the record's own time
		if m.time, err = readTime(e); err != nil {
			return m, err
		}
		if m.op == envelope.OpTransaction {
			m.txID = text(e["id"])
		}
		return m, nil
	}
	return m, m.readSource(e)
}

func ofTable(op envelope.Op) bool {
	switch op {
	case envelope.OpCreate, envelope.OpUpdate, envelope.OpDelete, envelope.OpRead, envelope.OpTruncate:
		return true
	}
	return false
}

// opOfTopic goes by the topic names that the connectors give, and that the
// captures' configurations chose.
func opOfTopic(topic string) envelope.Op {
	switch {
	case strings.HasPrefix(topic, "__debezium-heartbeat."), strings.HasPrefix(topic, "hb."):
		return envelope.OpHeartbeat
	case strings.HasSuffix(topic, ".transaction"):
		return envelope.OpTransaction
	case strings.HasSuffix(topic, ".notifications"):
		return envelope.OpNotification
	case strings.HasSuffix(topic, ".message"):
		return envelope.OpMessage
	case !strings.Contains(topic, "."):
		return envelope.OpSchemaChange
	}
	return envelope.OpUnknown
}

func shape(e object) (envelope.Op, envelope.Effect, error) {
	names := strings.Join(sortedKeys(e), " ")
	has := func(name string) bool { _, ok := e[name]; return ok }
	switch {
	case has("op") && has("source"):
		switch op := string(e["op"]); op {
		case `"c"`:
			return envelope.OpCreate, envelope.Upsert, nil
		case `"u"`:
			return envelope.OpUpdate, envelope.Upsert, nil
		case `"r"`:
			return envelope.OpRead, envelope.Upsert, nil
		case `"d"`:
			return envelope.OpDelete, envelope.Delete, nil
		case `"t"`:
			return envelope.OpTruncate, envelope.Truncate, nil
		case `"m"`:
			return envelope.OpMessage, envelope.None, nil
		default:
			return 0, 0, fmt.Errorf("op %s", op)
		}
	case string(e["status"]) == `"BEGIN"`, string(e["status"]) == `"END"`:
		return envelope.OpTransaction, envelope.None, nil
	case has("ddl") && has("tableChanges"):
		return envelope.OpSchemaChange, envelope.None, nil
	case names == "ts_ms":
		return envelope.OpHeartbeat, envelope.None, nil
	case names == "additional_data aggregate_type id timestamp type":
		return envelope.OpNotification, envelope.None, nil
	}
	return 0, 0, fmt.Errorf("members %s", names)
}

// readSource reads what the source block of e says.
func (m *meaning) readSource(e object) error {
	var s object
	if err := json.Unmarshal(m.source, &s); err != nil {
		return err
	}
	m.table = envelope.Table{DB: text(s["db"]), Schema: text(s["schema"]), Name: text(s["table"])}
	var err error
	if m.time, err = readTime(s); err != nil {
		return err
	}
	var transaction object
	if block := notNull(e["transaction"]); block != nil {
		if err := json.Unmarshal(block, &transaction); err != nil {
			return err
		}
	}
	m.txID = cmp.Or(text(s["txId"]), text(s["gtid"]), text(transaction["id"]))
	return nil
}

// readTime returns the time in o in nanoseconds, from the finest unit it has.
func readTime(o object) (int64, error) {
	for _, unit := range []struct {
		name string
		ns   int64
	}{{"ts_ns", 1}, {"ts_us", 1e3}, {"ts_ms", 1e6}} {
		if raw := notNull(o[unit.name]); raw != nil {
			n, err := strconv.ParseInt(string(raw), 10, 64)
			return n * unit.ns, err
		}
	}
	return 0, nil
}

// text returns the text of a scalar: what a string says, the digits of a
// number, "" for null.
func text(raw json.RawMessage) string {
	if raw = notNull(raw); raw == nil {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// unwrap returns the value in a record's key or value, nil for null, its members
// if it is an object, and whether it was in a wrapper: exactly the members
// schema and payload, the schema null or an object with a type.
func unwrap(b []byte) (value json.RawMessage, members object, wrapped bool, err error) {
	if b == nil {
		return nil, nil, false, nil
	}
	value = notNull(b)
	if members, err = membersOf(value); err != nil || len(members) != 2 || members["payload"] == nil || members["schema"] == nil {
		return value, members, false, err
	}
	schema, err := membersOf(members["schema"])
	if err != nil || notNull(members["schema"]) != nil && text(schema["type"]) == "" {
		return value, members, false, err
	}
	value = notNull(members["payload"])
	members, err = membersOf(value)
	return value, members, true, err
}

// membersOf returns the members of an object, nil for any other value.
func membersOf(value json.RawMessage) (o object, err error) {
	if value == nil {
		return nil, nil
	}
	err = json.Unmarshal(value, &o)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, nil
	}
	return o, err
}

func notNull(raw json.RawMessage) json.RawMessage {
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
