package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rowdelta/rowdelta/dedupe"
)

// DefaultCacheBytes holds the blocks of some million marks.
const DefaultCacheBytes = 64 << 20

var (
	// ErrClosed is the error of calls after Close.
	ErrClosed = errors.New("the store is closed")
	// ErrFormat is wrapped by the error of Open for a directory that holds another
	// database, or marks in a format that this version does not know.
	ErrFormat = errors.New("not a directory of marks in a known format")
	// ErrCorrupt is wrapped by errors about marks whose bytes are no version. A
	// disk or a program changed them. Trying again does not help.
	ErrCorrupt = errors.New("a mark is corrupt")
)

// Options of [Open]. The zero value is ready to use.
type Options struct {
	// CacheBytes is the memory for blocks of tables; 0 means DefaultCacheBytes. Up
	// to 64 MiB more hold marks that are not in tables yet.
	CacheBytes int64
	// Logger is told of failures and stalls in the background. No record holds a
	// key. Nil means that nothing is logged.
	Logger *slog.Logger
}

// A Store is a [dedupe.Store] in a directory. Open makes one. It is safe for
// concurrent use, and must be closed.
//
// Errors wrap their cause, which is the context's, [ErrClosed], [ErrCorrupt] or
// one of the file system. They hold no key.
type Store struct {
	db     *pebble.DB
	log    *slog.Logger
	life   sync.RWMutex // held for reading by calls, for writing by Close
	closed bool
	failed atomic.Pointer[failure]

	turn       chan struct{} // held by the one who writes
	mu         sync.Mutex
	waiting    []*write
	batchBytes int

	floor atomic.Int64 // in ns, math.MinInt64 for none
}

var _ dedupe.Store = (*Store)(nil)

// Open opens the store in a directory, which is made if there is none. opts may
// be nil. A directory that is open already, in this process or another one, is an
// error.
func Open(dir string, opts *Options) (*Store, error) {
	if opts == nil {
		opts = &Options{}
	}
	path, err := filepath.Abs(dir)
	if err == nil {
		err = makeDir(vfs.Default, path)
	}
	if err == nil {
		// Within a process the lock on a directory is by its name: there must be one.
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return nil, fmt.Errorf("pebblestore: open: %w", err)
	}
	return open(path, *opts, internals{})
}

// makeDir makes a directory and those above it, and syncs what they are in.
func makeDir(fs vfs.FS, path string) error {
	var above []string
	for p := path; ; p = fs.PathDir(p) {
		_, err := fs.Stat(p)
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		above = append(above, fs.PathDir(p))
	}
	if err := fs.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, p := range above {
		dir, err := fs.OpenDir(p)
		if err != nil {
			return err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

// internals are what tests change.
type internals struct {
	fs            vfs.FS // nil for the disk, which Pebble then watches for slowness
	memTableBytes uint64
	batchBytes    int
}

func open(path string, opts Options, in internals) (*Store, error) {
	s := &Store{log: opts.Logger, turn: make(chan struct{}, 1), batchBytes: in.batchBytes}
	if s.batchBytes == 0 {
		s.batchBytes = batchBytes
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	err := guard(func() (err error) {
		s.db, err = pebble.Open(path, s.options(opts, in))
		return err
	})
	if errors.Is(err, syscall.EAGAIN) {
		err = fmt.Errorf("another process has it open: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("pebblestore: open %s: %w", path, err)
	}
	if err := guard(s.format); err != nil {
		return nil, fmt.Errorf("pebblestore: open %s: %w", path, errors.Join(err, s.db.Close()))
	}
	return s, nil
}

func (s *Store) options(opts Options, in internals) *pebble.Options {
	o := &pebble.Options{
		FS:                          in.fs,
		CacheSize:                   opts.CacheBytes,
		MemTableSize:                in.memTableBytes,
		Comparer:                    discreet(),
		FormatMajorVersion:          pebble.FormatMinSupported, // until format has looked at what is there
		Logger:                      logger{},
		EventListener:               s.events(),
		MemTableStopWritesThreshold: 4,
	}
	if o.CacheSize <= 0 {
		o.CacheSize = DefaultCacheBytes
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = 16 << 20
	}
	// Most keys of a batch have no mark yet: the filters say so without a read.
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// Close waits for the calls that are under way and closes the store. Calls from
// then on fail. Closing it again does nothing.
func (s *Store) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if f := s.failed.Load(); f != nil && !f.orderly {
		// It stopped with its locks held, and would wait for them for ever.
		return fmt.Errorf("pebblestore: close: %w", f.err)
	}
	if err := guard(s.db.Close); err != nil {
		return fmt.Errorf("pebblestore: close: %w", err)
	}
	return nil
}

// enter begins a call, which ends with s.life.RUnlock unless there is an error.
func (s *Store) enter() error {
	s.life.RLock()
	err := ErrClosed
	if f := s.failed.Load(); f != nil {
		err = f.err
	} else if !s.closed {
		return nil
	}
	s.life.RUnlock()
	return err
}
