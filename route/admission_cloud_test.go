package route_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/require"
)

// A cloud is a model of all that is around a Firehose with an Admission. A database changes a few rows. Its changes come
// in events: in any order, some of them in several events, some with the later clock of a connector that was started
// again. An event is tried until its answer arrives, and perhaps once more; a try can end anywhere, with the process or
// without it. After four tries the event is given up, and its records come again from the error output, in other events.
// A table applies the answers in the order in which they arrive. Rows that are too large for any response fail and do not
// come again.
//
// At the end the table must hold of each row the newest change that can be sent.
type cloud struct {
	tb
	pick  func(n int) int // chooses one of n
	setup setup

	log       []logged // change n is log[n-1]
	pending   []*delivery
	marks     marks
	inFlight  []dedupe.Swap // sent by a process that is gone, on their way to the store
	process   *route.Firehose
	fate      fate // of the try that runs
	failures  int  // how many may still happen
	table     map[int][]int
	redelived int
}

// A setup is what differs from one cloud to another.
type setup struct {
	coalesce, literal bool
	admission         func(f *dedupe.Filter) route.Admission
}

// A logged change is one of the database's log. It makes version n of its row, or deletes the row.
type logged struct {
	row    int
	op     string
	tooBig bool
}

// A delivered record is change n as it is in an event.
type delivered struct {
	n     int
	again bool // by a connector that was started again
}

type delivery struct {
	records []delivered
	tries   int
}

// A fate is how a try ends.
type fate int

const (
	arrives   fate = iota
	lost           // the answer
	overtaken      // other events are answered while the store is asked; then the answer is lost
	overtakes      // other events are answered while the store is asked; then the answer arrives, if there still is one
	diesDecoding
	diesBeforeLoad
	failsToLoad
	diesAfterLoad
	diesInSwap // some swaps are made, others are on their way
	failsToSwap
	diesAfterSwap
	fates
)

// A crash ends the process.
type crash struct{}

var errDown = errors.New("the store is down")

const (
	tooBigForAll = 8000
	mostBytes    = 8000 // of a response, enough for the other rows of any event
)

func newCloud(t tb, pick func(int) int, s setup) *cloud {
	c := &cloud{tb: t, pick: pick, setup: s, table: map[int][]int{}, failures: pick(25)}
	there := map[int]bool{}
	for range 1 + pick(12) {
		l := logged{row: 1 + pick(3), op: "c"}
		if there[l.row] {
			l.op = []string{"u", "d"}[pick(2)]
		}
		there[l.row] = l.op != "d"
		l.tooBig = there[l.row] && pick(8) == 7
		c.log = append(c.log, l)
	}
	for range 1 + pick(5) {
		c.pending = append(c.pending, new(delivery))
	}
	for n := range c.log {
		for times := 1 + pick(4)/2; times > 0; times-- {
			c.add(delivered{n: n + 1, again: pick(4) == 3})
		}
	}
	for _, d := range c.pending {
		if pick(2) == 1 {
			shuffle(pick, d.records)
		}
	}
	return c
}

func shuffle[T any](pick func(int) int, all []T) {
	for i := len(all) - 1; i > 0; i-- {
		k := pick(i + 1)
		all[i], all[k] = all[k], all[i]
	}
}

// add puts a record into an event. A row that is too large has none of its older ones beside it: they would be dropped
// for it, which Coalesce does anyway.
func (c *cloud) add(r delivered) {
	d := c.pending[c.pick(len(c.pending))]
	for _, other := range d.records {
		if a, b := c.log[r.n-1], c.log[other.n-1]; a.row == b.row && r.n != other.n && (a.tooBig || b.tooBig) {
			d = new(delivery)
			c.pending = append(c.pending, d)
			break
		}
	}
	d.records = append(d.records, r)
}

// value returns the record of a change.
func (c *cloud) value(r delivered) []byte {
	l := c.log[r.n-1]
	row := fmt.Sprintf(`{"order_id":%d,"v":%d}`, l.row, r.n)
	if l.tooBig {
		row = fmt.Sprintf(`{"order_id":%d,"v":%d,"note":%q}`, l.row, r.n, strings.Repeat("x", tooBigForAll))
	}
	value := upsert(l.op, row, r.n)
	if l.op == "d" {
		value = remove(row, r.n)
	}
	if !r.again {
		return value
	}
	clock := func(later int) string { return fmt.Sprint(1716369573400 + r.n + later) }
	return []byte(strings.ReplaceAll(string(value), clock(0), clock(60_000)))
}

// start starts a process.
func (c *cloud) start() *route.Firehose {
	f := firehose(coalescing, limit(mostBytes))
	filter := &dedupe.Filter{Store: c, Keys: f.Keys}
	f.Coalesce = c.setup.coalesce
	f.Admission = c.setup.admission(filter)
	f.Router = route.Func(func(*envelope.Change) (route.Destination, error) {
		c.crashIf(diesDecoding)
		to := route.Destination{Database: "lake", Table: "orders"}
		if c.setup.literal {
			to.Mode = route.Literal
		}
		return to, nil
	})
	f.Observe = func(*route.Outcome) { c.crashIf(diesAfterSwap) }
	return f
}

func (c *cloud) crashIf(f fate) {
	if c.fate == f {
		panic(crash{})
	}
}

// Load is the store's, as the process sees it.
func (c *cloud) Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error {
	c.crashIf(diesBeforeLoad)
	if c.fate == failsToLoad {
		return errDown
	}
	if err := c.marks.Load(ctx, keys, versions); err != nil {
		return err
	}
	c.crashIf(diesAfterLoad)
	if f := c.fate; f == overtaken || f == overtakes {
		for range 1 + c.pick(2) {
			if len(c.pending) > 0 {
				c.try(c.pending[c.pick(len(c.pending))], arrives)
			}
		}
		c.fate = arrives
	}
	return nil
}

// Swap is the store's, as the process sees it.
func (c *cloud) Swap(ctx context.Context, swaps []dedupe.Swap) error {
	if c.fate != diesInSwap && c.fate != failsToSwap {
		return c.marks.Swap(ctx, swaps)
	}
	for _, s := range swaps {
		s.Key = slices.Clone(s.Key)
		switch c.pick(3) {
		case 0:
			require.NoError(c, c.marks.Swap(ctx, []dedupe.Swap{s}))
		case 1:
			c.inFlight = append(c.inFlight, s)
		}
	}
	c.crashIf(diesInSwap)
	return errDown
}

// run lets everything happen, and says what is wrong with the table at the end.
func (c *cloud) run() (wrong string) {
	for len(c.pending) > 0 {
		if n := len(c.inFlight); n > 0 && c.pick(2) == 1 {
			i := c.pick(n)
			require.NoError(c, c.marks.Swap(c.Context(), c.inFlight[i:i+1]))
			c.inFlight = slices.Delete(c.inFlight, i, i+1)
		}
		f := arrives
		if c.failures > 0 {
			f = fate(c.pick(int(fates)))
		}
		c.try(c.pending[c.pick(len(c.pending))], f)
	}
	want := map[int][]int{}
	for n, l := range c.log {
		switch {
		case l.op == "d":
			delete(want, l.row)
		case !l.tooBig:
			want[l.row] = []int{n + 1}
		}
	}
	if maps.EqualFunc(want, c.table, slices.Equal) {
		return ""
	}
	return fmt.Sprintf("versions by row: got %v, want %v, of the log %v", c.table, want, c.log)
}

// try tries an event once.
func (c *cloud) try(d *delivery, f fate) {
	response := c.invoke(d, f)
	if response != nil {
		c.apply(d, answers(c, response))
		if c.redelived < 5 && c.pick(4) == 3 { // though it need not be
			c.redelived++
			return
		}
		c.pending = slices.DeleteFunc(c.pending, func(other *delivery) bool { return d == other })
		return
	}
	c.failures--
	if d.tries++; d.tries < 4 || !slices.Contains(c.pending, d) { // one that was overtaken by itself is done
		return
	}
	c.pending = slices.DeleteFunc(c.pending, func(other *delivery) bool { return d == other })
	middle := c.pick(len(d.records) + 1)
	for _, records := range [][]delivered{d.records[:middle], d.records[middle:]} {
		c.pending = append(c.pending, &delivery{records: records})
	}
}

// invoke returns the response, or nil if it does not arrive.
func (c *cloud) invoke(d *delivery, f fate) (response []byte) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case crash:
			c.process, response = nil, nil
		default:
			panic(p)
		}
	}()
	var values [][]byte
	for _, r := range d.records {
		values = append(values, c.value(r))
	}
	if c.process == nil {
		c.process = c.start()
	}
	c.fate = f
	response, err := c.process.Invoke(c.Context(), kinesis.event(values...))
	if err != nil {
		if !errors.Is(err, dedupe.ErrContended) {
			require.ErrorIs(c, err, errDown)
		}
		require.Nil(c, response)
	}
	if f != arrives && f != overtakes {
		return nil
	}
	return response
}

// apply does to the table what an answer says. Only with Coalesce may its records be applied in any order.
func (c *cloud) apply(d *delivery, all []answer) {
	require.Len(c, all, len(d.records))
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	if c.setup.coalesce {
		shuffle(c.pick, order)
	}
	for _, i := range order {
		a, l := all[i], c.log[d.records[i].n-1]
		require.Equal(c, l.tooBig && a.Result != dropped, a.Result == failed)
		if a.Result != plain {
			continue
		}
		var row struct {
			ID int `json:"order_id"`
			V  int
		}
		require.NoError(c, json.Unmarshal([]byte(a.Payload), &row))
		require.Equal(c, l.row, row.ID)
		switch a.Operation {
		case "insert":
			c.table[row.ID] = append(c.table[row.ID], row.V)
		case "update":
			c.table[row.ID] = []int{row.V}
		case "delete":
			delete(c.table, row.ID)
		}
	}
}
