package route_test

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func limit(n int) func(*route.Firehose) { return func(f *route.Firehose) { f.MaxResponse = n } }

// What a response without a limit says, and how many bytes each answer has in it and without its payload.
type unlimited struct {
	answers    []answer
	full, bare []int
}

func withoutLimit(t tb, event []byte) unlimited {
	t.Helper()
	response, err := firehose(byTable, limit(1<<30)).Invoke(t.Context(), event)
	require.NoError(t, err)
	u := unlimited{answers: answers(t, response)}
	var all struct{ Records []json.RawMessage }
	require.NoError(t, json.Unmarshal(response, &all))
	for _, r := range all.Records {
		m, ok := members(r)
		require.True(t, ok)
		u.full = append(u.full, len(r))
		u.bare = append(u.bare, len(`{"recordId":,"result":"ProcessingFailed"}`)+len(named(m, "recordId")[0]))
	}
	require.Len(t, response, u.size(0, false))
	return u
}

// size returns the size of the response in which the rows in the set, by their place, have failed, and those that failed
// by themselves have no payload.
func (u unlimited) size(set uint, stripped bool) int {
	n := len(`{"records":[]}`) + max(0, len(u.answers)-1)
	for i, a := range u.answers {
		if set>>i&1 == 1 || a.Result == "ProcessingFailed" && stripped {
			n += u.bare[i]
			continue
		}
		n += u.full[i]
	}
	return n
}

// fewest tries every set of rows and returns the size of the smallest that makes the response fit, -1 if none does.
func (u unlimited) fewest(limit int) int {
	if u.size(0, false) <= limit {
		return 0
	}
	rows := uint(0)
	for i, a := range u.answers {
		if a.Result == "Ok" {
			rows |= 1 << i
		}
	}
	least := -1
	for set := rows; ; set = (set - 1) & rows {
		if n := bits.OnesCount(set); u.size(set, true) <= limit && (least < 0 || n < least) {
			least = n
		}
		if set == 0 {
			return least
		}
	}
}

// fewestPayloads is the same for the payloads of failed records, where that is enough.
func (u unlimited) fewestPayloads(limit int) int {
	var saved []int
	for i, a := range u.answers {
		if a.Result == "ProcessingFailed" {
			saved = append(saved, u.full[i]-u.bare[i])
		}
	}
	slices.Sort(saved)
	n, size := 0, u.size(0, false)
	for ; size > limit; n++ {
		size -= saved[len(saved)-1-n]
	}
	return n
}

// byTable gives the destination that the table's name says.
func byTable(f *route.Firehose) {
	f.Router = route.Func(func(c *envelope.Change) (route.Destination, error) {
		switch c.Table.Name {
		case "log":
			return route.Destination{Mode: route.AppendOnly}, nil
		case "new":
			return route.Destination{}, route.ErrNoRoute
		}
		return route.Destination{Database: "lake", Table: c.Table.Name, Mode: route.Literal}, nil
	})
}

// Whatever comes, the response is within the limit, or there is none; and no more is lost than must be.
func TestLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(shapes[:]).Draw(t, "shape")
		var records []string
		for i := range rapid.IntRange(0, 8).Draw(t, "records") {
			long := strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 2, 3, 50, 200}).Draw(t, "size"))
			row := rapid.SampledFrom([]string{`{}`, `{"a":"` + long + `"}`, `{"a":"` + long + `"}`}).Draw(t, "row")
			value := rapid.SampledFrom([][]byte{
				upsert("c", row, i), upsert("u", row, i), remove(row, i),
				change("u", "log", "null", row, i), change("u", "a_table_of_a_longer_name", "null", row, i),
				change("u", "new", "null", row, i), []byte(long), []byte("{"), nil,
			}).Draw(t, "value")
			name := rapid.SampledFrom([]string{"", "r", `q"`, "é", strings.Repeat("i", 60), strings.Repeat("i", 180)}).Draw(t, "id")
			records = append(records, s.record(fmt.Sprint(name, i), quote(value)))
		}
		event := s.eventOf(records...)
		free := withoutLimit(t, event)
		size := free.size(0, false)
		most := rapid.OneOf(rapid.IntRange(1, size+2), rapid.IntRange(size-2, size+2)).Draw(t, "limit")

		var seen []outcome
		response, err := firehose(byTable, limit(most), observe(&seen)).Invoke(t.Context(), event)
		want := free.fewest(most)
		if want < 0 {
			require.EqualError(t, err, "route: the record ids alone exceed the response limit")
			require.Nil(t, response)
			require.Empty(t, seen)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, len(response), most)
		lost, stripped, failed := 0, 0, 0
		got := answers(t, response)
		require.Len(t, got, len(free.answers))
		for i, a := range free.answers {
			switch {
			case seen[i].Reason == route.TooLarge:
				require.Equal(t, "Ok", a.Result)
				require.Equal(t, answer{ID: a.ID, Result: "ProcessingFailed"}, got[i])
				require.Equal(t, route.ProcessingFailed, seen[i].Result)
				require.Empty(t, seen[i].Operation)
				lost++
			case a.Result == "ProcessingFailed" && got[i].Under == "":
				require.Equal(t, answer{ID: a.ID, Result: "ProcessingFailed"}, got[i])
				stripped++
				failed++
			default:
				require.Equal(t, a, got[i])
				if a.Result == "ProcessingFailed" {
					failed++
				}
			}
		}
		require.Equal(t, want, lost, "rows lost, limit %d of %d", most, size)
		if lost > 0 {
			require.Equal(t, failed, stripped, "a row was lost before a payload")
		} else {
			require.Equal(t, free.fewestPayloads(most), stripped, "payloads lost, limit %d of %d", most, size)
		}
	})
}

// What is lost first, and what then.
func TestLimitOrder(t *testing.T) {
	big := func(n int) string { return `{"v":"` + strings.Repeat("x", n) + `"}` }
	values := [][]byte{
		upsert("u", big(300), 1),
		[]byte(big(100)), // no change
		upsert("u", big(900), 2),
		nil,
		[]byte(big(200)),
		upsert("u", big(600), 3),
	}
	for _, s := range shapes {
		event := s.event(values...)
		free := withoutLimit(t, event)
		size := free.size(0, false)
		saved := func(records ...int) (n int) {
			for _, i := range records {
				n += free.full[i] - free.bare[i]
			}
			return n
		}
		for _, c := range []struct {
			less int    // than the whole response
			want string // what is sent of each record: a payload, or the reason that there is none
		}{
			{0, "row payload row - payload row"},
			{1, "row payload row - none row"},
			{saved(4), "row payload row - none row"},
			{saved(4) + 1, "row none row - none row"},
			{saved(4, 1), "row none row - none row"},
			{saved(4, 1) + 1, "row none lost - none row"},
			{saved(4, 1, 2), "row none lost - none row"},
			{saved(4, 1, 2) + 1, "row none lost - none lost"},
			{saved(4, 1, 2, 5), "row none lost - none lost"},
			{saved(4, 1, 2, 5) + 1, "lost none lost - none lost"},
			{saved(4, 1, 2, 5, 0), "lost none lost - none lost"},
		} {
			var seen []outcome
			response, err := firehose(byTable, limit(size-c.less), observe(&seen)).Invoke(t.Context(), event)
			require.NoError(t, err)
			require.LessOrEqual(t, len(response), size-c.less)
			var got []string
			for i, a := range answers(t, response) {
				switch {
				case a.Result == "Ok":
					got = append(got, "row")
				case a.Result == "Dropped":
					got = append(got, "-")
				case seen[i].Reason == route.TooLarge:
					got = append(got, "lost")
				case a.Under == "":
					got = append(got, "none")
				default:
					got = append(got, "payload")
				}
			}
			assert.Equal(t, c.want, strings.Join(got, " "), "%s: %d bytes less", s, c.less)
		}
	}
}

// It is what a payload takes that counts, not what the whole answer does: an answer can be long by its record id, which
// stays.
func TestLimitOfLongIDs(t *testing.T) {
	row := func(n int) []byte { return upsert("u", `{"v":"`+strings.Repeat("x", n)+`"}`, 1) }
	for _, c := range []struct {
		name        string
		long, short []byte // under a long id and under a short one
		want        string
	}{
		{"rows", row(10), row(600), "O-"},
		{"failed records", []byte("{"), []byte(strings.Repeat("x", 600)), "P-"},
		{"a large one under the long id", row(600), row(10), "-O"},
	} {
		event := kinesis.eventOf(kinesis.record(strings.Repeat("i", 2000), quote(c.long)), kinesis.record("r", quote(c.short)))
		got := invoke(t, firehose(byTable, limit(withoutLimit(t, event).size(0, false)-500)), event)
		payloads := ""
		for _, a := range got {
			if a.Under == "" {
				payloads += "-"
			} else {
				payloads += a.Result[:1]
			}
		}
		assert.Equal(t, c.want, payloads, c.name)
	}
}

// Lambda's own limit, with events that are as large as it lets them be.
func TestLambdaLimit(t *testing.T) {
	require.Equal(t, 6_291_556, route.MaxResponse)
	const bytesLimit = 6_291_556
	build := func(record func(i int) string) []byte {
		event := []byte(`{"records":[`)
		for i := 0; ; i++ {
			r := record(i)
			if len(event)+len(r)+len(`,]}`) > bytesLimit {
				break
			}
			if i > 0 {
				event = append(event, ',')
			}
			event = append(event, r...)
		}
		return append(event, `]}`...)
	}
	small := quote([]byte(`{"op":"c","after":{"id":1},"source":{"table":"t"}}`))
	bad := `"` + strings.Repeat("A", 1<<20) + `"`
	large := quote(upsert("u", `{"v":"`+strings.Repeat("x", 700_000)+`"}`, 1))
	for _, c := range []struct {
		name  string
		event []byte
		lost  bool
	}{
		{"many small rows", build(func(i int) string { return fmt.Sprintf(`{"recordId":"%06d","data":%s}`, i, small) }), true},
		{"large rows", build(func(i int) string { return fmt.Sprintf(`{"recordId":"%06d","data":%s}`, i, large) }), false},
		{"large failed records", build(func(i int) string { return fmt.Sprintf(`{"recordId":"%06d","kafkaRecordValue":%s}`, i, bad) }), false},
		{"one failed record of all", fmt.Appendf(nil, `{"records":[{"recordId":"r","data":"%s"}]}`, strings.Repeat("A", bytesLimit-len(`{"records":[{"recordId":"r","data":""}]}`))), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.LessOrEqual(t, len(c.event), bytesLimit)
			require.Greater(t, len(c.event), bytesLimit*3/4)
			var seen []outcome
			response, err := firehose(observe(&seen)).Invoke(t.Context(), c.event)
			require.NoError(t, err)
			require.LessOrEqual(t, len(response), bytesLimit)
			got := answers(t, response)
			require.Len(t, got, len(seen))
			lost := 0
			for i, o := range seen {
				if o.ID != got[i].ID {
					t.Fatalf("record %s is answered as %s", o.ID, got[i].ID)
				}
				if o.Reason == route.TooLarge {
					lost++
				}
			}
			assert.Equal(t, c.lost, lost > 0)
			if c.lost {
				// All rows are alike: one more of them would not have fit.
				var all struct{ Records []json.RawMessage }
				require.NoError(t, json.Unmarshal(response, &all))
				kept, bare := 0, 0
				for i, a := range got {
					if a.Result == "Ok" {
						kept = len(all.Records[i])
					} else {
						bare = len(all.Records[i])
					}
				}
				require.True(t, kept > bare && bare > 0)
				assert.Greater(t, len(response)+kept-bare, bytesLimit)
			}
		})
	}
}
