package dedupe_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"pgregory.net/rapid"
)

// A database is one table of rows with a small column v and a large one, big,
// which an update that leaves it alone does not log: as PostgreSQL does with
// TOAST. log is what a connector makes of its changes.
type database struct {
	rows map[int]model
	log  []envelope.Change
	n    int // the log's position
}

type model struct{ v, big int }

const unavailable = `"` + envelope.DefaultPlaceholder + `"`

func (m model) columns(big bool) string {
	if !big {
		return fmt.Sprintf(`,"v":%d,"big":%s`, m.v, unavailable)
	}
	return fmt.Sprintf(`,"v":%d,"big":"b%d"`, m.v, m.big)
}

// step is one change of the database, drawn at random. whole has every update log
// the large column too, as with replica identity FULL.
func (d *database) step(t *rapid.T, ids int, truncates, whole bool) {
	d.n++
	id, v := rapid.IntRange(1, ids).Draw(t, "id"), at(d.n)
	row, there := d.rows[id]
	kind := rapid.IntRange(0, 19).Draw(t, "kind")
	switch {
	case truncates && kind == 0:
		d.rows = map[int]model{}
		d.log = append(d.log, truncate(orders, v))
	case !there:
		row = model{d.n, d.n}
		d.rows[id] = row
		c := upsert(orders, id, v, row.columns(true))
		c.Op = envelope.OpCreate
		d.log = append(d.log, c)
	case kind < 4:
		delete(d.rows, id)
		d.log = append(d.log, remove(orders, id, v))
	case kind < 8: // to another key, which may not be taken
		to := rapid.IntRange(1, ids).Draw(t, "to")
		if _, taken := d.rows[to]; taken {
			return
		}
		delete(d.rows, id)
		d.rows[to] = row
		made := upsert(orders, to, v, row.columns(whole))
		made.Op = envelope.OpCreate
		d.log = append(d.log, remove(orders, id, v), made)
	default:
		big := kind >= 14
		row.v = d.n
		if big {
			row.big = d.n
		}
		d.rows[id] = row
		d.log = append(d.log, upsert(orders, id, v, row.columns(big || whole)))
	}
}

// A sink is a table that final changes are applied to, whatever it has. Columns
// that a change does not have it takes from the row of before, or they are
// unknown.
type sink struct {
	rows map[int]model
	// The versions of the rows, deleted ones too, for a sink that compares them: what
	// is older than its row it leaves alone. Nil for one that does not.
	versions map[int]envelope.Version
}

const unknown = -1

func (s sink) apply(finals []dedupe.Final, batch []envelope.Change) {
	rows, versions := maps.Clone(s.rows), maps.Clone(s.versions)
	for _, f := range finals {
		if f.Effect() == envelope.Truncate {
			clear(s.rows)
			continue
		}
		id := number(f.Key, "id")
		if s.versions != nil {
			if f.Version.Compare(s.versions[id]) < 0 {
				continue
			}
			s.versions[id] = f.Version
		}
		if f.Effect() == envelope.Delete {
			delete(s.rows, id)
			continue
		}
		row := model{number(f.After, "v"), unknown}
		if len(f.Unavailable) == 0 {
			row.big = number(f.After, "big")
		} else if old, ok := rows[id]; ok && versions[id] == f.Version { // applied before
			row.big = old.big
		} else if f.Origin >= 0 {
			from := number(batch[f.Origin].Key, "id")
			if old, ok := rows[from]; ok && versions[from].Compare(batch[f.Origin].Version) < 0 {
				row.big = old.big
			}
		}
		s.rows[id] = row
	}
}

func number(r envelope.Row, column string) int {
	v, _ := r.Get(column)
	n, err := strconv.Atoi(strings.TrimPrefix(string(v.AppendText(nil)), "b"))
	if err != nil {
		panic(err)
	}
	return n
}

var errKilled = errors.New("killed")

// A consumer takes changes to a sink, and may be killed on the way.
type consumer struct {
	store *marks
	sink  sink
	c     dedupe.Compactor
	t     *rapid.T
	kills int
}

// mostKills bounds how often a consumer is killed, so that it ends.
const mostKills = 12

// take processes one batch and reports whether its position may be stored.
func (c *consumer) take(batch []envelope.Change) bool {
	f := &dedupe.Filter{Store: c.store} // as after a restart
	ctx := context.Background()
	c.store.before = nil
	b, err := f.Admit(ctx, batch)
	if err != nil {
		c.t.Fatal(err)
	}
	const discarded, applied, partly = 0, 1, 2
	fate := partly + 1
	if c.kills < mostKills {
		fate = rapid.IntRange(0, 7).Draw(c.t, "fate")
	}
	if fate <= partly {
		c.kills++
	}
	if fate == discarded {
		f.Discard(b)
		return false
	}
	finals, failed := c.c.Compact(batch, b.Decisions)
	if len(failed) > 0 {
		c.t.Fatal(failed)
	}
	c.sink.apply(finals, batch)
	switch fate {
	case applied:
		return false
	case partly: // some of the marks are raised
		left := rapid.IntRange(0, 4).Draw(c.t, "raised")
		c.store.partly = func() error {
			if left == 0 {
				return errKilled
			}
			left--
			return nil
		}
		err = f.Commit(ctx, b)
		c.store.partly = nil
		return err == nil
	}
	if err := f.Commit(ctx, b); err != nil {
		c.t.Fatal(err)
	}
	return true
}

// batch draws the size of the next batch.
func batchSize(t *rapid.T, left int) int {
	return min(left, rapid.IntRange(1, 8).Draw(t, "batch"))
}

func equalRows(t *rapid.T, got, want map[int]model) {
	if !maps.Equal(got, want) {
		t.Fatalf("ends with %v, the database with %v", got, want)
	}
}
