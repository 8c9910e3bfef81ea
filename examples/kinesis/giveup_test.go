package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/dsql/dsqltest"
	"github.com/rowdelta/rowdelta/envelope"
)

// Parts that never come cost their own change and nothing else: it is given up,
// reported, and the checkpoint moves on. Not before the age has passed, and not
// while a shard is left that may have them.
func TestConsumerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Seed: 3, Transactions: 40, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Shards: 2, Reshards: 3})
		lost := removePart(t, w.api.stream)
		w.api.answer = 1 // of the shards, some are read long before the others
		w.last()
		log := w.log.String()
		if n := strings.Count(log, "given up"); n != 1 {
			t.Errorf("%d images were given up\n%s", n, log)
		}
		if n := len(w.api.stream.Whole); len(w.seen) != n-1 {
			t.Errorf("%d changes came to the sink, want all %d but one", len(w.seen), n)
		}
		var c envelope.Change
		d := dsql.Decoder{ClusterAsDB: true}
		if err := d.Decode(&c, lost); err != nil || w.seen[describe(&c)] {
			t.Errorf("the change without a part came to the sink (%v)", err)
		}
		w.checkEnd()
	})
}

// A part that arrives after its record was given up is reported as that: it may
// repeat one of a record that was complete.
func TestConsumerGetsAPartTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dsqltest.Generator{Seed: 3, Transactions: 40, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Shards: 1})
		s := &w.api.stream.Shards[0]
		i := slices.IndexFunc(s.Records, func(r dsql.Record) bool { return bytes.HasPrefix(r.Data, []byte(`{"type":"fragment"`)) })
		part, last := s.Records[i], s.Records[len(s.Records)-1]
		part.Sequence, part.Arrival = last.Sequence+"0", last.Arrival.Add(2*time.Minute)
		s.Records = append(slices.Delete(s.Records, i, i+1), part)
		w.api.begin()
		w.last()
		log := w.log.String()
		if n := strings.Count(log, "given up for lack of parts"); n != 1 {
			t.Errorf("%d images were given up\n%s", n, log)
		}
		if n := strings.Count(log, "too late"); n != 1 || !strings.Contains(log, "sequence="+part.Sequence) || strings.Contains(log, "LOST") {
			t.Error(log)
		}
		if n := len(w.api.stream.Whole); len(w.seen) != n-1 {
			t.Errorf("%d changes came to the sink, want all %d but one", len(w.seen), n)
		}
		w.checkEnd()
	})
}

// A shard that was read to the present may have been closed in the meantime, with
// children that nobody has read yet: what they can have is not given up.
func TestConsumerWaitsForChildren(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, dsqltest.Generator{Seed: seed, Large: 0.3, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Shards: 2, Reshards: 2})
			w.api.resharded, w.api.linger = time.Now().Add(time.Second), 900 // for one and a half minutes
			w.last()
			w.check()
		})
	}
}

// However long a shard is not read, and whatever the others have seen meanwhile:
// parts that lie in it unread are not given up. The age is of arrivals.
func TestConsumerWaitsForWhatIsUnread(t *testing.T) {
	// The parts of a record arrive up to 55 seconds apart; the age is a minute.
	g := dsqltest.Generator{Large: 0.5, SplitAt: 600, FragmentBytes: 100, LargeBytes: 1000, Shards: 3, Lag: 55 * time.Second}
	// stop stops a shard being read for ten minutes, after some answers.
	stop := func(w *world, shard string) {
		asked, until := 0, time.Now().Add(10*time.Minute)
		w.api.fail = func(operation, s string) error {
			if operation != "GetRecords" || s != shard {
				return nil
			}
			if asked++; asked > 3 && time.Now().Before(until) {
				return &types.ProvisionedThroughputExceededException{}
			}
			return nil
		}
	}
	for name, prepare := range map[string]func(w *world, shard string){
		"throttled": stop,
		"throttled while the stream is written": func(w *world, shard string) {
			w.api.begin()
			stop(w, shard)
		},
		"answers that are long on the way": func(w *world, shard string) {
			w.api.begin()
			until := time.Now().Add(10 * time.Minute)
			w.api.slow = func(s string) time.Duration {
				if s == shard && time.Now().Before(until) {
					return 100 * time.Second
				}
				return 0
			}
		},
		// As after a pause of the source.
		"all in one millisecond, which kinesis-local takes for the end": func(w *world, shard string) {
			w.api.newest, w.api.answer = true, 1
			for _, s := range w.api.stream.Shards {
				for i := range s.Records {
					s.Records[i].Arrival = s.Records[0].Arrival
				}
			}
			stop(w, shard)
		},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(name, ", ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g.Seed = seed
					w := newWorld(t, g)
					prepare(w, w.api.stream.Shards[1].ID)
					w.lasting, w.memory = 15*time.Minute, 64<<20 // enough for the others to go on
					w.last()
					w.check()
				})
			})
		}
	}
}

// removePart takes a fragment away and returns the record that it belongs to.
func removePart(t *testing.T, stream *dsqltest.Stream) []byte {
	t.Helper()
	for i := range stream.Shards {
		s := &stream.Shards[i]
		for j, r := range s.Records {
			if bytes.HasPrefix(r.Data, []byte(`{"type":"fragment"`)) && j > 0 {
				change := s.Changes[j]
				s.Records, s.Changes = slices.Delete(s.Records, j, j+1), slices.Delete(s.Changes, j, j+1)
				return stream.Whole[change]
			}
		}
	}
	t.Fatal("nothing was cut")
	return nil
}
