package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/dsql"
)

func TestCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	load := func() *checkpoint {
		t.Helper()
		c, err := loadCheckpoint(path, "orders")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	save := func(c *checkpoint, sink int64, floors ...dsql.Floor) {
		t.Helper()
		if err := c.save(sink, floors); err != nil {
			t.Fatal(err)
		}
	}
	a, b := dsql.Floor{Shard: "a", Sequence: "1"}, dsql.Floor{Shard: "b", Sequence: "49681234567890123456789012345678901234567890123456789012", After: true}
	c := load()
	save(c, 7, a, b)
	a.Sequence, a.End = "2", true
	save(load(), 9, a) // of b nothing new is known
	got := load()
	if want := map[string]dsql.Floor{"a": a, "b": b}; !maps.Equal(got.Shards, want) || got.Sink != 9 {
		t.Errorf("got %+v, want %+v", got, want)
	}

	if _, err := loadCheckpoint(path, "products"); err == nil || !strings.Contains(err.Error(), "is of stream orders") {
		t.Error("another stream:", err)
	}
	// A crash while the next one is written leaves the old one.
	if err := os.WriteFile(path+".next", []byte(`{"Stream":"ord`), 0o600); err != nil {
		t.Fatal(err)
	}
	if load().Sink != 9 {
		t.Error("half a checkpoint was read")
	}
	save(load(), 10)
	if load().Sink != 10 {
		t.Error("half a checkpoint was in the way")
	}
	if err := os.WriteFile(path, []byte(`{"Stream":"ord`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadCheckpoint(path, "orders"); err == nil {
		t.Error("a broken checkpoint was taken for none")
	}
}

func TestCheckpointThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	c, err := loadCheckpoint(path, "orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".next", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.save(1, nil); err == nil {
		t.Error("no error")
	}
}
