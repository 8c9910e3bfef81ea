package dynamostore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/dynamostore"
	"github.com/rowdelta/rowdelta/dedupe/storetest"
	"github.com/rowdelta/rowdelta/envelope"
)

// store returns a store in the database.
func (d *database) store() *dynamostore.Store {
	return &dynamostore.Store{Client: d, Table: tableName}
}

func TestStore(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		storetest.RunShared(t, func(*testing.T) func() dedupe.Store {
			d := newDatabase()
			return func() dedupe.Store { return d.store() }
		})
	})
	// All places in one table, and marks that expire.
	t.Run("prefixes", func(t *testing.T) {
		d, places := newDatabase(), 0
		storetest.RunShared(t, func(*testing.T) func() dedupe.Store {
			places++
			prefix := strings.Repeat("p", places)
			return func() dedupe.Store {
				s := d.store()
				s.Prefix, s.Keep, s.Concurrency = prefix, time.Hour, 2
				return s
			}
		})
	})
}

// at returns the nth version.
func at(n int) envelope.Version {
	return envelope.PositionVersion(1_795_233_755_000_000_000+int64(n), 1, uint64(n))
}

// keys returns n different keys.
func keys(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "private key %d", i)
	}
	return out
}

// inserts returns swaps that give keys without a mark one.
func inserts(keys [][]byte) []dedupe.Swap {
	out := make([]dedupe.Swap, len(keys))
	for i, key := range keys {
		out[i] = dedupe.Swap{Key: key, New: at(i + 1)}
	}
	return out
}

// dones returns Done of each swap, as a word of 1 and 0.
func dones(swaps []dedupe.Swap) string {
	var b strings.Builder
	for _, s := range swaps {
		if s.Done {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// mustSwap makes swaps and compares what is done.
func mustSwap(t *testing.T, s *dynamostore.Store, swaps []dedupe.Swap, want string) {
	t.Helper()
	if err := s.Swap(t.Context(), swaps); err != nil {
		t.Fatal(err)
	}
	if got := dones(swaps); got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
}

// mustLoad loads the marks of keys, which must be the versions at those numbers,
// 0 for none.
func mustLoad(t *testing.T, s *dynamostore.Store, keys [][]byte, want ...int) {
	t.Helper()
	got := make([]envelope.Version, len(keys))
	if err := s.Load(t.Context(), keys, got); err != nil {
		t.Fatal(err)
	}
	for i, n := range want {
		w := envelope.Version{}
		if n > 0 {
			w = at(n)
		}
		if got[i] != w {
			t.Errorf("key %d: the mark is %v, want %v", i, got[i], w)
		}
	}
}

// fails judges the error of a call: it wraps all of causes and holds no key.
func fails(t *testing.T, err error, causes ...error) {
	t.Helper()
	for _, cause := range causes {
		if !errors.Is(err, cause) {
			t.Errorf("got %v, which does not wrap %v", err, cause)
		}
	}
	switch {
	case err == nil:
		t.Error("no error")
	case strings.Contains(fmt.Sprintf("%s%v%+v%q", err, err, err, err), "private"):
		t.Errorf("an error with a key: %v", err)
	case !strings.HasPrefix(err.Error(), "dynamostore: "), !strings.Contains(err.Error(), tableName) && !errors.Is(err, dynamostore.ErrTable):
		t.Errorf("an error that does not name the table: %v", err)
	}
}

func TestUnusable(t *testing.T) {
	for name, spoil := range map[string]func(*dynamostore.Store){
		"client":   func(s *dynamostore.Store) { s.Client = nil },
		"no name":  func(s *dynamostore.Store) { s.Table = "" },
		"short":    func(s *dynamostore.Store) { s.Table = "ab" },
		"long":     func(s *dynamostore.Store) { s.Table = strings.Repeat("a", 256) },
		"ARN":      func(s *dynamostore.Store) { s.Table = "arn:aws:dynamodb:us-east-1:123456789012:table/marks" },
		"quote":    func(s *dynamostore.Store) { s.Table = `marks"` },
		"space":    func(s *dynamostore.Store) { s.Table = "marks VALUE" },
		"not text": func(s *dynamostore.Store) { s.Table = "mark\xff" },
		"prefix":   func(s *dynamostore.Store) { s.Prefix = strings.Repeat("p", 256) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			s := d.store()
			spoil(s)
			for _, err := range []error{
				s.Load(t.Context(), keys(1), make([]envelope.Version, 1)), s.Swap(t.Context(), inserts(keys(1))),
				s.CreateTable(t.Context()), s.Check(t.Context()),
			} {
				fails(t, err, dynamostore.ErrTable)
			}
			if sent := d.sent(); sent != "" || d.created != nil {
				t.Error("sent", sent)
			}
		})
	}
	s := newDatabase().store()
	s.Prefix = strings.Repeat("p", 255)
	s.Table = strings.Repeat("aZ09-_.", 36) + "end"
	s.Client.(*database).table = s.Table
	mustSwap(t, s, inserts(keys(1)), "1")
	mustLoad(t, s, keys(1), 1)
}

func TestArguments(t *testing.T) {
	d := newDatabase()
	s := d.store()
	for _, n := range []int{0, 1, 3} {
		if err := s.Load(t.Context(), keys(2), make([]envelope.Version, n)); err == nil {
			t.Errorf("2 keys and %d versions", n)
		}
	}
	swaps := inserts(keys(30))
	swaps[29].New = envelope.Version{}
	if err := s.Swap(t.Context(), swaps); err == nil {
		t.Error("a mark that is none was made")
	}
	if sent := d.sent(); sent != "" {
		t.Error("sent", sent)
	}
}
