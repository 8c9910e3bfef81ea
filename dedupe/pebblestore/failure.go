package pebblestore

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// A failure is what Pebble cannot go on after.
type failure struct {
	err     error
	orderly bool // Pebble holds no locks
}

// fatal is panicked with where Pebble wants the process to end, in the goroutine
// that it says so in. Returning is no choice: Pebble would report as synced what
// is not.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// halted is any other error that Pebble panicked with.
type halted struct{ error }

func (h halted) Unwrap() error { return h.error }

// guard calls f, and returns as an error what Pebble would end the process for.
// In the background nobody can do so, and the process ends.
func guard(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			panic(r)
		case fatal:
			err = r
		case error:
			err = halted{r}
		default:
			panic(r)
		}
	}()
	return f()
}

// fail makes err the error of all calls from now on.
func (s *Store) fail(err error) {
	_, disorderly := errors.AsType[halted](err)
	s.failed.CompareAndSwap(nil, &failure{fmt.Errorf("the store failed before: %w", err), !disorderly})
	s.log.Error("pebblestore: a write failed, the store must be opened anew", "error", err)
}

// A logger hears what Pebble has to say to a file of its own: nothing of use but
// that it cannot go on.
type logger struct{}

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}

// Fatalf panics with the errors among its arguments. The others can be keys.
func (logger) Fatalf(format string, args ...any) {
	text, _, _ := strings.Cut(format, "%")
	err := errors.New("pebble cannot go on")
	if text = strings.Trim(text, " :(="); text != "" {
		err = errors.New(text)
	}
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	}
	panic(fatal{err})
}

// events tells the Store's logger what happens in the background.
func (s *Store) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { s.log.Error("pebblestore: failure in the background", "error", err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.log.Error("pebblestore: a file is corrupt", "path", info.Path)
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			s.log.Warn("pebblestore: the disk is slow", "path", info.Path, "duration", info.Duration)
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.log.Warn("pebblestore: swaps wait for the disk", "reason", info.Reason)
		},
		WriteStallEnd: func() { s.log.Info("pebblestore: swaps go on") },
	}
}

// discreet is the order of bytes, with keys in messages by their length alone.
func discreet() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.FormatKey = func(key []byte) fmt.Formatter { return length(len(key)) }
	return &c
}

type length int

func (n length) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "(key of %d bytes)", int(n)) }
