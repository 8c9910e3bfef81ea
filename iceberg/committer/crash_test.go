package committer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/iceberg"
)

// The environment of the test's own program that is run again as a child.
const (
	childDir   = "COMMITTER_CHILD_DIR"
	childRecut = "COMMITTER_CHILD_RECUT"
	childStop  = "COMMITTER_CHILD_STOP" // after how many commits it kills itself
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := crashing(dir, os.Getenv(childRecut) != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	crashChanges = 600
	crashSeed    = 11
)

// crashing is what the child does: it commits the changes from the table's position on,
// in deltas of four, beginning with the last one that the table has, and says before and
// after each where that ends. With recut, it goes back a little, and cuts otherwise each
// time.
func crashing(dir string, recut bool) error {
	ctx := context.Background()
	o := Options{}
	if recut {
		o.Compare = cmp.Compare[string]
	}
	c, err := Local(dir, o)
	if err != nil {
		return err
	}
	position, err := c.Position(ctx, parcels)
	if err != nil {
		return err
	}
	at, _ := strconv.Atoi(position)
	l := logOf(crashSeed, crashChanges, 5)
	if recut {
		at = l.whole(max(at-rand.IntN(6), 0))
	} else {
		was := 0
		for next := 0; next < at; next = l.whole(next + 4) {
			was = next
		}
		at = was
	}
	stop, _ := strconv.Atoi(os.Getenv(childStop))
	var b iceberg.Builder
	for at < len(l.changes) {
		size := 4
		if recut {
			size = 1 + rand.IntN(7)
		}
		end := l.whole(at + size)
		for i := at; i < end; i++ {
			if err := b.Add(&l.changes[i]); err != nil {
				return err
			}
		}
		fmt.Println("+" + placed(end))
		for _, d := range b.Flush(placed(at), placed(end)) {
			if err := c.Commit(ctx, d); err != nil {
				return err
			}
		}
		if stop--; stop == 0 { // the table has it, and nobody knows
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			_ = self.Kill()
			select {}
		}
		fmt.Println("-" + placed(end))
		at = end
	}
	fmt.Println("end")
	return c.Close()
}

// TestKill kills processes that commit, at any moment: no change is lost, and none is
// there twice.
func TestKill(t *testing.T) {
	for name, recut := range map[string]bool{"the same deltas again": false, "deltas cut otherwise": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killing(t, recut)
		})
	}
}

func killing(t *testing.T, recut bool) {
	k := &killer{dir: t.TempDir(), recut: recut, typical: 20 * time.Millisecond, since: time.Now()}
	l := logOf(crashSeed, crashChanges, 5)
	c, err := Local(k.dir, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	position := ""
	for ended := false; !ended; {
		ended = k.run(t)
		was := position
		position, err = c.Position(t.Context(), parcels)
		require.NoError(t, err)
		require.GreaterOrEqual(t, position, max(was, k.acked), "the table went back")
		if position != "" && (k.kills%4 == 0 || ended) { // that is slow: there are many small files
			same(t, c, l, position)
		}
		switch {
		case k.begun == k.acked:
		case position >= k.begun:
			k.done++
		default:
			k.lost++
		}
	}
	require.Equal(t, placed(len(l.changes)), position)
	t.Logf("%d kills in %d batches: %d within a commit before it was done, %d after", k.kills, k.batches, k.lost, k.done)
	require.GreaterOrEqual(t, min(k.lost, k.done), 3, "this shows little")
	require.GreaterOrEqual(t, k.batches, 100)

	info, err := c.Info(t.Context(), parcels)
	require.NoError(t, err)
	end := ""
	for _, s := range info.Snapshots {
		from, to := s.Summary[propertyFrom], s.Summary[propertyTo]
		require.Greater(t, to, end, "a delta is there twice")
		if !recut {
			require.Equal(t, cmp.Or(end, placed(0)), from, "a delta is missing")
		}
		end = to
	}
	require.Equal(t, position, end)
	orphans(t, c, k.dir, k.lost)
	same(t, c, l, position)
}

// same compares the table's rows with the source's at a position.
func same(t *testing.T, c *Committer, l *log, position string) {
	t.Helper()
	got, err := parcelsOf(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, l.state(position), got, position)
}

// A killer runs children and kills them.
type killer struct {
	dir            string
	recut          bool
	typical        time.Duration // how long a commit takes
	since          time.Time
	begun, acked   string // by the last child
	runs           int
	kills, batches int
	done, lost     int // kills within a commit, by whether it was done
}

// goesOn reports whether there is more to kill: for some time, and until something is
// shown.
func (k *killer) goesOn() bool {
	return time.Since(k.since) < 8*time.Second || min(k.done, k.lost) < 3
}

// run runs a child until it ends or is killed, mostly while it commits.
func (k *killer) run(t *testing.T) (ended bool) {
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childDir+"="+k.dir)
	if k.recut {
		cmd.Env = append(cmd.Env, childRecut+"=1")
	}
	commits, killed := 2+rand.IntN(8), false
	if k.runs%2 == 1 && k.goesOn() {
		cmd.Env = append(cmd.Env, fmt.Sprint(childStop, "=", commits))
		commits, killed = -1, true
	}
	k.runs++
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	k.begun, k.acked = "", ""
	lines, at := bufio.NewReader(out), time.Time{}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what is there of a line was not said
		}
		line = strings.TrimSuffix(line, "\n")
		switch said := line[1:]; line[0] {
		case '+':
			k.begun, at = said, time.Now()
			k.batches++
			if commits--; commits == 0 && k.goesOn() {
				killed = true
				time.Sleep(rand.N(k.typical * 5 / 4))
				_ = cmd.Process.Kill()
			}
		case '-':
			k.acked = said
			k.typical = (7*k.typical + time.Since(at)) / 8
		default:
			ended = true
		}
	}
	err = cmd.Wait()
	require.Empty(t, stderr.String())
	if killed && !ended {
		k.kills++
		return false
	}
	require.NoError(t, err)
	require.True(t, ended)
	return true
}

// orphans has maintenance remove what the kills left, and nothing else.
func orphans(t *testing.T, c *Committer, dir string, least int) {
	onDisk := func() []string {
		files, err := filepath.Glob(filepath.Join(dir, "warehouse", "*", "*", "data", "*"))
		require.NoError(t, err)
		slices.Sort(files)
		return files
	}
	tbl, err := c.load(t.Context(), parcels)
	require.NoError(t, err)
	fs, err := tbl.FS(t.Context())
	require.NoError(t, err)
	named := map[string]bool{}
	for _, s := range tbl.Metadata().Snapshots() {
		manifests, err := s.Manifests(fs)
		require.NoError(t, err)
		for _, m := range manifests {
			for e, err := range m.Entries(fs, false) {
				require.NoError(t, err)
				named[strings.TrimPrefix(e.DataFile().FilePath(), "file://")] = true
			}
		}
	}
	before := onDisk()
	_, err = c.Maintain(t.Context(), parcels, Maintenance{Orphan: time.Nanosecond, NoCompaction: true, NoManifests: true, NoExpiry: true})
	require.NoError(t, err)
	after := onDisk()
	t.Logf("%d data files, of which no snapshot names %d", len(before), len(before)-len(named))
	require.Equal(t, slices.Sorted(maps.Keys(named)), after)
	require.Greater(t, len(before), len(after), "%d commits were killed, and left no file", least)
}
