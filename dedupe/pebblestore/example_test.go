package pebblestore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/dedupe/pebblestore"
	"github.com/rowdelta/rowdelta/envelope"
)

// A mark outlives the store that swapped it in.
func ExampleStore() {
	top, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(top)
	dir := filepath.Join(top, "marks")
	ctx := context.Background()
	key := []byte("orders 7")

	store, err := pebblestore.Open(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	version := envelope.PositionVersion(1_795_233_755_000_000_000, 0, 42)
	swaps := []dedupe.Swap{{Key: key, New: version}} // there is no mark yet
	if err := store.Swap(ctx, swaps); err != nil {
		log.Fatal(err)
	}
	fmt.Println("done:", swaps[0].Done)
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}

	if store, err = pebblestore.Open(dir, nil); err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	marks := make([]envelope.Version, 2)
	if err := store.Load(ctx, [][]byte{key, []byte("orders 8")}, marks); err != nil {
		log.Fatal(err)
	}
	fmt.Println(marks[0])
	fmt.Println(marks[1])
	// Output:
	// done: true
	// 2026-11-21T04:02:35Z at 0,42
	// none
}
