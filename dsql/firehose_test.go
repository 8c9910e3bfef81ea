package dsql_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

// A Firehose stream from DSQL's Kinesis stream: what reaches its function are
// whole records, in any order within a batch.
func TestFirehose(t *testing.T) {
	s, err := dsqltest.Generator{Seed: 7, Transactions: 300, Shards: 1, NoPrimaryKey: true, Lag: 1}.Stream()
	require.NoError(t, err)
	records := s.Shards[0].Records

	tables := map[envelope.Table]route.Destination{{Schema: "public", Name: "events"}: {}}
	for table := range s.Keys {
		tables[table] = route.Destination{}
	}
	outcomes := map[route.Reason]int{}
	f := &route.Firehose{
		Router:     &route.Rules{Database: "lake", Tables: tables},
		Logger:     slog.New(slog.DiscardHandler),
		NewDecoder: func() envelope.Decoder { return new(dsql.Decoder) },
		Observe: func(o *route.Outcome) {
			outcomes[o.Reason]++
			if o.Reason == route.NoKey {
				assert.Equal(t, "postgres.public.events", o.Table.String())
				assert.Equal(t, envelope.OpDelete, o.Op)
				assert.ErrorIs(t, o.Err, dsql.ErrNoPrimaryKey)
			}
		},
	}
	rows := map[string]envelope.Row{}
	var d dsql.Decoder
	keyless := 0
	for from := 0; from < len(records); from += 50 {
		batch := records[from:min(from+50, len(records))]
		var event route.Event
		for i, r := range batch {
			event.Records = append(event.Records, route.Record{RecordID: fmt.Sprint(from + i), ApproximateArrivalTimestamp: time.Now().UnixMilli(), Data: r.Data})
		}
		response, err := f.Handle(ctx, event)
		require.NoError(t, err)
		for i, answer := range response.Records {
			var c envelope.Change
			if err := d.Decode(&c, batch[i].Data); errors.Is(err, dsql.ErrNoPrimaryKey) {
				require.Equal(t, route.ProcessingFailed, answer.Result)
				keyless++
				continue
			}
			require.Equal(t, route.Ok, answer.Result)
			key, err := s.Key(&c)
			if errors.Is(err, envelope.ErrNoKey) {
				continue
			}
			require.NoError(t, err)
			key = c.Table.Schema + "." + c.Table.Name + key
			if answer.Metadata.OTF.Operation == route.OperationDelete {
				delete(rows, key)
			} else {
				rows[key] = envelope.Row(answer.Data[:len(answer.Data)-1])
			}
		}
	}
	want := map[string]envelope.Row{}
	for table, truth := range s.Truth {
		for key, row := range truth {
			want[table.Schema+"."+table.Name+key] = row
		}
	}
	assert.Equal(t, want, rows)
	assert.Positive(t, keyless)
	assert.Equal(t, map[route.Reason]int{route.Delivered: len(records) - keyless, route.NoKey: keyless}, outcomes)

	// Parts are no rows.
	part := fragment("x", 0, "{}")
	f.Observe = func(o *route.Outcome) {
		assert.Equal(t, route.Undecodable, o.Reason)
		assert.ErrorIs(t, o.Err, dsql.ErrPart)
	}
	response, err := f.Handle(ctx, route.Event{Records: []route.Record{{RecordID: "1", Data: part}}})
	require.NoError(t, err)
	assert.Equal(t, part, response.Records[0].Data)
}
