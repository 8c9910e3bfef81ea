package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/rowdelta/rowdelta/dsql"
	"github.com/rowdelta/rowdelta/envelope"
)

// A sink takes the changes. It is given each at least once, in any order, so that
// it keeps the one with the highest version of each row, and remembers that of a
// deleted one.
type sink interface {
	// Apply takes a change, which is valid until it returns, and reports whether
	// the row has changed. A permanent error is about this change alone.
	Apply(c *envelope.Change) (changed bool, err error)
	// Flush returns once a crash would not undo what was applied. The mark grows
	// with that.
	Flush() (mark int64, err error)
}

// A consumer reads all shards of a stream, one goroutine each, and takes what
// they bring in one loop: its reassembler must see all shards, since the parts of
// a record can be in any of them.
type consumer struct {
	api     service
	stream  string
	sink    sink
	saved   *checkpoint
	printer printer
	log     *slog.Logger
	poll    time.Duration // between two reads of a shard
	every   time.Duration // between two commits
	age     time.Duration // between two parts' arrivals in the stream, after which no more are waited for
	answers int           // in memory at once
	memory  int64         // bytes for parts of records that wait for others

	shards  shards
	slots   chan struct{} // see reader
	batches chan batch
	pace    pace
	parts   dsql.Reassembler
	decoder dsql.Decoder
	unsaved bool                    // something was taken since the last commit
	keyless map[envelope.Table]bool // tables that were reported
}

// run consumes until ctx is done and commits what it has taken then. After an
// error it does not: it comes again.
func (c *consumer) run(ctx context.Context) error {
	c.decoder.ClusterAsDB = true // several clusters can share a stream
	c.parts.Limits = dsql.Limits{Age: c.age, PendingBytes: c.memory}
	c.slots = make(chan struct{}, c.answers)
	c.batches = make(chan batch)
	c.keyless = make(map[envelope.Table]bool)

	reading, stop := context.WithCancelCause(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop(nil)
	start := func() {
		for _, id := range c.shards.start() {
			r := c.reader(id)
			readers.Go(func() {
				if err := r.run(reading); err != nil {
					stop(err)
				}
			})
		}
	}
	if err := c.resume(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	sweep := time.NewTicker(c.age / 4)
	defer sweep.Stop()
	for {
		start()
		select {
		case b := <-c.batches:
			err := c.take(ctx, b)
			<-c.slots
			if err != nil {
				return err
			}
		case <-sweep.C:
			if err := c.expire(ctx); err != nil {
				return err
			}
		case <-tick.C:
			if !c.unsaved {
				continue
			}
			if err := c.commit(ctx); err != nil {
				return err
			}
		case <-reading.Done():
			if ctx.Err() == nil {
				return context.Cause(reading)
			}
			return c.commit(context.WithoutCancel(ctx))
		}
	}
}

// resume asks for the stream's shards and compares them with the checkpoint.
func (c *consumer) resume(ctx context.Context) error {
	if err := c.list(ctx); err != nil {
		return err
	}
	for id, f := range c.saved.Shards {
		_, known := c.shards.parents[id]
		switch {
		case known && f.End:
			c.shards.end(id)
		case !known && !f.End:
			c.log.Error("RECORDS MAY BE LOST: a shard has left the stream before it was read to its end", "shard", id, "checkpoint", f.Sequence)
			fallthrough
		case !known:
			delete(c.saved.Shards, id)
		}
	}
	return nil
}

// list makes all shards of the stream known.
func (c *consumer) list(ctx context.Context) error {
	for in := (&kinesis.ListShardsInput{StreamName: &c.stream}); in != nil; {
		out, err := c.api.ListShards(ctx, in)
		if err != nil {
			return err
		}
		for _, s := range out.Shards {
			var parents []string
			for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
				if p != nil {
					parents = append(parents, *p)
				}
			}
			c.shards.add(aws.ToString(s.ShardId), parents...)
		}
		in = nil
		if out.NextToken != nil {
			in = &kinesis.ListShardsInput{NextToken: out.NextToken}
		}
	}
	return nil
}

func (c *consumer) reader(id string) *reader {
	at := c.saved.Shards[id]
	c.pace.begin(id)
	c.log.Info("reading", "shard", id, "from", at.Sequence)
	return &reader{
		api: c.api, stream: c.stream, shard: id, at: at,
		poll: c.poll, pace: &c.pace, slots: c.slots, out: c.batches, log: c.log,
	}
}

// take takes what a reader brings.
func (c *consumer) take(ctx context.Context, b batch) error {
	for _, r := range b.records {
		in := dsql.Record{
			Shard:    b.shard,
			Sequence: aws.ToString(r.SequenceNumber),
			Arrival:  aws.ToTime(r.ApproximateArrivalTimestamp),
			Data:     r.Data,
		}
		if err := c.add(ctx, in); err != nil {
			return err
		}
		c.unsaved = true
	}
	c.pace.tighten(c.parts.Bytes() > c.memory/2)
	if !b.through.IsZero() {
		c.pace.advance(b.shard, b.through)
	}
	if !b.end {
		return nil
	}
	c.log.Info("end", "shard", b.shard, "children", len(b.children))
	c.parts.Close(b.shard)
	c.unsaved = true
	c.pace.end(b.shard)
	c.shards.end(b.shard)
	for _, child := range b.children {
		c.shards.add(aws.ToString(child.ShardId), child.ParentShards...)
	}
	return nil
}

// add takes one record of the stream.
func (c *consumer) add(ctx context.Context, in dsql.Record) error {
	record, err := c.parts.Add(ctx, in)
	if errors.Is(err, dsql.ErrUncommitted) {
		if err := c.commit(ctx); err != nil {
			return err
		}
		record, err = c.parts.Add(ctx, in)
	}
	var change envelope.Change
	switch {
	case err == nil && record == nil:
		return nil // a part; the others are still to come, or it came before
	case err == nil:
		// A delete that names no row is the sink's to judge: it knows the keys.
		if err = c.decoder.Decode(&change, record); err == nil || errors.Is(err, dsql.ErrNoPrimaryKey) {
			err = c.apply(&change)
		}
	}
	if !envelope.IsPermanent(err) {
		return err
	}
	c.lost(in, err)
	return nil
}

func (c *consumer) apply(change *envelope.Change) error {
	changed, err := c.sink.Apply(change)
	if errors.Is(err, envelope.ErrNoKey) {
		if !c.keyless[change.Table] {
			c.keyless[change.Table] = true
			c.log.Warn("left out: nothing says what its primary key is", "table", change.Table.String())
		}
		return nil
	}
	if err != nil {
		return err
	}
	return c.printer.print(change, changed)
}

// lost reports a record that cannot be used. Without more the next commit counts
// it as done: whoever needs every change stores these somewhere, which shard and
// sequence number suffice for while the stream keeps the record.
func (c *consumer) lost(in dsql.Record, err error) {
	what := "A CHANGE IS LOST"
	if errors.Is(err, dsql.ErrGivenUp) {
		what = "too late: a part of a record that was given up" // which was reported then, with what it costs
	}
	c.log.Error(what, "shard", in.Shard, "sequence", in.Sequence, "error", err)
	if part, ok := errors.AsType[*dsql.PartError](err); ok {
		c.orphans(part.Lost)
	}
}

func (c *consumer) orphans(all []dsql.Orphan) {
	for _, o := range all {
		c.log.Error("given up for lack of parts: a change is lost, unless these repeat an image that was complete", "chunk", o.ChunkID, "main", o.Main, "have", o.Have, "total", o.Total, "first", o.First, "where", o.Where)
	}
}

// expire gives up the images that cannot be completed any more.
func (c *consumer) expire(ctx context.Context) error {
	if len(c.parts.Pending()) == 0 {
		return nil
	}
	watermark, err := c.watermark(ctx)
	switch {
	case err != nil && (passes(err) || ctx.Err() != nil):
		c.log.Warn("listing the shards failed, trying again later", "error", err)
		return nil
	case err != nil:
		return err
	}
	orphans, err := c.parts.Expire(ctx, watermark)
	c.orphans(orphans)
	c.unsaved = c.unsaved || len(orphans) > 0
	return err
}

// watermark returns a time such that all that arrived in the stream before it
// was taken; zero if there is no telling. It asks for the shards first: one that
// was closed can look as if it had been read to the present, while its children,
// of which nobody knows yet, have a backlog of hours.
func (c *consumer) watermark(ctx context.Context) (time.Time, error) {
	lowest := time.Now()
	if err := c.list(ctx); err != nil {
		return time.Time{}, err
	}
	for id := range c.shards.parents {
		if c.shards.ended[id] {
			continue
		}
		// Zero until the first answer, and while it waits for its parents.
		if t := c.pace.at(id); t.Before(lowest) {
			lowest = t
		}
	}
	return lowest, nil
}

// commit makes everything taken so far durable, and then the positions behind
// it. In this order: a crash between the two costs only time.
func (c *consumer) commit(ctx context.Context) error {
	mark, err := c.sink.Flush()
	if err != nil {
		return err
	}
	c.unsaved = false
	return c.parts.Commit(ctx, func(floors []dsql.Floor) error { return c.saved.save(mark, floors) })
}
