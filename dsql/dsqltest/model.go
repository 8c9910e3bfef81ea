package dsqltest

import (
	"encoding/base32"
	"math/rand/v2"
	"time"

	"github.com/rowdelta/rowdelta/envelope"
)

// A change is the net effect of a transaction on one row.
type change struct {
	table  *table
	op     byte
	commit int64 // ns since the Unix epoch
	txID   string
	images [2][]byte // before, after; nil for null
}

// A table is a table of the model with its rows.
type table struct {
	name    envelope.Table // without DB
	columns []column
	key     []int // indexes of the primary key's columns, in its order
	rows    []*row
}

// A row is one that a table has, had, or will have: its key does not change.
type row struct {
	key   [][]byte // values of the primary key's columns, as spelled
	image []byte   // nil while the table does not have the row
	tx    int      // the last transaction that changed it
}

type model struct {
	r      *rand.Rand
	g      *Generator
	tables []*table
	clock  int64
}

func newModel(r *rand.Rand, g *Generator) *model {
	m := &model{r: r, g: g, clock: time.Date(2026, 7, 15, 10, 30, 0, 123456789, time.UTC).UnixNano()}
	for _, t := range schema() {
		if len(t.key) == 0 && !g.NoPrimaryKey {
			continue
		}
		t.fill(r, g)
		m.tables = append(m.tables, t)
	}
	return m
}

// fill gives the table its rows to be, with different keys.
func (t *table) fill(r *rand.Rand, g *Generator) {
	taken := map[string]bool{}
	for len(t.rows) < g.Rows {
		next := &row{tx: -1}
		for _, i := range t.key {
			c := t.columns[i]
			if g.LargeKeys && c.largeKey && len(t.rows)%4 == 0 {
				next.key = append(next.key, c.large(r, g.LargeBytes))
			} else {
				next.key = append(next.key, c.value(r))
			}
		}
		if id := identity(next.key); len(t.key) == 0 || !taken[id] {
			taken[id] = true
			t.rows = append(t.rows, next)
		}
	}
}

// run does all transactions and returns their changes in commit order.
func (m *model) run() []change {
	var out []change
	for tx := range m.g.Transactions {
		m.tick()
		id := m.txID()
		for range 1 + m.r.IntN(m.g.PerTransaction) {
			t := m.tables[m.r.IntN(len(m.tables))]
			row := t.rows[m.r.IntN(len(t.rows))]
			// A second change of the row would only alter the net effect.
			if row.tx == tx {
				continue
			}
			row.tx = tx
			c := m.change(t, row)
			c.table, c.commit, c.txID = t, m.clock, id
			out = append(out, c)
		}
	}
	return out
}

// tick moves the clock to the next commit: often by what a number of
// milliseconds or a float64 does not show.
func (m *model) tick() {
	m.clock++
	switch m.r.IntN(4) {
	case 0:
	case 1:
		m.clock += m.r.Int64N(int64(time.Millisecond))
	default:
		m.clock += m.r.Int64N(int64(40 * time.Millisecond))
	}
}

func (m *model) txID() string {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).EncodeToString(randomBytes(m.r, 16))
}

// change inserts, updates or deletes the row.
func (m *model) change(t *table, row *row) change {
	if row.image != nil && m.r.IntN(4) == 0 {
		row.image = nil
		c := change{op: 'd'}
		if len(t.key) > 0 {
			c.images[0] = t.keyImage(row)
		}
		return c
	}
	c := change{op: 'c'}
	if row.image != nil {
		if !m.g.Preview {
			c.op = 'u'
		}
		if m.g.Before {
			c.images[0] = row.image
		}
	}
	row.image = t.image(m.r, m.g, row)
	c.images[1] = row.image
	return c
}

// image returns new values for the row's columns, as JSON.
func (t *table) image(r *rand.Rand, g *Generator, row *row) []byte {
	values := make([][]byte, len(t.columns))
	for k, i := range t.key {
		values[i] = row.key[k]
	}
	large := r.Float64() < g.Large
	for i, c := range t.columns {
		switch {
		case values[i] != nil:
		case large && c.large != nil:
			values[i] = c.large(r, g.LargeBytes)
		case c.nullable && r.IntN(8) == 0:
			values[i] = []byte("null")
		default:
			values[i] = c.value(r)
		}
	}
	return appendObject(nil, t.columns, values)
}

// keyImage returns the row's key columns as JSON.
func (t *table) keyImage(row *row) []byte {
	var columns []column
	for _, i := range t.key {
		columns = append(columns, t.columns[i])
	}
	return appendObject(nil, columns, row.key)
}

// describe sets the keys and the final rows of s.
func (m *model) describe(s *Stream) {
	for _, t := range m.tables {
		if len(t.key) == 0 {
			continue
		}
		rows := map[string]envelope.Row{}
		for _, row := range t.rows {
			if row.image != nil {
				rows[identity(row.key)] = row.image
			}
		}
		s.Truth[t.name] = rows
		for _, i := range t.key {
			s.Keys[t.name] = append(s.Keys[t.name], t.columns[i].name)
		}
	}
}

// identity returns the values as a JSON array.
func identity(values [][]byte) string {
	out := []byte{'['}
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return string(append(out, ']'))
}
