package dsqltest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Transactions follow one another in time, have an id of their own, change
// several rows, and each row once.
func TestTransactions(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		g, s := v.g, v.s
		commits := map[string]int64{}
		rows := map[string]int{}
		type change struct {
			tx    string
			table envelope.Table
			row   string
		}
		once := map[change]bool{}
		last := int64(0)
		for _, w := range v.whole {
			id := w.source.TxID
			at, ok := commits[id]
			if !ok {
				require.Greater(t, w.commit(t), last)
				last = w.commit(t)
				at = last
				commits[id] = at
			}
			require.Equal(t, last, at, "a transaction's changes stand together")
			require.Equal(t, at, w.commit(t))
			rows[id]++
			if keyed(s, w) {
				c := change{id, w.table(), rowID(t, s, w)}
				require.False(t, once[c])
				once[c] = true
			}
		}
		transactions := 100
		if g.Transactions > 0 {
			transactions = g.Transactions
		}
		require.Len(t, commits, transactions)
		most := 0
		for _, n := range rows {
			most = max(most, n)
		}
		require.LessOrEqual(t, most, 6)
		require.Greater(t, most, 3)
	})
}

// Commits that differ by less than a float64 shows at that size.
func TestCommitsClose(t *testing.T) {
	var last int64
	same := 0
	for _, w := range whole(t, generate(t, dsqltest.Generator{})) {
		if at := w.commit(t); at != last && float64(at) == float64(last) {
			same++
			last = at
		} else {
			last = at
		}
	}
	assert.Greater(t, same, 10)
}

// Each op is right for the row as it was, before shows it, and the end is Truth.
func TestOps(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		g, s := v.g, v.s
		state := map[envelope.Table]map[string]envelope.Row{}
		for table := range s.Keys {
			state[table] = map[string]envelope.Row{}
		}
		ops := map[string]int{}
		for _, w := range v.whole {
			if !keyed(s, w) {
				continue
			}
			rows, id := state[w.table()], rowID(t, s, w)
			old, exists := rows[id]
			ops[w.op]++
			switch w.op {
			case "c":
				require.True(t, !exists || g.Preview)
			default:
				require.True(t, exists)
			}
			if w.op == "d" {
				delete(rows, id)
				continue
			}
			if g.Before && exists {
				require.Equal(t, string(old), string(w.images[before]))
			} else {
				require.Nil(t, w.images[before])
			}
			rows[id] = envelope.Row(w.images[after])
		}
		require.Equal(t, state, s.Truth)
		for _, op := range []string{"c", "u", "d"} {
			if op != "u" || !g.Preview {
				require.Positive(t, ops[op], op)
			}
		}
	})
}

// Whatever the order of delivery, the last writer of each row leaves Truth.
func TestLastWriterWins(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		g, s := v.g, v.s
		records := joined(t, v.records)
		r := rand.New(rand.NewPCG(g.Seed, 1))
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		type mark struct {
			table envelope.Table
			row   string
		}
		newest := map[mark]int64{}
		state := map[envelope.Table]map[string]envelope.Row{}
		for table := range s.Keys {
			state[table] = map[string]envelope.Row{}
		}
		for _, d := range records {
			if !keyed(s, d.parsed) {
				continue
			}
			m := mark{d.table(), rowID(t, s, d.parsed)}
			if d.commit(t) <= newest[m] {
				continue
			}
			newest[m] = d.commit(t)
			if d.op == "d" {
				delete(state[m.table], m.row)
			} else {
				state[m.table][m.row] = envelope.Row(d.images[after])
			}
		}
		require.Equal(t, state, s.Truth)
	})
}

// Keys name the primary keys of all tables that have one, and rows that Truth
// tells apart are different to envelope, too.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		g, s := v.g, v.s
		require.Equal(t, primaryKeys, s.Keys)
		key := envelope.KeyColumns(s.Keys)
		ids, keys := map[string]bool{}, map[string]string{}
		unkeyed := 0
		for _, w := range v.whole {
			table := w.table()
			table.DB = "any"
			c := envelope.Change{Op: envelope.OpUpdate, Table: table, After: envelope.Row(w.images[after])}
			if w.op == "d" {
				c = envelope.Change{Op: envelope.OpDelete, Table: table, Before: envelope.Row(w.images[before])}
			}
			id, err := s.Key(&c)
			if !keyed(s, w) {
				require.ErrorIs(t, err, envelope.ErrNoKey)
				unkeyed++
				continue
			}
			require.NoError(t, err)
			require.Equal(t, rowID(t, s, w), id)
			id = table.String() + id
			k, err := key(nil, &c)
			require.NoError(t, err)
			if old, ok := keys[string(k)]; ok {
				require.Equal(t, old, id)
			} else {
				require.False(t, ids[id])
			}
			ids[id], keys[string(k)] = true, id
		}
		require.Equal(t, g.NoPrimaryKey, unkeyed > 0)
		_, err := s.Key(&envelope.Change{Op: envelope.OpCreate, Table: envelope.Table{Schema: "public", Name: "accounts"}, After: envelope.Row(`{}`)})
		require.ErrorIs(t, err, envelope.ErrMissing)
	})
}

// The table without a primary key has changes of all ops; its deletes say
// nothing of the row, and it has no truth.
func TestNoPrimaryKey(t *testing.T) {
	s := generate(t, dsqltest.Generator{NoPrimaryKey: true})
	ops := map[string]int{}
	for _, w := range whole(t, s) {
		if keyed(s, w) {
			continue
		}
		require.Equal(t, envelope.Table{Schema: "public", Name: "events"}, w.table())
		ops[w.op]++
		if w.op == "d" {
			require.Empty(t, w.images)
		}
	}
	assert.Len(t, ops, 3)
	assert.Len(t, s.Truth, 4)
	assert.NotContains(t, s.Truth, envelope.Table{Schema: "public", Name: "events"})
}
