package committest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/iceberg"
)

// model makes deltas with a Builder, of random changes of a source's table, cut anywhere;
// the process may end between any two commits, and goes on from what Position says. The
// table is the source's at each end of a flush.
func model(s *subject) {
	for seed := range uint64(2) {
		h := &history{r: rand.New(rand.NewPCG(seed, 7)), rows: map[int]item{}, s: s.on("public", fmt.Sprintf("model%d", seed))}
		for len(h.changes) < 140 {
			h.step()
		}
		h.replay()
	}
}

// An item is a row of the source. Its texts are null if they are empty.
type item struct {
	n         int
	big, blob string
	extra     int // a column that is added midway
}

// A history is what happens to the source's table.
type history struct {
	s       *subject
	r       *rand.Rand
	at      int
	widened bool
	rows    map[int]item
	changes []envelope.Change
	states  []map[int]item // after each change
}

var (
	sourceBefore = &envelope.Schema{Name: "items", Key: []string{"id"}, Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}},
		{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}, Optional: true},
		{Name: "big", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
		{Name: "blob", Type: envelope.Type{Kind: envelope.KindBytes}, Optional: true},
	}}
	sourceAfter = &envelope.Schema{Name: "items", Key: []string{"id"}, Fields: []envelope.Field{
		{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
		{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}, Optional: true},
		{Name: "big", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
		{Name: "blob", Type: envelope.Type{Kind: envelope.KindBytes}, Optional: true},
		{Name: "extra", Type: envelope.Type{Kind: envelope.KindInt, Bits: 32}, Optional: true},
	}}
)

// step makes one random change, or the two of a changed key.
func (h *history) step() {
	h.at++
	if h.at == 90 {
		h.widened = true
	}
	texts := []string{"", "a", "b", secret}
	text := func() string { return texts[h.r.IntN(len(texts))] }
	id := 1 + h.r.IntN(6)
	old, there := h.rows[id]
	switch kind := h.r.IntN(40); {
	case kind == 0:
		clear(h.rows)
		h.record("t", 0)
	case !there:
		h.rows[id] = h.item(text(), text())
		h.record("c", id)
	case kind < 9:
		delete(h.rows, id)
		h.record("d", id)
	case kind < 17: // another key: the large values are not sent
		to := 1 + h.r.IntN(8)
		if _, taken := h.rows[to]; taken {
			return
		}
		delete(h.rows, id)
		h.record("d", id)
		h.rows[to] = h.item(old.big, old.blob)
		h.record("c", to, "unsent")
	case kind < 29: // the large values are left alone
		h.rows[id] = h.item(old.big, old.blob)
		h.record("u", id, "unsent")
	default:
		h.rows[id] = h.item(text(), text())
		h.record("u", id)
	}
}

func (h *history) item(big, blob string) item {
	it := item{n: h.at, big: big, blob: blob}
	if h.widened {
		it.n, it.extra = h.at<<40, h.at
	}
	return it
}

// record decodes a change as a connector sends it.
func (h *history) record(op string, id int, unsent ...string) {
	before, after := "null", "null"
	switch op {
	case "d":
		before = fmt.Sprintf(`{"id":%d,"n":0,"big":null,"blob":null}`, id)
	case "c", "u":
		after = h.rows[id].json(id, len(unsent) == 0, h.widened)
	}
	t := h.s.table
	sent := fmt.Appendf(nil, `{"before":%s,"after":%s,"op":%q,"ts_ms":%d,"source":{"connector":"postgresql","db":%q,"schema":%q,"table":%q,"snapshot":"false","ts_ms":%[4]d,"sequence":"[\"%[8]d\",\"%[9]d\"]","lsn":%[9]d}}`,
		before, after, op, 1_700_000_000_000+h.at, t.DB, t.Schema, t.Name, 1000+10*h.at, 1001+10*h.at)
	var d envelope.Debezium
	var c envelope.Change
	if err := d.Decode(&c, sent); err != nil {
		h.s.tb.Fatalf("a change of the suite's own: %v", err)
	}
	c.Schema = sourceBefore
	if h.widened {
		c.Schema = sourceAfter
	}
	h.changes = append(h.changes, c.Clone())
	h.states = append(h.states, maps.Clone(h.rows))
}

// json returns the row as a record has it. What is not sent is the placeholder.
func (it item) json(id int, sent, widened bool) string {
	big, blob := any(it.big), any([]byte(it.blob))
	if !sent {
		big, blob = envelope.DefaultPlaceholder, []byte(envelope.DefaultPlaceholder)
	}
	spelled := func(s string, v any) string {
		if s == "" {
			return "null"
		}
		b, _ := json.Marshal(v)
		return string(b)
	}
	extra := ""
	if widened {
		extra = fmt.Sprintf(`,"extra":%d`, it.extra)
	}
	return fmt.Sprintf(`{"id":%d,"n":%d,"big":%s,"blob":%s%s}`, id, it.n, spelled(it.big, big), spelled(it.blob, blob), extra)
}

// replay commits the changes.
func (h *history) replay() {
	s := h.s
	ends := []int{0} // of the flushes, as numbers of changes
	for len(ends) < 100 && ends[len(ends)-1] < len(h.changes) {
		end := min(ends[len(ends)-1]+1+h.r.IntN(14), len(h.changes))
		for end < len(h.changes) && half(&h.changes[end-1], &h.changes[end]) {
			end++ // what the other half lacks would be in no row
		}
		ends = append(ends, end)
	}
	b := new(iceberg.Builder)
	for i := 1; i < len(ends); i++ {
		for n := ends[i-1]; n < ends[i]; n++ {
			if err := b.Add(&h.changes[n]); err != nil {
				s.tb.Fatalf("a change of the suite's own: %v", err)
			}
		}
		deltas := b.Flush(position(ends[i-1]), position(ends[i]))
		ended := h.r.IntN(4 * len(deltas)) // after how many the process ends
		for n, d := range deltas {
			if n == ended {
				break
			}
			s.commit(d)
		}
		if ended < len(deltas) {
			s.reopen()
			if got := s.position(); got != position(ends[i-1]) && !(got == "" && i == 1) {
				s.tb.Fatalf("Position is %q, want %q", got, position(ends[i-1]))
			}
			for _, d := range deltas {
				s.commit(d)
			}
		}
		if h.r.IntN(4) == 0 {
			s.reopen()
		}
		if h.r.IntN(4) == 0 { // the last answer was lost
			for _, d := range deltas {
				s.once(d)
			}
		}
		if schema, err := s.sink.Schema(s.tb.Context(), s.table); err != nil || schema != nil {
			s.isAt(position(ends[i]))
			h.is(h.states[ends[i]-1])
		}
	}
}

// sweep has snapshots that do not show all rows of the table: the others go.
func sweep(s *subject) {
	h := &history{s: s, rows: map[int]item{}}
	show := func(ids ...int) {
		clear(h.rows)
		b := &iceberg.Builder{Sweep: true}
		for i, id := range ids {
			h.at++
			h.rows[id] = h.item("a", "")
			h.record("c", id)
			c := &h.changes[len(h.changes)-1]
			c.Op, c.Snapshot = envelope.OpRead, envelope.SnapshotBetween
			switch i {
			case 0:
				c.Snapshot = envelope.SnapshotFirst
			case len(ids) - 1:
				c.Snapshot = envelope.SnapshotLast
			}
			if err := b.Add(c); err != nil {
				s.tb.Fatalf("a change of the suite's own: %v", err)
			}
		}
		for _, d := range b.Flush(position(s.at), position(h.at)) {
			if d.Shown == nil {
				s.tb.Fatal("a delta of the suite's own sweeps nothing")
			}
			if h.widened { // what is rewritten for the key may be a snapshot more
				s.commit(d)
				s.once(d)
			} else {
				s.twice(d)
			}
		}
		s.at = h.at
		h.is(h.rows)
	}
	show(1, 2, 3) // nothing is there yet
	s.apply("id! int; n int; big string; blob binary |id", nil, row{4, 1, "x", "y"}, row{5, 1, "x", "y"}, row{6, 1, "x", "y"})
	h.at = s.at
	show(2, 4, 7)
	show(8, 9)
	s.apply("id! int; n int; big string; blob binary |id", []row{{8, nil, nil, nil}}, row{1, 1, "x", "y"})
	s.holds("id n", row{1, 1}, row{9, h.rows[9].n})
	h.at = s.at
	h.widened = true // and the key is another type's
	show(9, 10)
}

// half reports whether two changes are those of a changed key.
func half(c, next *envelope.Change) bool {
	at, _ := c.Version.Place()
	to, ok := next.Version.Place()
	return ok && at == to && c.Op == envelope.OpDelete && next.Op == envelope.OpCreate
}

// is compares the table with the source's.
func (h *history) is(want map[int]item) {
	h.s.tb.Helper()
	extra := h.s.schema().Index("extra") >= 0
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	var rows []row
	for _, id := range slices.Sorted(maps.Keys(want)) {
		it := want[id]
		r := row{id, int64(it.n), text(it.big), text(it.blob)}
		if extra {
			r = append(r, nil)
			if it.extra > 0 {
				r[4] = it.extra
			}
		}
		rows = append(rows, r)
	}
	names := "id n big blob"
	if extra {
		names += " extra"
	}
	h.s.holds(names, rows...)
}
