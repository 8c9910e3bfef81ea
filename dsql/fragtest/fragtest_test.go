package fragtest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/rowdelta/rowdelta/dsql"
)

func TestRightStore(t *testing.T) {
	Run(t, func(*testing.T) dsql.FragmentStore { return &store{place: &place{}, volatile: true} })
}

func TestRightDurableStore(t *testing.T) { RunDurable(t, right) }

// A spy is a test that records how it ends instead of ending.
type spy struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	messages []string
}

func (s *spy) Helper() {}

func (s *spy) Errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
	s.messages = append(s.messages, fmt.Sprintf(format, args...))
}

func (s *spy) Error(args ...any) { s.Errorf("%s", fmt.Sprint(args...)) }

func (s *spy) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

// rejected reports whether f, a check, fails, and what it says.
func rejected(tb testing.TB, f func(tb testing.TB)) (failed bool, said string) {
	s := &spy{TB: tb}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
	return s.failed, strings.Join(s.messages, "\n")
}

// TestBrokenStores shows that each fault is found by the checks that are there
// for it, and that each check finds one.
func TestBrokenStores(t *testing.T) {
	run := map[string]func(testing.TB, dsql.FragmentStore){"Volatile": volatile}
	for _, c := range checks {
		run[c.name] = c.run
	}
	caught := map[string]bool{}
	for _, list := range []map[string]brokenStore{brokenJoins, brokenPuts, brokenTexts, brokenIDs, brokenForgets, brokenConcurrency, brokenContexts} {
		for fault, broken := range list {
			for check := range strings.FieldsSeq(broken.by) {
				caught[check] = true
				t.Run(check+"/"+fault, func(t *testing.T) {
					mustReject(t, func(tb testing.TB) { run[check](tb, broken.open()) })
				})
			}
		}
	}
	for check := range run {
		if !caught[check] {
			t.Errorf("no broken store shows that %s can fail", check)
		}
	}
}

func TestBrokenDurableStores(t *testing.T) {
	run := map[string]func(testing.TB, func() dsql.DurableStore){}
	for _, c := range durableChecks {
		run[c.name] = c.run
	}
	caught := map[string]bool{}
	for fault, broken := range brokenDurables {
		for check := range strings.FieldsSeq(broken.by) {
			caught[check] = true
			t.Run(check+"/"+fault, func(t *testing.T) {
				mustReject(t, func(tb testing.TB) { run[check](tb, broken.place()) })
			})
		}
	}
	for check := range run {
		if !caught[check] {
			t.Errorf("no broken store shows that %s can fail", check)
		}
	}
}

func mustReject(t *testing.T, check func(tb testing.TB)) {
	t.Helper()
	if failed, said := rejected(t, check); !failed || said == "" {
		t.Errorf("failed %v, said %q", failed, said)
	}
}

// Two IDs that are equal would make a right store fail.
func TestOddIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range oddIDs() {
		if seen[id] {
			t.Errorf("%q is there twice", id)
		}
		seen[id] = true
		if len(id) < 1 || len(id) > 256 || !utf8.ValidString(id) {
			t.Errorf("%q is no chunk ID", id)
		}
	}
}

// A failure shows where the texts part, not a megabyte of each.
func TestSameIsBrief(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	failed, said := rejected(t, func(tb testing.TB) { same(tb, "Join", []byte(long+"y"+long), long+"z"+long) })
	if !failed || len(said) > 300 || !strings.Contains(said, "from byte 1048576 got") {
		t.Errorf("failed %v, said %.300s", failed, said)
	}
	if failed, said := rejected(t, func(tb testing.TB) { same(tb, "Join", []byte(long), long) }); failed {
		t.Error("equal texts differ:", said)
	}
}
