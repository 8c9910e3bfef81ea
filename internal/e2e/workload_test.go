//go:build servers

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	sessions = 5
	// hot is the highest of the ids that all sessions fight over: few enough that most rows change many times.
	hot = 300
	// quiet is how many rows after these change at most once. A row that changes again makes good what was lost before,
	// in the snapshot above all.
	quiet = 1500
)

// workload is what concurrent sessions do to the database until they are told to stop.
type workload struct {
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup
	next atomic.Int32 // quiet row
	mu   sync.Mutex
	done map[string]int // how often each thing was done
}

// start runs the sessions, each on a connection of its own.
func start(t *testing.T, dsn string) *workload {
	t.Helper()
	w := &workload{stop: make(chan struct{}), done: map[string]int{}}
	var all []*session
	for i := range sessions {
		s := &session{workload: w, conn: dial(t, dsn), rng: rand.New(rand.NewPCG(uint64(i), 1)), pause: 10}
		if i == 0 {
			s.pause = 300 // so that some transaction is open at any moment, also at those of the snapshot
		}
		all = append(all, s)
	}
	t.Cleanup(func() { w.end(t) })
	ctx := context.WithoutCancel(t.Context()) // a test that fails elsewhere still lets them finish
	for i, s := range all {
		w.wg.Go(func() {
			if err := s.run(ctx); err != nil {
				t.Errorf("session %d: %v", i, err)
			}
		})
	}
	return w
}

// end waits for the sessions' last transactions and returns what was done.
func (w *workload) end(t *testing.T) map[string]int {
	t.Helper()
	w.once.Do(func() { close(w.stop) })
	w.wg.Wait()
	return w.done
}

func (w *workload) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[what]++
}

type session struct {
	*workload
	conn  *pgx.Conn
	rng   *rand.Rand
	pause int // within a transaction, at most, in milliseconds
}

func (s *session) run(ctx context.Context) error {
	for {
		select {
		case <-s.stop:
			return nil
		case <-time.After(time.Duration(s.rng.IntN(12)) * time.Millisecond):
		}
		err := s.transaction(ctx)
		var pg *pgconn.PgError
		switch {
		case err == nil:
		case errors.As(err, &pg) && pg.Code == "40P01":
			s.count("deadlock")
		case errors.As(err, &pg) && pg.Code == "23505":
			s.count("key taken")
		default:
			return err
		}
	}
}

// transaction does one or more things, and sometimes takes them back.
func (s *session) transaction(ctx context.Context) error {
	if s.rng.IntN(2) == 0 { // each statement is its own
		return s.thing(ctx, s.conn)
	}
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // after a commit it does nothing
	for range 1 + s.rng.IntN(6) {
		if err := s.thing(ctx, tx); err != nil {
			return err
		}
		switch s.rng.IntN(8) {
		case 0:
			if err := s.savepoint(ctx, tx); err != nil {
				return err
			}
		case 1: // others overtake
			time.Sleep(time.Duration(s.rng.IntN(s.pause)) * time.Millisecond)
		}
	}
	if s.rng.IntN(6) == 0 {
		s.count("rollback")
		return tx.Rollback(ctx)
	}
	s.count("commit")
	return tx.Commit(ctx)
}

// savepoint does a thing within a transaction and takes it back.
func (s *session) savepoint(ctx context.Context, tx pgx.Tx) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := s.thing(ctx, inner); err != nil {
		return err
	}
	s.count("rollback to savepoint")
	return inner.Rollback(ctx)
}

// executor is a connection or a transaction.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// thing is one of the changes that a row can see.
func (s *session) thing(ctx context.Context, db executor) error {
	tab := tables[s.rng.IntN(len(tables))]
	do := func(what, sql string, args ...any) error {
		tag, err := db.Exec(ctx, fmt.Sprintf(sql, tab.name, tab.key), args...)
		if err == nil && tag.RowsAffected() > 0 {
			s.count(what)
		}
		return err
	}
	// In the order of columns: an id, a number, a text, a decimal, a text.
	insert := map[string]string{
		"orders":   "INSERT INTO %[1]s (%[2]s, customer_id, status, total_amount, order_date) VALUES ",
		"products": "INSERT INTO %[1]s (%[2]s, stock_quantity, product_name, price, category) VALUES ",
	}[tab.name]
	set := map[string]string{
		"orders":   "UPDATE %[1]s SET customer_id = $2, status = $3, total_amount = $4, updated_at = clock_timestamp() ",
		"products": "UPDATE %[1]s SET stock_quantity = $2, product_name = $3, price = $4, updated_at = clock_timestamp() ",
	}[tab.name]
	next := fmt.Sprintf("nextval('%s_%s_seq')", tab.name, tab.key)
	id, other := s.id(), s.id()
	switch s.rng.IntN(12) {
	case 0:
		return do("insert", insert+"("+next+", $1, $2, $3, $4), ("+next+", NULL, $4, $3, $2)", s.number(), s.text(), s.decimal(), s.text())
	case 1:
		return do("upsert", insert+"($1, $2, $3, $4, $5) ON CONFLICT (%[2]s) DO UPDATE SET updated_at = '1969-12-31 23:59:59.999999'",
			id, s.number(), s.text(), s.decimal(), s.text())
	case 2, 3, 4:
		return do("update", set+"WHERE %[2]s = $1", id, s.number(), s.text(), s.decimal())
	case 5:
		return do("update of several", set+"WHERE %[2]s BETWEEN $1 AND $1 + 4", id, s.number(), s.text(), s.decimal())
	case 6:
		return do("delete", "DELETE FROM %[1]s WHERE %[2]s = $1", id)
	case 7:
		if err := do("delete before insert", "DELETE FROM %[1]s WHERE %[2]s = $1", id); err != nil {
			return err
		}
		return do("insert after delete", insert+"($1, $2, $3, $4, $5)", id, s.number(), s.text(), s.decimal(), s.text())
	case 8: // to a new key, or to one that others had
		if s.rng.IntN(4) == 0 {
			return do("move away", "UPDATE %[1]s SET %[2]s = "+next+" WHERE %[2]s = $1", id)
		}
		return do("move", "UPDATE %[1]s SET %[2]s = $2 WHERE %[2]s = $1 AND NOT EXISTS (SELECT FROM %[1]s WHERE %[2]s = $2)", id, other)
	case 9:
		spare := -1 - s.rng.Int32N(1<<30)
		for _, step := range [][2]int32{{id, spare}, {other, id}, {spare, other}} {
			if err := do("swap", "UPDATE %[1]s SET %[2]s = $2 WHERE %[2]s = $1", step[0], step[1]); err != nil {
				return err
			}
		}
		return nil
	case 10:
		return do("delete of a quiet row", "DELETE FROM %[1]s WHERE %[2]s = $1", hot+s.next.Add(1))
	default:
		return do("update of a quiet row", set+"WHERE %[2]s = $1", hot+s.next.Add(1), s.number(), s.text(), s.decimal())
	}
}

func (s *session) id() int32 { return 1 + s.rng.Int32N(hot) }

func (s *session) number() *int32 {
	return pick(s.rng, nil, new(int32(-2147483648)), new(int32(2147483647)), new(int32(0)), new(s.rng.Int32()), new(s.rng.Int32()))
}

func (s *session) text() *string {
	return pick(s.rng, nil, new(""), new(`say "no" \ never`), new("tab\there\nand there"), new("Thé vert – 100 g 🫖"), new("\u2028</script>\x7f\x01"),
		new(fmt.Sprint("state ", s.rng.Uint32())), new(fmt.Sprint("state ", s.rng.Uint32())))
}

func (s *session) decimal() *string {
	return pick(s.rng, nil, new("0"), new("-0.01"), new("99999999.99"), new(fmt.Sprintf("%.2f", s.rng.Float64()*1e6)))
}

func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }

// happened fails the test if the workload left out anything that a pipeline must survive.
func happened(t *testing.T, done map[string]int) {
	t.Helper()
	for _, what := range []string{"insert", "upsert", "update", "update of several", "delete", "delete before insert", "insert after delete",
		"move", "move away", "swap", "update of a quiet row", "delete of a quiet row", "commit", "rollback", "rollback to savepoint"} {
		if done[what] < 10 {
			t.Errorf("the workload did %q only %d times", what, done[what])
		}
	}
	var names []string
	for name, n := range done {
		names = append(names, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(names)
	t.Logf("workload: %v", names)
}
