package dedupe_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/rowdelta/rowdelta/dedupe"
	"github.com/rowdelta/rowdelta/envelope"
)

// A Memory is what a Filter needs in a process that keeps its marks to itself.
func ExampleMemory() {
	store := &dedupe.Memory{
		MaxKeys: 20_000_000, // 1 GB
		Keep:    48 * time.Hour,
	}
	filter := dedupe.Filter{Store: store}

	ctx := context.Background()
	change := envelope.Change{
		Op:      envelope.OpCreate,
		Table:   envelope.Table{DB: "shop", Schema: "public", Name: "orders"},
		Key:     envelope.Row(`{"id":7}`),
		After:   envelope.Row(`{"id":7,"status":"paid"}`),
		Version: envelope.PositionVersion(1_795_233_755_000_000_000, 0, 41),
	}
	for range 2 {
		batch, err := filter.Admit(ctx, []envelope.Change{change})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(batch.Decisions[0].Verdict)
		// … the sink gets what is admitted, and then:
		if err := filter.Commit(ctx, batch); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(store.Len(), "key")
	// Output:
	// newer
	// repeat
	// 1 key
}

// What the process knows outlives it in a file. Read the input again from where it
// was committed when Save began.
func ExampleMemory_Save() {
	ctx := context.Background()
	var before dedupe.Memory
	err := before.Swap(ctx, []dedupe.Swap{{Key: []byte("orders|7"), New: envelope.PositionVersion(0, 0, 41)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if err := before.Save(&file); err != nil {
		fmt.Println(err)
		return
	}

	var after dedupe.Memory // in the next process
	if err := after.Restore(&file); err != nil {
		fmt.Println(err)
		return
	}
	versions := make([]envelope.Version, 1)
	if err := after.Load(ctx, [][]byte{[]byte("orders|7")}, versions); err != nil {
		fmt.Println(err)
	}
	fmt.Println(versions[0].Compare(envelope.PositionVersion(0, 0, 40)))
	// Output: 1
}
