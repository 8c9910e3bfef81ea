//go:build !race

// The race detector makes allocations of its own, and under it sync.Pool forgets on purpose.

package route_test

import (
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The question to an Admission is three slices more, however many records an event has.
func TestAdmissionAllocations(t *testing.T) {
	allocations := func(n int, options ...func(*route.Firehose)) float64 {
		f := firehose(options...)
		var values [][]byte
		for i := range n {
			values = append(values, upsert("u", fmt.Sprintf(`{"order_id":%d}`, i), i))
		}
		event := kinesis.event(values...)
		return testing.AllocsPerRun(50, func() {
			if _, err := f.Invoke(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		})
	}
	with := func(f *route.Firehose) { f.Admission = silent{} }
	raising := func(f *route.Firehose) { f.Admission = raising{} }
	for _, n := range []int{1, 10, 1000} {
		assert.LessOrEqual(t, allocations(n, with), allocations(n)+2, n)
		assert.LessOrEqual(t, allocations(n, raising), allocations(n)+3, n)
	}
}

// A Firehose keeps nothing of an event that it has answered, nor of the changes that Coalesce took from its Admission.
func TestAdmissionKeepsNothing(t *testing.T) {
	f := firehose(coalescing, func(f *route.Firehose) { f.Admission = silent{} })
	left := func() (all []weak.Pointer[byte]) {
		var values [][]byte
		for i := range 8 {
			values = append(values, upsert("u", fmt.Sprintf(`{"order_id":%d}`, i%3), i))
		}
		ev := typedEvent(kinesis, values)
		for _, r := range ev.Records {
			all = append(all, weak.Make(&r.Data[0]))
		}
		_, err := f.Handle(t.Context(), ev)
		require.NoError(t, err)
		return all
	}()
	runtime.GC()                           // one more, and a sync.Pool would have forgotten the batch as well
	for i, p := range left[:len(left)-1] { // the decoder has the last record until the next
		assert.Nil(t, p.Value(), i)
	}
	runtime.KeepAlive(f)
}
