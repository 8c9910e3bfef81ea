package dedupe_test

import (
	"fmt"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func op(o envelope.Op, c envelope.Change) envelope.Change {
	c.Op = o
	return c
}

func before(image string, c envelope.Change) envelope.Change {
	c.Before = envelope.Row(image)
	return c
}

func TestCompact(t *testing.T) {
	const none = `,"big":` + unavailable
	up := func(id, n int, columns string) envelope.Change { return upsert(orders, id, at(n), columns) }
	create := func(id, n int, columns string) envelope.Change {
		return op(envelope.OpCreate, up(id, n, columns))
	}
	del := func(id, n int) envelope.Change { return remove(orders, id, at(n)) }
	zero := func(c envelope.Change) envelope.Change { c.Version = envelope.Version{}; return c }
	timed := func(n int64, columns string) envelope.Change {
		return upsert(orders, 1, envelope.TimeVersion(n), columns)
	}
	// One line for each final change: its index, what it does, and what is unavailable
	// from where.
	for _, c := range []struct {
		name    string
		changes []envelope.Change
		want    []string
	}{
		{"nothing", nil, nil},
		{"no rows", []envelope.Change{{Op: envelope.OpHeartbeat}, {}}, nil},
		{"the newest", []envelope.Change{up(1, 2, ""), up(1, 3, `,"v":3`), up(1, 1, "")}, []string{`1 upsert {"id":1,"v":3}`}},
		{"by arrival of the last", []envelope.Change{up(1, 1, ""), up(2, 2, ""), del(1, 3)}, []string{`1 upsert {"id":2}`, `2 delete`}},
		{"ties", []envelope.Change{timed(5, `,"v":1`), timed(5, `,"v":2`), timed(4, "")}, []string{`1 upsert {"id":1,"v":2}`}},
		{"no version", []envelope.Change{up(1, 5, ""), zero(del(1, 0))}, []string{`1 delete`}},
		{"no version, and again", []envelope.Change{up(1, 5, ""), zero(del(1, 0)), up(1, 6, "")}, []string{`2 upsert {"id":1}`}},

		{"filled", []envelope.Change{up(1, 1, `,"big":"x"`), up(1, 2, none)}, []string{`1 upsert {"id":1,"big":"x"}`}},
		{"filled over a step", []envelope.Change{up(1, 1, `,"big":"x"`), up(1, 2, none), up(1, 3, `,"v":3`+none)}, []string{`2 upsert {"id":1,"v":3,"big":"x"}`}},
		{"filled from the youngest", []envelope.Change{up(1, 1, `,"big":"x"`), up(1, 2, `,"big":"y"`), up(1, 3, none)}, []string{`2 upsert {"id":1,"big":"y"}`}},
		{"not from behind it", []envelope.Change{up(1, 3, none), up(1, 1, `,"big":"x"`)}, []string{`0 upsert {"id":1,"big":"__debezium_unavailable_value"} [big] of 0`}},
		{"from before it, whatever is behind", []envelope.Change{up(1, 2, `,"big":"y"`), up(1, 3, none), up(1, 2, `,"big":"y"`), up(1, 1, `,"big":"x"`)}, []string{`1 upsert {"id":1,"big":"y"}`}},
		{"all of it again", []envelope.Change{up(1, 3, none), up(1, 1, `,"big":"x"`), up(1, 2, none), up(1, 3, none)}, []string{`3 upsert {"id":1,"big":"x"}`}},
		{"one column from each", []envelope.Change{up(1, 1, `,"a":"x","b":"y"`), up(1, 2, `,"a":"z","b":`+unavailable), up(1, 3, `,"a":`+unavailable+`,"b":`+unavailable)}, []string{`2 upsert {"id":1,"a":"z","b":"y"}`}},
		{"filled from its own before image", []envelope.Change{up(1, 1, `,"big":"x"`), before(`{"id":1,"big":"y"}`, up(1, 3, none))}, []string{`1 upsert {"id":1,"big":"y"}`}},
		{"filled from another's before image", []envelope.Change{before(`{"id":1,"big":"y"}`, up(1, 2, none)), up(1, 3, none)}, []string{`1 upsert {"id":1,"big":"y"}`}},
		{"null is no value", []envelope.Change{up(1, 1, `,"big":"x"`), up(1, 2, `,"big":null`), up(1, 3, none)}, []string{`2 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`}},
		{"null in another column", []envelope.Change{up(1, 1, `,"a":null,"big":"x"`), up(1, 2, `,"a":1`+none)}, []string{`1 upsert {"id":1,"a":1,"big":"x"}`}},
		{"not of another row", []envelope.Change{up(2, 1, `,"big":"x"`), up(1, 2, none)}, []string{`0 upsert {"id":2,"big":"x"}`, `1 upsert {"id":1,"big":"__debezium_unavailable_value"} [big] of 1`}},
		{"not of a row of before", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), up(1, 3, none)}, []string{`2 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`}},
		{"not of a row that a create replaced", []envelope.Change{up(1, 1, `,"big":"x"`), create(1, 3, none)}, []string{`1 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`}},
		{"nothing there", []envelope.Change{up(1, 1, none), up(1, 2, none)}, []string{`1 upsert {"id":1,"big":"__debezium_unavailable_value"} [big] of 0`}},

		{"a changed key", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none)}, []string{`1 delete`, `2 upsert {"id":2,"big":"x"}`}},
		{"a changed key, the row behind it", []envelope.Change{create(2, 2, none), up(1, 1, `,"big":"x"`), del(1, 2)}, []string{`0 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`, `2 delete`}},
		{"a changed key, its delete repeated behind it", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none), del(1, 2)}, []string{`2 upsert {"id":2,"big":"x"}`, `3 delete`}},
		{"a changed key, repeated", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none), up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none)},
			[]string{`4 delete`, `5 upsert {"id":2,"big":"x"}`}},
		{"a changed key, known to the table", []envelope.Change{del(1, 2), create(2, 2, none), up(2, 3, none)}, []string{`0 delete`, `2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big] of 0`}},
		{"changed twice", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none), del(2, 3), create(3, 3, none), up(3, 4, none)}, []string{`1 delete`, `3 delete`, `5 upsert {"id":3,"big":"x"}`}},
		{"there and back", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none), del(2, 3), create(1, 3, none)}, []string{`3 delete`, `4 upsert {"id":1,"big":"x"}`}},
		{"swapped over a third", []envelope.Change{up(1, 1, `,"big":"x"`), up(2, 2, `,"big":"y"`),
			del(1, 3), create(9, 3, none), del(2, 4), create(1, 4, none), del(9, 5), create(2, 5, none)},
			[]string{`5 upsert {"id":1,"big":"y"}`, `6 delete`, `7 upsert {"id":2,"big":"x"}`}},
		{"half of it", []envelope.Change{up(2, 1, `,"big":"x"`), create(2, 2, none)}, []string{`1 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`}},
		{"two deletes at the place", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), del(3, 2), create(2, 2, none)}, []string{`1 delete`, `2 delete`, `3 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`}},
		{"two creates at the place", []envelope.Change{up(1, 1, `,"big":"x"`), del(1, 2), create(2, 2, none), create(3, 2, "")}, []string{`1 delete`, `2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`, `3 upsert {"id":3}`}},
		{"of another table", []envelope.Change{upsert(items, 1, at(1), `,"big":"x"`), remove(items, 1, at(2)), create(2, 2, none)}, []string{`1 delete`, `2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`}},

		{"a truncate", []envelope.Change{up(1, 1, ""), up(2, 4, ""), upsert(items, 1, at(1), ""), truncate(orders, at(3)), up(3, 5, ""), truncate(orders, at(2))},
			[]string{`3 truncate`, `1 upsert {"id":2}`, `2 upsert {"id":1}`, `4 upsert {"id":3}`}},
		{"truncates of two tables", []envelope.Change{truncate(items, at(2)), truncate(orders, at(3)), truncate(orders, at(4))}, []string{`0 truncate`, `2 truncate`}},
		{"a tie with a truncate", []envelope.Change{timed(5, ""), truncate(orders, envelope.TimeVersion(5))}, []string{`1 truncate`}},
		{"a tie behind a truncate", []envelope.Change{truncate(orders, envelope.TimeVersion(5)), timed(5, "")}, []string{`0 truncate`, `1 upsert {"id":1}`}},
		{"nothing from before a truncate", []envelope.Change{up(1, 1, `,"big":"x"`), truncate(orders, at(2)), up(1, 3, none)}, []string{`1 truncate`, `2 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`}},
		{"nor from the table", []envelope.Change{truncate(orders, at(2)), up(1, 3, none)}, []string{`0 truncate`, `1 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var z dedupe.Compactor
			finals, failed := z.Compact(c.changes, nil)
			assert.Empty(t, failed)
			assert.Equal(t, c.want, lines(finals))
			for _, f := range finals {
				got := c.changes[f.Index]
				assert.Equal(t, got.Version, f.Version)
				assert.Equal(t, string(got.Key), string(f.Key))
			}
		})
	}
}

func lines(finals []dedupe.Final) (out []string) {
	for _, f := range finals {
		s := fmt.Sprintf("%d %v", f.Index, f.Effect())
		if f.Effect() == envelope.Upsert {
			s += " " + string(f.After)
		}
		if f.Unavailable != nil {
			s += fmt.Sprint(" ", f.Unavailable)
		}
		if f.Origin >= 0 {
			s += fmt.Sprint(" of ", f.Origin)
		}
		out = append(out, s)
	}
	return out
}

// The memory of a filled row is its own; other images alias the records.
func TestCompactMemory(t *testing.T) {
	changes := []envelope.Change{upsert(orders, 1, at(1), `,"big":"x"`), upsert(orders, 1, at(2), `,"big":`+unavailable), upsert(orders, 2, at(3), "")}
	was := []string{string(changes[0].After), string(changes[1].After)}
	var c dedupe.Compactor
	finals, _ := c.Compact(changes, nil)
	assert.Equal(t, was, []string{string(changes[0].After), string(changes[1].After)})
	for i := range changes {
		clear(changes[i].After)
	}
	assert.Equal(t, `{"id":1,"big":"x"}`, string(finals[0].After))
	assert.Equal(t, make([]byte, 8), []byte(finals[1].After))
}

func TestCompactDisordered(t *testing.T) {
	changes := []envelope.Change{
		upsert(orders, 1, at(1), `,"big":"x"`), upsert(orders, 1, at(2), `,"big":`+unavailable),
		upsert(orders, 2, at(3), `,"big":`+unavailable),
		op(envelope.OpCreate, upsert(orders, 3, at(4), `,"big":`+unavailable)),
		before(`{"big":"y"}`, upsert(orders, 4, at(5), `,"big":`+unavailable)),
	}
	c := dedupe.Compactor{Disordered: true}
	finals, _ := c.Compact(changes, nil)
	assert.Equal(t, []string{
		`1 upsert {"id":1,"big":"__debezium_unavailable_value"} [big]`,
		`2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big] of 2`,
		`3 upsert {"id":3,"big":"__debezium_unavailable_value"} [big]`,
		`4 upsert {"id":4,"big":"y"}`,
	}, lines(finals))
}

// What a Filter did not admit is not returned, but tells how rows were before.
func TestCompactDecisions(t *testing.T) {
	changes := []envelope.Change{
		upsert(orders, 1, at(1), `,"big":"x"`), upsert(orders, 1, at(2), `,"big":"y"`), upsert(orders, 1, at(3), `,"big":`+unavailable),
		upsert(orders, 2, at(1), ""), truncate(orders, at(9)), {Op: envelope.OpDelete, Table: orders, Version: at(5)},
		upsert(items, 1, at(1), ""),
	}
	decisions := []dedupe.Decision{{Verdict: dedupe.Stale}, {Verdict: dedupe.Repeat}, {Verdict: dedupe.Newer}, {Verdict: dedupe.Repeat}, {Verdict: dedupe.Repeat}, {Verdict: dedupe.Failed}, {Verdict: dedupe.Newer}}
	var c dedupe.Compactor
	finals, failed := c.Compact(changes, decisions)
	assert.Empty(t, failed)
	assert.Equal(t, []string{`2 upsert {"id":1,"big":"y"}`, `6 upsert {"id":1}`}, lines(finals))

	finals, failed = c.Compact(changes, nil)
	assert.Equal(t, []string{`4 truncate`, `6 upsert {"id":1}`}, lines(finals))
	require.Len(t, failed, 1)
	assert.Equal(t, 5, failed[0].Index)
	assert.ErrorIs(t, failed[0].Err, envelope.ErrNoKey)
}

// The table has what is not admitted, and so what is unavailable is in its row as
// that left it.
func TestCompactOriginOfRepeats(t *testing.T) {
	lacking := func(id, n int) envelope.Change { return upsert(orders, id, at(n), `,"big":`+unavailable) }
	changes := []envelope.Change{lacking(1, 1), lacking(1, 2), lacking(1, 3), lacking(1, 4)}
	var c dedupe.Compactor
	for admitted, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 3} {
		decisions := make([]dedupe.Decision, len(changes))
		for i := range decisions {
			decisions[i].Verdict = dedupe.Stale
			if i >= admitted {
				decisions[i].Verdict = dedupe.Newer
			}
		}
		finals, _ := c.Compact(changes, decisions)
		require.Len(t, finals, 1)
		assert.Equal(t, want, finals[0].Origin)
	}
	changes = []envelope.Change{lacking(1, 1), remove(orders, 1, at(2)), op(envelope.OpCreate, lacking(2, 2))}
	finals, _ := c.Compact(changes, []dedupe.Decision{{Verdict: dedupe.Repeat}, {Verdict: dedupe.Newer}, {Verdict: dedupe.Newer}})
	assert.Equal(t, []string{`1 delete`, `2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big] of 1`}, lines(finals))
}

// A delete that names no row is no half of anything.
func TestCompactFailedHalf(t *testing.T) {
	changes := []envelope.Change{
		upsert(orders, 1, at(1), `,"big":"x"`), {Op: envelope.OpDelete, Table: orders, Version: at(2)},
		op(envelope.OpCreate, upsert(orders, 2, at(2), `,"big":`+unavailable)),
	}
	var c dedupe.Compactor
	finals, failed := c.Compact(changes, nil)
	assert.Len(t, failed, 1)
	assert.Equal(t, []string{`0 upsert {"id":1,"big":"x"}`, `2 upsert {"id":2,"big":"__debezium_unavailable_value"} [big]`}, lines(finals))
}

func TestCompactKeysAndPlaceholder(t *testing.T) {
	keys := envelope.KeyColumns(map[envelope.Table][]string{orders: {"n"}})
	c := dedupe.Compactor{Keys: keys, Placeholder: envelope.NewPlaceholder("gone")}
	image := func(n int, before, after string) envelope.Change {
		c := envelope.Change{Op: envelope.OpUpdate, Table: orders, Version: at(n), After: envelope.Row(after)}
		if before != "" {
			c.Before = envelope.Row(before)
		}
		return c
	}
	finals, failed := c.Compact([]envelope.Change{
		image(1, "", `{"n":1,"b":"x"}`), image(2, "", `{"n":1,"b":"gone"}`), image(3, `{"n":2}`, `{"n":3}`), image(4, "", `{"b":"x"}`),
	}, nil)
	assert.Equal(t, []string{`1 upsert {"n":1,"b":"x"}`}, lines(finals))
	require.Len(t, failed, 2)
	assert.ErrorIs(t, failed[0].Err, dedupe.ErrMoved)
	assert.ErrorIs(t, failed[1].Err, envelope.ErrMissing)

	// One DMS update: its two halves move the columns along.
	moved := image(3, `{"n":1,"b":null}`, `{"n":2,"b":"gone"}`)
	changes, err := dedupe.Split([]envelope.Change{image(1, "", `{"n":1,"b":"x"}`)}, &moved, keys)
	require.NoError(t, err)
	finals, _ = c.Compact(changes, nil)
	assert.Equal(t, []string{`1 delete`, `2 upsert {"n":2,"b":"x"}`}, lines(finals))
}
