package truth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
)

var byArrival = rule{name: "arrival", compare: func(a, b *change) int { return 0 }}

// judgeEnd does for the other formats what judgeOrder does for envelopes.
func judgeEnd(t *testing.T, c *capture) {
	if isEnvelope(c.Variant) || !c.decodable() {
		return
	}
	h := c.history(t)
	for i := range h.changes {
		one := &h.changes[i]
		if clock := c.format.carries("ts_ms") && one.source != ""; (one.Version != one.blind) != clock {
			t.Errorf("line %d: the version is %v, without the connector's clock %v", one.line, one.Version, one.blind)
		}
	}
	inOrder, streams := h.streams(c.String())
	c.report.add("order of other formats", c, "%d changes\t%d rows", len(h.changes), len(h.truth))
	for _, r := range []rule{rules[0], rules[1], rules[2], byArrival} {
		want := c.format.end
		if r.name == byArrival.name {
			want = c.format.arrived
		}
		delivered := h.newest(inOrder, r)
		got := h.wrong(t, delivered)
		if got != want {
			t.Errorf("%s: delivered order leaves %v wrong (missing, extra, different), want %v", r.name, got, want)
		}
		if extra := h.extra(delivered); r.name == "rule" && !slices.Equal(extra, c.format.extra) {
			t.Errorf("rows that the database does not have: %q, want %q", extra, c.format.extra)
		}
		h.compareColumns(t, delivered)

		var sum wrong
		for k, stream := range streams {
			end := h.newest(stream, r)
			sum.add(h.wrong(t, end))
			if c.format.placed && r.name != byArrival.name {
				h.same(t, fmt.Sprintf("%s: shuffle %d", r.name, k), end, delivered)
			}
		}
		c.report.add("order of other formats", c, "%s %v shuffled %v", r.name, got, sum)
		if c.format.placed && (r.name == byArrival.name) == (sum.sum() == shuffles*got.sum()) {
			t.Errorf("%s: shuffles leave %v wrong, each of them %v in delivered order", r.name, sum, got)
		}
	}
}

// extra returns the rows that the database does not have, sorted.
func (h *history) extra(newest []*change) (rows []string) {
	for row, last := range newest {
		if _, ok := h.truth[h.rows[row]]; !ok && last.Effect() != envelope.Delete {
			rows = append(rows, strings.ReplaceAll(h.rows[row], "\x00", " "))
		}
	}
	slices.Sort(rows)
	return rows
}

// judgePassedOn: ExtractNewRecordState passes on what is no envelope by the name
// of its schema, that is all but the changes of tables. Among flattened rows it
// is still what it was.
func judgePassedOn(t *testing.T, c *capture) {
	if !isEnvelope(c.Variant) {
		return
	}
	d := envelope.Flattened{TombstoneDeletes: true, Connector: "postgresql"}
	records := 0
	for i, r := range c.records {
		m := c.meanings[i]
		if ofTable(m.op) || m.op == envelope.OpTombstone {
			continue
		}
		records++
		var change envelope.Change
		if err := d.DecodeKeyed(&change, r.Key, r.Value); err != nil {
			t.Errorf("line %d: %v", i+1, err)
			continue
		}
		compare(t, i+1, &change, m)
	}
	if records > 0 {
		c.report.add("records passed on", c, "%d", records)
	}
}

// judgeDeleted: op and deleted each tell a delete without the other. The
// captures' rows have both.
func judgeDeleted(t *testing.T, c *capture) {
	if isEnvelope(c.Variant) || c.format.deletes != rewritten {
		return
	}
	names, deleted := c.format.members()
	decoderOf := c.decoders(envelope.ByPosition)
	for i, r := range c.records {
		m := c.meanings[i]
		if m.value == nil {
			continue
		}
		var byOp, byDeleted envelope.Change
		if err := decoderOf(r.Topic).DecodeKeyed(&byOp, r.Key, without(t, m.value, deleted)); err != nil || byOp.Op != m.op {
			t.Errorf("line %d without %s: %v, %v, want %v", i+1, deleted, byOp.Op, err, m.op)
		}
		err := decoderOf(r.Topic).DecodeKeyed(&byDeleted, r.Key, without(t, m.value, names["op"]))
		if err != nil || (byDeleted.Op == envelope.OpDelete) != (m.op == envelope.OpDelete) || byDeleted.Effect() != m.effect {
			t.Errorf("line %d without %s: %v, %v, %v, want the effect %v", i+1, names["op"], byDeleted.Op, byDeleted.Effect(), err, m.effect)
		}
	}
}
