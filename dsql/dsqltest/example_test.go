package dsqltest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/rowdelta/rowdelta/dsql/dsqltest"
)

// What a stream without cut images comes to if the newest change of each row is
// kept, as the test of a consumer would see it.
func ExampleGenerator() {
	s, err := dsqltest.Generator{Seed: 1, Repeats: 0.5}.Stream()
	if err != nil {
		fmt.Println(err)
		return
	}
	var record struct {
		Op     string
		Before map[string]json.RawMessage
		After  map[string]json.RawMessage
		Source struct {
			Table string
			Time  int64 `json:"ts_ns"`
		}
	}
	newest, there := map[string]int64{}, map[string]bool{}
	for _, r := range s.Merge(rand.New(rand.NewPCG(1, 2))) {
		record.Before, record.After = nil, nil
		if err := json.Unmarshal(r.Data, &record); err != nil {
			fmt.Println(err)
			return
		}
		id := string(record.After["id"]) + string(record.Before["id"])
		if record.Source.Table != "accounts" || record.Source.Time <= newest[id] {
			continue
		}
		newest[id], there[id] = record.Source.Time, record.Op != "d"
	}
	missing := 0
	for table, rows := range s.Truth {
		if table.Name != "accounts" {
			continue
		}
		for id := range rows {
			if !there[id[1:len(id)-1]] { // without the brackets of the array
				missing++
			}
		}
	}
	fmt.Println(len(s.Whole), "changes,", len(s.Shards), "shards,", missing, "accounts missing")
	// Output: 376 changes, 4 shards, 0 accounts missing
}
