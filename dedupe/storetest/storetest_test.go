package storetest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

func TestMain(m *testing.M) {
	// Broken stores fail on purpose: their draws are of no use to anyone.
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "1ms"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestRightStore(t *testing.T)        { Run(t, func(t *testing.T) dedupe.Store { return newStore() }) }
func TestRightSharedStore(t *testing.T)  { RunShared(t, right) }
func TestRightDurableStore(t *testing.T) { RunDurable(t, right) }

// A spy is a test that records how it ends instead of ending.
type spy struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	messages []string
}

func (s *spy) Helper()             {}
func (s *spy) Logf(string, ...any) {}
func (s *spy) Log(...any)          {}

func (s *spy) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *spy) Errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
	s.messages = append(s.messages, fmt.Sprintf(format, args...))
}

func (s *spy) Error(args ...any) { s.Errorf("%s", fmt.Sprint(args...)) }
func (s *spy) Fail()             { s.Errorf("Fail") }

func (s *spy) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

func (s *spy) Fatal(args ...any) { s.Fatalf("%s", fmt.Sprint(args...)) }
func (s *spy) FailNow()          { s.Fatalf("FailNow") }

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
	run := map[string]func(testing.TB, dedupe.Store){}
	for _, c := range checks {
		run[c.name] = c.run
	}
	caught := map[string]bool{}
	for _, list := range []map[string]brokenStore{
		brokenLoads, brokenSwaps, brokenVersions, brokenKeys, brokenBatches, brokenArguments, brokenContexts, brokenConcurrency, brokenUnderRace,
	} {
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

func TestBrokenPlaces(t *testing.T) {
	for kind, list := range map[string][]placeCheck{"shared": sharedChecks, "durable": durableChecks} {
		broken := map[string]map[string]brokenPlace{"shared": brokenShared, "durable": brokenDurable}[kind]
		run := map[string]func(testing.TB, func() dedupe.Store){}
		for _, c := range list {
			run[c.name] = c.run
		}
		caught := map[string]bool{}
		for fault, broken := range broken {
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
}

func mustReject(t *testing.T, check func(tb testing.TB)) {
	t.Helper()
	failed, said := rejected(t, check)
	if !failed || said == "" {
		t.Errorf("failed %v, said %q", failed, said)
	}
	if len(said) > 4000 {
		t.Errorf("said too much: %d bytes, %.400s", len(said), said)
	}
}

// Two keys or versions that are equal would make a right store fail.
func TestAreDistinct(t *testing.T) {
	keys := map[string]bool{}
	for _, key := range oddKeys() {
		if keys[key] || key == "" {
			t.Errorf("%q is there twice, or no key", key)
		}
		keys[key] = true
	}
	values := map[envelope.Version]bool{}
	schemes := map[byte]bool{}
	for _, v := range someVersions(t) {
		if values[v] || v.IsZero() {
			t.Errorf("%v is there twice, or no version", v)
		}
		values[v] = true
		b, _ := v.MarshalBinary()
		schemes[b[0]>>4] = true
	}
	if len(schemes) != 6 {
		t.Errorf("versions of %d kinds, want all 6", len(schemes))
	}
	if n := len(neighbours(at(1))); n < 240 {
		t.Errorf("%d versions differ in one bit", n)
	}
}
