package route_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// byTime says something of every change, by its place in the log.
func byTime(c *envelope.Change) (order int, err error) {
	if n := c.Time / 1e6 % 5; n < 3 {
		return int(n) - 1, nil
	} else if n == 3 {
		return 1, errNoTelling
	}
	return 1, nil
}

// With an Admission, too, Handle and Invoke say the same of the same event. And what it says of one row makes no
// difference to another.
func TestAdmissionHandleIsInvoke(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvent(t)
		event := marshal(t, ev)
		if ev.Records == nil {
			event = []byte(`{"records":[]}`)
		}
		var asSent route.Event // which stays as it is, unlike what a judge has seen
		require.NoError(t, json.Unmarshal(event, &asSent))
		coalesce := rapid.Bool().Draw(t, "coalesce")
		most := rapid.SampledFrom([]int{0, 300, 1000, 3000}).Draw(t, "limit")
		build := func(seen *[]outcome, j *judge) *route.Firehose {
			f := firehose(byTable, coalescing, limit(most), observe(seen))
			f.Coalesce = coalesce
			if j != nil {
				admission(j)(f)
			}
			return f
		}
		var invoked, handled, free []outcome
		j, k := &judge{t: t, says: byTime}, &judge{t: t, says: byTime}
		response, err := build(&invoked, j).Invoke(t.Context(), event)
		typed, typedErr := build(&handled, k).Handle(t.Context(), ev)
		require.Equal(t, len(j.asked), len(k.asked))
		for i := range j.asked {
			require.Equal(t, j.asked[i].changes, k.asked[i].changes)
			require.Equal(t, j.asked[i].sent, k.asked[i].sent)
			require.Equal(t, err == nil, j.asked[i].raised)
		}
		if err != nil {
			require.EqualError(t, typedErr, err.Error())
			require.Zero(t, typed)
			return
		}
		require.NoError(t, typedErr)
		var want route.Response
		require.NoError(t, json.Unmarshal(response, &want))
		require.Empty(t, cmp.Diff(want, typed, cmpopts.EquateEmpty()))
		for i := range invoked {
			require.Equal(t, errorText(invoked[i].Err), errorText(handled[i].Err))
			invoked[i].ID = handled[i].ID // as it is spelled in the event, and as it is
		}

		if most == 0 {
			without, err := build(&free, nil).Invoke(t.Context(), event)
			require.NoError(t, err)
			expected, got := answers(t, without), answers(t, response)
			asked := 0
			for i, o := range free {
				if o.Result == route.Ok && o.Destination.Mode != route.AppendOnly {
					order, err := byTime(&j.asked[0].changes[asked])
					asked++
					switch {
					case err != nil:
						o.Result, o.Operation, o.Reason, o.Err = route.ProcessingFailed, "", route.NoKey, err
						came := append(asSent.Records[i].Data, asSent.Records[i].KafkaRecordValue...)
						expected[i] = answer{ID: got[i].ID, Result: failed, Under: expected[i].Under, Payload: string(came)}
					case order < 0:
						o.Result, o.Operation, o.Reason = route.Dropped, "", route.Stale
						expected[i] = answer{ID: got[i].ID, Result: dropped}
					case order == 0 && o.Operation == route.OperationInsert:
						o.Operation, expected[i].Operation = route.OperationUpdate, "update"
					}
				}
				o.ID, o.Err, invoked[i].Err = handled[i].ID, nil, nil
				require.Equal(t, o, invoked[i])
				require.Equal(t, expected[i], got[i])
			}
			if len(j.asked) > 0 {
				require.Len(t, j.asked[0].changes, asked)
			}
		}
		for i := range invoked {
			invoked[i].Err, handled[i].Err = nil, nil
		}
		require.Equal(t, invoked, handled)
	})
}
