// Command bench measures this library against other ways to do the same work.
//
//	go run ./internal/bench [-rounds N] [-time D] [JOB…]
//
// It runs the jobs named, or all of them. In each job the contenders take turns in one process, one goroutine,
// round by round, and their medians are compared, so that the ratios hold on a noisy machine even where the times do
// not. Before it measures, it checks that all contenders get the same out of every record; if they do not, there is
// nothing to compare, and it exits with status 1.
//
// For each job and rival it prints one line, its fields separated by tabs: job, our ns/op, rival, the rival's ns/op,
// ratio (the rival's time over ours), our allocations per op. An op is one record in the decode jobs, one row
// in the values jobs, one event of 3000 records in the firehose job, 1000 bytes of a joined image in the join job, one key in the dedupe jobs and
// in iceberg/delta, and one row in iceberg/scan. For the dedupe jobs it prints one line more: job, the word bytes/key, what a key takes of our heap, and each rival with what it
// takes of theirs. Their 10 million keys take 4 GB in all. The int job has one rival more, a map of int64 by int64.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ours names this library's contender, which comes first in each job.
const ours = "rowdelta"

// A job is work that we and the rivals do. prepare makes its corpus and checks that all do the same.
type job struct {
	name    string
	prepare func() (*prepared, error)
}

// A prepared job is ready to be measured. One pass of a contender is ops operations.
type prepared struct {
	contenders []contender
	ops        int
	bytes      []float64 // that a key takes of each contender's heap, or nil
	closers    []func() error
}

// close gives back what the job holds outside of the memory.
func (p *prepared) close() error {
	var errs []error
	for _, c := range p.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

var jobs = []job{
	{"decode/debezium", decodeJob(decodeDebezium, debezium, 5000, false)},
	{"decode/debezium-schema", decodeJob(decodeDebezium, debeziumSchema, 700, true)},
	{"decode/wide", decodeJob(decodeDebezium, wide, 500, false)},
	{"decode/dsql", decodeJob(decodeDSQL, dsqlFull, 10_000, false)},
	{"decode/text", decodeJob(decodeDebezium, text, 64, false)},
	{"decode/mixed", decodeJob(decodeDebezium, mixed, 5000, false)},
	{"join", joinJob(3, 9<<20)},
	{"firehose", firehoseJob(debezium, 3000)},
	{"values/row", valuesRowJob(5000)},
	{"values/struct", valuesStructJob(5000)},
	{"dedupe/raise-1M", raiseJob(1_000_000, false)},
	{"dedupe/raise-10M", raiseJob(10_000_000, false)},
	{"dedupe/raise-10M-int", raiseJob(10_000_000, true)},
	{"iceberg/delta", deltaJob(1_000_000, 100_000)},
	{"iceberg/scan", scanJob(100_000, 600, 100, 30)},
}

func main() { os.Exit(run(jobs, os.Args[1:], os.Stdout, os.Stderr)) }

// run does what the command line says and returns the exit status: 1 if a job failed, 2 if the command line is wrong.
func run(jobs []job, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var s sampling
	flags.IntVar(&s.rounds, "rounds", 35, "how many `turns` each contender has")
	flags.DurationVar(&s.least, "time", 30*time.Millisecond, "how long a turn is at least")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: bench [flags] [JOB…]")
		flags.PrintDefaults()
		fmt.Fprintln(stderr, "jobs:")
		for _, j := range jobs {
			fmt.Fprintln(stderr, "  "+j.name)
		}
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	selected, err := choose(jobs, flags.Args())
	if err = errors.Join(err, s.valid()); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		flags.Usage()
		return 2
	}
	for _, j := range selected {
		if err := j.run(s, stdout); err != nil {
			fmt.Fprintf(stderr, "bench: %s: %v\n", j.name, err)
			return 1
		}
	}
	return 0
}

// choose returns the jobs of the names, in the order of the names, or all.
func choose(jobs []job, names []string) ([]job, error) {
	if len(names) == 0 {
		return jobs, nil
	}
	var chosen []job
	for _, name := range names {
		i := slices.IndexFunc(jobs, func(j job) bool { return j.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown job %q", name)
		}
		chosen = append(chosen, jobs[i])
	}
	return chosen, nil
}

// run prepares and measures the job and prints its lines.
func (j job) run(s sampling, w io.Writer) (err error) {
	p, err := j.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	times, err := s.measure(p.contenders)
	if err != nil {
		return err
	}
	allocs, err := allocations(p.contenders[0].pass)
	if err != nil {
		return err
	}
	ops := float64(p.ops)
	for i, rival := range p.contenders[1:] {
		if _, err := fmt.Fprintln(w, line(j.name, times[0]/ops, rival.name, times[i+1]/ops, allocs/ops)); err != nil {
			return err
		}
	}
	if p.bytes != nil {
		_, err = fmt.Fprintln(w, sizes(j.name, p))
	}
	return err
}

// sizes formats what a key takes.
func sizes(job string, p *prepared) string {
	fields := []string{job, "bytes/key"}
	for i, c := range p.contenders {
		if i > 0 {
			fields = append(fields, c.name)
		}
		fields = append(fields, strconv.FormatFloat(p.bytes[i], 'f', 1, 64))
	}
	return strings.Join(fields, "\t")
}

// line formats one result.
func line(job string, our float64, rival string, their, allocs float64) string {
	return strings.Join([]string{
		job,
		strconv.FormatFloat(our, 'f', 1, 64),
		rival,
		strconv.FormatFloat(their, 'f', 1, 64),
		strconv.FormatFloat(their/our, 'f', 2, 64),
		// Neither 0.00 for a few in a thousand records nor digits without meaning.
		strconv.FormatFloat(math.Ceil(allocs*1e4)/1e4, 'f', -1, 64),
	}, "\t")
}
