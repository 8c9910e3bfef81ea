//go:build servers

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rowdelta/rowdelta/iceberg"
	"github.com/rowdelta/rowdelta/iceberg/committer"
)

// A fault is what happens to a request.
type fault struct {
	status int  // the answer's; 0 means that the connection is reset
	done   bool // the catalog has done it
}

func (f fault) String() string {
	what := map[bool]string{true: "reset", false: fmt.Sprint(f.status)}[f.status == 0]
	return what + map[bool]string{true: ", done", false: ", not done"}[f.done]
}

// faults are all that can happen to a commit.
func faults() (all []fault) {
	for _, status := range []int{500, 502, 503, 504, 409, 0} {
		all = append(all, fault{status, false}, fault{status, true})
	}
	return all
}

// A faulty network has things happen to requests, one after another.
type faulty struct {
	mu      sync.Mutex
	commits []fault // what happens to the next commits
	creates []fault // and to the next makings of tables and namespaces
	reads   []fault // and to the next readings of tables after a commit
	before  func()  // is called once, before a commit is sent
	sent    int     // commits
	done    int     // of which the catalog said that it did them
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	next, before := f.next(r)
	if before != nil {
		before()
	}
	if next != nil && !next.done {
		return next.answer(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if isCommit(r) && resp.StatusCode == http.StatusOK {
		f.mu.Lock()
		f.done++
		f.mu.Unlock()
	}
	if next == nil {
		return resp, nil
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	return next.answer(r)
}

// next takes what happens to a request.
func (f *faulty) next(r *http.Request) (next *fault, before func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := &f.reads
	switch {
	case isCommit(r):
		f.sent++
		before, f.before = f.before, nil
		list = &f.commits
	case r.Method == http.MethodPost:
		list = &f.creates
	case f.sent == 0 || !strings.Contains(r.URL.Path, "/tables/"):
		return nil, nil
	}
	if len(*list) == 0 {
		return nil, before
	}
	next, *list = &(*list)[0], (*list)[1:]
	return next, before
}

func (f *fault) answer(r *http.Request) (*http.Response, error) {
	if f.status == 0 {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	body := fmt.Sprintf(`{"error":{"message":"injected","type":"Injected","code":%d}}`, f.status)
	return &http.Response{StatusCode: f.status, Status: fmt.Sprint(f.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
}

// reset forgets what was counted. All faults must have happened.
func (f *faulty) reset(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.commits) + len(f.creates) + len(f.reads); n > 0 || f.before != nil {
		t.Errorf("%d faults did not happen", n)
	}
	f.sent, f.done = 0, 0
}

// writable are the modes that tables of version 2 have.
var writable = []committer.Deletes{committer.EqualityDeletes, committer.CopyOnWrite}

// fails has each fault, with deltas that insert, update and delete: each is one snapshot, and one commit that the catalog
// does.
func (l *lake) fails(t *testing.T) {
	for _, deletes := range writable {
		p, f := l.place(), new(faulty)
		c := p.open(t, f, committer.Options{Deletes: deletes})
		var want ledger
		p.commit(t, c, f, &want, want.delta(map[int64]int64{1: 1, 2: 1, 3: 1}), "")
		for n, next := range faults() {
			n := int64(n)
			f.commits = []fault{next}
			p.commit(t, c, f, &want, want.delta(map[int64]int64{1: n + 2, 2: (n % 2) * (n + 2), n + 10: 1}), next.String())
		}
		// One after another, and the table cannot be read in between.
		f.commits, f.reads = []fault{{500, false}, {0, false}, {504, true}}, []fault{{status: 503}, {status: 0}, {status: 500}}
		p.commit(t, c, f, &want, want.delta(map[int64]int64{3: 0, 4: 1}), "all at once")

		f.commits = []fault{{503, false}, {504, true}}
		done, err := c.Maintain(t.Context(), sales, committer.Maintenance{Files: 2, Deletes: 1, Manifests: 1000})
		if err != nil || done.Rewritten < 2 || done.Written != 1 {
			t.Errorf("maintained: %+v, %v", done, err)
		}
		f.reset(t)
		if got := p.snapshots(t); got != want.at+1 {
			t.Errorf("maintained, the table has had %d snapshots, want %d", got, want.at+1)
		}
		want.holds(t, c)
	}
}

// commit commits a delta, and again, with what is on the way of the faulty network.
func (p *place) commit(t *testing.T, c *committer.Committer, f *faulty, want *ledger, d *iceberg.Delta, name string) {
	t.Helper()
	for range 2 {
		if err := c.Commit(t.Context(), d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if f.done != 1 {
		t.Errorf("%s: the catalog did %d of %d commits, want 1", name, f.done, f.sent)
	}
	f.reset(t)
	if got := p.snapshots(t); got != want.at {
		t.Fatalf("%s: the table has had %d snapshots, want %d", name, got, want.at)
	}
	want.holds(t, c)
	if got, err := c.Position(t.Context(), sales); err != nil || got != d.To {
		t.Errorf("%s: the position is %q, %v", name, got, err)
	}
}

// failsAtFirst has each fault where there is no snapshot yet that a commit could be fenced with, and where the table or
// its namespace are made.
func (l *lake) failsAtFirst(t *testing.T) {
	for _, next := range faults() {
		p, f := l.place(), new(faulty)
		f.commits, f.creates = []fault{next}, []fault{next, next}
		var want ledger
		p.commit(t, p.open(t, f, committer.Options{}), f, &want, want.delta(map[int64]int64{1: 1, 2: 1}), next.String())
	}
}

// isOvertaken has a Committer that sends what fits on a table that another one has changed since it looked. What only
// adds rows, or nothing, conflicts with no other change: it must be held back all the same.
func (l *lake) isOvertaken(t *testing.T) {
	for name, step := range map[string]struct{ quick, slow map[int64]int64 }{
		"rows":     {map[int64]int64{2: 0, 3: 2, 5: 1}, map[int64]int64{1: 2, 4: 1}},
		"same row": {map[int64]int64{1: 0, 2: 2, 5: 1}, map[int64]int64{1: 2, 2: 3, 5: 0}},
		"nothing":  {map[int64]int64{2: 0, 3: 2, 5: 1}, nil},
	} {
		for _, deletes := range writable {
			p, f := l.place(), new(faulty)
			slow := p.open(t, f, committer.Options{Deletes: deletes, Input: "slow"})
			quick := p.open(t, nil, committer.Options{Deletes: deletes, Input: "quick"})
			var want ledger
			if err := quick.Commit(t.Context(), want.delta(map[int64]int64{1: 1, 2: 1, 3: 1})); err != nil {
				t.Fatal(err)
			}
			first := want.delta(step.quick)
			late := want.delta(step.slow)
			f.before = func() {
				if err := quick.Commit(t.Context(), first); err != nil {
					t.Error(err)
				}
			}
			if err := slow.Commit(t.Context(), late); err != nil {
				t.Fatal(err)
			}
			if f.sent < 2 || f.done != 1 {
				t.Errorf("%s: %d commits were sent and %d done, want one more than one", name, f.sent, f.done)
			}
			f.reset(t)
			if got := p.snapshots(t); got != want.at {
				t.Errorf("%s: the table has had %d snapshots, want %d", name, got, want.at)
			}
			want.holds(t, quick)
			for c, at := range map[*committer.Committer]string{slow: late.To, quick: first.To} {
				if got, err := c.Position(t.Context(), sales); err != nil || got != at {
					t.Errorf("%s: the position is %q, %v; want %q", name, got, err, at)
				}
			}
		}
	}
}

// hasManyWriters has several Committers that commit to one table at once, each rows of its own.
func (l *lake) hasManyWriters(t *testing.T) {
	const deltas = 6
	p := l.place()
	var all ledger
	if err := p.open(t, nil, committer.Options{Input: "first"}).Commit(t.Context(), all.delta(map[int64]int64{1000: 1})); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range int64(3) {
		c := p.open(t, nil, committer.Options{Input: fmt.Sprint(n), Deletes: writable[n%2], Attempts: 30})
		wg.Go(func() {
			var own ledger
			for i := range int64(deltas) {
				if err := c.Commit(t.Context(), own.delta(map[int64]int64{n*100 + i: 1, n*100 + i - 1: 2, n*100 + i - 3: 0})); err != nil {
					t.Error(err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for id, version := range own.versions {
				all.versions[id] = version
			}
			if got, err := c.Position(t.Context(), sales); err != nil || got != position(deltas) {
				t.Errorf("the position of writer %d is %q, %v", n, got, err)
			}
		})
	}
	wg.Wait()
	all.holds(t, p.open(t, nil, committer.Options{}))
	if got := p.snapshots(t); got != 1+3*deltas {
		t.Errorf("the table has had %d snapshots, want %d", got, 1+3*deltas)
	}
}
