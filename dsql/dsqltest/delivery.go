package dsqltest

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"
)

// A delivery puts records into shards.
type delivery struct {
	r    *rand.Rand
	g    *Generator
	puts []put
}

// A put is one record on its way.
type put struct {
	at     int64 // ns since the Unix epoch
	change int
	data   []byte
}

// add puts a change's records on their way, and returns the record that the
// change would be if it were not cut.
func (d *delivery) add(index int, c *change) []byte {
	w := writer{g: d.g, c: c}
	at := c.commit + d.lag()
	processed := d.between(c.commit, at)
	whole := w.main(processed, [2]*cut{})
	main := whole
	cuts := w.cut(d.r, processed, len(whole))
	if cuts != [2]*cut{} {
		main = w.main(processed, cuts)
	}
	d.put(index, at, main)
	for again := range d.repeats(at) {
		data := main
		if d.r.IntN(2) == 0 {
			data = w.main(d.between(processed, again), cuts)
		}
		d.put(index, again, data)
	}
	for _, cut := range cuts {
		if cut == nil {
			continue
		}
		for i := range cut.pieces {
			at, data := c.commit+d.lag(), cut.fragment(i)
			d.put(index, at, data)
			for again := range d.repeats(at) {
				d.put(index, again, data)
			}
		}
	}
	return whole
}

func (d *delivery) put(change int, at int64, data []byte) {
	d.puts = append(d.puts, put{at, change, data})
}

// lag returns at least a nanosecond.
func (d *delivery) lag() int64 { return 1 + d.r.Int64N(int64(d.g.Lag)) }

// between returns a moment after a and not after b.
func (d *delivery) between(a, b int64) int64 { return a + 1 + d.r.Int64N(b-a) }

// repeats yields when a record that came at a moment comes again.
func (d *delivery) repeats(at int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for d.r.Float64() < d.g.Repeats/(1+d.g.Repeats) && yield(at+d.lag()) {
		}
	}
}

// scatter puts everything into shards in the order of its moments.
func (d *delivery) scatter() []Shard {
	slices.SortStableFunc(d.puts, func(a, b put) int { return cmp.Compare(a.at, b.at) })
	reshards := make([]int, d.g.Reshards) // before which of puts
	for i := range reshards {
		reshards[i] = d.r.IntN(len(d.puts))
	}
	slices.Sort(reshards)
	s := shards{r: d.r}
	for range d.g.Shards {
		s.open = append(s.open, s.create())
	}
	for i, p := range d.puts {
		for len(reshards) > 0 && reshards[0] == i {
			s.reshard()
			reshards = reshards[1:]
		}
		s.open[s.r.IntN(len(s.open))].add(p)
	}
	out := make([]Shard, len(s.all))
	for i, sh := range s.all {
		out[i] = sh.Shard
	}
	return out
}
