package pebblestore

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestPowerCut takes what is not synced from stores that are at work. A process
// that is killed loses none of that.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	cuts(t, vfs.NewCrashableMem(), nil, 30, func(round int, err error) {
		if err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	})
}

// TestPowerCutShows shows that TestPowerCut can fail: a disk that only says it
// syncs loses marks.
func TestPowerCutShows(t *testing.T) {
	t.Parallel()
	mem := vfs.NewCrashableMem()
	lost := 0
	cuts(t, mem, &liar{FS: mem}, 10, func(_ int, err error) {
		if err != nil {
			lost++
		}
	})
	if lost == 0 {
		t.Error("nothing was lost")
	}
}

// cuts has workers swap on fs, whose files are in mem, and says at many moments
// what would be lost if the power was cut.
func cuts(t *testing.T, mem *vfs.MemFS, fs vfs.FS, rounds int, result func(round int, err error)) {
	if fs == nil {
		fs = mem
	}
	in := internals{fs: fs, memTableBytes: 64 << 10}
	var (
		mu   sync.Mutex
		l    ledger
		stop bool
		wg   sync.WaitGroup
	)
	for done := 0; done < rounds; {
		store, err := open("/marks", Options{}, in)
		if err != nil {
			t.Fatal(err)
		}
		stop = false
		for w := range 3 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(done), uint64(w)))
				for {
					acked, err := step(t.Context(), store, r)
					mu.Lock()
					if err == nil {
						err = l.ack(acked)
					}
					if err != nil {
						t.Error(err)
					}
					if stop || err != nil {
						mu.Unlock()
						return
					}
					mu.Unlock()
				}
			})
		}
		for range 10 {
			for target := count(&mu, &l) + 20 + rand.IntN(800); count(&mu, &l) < target && !t.Failed(); {
				time.Sleep(200 * time.Microsecond)
			}
			mu.Lock()
			known := l // what is done now must be there then
			mu.Unlock()
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 70, 100}[done%4], RNG: rand.New(rand.NewPCG(uint64(done), 9))}
			result(done, after(t, mem.CrashClone(cfg), known))
			done++
		}
		mu.Lock()
		stop = true
		mu.Unlock()
		wg.Wait()
		mustClose(t, store)
	}
}

// after opens what is left after a power cut.
func after(t *testing.T, fs vfs.FS, known ledger) error {
	t.Helper()
	store, err := open("/marks", Options{}, internals{fs: fs})
	if err != nil {
		return err
	}
	defer mustClose(t, store)
	return known.check(t.Context(), store)
}

func count(mu *sync.Mutex, l *ledger) int {
	mu.Lock()
	defer mu.Unlock()
	return l.count
}

// A liar is a file system that does not sync.
type liar struct{ vfs.FS }

func (l *liar) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return lie(l.FS.Create(name, category))
}

func (l *liar) ReuseForWrite(old, new string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return lie(l.FS.ReuseForWrite(old, new, category))
}

func lie(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &lyingFile{f}, nil
}

type lyingFile struct{ vfs.File }

func (*lyingFile) Sync() error                { return nil }
func (*lyingFile) SyncData() error            { return nil }
func (*lyingFile) SyncTo(int64) (bool, error) { return true, nil }
