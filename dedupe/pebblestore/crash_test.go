package pebblestore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// The environment of the test's own program that is run again as a child.
const (
	childDir  = "PEBBLESTORE_CHILD_DIR"
	childTask = "PEBBLESTORE_CHILD_TASK"
)

// run prepares a child that opens dir.
func run(t *testing.T, dir, task string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childTask+"="+task)
	return cmd
}

// child is what the child does.
func child(dir string) {
	// Small tables in memory: log files end and tables are sorted all the time.
	store, err := open(dir, Options{}, internals{memTableBytes: 64 << 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	if os.Getenv(childTask) == "open" {
		fmt.Println("opened")
		return
	}
	fmt.Println("open")
	for w := range 4 {
		go func() {
			r := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(w)))
			for {
				acked, err := step(context.Background(), store, r)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				// One write of less than a pipe takes at once: whole or not at all.
				fmt.Println(acked)
			}
		}()
	}
	select {}
}

const crashKeys = 60

func crashKey(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("long ", i*i)) }

// crashMark is the nth mark of a key. All its words tell which.
func crashMark(i, n int) envelope.Version {
	return envelope.PositionVersion(int64(n)<<32|int64(i), ^uint64(n), uint64(i)<<48|uint64(n))
}

// number returns which mark of a key v is, or -1 if it is none.
func number(i int, v envelope.Version) int {
	if v.IsZero() {
		return 0
	}
	if n := int(v.Time().UnixNano() >> 32); n > 0 && v == crashMark(i, n) {
		return n
	}
	return -1
}

// step raises some marks by one, as a filter does, and returns the done ones as
// "key:number key:number…".
func step(ctx context.Context, store *Store, r *rand.Rand) (acked string, err error) {
	some := r.Perm(crashKeys)[:1+r.IntN(20)]
	keys := make([][]byte, len(some))
	for j, i := range some {
		keys[j] = []byte(crashKey(i))
	}
	marks := make([]envelope.Version, len(some))
	if err := store.Load(ctx, keys, marks); err != nil {
		return "", err
	}
	swaps := make([]dedupe.Swap, len(some))
	next := make([]int, len(some))
	for j, i := range some {
		n := number(i, marks[j])
		if n < 0 {
			return "", fmt.Errorf("key %d has the mark %v", i, marks[j])
		}
		next[j] = n + 1
		swaps[j] = dedupe.Swap{Key: keys[j], Old: marks[j], New: crashMark(i, n+1)}
	}
	if err := store.Swap(ctx, swaps); err != nil {
		return "", err
	}
	var b strings.Builder
	for j, i := range some {
		if swaps[j].Done {
			fmt.Fprintf(&b, "%d:%d ", i, next[j])
		}
	}
	return b.String(), nil
}

// A ledger knows what must be in the store.
type ledger struct {
	acked [crashKeys]int
	count int
}

// ack notes what step returned.
func (l *ledger) ack(line string) error {
	for pair := range strings.FieldsSeq(line) {
		var i, n int
		if _, err := fmt.Sscanf(pair, "%d:%d", &i, &n); err != nil {
			return err
		}
		l.acked[i] = max(l.acked[i], n)
		l.count++
	}
	return nil
}

// check says which marks the store has lost. What it has, it must have from now
// on.
func (l *ledger) check(ctx context.Context, store *Store) error {
	keys := make([][]byte, crashKeys)
	for i := range keys {
		keys[i] = []byte(crashKey(i))
	}
	marks := make([]envelope.Version, crashKeys)
	if err := store.Load(ctx, keys, marks); err != nil {
		return err
	}
	var errs []error
	for i, v := range marks {
		n := number(i, v)
		if n < l.acked[i] {
			errs = append(errs, fmt.Errorf("key %d has the mark %v, number %d, after number %d was done", i, v, n, l.acked[i]))
		}
		l.acked[i] = max(l.acked[i], n)
	}
	return errors.Join(errs...)
}

// TestKill kills processes that swap, at any moment.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var l ledger
	for round := range 24 {
		// Some of them while they open the store.
		killed(t, dir, round%4 == 3, &l)
		store := mustOpen(t, dir)
		if err := l.check(t.Context(), store); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		mustClose(t, store)
	}
	if l.count < 200 {
		t.Errorf("only %d marks were done: this shows little", l.count)
	}
	t.Logf("%d marks were done", l.count)
}

// killed runs a child, kills it early or after a while of work, and notes what
// was done.
func killed(t *testing.T, dir string, early bool, l *ledger) {
	t.Helper()
	cmd := run(t, dir, "swap")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	if early {
		defer time.AfterFunc(time.Duration(rand.IntN(30))*time.Millisecond, kill).Stop()
	}
	lines := bufio.NewReader(out)
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // killed; what is there of a line was not said
		}
		if first {
			if line != "open\n" {
				kill()
				t.Errorf("the child: %s", line)
			}
			if !early {
				defer time.AfterFunc(time.Duration(rand.IntN(80))*time.Millisecond, kill).Stop()
			}
			continue
		}
		if err := l.ack(line); err != nil {
			kill()
			t.Errorf("the child: %q: %v", line, err)
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() || stderr.Len() > 0 {
		t.Fatalf("the child ended by itself, or said something: %v\n%s", err, stderr.Bytes())
	}
}
