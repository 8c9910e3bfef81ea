package committer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"

	"github.com/rowdelta/rowdelta/envelope"
)

var parcels = envelope.Table{DB: "shop", Schema: "public", Name: "parcels"}

var parcelSchema = &envelope.Schema{Name: "parcels", Key: []string{"id"}, Fields: []envelope.Field{
	{Name: "id", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}},
	{Name: "n", Type: envelope.Type{Kind: envelope.KindInt, Bits: 64}, Optional: true},
	{Name: "note", Type: envelope.Type{Kind: envelope.KindText}, Optional: true},
}}

// A parcel is a row of the source. Its note is null if it is empty.
type parcel struct {
	n    int64
	note string
}

// A log is changes of a source's table, and its rows after each.
type log struct {
	changes []envelope.Change
	states  []map[int64]parcel
}

// logOf makes at least so many changes, the same for the same seed. unsent is of how many
// updates in a hundred the note is not sent.
func logOf(seed uint64, least, unsent int) *log {
	r := rand.New(rand.NewPCG(seed, 3))
	l := new(log)
	rows := map[int64]parcel{}
	at := 0
	record := func(op string, id int64, sent bool) {
		before, after := "null", "null"
		switch op {
		case "d":
			before = fmt.Sprintf(`{"id":%d,"n":0,"note":null}`, id)
		case "c", "u":
			note := []byte("null")
			if rows[id].note != "" {
				text := rows[id].note
				if !sent {
					text = envelope.DefaultPlaceholder
				}
				note, _ = json.Marshal(text)
			}
			after = fmt.Sprintf(`{"id":%d,"n":%d,"note":%s}`, id, rows[id].n, note)
		}
		var d envelope.Debezium
		var c envelope.Change
		err := d.Decode(&c, fmt.Appendf(nil, `{"before":%s,"after":%s,"op":%q,"ts_ms":%d,"source":{"connector":"postgresql","db":"shop","schema":"public","table":"parcels","snapshot":"false","ts_ms":%[4]d,"sequence":"[\"%[5]d\",\"%[6]d\"]","lsn":%[6]d}}`,
			before, after, op, 1_700_000_000_000+at, 1000+10*at, 1001+10*at))
		if err != nil {
			panic(err)
		}
		c.Schema = parcelSchema
		l.changes = append(l.changes, c.Clone())
		l.states = append(l.states, maps.Clone(rows))
	}
	for len(l.changes) < least {
		at++
		id := 1 + r.Int64N(8)
		old, there := rows[id]
		fresh := parcel{int64(at), []string{"", "a", "b"}[r.IntN(3)]}
		switch kind := r.IntN(30); {
		case kind == 0:
			clear(rows)
			record("t", 0, true)
		case !there:
			rows[id] = fresh
			record("c", id, true)
		case kind < 6:
			delete(rows, id)
			record("d", id, true)
		case kind < 11: // another key
			to := 1 + r.Int64N(10)
			if _, taken := rows[to]; taken {
				continue
			}
			delete(rows, id)
			record("d", id, true)
			rows[to] = parcel{int64(at), old.note}
			record("c", to, r.IntN(100) >= unsent)
		case kind < 20:
			rows[id] = parcel{int64(at), old.note}
			record("u", id, r.IntN(100) >= unsent)
		default:
			rows[id] = fresh
			record("u", id, true)
		}
	}
	return l
}

// whole returns the end of changes, or the next one: the two of a changed key stay
// together.
func (l *log) whole(end int) int {
	if end = min(end, len(l.changes)); end > 0 && end < len(l.changes) {
		at, _ := l.changes[end-1].Version.Place()
		next, _ := l.changes[end].Version.Place()
		if at == next {
			end++
		}
	}
	return end
}

// state returns the rows at a position.
func (l *log) state(position string) map[int64]parcel {
	n, _ := strconv.Atoi(position)
	if n == 0 {
		return map[int64]parcel{}
	}
	return l.states[n-1]
}

func placed(n int) string { return fmt.Sprintf("%06d", n) }

// parcelsOf returns the rows of the table.
func parcelsOf(ctx context.Context, c *Committer) (map[int64]parcel, error) {
	got := map[int64]parcel{}
	for rows, err := range c.Rows(ctx, parcels, 0, "id", "n", "note") {
		if err != nil {
			return nil, err
		}
		for i := range rows.Len {
			id, note := rows.Columns[0].Ints[i], string(rows.Columns[2].Value(i))
			if _, twice := got[id]; twice || (note == "") != rows.Columns[2].Null[i] {
				return nil, fmt.Errorf("two rows of key %d, or an empty note in place of null", id)
			}
			got[id] = parcel{rows.Columns[1].Ints[i], note}
		}
	}
	return got, nil
}
